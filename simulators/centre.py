"""The central server of a site: lists, orders and the journal of all controllers, over MQTT 5.

What it publishes and subscribes is written in docs/protocol.md. Events come in, each is kept
once and confirmed only when it is safe; changes of lists and orders (commands) go out. It decides
nothing that a gate has to decide.
"""

import argparse
import json
import sqlite3
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, Self

from simulators.console import Command, CommandError, Fields, parser, run, say
from simulators.intake import Intake
from simulators.journal import Journals
from simulators.link import Link, Message
from simulators.orders import ANSWER, Orders, fields_of, now, written
from simulators.registry import LISTS, Body, Registry

_EVENT = ("kind", "lane", "passage", "journal", "seq", "late", "occurred_at", "body")


@dataclass(slots=True, kw_only=True)
class Controller:
    """What is known of one controller from its own messages."""

    state: str = "unknown"
    since: str | None = None
    lanes: set[str] = field(default_factory=set)


class Centre(AbstractAsyncContextManager["Centre"]):
    """One site's centre; raises `OSError` and `sqlite3.Error` for files it cannot use."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._root = f"gatekeeper/v1/{options.site}"
        self._registry = Registry(options.lists)
        self._journals = Journals(str(options.journal or ":memory:"))
        self._controllers: dict[str, Controller] = {}

    async def __aenter__(self) -> Self:
        self._link = Link(
            client_id=f"centre-{self._options.site}",
            topics=tuple(
                f"{self._root}/+/{what}"
                for what in ("status", "health", "events/#", "registry/+/wanted", "answers")
            ),
            heard=self._hear,
            turned=self._turned,
        )
        self._orders = Orders(self._link, self._root, self._options.patience)
        self._intake = Intake(self._journals, self._link.taken, self._confirm)
        host, port = self._options.broker
        self._link.start(host, port, self._options.user, self._options.password)
        say("started", broker=f"{host}:{port}", site=self._options.site)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._link.stop()
        self._intake.stop()
        self._journals.close()

    # lists

    async def bind(self, plate: str) -> Fields:
        """A visitor binds a plate."""
        return self._add("visitors", plate)

    async def unbind(self, plate: str) -> Fields:
        """A visitor's plate is bound no more."""
        return self._remove("visitors", plate)

    async def internal(self, plate: str) -> Fields:
        """The car belongs to staff."""
        return self._add("internals", plate)

    async def dismiss(self, plate: str) -> Fields:
        """The car belongs to staff no more."""
        return self._remove("internals", plate)

    async def ban(self, plate: str, zone: str = "") -> Fields:
        """The plate is blacklisted, for one zone or for all."""
        return self._add("blacklist", plate, zone or None, "by hand")

    async def pardon(self, plate: str, zone: str = "") -> Fields:
        """The plate comes off the blacklist, of one zone or of all."""
        return self._remove("blacklist", plate, zone or None)

    async def exempt(self, plate: str) -> Fields:
        """The plate is always admitted."""
        return self._add("exempt", plate)

    async def lists(self) -> Fields:
        """All lists with their versions."""
        return {"lists": {name: self._registry.snapshot(name) for name in LISTS}}

    # orders

    async def open(self, lane: str, reason: str) -> Fields:
        """Order a lane's controller to open once; answered with the controller's answer."""
        order: Body = {"lane": lane, "reason": reason}
        return await self._orders.give(self._controller_of(lane), "open", order)

    async def order(self, verb: str, fields: str) -> Fields:
        """Any order of the protocol, `order recount zone=hall count=7 reason="by hand"`. It goes to
        the controller of its lane, or of `controller=`, or to the only one there is; answered with
        the controller's answer.
        """
        order = fields_of(fields)
        controller = order.pop("controller", None) or self._controller_of(order.get("lane"))
        return await self._orders.give(str(controller), verb, order)

    async def order_raw(self, order: str) -> Fields:
        """Send an order as it stands, to replay one: {"controller": ..., "verb": ..., and the
        rest is its body}.
        """
        body = json.loads(order)
        if not isinstance(body, dict) or not {"controller", "verb"} <= body.keys():
            raise CommandError("an object with controller and verb")
        return await self._orders.send(str(body.pop("controller")), str(body.pop("verb")), body)

    # what is known

    async def events(self) -> Fields:
        """How many events of each journal are here, how far without a gap, duplicates seen, and
        sha256 over the ids in order, one after the other.
        """
        self._intake.commit()
        return self._journals.told()

    async def status(self) -> Fields:
        """Who is online."""
        controllers = {
            name: {"state": known.state, "since": known.since, "lanes": sorted(known.lanes)}
            for name, known in self._controllers.items()
        }
        return {"broker": self._link.connected, "controllers": controllers}

    def _add(self, name: str, plate: str, zone: str | None = None, note: str = "") -> Fields:
        return self._published(name, self._registry.add(name, plate.upper(), zone, note))

    def _remove(self, name: str, plate: str, zone: str | None = None) -> Fields:
        return self._published(name, self._registry.remove(name, plate.upper(), zone))

    def _published(self, name: str, change: Body | None) -> Fields:
        if change is not None:
            self._link.publish(f"{self._root}/registry/{name}/changes", change)
        version = self._registry.version(name)
        return {"list": name, "version": version, "changed": change is not None}

    def _controller_of(self, lane: object) -> str:
        owners = [name for name, known in self._controllers.items() if lane in known.lanes]
        if not owners and len(self._controllers) == 1:
            owners = list(self._controllers)
        if len(owners) != 1:
            raise CommandError(f"no controller has told of a lane {lane}: name a controller=")
        return owners[0]

    # what arrives

    def _turned(self, connected: bool, detail: str) -> None:
        say("broker", connected=connected, detail=detail)

    def _hear(self, message: Message) -> None:
        controller, *what = message.topic.removeprefix(f"{self._root}/").split("/")
        takers: dict[str, Callable[[str, Message, dict[str, Any]], None]] = {
            "status": self._hear_status,
            "health": self._hear_health,
            "events": self._hear_event,
            "registry": self._hear_wanted,
            "answers": self._hear_answer,
        }
        try:
            body = json.loads(message.payload)
            if not isinstance(body, dict):
                raise ValueError("is no JSON object")
            takers[what[0]](controller, message, body)
        except (ValueError, TypeError, KeyError) as error:
            say("malformed", topic=message.topic, detail=f"{type(error).__name__}: {error}")
        else:
            if what[0] == "events":
                return  # the broker is told when it is committed
        self._link.taken(message)

    def _known(self, controller: str) -> Controller:
        return self._controllers.setdefault(controller, Controller())

    def _hear_status(self, controller: str, _: Message, body: dict[str, Any]) -> None:
        known = self._known(controller)
        known.state, known.since = str(body["state"]), body.get("since")
        told = {name: body.get(name) for name in ("state", "since", "version")}
        say("status", controller=controller, **told)

    def _hear_health(self, controller: str, _: Message, body: dict[str, Any]) -> None:
        self._known(controller).lanes |= set(body["lanes"])
        for have in body.get("list_versions", ()):
            self._take_back(have["list"], have["version"])
        if "asked" in body:
            self._intake.commit()
            upto = self._journals.complete(body["journal"])
            self._confirm(controller, body["journal"], upto, asked=body["asked"])
        say("health", controller=controller, body=body)

    def _hear_wanted(self, controller: str, message: Message, body: dict[str, Any]) -> None:
        name, have = message.topic.split("/")[-2], body["have"]
        say("wanted", controller=controller, list=name, have=have)
        if have is not None and self._take_back(name, have):
            return
        if have != self._registry.version(name):
            self._publish_whole(name)

    def _take_back(self, name: str, have: int) -> bool:
        """Whether a controller holds a list of a life of this centre that is forgotten: ours counts
        then, though its version is lower and however short it is.
        """
        is_ahead = have > self._registry.version(name)
        if is_ahead:
            self._publish_whole(name, reset=True, shrinks=True)
        return is_ahead

    def _publish_whole(self, name: str, **words: bool) -> None:
        body = {**self._registry.snapshot(name), **words}
        self._link.publish(f"{self._root}/registry/{name}/snapshot", body)

    def _hear_answer(self, controller: str, message: Message, body: dict[str, Any]) -> None:
        expected = self._orders.hear(message, body)
        told = {name: body.get(name) for name in ANSWER}
        say("answer", controller=controller, expected=expected, **told)

    def _hear_event(self, controller: str, message: Message, event: dict[str, Any]) -> None:
        new = self._intake.take(controller, message, event)
        if event.get("lane"):
            self._known(controller).lanes.add(event["lane"])
        told = {name: event.get(name) for name in _EVENT}
        say("event" if new else "duplicate", controller=controller, plate=_plate(event), **told)
        if new and isinstance(event.get("body"), dict):
            self._adopt(event.get("kind"), event["body"])

    def _adopt(self, kind: object, entry: dict[str, Any]) -> None:
        """What one gate did to its blacklist, all gates have to know."""
        plate, zone, reason = (entry.get(name) for name in ("plate", "zone", "reason"))
        if plate and kind == "blacklist.added":
            until = str(entry["until"]) if entry.get("until") else None
            change = self._registry.add(
                "blacklist", str(plate).upper(), zone, str(reason or ""), until
            )
            self._published("blacklist", change)
        elif plate and kind in ("blacklist.removed", "blacklist.suspended"):
            # A suspended ban refuses no car until a person, who may ban it again, has looked.
            self._remove("blacklist", str(plate), zone)

    def _confirm(self, controller: str, journal: str, upto: int, **asked: object) -> None:
        name = self._journals.id_of(journal, upto)
        body = {"journal": journal, "seq": upto, "id": name, "at": written(now()), **asked}
        self._link.publish(f"{self._root}/{controller}/confirmations", body)


