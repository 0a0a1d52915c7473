"""The one thread in which networks run, as the loop sees it: frames in, stamped plate reads out."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from gatekeeper.lpr.ports import Recogniser
from gatekeeper.model import Frame, PlateRead


class ReadingThread:
    """A recogniser in a thread of its own; the lanes share it and take turns."""

    def __init__(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser
        # Its queue is bounded by its callers: each lane awaits one frame at a time, so that at
        # most one frame of each lane waits here, and nothing is dropped. A cancelled caller's
        # frame is taken out of the queue, unless it is being read; then its reads are dropped.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lpr")

    async def read(self, frame: Frame) -> tuple[PlateRead, ...]:
        """All plates in the frame, the most confident first, with its number and moment; raises
        `PictureError`.
        """
        loop = asyncio.get_running_loop()
        reads = await loop.run_in_executor(self._thread, self._recogniser.read, frame.pixels)
        return tuple(replace(read, frame=frame.number, at=frame.at) for read in reads)

    def close(self) -> None:
        """Let the frame being read come to its end, forget those that wait, end the thread."""
        self._thread.shutdown(wait=True, cancel_futures=True)
