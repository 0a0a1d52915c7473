"""The disk: how much is free, what is deleted to keep it so, and whether the database is sound.

Settings, a moment and the store come in; alarms and the log say what was found and what went. A
store that does not answer is named in the log and asked again later: every wait here ends.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import structlog

from gatekeeper.config import StoreSettings
from gatekeeper.errors import StoreError
from gatekeeper.health import Health
from gatekeeper.model import Instant
from gatekeeper.store import Limits, PictureLimits, Pictures, Store, UnsoundStoreError
from gatekeeper.store.worker import ThreadWorker

log = structlog.get_logger(__name__)

LOOK_S = 5.0
"""How long a disk may take to say how much of it is free."""

TIDY_S = 900.0
"""How long a round of deleting may take; what is left then goes in the next one."""

CHECK_S = 3600.0
"""How long the database may take to be read whole."""


class Tidying:
    """What is done about the disk; `sends` is whether there is a centre that confirms events."""

    def __init__(
        self,
        settings: StoreSettings,
        *,
        store: Store,
        pictures: Pictures,
        health: Health,
        sends: bool,
    ) -> None:
        self._settings = settings
        self._store = store
        self._pictures = pictures
        self._health = health
        self._sends = sends
        self._disk = ThreadWorker(settings.path, "asks the disk", 1)
        self.free_mb = 0
        """Megabytes free on the database's disk when it was last looked at; 0 before."""

    async def look_at_the_disk(self) -> None:
        """Raise or clear the alarm for a disk that is nearly full, or not there."""
        try:
            async with asyncio.timeout(LOOK_S):
                self.free_mb = await self._disk.run(partial(_free_mb, self._settings.path))
        except (TimeoutError, StoreError, OSError) as error:
            log.warning("disk.does_not_answer", error=str(error) or "in time")
            self.free_mb = 0
        if self.free_mb < self._settings.min_free_mb:
            self._health.raise_alarm("disk_low", "disk", f"{self.free_mb} MB free")
        else:
            self._health.clear_alarm("disk_low", "disk")

    async def tidy(self, now: Instant) -> None:
        """Delete what may no longer stay of the journal and of the pictures."""
        async with _patiently("pruning", TIDY_S):
            await self._prune(now)
        async with _patiently("sweeping", TIDY_S):
            await self._sweep(now, await self._evidence(now))

    async def check(self) -> None:
        """Read the whole database; damage is an alarm, and the next start begins an empty one."""
        async with _patiently("checking", CHECK_S):
            try:
                await self._store.check()
            except UnsoundStoreError as error:
                self._health.raise_alarm("store_unsound", "store", str(error))

    async def _prune(self, now: Instant) -> None:
        settings = self._settings
        gone = await self._store.prune(
            Limits(
                now=now.wall if now.trusted else None,
                days=settings.events_days,
                events=settings.events_most,
                megabytes=settings.database_mb,
                unconfirmed=not self._sends,
            )
        )
        if gone.events or gone.stays:
            log.info("journal.pruned", events=gone.events, stays=gone.stays, orders=gone.orders)
        if gone.too_large:
            what = f"more than {settings.database_mb} MB, of which the centre has confirmed nothing"
            self._health.raise_alarm("store_large", "store", what)
        else:
            self._health.clear_alarm("store_large", "store")

    async def _evidence(self, now: Instant) -> frozenset[str] | None:
        try:
            async with asyncio.timeout(LOOK_S):
                return await self._store.evidence(now.wall if now.trusted else None)
        except (TimeoutError, StoreError):
            return None

    async def _sweep(self, now: Instant, evidence: frozenset[str] | None) -> None:
        settings = self._settings
        oldest = now.wall - timedelta(days=settings.pictures_days) if now.trusted else None
        limits = PictureLimits(
            before=oldest, megabytes=settings.pictures_mb, free_mb=settings.min_free_mb
        )
        swept = await self._pictures.sweep(limits, evidence)
        if swept.pictures:
            log.info("pictures.swept", gone=swept.pictures, left_mb=swept.left_mb)
        if swept.evidence:
            log.warning("pictures.evidence_swept", gone=swept.evidence, left_mb=swept.left_mb)


@asynccontextmanager
async def _patiently(what: str, within_s: float) -> AsyncIterator[None]:
    """Give up after a while; that the store does not answer is its own alarm."""
    try:
        async with asyncio.timeout(within_s):
            yield
    except (TimeoutError, StoreError) as error:
        log.warning("disk.not_kept", what=what, error=str(error) or f"not done in {within_s:g} s")


def _free_mb(path: Path) -> int:
    return shutil.disk_usage(path.parent).free // 1_000_000
