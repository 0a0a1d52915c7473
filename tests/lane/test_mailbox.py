"""What waits for a lane, and what of it may be lost."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.clock import SystemClock
from gatekeeper.lane.mailbox import EDGES_KEPT, ORDERS_KEPT, ItsTurn, Mailbox, Reconsider
from gatekeeper.lane.visit import Look, Ordered
from gatekeeper.model import Frame, Order, OrderAnswer, Presence, Sensor

ORDER = Order(
    id="o-1",
    verb="open",
    by="guard",
    reason="a delivery",
    expires_at=SystemClock().instant().wall + timedelta(minutes=1),
)


class Box:
    """A mailbox, and what came out of it."""

    def __init__(self) -> None:
        self.overruns = 0
        self.mailbox = Mailbox(SystemClock(), overrun=self._overrun)
        self.at = 0.0

    def _overrun(self) -> None:
        self.overruns += 1

    def sense(self, sensor: Sensor, on: bool) -> Presence:
        self.at += 1.0
        presence = Presence(lane="lane", sensor=sensor, on=on, at=self.at)
        self.mailbox.sense(presence)
        return presence

    def look(self, number: int) -> Look:
        pixels = np.zeros((1, 1, 3), np.uint8)
        frame = Frame(
            camera="lane", number=number, at=self.at, pixels=pixels, encoded=b"", suffix=""
        )
        look = Look(frame=frame, reads=())
        self.mailbox.look(look)
        return look

    def taken(self) -> list[object]:
        """All that waits, in turn."""
        told: list[object] = []
        while (letter := self.mailbox.take()) is not None:
            told.append(letter)
        return told


@pytest.fixture
def box() -> Box:
    return Box()


def test_what_comes_first_is_dealt_with_first(box: Box) -> None:
    came = box.sense(Sensor.ARRIVAL, on=True)
    box.mailbox.reconsider()
    crossed = box.sense(Sensor.SAFETY, on=True)
    box.mailbox.its_turn()
    assert box.taken() == [came, Reconsider(), crossed, ItsTurn()]


def test_that_a_loop_was_free_for_a_moment_is_told_though_it_is_occupied_again(box: Box) -> None:
    """The vehicle that left and the next one came while the lane was busy."""
    box.sense(Sensor.ARRIVAL, on=True)
    box.taken()
    left, came = box.sense(Sensor.ARRIVAL, on=False), box.sense(Sensor.ARRIVAL, on=True)
    assert box.taken() == [left, came]


def test_a_flood_of_reasons_to_decide_again_is_one_and_drops_no_change(box: Box) -> None:
    for _ in range(1000):
        box.mailbox.reconsider()
        box.mailbox.its_turn()
    came = box.sense(Sensor.ARRIVAL, on=True)
    assert box.taken() == [Reconsider(), ItsTurn(), came]
    assert box.overruns == 0


def test_only_the_newest_look_waits_and_it_keeps_the_place_of_the_first(box: Box) -> None:
    for number in range(100):
        newest = box.look(number)
        box.mailbox.reconsider()
    assert box.taken() == [newest, Reconsider()]


def test_that_nothing_is_there_at_first_is_no_news_nor_is_a_level_told_twice(box: Box) -> None:
    box.sense(Sensor.ARRIVAL, on=False)
    came = box.sense(Sensor.ARRIVAL, on=True)
    box.sense(Sensor.ARRIVAL, on=True)
    assert box.taken() == [came]


def test_of_too_many_changes_the_oldest_are_dropped_and_the_last_is_true(box: Box) -> None:
    told = [box.sense(Sensor.SAFETY, on=number % 2 == 0) for number in range(EDGES_KEPT + 5)]
    assert box.overruns == 3
    assert box.taken() == told[-(EDGES_KEPT - 1) :]
    assert box.mailbox.is_on(Sensor.SAFETY)


def test_one_sensor_that_chatters_drops_no_change_of_another(box: Box) -> None:
    came = box.sense(Sensor.ARRIVAL, on=True)
    for number in range(200):
        box.sense(Sensor.SAFETY, on=number % 2 == 0)
    assert box.taken()[0] == came


def test_a_lane_that_begins_again_is_told_what_is_there_as_if_it_came_now(box: Box) -> None:
    box.sense(Sensor.ARRIVAL, on=True)
    box.taken()
    box.sense(Sensor.ARRIVAL, on=False)
    came = box.sense(Sensor.ARRIVAL, on=True)
    box.sense(Sensor.SAFETY, on=True)
    box.sense(Sensor.SAFETY, on=False)
    up = box.sense(Sensor.BOOM_UP, on=True)
    box.mailbox.begin_again()
    assert box.taken() == [up, came]


def test_what_happened_before_a_moment_can_be_taken_before_it_and_nothing_else(box: Box) -> None:
    box.mailbox.reconsider()
    came = box.sense(Sensor.ARRIVAL, on=True)
    assert box.mailbox.take_change(until=came.at - 0.5) is None
    assert box.mailbox.take_change(until=came.at) == came
    assert box.taken() == [Reconsider()]


happenings = st.lists(
    st.one_of(
        st.tuples(st.sampled_from([*Sensor]), st.booleans()),
        st.sampled_from(["look", "reconsider", "its turn", "take"]),
    ),
    max_size=300,
)


@given(happenings)
def test_whatever_comes_in_each_sensor_is_told_in_turn_and_to_its_last_level(
    some: list[tuple[Sensor, bool] | str],
) -> None:
    """Each change differs from the one before, none comes twice or too early, and at the end the
    lane knows of each sensor what it said last.
    """
    box, said, told = Box(), dict[Sensor, list[Presence]](), list[object]()
    for each in some:
        match each:
            case (sensor, on):
                said.setdefault(sensor, []).append(box.sense(sensor, on=on))
            case "look":
                box.look(0)
            case "reconsider":
                box.mailbox.reconsider()
            case "its turn":
                box.mailbox.its_turn()
            case _:
                told.append(box.mailbox.take())
        assert len(box.mailbox) <= len(Sensor) * EDGES_KEPT + 3
    told += box.taken()
    for sensor, presences in said.items():
        heard = [one for one in told if isinstance(one, Presence) and one.sensor is sensor]
        assert [one.on for one in heard] == [number % 2 == 0 for number in range(len(heard))]
        assert [one.at for one in heard] == sorted({one.at for one in heard})
        assert (heard[-1].on if heard else False) is presences[-1].on
        assert set(heard) <= set(presences)


# --- orders -----------------------------------------------------------------------------------


async def asked(box: Box, order: Order = ORDER) -> "asyncio.Task[OrderAnswer]":
    asking = asyncio.create_task(box.mailbox.ask(order))
    await asyncio.sleep(0)
    return asking


async def test_an_order_waits_until_it_is_answered(box: Box) -> None:
    asking = await asked(box)
    (ordered,) = box.taken()
    assert isinstance(ordered, Ordered)
    assert ordered.stands
    ordered.answer.set_result(ORDER.answered("done"))
    assert await asking == ORDER.answered("done")
    assert not ordered.stands


async def test_an_order_that_is_waited_for_no_longer_is_gone(box: Box) -> None:
    asking = await asked(box)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert box.taken() == []


async def test_an_order_that_is_given_up_while_it_is_carried_out_stands_no_longer(
    box: Box,
) -> None:
    asking = await asked(box)
    (ordered,) = box.taken()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert isinstance(ordered, Ordered)
    assert not ordered.stands


async def test_an_order_that_the_lane_does_not_come_to_in_time_is_refused_and_gone(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gatekeeper.lane.mailbox.ORDER_S", 0.01)
    answer = await box.mailbox.ask(ORDER)
    assert answer.outcome == "refused"
    assert box.taken() == []


async def test_an_order_of_which_nothing_is_told_in_time_is_unknown_and_stands_no_longer(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gatekeeper.lane.mailbox.ORDER_S", 0.01)
    monkeypatch.setattr("gatekeeper.lane.mailbox.ORDER_ENDS_S", 0.01)
    asking = await asked(box)
    (ordered,) = box.taken()
    assert isinstance(ordered, Ordered)
    ordered.begun = True
    assert (await asking).outcome == "unknown"
    assert not ordered.stands


async def test_an_order_is_good_no_longer_than_it_may_be_carried_out(box: Box) -> None:
    soon = replace(ORDER, deadline=SystemClock().boot_s() + 0.05)
    assert (await box.mailbox.ask(soon)).outcome == "refused"
    late = replace(ORDER, deadline=SystemClock().boot_s() - 5.0)
    assert (await box.mailbox.ask(late)).outcome == "refused"
    assert box.taken() == []


async def test_of_too_many_orders_one_more_is_refused_at_once(box: Box) -> None:
    asking = [await asked(box, replace(ORDER, id=f"o-{n}")) for n in range(ORDERS_KEPT)]
    assert (await box.mailbox.ask(ORDER)).outcome == "refused"
    for each in asking:
        each.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
