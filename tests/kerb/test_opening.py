"""Situations 13 to 15 on the simulated kerb."""

import asyncio
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.kerb.conftest import Kerb

pytestmark = pytest.mark.asyncio(loop_scope="session")

OTHER = "浙A8K302"


# --- 13: an exit opens ------------------------------------------------------------------------


async def test_row_13_an_exit_opens_with_its_camera_dead(kerb: "Kerb") -> None:
    exit_lane = kerb.at("inner-exit")
    await exit_lane.camera_is("hang")
    await exit_lane.alarm("camera_stale")
    await exit_lane.arrives()
    await exit_lane.opened()
    await exit_lane.crosses()
    await exit_lane.camera_is("none")
    await exit_lane.cleared("camera_stale")
    assert exit_lane.pulses == 1


async def test_row_13_an_exit_opens_for_a_car_that_cannot_be_read(kerb: "Kerb") -> None:
    exit_lane = kerb.at("inner-exit")
    await exit_lane.arrives()
    told = await exit_lane.decided("admit", "exit")
    assert told["sighting"] is None
    await exit_lane.opened()
    await exit_lane.crosses()


async def test_row_13_a_pulse_without_effect_is_decided_three_times_and_then_an_alarm(
    kerb: "Kerb",
) -> None:
    exit_lane = kerb.at("outer-exit")
    await kerb.board.tell("boom outer-exit stuck")
    await exit_lane.arrives(OTHER)
    await exit_lane.opened(times=3)
    await exit_lane.alarm("lane_blocked")
    intents = await exit_lane.each_told("barrier.intended", 3)
    commands = {intent["command"] for intent in intents}
    assert len(commands) == exit_lane.pulses == 3
    await exit_lane.backs_out()
    await exit_lane.cleared("lane_blocked")
    await kerb.board.tell("boom outer-exit free")


async def test_row_13_after_a_crash_a_car_on_the_loop_gets_a_new_decision(kerb: "Kerb") -> None:
    exit_lane = kerb.at("inner-exit")
    await exit_lane.arrives(OTHER)
    await exit_lane.opened()
    await kerb.controller_is_killed()
    first, second = await exit_lane.each_told("barrier.intended", 2)
    assert first["command"] != second["command"]
    assert len(set(exit_lane.passages("barrier.intended"))) == 2
    await exit_lane.crosses()


# --- 14: backing out --------------------------------------------------------------------------


async def test_row_14_who_backs_out_takes_decision_and_reads_along(kerb: "Kerb") -> None:
    visitor = "闽C12F57"
    await kerb.listed(f"bind {visitor}")
    await kerb.arrives(visitor)
    await kerb.opened()
    await kerb.backs_out()
    await kerb.arrives(OTHER)
    await kerb.decided("refuse", "not_bound", OTHER)
    await kerb.backs_out()
    assert kerb.pulses == 1


async def test_row_14_the_next_car_that_takes_the_open_boom_is_undecided_with_its_own_sighting(
    kerb: "Kerb",
) -> None:
    visitor = "闽C23G68"
    await kerb.listed(f"bind {visitor}")
    await kerb.arrives(visitor)
    await kerb.opened()
    await kerb.backs_out()
    await kerb.arrives(OTHER)
    await kerb.decided("refuse", "not_bound", OTHER)
    await drives_over(kerb)
    taker = await kerb.ended("passed")
    await kerb.alarm("undecided_passage")
    assert taker["plate"] is None
    assert taker["sighting"]["plate"] == OTHER
    assert kerb.pulses == 1


async def drives_over(kerb: "Kerb") -> None:
    """The car on the arrival loop goes on, whatever the boom does."""
    await kerb.wire("safety", on=True)
    await kerb.alarm("undecided_passage")
    await kerb.wire("arrival", on=False)
    await kerb.wire("safety", on=False)
    await kerb.sees_nothing()


# --- 15: two cars on one opening --------------------------------------------------------------


async def test_row_15_a_second_car_on_one_opening_is_an_undecided_passage(kerb: "Kerb") -> None:
    visitor = "闽C34H79"
    await kerb.listed(f"bind {visitor}")
    await kerb.arrives(visitor)
    await kerb.decided("admit", "visitor", visitor)
    await kerb.sees_nothing()
    await kerb.board.tell(f"tailgate {kerb.lane} 30")
    await kerb.alarm("tailgating")
    first, second = await kerb.each_told("passage.ended", 2)
    assert (first["plate"], second["plate"]) == (visitor, None)
    assert (first["decided"], second["decided"]) == (True, False)
    assert kerb.pulses == 1


async def test_row_15_a_longer_gap_is_a_second_undecided_vehicle(kerb: "Kerb") -> None:
    visitor = "闽C45J80"
    await kerb.listed(f"bind {visitor}")
    await kerb.arrives(visitor)
    await kerb.crosses()
    await kerb.wire("safety", on=True)
    await kerb.alarm("tailgating")
    await kerb.wire("safety", on=False)
    await kerb.ended("passed", decided=False)
    assert kerb.pulses == 1


async def test_row_15_in_doubt_the_count_is_untrusted_until_a_recount(kerb: "Kerb") -> None:
    exit_lane = kerb.at("outer-exit")
    await exit_lane.order("recount", "zone=car_park count=20")
    await exit_lane.arrives(OTHER)
    await exit_lane.opened()
    await exit_lane.wire("safety", on=True)
    await asyncio.sleep(2 * 1.0)
    await exit_lane.wire("arrival", on=False)
    await exit_lane.wire("safety", on=False)
    await exit_lane.alarm("safety_loop_long")
    await exit_lane.alarm("count_untrusted", "car_park")
    await exit_lane.ended("passed")
    await exit_lane.order("recount", "zone=car_park count=19")
    await exit_lane.cleared("count_untrusted", "car_park")
