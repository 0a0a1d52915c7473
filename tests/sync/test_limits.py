"""Situation 44: the broker says in its CONNACK what it takes, and that is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.model import (
    Alarm,
    Commit,
    HealthReport,
    Pending,
    Record,
    ZoneSummary,
)
from gatekeeper.sync import wire
from gatekeeper.sync.limits import Limits

if TYPE_CHECKING:
    from tests.sync.conftest import Broker, Centre, Gate

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ANYBODY = ("allow_anonymous true", "max_queued_messages 0")
LONG = tuple(f"闽C{number:05}" for number in range(500))


async def _heard_by(broker: Broker, make_centre: Callable[..., Centre], gate: Gate) -> Centre:
    broker.start()
    centre = make_centre(broker.port)
    await centre.open()
    gate.start(broker.port)
    await gate.until(lambda: gate.up)
    return centre


async def _long_event(gate: Gate) -> None:
    fact = ZoneSummary(zone="hall", stays=500, seemed_long=LONG)
    record = Record(fact=fact, at=gate.clock.instant())
    await gate.store.commit(Commit(records=(record,)))


async def test_row_44_an_event_too_large_for_the_broker_goes_without_its_largest_part(
    make_broker: Callable[..., Broker], make_centre: Callable[..., Centre], gate: Gate
) -> None:
    centre = await _heard_by(make_broker("max_packet_size 1500", *ANYBODY), make_centre, gate)

    await gate.happen()
    await _long_event(gate)
    await gate.happen()
    await gate.until(lambda: len(centre.events) == 3)

    assert sorted(event["seq"] for event in centre.events) == [1, 2, 3]
    [cut] = [event for event in centre.events if event["seq"] == 2]
    assert cut["cut"] == ["seemed_long"]
    assert cut["body"] == {"zone": "hall", "stays": 500}
    assert centre.states == ["online"]


async def test_row_44_what_is_too_large_without_any_part_blocks_nothing(
    make_broker: Callable[..., Broker], make_centre: Callable[..., Centre], gate: Gate
) -> None:
    centre = await _heard_by(make_broker("max_packet_size 500", *ANYBODY), make_centre, gate)

    record = Record(
        fact=ZoneSummary(zone="hall", stays=0, seemed_long=()),
        at=gate.clock.instant(),
        lane="x" * 300,
    )
    await gate.store.commit(Commit(records=(record,)))
    await gate.happen()
    topic = f"{gate.topic}/events/zone.summary"
    await gate.until(lambda: gate.health.stands("publish_refused", topic))
    await gate.until(lambda: len(centre.events) == 1)
    assert [event["seq"] for event in centre.events] == [2]


async def test_row_44_of_a_report_too_large_the_peers_still_learn_what_stands(
    make_broker: Callable[..., Broker], make_centre: Callable[..., Centre], gate: Gate
) -> None:
    for number in range(30):
        gate.health.raise_alarm("camera_stale", f"lane-{number}", "no picture for two seconds")
    centre = await _heard_by(make_broker("max_packet_size 700", *ANYBODY), make_centre, gate)
    await gate.until(lambda: centre.heard(f"{gate.topic}/health"))

    report = centre.heard(f"{gate.topic}/health")[0]
    assert report["alarms"] == [{"alarm": "camera_stale"}]
    assert report["seq"] == 7


async def test_row_44_a_broker_that_retains_nothing_is_told_nothing_to_retain(
    make_broker: Callable[..., Broker], make_centre: Callable[..., Centre], gate: Gate
) -> None:
    centre = await _heard_by(make_broker("retain_available false", *ANYBODY), make_centre, gate)

    await gate.happen(3)
    centre.order("o-1")
    await gate.until(lambda: len(centre.events) >= 3 and centre.answers)
    await gate.stop()
    await gate.until(lambda: centre.states == ["online", "offline"])


async def test_row_44_a_broker_with_one_in_flight_gets_one_after_the_other(
    make_broker: Callable[..., Broker], make_centre: Callable[..., Centre], gate: Gate
) -> None:
    broker = make_broker("max_inflight_messages 1", *ANYBODY)
    await gate.happen(50)
    centre = await _heard_by(broker, make_centre, gate)

    centre.order("o-1")
    await gate.until(lambda: len(centre.events) == 51 and centre.answers)
    assert centre.states == ["online"]


async def test_row_44_a_broker_without_qos_1_is_spoken_to_and_heard_at_qos_0(
    make_broker: Callable[..., Broker], make_centre: Callable[..., Centre], gate: Gate
) -> None:
    broker = make_broker("allow_anonymous true", "max_qos 0")
    broker.start()
    centre = make_centre(broker.port)
    await centre.open()
    gate.start(broker.port)
    await gate.until(lambda: gate.up)

    await gate.happen(3)
    centre.say(
        f"{gate.topic}/orders/open",
        centre.body("o-1"),
        response=f"{gate.root}/centre/answers",
        qos=0,
    )
    await gate.until(lambda: len(centre.events) >= 3 and centre.answers)
    assert [order.id for order in gate.orders] == ["o-1"]


# --- what is left out -----------------------------------------------------------------------

PARTS = st.dictionaries(
    st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=8),
    st.text(max_size=60) | st.integers(0, 9) | st.lists(st.integers(0, 9), max_size=30),
    max_size=6,
)


def _event(body: dict[str, Any]) -> Pending:
    return Pending(
        id="e",
        journal="j",
        seq=17,
        kind="zone.summary",
        lane=None,
        passage=None,
        occurred_at=NOON,
        clock_trusted=True,
        body=json.dumps(body, ensure_ascii=False).encode(),
    )


@given(PARTS, st.integers(0, 600))
def test_row_44_an_event_fits_or_has_nothing_left_and_names_what_is_gone(
    body: dict[str, Any], at_most: int
) -> None:
    raw = wire.event("hall", "gate-1", _event(body), NOON, at_most)
    told = json.loads(raw)
    gone = told.get("cut", [])

    assert len(raw) <= at_most or told["body"] == {}
    assert {**told["body"], **{name: body[name] for name in gone}} == body
    assert not set(gone) & set(told["body"])


def test_row_44_the_smaller_parts_stay() -> None:
    body = {"small": 1, "large": "x" * 1000, "middle": "x" * 100}

    told = json.loads(wire.event("hall", "gate-1", _event(body), NOON, 700))
    assert told["cut"] == ["large"]
    assert set(told["body"]) == {"small", "middle"}


@given(st.integers(0, 60), st.integers(200, 3000))
def test_row_44_a_report_fits_and_keeps_what_peers_need(count: int, at_most: int) -> None:
    alarms = tuple(
        Alarm(alarm="camera_stale", subject=f"lane-{n}", detail="dark", since=1.0)
        for n in range(count)
    )
    report = HealthReport(
        at=NOON,
        clock_trusted=True,
        lanes={f"lane-{n}": "idle" for n in range(count)},
        alarms=alarms,
        outbox=0,
        free_disk_mb=1,
        journal="j",
        seq=17,
    )
    raw = wire.health(report, [NOON] * count, asked="q", at_most=at_most)
    told = json.loads(raw)

    assert len(raw) <= max(at_most, 260)
    assert (told["journal"], told["seq"], told["asked"]) == ("j", 17, "q")


def test_row_44_a_broker_that_says_nothing_takes_all_there_is() -> None:
    limits = Limits.told(None)

    assert (limits.in_flight, limits.retains, limits.qos) == (20, True, 1)
    assert limits.room("gatekeeper/v1/hall/gate-1/events/x") > 2**27
