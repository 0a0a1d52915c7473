"""Alarms as they are raised and cleared: into the log, the journal and to the zones, at once."""

import structlog

from gatekeeper.app.wiring import tell_watched
from gatekeeper.config import Config
from gatekeeper.health import Health, Tell
from gatekeeper.journal import Journal
from gatekeeper.model import AlarmCleared, AlarmRaised
from gatekeeper.zones import Zones

log = structlog.get_logger(__name__)


class News:
    """Hears of every alarm as soon as it is raised or cleared. `changed` is told when one
    stands no longer, so that waiting vehicles are decided again.
    """

    def __init__(
        self, config: Config, *, journal: Journal, zones: Zones, health: Health, changed: Tell
    ) -> None:
        self._config = config
        self._lanes = {lane.name for lane in config.lane}
        self._journal = journal
        self._zones = zones
        self._health = health
        health.watch(self._heard)
        health.watch_relief(changed)

    def _heard(self, news: AlarmRaised | AlarmCleared) -> None:
        if isinstance(news, AlarmRaised):
            log.warning("alarm.raised", alarm=news.alarm, subject=news.subject, detail=news.detail)
        else:
            log.info("alarm.cleared", alarm=news.alarm, subject=news.subject)
        lane = news.subject if news.subject in self._lanes else None
        self._journal.tell(news, lane=lane)
        tell_watched(news, self._config, self._health, self._zones)
