"""Time that counts for no stay."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.rules import pauses
from gatekeeper.rules.pauses import BREAK_S, NONE, PausedTime, Span

LANES = ("inner-exit", "north-exit")


def occupied(*spans: tuple[str, float, float | None]) -> PausedTime:
    """The lanes as they were occupied, told in the order of time."""
    edges: list[tuple[float, Callable[[PausedTime, str, float], PausedTime], str]] = []
    for lane, since, until in spans:
        edges.append((since, pauses.began, lane))
        if until is not None:
            edges.append((until, pauses.ended, lane))
    paused = NONE
    for at, change, lane in sorted(edges, key=lambda edge: edge[0]):
        paused = change(paused, lane, at)
    return paused


# --- how much -------------------------------------------------------------------------------


def test_where_nothing_has_happened_nothing_is_excused() -> None:
    assert pauses.paused_s(NONE, 0, 1000) == 0
    assert pauses.settled_at(NONE, 1000) == 1000


def test_the_time_in_which_an_exit_is_occupied_is_excused() -> None:
    assert pauses.paused_s(occupied(("inner-exit", 100, 160)), 0, 1000) == 60


def test_an_occupation_that_lasts_is_excused_up_to_the_moment_asked_for() -> None:
    assert pauses.paused_s(occupied(("inner-exit", 100, None)), 0, 1000) == 900


def test_only_what_lies_within_the_stay_is_excused() -> None:
    queue = occupied(("inner-exit", 100, 200))

    assert pauses.paused_s(queue, 150, 1000) == 50
    assert pauses.paused_s(queue, 0, 130) == 30
    assert pauses.paused_s(queue, 300, 1000) == 0
    assert pauses.paused_s(queue, 0, 50) == 0


def test_two_exits_occupied_at_once_excuse_once() -> None:
    both = occupied(("inner-exit", 100, 200), ("north-exit", 150, 250))

    assert pauses.paused_s(both, 0, 1000) == 150


def test_a_break_in_which_the_next_car_rolls_up_is_excused_too() -> None:
    queue = occupied(("inner-exit", 100, 200), ("inner-exit", 200 + BREAK_S, 300))

    assert pauses.paused_s(queue, 0, 1000) == 200


def test_a_longer_break_is_not() -> None:
    queue = occupied(("inner-exit", 100, 200), ("inner-exit", 201 + BREAK_S, 300))

    assert pauses.paused_s(queue, 0, 1000) == 179


def test_a_break_of_one_lane_is_not_bridged_by_another() -> None:
    queue = occupied(("inner-exit", 100, 200), ("north-exit", 210, 300))

    assert pauses.paused_s(queue, 0, 1000) == 190


def test_edges_told_twice_or_without_their_beginning_change_nothing() -> None:
    queue = occupied(("inner-exit", 100, None))

    assert pauses.began(queue, "inner-exit", 150) == queue
    assert pauses.ended(queue, "north-exit", 150) == queue
    over = pauses.ended(queue, "inner-exit", 200)
    assert pauses.ended(over, "inner-exit", 300) == over


# --- told by another controller -------------------------------------------------------------


def test_a_span_may_be_told_of_when_it_is_over() -> None:
    told = pauses.lasted(NONE, "north/exit", 100, 160)

    assert told.spans == (Span(cause="north/exit", since=100, until=160),)
    assert pauses.paused_s(told, 0, 1000) == 60


def test_a_span_that_seems_to_end_before_it_begins_excuses_nothing() -> None:
    assert pauses.paused_s(pauses.lasted(NONE, "north/exit", 100, 90), 0, 1000) == 0


def test_breaks_of_a_queue_at_another_controller_are_bridged_in_whatever_order_it_is_told() -> None:
    first, second, third = (100, 200), (210, 300), (320, 400)
    for order in ((first, second, third), (third, first, second), (second, third, first)):
        told = NONE
        for since, until in order:
            told = pauses.lasted(told, "north/exit", since, until)
        assert pauses.paused_s(told, 0, 1000) == 300


def test_a_longer_break_at_another_controller_is_not_bridged() -> None:
    told = pauses.lasted(NONE, "north/exit", 100, 200)
    told = pauses.lasted(told, "north/exit", 221, 300)

    assert pauses.paused_s(told, 0, 1000) == 179


# --- when it is known -----------------------------------------------------------------------


def test_while_an_exit_is_occupied_no_one_knows_how_much_will_be_excused() -> None:
    assert pauses.settled_at(occupied(("inner-exit", 100, None)), 150) is None


def test_it_is_known_when_the_break_has_become_too_long_to_be_one() -> None:
    queue = occupied(("inner-exit", 100, 200))

    assert pauses.settled_at(queue, 205) == 200 + BREAK_S
    assert pauses.settled_at(queue, 300) == 300


# --- whatever happens -----------------------------------------------------------------------

Edges = list[tuple[str, int, bool]]

edges_strategy = st.lists(
    st.tuples(st.sampled_from(LANES), st.integers(0, 60), st.booleans()), max_size=20
)
"""A lane becomes occupied or free so many whole seconds after what happened before."""


def told(edges: Edges) -> tuple[PausedTime, float]:
    paused, at = NONE, 0
    for lane, pause_s, begins in edges:
        at += pause_s
        paused = (pauses.began if begins else pauses.ended)(paused, lane, at)
    return paused, at


def seconds_excused(edges: Edges, until: int) -> set[int]:
    """The same, second by second, as situations 2 says it."""
    excused: set[int] = set()
    for lane in LANES:
        at, occupied_since, free_since = 0, None, None
        for each, pause_s, begins in [*edges, ("", max(0, until), False)]:
            at += pause_s
            if each != lane:
                continue
            if begins and occupied_since is None:
                short = free_since is not None and at - free_since <= BREAK_S
                occupied_since = free_since if short else at
            elif not begins and occupied_since is not None:
                excused |= set(range(occupied_since, at))
                occupied_since, free_since = None, at
        if occupied_since is not None:
            excused |= set(range(occupied_since, until))
    return {second for second in excused if second < until}


@given(edges_strategy, st.integers(0, 300), st.integers(0, 300))
def test_it_is_the_union_of_what_each_lane_excuses_with_its_breaks(
    edges: Edges, since: int, later: int
) -> None:
    paused, last = told(edges)
    until = max(int(last), since) + later

    expected = {second for second in seconds_excused(edges, until) if second >= since}
    assert pauses.paused_s(paused, since, until) == len(expected)


@given(edges_strategy, st.integers(0, 300), st.integers(0, 300))
def test_no_more_is_excused_than_goes_by(edges: Edges, since: int, lasts_s: int) -> None:
    paused, _ = told(edges)

    assert 0 <= pauses.paused_s(paused, since, since + lasts_s) <= lasts_s


@given(edges_strategy, edges_strategy, st.integers(0, 300), st.integers(0, 100))
def test_what_is_forgotten_never_changes_the_answer_for_later_moments(
    before: Edges, afterwards: Edges, since: int, later: int
) -> None:
    paused, last = told(before)
    kept = pauses.since(paused, min(since, last))
    at = last
    for lane, pause_s, begins in afterwards:
        at += pause_s
        change = pauses.began if begins else pauses.ended
        paused, kept = change(paused, lane, at), change(kept, lane, at)
    moment = max(at, since) + later

    assert pauses.paused_s(kept, since, moment) == pauses.paused_s(paused, since, moment)
    assert pauses.settled_at(kept, moment) == pauses.settled_at(paused, moment)
    assert len(kept.spans) <= len(paused.spans)


@given(edges_strategy, edges_strategy, st.integers(0, 300))
def test_what_is_settled_stays_as_it_is(before: Edges, afterwards: Edges, since: int) -> None:
    paused, last = told(before)
    settled_at = pauses.settled_at(paused, last)
    if settled_at is None:
        return
    known = pauses.paused_s(paused, since, settled_at)
    at = settled_at
    for lane, pause_s, begins in afterwards:
        at += pause_s + 1
        paused = (pauses.began if begins else pauses.ended)(paused, lane, at)

    assert pauses.paused_s(paused, since, settled_at) == known
