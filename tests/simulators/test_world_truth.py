"""When something lasted, and how much of it counts for no stay: what the truth remembers."""

from hypothesis import given
from hypothesis import strategies as st

from simulators.world.truth import Spans, Truth, Vehicle, Visit, Way

moments = st.floats(0.0, 1000.0)
steps = st.lists(moments, max_size=12, unique=True).map(sorted)


def spans(*told: float) -> Spans:
    """On at the first moment, off at the second, and so on."""
    made = Spans()
    for place, at in enumerate(told):
        made.tell(place % 2 == 0, at)
    return made


def test_what_lasts_still_ends_with_the_question() -> None:
    assert spans(10.0).within(0.0, 30.0, 0.0) == [(10.0, 30.0)]


def test_only_what_lies_between_the_two_moments_is_told() -> None:
    made = spans(10.0, 20.0, 30.0, 40.0, 50.0, 60.0)
    assert made.within(15.0, 35.0, 0.0) == [(15.0, 20.0), (30.0, 35.0)]
    assert made.within(41.0, 49.0, 0.0) == []


def test_a_break_no_longer_than_asked_for_is_none() -> None:
    made = spans(10.0, 20.0, 30.0, 40.0)
    assert made.within(0.0, 99.0, 10.0) == [(10.0, 40.0)]
    assert made.within(0.0, 99.0, 9.9) == [(10.0, 20.0), (30.0, 40.0)]


def test_what_is_told_twice_changes_nothing() -> None:
    made = Spans()
    for on, at in ((False, 1.0), (True, 2.0), (True, 3.0), (False, 4.0), (False, 5.0)):
        made.tell(on, at)
    assert made.within(0.0, 9.0, 0.0) == [(2.0, 4.0)]


@given(steps, moments, moments, st.floats(0.0, 50.0))
def test_spans_lie_apart_in_order_and_within_the_question(
    told: list[float], since: float, until: float, break_s: float
) -> None:
    found = spans(*told).within(since, until, break_s)
    bounds = [moment for span in found for moment in span]
    assert bounds == sorted(bounds)
    assert all(since <= moment <= until for moment in bounds)
    assert all(begin < end for begin, end in found)


@given(steps, moments, moments)
def test_without_breaks_every_moment_is_told_as_it_was(
    told: list[float], since: float, length: float
) -> None:
    until = since + length
    lasted = sum(end - begin for begin, end in spans(*told).within(since, until, 0.0))
    begins, ends = told[::2], [*told[1::2], *([until] if len(told) % 2 else [])]
    plainly = sum(
        max(0.0, min(end, until) - max(begin, since))
        for begin, end in zip(begins, ends, strict=True)
    )
    assert abs(lasted - plainly) < 1e-6


def test_what_is_unfair_for_several_causes_at_once_counts_once() -> None:
    truth = Truth()
    truth.occupied("inner-exit", True, 100.0)
    truth.blind("inner-exit", "camera", True, 150.0)
    truth.occupied("inner-exit", False, 200.0)
    truth.blind("inner-exit", "power", True, 210.0)
    truth.blind("inner-exit", "camera", False, 250.0)
    assert truth.unfair_s("inner-exit", 0.0, 300.0, 20.0) == 200.0
    assert truth.unfair_s("inner-exit", 120.0, 220.0, 20.0) == 100.0


def test_one_lane_excuses_nothing_in_another() -> None:
    truth = Truth()
    truth.occupied("inner-entry", True, 0.0)
    truth.blind("outer-exit", "camera", True, 0.0)
    assert truth.unfair_s("inner-exit", 0.0, 100.0, 20.0) == 0.0


@given(steps, steps, moments, moments)
def test_no_more_time_is_unfair_than_has_passed(
    occupied: list[float], blind: list[float], since: float, length: float
) -> None:
    truth = Truth()
    for place, at in enumerate(occupied):
        truth.occupied("inner-exit", place % 2 == 0, at)
    for place, at in enumerate(blind):
        truth.blind("inner-exit", "power", place % 2 == 0, at)
    assert 0.0 <= truth.unfair_s("inner-exit", since, since + length, 20.0) <= length + 1e-6


def test_who_is_inside_is_counted_from_the_moment_of_entering_until_that_of_leaving() -> None:
    truth = Truth()
    visit = Visit(
        plate="闽A12345",
        vehicle=Vehicle.VISITOR,
        zone="visitor_zone",
        lane_in="inner-entry",
        entered_at=10.0,
        way_in=Way.DECIDED,
    )
    truth.enter(visit)
    truth.leave(visit, Way.READ, 20.0)
    inside = [truth.inside("visitor_zone", at) for at in (9.9, 10.0, 19.9, 20.0)]
    assert inside == [0, 1, 1, 0]
