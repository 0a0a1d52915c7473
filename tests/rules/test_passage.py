"""The lane's state machine, alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.rules.passage import (
    ENDS,
    TABLE,
    Input,
    Output,
    Passage,
    State,
    Step,
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
    Input.FAILED,
    Input.RECONSIDERED,
    Input.TIME,
]


def play(*inputs: Input, timing: Timing = TIMING) -> tuple[Passage, list[Output]]:
    passage, outputs = Passage(), list[Output]()
    for at, what in enumerate(inputs):
        after = step(passage, what, float(at), timing)
        passage = after.passage
        outputs += after.outputs
    return passage, outputs


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


def test_a_gap_on_the_safety_loop_without_a_new_arrival_is_the_same_vehicle() -> None:
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
    assert outputs == [Output.BEGIN, Output.OPEN, Output.PASSED]


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
    ]
    assert not passage.decided


def test_who_rolls_back_from_the_safety_loop_is_decided_anew() -> None:
    _, outputs = play(Input.ARRIVED, Input.ADMITTED, Input.SAFETY_ON, Input.SAFETY_OFF, Input.TIME)
    assert outputs == [Output.BEGIN, Output.OPEN, Output.BACKED_OUT, Output.BEGIN]


def test_a_failed_command_is_never_repeated_but_the_car_gets_three_decisions() -> None:
    attempt = (Input.ADMITTED, Input.FAILED, Input.TIME)
    passage, outputs = play(Input.ARRIVED, *attempt, *attempt, *attempt)
    assert outputs.count(Output.OPEN) == 3
    assert outputs[-1] is Output.LANE_BLOCKED
    assert passage.state is State.STUCK


def test_a_blocked_lane_tries_again_when_something_changed() -> None:
    attempt = (Input.ADMITTED, Input.FAILED, Input.TIME)
    _, outputs = play(Input.ARRIVED, *attempt, *attempt, *attempt, Input.RECONSIDERED)
    assert outputs[-2:] == [Output.TIMED_OUT, Output.BEGIN]


def test_without_a_safety_loop_leaving_the_arrival_loop_is_presumed_to_be_passing() -> None:
    _, outputs = play(
        Input.ARRIVED, Input.ADMITTED, Input.LEFT, Input.TIME, timing=Timing(safety_loop=False)
    )
    assert outputs[-1] is Output.PASSED_PRESUMED


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

    def feed(self, what: Input) -> Step:
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
