"""Recognition: pixels in, plate reads out. It owns its engines and its thread, never downloads,
and judges no plate: whether a text is a Chinese plate at all is asked in `rules`.
"""

from gatekeeper.lpr.opening import EngineName, open_recogniser, recogniser_of
from gatekeeper.lpr.ports import Recogniser
from gatekeeper.lpr.thread import ReadingThread

__all__ = ["EngineName", "ReadingThread", "Recogniser", "open_recogniser", "recogniser_of"]
