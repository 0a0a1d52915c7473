"""The centre of a simulated site: its lists, what the controllers have to hear of each other, and
the centre that speaks to them by the broker where the real link runs.
"""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta

from gatekeeper.model import (
    BlacklistAdded,
    BlacklistRemoved,
    BlacklistSuspended,
    Event,
    ListChange,
    ListChanges,
    ListName,
    ListRow,
    PassageEnded,
    VehicleDecided,
)
from gatekeeper.sync.wire import time
from simulators.simulate.site import INNER, OUTER, SITE
from simulators.virtual import EPOCH
from simulators.virtual.mqtt import Line, MqttBroker, Packet

_OF_THE_BLACKLIST = (BlacklistAdded, BlacklistRemoved, BlacklistSuspended)

_OF_INTEREST = {
    INNER: (VehicleDecided, PassageEnded, *_OF_THE_BLACKLIST),
    # A car seen at the inner gate is inside the car park, which the outer one knew.
    OUTER: _OF_THE_BLACKLIST,
}

_ROOT = f"gatekeeper/v1/{SITE}"
_HEARS = ("+/health", "+/events/#", "+/registry/+/wanted", "centre/answers")
CONFIRMS_S = 0.2
"""Confirmations of what came meanwhile go out together."""
AGAIN_S = 5.0
"""A centre that has lost the broker looks for it so often."""


class Lists:
    """The lists as the centre keeps them: each change is one version on."""

    def __init__(self) -> None:
        self.versions: dict[ListName, int] = defaultdict(int)
        self.rows: dict[ListName, dict[tuple[str, str | None], ListRow]] = defaultdict(dict)

    def change(self, name: ListName, rows: list[ListRow], *, remove: bool = False) -> ListChanges:
        """The next step of a list."""
        since = self.versions[name]
        self.versions[name] += 1
        changes = tuple(ListChange(remove=remove, row=row) for row in rows)
        for row in rows:
            if remove:
                self._remove(name, row)
            else:
                self.rows[name][row.plate, row.zone] = row
        return ListChanges(list=name, since=since, version=since + 1, changes=changes)

    def _remove(self, name: ListName, row: ListRow) -> None:
        held = self.rows[name]
        for key in [(row.plate, row.zone)] if row.zone else [k for k in held if k[0] == row.plate]:
            held.pop(key, None)


def is_of_interest(of: str, to: str, event: Event) -> bool:
    """Whether a controller makes anything of an event of the other. Of the rest it would note only
    that they were, if it depended on the other's exits; here neither does.
    """
    return isinstance(event.record.fact, _OF_INTEREST[to])


@dataclass(slots=True)
class Received:
    """One journal as the centre has it: everything up to `complete`, `ids` by number. `news` are
    those that came for the first time and `doubts` what cannot be, both emptied by their reader.
    """

    complete: int = 0
    ids: dict[int, str] = field(default_factory=dict)
    news: list[tuple[int, str]] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def take(self, seq: int, name: str, first: int = 1) -> None:
        """An event came, perhaps again, of a journal that begins with the number `first`."""
        self.complete = max(self.complete, first - 1)
        if seq not in self.ids:
            self.ids[seq] = name
            self.news.append((seq, name))
        elif self.ids[seq] != name:
            self.doubts.append(f"two events are number {seq}")
        while self.complete + 1 in self.ids:
            self.complete += 1


