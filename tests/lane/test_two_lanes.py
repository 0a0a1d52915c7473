"""Two lanes that want the same: the last space, or the barrier that they share."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from gatekeeper.config import LaneSettings
from gatekeeper.model import Direction, ListName, Sensor, ZonePolicy
from gatekeeper.rules.passage import State

# `two` and `opposite` are fixtures of conftest.py, whose type cannot be imported from there.
Benches = Any

ONE, OTHER = "闽C12F57", "京A8K3X9"


class TestLastSpace:
    """There is one space."""

    @pytest.fixture
    def policy(self, policy: ZonePolicy) -> ZonePolicy:
        return replace(policy, capacity=1)

    async def test_the_last_space_is_given_to_one_of_two_that_are_decided_at_once(
        self, two: Benches
    ) -> None:
        left, right = two
        left.zones.recount("visitor_zone", 0, "guard", "counted")
        for plate in (ONE, OTHER):
            await left.list_plate(ListName.VISITORS, plate)
        left.store.unread = asyncio.Event()
        left.arrive(ONE)
        right.arrive(OTHER)
        await left.until(lambda: left.store.asked == 2)
        left.store.unread.set()
        await left.until(lambda: left.barrier.commands or right.barrier.commands)
        await left.until(lambda: State.REFUSED in (left.lane.state, right.lane.state))
        assert len(left.barrier.commands) + len(right.barrier.commands) == 1


class TestSharedBarrier:
    """An entry and an exit share a barrier that is closed by its relay."""

    @pytest.fixture
    def lane_settings(self, lane_settings: LaneSettings) -> LaneSettings:
        barrier = lane_settings.barrier.model_copy(update={"close_coil": 1, "close_after_s": 0.1})
        return lane_settings.model_copy(update={"barrier": barrier})

    async def test_it_is_not_closed_after_one_vehicle_while_it_is_open_for_the_opposite_one(
        self, opposite: Benches
    ) -> None:
        entry, exit_ = opposite
        await entry.list_plate(ListName.VISITORS, ONE)
        for bench in opposite:
            bench.loops.set(Sensor.ARRIVAL, on=False)
            bench.loops.set(Sensor.SAFETY, on=False)
        entry.arrive(ONE)
        await entry.in_state(State.OPENING)
        entry.back_out()
        await entry.ended()
        await asyncio.sleep(1.0)
        exit_.camera.plate = OTHER
        exit_.loops.set(Sensor.ARRIVAL, on=True)
        await exit_.in_state(State.OPENING)
        await asyncio.sleep(2.5)
        assert "close" not in entry.barrier.switched
        assert exit_.lane.state is State.OPENING
        assert [command.lane for command in exit_.barrier.commands] == [
            Direction.ENTRY.value,
            Direction.EXIT.value,
        ]
