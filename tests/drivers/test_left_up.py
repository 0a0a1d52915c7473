"""When a boom that was found up may come down: inputs in, one answer out."""

from collections.abc import Sequence

import pytest

from gatekeeper.config import BarrierSettings, InputSettings, LaneSettings
from gatekeeper.drivers.left_up import CLEAR_S, LeftUp
from gatekeeper.model import Direction

ARRIVAL, SAFETY, UP, OTHER_ARRIVAL = range(4)


def lane(name: str = "exit", arrival: int = ARRIVAL, safety: int | None = SAFETY) -> LaneSettings:
    wire = None if safety is None else InputSettings(board="gate", input=safety)
    return LaneSettings(
        name=name,
        zone="inner",
        direction=Direction.EXIT,
        barrier=BarrierSettings(board="gate", coil=1, hold_coil=2),
        arrival_loop=InputSettings(board="gate", input=arrival),
        safety_loop=wire,
        boom_up=InputSettings(board="gate", input=UP),
        open_timeout_s=30,
    )


class Boom:
    """A boom found up at 0 s, with its inputs read eight times a second."""

    def __init__(self, *lanes: LaneSettings) -> None:
        self.found = LeftUp(lanes=lanes or (lane(),))
        self.at = 0.0

    def down_within(self, seconds: float, on: Sequence[int] = ()) -> float | None:
        """When it may come down while these inputs are on, counted from now."""
        began = self.at
        inputs = [number in on for number in range(4)]
        while self.at < began + seconds:
            if self.found.may_come_down(inputs, self.at):
                return self.at - began
            self.at += 0.125
        return None


def test_it_comes_down_when_its_lane_has_been_clear_for_two_seconds() -> None:
    assert Boom().down_within(5) == pytest.approx(CLEAR_S)


def test_that_the_boom_is_up_keeps_it_up_no_longer() -> None:
    assert Boom().down_within(5, on=[UP]) == pytest.approx(CLEAR_S)


@pytest.mark.parametrize("loop", [ARRIVAL, SAFETY])
def test_it_stays_up_while_somebody_stands_there(loop: int) -> None:
    boom = Boom()
    assert boom.down_within(60, on=[loop]) is None
    assert boom.down_within(5) == pytest.approx(CLEAR_S)


def test_a_car_that_was_let_in_may_rest_between_its_loops() -> None:
    boom = Boom()
    boom.down_within(1, on=[ARRIVAL])
    boom.found.let_in("exit", boom.at)
    assert boom.down_within(20) is None, "it has still to drive in"
    assert boom.down_within(3, on=[SAFETY]) is None
    assert boom.down_within(5) == pytest.approx(CLEAR_S)


def test_a_car_that_only_the_camera_saw_is_waited_for_too() -> None:
    boom = Boom()
    boom.down_within(CLEAR_S - 0.25)
    boom.found.let_in("exit", boom.at)
    assert boom.down_within(29) is None


def test_who_stood_under_it_before_is_not_the_car_that_was_let_in() -> None:
    boom = Boom()
    boom.down_within(1, on=[ARRIVAL, SAFETY])
    boom.found.let_in("exit", boom.at)
    boom.down_within(1, on=[ARRIVAL, SAFETY])
    assert boom.down_within(10) is None
    assert boom.down_within(1, on=[SAFETY]) is None
    assert boom.down_within(5) == pytest.approx(CLEAR_S)


def test_a_car_that_does_not_come_is_waited_for_as_long_as_its_lane_waits() -> None:
    boom = Boom()
    boom.found.let_in("exit", boom.at)
    assert boom.down_within(60) == pytest.approx(30)


def test_where_no_safety_loop_tells_that_it_is_through_it_is_waited_for_likewise() -> None:
    boom = Boom(lane(safety=None))
    boom.found.let_in("exit", boom.at)
    assert boom.down_within(60) == pytest.approx(30)


def test_each_car_that_is_let_in_is_waited_for_in_its_turn() -> None:
    boom = Boom()
    for _ in range(2):
        boom.found.let_in("exit", boom.at)
        assert boom.down_within(20) is None
    assert boom.down_within(20) == pytest.approx(10)


def test_under_a_shared_boom_a_car_of_either_lane_is_waited_for() -> None:
    boom = Boom(lane(), lane("entry", arrival=OTHER_ARRIVAL))
    boom.found.let_in("entry", boom.at)
    boom.down_within(1, on=[OTHER_ARRIVAL])
    boom.down_within(1, on=[SAFETY])
    assert boom.down_within(1, on=[ARRIVAL]) is None
    assert boom.down_within(5) == pytest.approx(CLEAR_S)


def test_a_lane_that_could_not_be_seen_for_a_while_was_not_clear() -> None:
    boom = Boom()
    boom.down_within(CLEAR_S - 0.25)
    boom.found.unseen()
    assert boom.down_within(5) == pytest.approx(CLEAR_S)
