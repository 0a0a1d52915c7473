"""Alarms on their way: into the log at once, into the journal and to the zones by and by."""

import asyncio
from collections.abc import Callable

import structlog

from gatekeeper.app.wiring import tell_watched
from gatekeeper.clock import Clock
from gatekeeper.config import Config
from gatekeeper.errors import StoreError
from gatekeeper.health import Health
from gatekeeper.model import AlarmCleared, AlarmRaised, Commit, ControllerStopped, Record
from gatekeeper.store import Store
from gatekeeper.zones import Zones

log = structlog.get_logger(__name__)

WAITING = 1000
"""Alarms waiting for the journal. More than this while the store is stuck are only logged."""


class News:
    """Hears of every alarm that is raised or cleared, as soon as it is made.

    `changed` is told when one is cleared, so that waiting vehicles are decided again.
    """

    def __init__(
        self,
        config: Config,
        *,
        store: Store,
        zones: Zones,
        clock: Clock,
        health: Health,
        changed: Callable[[], None],
    ) -> None:
        self._config = config
        self._lanes = {lane.name for lane in config.lane}
        self._store = store
        self._zones = zones
        self._clock = clock
        self._health = health
        self._changed = changed
        self._waiting: asyncio.Queue[AlarmRaised | AlarmCleared] = asyncio.Queue(WAITING)
        health.watch(self._heard)

    async def run(self) -> None:
        """Journal what was heard, and tell the zones which lanes can be watched, for ever."""
        while True:
            news = await self._waiting.get()
            await self.tell(news)
            await tell_watched(news, self._config, self._health, self._zones)
            if isinstance(news, AlarmCleared):
                self._changed()

    async def tell(self, fact: AlarmRaised | AlarmCleared | ControllerStopped) -> None:
        """Journal a fact of the controller itself; one that cannot be written is only logged."""
        lane = getattr(fact, "subject", None)
        record = Record(
            fact=fact, at=self._clock.instant(), lane=lane if lane in self._lanes else None
        )
        try:
            await self._store.commit(Commit(records=(record,)))
        except StoreError as error:
            log.error("journal.not_written", kind=fact.kind, error=str(error))

    def _heard(self, news: AlarmRaised | AlarmCleared) -> None:
        alarm, subject = news.alarm, news.subject
        if isinstance(news, AlarmRaised):
            log.warning("alarm.raised", alarm=alarm, subject=subject, detail=news.detail)
        else:
            log.info("alarm.cleared", alarm=alarm, subject=subject, detail="")
        try:
            self._waiting.put_nowait(news)
        except asyncio.QueueFull:
            log.error("alarm.not_journalled", alarm=alarm, subject=subject)