class VirtualCentre:
    """Takes events and confirms them, tells lists and the time, gives orders; what it has is kept
    whatever happens. While it is `silent` it hears nothing: what comes waits at the broker.
    """

    def __init__(self, broker: MqttBroker, lists: Lists) -> None:
        self._broker, self._lists = broker, lists
        self._loop = broker.loop
        self.journals: dict[str, Received] = defaultdict(Received)
        self.answers: dict[str, str] = {}
        self._line: _CentreLine | None = None
        self._silent = False
        self._to_confirm: set[tuple[str, str]] = set()
        self._unsaid: list[Packet] = []
        self._orders = 0
        self.connect()

    def connect(self) -> None:
        """Find the broker, again and again until it is there."""
        if self._line is None and not self._silent:
            self._line = _CentreLine(self._broker, self)

    def lost(self) -> None:
        """The broker has gone."""
        self._line = None
        self._loop.call_later(AGAIN_S, self.connect)

    def silence(self, *, silent: bool) -> None:
        """It is down, or up again."""
        self._silent = silent
        if silent and self._line is not None:
            self._line.hang_up(politely=True)
            self._line = None
        self.connect()

    def change(self, changes: ListChanges) -> None:
        """A list has changed: all controllers are told."""
        told = [{"remove": each.remove, "row": _row(each.row)} for each in changes.changes]
        body = {"list": changes.list, "since": changes.since, "version": changes.version}
        self._say(f"registry/{changes.list}/changes", {**body, "changes": told})

    def order(self, controller: str, verb: str, **fields: object) -> None:
        """Give an order."""
        self._orders += 1
        at = EPOCH + timedelta(seconds=self._loop.time())
        body = {
            "id": f"order-{self._orders}",
            "by": "attendant",
            "reason": "by the centre",
            "at": time(at),
            "expires_at": time(at + timedelta(minutes=10)),
            **fields,
        }
        self._say(f"{controller}/orders/{verb}", body, response_topic=f"{_ROOT}/centre/answers")

    def opened(self) -> None:
        """The broker is there: what could not be said is said now."""
        unsaid, self._unsaid = self._unsaid, []
        for packet in unsaid:
            self._publish(packet)

    def hear(self, packet: Packet) -> None:
        """A controller speaks."""
        controller, what, *rest = packet.topic.removeprefix(f"{_ROOT}/").split("/")
        body = json.loads(packet.body)
        match what:
            case "events":
                self._take(controller, body)
            case "health":
                self._confirm(controller, body["journal"], asked=body["asked"])
            case "registry":
                self._wanted(ListName(rest[0]), body["have"])
            case "answers":
                self.answers[body["order"]] = body["outcome"]

    def _take(self, controller: str, event: dict[str, object]) -> None:
        journal, seq = str(event["journal"]), event["seq"]
        if isinstance(seq, int):
            first = event.get("first")
            begins = first if isinstance(first, int) else 1
            self.journals[journal].take(seq, str(event["id"]), begins)
        if not self._to_confirm:
            self._loop.call_later(CONFIRMS_S, self._confirm_all)
        self._to_confirm.add((controller, journal))

    def _confirm_all(self) -> None:
        for controller, journal in sorted(self._to_confirm):
            self._confirm(controller, journal)
        self._to_confirm.clear()

    def _confirm(self, controller: str, journal: str, **asked: object) -> None:
        at = time(EPOCH + timedelta(seconds=self._loop.time()))
        body: dict[str, object] = {"journal": journal, "seq": 0, "at": at, **asked}
        if (received := self.journals.get(journal)) is not None:
            body |= {"seq": received.complete, "id": received.ids.get(received.complete)}
        self._say(f"{controller}/confirmations", body)

    def _wanted(self, name: ListName, have: int | None) -> None:
        version = self._lists.versions[name]
        if have != version:
            rows = [_row(row) for row in self._lists.rows[name].values()]
            body = {"list": name, "version": version, "rows": rows, "reset": (have or 0) > version}
            self._say(f"registry/{name}/snapshot", body)

    def _say(
        self, topic: str, body: dict[str, object], *, response_topic: str | None = None
    ) -> None:
        told = json.dumps(body, ensure_ascii=False).encode()
        self._publish(Packet(topic=f"{_ROOT}/{topic}", body=told, response_topic=response_topic))

    def _publish(self, packet: Packet) -> None:
        """What a centre could not say it says later, but for what is soon said again."""
        if self._line is not None and self._line.open:
            self._line.publish_packet(packet, _taken)
        elif not packet.topic.endswith(("/confirmations", "/snapshot")):
            self._unsaid.append(packet)


class _CentreLine(Line):
    """The centre's connection: it acknowledges at once, for what it has it keeps."""

    def __init__(self, broker: MqttBroker, centre: VirtualCentre) -> None:
        self._centre = centre
        super().__init__(broker, "centre", None)

    def connected(self, *, known: bool) -> None:
        """As it should be."""
        self.listen([f"{_ROOT}/{each}" for each in _HEARS], self._centre.opened)

    def came(self, packet: Packet, mid: int) -> None:
        """A controller speaks."""
        self._centre.hear(packet)
        self.acknowledge(mid)

    def failed(self, why: str) -> None:
        """The broker has gone."""
        self._centre.lost()


def _row(row: ListRow) -> dict[str, object]:
    return {"plate": row.plate, "zone": row.zone}


def _taken() -> None:
    return
