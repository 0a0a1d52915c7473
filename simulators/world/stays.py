"""How long people stay."""

from bisect import bisect, insort
from math import log
from random import Random
from typing import Final

from simulators.world.agenda import DAY_S, HOUR_S, MINUTE_S
from simulators.world.car import Car
from simulators.world.plan import Plan
from simulators.world.truth import Vehicle

CLOSING_S: Final = 20 * HOUR_S
WAVES_S: Final = (12 * HOUR_S, 17.75 * HOUR_S)
"""Towards noon and in the evening many leave at the same time."""
_WAVE_WIDTH_S: Final = 40 * MINUTE_S
_WITH_THE_WAVE: Final = 0.4
_VISIT_MIN: Final = (10.0, 240.0)
_COMFORTABLE: Final = 25
"""With more visitors than this in the mean, the zone of sixty would be full again and again: with
more traffic they stay shorter."""
_OVER_NIGHT: Final = 0.002
_TOGETHER_S: Final = 120.0
"""Who would leave so soon before another waits for them, if they leave together."""


class Stays:
    """Draws how long a car stays, in seconds from now until it makes for the exit."""

    def __init__(self, plan: Plan, random: Random) -> None:
        self._plan = plan
        self._random = random
        self._longest_min = _longest(plan.leaving_per_hour * (plan.visitors + plan.binders))
        self._leaving: list[float] = []  # when those inside will make for the exit, sorted

    def in_zone(self, car: Car, at: float) -> float:
        """A stay in the visitor zone."""
        if car.vehicle is Vehicle.INTERNAL:
            leaves = at + self._internal()
        else:
            stay = self._between(_VISIT_MIN[0], self._longest_min)
            leaves = at + self._until_closing(at, stay)
        leaves = self._together(leaves, at)
        insort(self._leaving, leaves)
        return leaves - at

    def in_car_park(self, at: float) -> float:
        """A stay in the car park only."""
        return self._until_closing(at, self._between(20, 540))

    def in_between(self) -> float:
        """A while in the car park before or after the visitor zone."""
        return self._between(5, 90)

    def _internal(self) -> float:
        draw = self._random.random()
        if draw < self._plan.overstays:
            return self._between(12, 180)
        if draw < self._plan.overstays + self._plan.near_limit:
            return self._random.uniform(9.5, 11.5) * MINUTE_S
        return self._random.uniform(2.0, 9.5) * MINUTE_S

    def _together(self, leaves: float, at: float) -> float:
        """A time to leave, or a few seconds after the next one who leaves. A driver whose limit
        comes near does not wait for others.
        """
        del self._leaving[: bisect(self._leaving, at)]
        place = bisect(self._leaving, leaves)
        if self._random.random() >= self._plan.together or place == len(self._leaving):
            return leaves
        other = self._leaving[place] + self._random.uniform(0.5, 5.0)
        near = 9.4 * MINUTE_S < other - at < 12 * MINUTE_S
        return leaves if near or other - leaves > _TOGETHER_S else other

    def _until_closing(self, at: float, stay_s: float) -> float:
        """A stay, moved to a wave of leaving cars or cut short by closing time."""
        draw = self._random
        midnight = at // DAY_S * DAY_S
        if draw.random() < _OVER_NIGHT:
            return midnight + DAY_S + draw.uniform(6.5, 9) * HOUR_S - at
        for wave in WAVES_S:
            off = midnight + wave - (at + stay_s)
            if abs(off) < min(_WAVE_WIDTH_S, stay_s / 2) and draw.random() < _WITH_THE_WAVE:
                return max(10 * MINUTE_S, stay_s + off + draw.expovariate(1 / 150))
        latest = midnight + CLOSING_S + draw.uniform(0, 20 * MINUTE_S)
        return max(2 * MINUTE_S, min(stay_s, latest - at))

    def _between(self, shortest_min: float, longest_min: float) -> float:
        """Short stays are as frequent as long ones, on a logarithmic scale."""
        ratio = longest_min / shortest_min
        return float(shortest_min * ratio ** self._random.random() * MINUTE_S)


def _longest(visitors_per_hour: float) -> float:
    """The longest visit in minutes that keeps the zone comfortable."""
    shortest, longest = _VISIT_MIN
    while longest > 1.5 * shortest:
        mean_h = (longest - shortest) / log(longest / shortest) / 60
        if visitors_per_hour * mean_h <= _COMFORTABLE:
            break
        longest *= 0.95
    return longest
