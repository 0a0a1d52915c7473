"""What has to be done now and then: look at the disk, tidy it, and end the day of zones
whose limits are advisory with a summary.
"""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from gatekeeper.app.tidying import Tidying
from gatekeeper.clock import Clock
from gatekeeper.zones import Zones

PAUSE_S = 60.0

TIDY_EVERY_S = 3600.0

CHECK_FIRST_S = 120.0
"""After a start the gate has better things to do than to read its whole database."""

CHECK_EVERY_S = 86_400.0


class Housekeeping:
    """Does these in turn, by the boot clock; the day ends only by a wall clock that is trusted."""

    def __init__(self, timezone: ZoneInfo, *, tidying: Tidying, zones: Zones, clock: Clock) -> None:
        self._timezone = timezone
        self._tidying = tidying
        self._zones = zones
        self._clock = clock
        self._day: date | None = None
        self._tidy_at = clock.boot_s()
        self._check_at = clock.boot_s() + CHECK_FIRST_S

    async def run(self) -> None:
        """Keep house until cancelled."""
        while True:
            await self._tidying.look_at_the_disk()
            now = self._clock.instant()
            if now.trusted:
                await self._end_the_day(now.wall)
            if now.boot_s >= self._tidy_at:
                await self._tidying.tidy(now)
                self._tidy_at = self._clock.boot_s() + TIDY_EVERY_S
            if now.boot_s >= self._check_at:
                await self._tidying.check()
                self._check_at = self._clock.boot_s() + CHECK_EVERY_S
            await self._clock.idle(PAUSE_S)

    async def _end_the_day(self, now: datetime) -> None:
        today = now.astimezone(self._timezone).date()
        if self._day is not None and today > self._day:
            begun = datetime.combine(self._day, datetime.min.time(), self._timezone)
            await self._zones.summarise(begun)
        self._day = today
