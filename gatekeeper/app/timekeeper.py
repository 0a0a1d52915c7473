"""Watches the wall clock: whether it is synchronised, whether it jumps, whether the centre agrees.

No duration here depends on it; but events carry its time, and orders expire by it.
"""

from datetime import datetime

import structlog

from gatekeeper.clock import Clock
from gatekeeper.health import Health
from gatekeeper.model import Instant
from gatekeeper.rules import clocks

log = structlog.get_logger(__name__)

LOOK_S = 10.0

STEPPED_STANDS_S = 3600.0
"""How long the alarm of a step stands: by then somebody has seen it."""


class Timekeeper:
    """Raises `clock_untrusted`, `clock_stepped` and `clock_off`, and clears them again."""

    def __init__(self, clock: Clock, health: Health) -> None:
        self._clock = clock
        self._health = health
        self._before: Instant | None = None
        self._stepped_at: float | None = None

    async def run(self) -> None:
        """Check the clock until cancelled."""
        while True:
            self.look()
            await self._clock.idle(LOOK_S)

    def look(self) -> None:
        """Compare the wall clock with the boot clock, and with what the kernel says of it."""
        now, before = self._clock.instant(), self._before
        self._before = now
        if now.trusted:
            self._health.clear_alarm("clock_untrusted", "clock")
        else:
            detail = "not synchronised: is a time server in reach?"
            self._health.raise_alarm("clock_untrusted", "clock", detail)
        jumped_s = 0.0 if before is None else clocks.jumped_s(before, now)
        if abs(jumped_s) > clocks.OFF_S:
            log.warning("clock.stepped", by_s=round(jumped_s, 3))
            self._stepped_at = now.boot_s
            self._health.clear_alarm("clock_stepped", "clock")
            self._health.raise_alarm("clock_stepped", "clock", f"by {jumped_s:+.1f} s")
        elif self._stepped_at is not None and now.boot_s - self._stepped_at > STEPPED_STANDS_S:
            self._stepped_at = None
            self._health.clear_alarm("clock_stepped", "clock")

    def told(self, centre: datetime) -> None:
        """The centre says what time it is; the way here takes less than the five seconds."""
        off_s = (self._clock.instant().wall - centre).total_seconds()
        if abs(off_s) > clocks.OFF_S:
            detail = f"{off_s:+.1f} s from the centre's"
            self._health.raise_alarm("clock_off", "clock", detail)
        else:
            self._health.clear_alarm("clock_off", "clock")
