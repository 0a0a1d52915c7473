"""One vehicle, or two bumper to bumper?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.rules.crossing import Geometry, apparent_length_m, seems_two

Edges = tuple[float, float, float]
GEOMETRY = Geometry(arrival_to_safety_m=3.0, safety_loop_m=1.0)


def edges(length_m: float, speed: float, geometry: Geometry = GEOMETRY) -> Edges:
    """Rear off the arrival loop, front onto the safety loop, rear off it, at a steady speed; the
    front stands at the far edge of the arrival loop at 0 s.
    """
    left_at = length_m / speed
    on_at = geometry.arrival_to_safety_m / speed
    return left_at, on_at, left_at + (on_at + geometry.safety_loop_m / speed)


def two(left_at: float | None, on_at: float, off_at: float, geometry: Geometry | None) -> bool:
    return seems_two(left_at, on_at, off_at, long_s=6.0, geometry=geometry)


def test_longer_than_six_seconds_on_the_safety_loop_is_too_much_for_one() -> None:
    assert not two(1.0, 2.0, 8.0, None)
    assert two(1.0, 2.0, 8.1, None)


def test_where_the_loops_are_not_measured_only_the_time_tells() -> None:
    assert not two(*edges(9.0, 5.0), None)
    assert apparent_length_m(*edges(9.0, 5.0), None) is None


@pytest.mark.parametrize("left_at", [None, 4.0, 5.0])
def test_a_rear_that_was_not_seen_to_leave_the_arrival_loop_gives_no_speed(
    left_at: float | None,
) -> None:
    assert apparent_length_m(left_at, 2.0, 4.0, GEOMETRY) is None
    assert not two(left_at, 2.0, 4.0, GEOMETRY)


def test_a_fast_pair_is_two_though_it_took_no_time() -> None:
    left_at, on_at, off_at = edges(7.5, 4.0)

    assert off_at - on_at < 6.0
    assert two(left_at, on_at, off_at, GEOMETRY)


def test_a_car_is_one_at_whatever_speed_it_takes_less_than_the_time() -> None:
    assert not two(*edges(4.8, 1.0), GEOMETRY)
    assert not two(*edges(4.8, 8.0), GEOMETRY)


@given(
    st.floats(2.0, 20.0),
    st.floats(0.3, 10.0),
    st.floats(0.5, 6.0),
    st.floats(0.5, 3.0),
)
def test_at_a_steady_speed_the_length_is_measured_as_it_is(
    length_m: float, speed: float, way_m: float, loop_m: float
) -> None:
    geometry = Geometry(arrival_to_safety_m=way_m, safety_loop_m=loop_m)
    measured = apparent_length_m(*edges(length_m, speed, geometry), geometry)

    assert measured == pytest.approx(length_m)


@given(st.floats(0, 20), st.floats(0, 20), st.floats(0, 20), st.floats(0.1, 10))
def test_longer_on_the_loop_is_never_taken_for_fewer(
    left_at: float, on_at: float, lasts_s: float, more_s: float
) -> None:
    """With the same rear end, a front that came earlier only makes it longer."""
    off_at = on_at + lasts_s
    shorter = two(left_at, on_at, off_at, GEOMETRY)
    longer = two(left_at, on_at - more_s, off_at, GEOMETRY)

    assert longer or not shorter
