"""Whether the loops of a lane can be believed."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.model import PassageEnd
from gatekeeper.rules.loops import (
    MISSED,
    USUAL,
    ArrivalLoop,
    Fault,
    SafetyLoop,
    after,
    changed,
    judged,
    seen,
)


def occupied() -> ArrivalLoop:
    return changed(ArrivalLoop(), True, 100.0, USUAL)


def test_a_loop_occupied_for_ten_minutes_with_nothing_in_view_is_stuck() -> None:
    loop = occupied()
    assert judged(loop, 100.0 + USUAL.stuck_s - 1, USUAL).fault is None
    assert judged(loop, 100.0 + USUAL.stuck_s, USUAL).fault is Fault.STUCK


def test_a_loop_that_is_free_is_never_stuck() -> None:
    assert judged(ArrivalLoop(), 1e6, USUAL).fault is None


def test_a_plate_or_motion_in_view_speaks_for_the_loop() -> None:
    loop = seen(occupied(), 600.0)
    assert judged(loop, 600.0 + USUAL.stuck_s - 1, USUAL).fault is None
    assert judged(loop, 600.0 + USUAL.stuck_s, USUAL).fault is Fault.STUCK


def test_a_stuck_loop_stays_so_whatever_comes_into_view_until_it_falls() -> None:
    loop = judged(occupied(), 1000.0, USUAL)
    assert judged(seen(loop, 1001.0), 1002.0, USUAL).fault is Fault.STUCK
    assert changed(loop, False, 1003.0, USUAL).fault is None


def chattering(at: float = 0.0) -> ArrivalLoop:
    loop = ArrivalLoop()
    for number in range(USUAL.edges):
        loop = changed(loop, not loop.on, at + number * 0.1, USUAL)
    return loop


def test_a_loop_that_changes_many_times_a_second_says_nothing() -> None:
    assert chattering().fault is Fault.CHATTERING


def test_a_chattering_loop_is_believed_again_when_it_has_been_quiet() -> None:
    loop = chattering()
    assert judged(loop, loop.since + USUAL.quiet_s - 1, USUAL).fault is Fault.CHATTERING
    assert judged(loop, loop.since + USUAL.quiet_s, USUAL).fault is None


def test_one_that_only_chatters_more_slowly_is_not_quiet() -> None:
    loop = chattering()
    for _ in range(20):
        loop = changed(loop, not loop.on, loop.since + USUAL.quiet_s - 1, USUAL)
    assert loop.fault is Fault.CHATTERING


def test_cars_one_after_another_do_not_chatter() -> None:
    loop, at = ArrivalLoop(), 0.0
    for _ in range(50):
        at += 0.6  # a lorry and its trailer
        loop = changed(loop, not loop.on, at, USUAL)
        assert loop.fault is None


@given(st.lists(st.tuples(st.booleans(), st.floats(0.0, 900.0)), max_size=40))
def test_a_loop_without_a_fault_is_as_it_was_told_and_a_free_one_is_never_stuck(
    levels: list[tuple[bool, float]],
) -> None:
    loop, at = ArrivalLoop(), 0.0
    for on, after_s in levels:
        at += after_s
        loop = judged(changed(loop, on, at, USUAL), at, USUAL)
        assert loop.on is on
        assert loop.on or loop.fault is not Fault.STUCK
        assert judged(loop, at, USUAL) == loop


def ended(loop: SafetyLoop, end: PassageEnd, *, opened: bool = True) -> SafetyLoop:
    return after(loop, end, opened=opened, occupied=False)


def test_a_safety_loop_that_never_clears_is_dead() -> None:
    assert after(SafetyLoop(), PassageEnd.PASSED_PRESUMED, opened=True, occupied=True).dead


def test_one_car_that_turns_back_says_nothing_of_the_safety_loop() -> None:
    assert not ended(SafetyLoop(), PassageEnd.BACKED_OUT).dead


def test_several_admitted_vehicles_in_a_row_that_it_did_not_see_make_it_dead() -> None:
    loop = SafetyLoop()
    for _ in range(MISSED):
        assert not loop.dead
        loop = ended(loop, PassageEnd.BACKED_OUT)
    assert loop.dead
    assert ended(loop, PassageEnd.PASSED_PRESUMED).dead


def test_refused_vehicles_that_back_out_say_nothing_of_it() -> None:
    loop = SafetyLoop()
    for _ in range(9):
        loop = ended(loop, PassageEnd.BACKED_OUT, opened=False)
    assert loop == SafetyLoop()


def test_a_visit_that_timed_out_says_nothing_of_it() -> None:
    loop = replace(SafetyLoop(), missed=1)
    assert ended(loop, PassageEnd.TIMED_OUT) == loop


def test_the_usual_limits_are_those_of_the_situations() -> None:
    assert (USUAL.stuck_s, USUAL.edges, USUAL.edges_s, USUAL.quiet_s) == (600.0, 8, 2.0, 10.0)
    assert MISSED == 3


def edges_within(seconds: float) -> ArrivalLoop:
    """As many edges as vehicles cannot make, the first and the last so far apart."""
    loop = ArrivalLoop()
    for number in range(USUAL.edges):
        moment = 1000.0 + seconds * number / (USUAL.edges - 1)
        loop = changed(loop, not loop.on, moment, USUAL)
    return loop


def test_only_so_many_edges_within_two_seconds_are_chatter() -> None:
    assert edges_within(2.0).fault is Fault.CHATTERING
    assert edges_within(2.1).fault is None


def test_of_many_edges_the_newest_count() -> None:
    loop = edges_within(30.0)
    for number in range(USUAL.edges):
        assert loop.fault is None
        loop = changed(loop, not loop.on, 1040.0 + number * 0.2, USUAL)
    assert loop.fault is Fault.CHATTERING
