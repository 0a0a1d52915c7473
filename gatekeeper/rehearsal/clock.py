"""A clock that is told the time: true seconds in, both clocks of one machine out."""

import asyncio
from datetime import UTC, datetime, timedelta

from gatekeeper.model import Instant

EPOCH = datetime(2026, 11, 22, 16, tzinfo=UTC)
"""True second 0: a Monday's midnight in Fujian."""


class VirtualClock:
    """The clocks of one simulated machine. `true_s` is set by whoever moves time on."""

    def __init__(self, epoch: datetime = EPOCH) -> None:
        self.true_s = 0.0
        self._epoch = epoch
        self._boots = 1
        self._booted_s = 0.0
        self._off_s = 0.0
        self._trusted = True
        self._boot_id = "boot-1"
        self._now: Instant | None = None

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

    def awake_s(self) -> float:
        """The same as `boot_s`."""
        return self.boot_s()

    async def idle(
        self, at_most_s: float, *, moved: asyncio.Event | None = None, due: float | None = None
    ) -> None:
        """Time stands still while anything runs."""
        raise NotImplementedError

    def true(self, boot_s: float) -> float:
        """The true second of a moment of this boot."""
        return boot_s + self._booted_s

    def step(self, by_s: float, *, trusted: bool) -> None:
        """The wall clock jumps."""
        self._off_s += by_s
        self._trusted = trusted
        self._now = None

    def reboot(self, *, trusted: bool = True) -> None:
        """The machine has started again, a moment ago."""
        self._boots += 1
        self._boot_id = f"boot-{self._boots}"
        self._booted_s = self.true_s - 20.0
        self._trusted = trusted
        self._now = None
