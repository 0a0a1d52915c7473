"""Situation 42: whatever a message holds, it is answered or told, and the next one is served."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from gatekeeper.errors import WireError
from gatekeeper.model import ListChanges, ListName, Order, OrderAnswer, PeerEvent, PeerHealth
from gatekeeper.sync import fields, peers, registry, wire

if TYPE_CHECKING:
    from tests.sync.conftest import Broker, Centre, Gate

PEER = "gatekeeper/v1/hall/gate-2"
PLATE = "闽C12345"
NESTED = json.loads("[" * 40 + "]" * 40)


async def _up(broker: Broker, gate: Gate) -> None:
    gate.start(broker.port, peers=("gate-2",))
    await gate.until(lambda: gate.up)


# --- orders ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("minutes", 10**12),
        ("minutes", 4 * 10**9),
        ("minutes", 10**400),
        ("minutes", math.nan),
        ("minutes", "30"),
        ("vehicles", 2**63),
        ("vehicles", 1e300),
        ("count", 2**63 - 1),
        ("count", -math.inf),
        ("reason", "x" * 1001),
        ("reason", "\ud800"),
        ("by", None),
        ("lane", "x" * 129),
        ("plate", "\udfff"),
        ("until", "9999-12-31T23:59:59Z"),
        ("until", "1969-12-31T23:59:59Z"),
        ("expires_at", "9999-12-31T23:59:59-23:59"),
        ("expires_at", "0001-01-01T00:00:00Z"),
        ("at", 0),
        ("on", 1),
    ],
)
async def test_row_42_an_absurd_order_is_answered_refused_with_the_name_of_the_field(
    broker: Broker, centre: Centre, gate: Gate, field: str, value: object
) -> None:
    await _up(broker, gate)

    centre.order("bad", "hold", **{field: value})
    centre.order("good")
    await gate.until(lambda: len(centre.answers) == 2)

    answers = {answer["order"]: answer for answer in centre.answers}
    assert answers["bad"]["outcome"] == "refused"
    assert answers["bad"]["detail"].startswith(f"{field}: ")
    assert [order.id for order in gate.orders] == ["good"]
    refused = await gate.store.answer_of("bad")
    assert refused is not None
    assert refused.detail == answers["bad"]["detail"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "is not JSON"),
        (b"\xff", "is not JSON in UTF-8"),
        (b"[" * 5000 + b"]" * 5000, "is nested too deeply"),
        (json.dumps({"id": "x", "deep": NESTED}).encode(), "is nested too deeply"),
        (b" " * (fields.BODY_BYTES + 1), "is longer than"),
        (json.dumps({"id": 17}).encode(), "id: "),
        (json.dumps({"id": "\ud800"}).encode(), "id: "),
        (json.dumps([]).encode(), "body: "),
    ],
)
async def test_row_42_what_has_no_id_is_answered_all_the_same_where_it_asks_for_that(
    broker: Broker, centre: Centre, gate: Gate, body: bytes, why: str
) -> None:
    await _up(broker, gate)

    centre.say(f"{gate.topic}/orders/open", body, response=f"{gate.root}/centre/answers")
    await gate.until(lambda: centre.answers)

    [answer] = centre.answers
    assert (answer["order"], answer["outcome"]) == ("", "refused")
    assert answer["detail"].startswith(why)


def test_row_42_a_number_of_ten_thousand_digits_is_refused_by_its_name() -> None:
    said = '{"id":"o","by":"x","reason":"x","expires_at":"2026-11-23T12:00:00Z","minutes":'

    with pytest.raises(wire.NoOrderError, match=r"^minutes: ") as refused:
        wire.order("hold", f"{said}{'9' * 10_000}}}".encode())
    assert refused.value.order.id == "o"


async def test_row_42_a_verb_without_end_is_refused(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    await _up(broker, gate)

    centre.order("o-1", "x" * 5000)
    await gate.until(lambda: centre.answers)

    assert centre.answers[0]["detail"].startswith("verb: ")


# --- what nothing foresaw -------------------------------------------------------------------


async def test_row_42_an_error_that_nothing_foresaw_is_an_answer_and_an_alarm_and_it_goes_on(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    async def fail(order: Order) -> OrderAnswer:
        if order.id == "bad":
            raise OverflowError("date value out of range")
        return order.answered("done")

    gate.obey = fail
    await _up(broker, gate)
    with capture_logs() as logs:
        centre.order("bad")
        await gate.until(lambda: centre.answers)
    assert "OverflowError" in str(gate.alarm("message_failed"))
    assert [log["exc_info"] for log in logs if log["event"] == "downlink.unforeseen"]

    centre.order("good")
    await gate.until(lambda: len(centre.answers) == 2)
    first, second = centre.answers
    assert (first["outcome"], second["outcome"]) == ("unknown", "done")
    assert "OverflowError" in first["detail"]
    assert gate.alarm("message_failed") is None
    assert centre.states == ["online"]


async def test_row_42_a_listener_that_fails_loses_that_one_message_and_no_other(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    heard: list[PeerEvent | PeerHealth] = []

    async def hear(said: PeerEvent | PeerHealth) -> None:
        if said.seq == 1:
            raise ZeroDivisionError
        heard.append(said)

    def changed(step: ListChanges | None) -> None:
        raise RuntimeError(f"no listener for {step}")

    gate.heard = hear
    gate.changed = changed
    await _up(broker, gate)
    at = "2026-11-23T12:00:00Z"
    for seq in (1, 2):
        body = {"at": at, "clock_trusted": True, "journal": "j", "seq": seq}
        centre.say(f"{PEER}/health", body)
    for version in (1, 2):
        centre.say(
            f"{gate.root}/registry/visitors/snapshot",
            {"list": "visitors", "version": version, "rows": [{"plate": PLATE}]},
        )
    await gate.until(lambda: heard)
    await gate.until(lambda: gate.alarm("message_failed"))
    while await gate.plates(PLATE) != [(ListName.VISITORS, 2)]:  # noqa: ASYNC110 - it sets no event
        await asyncio.sleep(0.005)

    assert [said.seq for said in heard] == [2]
    assert centre.states == ["online"]


# --- bounds ---------------------------------------------------------------------------------

ORDERS = st.fixed_dictionaries(
    {},
    optional={
        "until": st.datetimes(timezones=st.just(UTC)).map(lambda at: at.isoformat()),
        "at": st.datetimes(timezones=st.just(UTC)).map(lambda at: at.isoformat()),
        "expires_at": st.datetimes(timezones=st.just(UTC)).map(lambda at: at.isoformat()),
        "minutes": st.integers(),
        "vehicles": st.integers(),
        "count": st.integers(),
    },
)


def _read(body: dict[str, object]) -> Order | None:
    with contextlib.suppress(wire.NoOrderError):
        return wire.order("hold", json.dumps(body).encode())
    return None


@given(ORDERS)
def test_row_42_with_whatever_an_order_says_can_be_reckoned_in_any_time_zone(
    said: dict[str, object],
) -> None:
    expires = "2026-11-23T12:00:00Z"
    body = {"id": "o", "by": "x", "reason": "x", "expires_at": expires, **said}
    order = _read(body)
    if order is None:
        return
    for moment in (order.until, order.at, order.expires_at):
        if moment is not None:
            later = moment + timedelta(minutes=order.minutes or 0)
            assert later.astimezone(ZoneInfo("Asia/Shanghai")).isoformat()


FAR = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
@example(*FAR)
def test_row_42_a_row_may_count_for_ever_and_can_be_shown_in_any_time_zone(
    begins: datetime, ends: datetime
) -> None:
    row = {"plate": PLATE, "valid_from": begins.isoformat(), "valid_until": ends.isoformat()}
    body = json.dumps({"list": "visitors", "version": 1, "rows": [row]}).encode()
    [read] = registry.snapshot(ListName.VISITORS, body).rows

    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert read.valid_at(now) == (begins <= now < ends)
    for moment in (read.valid_from, read.valid_until):
        assert moment is not None
        assert moment.astimezone(ZoneInfo("Asia/Shanghai")).isoformat()


@pytest.mark.parametrize("lasted_s", [1e300, -1e300, 2**62, 1e10])
def test_row_42_a_peers_number_that_can_be_taken_from_no_time_is_no_fact(
    lasted_s: float,
) -> None:
    body: dict[str, Any] = {"end": "passed", "plate": None, "decided": True, "lasted_s": lasted_s}
    event = {
        "journal": "j",
        "seq": 17,
        "site": "hall",
        "controller": "gate-2",
        "lane": None,
        "passage": None,
        "kind": "passage.ended",
        "occurred_at": "2026-11-23T12:00:00Z",
        "clock_trusted": True,
        "body": body,
    }
    read = peers.event("hall", "gate-2", "passage.ended", json.dumps(event).encode())
    assert (read.seq, read.fact) == (17, None)

    event["body"] = {**body, "lasted_s": 30.0}
    read = peers.event("hall", "gate-2", "passage.ended", json.dumps(event).encode())
    assert read.fact is not None


@pytest.mark.parametrize("seq", [1e300, math.nan, math.inf, 2**63, 10**400])
def test_row_42_a_peers_health_with_a_number_that_is_none_is_refused(seq: float) -> None:
    body = {"at": "2026-11-23T12:00:00Z", "clock_trusted": True, "journal": "j", "seq": seq}

    with pytest.raises(WireError, match=r"^seq: "):
        peers.health("gate-2", json.dumps(body).encode())


def test_row_42_a_peer_with_more_alarms_than_devices_is_refused() -> None:
    alarms = [{"alarm": "x"}] * (peers.ALARMS + 1)
    body = {
        "at": "2026-11-23T12:00:00Z",
        "clock_trusted": True,
        "journal": "j",
        "seq": 1,
        "alarms": alarms,
    }

    with pytest.raises(WireError, match=r"^alarms: "):
        peers.health("gate-2", json.dumps(body).encode())
