"""A lane whose input says where the boom is: no pulse to one that is up, and a pulse without
effect is not the last.
"""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from gatekeeper.config import InputSettings, LaneSettings
from gatekeeper.model import Direction, ListName, Outcome, Sensor
from gatekeeper.rules.guard import MIN_GAP_S
from gatekeeper.rules.passage import State, Timing

# `bench` is the fixture of conftest.py, whose type cannot be imported from there.
Bench = Any

VISITOR = "闽C12F57"


@pytest.fixture
def direction() -> Direction:
    return Direction.EXIT


@pytest.fixture
def lane_settings(lane_settings: LaneSettings) -> LaneSettings:
    return lane_settings.model_copy(
        update={"boom_up": InputSettings(board="relays", input=2), "boom_up_s": 0.1}
    )


@pytest.fixture
def timing(timing: Timing) -> Timing:
    """Nothing here is decided again because a vehicle has stood there for long."""
    return replace(timing, opening_s=600.0)


async def let_in_under_it(bench: Bench) -> None:
    bench.loops.set(Sensor.BOOM_UP, on=True)
    bench.arrive(VISITOR)
    await bench.in_state(State.OPENING)


async def test_row_40_while_the_boom_is_up_there_is_no_pulse_and_when_it_is_down_a_new_decision(
    bench: Bench,
) -> None:
    await let_in_under_it(bench)
    assert bench.barrier.commands == []
    bench.loops.set(Sensor.BOOM_UP, on=False)
    await bench.until(lambda: bench.barrier.commands)
    decided = bench.facts("vehicle.decided")
    assert len(decided) == 2
    (first, second) = (each["command"] for each in bench.facts("barrier.intended"))
    assert bench.barrier.commands[0].id == second != first


async def test_row_40_a_vehicle_that_drives_on_under_it_has_passed(bench: Bench) -> None:
    await let_in_under_it(bench)
    bench.cross()
    (ended,) = await bench.ended()
    assert (ended["end"], ended["plate"], ended["decided"]) == ("passed", VISITOR, True)
    assert bench.barrier.commands == []


async def test_row_40_as_long_as_it_is_up_nothing_is_decided_again(bench: Bench) -> None:
    await let_in_under_it(bench)
    for _ in range(3):
        bench.lane.reconsider()
        await bench.list_plate(ListName.VISITORS, VISITOR)
    await bench.in_state(State.OPENING)
    assert len(bench.facts("vehicle.decided")) == 1


async def test_row_40_a_lane_that_begins_again_gives_no_second_pulse_while_the_boom_is_up(
    bench: Bench,
) -> None:
    bench.arrive(VISITOR)
    await bench.until(lambda: bench.barrier.commands)
    bench.loops.set(Sensor.BOOM_UP, on=True)
    await bench.restart()
    await bench.until(lambda: len(bench.facts("vehicle.decided")) == 2)
    await bench.in_state(State.OPENING)
    assert len(bench.barrier.commands) == 1
    await asyncio.sleep(MIN_GAP_S)
    bench.loops.set(Sensor.BOOM_UP, on=False)
    await bench.until(lambda: len(bench.barrier.commands) == 2)


async def test_the_next_vehicle_gets_a_pulse_of_its_own_though_the_boom_is_still_up(
    bench: Bench,
) -> None:
    """It would come down on its way: behind the one before, barriers close by themselves."""
    bench.arrive(VISITOR)
    await bench.until(lambda: bench.barrier.commands)
    bench.loops.set(Sensor.BOOM_UP, on=True)
    bench.cross()
    await bench.ended()
    await asyncio.sleep(MIN_GAP_S)
    bench.arrive(VISITOR)
    await bench.until(lambda: len(bench.barrier.commands) == 2)
    await asyncio.sleep(MIN_GAP_S)  # longer than a boom may take to rise that is not up
    assert not bench.health.stands("boom_not_up", "lane")
    await bench.restart()
    await bench.until(lambda: len(bench.facts("vehicle.decided")) == 3)
    await bench.in_state(State.OPENING)
    assert len(bench.barrier.commands) == 2


class TestPulseWithoutEffect:
    """The relay follows, and the boom does not."""

    @pytest.fixture
    def timing(self, timing: Timing) -> Timing:
        return replace(timing, retrying_s=MIN_GAP_S)

    async def test_row_13_there_are_three_decisions_and_then_an_alarm(self, bench: Bench) -> None:
        bench.arrive(VISITOR)
        await bench.until(lambda: bench.health.stands("lane_blocked", "lane"))
        assert bench.health.stands("boom_not_up", "lane")
        assert len({command.id for command in bench.barrier.commands}) == 3
        assert len(bench.facts("vehicle.decided")) == 3

    async def test_row_13_a_boom_that_rises_late_and_falls_again_is_a_new_decision(
        self, bench: Bench
    ) -> None:
        """It blocked the lane, and is up now by hand: as soon as it is down it is opened again."""
        bench.arrive(VISITOR)
        await bench.until(lambda: bench.lane.state is State.STUCK)
        bench.barrier.outcome = Outcome.DONE
        bench.lane.reconsider()
        bench.loops.set(Sensor.BOOM_UP, on=True)
        opened = len(bench.barrier.commands)
        await bench.in_state(State.OPENING)
        bench.loops.set(Sensor.BOOM_UP, on=False)
        await bench.until(lambda: len(bench.barrier.commands) > opened)
