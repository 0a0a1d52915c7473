"""What a person beside the gate may ask of the controller, and order: the same orders as the
centre's, carried out by the same hands and kept in the same journal.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

from gatekeeper import __version__
from gatekeeper.app.controller import Controller
from gatekeeper.clock import Clock
from gatekeeper.config import Config, LaneSettings
from gatekeeper.errors import ControlError, StoreError
from gatekeeper.health import Health
from gatekeeper.model import Order
from gatekeeper.sync import JournalBook, carried_out, wire

GOOD_S: Final = 20.0
"""An order from beside the gate is carried out within this, or not at all."""


class ControlRoom:
    """Used from the loop's thread."""

    def __init__(self, controller: Controller, config: Config, clock: Clock) -> None:
        self._controller, self._config, self._clock = controller, config, clock
        self._book = JournalBook(controller.journal, clock)

    async def answer(self, question: Mapping[str, Any], who: str) -> Mapping[str, object]:
        """The answer to a question, `ask` says which; raises `ControlError`."""
        match question.get("ask"):
            case "status":
                return await self._status()
            case "order":
                return await self._order(question, who)
        raise ControlError(f"nothing is known of {question.get('ask')!r}")

    async def _order(self, question: Mapping[str, Any], who: str) -> Mapping[str, object]:
        order = self._read(question, who)
        controller = self._controller
        answer = await carried_out(order, controller.obey, GOOD_S, controller.health)
        self._book.note(order, answer)
        return {"outcome": answer.outcome, "detail": answer.detail}

    def _read(self, question: Mapping[str, Any], who: str) -> Order:
        """An order as the centre would have written it, and as strictly."""
        verb, now = str(question.get("verb")), self._clock.instant()
        body = {
            **{key: value for key, value in question.items() if key not in ("ask", "verb")},
            "id": f"here-{uuid4()}",
            "by": f"{who}, at the box",
            "expires_at": wire.time(now.wall + timedelta(seconds=GOOD_S)),
        }
        return wire.order_here(verb, body, deadline=now.boot_s + GOOD_S)

    # --- how it stands ------------------------------------------------------------------------

    async def _status(self) -> Mapping[str, object]:
        controller, clock = self._controller, self._clock
        return {
            "version": __version__,
            "site": self._config.site,
            "controller": self._config.controller,
            "at": wire.time(clock.instant().wall),
            "clock_trusted": clock.instant().trusted,
            "lanes": [self._lane(settings) for settings in self._config.lane],
            "zones": [self._zone(zone.name, zone.capacity) for zone in self._config.zone],
            "alarms": self._alarms(controller.health),
            "centre_away_s": controller.centre_away_s,
            **await self._store(),
        }

    def _lane(self, settings: LaneSettings) -> dict[str, object]:
        name = settings.name
        lane, holder = self._controller.lanes[name], self._controller.holders[name]
        return {
            "name": name,
            "zone": settings.zone,
            "direction": settings.direction.value,
            "state": lane.state.value,
            "kept_up": [reason.value for reason in holder.reasons],
        }

    def _zone(self, name: str, capacity: int) -> dict[str, object]:
        state = self._controller.zones.state(name)
        return {
            "name": name,
            "count": state.count,
            "capacity": capacity,
            "trusted": state.trusted,
        }

    def _alarms(self, health: Health) -> list[dict[str, str]]:
        return [
            {
                "alarm": each.alarm,
                "subject": each.subject,
                "detail": each.detail,
                "since": wire.time(self._clock.instant(each.since).wall),
            }
            for each in health.alarms
        ]

    async def _store(self) -> dict[str, object]:
        try:
            report = await self._controller.report()
        except StoreError as error:
            return {"store": str(error)}
        lists = {each.list.value: each.version for each in report.list_versions}
        return {
            "outbox": report.outbox,
            "seq": report.seq,
            "free_disk_mb": report.free_disk_mb,
            "lists": lists,
        }
