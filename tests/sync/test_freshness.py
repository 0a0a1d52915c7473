"""Situation 41: an order is fresh only by a clock that is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from gatekeeper.sync import client
from gatekeeper.sync.orders import TIMELESS

if TYPE_CHECKING:
    from tests.sync.conftest import Broker, Cable, Centre, Gate

TEN_MINUTES = timedelta(minutes=10)


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the centre's clock


def _ago(seconds: float) -> str:
    return (_now() - timedelta(seconds=seconds)).isoformat()


def _ahead(seconds: float) -> str:
    return _ago(-seconds)


def _power_was_cut(gate: Gate) -> None:
    """A box without a battery clock comes back ten minutes slow, and knows that it may be."""
    gate.clock.trusted, gate.clock.off = False, -TEN_MINUTES


async def _tell_time(centre: Centre, gate: Gate) -> str:
    """The centre answers the newest health report; the question that it asked."""
    health = f"{gate.topic}/health"
    told = centre.count(health)
    await gate.until(lambda: centre.count(health) > told)
    asked = str(centre.heard(health)[-1]["asked"])
    centre.confirm(gate.store.journal, 0, at=_now().isoformat(), asked=asked)
    return asked


async def test_row_41_an_order_waits_until_the_centre_has_told_what_time_it_is(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    _power_was_cut(gate)
    gate.start(broker.port, replace(gate.pace, time_s=30.0))
    await gate.until(lambda: gate.up)

    centre.order("o-1")
    await gate.until(lambda: centre.count(f"{gate.topic}/health") >= 2)
    assert gate.orders == []

    await _tell_time(centre, gate)
    await gate.until(lambda: centre.answers)
    assert [order.id for order in gate.orders] == ["o-1"]


async def test_row_41_where_no_one_tells_the_time_it_is_refused_for_that(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    _power_was_cut(gate)
    gate.start(broker.port, replace(gate.pace, time_s=0.1))
    await gate.until(lambda: gate.up)

    centre.order("o-1", "release", lane=None)
    await gate.until(lambda: centre.answers)

    assert centre.answers == [{"order": "o-1", "outcome": "refused", "detail": TIMELESS}]
    assert gate.orders == []


async def test_row_41_an_order_that_has_expired_by_the_centres_clock_is_not_obeyed_by_a_slow_one(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    _power_was_cut(gate)
    gate.start(broker.port, replace(gate.pace, time_s=30.0))
    await gate.until(lambda: gate.up)
    await _tell_time(centre, gate)

    centre.order("o-1", "hold", at=_ago(70), expires_at=_ago(1))
    await gate.until(lambda: centre.answers)

    [answer] = centre.answers
    assert (answer["outcome"], answer["detail"][:10]) == ("refused", "expired at")
    assert gate.orders == []


async def test_row_41_what_was_told_on_an_earlier_connection_is_not_known_on_this_one(
    cable: Cable, centre: Centre, gate: Gate
) -> None:
    _power_was_cut(gate)
    gate.start(cable.port, replace(gate.pace, time_s=0.1))
    await gate.until(lambda: gate.up)
    asked = await _tell_time(centre, gate)
    await gate.until(lambda: gate.times)
    await cable.cut()

    centre.confirm(gate.store.journal, 0, at=_now().isoformat(), asked=asked)
    await cable.plug()
    await gate.until(lambda: gate.up)
    centre.order("o-1")
    await gate.until(lambda: centre.answers)

    assert centre.answers[0]["detail"] == TIMELESS
    assert len(gate.times) == 1


async def test_row_41_a_moment_that_an_order_names_is_by_the_clock_that_is_known(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    _power_was_cut(gate)
    gate.start(broker.port, replace(gate.pace, time_s=30.0))
    await gate.until(lambda: gate.up)
    await _tell_time(centre, gate)

    centre.order("o-1", "hold", until=_ahead(3600))
    await gate.until(lambda: gate.orders)

    [order] = gate.orders
    assert order.until is not None
    lasts_s = (order.until - gate.clock.instant().wall).total_seconds()
    assert 3500.0 < lasts_s < 3700.0


@pytest.mark.parametrize("age_s", [31.0, 86_400.0])
async def test_row_41_no_open_acts_on_an_order_older_than_thirty_seconds_whatever_its_expiry(
    broker: Broker, centre: Centre, gate: Gate, age_s: float
) -> None:
    gate.start(broker.port)
    await gate.until(lambda: gate.up)

    centre.order("o-1", expires_at=_ahead(3600), at=_ago(age_s))
    centre.order("o-2", "hold", expires_at=_ahead(3600), at=_ago(age_s))
    await gate.until(lambda: len(centre.answers) == 2)

    outcomes = {answer["order"]: answer["outcome"] for answer in centre.answers}
    assert outcomes == {"o-1": "refused", "o-2": "done"}


async def test_row_41_an_open_that_may_have_waited_at_the_broker_has_to_say_when_it_was_given(
    broker: Broker, centre: Centre, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_QUIET_S", 0.3)
    gate.start(broker.port)
    await gate.until(lambda: gate.up)
    await gate.stop()
    centre.order("waited", at=None, expires_at=_ahead(3600))
    centre.order("fresh", expires_at=_ahead(3600))

    gate.start(broker.port)
    await gate.until(lambda: len(centre.answers) == 2)
    assert [order.id for order in gate.orders] == ["fresh"]

    told = centre.count(f"{gate.topic}/health")
    await gate.until(lambda: centre.count(f"{gate.topic}/health") > told + 3)  # a quiet while
    centre.order("later", at=None, expires_at=_ahead(3600))
    await gate.until(lambda: len(centre.answers) == 3)
    assert [order.id for order in gate.orders] == ["fresh", "later"]


@pytest.mark.parametrize(
    ("verb", "expiry_s", "fields", "at_most_s"),
    [
        ("hold", None, {}, 60.0),
        ("hold", 20, {}, 20.0),
        ("open", None, {}, 30.0),
        ("open", 20, {}, 20.0),
        ("open", None, {"at": None}, 30.0),
    ],
)
async def test_row_41_who_carries_it_out_is_told_until_when_by_the_clock_that_never_jumps(
    broker: Broker,
    centre: Centre,
    gate: Gate,
    verb: str,
    expiry_s: int | None,
    fields: dict[str, object],
    at_most_s: float,
) -> None:
    gate.start(broker.port)
    await gate.until(lambda: gate.up)

    body = centre.body("o-1", **fields)
    centre.say(f"{gate.topic}/orders/{verb}", body, expiry_s=expiry_s)
    await gate.until(lambda: gate.orders)

    [order] = gate.orders
    assert order.deadline is not None
    assert at_most_s - 20.0 < order.deadline - gate.clock.boot_s() <= at_most_s
