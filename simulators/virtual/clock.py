"""The clocks of simulated machines: one true time, a boot clock and a wall clock for each machine,
which may step, be wrong, and begin again with each boot.

A simulated machine sleeps while nothing happens at it: who only looks again and again (`idle`) is
not run then. That is what makes weeks pass in minutes.
"""

import asyncio
import math
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush

from gatekeeper.model import Instant
from simulators.virtual.loop import VirtualLoop

EPOCH = datetime(2026, 11, 22, 16, tzinfo=UTC)
"""True second 0: a Monday's midnight in Fujian."""

_LOOKED_AT_S = 15.0
"""A machine stays awake for so long after its clock has jumped: time enough to notice."""

_TICK_S = 1e-6
"""No wait is shorter: on a real machine time goes on meanwhile."""

_BOOTS_S = 20.0
"""How long a machine has been up when its controller starts."""


class _Nap:
    """Somebody who idles."""

    __slots__ = ("over", "waiter")

    def __init__(self, waiter: "asyncio.Future[bool]") -> None:
        self.over = False
        self.waiter = waiter

    def wake(self) -> None:
        """It has idled enough."""
        if not self.waiter.done():
            self.waiter.set_result(True)


class VirtualClock:
    """The clocks of one machine on a virtual loop; without a loop `true_s` is set by hand, and
    waiting is impossible.

    It stays awake for `awake_s` after anything has happened (`stir`), and wakes everybody who idles
    once in `nap_s`.
    """

    def __init__(
        self,
        loop: VirtualLoop | None = None,
        *,
        epoch: datetime = EPOCH,
        lingers_s: float = 5.0,
        nap_s: float = 60.0,
    ) -> None:
        self._loop = loop
        self._set_s = 0.0
        self._epoch = epoch
        self._lingers_s, self._nap_s = lingers_s, nap_s
        self._boots = 1
        self._booted_s = 0.0
        self._off_s = 0.0
        self._trusted = True
        self._boot_id = "boot-1"
        self._now: Instant | None = None
        self._naps: list[tuple[float, int, _Nap]] = []
        self._napped = 0
        self._timer: asyncio.TimerHandle | None = None
        # The awake clock showed `_awake_s` at `_since`, and has run on until `_until`.
        self._awake_s, self._since, self._until = 0.0, self.true_s, self.true_s

    @property
    def true_s(self) -> float:
        """True seconds."""
        return self._set_s if self._loop is None else self._loop.time()

    @true_s.setter
    def true_s(self, true_s: float) -> None:
        if self._loop is not None:
            raise RuntimeError("time passes by itself here: let the loop run")
        self._set_s = true_s

    def boot_s(self) -> float:
        """Seconds since the last boot."""
        return self.true_s - self._booted_s

    def instant(self, at: float | None = None) -> Instant:
        """Now, or the moment `at` of this boot, on both clocks."""
        boot_s = self.true_s - self._booted_s if at is None else at
        if self._now is not None and self._now.boot_s == boot_s:
            return self._now  # much happens in one moment here
        wall = self._epoch + timedelta(seconds=boot_s + self._booted_s + self._off_s)
        self._now = Instant(boot_id=self._boot_id, boot_s=boot_s, wall=wall, trusted=self._trusted)
        return self._now

    def true(self, boot_s: float) -> float:
        """The true second of a moment of this boot."""
        return boot_s + self._booted_s

    def step(self, by_s: float, *, trusted: bool) -> None:
        """The wall clock jumps."""
        self._off_s += by_s
        self._trusted = trusted
        self._now = None
        self.stir(_LOOKED_AT_S)

    def reboot(self, *, trusted: bool = True) -> None:
        """The machine has started again, a moment ago."""
        self._boots += 1
        self._boot_id = f"boot-{self._boots}"
        self._booted_s = self.true_s - _BOOTS_S
        self._trusted = trusted
        self._now = None
        self.stir(_LOOKED_AT_S)

    # --- awake and asleep ---------------------------------------------------------------------

    def awake_s(self) -> float:
        """Seconds in which the machine was not asleep."""
        return self._awake_s + min(self.true_s, self._until) - self._since

    def stir(self, lasts_s: float | None = None) -> None:
        """Something happens at the machine: it is awake for a while."""
        now = self.true_s
        if now > self._until:
            self._awake_s, self._since = self.awake_s(), now
        lasts_s = self._lingers_s if lasts_s is None else lasts_s
        self._until = max(self._until, now + lasts_s)
        self._arm()

    async def idle(
        self, at_most_s: float, *, moved: asyncio.Event | None = None, due: float | None = None
    ) -> None:
        """Wait so long by the awake clock, or until something has moved or come due."""
        loop = asyncio.get_running_loop()
        if moved is not None and moved.is_set():
            return
        waiter: asyncio.Future[bool] = loop.create_future()
        nap = _Nap(waiter)
        self._napped += 1
        heappush(self._naps, (self.awake_s() + at_most_s, self._napped, nap))
        if self._naps[0][2] is nap:
            self._arm()
        timer = None
        if due is not None:
            timer = loop.call_at(max(self._when(due), loop.time() + _TICK_S), nap.wake)
        # As asyncio.Event.wait does it; a timeout around that would take five times as long.
        if moved is not None:
            moved._waiters.append(waiter)
        try:
            await waiter
        finally:
            nap.over = True
            if timer is not None:
                timer.cancel()
            if moved is not None:
                moved._waiters.remove(waiter)

    def _when(self, due: float) -> float:
        """The first moment of the loop at which `due` has come, however that is rounded."""
        at = self.true(due)
        while at - self._booted_s < due:
            at = math.nextafter(at, math.inf)
        return at

    def _arm(self) -> None:
        """Be called when the first of those who idle has idled enough, or the nap is over."""
        naps = self._naps
        while naps and naps[0][2].over:
            heappop(naps)
        if not naps or self._loop is None:
            return
        at = self._since + naps[0][0] - self._awake_s
        if at > self._until:
            at = self._until + self._nap_s
        if self._timer is not None:
            if self._timer.when() == at and not self._timer.cancelled():
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(at, self._ring)

    def _ring(self) -> None:
        self._timer = None
        napped = self.true_s > self._until
        if napped:
            self.stir(0.0)
        enough = math.inf if napped else self.awake_s() + 1e-9
        woken, naps = [], self._naps
        while naps and naps[0][0] <= enough:
            woken.append(heappop(naps)[2])
        for nap in woken:
            if not nap.over:
                nap.over = True
                nap.wake()
        self._arm()
