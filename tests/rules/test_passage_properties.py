"""The lane's state machine against its own table, in every memory it can come to have.

Nothing here names a state or an input: what the table gains, these properties hold of it too.
"""

from collections.abc import Iterable
from dataclasses import replace

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
    Timing,
    step,
)

Heard = tuple[Input, float]
"""What came in, and how many seconds after the one before."""

HISTORIES = st.lists(st.tuples(st.sampled_from(Input), st.floats(0.0, 200.0)), max_size=40)
TIMINGS = st.builds(
    Timing,
    reading_s=st.floats(0.1, 10.0),
    opening_s=st.floats(0.1, 60.0),
    closing_s=st.floats(0.1, 5.0),
    attempts=st.integers(1, 4),
    safety_loop=st.booleans(),
)
ASIDE = {Output.TOO_LONG, Output.TAILGATED}
"""What the edges of the loops tell beside where the table leads."""

RESTING = [state for state in State if Input.TIME not in TABLE[state]]


def remembered(history: Iterable[Heard], timing: Timing) -> tuple[Passage, float]:
    """What a lane remembers after all this, and the time by then."""
    passage, at = Passage(), 0.0
    for what, after_s in history:
        at += after_s
        passage = step(passage, what, at, timing).passage
    return passage, at


def legal(state: State) -> set[tuple[State, tuple[Output, ...]]]:
    """Where the table leads from here; a visit that ends may be followed by the next at once."""
    moves = {(move.to, move.outputs) for move in TABLE[state].values()}
    begun = {(move.to, move.outputs) for move in TABLE[State.CLEAR].values()}
    ended = {outputs for to, outputs in moves if to is State.CLEAR}
    return moves | {(to, end + begin) for end in ended for to, begin in begun}


@given(HISTORIES, st.sampled_from(Input), TIMINGS)
def test_an_input_makes_a_move_of_the_table_or_nothing_happens(
    history: list[Heard], what: Input, timing: Timing
) -> None:
    before, at = remembered(history, timing)
    after = step(before, what, at, timing)
    nothing = (before.state, before.wake_at, ())
    if (after.passage.state, after.passage.wake_at, after.outputs) != nothing:
        outputs = tuple(output for output in after.outputs if output not in ASIDE)
        assert (after.passage.state, outputs) in legal(before.state)


@given(HISTORIES, st.sampled_from(Input), TIMINGS)
def test_who_moves_is_woken_later_and_who_does_not_as_before(
    history: list[Heard], what: Input, timing: Timing
) -> None:
    before, at = remembered(history, timing)
    after = step(before, what, at, timing)
    if after.passage.wake_at != before.wake_at:
        assert after.passage.wake_at is None or after.passage.wake_at > at


@given(HISTORIES, TIMINGS)
def test_a_state_asks_to_be_woken_if_and_only_if_it_heeds_time(
    history: list[Heard], timing: Timing
) -> None:
    passage, _ = remembered(history, timing)
    assert (passage.wake_at is None) == (passage.state in RESTING)


@given(HISTORIES, TIMINGS)
def test_a_lane_that_has_emptied_is_clear_after_a_while_and_remembers_no_more_than_moments(
    history: list[Heard], timing: Timing
) -> None:
    passage, at = remembered(history, timing)
    for what in (Input.LEFT, Input.SAFETY_OFF):
        passage = step(passage, what, at, timing).passage
    for _ in State:
        at = at if passage.wake_at is None else max(at, passage.wake_at)
        passage = step(passage, Input.TIME, at, timing).passage
    assert replace(passage, left_at=None, on_at=None, through_at=None) == Passage()


@given(HISTORIES, st.sampled_from(Input), TIMINGS)
def test_the_same_memory_and_input_always_give_the_same(
    history: list[Heard], what: Input, timing: Timing
) -> None:
    before, at = remembered(history, timing)
    assert step(before, what, at, timing) == step(before, what, at, timing)


@pytest.mark.parametrize("state", State)
def test_every_state_can_be_reached_and_left(state: State) -> None:
    others = [before for before in State if before is not state]
    assert any(move.to is state for before in others for move in TABLE[before].values())
    assert any(move.to is not state for move in TABLE[state].values())


def test_a_move_ends_a_visit_if_and_only_if_it_leads_to_a_clear_lane() -> None:
    for moves in TABLE.values():
        for move in moves.values():
            ends = [output for output in move.outputs if output in ENDS]
            assert len(ends) == (move.to is State.CLEAR)
