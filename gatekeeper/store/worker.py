"""Where the work on the file is done: in a thread of its own, or in the caller.

Work comes in as a function that blocks; its answer goes out. `ended` is called with the answer of
each piece of work that did not fail, in the caller's loop, even if the caller has stopped waiting.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import structlog

from gatekeeper.errors import StoreError

log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")

MAX_WAITING = 256
"""Calls that may wait for the thread. What comes beyond is refused with a `StoreError`, whole and
before it has done anything; nothing that was accepted is dropped.
"""


CLOSES_S = 5.0
"""How long a store that is closed waits for a disk that does not answer."""


def silence(_: object) -> None:
    """Only the caller is told of an answer."""


class Worker(Protocol):
    """Carries out one piece of work after the other, in the order of the calls."""

    async def run(
        self, work: Callable[[], Answer], ended: Callable[[Answer], None] = silence
    ) -> Answer:
        """Carry it out; raises what `work` raises."""
        ...

    async def aside(self, work: Callable[[], Answer]) -> Answer:
        """Carry out what does not touch this file, without making the others wait."""
        ...

    async def close(self, last: Callable[[], None]) -> None:
        """Carry out what was asked for and `last`; the worker is of no use after that."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """The one that writes, the one that reads, and the one that looks at the whole file."""

    write: Worker
    read: Worker
    check: Worker


class ThreadWorker:
    """Works in a thread of its own: the loop goes on meanwhile.

    A caller that stops waiting for a call does not undo it; its failure is then logged. `path` is
    the file it works on, `does` what it does there, and `most_waiting` how many calls may wait.
    """

    def __init__(self, path: Path, does: str, most_waiting: int = MAX_WAITING) -> None:
        self._path = path
        self._does = does
        self._most_waiting = most_waiting
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"store {does}")
        self._waiting = 0

    async def run(
        self, work: Callable[[], Answer], ended: Callable[[Answer], None] = silence
    ) -> Answer:
        """Wait for the thread to have done it."""
        if self._waiting >= self._most_waiting:
            raise StoreError(
                f"{self._path}: {self._waiting} calls wait for the disk, which does not answer;"
                " see dmesg"
            )

        def done(future: asyncio.Future[Answer]) -> None:
            self._waiting -= 1
            if future.exception() is None:
                ended(future.result())

        future = asyncio.get_running_loop().run_in_executor(self._thread, work)
        self._waiting += 1
        future.add_done_callback(done)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            future.add_done_callback(_log_failure)
            raise

    async def aside(self, work: Callable[[], Answer]) -> Answer:
        """In one more thread, for the time it takes."""
        return await asyncio.to_thread(work)

    async def close(self, last: Callable[[], None]) -> None:
        """Let the thread end; one that hangs for longer than `CLOSES_S` is left to itself."""
        ending = asyncio.get_running_loop().run_in_executor(self._thread, last)
        self._thread.shutdown(wait=False)
        try:
            async with asyncio.timeout(CLOSES_S):
                await asyncio.shield(ending)
        except TimeoutError:
            ending.add_done_callback(_log_failure)
            log.error("store.hangs", path=str(self._path), does=self._does)


class InPlaceWorker:
    """Works at once, in the caller: no call ever suspends, and no loop is needed."""

    async def run(
        self, work: Callable[[], Answer], ended: Callable[[Answer], None] = silence
    ) -> Answer:
        """Do it now."""
        answer = work()
        ended(answer)
        return answer

    async def aside(self, work: Callable[[], Answer]) -> Answer:
        """Do it now."""
        return work()

    async def close(self, last: Callable[[], None]) -> None:
        """Do it now."""
        last()


def _log_failure(future: asyncio.Future[Answer]) -> None:
    if (error := future.exception()) is not None:
        log.error("store.abandoned_call_failed", error=str(error))
