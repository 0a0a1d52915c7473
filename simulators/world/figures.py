"""The truth in figures."""

from collections import Counter
from collections.abc import Iterable
from typing import TypeAlias

from simulators.world.agenda import DAY_S, HOUR_S
from simulators.world.traffic import OPEN_H
from simulators.world.truth import Outcome, Truth, Vehicle, Visit, Way

Figures: TypeAlias = dict[str, float | dict[str, int]]

OVERSTAY_S = 660.0
"""Ten minutes and one of grace, as the site allows internal cars."""
WORKDAYS = 5


def figures(truth: Truth, days: float) -> Figures:
    """What a run of so many days has brought. Visits and ways are those of the visitor zone;
    double misses those of the car park, unread at its entry and at its exit.
    """
    zone = [visit for visit in truth.visits if visit.zone == "visitor_zone"]
    internal = [visit for visit in zone if visit.vehicle is Vehicle.INTERNAL]
    return {
        "journeys": truth.journeys,
        "leaving_per_hour": round(leaving_per_hour(zone, days), 2),
        "visits": _counted(visit.vehicle for visit in zone),
        "overstays": sum((visit.counted_s or 0) > OVERSTAY_S for visit in internal),
        "ways_in": _counted(visit.way_in for visit in zone),
        "ways_out": _counted(visit.way_out or "inside" for visit in zone),
        "internal_ways_out": _counted(visit.way_out or "inside" for visit in internal),
        "double_misses": sum(
            visit.way_in is Way.UNREAD and visit.way_out is Way.UNREAD for visit in truth.visits
        ),
        "backed_out": _counted(
            approach.lane for approach in truth.approaches if approach.outcome is Outcome.BACKED_OUT
        ),
    }


def leaving_per_hour(visits: list[Visit], days: float) -> float:
    """How many leave in an hour of a weekday in opening hours; of whole weeks, or of days up to
    the fifth.
    """
    weeks, rest = divmod(days, 7)
    hours = (weeks * WORKDAYS + min(rest, WORKDAYS)) * (OPEN_H[1] - OPEN_H[0])
    return sum(_in_hours(visit.left_at) for visit in visits) / hours if hours else 0.0


def _in_hours(at: float | None) -> bool:
    if at is None or at // DAY_S % 7 >= WORKDAYS:
        return False
    return OPEN_H[0] <= at % DAY_S / HOUR_S < OPEN_H[1]


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(Counter(str(word) for word in words))
