"""Anything at all comes in, on every topic: it is acknowledged, and the next one is served."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import math
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from gatekeeper.errors import WireError
from gatekeeper.model import ListChanges, ListName, Order, OrderAnswer, PeerEvent, PeerHealth
from gatekeeper.sync import peers, registry, wire
from gatekeeper.sync.downlink import Downlink, Listeners
from gatekeeper.sync.message import Message
from gatekeeper.sync.topics import Topics
from gatekeeper.sync.uplink import Uplink

if TYPE_CHECKING:
    from tests.sync.conftest import Gate

ROOT = "gatekeeper/v1/hall"
TOPICS = Topics(site="hall", controller="gate-1", peers=frozenset({"gate-2"}))
NOON = "2026-11-23T12:00:00Z"
ROW = {"plate": "闽C12345", "zone": None, "valid_from": NOON, "valid_until": None, "note": "bound"}
EVENT = {
    "journal": "j",
    "seq": 17,
    "site": "hall",
    "controller": "gate-2",
    "lane": "exit",
    "passage": "p",
    "kind": "passage.ended",
    "occurred_at": NOON,
    "clock_trusted": True,
    "body": {"end": "passed", "plate": "闽C12345", "decided": True, "lasted_s": 3.5},
}
GOOD: dict[str, dict[str, Any]] = {
    f"{ROOT}/gate-1/orders/open": {"id": "o", "by": "Li", "reason": "x", "lane": "inner"},
    f"{ROOT}/gate-1/orders/hold": {"id": "o", "by": "Li", "reason": "x", "minutes": 3},
    f"{ROOT}/gate-1/confirmations": {"journal": "j", "seq": 7, "at": NOON},
    f"{ROOT}/registry/visitors/changes": {
        "list": "visitors",
        "since": 0,
        "version": 1,
        "changes": [{"remove": False, "row": ROW}],
    },
    f"{ROOT}/registry/visitors/snapshot": {"list": "visitors", "version": 1, "rows": [ROW]},
    f"{ROOT}/gate-2/events/passage.ended": EVENT,
    f"{ROOT}/gate-2/health": {"at": NOON, "clock_trusted": True, "journal": "j", "seq": 1},
    f"{ROOT}/gate-2/status": {"state": "offline", "since": NOON},
}
NASTY: tuple[Any, ...] = (
    *(None, True, False, "", "x", "x" * 1001, "\ud800", "\0", "٣", "闽C12345", [], {}, [[]]),
    *(0, -1, 1, 4 * 10**9, 2**31, 2**53, 2**63 - 1, 2**63, -(2**63) - 1, 10**12, 10**400),
    *(0.5, 1e300, -1e300, 1e-300, math.nan, math.inf, -math.inf, 2.0**62),
    *(NOON, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "2026-02-30T00:00:00Z"),
    *("1970-01-01T00:00:00Z", "2999-12-31T23:59:59Z", "2026-11-23T12:00:00", "offline", "visitors"),
    json.loads("[" * 50 + "]" * 50),
    {"plate": {"plate": "x"}},
)


def _messages(seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Good bodies with something wrong in them, most of the time one thing."""
    chance = random.Random(seed)  # noqa: S311 - drawn by a seed
    for _ in range(count):
        topic = chance.choice(sorted(GOOD))
        body = json.loads(json.dumps({"expires_at": "2999-01-01T00:00:00Z", **GOOD[topic]}))
        for _ in range(chance.choice((0, 1, 1, 1, 2, 5))):
            _spoil(body, chance)
        raw = json.dumps(body).encode()
        if chance.random() < 0.2:
            raw = _broken(raw, chance)
        if chance.random() < 0.05:
            topic += chance.choice(("/", "/x", "\ud800", "x" * 300))
        yield topic, raw


def _spoil(body: Any, chance: random.Random) -> None:
    place = body
    while isinstance(place, dict | list) and place:
        key = chance.choice(sorted(place) if isinstance(place, dict) else range(len(place)))
        deeper = isinstance(place[key], dict | list) and chance.random() < 0.7
        if not deeper:
            if isinstance(place, dict) and chance.random() < 0.1:
                del place[key]
            else:
                place[key] = copy.deepcopy(chance.choice(NASTY))
            return
        place = place[key]


def _broken(raw: bytes, chance: random.Random) -> bytes:
    at, to = sorted(chance.choices(range(len(raw) + 1), k=2))
    return chance.choice((raw[:at], raw[:at] + raw[to:], raw[:at] + b"\xff" + raw[at:], raw * 2))


