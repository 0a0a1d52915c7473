"""The state machine at a lane of earth and concrete: cars of some length over two loops."""

from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gatekeeper.rules.passage import ENDS, Input, Output, Passage, State, Timing, step

ARRIVAL_M = (0.0, 2.0)
SAFETY_M = (3.5, 5.5)
STRIDE_M = 0.25
"""Positions along the lane, in metres; a car is never read over more than a stride at once."""

TIMING = Timing()


@dataclass(slots=True, kw_only=True)
class Car:
    """Where its front is, in metres into the lane."""

    front_m: float
    length_m: float

    @property
    def rear_m(self) -> float:
        return self.front_m - self.length_m

    def covers(self, loop: tuple[float, float]) -> bool:
        near, far = loop
        return self.front_m > near and self.rear_m < far


class Lane(RuleBasedStateMachine):
    """Cars come, creep, wait and roll back as they like; verdicts come when they like. The boom
    stops no car: who drives through a closed one is a case, too.
    """

    def __init__(self) -> None:
        super().__init__()
        self.passage = Passage()
        self.at = 0.0
        self.cars: list[Car] = []  # the foremost first
        self.visits: list[list[Output]] = []

    @rule(length_m=st.sampled_from((3.0, 4.5, 12.0)))
    @precondition(lambda self: len(self.cars) < 3)
    def a_car_comes(self, length_m: float) -> None:
        behind = min([ARRIVAL_M[0], *(car.rear_m - STRIDE_M for car in self.cars)])
        self.cars.append(Car(front_m=behind, length_m=length_m))

    @rule(which=st.integers(0, 2), strides=st.integers(1, 40), took_s=st.floats(0.0, 5.0))
    @precondition(lambda self: self.cars)
    def a_car_drives_on(self, which: int, strides: int, took_s: float) -> None:
        self._drive(which % len(self.cars), strides, STRIDE_M, took_s)

    @rule(which=st.integers(0, 2), strides=st.integers(1, 40), took_s=st.floats(0.0, 5.0))
    @precondition(lambda self: self.cars)
    def a_car_rolls_back(self, which: int, strides: int, took_s: float) -> None:
        self._drive(which % len(self.cars), strides, -STRIDE_M, took_s)

    @rule(verdict=st.sampled_from((Input.ADMITTED, Input.REFUSED)))
    def a_verdict_comes(self, verdict: Input) -> None:
        self._feed(verdict)

    @rule(what=st.sampled_from((Input.FAILED, Input.RECONSIDERED)))
    def something_else_happens(self, what: Input) -> None:
        self._feed(what)

    @rule(seconds=st.floats(0.0, 200.0))
    def time_goes_by(self, seconds: float) -> None:
        self._wait(seconds)

    @invariant()
    def no_visit_opens_twice(self) -> None:
        assert all(visit.count(Output.OPEN) <= 1 for visit in self.visits)

    @invariant()
    def visits_begin_and_end_in_turn(self) -> None:
        *before, last = self.visits or [[]]
        assert all(self._ended(visit) for visit in before)
        assert (not last or self._ended(last)) == (self.passage.state is State.CLEAR)

    @invariant()
    def who_passes_was_let_through_or_is_undecided(self) -> None:
        for visit in self.visits:
            if {Output.PASSED, Output.PASSED_PRESUMED} & set(visit):
                assert Output.OPEN in visit or Output.UNDECIDED in visit

    @invariant()
    def the_loops_are_remembered_as_they_are(self) -> None:
        assert self.passage.arrival == self._covered(ARRIVAL_M)
        assert self.passage.safety == self._covered(SAFETY_M)

    @invariant()
    def a_lane_is_clear_only_while_nobody_stands_at_it(self) -> None:
        if self.passage.state is State.CLEAR:
            assert not self.passage.arrival

    def _ended(self, visit: list[Output]) -> bool:
        return [output in ENDS for output in visit].count(True) == 1 and visit[-1] in ENDS

    def _covered(self, loop: tuple[float, float]) -> bool:
        return any(car.covers(loop) for car in self.cars)

    def _drive(self, which: int, strides: int, stride_m: float, took_s: float) -> None:
        """Stride by stride, as far as the cars before and behind leave room."""
        car = self.cars[which]
        ahead = self.cars[which - 1].rear_m if which else float("inf")
        behind = self.cars[which + 1].front_m if which + 1 < len(self.cars) else -float("inf")
        for _ in range(strides):
            if car.front_m + stride_m > ahead or car.rear_m + stride_m < behind:
                break
            car.front_m += stride_m
            self._wait(took_s / strides)
            self._tell_loops()
        self.cars = [car for car in self.cars if self._in_the_lane(car)]

    def _in_the_lane(self, car: Car) -> bool:
        return car.rear_m < SAFETY_M[1] and car.front_m >= ARRIVAL_M[0] - 20.0

    def _tell_loops(self) -> None:
        arrival, safety = self._covered(ARRIVAL_M), self._covered(SAFETY_M)
        if arrival != self.passage.arrival:
            self._feed(Input.ARRIVED if arrival else Input.LEFT)
        if safety != self.passage.safety:
            self._feed(Input.SAFETY_ON if safety else Input.SAFETY_OFF)

    def _wait(self, seconds: float) -> None:
        until = self.at + seconds
        while self.passage.wake_at is not None and self.passage.wake_at <= until:
            self.at = self.passage.wake_at
            self._feed(Input.TIME)
            assert self.passage.wake_at is None or self.passage.wake_at > self.at
        self.at = until

    def _feed(self, what: Input) -> None:
        after = step(self.passage, what, self.at, TIMING)
        self.passage = after.passage
        assert Output.OPEN not in after.outputs or what is Input.ADMITTED
        for output in after.outputs:
            if output is Output.BEGIN:
                self.visits.append([])
            self.visits[-1].append(output)


Lane.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestLane = Lane.TestCase


def driven(*lengths_m: float, gap_m: float) -> Lane:
    """Cars in a row, of which the first is admitted, driving through without a stop."""
    lane = Lane()
    for length_m in lengths_m:
        lane.a_car_comes(length_m)
        lane.cars[-1].front_m -= gap_m if len(lane.cars) > 1 else 0.0
    lane.a_car_drives_on(0, 1, 0.1)
    lane.a_verdict_comes(Input.ADMITTED)
    for _ in range(200):
        for which in range(len(lane.cars)):
            if which < len(lane.cars):
                lane.a_car_drives_on(which, 1, 0.1)
    lane.time_goes_by(200.0)
    return lane


@pytest.mark.parametrize("length_m", [3.0, 4.5, 12.0])
def test_one_car_of_whatever_length_is_one_visit_that_passes(length_m: float) -> None:
    lane = driven(length_m, gap_m=0.0)
    assert lane.visits == [[Output.BEGIN, Output.OPEN, Output.PASSED]]


@pytest.mark.parametrize("gap_m", [2.5, 4.0])
def test_a_second_car_on_the_same_opening_is_an_undecided_visit(gap_m: float) -> None:
    lane = driven(4.5, 4.5, gap_m=gap_m)
    first, second = lane.visits
    assert first[-1] is second[-1] is Output.PASSED
    assert Output.OPEN in first
    assert Output.UNDECIDED in second


def test_bumper_to_bumper_the_loops_see_one_vehicle_that_is_too_long() -> None:
    lane = driven(4.5, 4.5, gap_m=1.0)
    assert lane.visits == [[Output.BEGIN, Output.OPEN, Output.TOO_LONG, Output.PASSED]]
