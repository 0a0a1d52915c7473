"""Free disk, pictures that grow old, and once a day the summary of zones that blacklist nobody."""

import shutil
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from gatekeeper.clock import Clock
from gatekeeper.config import StoreSettings
from gatekeeper.health import Health
from gatekeeper.store.pictures import Pictures
from gatekeeper.zones import Zones

PAUSE_S = 60.0


class Housekeeping:
    """What has to be done now and then; by a wall clock that is not trusted, only the disk."""

    def __init__(
        self,
        settings: StoreSettings,
        timezone: ZoneInfo,
        *,
        pictures: Pictures,
        zones: Zones,
        clock: Clock,
        health: Health,
    ) -> None:
        self._settings = settings
        self._timezone = timezone
        self._pictures = pictures
        self._zones = zones
        self._clock = clock
        self._health = health
        self._day: date | None = None

    async def run(self) -> None:
        """Keep house, for ever."""
        while True:
            self._look_at_the_disk()
            now = self._clock.instant()
            if now.trusted:  # by a wrong clock all pictures might be old
                await self._pictures.sweep(now.wall - timedelta(days=self._settings.pictures_days))
                await self._end_the_day(now.wall)
            await self._clock.idle(PAUSE_S)

    def _look_at_the_disk(self) -> None:
        free = free_mb(self._settings.path)
        if free < self._settings.min_free_mb:
            self._health.raise_alarm("disk_low", "disk", f"{free} MB free")
        else:
            self._health.clear_alarm("disk_low", "disk")

    async def _end_the_day(self, now: datetime) -> None:
        today = now.astimezone(self._timezone).date()
        if self._day is not None and today > self._day:
            begun = datetime.combine(self._day, datetime.min.time(), self._timezone)
            await self._zones.summarise(begun)
        self._day = today


def free_mb(path: Path) -> int:
    """Megabytes free on the disk on which a file lies; 0 where the disk is not there."""
    try:
        return shutil.disk_usage(path.parent).free // 1_000_000
    except OSError:
        return 0
