"""The lane's state machine, alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.rules.crossing import Geometry
from gatekeeper.rules.passage import (
    ENDS,
    TABLE,
    Input,
    Output,
    Passage,
    PassageStep,
    State,
    Timing,
    step,
)

TIMING = Timing()
OUTSIDE = [
    Input.ARRIVED,
    Input.LEFT,
    Input.SAFETY_ON,
    Input.SAFETY_OFF,
    Input.ADMITTED,
    Input.REFUSED,
    Input.LOOK_AGAIN,
    Input.FAILED,
    Input.RECONSIDERED,
    Input.DEAF,
    Input.TIME,
]


def play(*inputs: Input, timing: Timing = TIMING) -> tuple[Passage, list[Output]]:
    passage, outputs = Passage(), list[Output]()
    for at, what in enumerate(inputs):
        after = step(passage, what, float(at), timing)
        passage = after.passage
        outputs += after.outputs
    return passage, outputs


def timed(*inputs: tuple[Input, float], timing: Timing = TIMING) -> list[Output]:
    """The same with the moment of each input."""
    passage, outputs = Passage(), list[Output]()
    for what, at in inputs:
        after = step(passage, what, at, timing)
        passage = after.passage
        outputs += after.outputs
    return outputs


def test_a_car_that_is_admitted_crosses_the_safety_loop_and_has_passed() -> None:
    passage, outputs = play(
        Input.ARRIVED, Input.ADMITTED, Input.SAFETY_ON, Input.LEFT, Input.SAFETY_OFF, Input.TIME
    )
    assert outputs == [Output.BEGIN, Output.OPEN, Output.PASSED]
    assert passage.state is State.CLEAR


def test_a_refused_car_that_reverses_has_backed_out() -> None:
    passage, outputs = play(Input.ARRIVED, Input.REFUSED, Input.LEFT)
    assert outputs == [Output.BEGIN, Output.BACKED_OUT]
    assert passage.state is State.CLEAR


def test_a_refused_car_is_decided_again_when_a_list_changes() -> None:
    _, outputs = play(Input.ARRIVED, Input.REFUSED, Input.RECONSIDERED, Input.ADMITTED)
    assert outputs == [Output.BEGIN, Output.DECIDE_AGAIN, Output.OPEN]


def test_a_car_that_backs_out_after_the_boom_rose_does_not_pass_its_opening_on() -> None:
    passage, outputs = play(
        Input.ARRIVED, Input.ADMITTED, Input.LEFT, Input.ARRIVED, Input.SAFETY_ON
    )
    assert outputs == [
        Output.BEGIN,
        Output.OPEN,
        Output.BACKED_OUT,
        Output.BEGIN,
        Output.UNDECIDED,
    ]
    assert not passage.decided


def test_a_gap_on_the_safety_loop_without_a_new_arrival_is_the_same_vehicle_but_is_said() -> None:
    _, outputs = play(
        Input.ARRIVED,
        Input.ADMITTED,
        Input.SAFETY_ON,
        Input.LEFT,
        Input.SAFETY_OFF,
        Input.SAFETY_ON,
        Input.SAFETY_OFF,
        Input.TIME,
    )
    assert outputs == [Output.BEGIN, Output.OPEN, Output.GAP, Output.PASSED]


def test_a_second_car_close_behind_begins_a_visit_of_its_own() -> None:
    passage, outputs = play(
        Input.ARRIVED,
        Input.ADMITTED,
        Input.SAFETY_ON,
        Input.LEFT,
        Input.ARRIVED,
        Input.SAFETY_OFF,
        Input.SAFETY_ON,
    )
    assert outputs == [
        Output.BEGIN,
        Output.OPEN,
        Output.PASSED,
        Output.BEGIN,
        Output.UNDECIDED,
        Output.TAILGATED,
    ]
    assert not passage.decided


def test_a_second_car_that_crosses_while_the_first_is_on_the_safety_loop_has_tailgated() -> None:
    passage, outputs = play(
        Input.ARRIVED,
        Input.ADMITTED,
        Input.SAFETY_ON,
        Input.LEFT,
        Input.ARRIVED,
        Input.LEFT,
        Input.SAFETY_OFF,
        Input.TIME,
    )
    assert outputs == [Output.BEGIN, Output.OPEN, Output.TAILGATED, Output.PASSED]
    assert not passage.second


def test_one_that_tailgates_says_nothing_of_the_next() -> None:
    inputs = (Input.SAFETY_ON, Input.LEFT, Input.ARRIVED, Input.LEFT, Input.SAFETY_OFF, Input.TIME)
    _, outputs = play(Input.ARRIVED, Input.ADMITTED, *inputs)
    _, again = play(
        Input.ARRIVED,
        Input.ADMITTED,
        *inputs,
        Input.ARRIVED,
        Input.ADMITTED,
        Input.SAFETY_ON,
        Input.LEFT,
        Input.SAFETY_OFF,
        Input.TIME,
    )
    assert again[len(outputs) :] == [Output.BEGIN, Output.OPEN, Output.PASSED]


@pytest.mark.parametrize("answers", [(), (Input.REFUSED,), (Input.LOOK_AGAIN,)])
def test_who_follows_another_through_is_undecided_before_it_is_a_tailgater(
    answers: tuple[Input, ...],
) -> None:
    first = [(Input.ARRIVED, 0.0), (Input.ADMITTED, 1.0), (Input.SAFETY_ON, 2.0)]
    first += [(Input.LEFT, 3.0), (Input.SAFETY_OFF, 4.0), (Input.TIME, 5.5)]
    second = [(Input.ARRIVED, 6.0), *((answer, 7.0) for answer in answers)]

    close = timed(*first, *second, (Input.SAFETY_ON, 15.0))
    assert close[-3:] == [Output.BEGIN, Output.UNDECIDED, Output.TAILGATED]
    later = timed(*first, *second, (Input.SAFETY_ON, 16.0))
    assert later[-2:] == [Output.BEGIN, Output.UNDECIDED]


def test_onto_the_safety_loop_from_nowhere_it_is_unknown_which_way_somebody_went() -> None:
    passage, outputs = play(Input.SAFETY_ON)
    assert outputs == [Output.BEGIN, Output.UNDECIDED, Output.DIRECTION_UNKNOWN]
    assert passage.state is State.CROSSING


def test_who_rolls_back_from_the_safety_loop_is_decided_again() -> None:
    _, outputs = play(Input.ARRIVED, Input.ADMITTED, Input.SAFETY_ON, Input.SAFETY_OFF, Input.TIME)
    assert outputs == [
        Output.BEGIN,
        Output.OPEN,
        Output.DIRECTION_UNKNOWN,
        Output.BACKED_OUT,
        Output.BEGIN,
    ]


# --- longer than one vehicle ----------------------------------------------------------------

GEOMETRY = Geometry(arrival_to_safety_m=1.0, safety_loop_m=1.0)


def crossed(on: float, left: float, off: float, geometry: Geometry | None = None) -> list[Output]:
    """What is said of a vehicle that was admitted at 1 s."""
    return timed(
        (Input.ARRIVED, 0.0),
        (Input.ADMITTED, 1.0),
        *sorted(((Input.SAFETY_ON, on), (Input.LEFT, left)), key=lambda edge: edge[1]),
        (Input.SAFETY_OFF, off),
        (Input.TIME, off + 1.5),
        timing=Timing(geometry=geometry),
    )


def test_longer_than_six_seconds_on_the_safety_loop_is_too_long_for_one_vehicle() -> None:
    assert Output.TOO_LONG not in crossed(on=2.0, left=3.0, off=8.0)
    assert crossed(on=2.0, left=3.0, off=8.1)[-2:] == [Output.TOO_LONG, Output.PASSED]


def test_where_the_loops_are_measured_a_fast_pair_is_too_long() -> None:
    """Two metres of way in half a second are four a second: eight in two seconds, less the loop."""
    assert Output.TOO_LONG in crossed(on=2.0, left=3.5, off=4.0, geometry=GEOMETRY)
    assert Output.TOO_LONG not in crossed(on=2.0, left=3.5, off=4.0)


def test_where_the_loops_are_measured_a_slow_single_car_is_not() -> None:
    assert Output.TOO_LONG not in crossed(on=2.0, left=5.0, off=7.0, geometry=GEOMETRY)


def test_without_end_on_the_safety_loop_is_too_long_for_one_vehicle_as_well() -> None:
    outputs = timed(
        (Input.ARRIVED, 0.0),
        (Input.ADMITTED, 1.0),
        (Input.SAFETY_ON, 2.0),
        (Input.LEFT, 3.0),
        (Input.TIME, 62.0),
    )
    assert outputs[-2:] == [Output.TOO_LONG, Output.PASSED_PRESUMED]


# --- waiting --------------------------------------------------------------------------------


def test_a_look_alike_is_looked_at_again_for_three_seconds_and_then_decided() -> None:
    passage, outputs = play(Input.ARRIVED, Input.LOOK_AGAIN)
    assert passage.state is State.LOOKING_AGAIN
    assert passage.wake_at == 1.0 + TIMING.second_look_s
    assert outputs == [Output.BEGIN]

    passage, outputs = play(Input.ARRIVED, Input.LOOK_AGAIN, Input.TIME, Input.REFUSED)
    assert outputs == [Output.BEGIN, Output.LAST_LOOK]
    assert passage.state is State.REFUSED


def test_a_second_look_may_admit() -> None:
    _, outputs = play(Input.ARRIVED, Input.LOOK_AGAIN, Input.ADMITTED)
    assert outputs == [Output.BEGIN, Output.OPEN]


def test_who_is_refused_loiters_after_a_minute_and_blocks_the_lane_after_two() -> None:
    refused = ((Input.ARRIVED, 0.0), (Input.REFUSED, 1.0))
    minute = (Input.TIME, 61.0)
    again = (Input.RECONSIDERED, 90.0)

    assert timed(*refused, minute)[1:] == [Output.DECIDE_AGAIN, Output.LOITERING]
    assert timed(*refused, minute, again, (Input.TIME, 121.0))[3:] == [
        Output.DECIDE_AGAIN,
        Output.DECIDE_AGAIN,
        Output.LANE_BLOCKED,
    ]


def test_what_is_decided_again_in_between_puts_no_alarm_off() -> None:
    passage = Passage()
    for what, at in ((Input.ARRIVED, 0.0), (Input.REFUSED, 1.0), (Input.RECONSIDERED, 40.0)):
        passage = step(passage, what, at, TIMING).passage
    assert passage.wake_at == 61.0


def test_the_next_vehicle_that_is_refused_is_asked_first() -> None:
    first = ((Input.ARRIVED, 0.0), (Input.REFUSED, 1.0), (Input.TIME, 61.0), (Input.LEFT, 70.0))
    second = ((Input.ARRIVED, 80.0), (Input.REFUSED, 81.0), (Input.TIME, 141.0))
    assert timed(*first, *second)[-1] is Output.LOITERING


# --- what does not work ---------------------------------------------------------------------


def test_a_failed_command_is_never_repeated_but_the_car_gets_three_decisions() -> None:
    attempt = (Input.ADMITTED, Input.FAILED, Input.TIME)
    passage, outputs = play(Input.ARRIVED, *attempt, *attempt, *attempt)
    assert outputs.count(Output.OPEN) == 3
    assert outputs[-1] is Output.LANE_BLOCKED
    assert passage.state is State.STUCK


def test_the_next_decision_after_a_failed_command_comes_three_seconds_later() -> None:
    failed, _ = play(Input.ARRIVED, Input.ADMITTED, Input.FAILED)
    assert failed.state is State.RETRYING
    assert failed.wake_at == 2.0 + 3.0


@pytest.mark.parametrize("state", [State.OPENING, State.STUCK])
def test_a_boom_under_which_a_car_was_let_in_is_down_and_the_car_is_decided_again(
    state: State,
) -> None:
    waits = Passage(state=state, arrival=True)
    after = step(waits, Input.RELEASED, 1.0, TIMING)
    assert after.outputs == (Output.DECIDE_AFRESH,)
    assert after.passage.state is State.READING


def test_a_blocked_lane_tries_again_when_something_changed() -> None:
    attempt = (Input.ADMITTED, Input.FAILED, Input.TIME)
    _, outputs = play(Input.ARRIVED, *attempt, *attempt, *attempt, Input.RECONSIDERED)
    assert outputs[-2:] == [Output.TIMED_OUT, Output.BEGIN]


def test_without_a_safety_loop_leaving_the_arrival_loop_is_presumed_to_be_passing() -> None:
    _, outputs = play(
        Input.ARRIVED, Input.ADMITTED, Input.LEFT, Input.TIME, timing=Timing(safety_loop=False)
    )
    assert outputs[-1] is Output.PASSED_PRESUMED


def test_without_a_safety_loop_the_next_arrival_tells_that_the_one_before_has_passed() -> None:
    _, outputs = play(
        Input.ARRIVED, Input.ADMITTED, Input.LEFT, Input.ARRIVED, timing=Timing(safety_loop=False)
    )
    assert outputs[-2:] == [Output.PASSED_PRESUMED, Output.BEGIN]


def test_a_safety_loop_that_never_clears_ends_the_passage_as_presumed() -> None:
    _, outputs = play(Input.ARRIVED, Input.ADMITTED, Input.SAFETY_ON, Input.LEFT, Input.TIME)
    assert outputs[-1] is Output.PASSED_PRESUMED


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("what", OUTSIDE)
def test_every_state_and_input_gives_a_state_and_a_timer_that_lies_ahead(
    state: State, what: Input
) -> None:
    for arrival in (False, True):
        after = step(Passage(state=state, arrival=arrival), what, 100.0, TIMING).passage
        assert after.state in TABLE
        assert after.wake_at is None or after.wake_at > 100.0


@pytest.mark.parametrize("state", [state for state in State if state is not State.CLEAR])
def test_every_state_but_clear_and_stuck_ends_by_itself(state: State) -> None:
    answers = TABLE[state]
    if state is not State.STUCK:
        assert Input.TIME in answers or Input.EXHAUSTED in answers


class Lane:
    """A lane that obeys, and counts."""

    def __init__(self) -> None:
        self.passage = Passage()
        self.at = 0.0
        self.begun = 0
        self.ended = 0
        self.opened_in_visit = 0

    def feed(self, what: Input) -> PassageStep:
        self.at += 1.0
        after = step(self.passage, what, self.at, TIMING)
        self.passage = after.passage
        for output in after.outputs:
            self.count(output)
        return after

    def count(self, output: Output) -> None:
        if output is Output.BEGIN:
            self.begun += 1
            self.opened_in_visit = 0
        if output is Output.OPEN:
            self.opened_in_visit += 1
        if output in ENDS:
            self.ended += 1


@given(st.lists(st.sampled_from(OUTSIDE), max_size=60))
def test_one_visit_never_opens_twice_and_visits_begin_and_end_in_turn(inputs: list[Input]) -> None:
    lane = Lane()
    for what in inputs:
        lane.feed(what)
        assert lane.opened_in_visit <= 1
        assert lane.begun - lane.ended == (lane.passage.state is not State.CLEAR)


@given(st.lists(st.sampled_from(OUTSIDE), max_size=60))
def test_nothing_opens_without_an_admission(inputs: list[Input]) -> None:
    lane = Lane()
    for what in inputs:
        after = lane.feed(what)
        assert Output.OPEN not in after.outputs or what is Input.ADMITTED
