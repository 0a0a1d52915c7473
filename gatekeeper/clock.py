"""Wall time, boot time, and whether the wall clock is trusted: the only file that reads a clock.

The boot clock is Linux's CLOCK_MONOTONIC: it counts from the boot named by `boot_id`, never
jumps, goes on through a restart of the controller, and is the scale asyncio and the capture
threads stamp on. (It stands still while a machine sleeps; a gate machine does not sleep.)
"""

import asyncio
import contextlib
import ctypes
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from gatekeeper.errors import ClockError
from gatekeeper.model import Instant

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

_TIMEX_BYTES = 208
"""sizeof(struct timex) on 64-bit Linux; with `modes` zero the call only reads (adjtimex(2))."""

_TIME_ERROR = 5
"""adjtimex(2): the clock is not synchronised to a reliable server."""

_LIBC = ctypes.CDLL(None, use_errno=True)
"""Loaded once: that takes longer than all the rest of `SystemClock.instant`."""


class Clock(Protocol):
    """What a room that acts is given to know the time with; pure rooms take time as a value."""

    def boot_s(self) -> float:
        """Seconds since boot; the scale of every `at` and `deadline`."""
        ...

    def instant(self, at: float | None = None) -> Instant:
        """Now, or the moment `at` of the boot clock, on both clocks."""
        ...

    def awake_s(self) -> float:
        """Seconds in which the programs of this machine could run: the scale of heartbeats. Only
        simulated machines sleep, while nothing happens at them.
        """
        ...

    async def idle(
        self, at_most_s: float, *, moved: asyncio.Event | None = None, due: float | None = None
    ) -> None:
        """Wait `at_most_s`, or until something has `moved`, or the moment `due` of the boot clock
        has come. For looks that mostly find nothing: simulated machines sleep through them, and
        only `moved` and `due` are kept to the moment there.
        """
        ...


class SystemClock:
    """The machine's own clocks. Raises `ClockError` where the kernel names no boot."""

    def __init__(self) -> None:
        try:
            self._boot_id = _BOOT_ID.read_text(encoding="ascii").strip()
        except OSError as error:
            raise ClockError(
                f"{_BOOT_ID}: cannot be read ({error.strerror}); is this Linux?"
            ) from error

    def boot_s(self) -> float:
        """Seconds on CLOCK_MONOTONIC; within a loop the loop's time, which is the same."""
        return monotonic()

    def instant(self, at: float | None = None) -> Instant:
        """Now, or `at` carried over to the wall clock as it stands now."""
        now = self.boot_s()
        moment = time.time() - (0.0 if at is None else now - at)
        return Instant(
            boot_id=self._boot_id,
            boot_s=now if at is None else at,
            wall=datetime.fromtimestamp(moment, UTC),
            trusted=synchronised(),
        )

    def awake_s(self) -> float:
        """The same as `boot_s`."""
        return monotonic()

    async def idle(
        self, at_most_s: float, *, moved: asyncio.Event | None = None, due: float | None = None
    ) -> None:
        """Wait, to the moment."""
        wait_s = at_most_s if due is None else min(at_most_s, max(0.0, due - self.boot_s()))
        if moved is None:
            await asyncio.sleep(wait_s)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await moved.wait()


async def rest(moved: asyncio.Event, due: float | None, clock: Clock, *, at_most_s: float) -> None:
    """Wait until something has `moved`, or the moment `due` of the boot clock has come; None: it
    is not known when. Returns after `at_most_s` in any case, so that what was missed is seen then.
    """
    await clock.idle(at_most_s, moved=moved, due=due)


def wall() -> datetime:
    """The wall clock, for those who only show it."""
    return datetime.fromtimestamp(time.time(), UTC)


def monotonic() -> float:
    """The boot clock for code that may run in a thread; in the loop, the loop's time."""
    try:
        return asyncio.get_running_loop().time()
    except RuntimeError:
        return time.monotonic()


def synchronised() -> bool:
    """Whether the kernel holds the wall clock to be synchronised (chrony, ntpd and timesyncd
    all tell it). Where it cannot be asked, no.
    """
    state = int(_LIBC.adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
    return 0 <= state < _TIME_ERROR
