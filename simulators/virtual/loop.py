"""An asyncio loop whose time is virtual: it never waits, but goes on to the next moment at which
something is due. No threads and no sockets: what would run in a thread runs here in its turn.

Nothing runs by itself. `run_to` lets time pass; in between, time stands still.
"""

import asyncio
from asyncio import events
from collections.abc import Callable, Coroutine
from heapq import heapify, heappop
from threading import get_ident
from typing import Any, TypeVar

from simulators.virtual.tasks import Tasks

Answer = TypeVar("Answer")

AT_ONE_MOMENT = 100_000
"""So many steps without time passing are a loop that will never end."""

_MANY_CANCELLED = 200
"""Cancelled timers that are left in the heap; more, and it is swept."""


def at_once(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Run a coroutine for which no time has to pass, on a loop of its own; RuntimeError if it
    waits for something.
    """
    loop = VirtualLoop()
    try:
        return loop.finish(work, within_s=0.0)
    finally:
        loop.close()


class VirtualLoop(asyncio.BaseEventLoop):
    """`errors` are what tasks left behind that were not awaited; `latency_s` is asked how long each
    piece of work of a thread takes; with `breakable` its `tasks` can be made to fail.
    """

    # What BaseEventLoop keeps for its subclasses; it has no types for them.
    _ready: Any
    _scheduled: list[asyncio.TimerHandle]
    _timer_cancelled_count: int
    _thread_id: int | None

    def __init__(
        self, latency_s: Callable[[], float] = lambda: 0.0, *, breakable: bool = False
    ) -> None:
        super().__init__()
        self.tasks = Tasks()
        if breakable:
            self.set_task_factory(self.tasks.make)
        self._now = 0.0
        self._latency_s = latency_s
        self.errors: list[dict[str, Any]] = []
        self.set_exception_handler(lambda _, context: self.errors.append(context))

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._now

    def run_to(self, until: float) -> None:
        """Do all that is due until then, then let it be that time."""
        before = events._get_running_loop()
        self._thread_id = get_ident()
        events._set_running_loop(self)
        try:
            self._pass(until)
        finally:
            self._thread_id = None
            events._set_running_loop(before)
        self._now = max(self._now, until)

    def settle(self) -> None:
        """Do all that is due now."""
        self.run_to(self._now)

    def finish(self, work: Coroutine[Any, Any, Answer], within_s: float = 600.0) -> Answer:
        """Run a coroutine to its end; time passes only if it waits for it. RuntimeError if it takes
        longer.
        """
        task: asyncio.Task[Answer] = self.create_task(work)
        until = self._now + within_s
        self.settle()
        while not task.done():
            due = self.next_at()
            if due is None or due > until:
                task.cancel()
                self.settle()
                raise RuntimeError(f"it waits for something that does not come: {work}")
            self.run_to(due)
        return task.result()

    def next_at(self) -> float | None:
        """When something is due next; None if nothing ever is."""
        self._drop_cancelled()
        return self._scheduled[0]._when if self._scheduled else None  # type: ignore[attr-defined]

    def run_in_executor(
        self, executor: object, func: Callable[..., Answer], *args: object
    ) -> asyncio.Future[Answer]:
        """Do it in its turn, after as long as a thread would take."""
        future: asyncio.Future[Answer] = self.create_future()

        def do() -> None:
            if future.cancelled():
                return
            try:
                future.set_result(func(*args))
            except Exception as error:  # noqa: BLE001 - raised where it is awaited
                future.set_exception(error)

        self.call_later(self._latency_s(), do)
        return future

    def _pass(self, until: float) -> None:
        ready, timers, left = self._ready, self._scheduled, AT_ONE_MOMENT
        while True:
            while ready:
                handle = ready.popleft()
                if not handle._cancelled:
                    handle._run()
                    left -= 1
                    if left == 0:
                        raise RuntimeError(f"at {self._now} s it goes round and round: {handle}")
            self._drop_cancelled()
            timers = self._scheduled
            if not timers or timers[0]._when > until:  # type: ignore[attr-defined]
                return
            timer: Any = heappop(timers)
            timer._scheduled = False
            if timer._when > self._now:
                self._now, left = timer._when, AT_ONE_MOMENT
            timer._run()

    def _drop_cancelled(self) -> None:
        timers = self._scheduled
        if self._timer_cancelled_count > _MANY_CANCELLED:
            kept = [each for each in timers if not each.cancelled()]
            for each in timers:
                each._scheduled = not each.cancelled()  # type: ignore[attr-defined]
            timers[:] = kept
            heapify(timers)
            self._timer_cancelled_count = 0
        while timers and timers[0].cancelled():
            heappop(timers)._scheduled = False  # type: ignore[attr-defined]
            self._timer_cancelled_count -= 1

    # What a loop with sockets would do here.

    def _process_events(self, event_list: object) -> None:
        return None

    def _write_to_self(self) -> None:
        return None