def _plate(event: dict[str, Any]) -> str | None:
    """The plate an event is about, wherever its kind has it."""
    body = event.get("body")
    decision = body.get("decision") if isinstance(body, dict) else None
    for place in (body, decision):
        if isinstance(place, dict) and place.get("plate"):
            return str(place["plate"])
    return None


def _broker(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise argparse.ArgumentTypeError(f"{text}: must look like 127.0.0.1:1883")
    return host, int(port)


COMMANDS = (
    Command(Centre.bind, "PLATE"),
    Command(Centre.unbind, "PLATE"),
    Command(Centre.internal, "PLATE"),
    Command(Centre.dismiss, "PLATE"),
    Command(Centre.ban, "PLATE [ZONE]"),
    Command(Centre.pardon, "PLATE [ZONE]"),
    Command(Centre.exempt, "PLATE"),
    Command(Centre.open, "LANE REASON..."),
    Command(Centre.order, "VERB FIELD=VALUE..."),
    Command(Centre.order_raw, "JSON"),
    Command(Centre.events),
    Command(Centre.lists),
    Command(Centre.status),
)


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Be the centre until stdin ends."""
    line = parser("centre", "The central server of a site, over MQTT 5.", COMMANDS)
    line.add_argument("--broker", type=_broker, required=True, metavar="HOST:PORT")
    line.add_argument("--site", required=True)
    line.add_argument("--user")
    line.add_argument("--password")
    line.add_argument(
        "--patience", type=float, default=5.0, help="seconds an order is good and awaited"
    )
    line.add_argument("--journal", type=Path, help="SQLite file; without it events are forgotten")
    line.add_argument("--lists", type=Path, help="JSON file; without it lists are forgotten")
    try:
        centre = Centre(line.parse_args(argv))
    except (OSError, ValueError, KeyError, sqlite3.Error) as error:
        line.error(f"journal or lists: {error}")
    run(centre, COMMANDS)


if __name__ == "__main__":
    main(sys.argv[1:])
