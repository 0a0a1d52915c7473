"""Whose barrier it is, where an entry and an exit lane share one."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gatekeeper.model import Direction, Sensor
from gatekeeper.rules import turn
from gatekeeper.rules.turn import (
    Granted,
    LaneEdge,
    Output,
    Overdue,
    Turn,
    TurnStep,
    TurnTiming,
    other_side,
)

ENTRY, EXIT = Direction.ENTRY, Direction.EXIT
TIMING = TurnTiming(limit_s=100.0, reaches_s=5.0, leaves_s=10.0)


@dataclass
class Pair:
    """An entry and an exit lane, and what they were told."""

    timing: TurnTiming = TIMING
    turn: Turn = field(default_factory=Turn)
    at: float = 0.0
    said: list[tuple[float, Output]] = field(default_factory=list)

    def ask(self, side: Direction) -> bool:
        return Granted(side=side) in self._take(turn.asks(self.turn, side, self.at))

    def over(self, side: Direction) -> None:
        self._take(turn.gives_back(self.turn, side, self.at))

    def arrival(self, side: Direction, on: bool) -> tuple[Output, ...]:
        return self._take(turn.arrival(self.turn, side, on, self.at, self.timing))

    def safety(self, on: bool) -> tuple[Output, ...]:
        return self._take(turn.safety(self.turn, on, self.at))

    def wait(self, seconds: float) -> None:
        """Time passes, and with it whatever was to be done by then."""
        until = self.at + seconds
        while (due := turn.wake_at(self.turn, self.timing)) is not None and due <= until:
            self.at = max(due, self.at)
            self._take(turn.time(self.turn, self.at, self.timing))
        self.at = until

    def cross(self, side: Direction) -> None:
        """The vehicle of this side drives through, and off the far arrival loop."""
        self.safety(True)
        self.arrival(side, False)
        self.arrival(other_side(side), True)
        self.wait(2)
        self.safety(False)
        self.over(side)
        self.wait(1)
        self.arrival(other_side(side), False)

    @property
    def outputs(self) -> list[Output]:
        """All that was said, in turn."""
        return [output for _, output in self.said]

    def _take(self, step: TurnStep) -> tuple[Output, ...]:
        self.turn = step.turn
        self.said += [(self.at, output) for output in step.outputs]
        return step.outputs


@pytest.fixture
def pair() -> Pair:
    return Pair()


def told(outputs: Iterable[Output]) -> list[tuple[Direction, Sensor, bool, bool]]:
    return [
        (each.side, each.sensor, each.on, each.known)
        for each in outputs
        if isinstance(each, LaneEdge)
    ]


# --- one owner --------------------------------------------------------------------------------


@pytest.mark.parametrize("side", Direction)
def test_who_asks_first_for_a_free_barrier_has_it(pair: Pair, side: Direction) -> None:
    assert pair.ask(side)
    assert not pair.ask(other_side(side))
    assert pair.ask(side)


def test_an_exit_that_asks_while_an_entry_owns_it_waits_until_all_is_clear(pair: Pair) -> None:
    pair.arrival(ENTRY, True)
    pair.ask(ENTRY)
    pair.arrival(EXIT, True)
    assert not pair.ask(EXIT)
    pair.arrival(EXIT, False)  # makes way
    pair.safety(True)
    pair.arrival(ENTRY, False)
    pair.arrival(EXIT, True)  # the vehicle that crosses, on its way in
    pair.safety(False)
    pair.over(ENTRY)
    assert pair.turn.owner is ENTRY
    assert pair.arrival(EXIT, False) == (Granted(side=EXIT),)


def test_a_queue_on_the_other_side_does_not_keep_the_barrier(pair: Pair) -> None:
    pair.arrival(EXIT, True)
    pair.ask(ENTRY)
    pair.safety(True)
    pair.safety(False)
    pair.over(ENTRY)
    assert pair.turn.owner is None


def test_of_two_that_wait_the_exit_is_first(pair: Pair) -> None:
    pair.ask(ENTRY)
    pair.safety(True)
    pair.safety(False)
    pair.over(ENTRY)
    pair.ask(ENTRY)
    pair.safety(True)
    pair.ask(EXIT)
    pair.over(ENTRY)
    pair.ask(ENTRY)  # the next one from outside
    pair.safety(False)
    assert [each.side for each in pair.outputs if isinstance(each, Granted)][-1] is ENTRY
    pair.over(ENTRY)
    assert pair.turn.owner is EXIT


def test_an_exit_does_not_go_before_an_entering_vehicle_on_the_safety_loop(pair: Pair) -> None:
    pair.arrival(ENTRY, True)
    pair.safety(True)
    assert not pair.ask(EXIT)
    pair.over(ENTRY)  # it was given up, and stands there still
    assert pair.ask(ENTRY)
    pair.safety(False)
    pair.over(ENTRY)
    assert pair.turn.owner is EXIT


def test_a_refused_vehicle_on_the_arrival_loop_owns_nothing(pair: Pair) -> None:
    pair.arrival(ENTRY, True)
    pair.over(ENTRY)
    assert pair.ask(EXIT)


def test_who_backs_out_gives_it_back_and_takes_back_what_it_asked_for(pair: Pair) -> None:
    pair.ask(EXIT)
    pair.ask(ENTRY)
    pair.over(ENTRY)
    pair.over(EXIT)
    assert pair.turn == Turn()


def test_no_one_owns_it_for_ever_and_the_loss_is_told(pair: Pair) -> None:
    pair.ask(ENTRY)
    pair.safety(True)
    pair.ask(EXIT)
    pair.wait(TIMING.limit_s)
    assert pair.outputs[-2:] == [Overdue(side=ENTRY), Granted(side=EXIT)]


# --- to whom the loops speak --------------------------------------------------------------------


def test_the_safety_loop_speaks_to_the_owner(pair: Pair) -> None:
    pair.arrival(ENTRY, True)
    pair.arrival(EXIT, True)
    pair.ask(ENTRY)
    assert told(pair.safety(True)) == [(ENTRY, Sensor.SAFETY, True, True)]
    assert told(pair.safety(False)) == [(ENTRY, Sensor.SAFETY, False, True)]


def test_the_vehicle_that_crosses_does_not_arrive_on_the_other_side(pair: Pair) -> None:
    pair.arrival(ENTRY, True)
    pair.ask(ENTRY)
    pair.cross(ENTRY)
    assert {each.side for each in pair.outputs if isinstance(each, LaneEdge)} == {ENTRY}
    assert pair.turn.owner is None
    assert told(pair.arrival(EXIT, True)) == [(EXIT, Sensor.ARRIVAL, True, True)]


def test_one_that_stands_on_the_far_loop_for_long_has_come_again_and_no_one_knows_whence(
    pair: Pair,
) -> None:
    pair.ask(ENTRY)
    pair.safety(True)
    pair.arrival(EXIT, True)
    pair.wait(60)
    pair.safety(False)
    pair.over(ENTRY)
    pair.wait(TIMING.leaves_s - 0.1)
    assert (EXIT, Sensor.ARRIVAL, True, False) not in told(pair.outputs)
    assert not pair.ask(EXIT)
    pair.wait(0.2)
    assert pair.outputs[-2:] == [
        LaneEdge(side=EXIT, sensor=Sensor.ARRIVAL, on=True, known=False),
        Granted(side=EXIT),
    ]


def test_a_stalled_vehicle_hides_no_one_on_the_other_side_for_ever(pair: Pair) -> None:
    pair.ask(ENTRY)
    pair.safety(True)
    pair.arrival(EXIT, True)
    pair.wait(TIMING.limit_s)
    assert (EXIT, Sensor.ARRIVAL, True, False) in told(pair.outputs)
    assert pair.ask(EXIT)
    pair.arrival(EXIT, False)
    assert told(pair.arrival(EXIT, True)) == [(EXIT, Sensor.ARRIVAL, True, True)]


def test_where_the_arrival_loops_lie_apart_who_comes_has_arrived() -> None:
    pair = Pair(timing=replace(TIMING, in_line=False))
    pair.ask(ENTRY)
    pair.safety(True)
    assert told(pair.arrival(EXIT, True)) == [(EXIT, Sensor.ARRIVAL, True, True)]


def test_without_an_owner_the_order_of_the_loops_tells_whose_vehicle_it_is(pair: Pair) -> None:
    pair.arrival(ENTRY, True)
    assert told(pair.safety(True)) == [(ENTRY, Sensor.SAFETY, True, True)]
    assert pair.turn.owner is ENTRY


@pytest.mark.parametrize("last", Direction)
@pytest.mark.parametrize("still_there", [True, False])
def test_where_it_does_not_it_is_the_side_that_was_occupied_last(
    pair: Pair, last: Direction, still_there: bool
) -> None:
    for side in (other_side(last), last):
        pair.arrival(side, True)
        if not still_there:
            pair.arrival(side, False)
    assert told(pair.safety(True)) == [(last, Sensor.SAFETY, True, False)]


def test_who_comes_over_the_far_loop_under_a_boom_that_is_up_for_another_is_unclear(
    pair: Pair,
) -> None:
    pair.arrival(EXIT, True)
    pair.ask(EXIT)
    pair.arrival(EXIT, False)
    pair.arrival(ENTRY, True)
    assert told(pair.safety(True)) == [(EXIT, Sensor.SAFETY, True, False)]


def test_an_owner_between_its_two_loops_is_no_doubt_where_no_one_else_is(pair: Pair) -> None:
    pair.arrival(EXIT, True)
    pair.ask(EXIT)
    pair.arrival(EXIT, False)
    assert told(pair.safety(True)) == [(EXIT, Sensor.SAFETY, True, True)]


def test_a_gap_within_a_crossing_is_no_doubt(pair: Pair) -> None:
    pair.arrival(EXIT, True)
    pair.ask(EXIT)
    pair.safety(True)
    pair.arrival(EXIT, False)
    pair.safety(False)
    pair.arrival(EXIT, True)
    pair.arrival(EXIT, False)
    assert told(pair.safety(True)) == [(EXIT, Sensor.SAFETY, True, True)]


def test_one_that_comes_back_from_the_far_loop_is_unclear(pair: Pair) -> None:
    pair.ask(ENTRY)
    pair.safety(True)
    pair.arrival(EXIT, True)
    pair.safety(False)
    pair.over(ENTRY)
    assert told(pair.safety(True)) == [(ENTRY, Sensor.SAFETY, True, False)]


# --- whatever happens -------------------------------------------------------------------------


class AnyTraffic(RuleBasedStateMachine):
    """Lanes ask and give back, and loops change, as they like."""

    def __init__(self) -> None:
        super().__init__()
        self.pair = Pair()
        self.owner: Direction | None = None
        self.since = 0.0
        self.ended = False
        self.arrivals: set[Direction] = set()
        self.safety = False
        self.heard: set[tuple[Direction, Sensor]] = set()

    @rule(side=st.sampled_from(Direction))
    def ask(self, side: Direction) -> None:
        if self.pair.ask(side):
            self.ended = False
        self.follow()

    @rule(side=st.sampled_from(Direction))
    def over(self, side: Direction) -> None:
        self.ended = self.ended or side is self.owner
        self.pair.over(side)
        self.follow()

    @rule(side=st.sampled_from(Direction))
    def arrival(self, side: Direction) -> None:
        self.arrivals ^= {side}
        self.pair.arrival(side, side in self.arrivals)
        self.follow()

    @rule()
    def safety_loop(self) -> None:
        self.safety = not self.safety
        self.pair.safety(self.safety)
        self.follow()
        if self.safety:
            self.ended = False

    @rule(seconds=st.integers(1, 150))
    def wait(self, seconds: float) -> None:
        self.pair.wait(seconds)
        self.follow()

    @precondition(lambda self: self.owner and not self.safety and not self.arrivals)
    @rule()
    def drive_through(self) -> None:
        """What most vehicles do."""
        side = self.owner or EXIT
        self.safety_loop()
        self.arrival(other_side(side))
        self.safety_loop()
        self.over(side)
        self.arrival(other_side(side))

    def follow(self) -> None:
        """What was said holds together, and the barrier changes hands only as it may."""
        for at, each in self.pair.said:
            match each:
                case LaneEdge(side=side, sensor=sensor, on=on):
                    assert on is ((side, sensor) not in self.heard)
                    self.heard ^= {(side, sensor)}
                case Overdue(side=side):
                    assert side is self.owner
                    assert at - self.since >= TIMING.limit_s
                    self.owner = None
                case Granted(side=side) if side is not self.owner:
                    assert self.owner is None or self.may_change_hands()
                    assert side is EXIT or EXIT not in self.pair.turn.asking
                    self.owner, self.since, self.ended = side, at, False
        self.pair.said.clear()
        now = self.pair.turn
        assert now.owner is self.owner or self.owner is None or self.may_change_hands()
        if (now.owner, now.since) != (self.owner, self.since):
            self.owner, self.since, self.ended = now.owner, now.since, False

    def may_change_hands(self) -> bool:
        return self.ended and not self.safety and self.pair.turn.far_at is None

    @invariant()
    def no_barrier_is_idle_while_somebody_asks(self) -> None:
        assert not self.pair.turn.asking or self.pair.turn.owner is not None

    @invariant()
    def nobody_owns_it_beyond_the_limit(self) -> None:
        assert self.owner is None or self.pair.at - self.since <= TIMING.limit_s

    @invariant()
    def the_safety_loop_speaks_to_one_lane(self) -> None:
        hear = [side for side, sensor in self.heard if sensor is Sensor.SAFETY]
        assert len(hear) == self.safety

    @invariant()
    def each_arrival_is_told_or_is_the_one_that_crossed_for_a_time(self) -> None:
        hear = {side for side, sensor in self.heard if sensor is Sensor.ARRIVAL}
        assert hear <= self.arrivals
        if self.arrivals - hear:
            now = self.pair.turn
            assert now.far_at is not None
            assert now.crosser is not None
            assert self.arrivals - hear == {other_side(now.crosser)}
            assert turn.wake_at(now, TIMING) is not None


TestAnyTraffic = AnyTraffic.TestCase
TestAnyTraffic.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)
