"""The people at the centre: who is on which list, and the changes they make, some of them late."""

from random import Random
from typing import Final

from simulators.world.agenda import DAY_S, HOUR_S, WEEK_S, Agenda, Deed
from simulators.world.car import Car, Works
from simulators.world.gate import Gate
from simulators.world.plan import Plan
from simulators.world.truth import Truth, Vehicle

STAFF: Final = 200
FLEET: Final = 8
"""So many cars of one owner have consecutive numbers."""
BOUND_AT_FIRST: Final = 300
BOUND_AT_MOST: Final = 3_000
EXEMPT: Final = 5
BANNED: Final = 8
"""When somebody is banned, who was first of so many is pardoned."""


class Centre:
    """Keeps the lists, and tells the gates of each change."""

    def __init__(self, plan: Plan, random: Random, works: Works) -> None:
        official = round(STAFF * plan.fleets)
        sizes = [min(FLEET, official - first) for first in range(0, official, FLEET)]
        fleets = [car for size in sizes for car in works.fleet(Vehicle.INTERNAL, size)]
        others = [works.car(Vehicle.INTERNAL) for _ in range(STAFF - len(fleets))]
        self.works = works
        self.staff = fleets + others
        random.shuffle(self.staff)
        self.visitors = [works.car(Vehicle.VISITOR) for _ in range(BOUND_AT_FIRST)]
        self.exempt = [works.car(Vehicle.EXEMPT) for _ in range(EXEMPT)]
        self.banned: list[Car] = []
        self._bound = {car.plate for car in self.visitors}
        self._plan = plan
        self._random = random
        self._gate: Gate
        self._agenda: Agenda

    def lists(self) -> dict[str, list[str]]:
        """The plates on each list before the first day."""
        return {
            "visitors": [car.plate for car in self.visitors],
            "internals": [car.plate for car in self.staff],
            "exempt": [car.plate for car in self.exempt],
            "blacklist": [],
        }

    def open(self, gate: Gate, agenda: Agenda, truth: Truth) -> None:
        """Start work, before the first day."""
        self._gate, self._agenda, self._truth = gate, agenda, truth
        agenda.plan(7 * HOUR_S, self._recount)
        agenda.plan(7.2 * HOUR_S, self._ban)
        self._in_weeks(self._plan.staff_changes_per_week, self._change_staff)

    def is_bound(self, car: Car) -> bool:
        """Whether a car is on the visitors' list."""
        return car.plate in self._bound

    def bind(self, at: float, car: Car) -> None:
        """A visitor binds a plate; of too many, somebody's is taken off the list."""
        self._bound.add(car.plate)
        self.visitors.append(car)
        self._gate.bind(car.plate, at)
        if len(self.visitors) > BOUND_AT_MOST:
            self._unbind(at)

    def complain(self, car: Car, at: float) -> None:
        """A refused member of the staff comes by the next day, and is pardoned in time; so is who
        was refused for another reason and stands on no list.
        """
        if not car.complaining:
            car.complaining = True
            heard = (at // DAY_S + 1) * DAY_S + 9 * HOUR_S
            self._agenda.plan(heard + self._plan.pardon_days * DAY_S, self._pardon, car)

    def _pardon(self, at: float, car: Car) -> None:
        car.complaining = False
        self._gate.list_change("blacklist", car.plate, True, at)

    def _unbind(self, at: float) -> None:
        place = self._random.randrange(len(self.visitors) - 1)
        car = self.visitors[place]
        if car.away:
            self.visitors[place] = self.visitors[-1]
            self.visitors.pop()
            self._bound.discard(car.plate)
            self._gate.list_change("visitors", car.plate, True, at)

    def _recount(self, at: float, _: None) -> None:
        for zone in ("car_park", "visitor_zone"):
            self._gate.recount(zone, self._truth.inside(zone, at), at)
        self._agenda.plan(at + DAY_S, self._recount)

    def _ban(self, at: float, _: None) -> None:
        car = self.works.car(Vehicle.BLACKLISTED)
        self.banned.append(car)
        self._gate.list_change("blacklist", car.plate, False, at)
        if len(self.banned) > BANNED:
            self._gate.list_change("blacklist", self.banned.pop(0).plate, True, at)
        self._in_weeks(self._plan.bans_per_week, self._ban, at)

    def _change_staff(self, at: float, _: None) -> None:
        """Somebody drives another car from today on, and the list learns of it late."""
        place = self._random.randrange(STAFF)
        old = self.staff[place]
        if old.away:
            new = self.staff[place] = self.works.car(Vehicle.UNKNOWN)
            late = at + self._random.uniform(0, 2 * DAY_S)
            self._agenda.plan(late, self._enlist, (new, old))
        self._in_weeks(self._plan.staff_changes_per_week, self._change_staff, at)

    def _enlist(self, at: float, cars: tuple[Car, Car]) -> None:
        new, old = cars
        new.vehicle = Vehicle.INTERNAL
        self._gate.list_change("internals", new.plate, False, at)
        self._gate.list_change("internals", old.plate, True, at)

    def _in_weeks(self, per_week: float, deed: Deed, at: float = 0.0) -> None:
        if per_week:
            self._agenda.plan(at + self._random.expovariate(per_week / WEEK_S), deed)
