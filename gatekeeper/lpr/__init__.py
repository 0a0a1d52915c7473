"""Recognition: pixels in, plate reads out. It owns its networks and its thread, never downloads,
and judges no plate: whether a text is a Chinese plate at all is asked in `rules`.
"""

from gatekeeper.lpr.recogniser import Recogniser, open_recogniser
from gatekeeper.lpr.thread import ReadingThread

__all__ = ["ReadingThread", "Recogniser", "open_recogniser"]