def _read(topic: str, body: bytes) -> None:
    """As the downlink would, without anything behind it."""
    place = TOPICS.place(topic)
    match topic.split("/")[3:]:
        case ["confirmations"]:
            wire.confirmation(body)
        case ["orders", verb]:
            wire.order(verb, body)
        case [_, "changes"]:
            registry.changes(ListName(place.name), body)
        case [_, "snapshot"]:
            tuple(registry.snapshot(ListName(place.name), body).rows)
        case ["events", kind]:
            peers.event("hall", "gate-2", kind, body)
        case ["health"]:
            peers.health("gate-2", body)


@pytest.mark.parametrize(
    "count", [20_000, pytest.param(1_000_000, marks=pytest.mark.campaign, id="a-million")]
)
def test_no_body_brings_another_error_than_that_it_is_malformed_nor_fills_the_memory(
    count: int,
) -> None:
    read = 0
    for topic, body in _messages(1, 2000):
        with contextlib.suppress(WireError):
            _read(topic, body)
    before = _resident_mb()
    for topic, body in _messages(2, count):
        with contextlib.suppress(WireError):
            _read(topic, body)
            read += 1

    assert count / 10 < read < count  # some of both kinds
    assert _resident_mb() - before < 30.0


class _Line:
    """A connection that only counts."""

    def __init__(self) -> None:
        self.alive = True
        self.acknowledged: set[int] = set()
        self.twice = 0
        self.replies: list[Any] = []

    def ack(self, message: Message) -> None:
        self.twice += message.mid in self.acknowledged
        self.acknowledged.add(message.mid)

    def fail(self, why: str) -> None:
        raise AssertionError(why)

    async def publish(self, topic: str, body: bytes, *, correlation: bytes | None = None) -> None:
        self.replies.append(json.loads(body))

    async def say(self, topic: str, body: bytes) -> None:
        json.loads(body)


class _Listeners:
    """Who is told, and now and then falls over."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - drawn by a seed

    async def obey(self, order: Order) -> OrderAnswer:
        self._stumble()
        return order.answered("done")

    def changed(self, _step: ListChanges | None) -> None:
        self._stumble()

    async def heard(self, _said: PeerEvent | PeerHealth) -> None:
        self._stumble()

    def _stumble(self) -> None:
        if self._chance.random() < 0.3:
            raise self._chance.choice((OverflowError, KeyError, RecursionError, MemoryError))


@pytest.mark.parametrize(
    "count", [1500, pytest.param(100_000, marks=pytest.mark.campaign, id="a-hundred-thousand")]
)
async def test_whatever_comes_and_who_falls_over_each_message_is_acknowledged_once(
    gate: Gate, count: int
) -> None:
    listeners, line = _Listeners(3), _Line()
    uplink = Uplink(TOPICS, store=gate.store, clock=gate.clock, health=gate.health, pace=gate.pace)
    downlink = Downlink(
        TOPICS,
        uplink,
        store=gate.store,
        book=gate.book,
        clock=gate.clock,
        health=gate.health,
        pace=gate.pace,
        listeners=Listeners(
            obey=listeners.obey,
            changed=listeners.changed,
            heard=listeners.heard,
            time_told=lambda at: listeners.changed(None),
            spoken=lambda run: listeners.changed(None),
        ),
    )
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    gate.write()
    served = asyncio.create_task(downlink.run())
    try:
        for mid, (topic, body) in enumerate(_messages(4, count), start=1):
            downlink.deliver(_message(line, mid, topic, body))
            if mid % 50 == 0:
                await _all_acknowledged(gate, line, mid)
        await _all_acknowledged(gate, line, count)
        assert not served.done()
        assert line.twice == 0
    finally:
        served.cancel()
        await asyncio.gather(served, return_exceptions=True)
        structlog.reset_defaults()


async def _all_acknowledged(gate: Gate, line: _Line, mid: int) -> None:
    await gate.until(lambda: len(line.acknowledged) == mid)


def _message(line: _Line, mid: int, topic: str, body: bytes) -> Message:
    return Message(
        topic=topic,
        body=body,
        response_topic=f"{ROOT}/centre/answers",
        correlation=None,
        connection=line,
        mid=mid,
        came_at=asyncio.get_running_loop().time(),
        good_for_s=None,
        may_have_waited=False,
    )


def _resident_mb() -> float:
    with open("/proc/self/statm", encoding="ascii") as told:
        return int(told.read().split()[1]) * 4096 / 2**20
