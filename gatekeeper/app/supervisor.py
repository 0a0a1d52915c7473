"""Keeps the tasks of a controller running, each alone: one that fails is run again, with backoff,
and the others do not notice.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any

import structlog

from gatekeeper.app.ports import Task
from gatekeeper.backoff import Backoff
from gatekeeper.clock import Clock
from gatekeeper.health import Health

log = structlog.get_logger(__name__)

RESTART = Backoff(first_s=0.5, last_s=30.0)
"""Pauses of a task that failed; one that has run for the longest is well again."""

STOPS_S = 10.0
"""How long a task may take to end as it should: a relay that pulses goes off first."""


class Supervisor:
    """Used from the loop's thread."""

    def __init__(self, *, clock: Clock, health: Health) -> None:
        self._clock = clock
        self._health = health
        self._stopping = False
        self.tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, work: Collection[Task]) -> None:
        """Run these from now on."""
        for name, task in work:
            self.tasks[name] = asyncio.create_task(self.kept(name, task), name=name)

    async def stop(self) -> None:
        """End all of them."""
        self._stopping = True
        await ended(self.tasks.values())

    async def kept(self, name: str, task: Callable[[], Awaitable[None]]) -> None:
        """Keep a task running, alone: when it fails, say so, wait, and run it again."""
        pause_s = RESTART.first_s
        loop = asyncio.get_running_loop()
        # A task group of Python 3.11 may swallow a cancellation while one of its tasks fails.
        while not self._stopping:
            begun = self._clock.boot_s()
            well = loop.call_later(RESTART.last_s, self._health.clear_alarm, "task_failed", name)
            try:
                await task()
            except asyncio.CancelledError as error:
                current = asyncio.current_task()
                if current is None or current.cancelling():
                    raise
                log.error("task.failed", task=name, exc_info=error)
                self._failed(name, error)  # something it waited for was cancelled, and not it
            except Exception as error:
                log.error("task.failed", task=name, exc_info=error)
                self._failed(name, error)
            finally:
                well.cancel()
            if self._clock.boot_s() - begun > RESTART.last_s:
                pause_s = RESTART.first_s
            if not self._stopping:
                await asyncio.sleep(pause_s)
            pause_s = RESTART.after(pause_s)

    def _failed(self, name: str, error: BaseException) -> None:
        self._health.raise_alarm("task_failed", name, repr(error))


async def ended(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel tasks, and wait until all have ended. What was swallowed is said again: libraries
    that use asyncio.wait_for on Python 3.11 lose a cancellation that comes together with an answer
    (cpython #86296), and so do task groups of which a task fails.
    """
    waiting = set(tasks)
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=STOPS_S)
