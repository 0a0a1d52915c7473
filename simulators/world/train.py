"""Cars that cross a lane close behind one another: where they are tells what the loops see."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, TypeAlias

ARRIVAL_M: Final = (0.0, 2.0)
SAFETY_M: Final = (3.0, 4.5)
"""Near and far edge of the loops along the lane."""
SPEEDS_M_S: Final = (1.2, 2.6)

Span: TypeAlias = tuple[float, float]
"""Distances the first car has driven when something begins and ends."""


@dataclass(frozen=True, slots=True)
class Train:
    """One or more cars that set out together; all drive at the speed of the first.

    `front_m` is where the first one's front stands; `lengths_m` has each car's length, `gaps_m`
    the distance from each car to the one behind it.
    """

    front_m: float
    lengths_m: Sequence[float]
    gaps_m: Sequence[float]

    def over(self, loop_m: Span) -> list[Span]:
        """When each car is over a loop, as distances driven."""
        spans, behind = [], -self.front_m
        for length, gap in zip(self.lengths_m, (*self.gaps_m, 0.0), strict=True):
            spans.append((loop_m[0] + behind, loop_m[1] + behind + length))
            behind += length + gap
        return spans


def joined(spans: Sequence[Span]) -> list[Span]:
    """What a loop sees of the spans: cars closer than its own length are one to it."""
    seen = [spans[0]]
    for start, end in spans[1:]:
        if start <= seen[-1][1]:
            seen[-1] = (seen[-1][0], end)
        else:
            seen.append((start, end))
    return seen


class Pace:
    """When a distance has been driven, in seconds: nearly constant speed, a little faster or
    slower once the first car is over the safety loop and again when it has left the arrival loop.
    """

    __slots__ = ("_breaks", "_speeds")

    def __init__(self, train: Train, random: Random) -> None:
        speed = random.uniform(*SPEEDS_M_S)
        self._speeds = [speed * random.uniform(0.9, 1.1) for _ in range(3)]
        rear = train.lengths_m[0] - train.front_m
        self._breaks = (SAFETY_M[0] - train.front_m, ARRIVAL_M[1] + rear)

    def when(self, distance_m: float) -> float:
        """Seconds after setting out."""
        first, second = self._breaks
        slow, middle, fast = self._speeds
        if distance_m <= first:
            return distance_m / slow
        if distance_m <= second:
            return first / slow + (distance_m - first) / middle
        return first / slow + (second - first) / middle + (distance_m - second) / fast
