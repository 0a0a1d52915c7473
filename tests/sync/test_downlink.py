from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from gatekeeper.errors import BoardError, StoreError
from gatekeeper.model import (
    Commit,
    Event,
    Instant,
    ListChanges,
    ListName,
    Order,
    OrderAnswer,
)
from gatekeeper.store import Store

if TYPE_CHECKING:
    from tests.sync.conftest import Broker, Cable, Centre, Gate

EXPIRED = "2026-11-01T00:00:00Z"
PLATE = "闽C12345"


def _changes(since: int, version: int, *plates: str) -> dict[str, Any]:
    rows = [{"remove": False, "row": {"plate": plate}} for plate in plates]
    return {"list": "visitors", "since": since, "version": version, "changes": rows}


async def _up(broker: Broker, gate: Gate) -> None:
    gate.start(broker.port)
    await gate.until(lambda: gate.up)


# --- lists ----------------------------------------------------------------------------------


async def test_at_each_connection_every_list_is_asked_for_with_the_version_held(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    wanted = {name: f"{gate.topic}/registry/{name}/wanted" for name in ListName}
    await _up(broker, gate)
    await gate.until(lambda: all(centre.heard(topic) for topic in wanted.values()))
    centre.say(f"{gate.root}/registry/visitors/changes", _changes(0, 3, PLATE))
    await gate.until(lambda: gate.changes)
    await gate.stop()

    gate.start(broker.port)
    await gate.until(lambda: all(len(centre.heard(topic)) == 2 for topic in wanted.values()))
    assert centre.heard(wanted[ListName.VISITORS]) == [{"have": None}, {"have": 3}]
    assert centre.heard(wanted[ListName.BLACKLIST]) == [{"have": None}, {"have": None}]


async def test_lists_are_asked_for_again_and_again_in_case_no_one_heard(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    gate.start(broker.port, replace(gate.pace, ask_all_s=0.05))
    wanted = f"{gate.topic}/registry/visitors/wanted"
    await gate.until(lambda: len(centre.heard(wanted)) >= 3)
    centre.say(f"{gate.root}/registry/visitors/changes", _changes(0, 3, PLATE))
    await gate.until(lambda: {"have": 3} in centre.heard(wanted))


async def test_a_change_is_applied_and_waiting_lanes_are_told(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    await _up(broker, gate)

    centre.say(f"{gate.root}/registry/visitors/changes", _changes(0, 1, "闽C·12345"))
    await gate.until(lambda: gate.changes == 1)

    assert await gate.plates(PLATE) == [(ListName.VISITORS, 1)]


async def test_who_is_told_of_a_change_is_told_which_and_of_a_whole_list_only_that_it_came(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    await _up(broker, gate)

    centre.say(f"{gate.root}/registry/visitors/changes", _changes(0, 1, PLATE))
    whole = {"list": "visitors", "version": 2, "rows": [{"plate": PLATE}]}
    centre.say(f"{gate.root}/registry/visitors/snapshot", whole)
    await gate.until(lambda: gate.changes == 2)

    step, nothing = gate.steps
    assert step is not None
    assert (step.list, step.version) == (ListName.VISITORS, 1)
    assert [change.row.plate for change in step.changes] == [PLATE]
    assert nothing is None


async def test_a_gap_asks_for_a_snapshot_and_changes_nothing_until_it_comes(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    await _up(broker, gate)
    wanted = f"{gate.topic}/registry/visitors/wanted"
    await gate.until(lambda: centre.heard(wanted))

    centre.say(f"{gate.root}/registry/visitors/changes", _changes(7, 8, PLATE))
    await gate.until(lambda: len(centre.heard(wanted)) == 2)
    assert await gate.plates(PLATE) == []
    assert gate.changes == 0

    rows = [{"plate": PLATE}, {"plate": "闽CD12345"}]
    body = {"list": "visitors", "version": 8, "rows": rows}
    centre.say(f"{gate.root}/registry/visitors/snapshot", body)
    await gate.until(lambda: gate.changes == 1)
    assert await gate.plates(PLATE) == [(ListName.VISITORS, 8)]


async def test_many_changes_after_a_gap_ask_once_and_again_if_the_snapshot_is_too_old(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    await _up(broker, gate)
    wanted = f"{gate.topic}/registry/visitors/wanted"
    await gate.until(lambda: centre.heard(wanted))

    for version in range(8, 13):
        centre.say(f"{gate.root}/registry/visitors/changes", _changes(version - 1, version, PLATE))
    centre.say(
        f"{gate.root}/registry/visitors/snapshot", {"list": "visitors", "version": 9, "rows": []}
    )
    await gate.until(lambda: len(centre.heard(wanted)) == 3)

    assert centre.heard(wanted) == [{"have": None}, {"have": None}, {"have": 9}]


async def test_an_old_snapshot_changes_nothing(broker: Broker, centre: Centre, gate: Gate) -> None:
    await _up(broker, gate)
    topic = f"{gate.root}/registry/visitors/snapshot"
    centre.say(topic, {"list": "visitors", "version": 8, "rows": [{"plate": PLATE}]})
    centre.say(topic, {"list": "visitors", "version": 7, "rows": []})
    centre.say(f"{gate.root}/registry/visitors/changes", _changes(8, 9))
    await gate.until(lambda: gate.changes == 2)

    assert await gate.plates(PLATE) == [(ListName.VISITORS, 8)]


async def test_a_long_list_is_read_beside_the_loop_and_applied_whole(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    await _up(broker, gate)
    rows = [{"plate": f"闽C{number:05}"} for number in range(5000)]

    body = {"list": "internals", "version": 1, "rows": rows}
    centre.say(f"{gate.root}/registry/internals/snapshot", body)
    await gate.until(lambda: gate.changes == 1)

    assert await gate.plates("闽C04999") == [(ListName.INTERNALS, 1)]


async def test_a_malformed_list_is_an_alarm_until_a_good_one_comes(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    await _up(broker, gate)
    topic = f"{gate.root}/registry/visitors/snapshot"

    centre.say(topic, {"list": "visitors", "version": 1})
    await gate.until(lambda: gate.alarm("registry_malformed"))
    assert gate.alarm("registry_malformed") == "visitors: rows: should be there once"

    centre.say(topic, {"list": "visitors", "version": 1, "rows": []})
    await gate.until(lambda: gate.alarm("registry_malformed") is None)


# --- orders ---------------------------------------------------------------------------------


async def test_an_order_delivered_twice_moves_once_and_is_answered_twice_alike(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    await _up(broker, gate)

    centre.order("o-1")
    centre.order("o-1")
    await gate.until(lambda: len(centre.heard(f"{gate.root}/centre/answers")) == 2)

    [order] = gate.orders
    assert (order.verb, order.lane, order.by) == ("open", "inner-entry", "duty officer")
    answer = {"order": "o-1", "outcome": "done", "detail": "coil 2 written and read back"}
    assert centre.heard(f"{gate.root}/centre/answers") == [answer, answer]
    assert centre.properties(f"{gate.root}/centre/answers", "CorrelationData") == [b"o-1", b"o-1"]


async def test_an_order_has_no_second_effect_after_a_restart(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    await _up(broker, gate)
    centre.order("o-1")
    await gate.until(lambda: centre.heard(f"{gate.root}/centre/answers"))
    await gate.stop()

    centre.order("o-1")
    await _up(broker, gate)
    await gate.until(lambda: len(centre.heard(f"{gate.root}/centre/answers")) == 2)

    assert len(gate.orders) == 1


async def test_the_answer_is_in_the_journal_before_it_is_given(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    await _up(broker, gate)

    centre.order("o-1")
    await gate.until(lambda: centre.heard(f"{gate.root}/centre/answers"))

    assert await gate.store.answer_of("o-1") == OrderAnswer(
        order="o-1", outcome="done", detail="coil 2 written and read back"
    )


@pytest.mark.parametrize(
    ("verb", "fields", "detail"),
    [
        ("open", {"expires_at": EXPIRED}, "expired at 2026-11-01T00:00:00.000000Z"),
        ("explode", {}, "no such order: explode"),
        ("open", {"lane": None}, "open lacks lane"),
        ("identify", {"plate": PLATE}, "identify lacks passage"),
        ("identify", {"passage": "p", "lane": None}, "identify lacks lane, plate"),
        ("recount", {"zone": "hall"}, "recount lacks count"),
        ("blacklist_add", {"plate": PLATE}, "blacklist_add lacks zone"),
        ("blacklist_remove", {"zone": "hall"}, "blacklist_remove lacks plate"),
        ("lockdown", {}, "lockdown lacks on"),
    ],
)
async def test_an_order_that_is_late_unknown_or_aimless_is_refused_and_journalled(
    broker: Broker, centre: Centre, gate: Gate, verb: str, fields: dict[str, object], detail: str
) -> None:
    await _up(broker, gate)

    centre.order("o-1", verb, **fields)
    await gate.until(lambda: centre.heard(f"{gate.root}/centre/answers"))

    refused = {"order": "o-1", "outcome": "refused", "detail": detail}
    assert centre.heard(f"{gate.root}/centre/answers") == [refused]
    assert gate.orders == []
    assert await gate.store.answer_of("o-1") == OrderAnswer(
        order="o-1", outcome="refused", detail=detail
    )


@pytest.mark.parametrize(
    ("verb", "fields"),
    [
        ("identify", {"lane": "inner-entry", "passage": "p", "plate": PLATE}),
        ("recount", {"zone": "hall", "count": 0}),
        ("blacklist_add", {"zone": "hall", "plate": PLATE}),
        ("blacklist_remove", {"plate": PLATE}),
        ("blacklist_remove", {"zone": "hall", "plate": PLATE}),
        ("lockdown", {"on": False}),
    ],
)
async def test_every_verb_reaches_the_controller_with_its_fields(
    broker: Broker, centre: Centre, gate: Gate, verb: str, fields: dict[str, object]
) -> None:
    await _up(broker, gate)

    centre.order("o-1", verb, **{"lane": None, **fields})
    await gate.until(lambda: centre.heard(f"{gate.root}/centre/answers"))

    [order] = gate.orders
    said = {name: getattr(order, name) for name in ("lane", "passage", "zone", "plate", "count")}
    said["on"] = order.on
    assert order.verb == verb
    assert {name: value for name, value in said.items() if value is not None} == fields


async def test_an_order_without_response_topic_is_carried_out_and_journalled(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    await _up(broker, gate)

    body = {
        "id": "o-1",
        "by": "Li",
        "reason": "a test",
        "expires_at": "2999-01-01T00:00:00Z",
        "lane": "inner-entry",
    }
    centre.say(f"{gate.topic}/orders/open", body)
    await gate.until(lambda: centre.heard(f"{gate.topic}/events/order.answered"))

    [event] = centre.heard(f"{gate.topic}/events/order.answered")
    assert len(gate.orders) == 1
    assert event["lane"] == "inner-entry"
    assert event["body"] == {
        "order": "o-1",
        "verb": "open",
        "by": "Li",
        "reason": "a test",
        "outcome": "done",
        "detail": "coil 2 written and read back",
    }


async def test_an_order_whose_device_failed_is_answered_unknown(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    async def fail(_order: Order) -> OrderAnswer:
        raise BoardError("board relays: no answer")

    gate.obey = fail
    await _up(broker, gate)

    centre.order("o-1")
    await gate.until(lambda: centre.heard(f"{gate.root}/centre/answers"))

    unknown = {"order": "o-1", "outcome": "unknown", "detail": "board relays: no answer"}
    assert centre.heard(f"{gate.root}/centre/answers") == [unknown]


async def test_an_order_without_an_end_is_answered_unknown_and_the_next_one_carried_out(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    async def wait_for_ever(order: Order) -> OrderAnswer:
        if order.id == "o-1":
            await asyncio.Event().wait()
        return OrderAnswer(order=order.id, outcome="done", detail="")

    gate.obey = wait_for_ever
    gate.start(broker.port, replace(gate.pace, obey_s=0.1))
    await gate.until(lambda: gate.up)

    centre.order("o-1")
    centre.order("o-2")
    await gate.until(lambda: len(centre.heard(f"{gate.root}/centre/answers")) == 2)

    outcomes = [answer["outcome"] for answer in centre.heard(f"{gate.root}/centre/answers")]
    assert outcomes == ["unknown", "done"]


async def test_an_order_outlives_the_connection_it_came_by(
    cable: Cable, centre: Centre, gate: Gate
) -> None:
    moved = asyncio.Event()

    async def slowly(order: Order) -> OrderAnswer:
        await moved.wait()
        return OrderAnswer(order=order.id, outcome="done", detail="")

    gate.obey = slowly
    gate.start(cable.port)
    await gate.until(lambda: gate.up)
    centre.order("o-1")
    await gate.until(lambda: gate.orders)

    await cable.cut(stay=True)
    await gate.until(lambda: cable.plugged == 2 and gate.up)
    moved.set()
    await gate.until(lambda: centre.heard(f"{gate.root}/centre/answers"))

    assert len(gate.orders) == 1
    assert centre.heard(f"{gate.root}/centre/answers")[0]["outcome"] == "done"


async def test_a_slow_order_delays_no_list(broker: Broker, centre: Centre, gate: Gate) -> None:
    moved = asyncio.Event()

    async def slowly(order: Order) -> OrderAnswer:
        await moved.wait()
        return OrderAnswer(order=order.id, outcome="done", detail="")

    gate.obey = slowly
    await _up(broker, gate)
    centre.order("o-1")
    await gate.until(lambda: gate.orders)

    centre.say(f"{gate.root}/registry/visitors/changes", _changes(0, 1, PLATE))
    await gate.until(lambda: gate.changes == 1)

    moved.set()


@pytest.mark.parametrize("response", ["answers/+", "gatekeeper/#"])
async def test_a_response_topic_no_one_can_publish_to_stops_nothing(
    broker: Broker, centre: Centre, gate: Gate, response: str
) -> None:
    await _up(broker, gate)
    expires = "2999-01-01T00:00:00Z"
    body = {"id": "bad", "by": "x", "reason": "x", "expires_at": expires, "lane": "inner-entry"}

    centre.say(f"{gate.topic}/orders/open", body, response=response)
    centre.order("good")
    await gate.until(lambda: centre.heard(f"{gate.root}/centre/answers"))

    assert [order.id for order in gate.orders] == ["bad", "good"]


# --- the centre's clock ---------------------------------------------------------------------


async def _happens(centre: Centre, gate: Gate, seq: int) -> None:
    """Event `seq` happens, and has reached the centre. The first one after a connection may have
    been there before it, for all that the gate knows.
    """
    await gate.happen()
    await gate.until(lambda: any(event["seq"] == seq for event in centre.events))


async def test_what_the_centres_clock_shows_comes_with_its_confirmations(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    await _up(broker, gate)
    await _happens(centre, gate, 1)
    await _happens(centre, gate, 2)
    await _happens(centre, gate, 3)

    centre.confirm(gate.store.journal, 2)
    centre.confirm(gate.store.journal, 3, at="2026-11-23T16:00:00+08:00")
    await gate.until(lambda: gate.times)

    assert gate.times == [datetime(2026, 11, 23, 8, 0, tzinfo=UTC)]


async def test_a_confirmation_that_may_have_waited_at_the_broker_tells_no_time(
    cable: Cable, centre: Centre, gate: Gate
) -> None:
    gate.start(cable.port)
    await gate.until(lambda: gate.up)
    await _happens(centre, gate, 1)
    await _happens(centre, gate, 2)
    await cable.cut()
    centre.confirm(gate.store.journal, 2, at=EXPIRED)

    await cable.plug()
    while await gate.store.outbox_depth():  # noqa: ASYNC110 - the store sets no event
        await asyncio.sleep(0.005)
    assert gate.times == []

    await _happens(centre, gate, 3)
    await _happens(centre, gate, 4)
    centre.confirm(gate.store.journal, 4, at=EXPIRED)
    await gate.until(lambda: gate.times)


# --- hostile --------------------------------------------------------------------------------


async def test_malformed_messages_are_harmless(broker: Broker, centre: Centre, gate: Gate) -> None:
    await _up(broker, gate)
    bodies = [b"", b"\xff\xfe", b"null", b"[]", b"{}", b"{", b'"text"', b"[" * 9000, b"1" * 9000]
    topics = [
        f"{gate.topic}/confirmations",
        f"{gate.topic}/orders/open",
        f"{gate.topic}/orders/",
        f"{gate.root}/registry/visitors/changes",
        f"{gate.root}/registry/visitors/snapshot",
        f"{gate.root}/registry/nobody/changes",
    ]

    for topic in topics:
        for body in bodies:
            centre.say(topic, body)
    centre.order("good")
    centre.say(f"{gate.root}/registry/visitors/changes", _changes(0, 1, PLATE))
    await gate.until(lambda: gate.changes == 1 and centre.heard(f"{gate.root}/centre/answers"))

    assert [order.id for order in gate.orders] == ["good"]


async def test_an_order_at_qos_0_is_not_carried_out(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    await _up(broker, gate)
    expires = "2999-01-01T00:00:00Z"
    body = {"id": "bad", "by": "x", "reason": "x", "expires_at": expires, "lane": "inner-entry"}

    centre.say(f"{gate.topic}/orders/open", body, qos=0)
    centre.order("good")
    await gate.until(lambda: centre.heard(f"{gate.root}/centre/answers"))

    assert [order.id for order in gate.orders] == ["good"]


# --- a store that fails ---------------------------------------------------------------------


class _Ailing(Store):
    """A real store whose disk fails the first three times that something is asked of it."""

    asked = 0

    async def follow(self, changes: ListChanges, at: Instant) -> bool:
        self._fail()
        return await super().follow(changes, at)

    async def commit(self, commit: Commit) -> tuple[Event, ...]:
        self._fail()
        return await super().commit(commit)

    def _fail(self) -> None:
        self.asked += 1
        if self.asked <= 3:
            raise StoreError("gate.db: the disk is full")


class _Dead(Store):
    """A store that never finds out whether an order was carried out already."""

    async def answer_of(self, order: str) -> OrderAnswer | None:
        raise StoreError(f"gate.db: the device is failing (asked for {order})")


async def test_a_list_change_waits_for_a_store_that_fails(
    broker: Broker, centre: Centre, make_gate: Callable[..., Awaitable[Gate]]
) -> None:
    gate = await make_gate(_Ailing)
    await _up(broker, gate)

    centre.say(f"{gate.root}/registry/visitors/changes", _changes(0, 1, PLATE))
    await gate.until(lambda: gate.changes == 1)

    assert await gate.plates(PLATE) == [(ListName.VISITORS, 1)]


async def test_an_order_whose_answer_cannot_be_journalled_yet_moves_once(
    broker: Broker, centre: Centre, make_gate: Callable[..., Awaitable[Gate]]
) -> None:
    gate = await make_gate(_Ailing)
    await _up(broker, gate)

    centre.order("o-1")
    await gate.until(lambda: centre.heard(f"{gate.root}/centre/answers"))

    assert len(gate.orders) == 1
    assert await gate.store.answer_of("o-1") is not None


async def test_an_order_the_store_could_not_look_up_comes_again_after_a_restart(
    broker: Broker, centre: Centre, make_gate: Callable[..., Awaitable[Gate]]
) -> None:
    dead = await make_gate(_Dead, "gate")
    await _up(broker, dead)
    centre.order("o-1")
    centre.say(f"{dead.root}/registry/visitors/changes", _changes(0, 1, PLATE))
    await dead.until(lambda: dead.changes == 1)
    await dead.stop()
    await dead.store.close()
    assert dead.orders == []

    gate = await make_gate(Store, "gate")
    await _up(broker, gate)
    await gate.until(lambda: centre.heard(f"{gate.root}/centre/answers"))

    assert len(gate.orders) == 1
