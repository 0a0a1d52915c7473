"""Was it one vehicle that crossed the safety loop, or two bumper to bumper?

Two cars under one boom may keep the loop occupied without a break, and the second one's plate
hidden behind the first: the time on the loop, and the length that it and the speed come to, are
all that tells of it. Moments are seconds on the boot clock.

The speed is that of the rear end: it leaves the arrival loop, then the safety loop, and the way
between is known. So a fast pair is told from a slow single car, which the time alone does not do.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """A lane along the driver's way, in metres: from the far edge of the arrival loop to the near
    edge of the safety loop, the safety loop itself, and what is longer than any single vehicle
    that may come (a pair of the smallest cars is 7.5).
    """

    arrival_to_safety_m: float
    safety_loop_m: float
    longest_m: float = 6.5


def seems_two(
    left_at: float | None,
    on_at: float,
    off_at: float,
    *,
    long_s: float,
    geometry: Geometry | None,
) -> bool:
    """Whether what occupied the safety loop from `on_at` to `off_at` was too much for one vehicle.

    `left_at` is when the arrival loop became free, None if it has not. It is too much if it took
    longer than `long_s`, or if the length measured goes beyond the geometry's `longest_m`.
    """
    if off_at - on_at > long_s:
        return True
    length_m = apparent_length_m(left_at, on_at, off_at, geometry)
    return length_m is not None and geometry is not None and length_m > geometry.longest_m


def apparent_length_m(
    left_at: float | None, on_at: float, off_at: float, geometry: Geometry | None
) -> float | None:
    """How long the vehicle was, if its speed was steady; None where that cannot be measured."""
    if geometry is None or left_at is None or left_at >= off_at:
        return None
    way_m = geometry.arrival_to_safety_m + geometry.safety_loop_m
    speed = way_m / (off_at - left_at)
    return speed * (off_at - on_at) - geometry.safety_loop_m
