"""Situation 43: however much waits at the broker, or comes at once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from gatekeeper.errors import StoreError
from gatekeeper.model import Instant, ListChanges
from gatekeeper.store import Store
from gatekeeper.sync.inbox import BYTES, LATE, MESSAGES, Inbox, Item
from gatekeeper.sync.message import Message
from gatekeeper.sync.pahothread import HEARD
from gatekeeper.sync.topics import Heard, Place

if TYPE_CHECKING:
    from tests.sync.conftest import Broker, Centre, Gate

PEER = "gatekeeper/v1/hall/gate-2"
LONG_AGO = "2026-11-01T00:00:00Z"


@pytest.fixture
def bulk(make_broker: Callable[..., Broker]) -> Broker:
    """A broker that does not write its database after each message."""
    made = make_broker("allow_anonymous true", "max_queued_messages 0", "autosave_on_changes false")
    made.start()
    return made


async def _was_there(broker: Broker, gate: Gate) -> None:
    """The broker keeps for the gate what comes while it is away."""
    gate.start(broker.port, peers=("gate-2",))
    await gate.until(lambda: gate.up)
    await gate.stop()


def _event(seq: int) -> dict[str, Any]:
    return {
        "journal": "j",
        "seq": seq,
        "site": "hall",
        "controller": "gate-2",
        "lane": None,
        "passage": None,
        "kind": "vehicle.arrived",
        "occurred_at": LONG_AGO,
        "clock_trusted": True,
        "body": {},
    }


def _changes(version: int) -> dict[str, Any]:
    rows = [{"remove": False, "row": {"plate": f"闽C{version:05}"}}]
    return {"list": "visitors", "since": version - 1, "version": version, "changes": rows}


@pytest.mark.parametrize(
    "many", [1500, pytest.param(10_000, marks=pytest.mark.campaign, id="ten-thousand")]
)
async def test_row_43_orders_that_waited_are_each_answered_and_keep_no_fresh_one_waiting(
    bulk: Broker, make_centre: Callable[..., Centre], gate: Gate, many: int
) -> None:
    centre = make_centre(bulk.port)
    await centre.open()
    await _was_there(bulk, gate)
    answers = f"{gate.root}/centre/answers"
    for number in range(many):
        old = centre.body(f"old-{number}", expires_at=LONG_AGO)
        centre.say(f"{gate.topic}/orders/open", old, response=answers)
    await gate.until(lambda: centre.sent)

    gate.start(bulk.port)
    centre.order("fresh")
    await gate.until(lambda: gate.orders, within_s=120.0)
    before = centre.count(answers)
    await gate.until(lambda: centre.count(answers) > many, within_s=300.0)

    assert before < many / 2
    told = {answer["order"]: answer["outcome"] for answer in centre.answers}
    assert told == {**{f"old-{number}": "refused" for number in range(many)}, "fresh": "done"}
    assert [order.id for order in gate.orders] == ["fresh"]
    assert centre.states == ["online", "offline", "online"]


@pytest.mark.parametrize(
    "many", [3000, pytest.param(10_000, marks=pytest.mark.campaign, id="ten-thousand")]
)
async def test_row_43_events_of_a_peer_that_waited_are_told_in_order_by_one_connection(
    bulk: Broker, make_centre: Callable[..., Centre], gate: Gate, many: int
) -> None:
    centre = make_centre(bulk.port)
    await centre.open()
    await _was_there(bulk, gate)
    for seq in range(1, many + 1):
        centre.say(f"{PEER}/events/vehicle.arrived", _event(seq))
    await gate.until(lambda: centre.sent)

    gate.start(bulk.port, peers=("gate-2",))
    await gate.until(lambda: len(gate.peer_events) >= many, within_s=120.0)

    assert [said.seq for said in gate.peer_events] == list(range(1, many + 1))
    await gate.until(lambda: centre.states == ["online", "offline", "online"])


async def test_row_43_changes_that_cannot_be_stored_keep_no_order_waiting(
    bulk: Broker,
    make_centre: Callable[..., Centre],
    make_gate: Callable[..., Awaitable[Gate]],
) -> None:
    centre = make_centre(bulk.port)
    await centre.open()
    gate = await make_gate(_Stuck)
    gate.start(bulk.port)
    await gate.until(lambda: gate.up)
    for version in range(1, 3 * HEARD):
        centre.say(f"{gate.root}/registry/visitors/changes", _changes(version))
    await gate.until(lambda: centre.sent)

    centre.order("o-1")
    await gate.until(lambda: centre.answers)
    assert [order.id for order in gate.orders] == ["o-1"]


class _Stuck(Store):
    """A real store that takes no lists."""

    async def follow(self, changes: ListChanges, at: Instant) -> bool:
        raise StoreError(f"gate.db: the disk is full ({changes.version}, {at.wall})")


class Talking:
    """A broker of bytes that says something all the time, and answers what it is told late."""

    def __init__(self, topic: str, answers_after_s: float) -> None:
        self._topic, self._answers_after_s = topic.encode(), answers_after_s
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        loop = asyncio.get_running_loop()
        talk = asyncio.create_task(self._talk(writer))
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readexactly(1))[0]
                length = await _length(reader)
                body = await reader.readexactly(length)
                if head >> 4 == 1:
                    writer.write(b"\x20\x03\0\0\0")
                elif head >> 4 == 8:
                    granted = bytes(1 for _ in range(body.count(b"gatekeeper/")))
                    writer.write(bytes((0x90, 3 + len(granted))) + body[:2] + b"\0" + granted)
                elif head >> 4 == 12:
                    writer.write(b"\xd0\0")
                elif head >> 4 == 3:
                    behind = 2 + int.from_bytes(body[:2], "big")
                    loop.call_later(
                        self._answers_after_s, writer.write, b"\x40\x02" + body[behind : behind + 2]
                    )
        talk.cancel()
        writer.close()

    async def _talk(self, writer: asyncio.StreamWriter) -> None:
        rest = len(self._topic).to_bytes(2, "big") + self._topic + b"\0\x01\0{}"
        while True:
            await asyncio.sleep(0.05)
            writer.write(bytes((0x32, len(rest))) + rest)


async def _length(reader: asyncio.StreamReader) -> int:
    length = place = 0
    while True:
        (byte,) = await reader.readexactly(1)
        length |= (byte & 0x7F) << place
        place += 7
        if byte < 0x80:
            return length


async def test_row_43_an_answer_that_is_behind_a_flood_is_waited_for(gate: Gate) -> None:
    talking = Talking(f"{gate.topic}/confirmations", answers_after_s=2.0)
    async with await asyncio.start_server(talking.serve, "127.0.0.1", 0) as server:
        gate.start(server.sockets[0].getsockname()[1], replace(gate.pace, answer_s=1.0))
        await gate.until(lambda: gate.up)
        await gate.stop()
    assert talking.connections == 1


async def test_a_broker_that_talks_and_never_answers_is_given_up(gate: Gate) -> None:
    talking = Talking(f"{gate.topic}/confirmations", answers_after_s=3600.0)
    async with await asyncio.start_server(talking.serve, "127.0.0.1", 0) as server:
        gate.start(server.sockets[0].getsockname()[1], replace(gate.pace, answer_s=0.2))
        await gate.until(lambda: talking.connections >= 2)
        await gate.stop()


# --- the inbox ------------------------------------------------------------------------------


class Line:
    """A connection, as far as an inbox goes."""

    def __init__(self) -> None:
        self.alive = True
        self.acknowledged: list[Message] = []
        self.why = ""

    def ack(self, message: Message) -> None:
        self.acknowledged.append(message)

    def fail(self, why: str) -> None:
        self.alive, self.why = False, why

    async def publish(self, topic: str, body: bytes, *, correlation: bytes | None = None) -> None:
        raise NotImplementedError

    async def say(self, topic: str, body: bytes) -> None:
        raise NotImplementedError


def _item(line: Line, size: int = 10) -> Item:
    message = Message(
        topic="t",
        body=bytes(size),
        response_topic=None,
        correlation=None,
        connection=line,
        mid=1,
        came_at=0.0,
        good_for_s=None,
        may_have_waited=False,
    )
    return Item(place=Place(heard=Heard.CHANGES, name="visitors"), message=message)


async def test_of_what_may_be_lost_the_oldest_is_acknowledged_early_and_once() -> None:
    line, inbox = Line(), Inbox(may_lose=True)
    items = [_item(line) for _ in range(LATE + 2)]
    assert all(inbox.put(item) for item in items)

    assert line.acknowledged == [item.message for item in items[:2]]
    for item in items:
        assert await inbox.get() is item
        item.acknowledge()
    assert len(line.acknowledged) == len(items)


async def test_an_order_is_never_acknowledged_early() -> None:
    line, inbox = Line(), Inbox(may_lose=False)
    for _ in range(LATE + 2):
        inbox.put(_item(line))

    assert line.acknowledged == []


async def test_what_was_acknowledged_early_outlives_its_connection_the_rest_comes_again() -> None:
    line, inbox = Line(), Inbox(may_lose=True)
    for _ in range(LATE + 1):
        inbox.put(_item(line))
    line.alive = False

    wanted = [(await inbox.get()).wanted for _ in range(LATE + 1)]
    assert wanted == [True, *[False] * LATE]


async def test_an_inbox_takes_so_many_messages_and_bytes_and_one_of_any_size() -> None:
    line, inbox = Line(), Inbox(may_lose=False)
    assert all(inbox.put(_item(line, 0)) for _ in range(MESSAGES))
    assert not inbox.put(_item(line, 0))

    inbox = Inbox(may_lose=False)
    assert inbox.put(_item(line, 2 * BYTES))
    assert not inbox.put(_item(line, 1))
    await inbox.get()
    assert inbox.put(_item(line, BYTES))
