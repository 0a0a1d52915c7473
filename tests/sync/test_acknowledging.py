"""What goes over the wire before what: seen from a broker that only watches."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gatekeeper.backoff import Backoff
from gatekeeper.errors import StoreError
from gatekeeper.model import Commit, Event, Order
from gatekeeper.store import Store
from gatekeeper.sync import wire

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from tests.sync.conftest import Broker, Centre, Gate

ORDER_NUMBER = 7


class Watching:
    """A broker of bytes (MQTT 5, 2.1): it says yes to all, gives one order to each that subscribes,
    and notes what it is told in return.
    """

    def __init__(self, topic: str, body: bytes, response: str) -> None:
        self._order = _publish(topic, body, response)
        self.told: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                kind, body = await _packet(reader)
                writer.write(self._answer(kind, body))
        writer.close()

    def _answer(self, kind: int, body: bytes) -> bytes:
        match kind:
            case 1:
                return bytes((0x20, 3, 0, 0, 0))
            case 8:
                granted = bytes(1 for _ in range(body.count(b"gatekeeper/")))
                order, self._order = self._order, b""
                return bytes((0x90, 3 + len(granted))) + body[:2] + b"\0" + granted + order
            case 3:
                length = int.from_bytes(body[:2], "big")
                topic, number = body[2 : 2 + length].decode(), body[2 + length : 4 + length]
                self.told.append(topic)
                return b"\x40\x02" + number
            case 4:
                self.told.append("acknowledged")
            case 12:
                return b"\xd0\0"
        return b""


async def test_an_order_is_acknowledged_before_its_reply_goes_out(
    centre: Centre, gate: Gate
) -> None:
    """A reply that costs the connection would bring the order back for ever."""
    answers = f"{gate.root}/centre/answers"
    watching = Watching(
        f"{gate.topic}/orders/open", json.dumps(centre.body("o-1")).encode(), answers
    )
    async with await asyncio.start_server(watching.serve, "127.0.0.1", 0) as server:
        gate.start(server.sockets[0].getsockname()[1])
        await gate.until(lambda: answers in watching.told)
        await gate.stop()

    told = [what for what in watching.told if what in ("acknowledged", answers)]
    assert told == ["acknowledged", answers]


class _Unwritable(Store):
    """A real store that cannot write for a while."""

    ill = True

    async def commit_all(self, commits: Sequence[Commit]) -> tuple[Event, ...]:
        if self.ill:
            raise StoreError("gate.db: the disk is full")
        return await super().commit_all(commits)


async def test_an_order_is_neither_acknowledged_nor_answered_before_its_answer_is_kept(
    centre: Centre, make_gate: Callable[..., Awaitable[Gate]]
) -> None:
    gate = await make_gate(_Unwritable)
    answers = f"{gate.root}/centre/answers"
    watching = Watching(
        f"{gate.topic}/orders/open", json.dumps(centre.body("o-1")).encode(), answers
    )
    async with await asyncio.start_server(watching.serve, "127.0.0.1", 0) as server:
        gate.start(server.sockets[0].getsockname()[1])
        health = f"{gate.topic}/health"
        await gate.until(lambda: gate.orders and watching.told.count(health) >= 3)
        assert not {"acknowledged", answers} & set(watching.told)

        gate.store.ill = False  # type: ignore[attr-defined] # it is such a store
        await gate.until(lambda: answers in watching.told)
        await gate.stop()
    assert len(gate.orders) == 1


# --- the book -------------------------------------------------------------------------------


def _order(order: str, centre: Centre) -> Order:
    return wire.order("open", json.dumps(centre.body(order)).encode())


async def test_an_answer_is_found_before_it_is_written_and_written_once(
    centre: Centre, gate: Gate
) -> None:
    book = gate.book
    order = _order("o-1", centre)
    answer = order.answered("done", "coil 2")
    assert await book.answer_of("o-1") is None

    book.note(order, answer)
    assert await book.answer_of("o-1") == answer
    assert await gate.store.answer_of("o-1") is None

    gate.write()
    await asyncio.gather(*(book.kept("o-1") for _ in range(5)))
    await book.kept("o-1")
    assert await gate.store.answer_of("o-1") == answer
    assert await gate.store.last_seq() == 1


async def test_an_answer_that_could_not_be_written_is_still_known_and_written_later(
    centre: Centre, make_gate: Callable[..., Awaitable[Gate]]
) -> None:
    gate = await make_gate(_Unwritable)
    gate.write()
    book = gate.book
    orders = [_order(f"o-{number}", centre) for number in range(3)]
    for order in orders:
        book.note(order, order.answered("done"))
    with pytest.raises(StoreError):
        await book.kept("o-1")
    assert await book.answer_of("o-2") == orders[2].answered("done")

    gate.store.ill = False  # type: ignore[attr-defined] # it is such a store
    await gate.until(lambda: gate.journal.behind == 0)
    await book.kept("o-0")
    assert await gate.store.answer_of("o-2") == orders[2].answered("done")
    assert await gate.store.last_seq() == 3


# --- confirmations --------------------------------------------------------------------------


class _Forgetful(Store):
    """A real store whose disk fails the first two times that a confirmation is written."""

    failed = 0

    async def confirm(self, journal: str, seq: int) -> int:
        if self.failed < 2:
            self.failed += 1
            raise StoreError("gate.db: the disk is full")
        return await super().confirm(journal, seq)


async def test_a_confirmation_that_could_not_be_written_is_not_forgotten(
    broker: Broker, centre: Centre, make_gate: Callable[..., Awaitable[Gate]]
) -> None:
    gate = await make_gate(_Forgetful)
    gate.start(broker.port)
    await gate.happen(5)
    await gate.until(lambda: len(centre.events) == 5)

    centre.confirm(gate.store.journal, 5)
    async with asyncio.timeout(30):
        while await gate.store.outbox_depth():  # noqa: ASYNC110 - the store sets no event
            await asyncio.sleep(0.01)


# --- how much is sent -----------------------------------------------------------------------

MOST = 500


@pytest.mark.parametrize("confirmed", [0, 10, 499])
async def test_no_more_of_the_backlog_than_the_broker_holds_is_ever_unconfirmed(
    broker: Broker, centre: Centre, gate: Gate, confirmed: int
) -> None:
    await gate.happen(1200)
    gate.start(broker.port, replace(gate.pace, resend=Backoff(first_s=60.0, last_s=60.0)))
    await gate.until(lambda: len(centre.events) >= MOST)
    if confirmed:
        centre.confirm(gate.store.journal, confirmed)
        await gate.until(lambda: len(centre.events) >= confirmed + MOST)

    await _quiet(centre, gate)
    assert [event["seq"] for event in centre.events] == list(range(1, confirmed + MOST + 1))


async def test_no_more_live_events_than_the_broker_holds_are_ever_unconfirmed(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    gate.start(broker.port, replace(gate.pace, resend=Backoff(first_s=60.0, last_s=60.0)))
    await gate.until(lambda: centre.heard(f"{gate.topic}/health"))
    await gate.happen(700)
    await gate.until(lambda: len(centre.events) >= MOST)
    await _quiet(centre, gate)
    assert [event["seq"] for event in centre.events] == list(range(1, MOST + 1))

    centre.confirm(gate.store.journal, 300)
    await gate.until(lambda: len(centre.events) == 700)


async def test_a_long_outbox_that_was_confirmed_before_leaves_room_for_all_that_comes(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    await gate.happen(900)
    await gate.store.confirm(gate.store.journal, 900)
    await gate.happen(100)
    gate.start(broker.port, replace(gate.pace, resend=Backoff(first_s=60.0, last_s=60.0)))
    await gate.until(lambda: centre.heard(f"{gate.topic}/health"))

    await gate.happen(100)
    await gate.until(lambda: len(centre.events) == 200)


async def _quiet(centre: Centre, gate: Gate) -> None:
    """The report comes four times more, in which more events would have been sent."""
    health = f"{gate.topic}/health"
    told = centre.count(health)
    await gate.until(lambda: centre.count(health) >= told + 4)


def _publish(topic: str, body: bytes, response: str) -> bytes:
    properties = b"\x08" + len(response).to_bytes(2, "big") + response.encode()
    rest = (
        len(topic).to_bytes(2, "big")
        + topic.encode()
        + ORDER_NUMBER.to_bytes(2, "big")
        + bytes((len(properties),))
        + properties
        + body
    )
    return bytes((0x32, len(rest) & 0x7F | 0x80, len(rest) >> 7)) + rest


async def _packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    kind = (await reader.readexactly(1))[0] >> 4
    length = place = 0
    while True:
        (byte,) = await reader.readexactly(1)
        length |= (byte & 0x7F) << place
        place += 7
        if byte < 0x80:
            return kind, await reader.readexactly(length)
