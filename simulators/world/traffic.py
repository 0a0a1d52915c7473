"""Who comes when: the arrivals of each day."""

from bisect import bisect
from collections.abc import Callable
from itertools import accumulate, pairwise
from math import sqrt
from random import Random
from typing import Final, TypeAlias

from simulators.world.agenda import DAY_S, HOUR_S, Agenda
from simulators.world.car import Car
from simulators.world.centre import STAFF, Centre
from simulators.world.people import AGAIN, STAYS_ON, People
from simulators.world.plan import Plan
from simulators.world.truth import Vehicle

Choice: TypeAlias = Callable[[], Car]

OPEN_H: Final = (7.5, 20.0)
_BUSY: Final = ((7.5, 0.8), (8.5, 1.3), (10.5, 1.0), (12.0, 0.8), (13.5, 1.2), (16.0, 0.9))
"""From which hour on how much is going on; the last lasts until half an hour before closing."""
_NEW: Final = 0.5
"""Share of visitors who come for the first time."""
_HOT: Final = 1.7
"""Some of the staff come much more often than others."""


class Traffic:
    """Plans each day's arrivals at midnight."""

    def __init__(
        self, plan: Plan, random: Random, agenda: Agenda, centre: Centre, people: People
    ) -> None:
        self._plan = plan
        self._random = random
        self._agenda = agenda
        self._centre = centre
        self._people = people
        self._shares = list(accumulate(_of_arrivals(plan)))
        self._choices: tuple[Choice, ...] = (
            self._regular,
            self._binder,
            self._stranger,
            self._member,
            lambda: self._for_zone(random.choice(centre.exempt)),
            lambda: self._for_zone(random.choice(centre.banned)),
        )
        hours = [*(hour for hour, _ in _BUSY), OPEN_H[1] - 0.5]
        self._spans = list(pairwise(hours))
        widths = [end - start for start, end in self._spans]
        self._weights = [width * busy for width, (_, busy) in zip(widths, _BUSY, strict=True)]

    def begin(self) -> None:
        """From the first day on."""
        self._agenda.plan(0.0, self._day)

    def _day(self, midnight: float, _: None) -> None:
        """A Poisson number, drawn as its normal neighbour: there are hundreds."""
        mean = self._arrivals(int(midnight // DAY_S) % 7)
        arrivals = round(self._random.gauss(mean, sqrt(mean)))
        for _number in range(arrivals):
            self._plan_arrival(midnight + self._hour() * HOUR_S)
        self._agenda.plan(midnight + DAY_S, self._day)

    def _arrivals(self, weekday: int) -> float:
        """Mean number of arrivals on a day, so that `leaving_per_hour` comes true on weekdays."""
        plan = self._plan
        leaving = plan.leaving_per_hour * (OPEN_H[1] - OPEN_H[0])
        refused = plan.unknown + plan.blacklisted
        again = plan.internals * STAYS_ON * AGAIN
        to_zone = leaving / (1 - refused) * (1 - again)
        quiet = plan.weekend if weekday >= 5 else 1.0
        return to_zone / (1 - plan.passers_by) / (1 + plan.parties) * quiet

    def _hour(self) -> float:
        (span,) = self._random.choices(self._spans, self._weights)
        return self._random.uniform(*span)

    def _plan_arrival(self, at: float) -> None:
        self._plan_one(at)
        if self._random.random() < self._plan.parties:
            self._plan_one(at + self._random.uniform(2.0, 10.0))

    def _plan_one(self, at: float) -> None:
        draw = self._random
        if draw.random() < self._plan.passers_by:
            self._agenda.plan(at, self._arrive, self._passer_by)
            return
        kind = bisect(self._shares, draw.random() * self._shares[-1])
        if kind == 0 and draw.random() < _NEW:
            self._plan_new_visitor(at)
        else:
            self._agenda.plan(at, self._arrive, self._choices[kind])

    def _plan_new_visitor(self, at: float) -> None:
        """They have bound their plate some time before they come."""
        car = self._for_zone(self._centre.works.car(Vehicle.VISITOR))
        self._agenda.plan(at - self._random.uniform(60.0, 7 * HOUR_S), self._centre.bind, car)
        self._agenda.plan(at, self._arrive, lambda: car)

    def _arrive(self, at: float, choice: Choice) -> None:
        car = choice()
        if car.away:  # else it is here already
            self._people.arrive(at, car)

    def _passer_by(self) -> Car:
        return self._centre.works.car(Vehicle.UNKNOWN)

    def _regular(self) -> Car:
        return self._for_zone(self._random.choice(self._centre.visitors))

    def _binder(self) -> Car:
        car = self._for_zone(self._centre.works.car(Vehicle.VISITOR))
        car.binds_at_gate = True
        return car

    def _stranger(self) -> Car:
        return self._for_zone(self._centre.works.car(Vehicle.UNKNOWN))

    def _member(self) -> Car:
        """One of the staff; who waits to be pardoned seldom tries."""
        for _ in range(20):
            car = self._centre.staff[int(STAFF * self._random.random() ** _HOT)]
            if car.away and (not car.complaining or self._random.random() < 0.1):
                break
        return self._for_zone(car)

    @staticmethod
    def _for_zone(car: Car) -> Car:
        car.wants_zone = True
        return car


def _of_arrivals(plan: Plan) -> list[float]:
    """Shares of arrivals that make `plan.shares` of approaches: some of the staff come again."""
    visitors, binders, unknown, internals, *others = plan.shares
    return [visitors, binders, unknown, internals * (1 - STAYS_ON * AGAIN), *others]
