"""The people in the cars: where they go, how long they wait, and what they do at a barrier."""

from random import Random
from typing import Final

from simulators.world.agenda import MINUTE_S, Agenda
from simulators.world.car import Car
from simulators.world.centre import Centre
from simulators.world.kerb import Follow, Halt, Kerb
from simulators.world.plan import Plan
from simulators.world.stays import Stays
from simulators.world.truth import Approach, Outcome, Truth, Vehicle, Visit, Way

BUTTON_S: Final = 180.0
"""After so long somebody comes and lets a car out by hand."""
HURRY_S: Final = (8 * MINUTE_S, 11 * MINUTE_S)
"""An internal that has been inside so long is in a hurry."""
STAYS_ON: Final = 0.3
"""Share of the staff that park outside the zone after a visit ..."""
AGAIN: Final = 0.5
"""... and of those, how many visit it once more before they leave the site."""


class People:
    """Drives every car through the site, and notes what happens."""

    def __init__(
        self, plan: Plan, random: Random, agenda: Agenda, centre: Centre, truth: Truth
    ) -> None:
        self.kerbs: dict[str, Kerb] = {}
        self._plan = plan
        self._random = random
        self._agenda = agenda
        self._centre = centre
        self._truth = truth
        self._stays = Stays(plan, random)

    def arrive(self, at: float, car: Car) -> None:
        """A car comes to the site."""
        car.away = False
        self.kerbs["outer-entry"].join(car, at)

    # At a barrier.

    def stands(self, kerb: Kerb, halt: Halt, at: float) -> None:
        """A car has come to the front of the lane; its driver's patience is limited."""
        draw = self._random.uniform
        if kerb.is_exit:
            self._agenda.plan(at + BUTTON_S, self._press, (kerb, halt))
            return
        patience = draw(15.0, 60.0)
        if kerb.lane == "inner-entry" and halt.car.binds_at_gate:
            binds = draw(15.0, 90.0)
            patience += binds + 60.0
            self._agenda.plan(at + binds, self._bind, (kerb, halt))
        self._agenda.plan(at + patience, self._give_up, (kerb, halt))

    def turns_back(self, kerb: Kerb, halt: Halt) -> bool:
        """Whether a driver reverses out though the boom is up. At an entry those behind make
        room, and may take the opening; at an exit they do not.
        """
        if not halt.opened or (kerb.is_exit and kerb.queue):
            return False
        share = self._plan.exit_reversals if kerb.is_exit else self._plan.backing_out
        return self._random.random() < share

    def follows(self, kerb: Kerb, car: Car, at: float) -> Follow:
        """Whether the next driver drives on right behind the one ahead."""
        times = self._plan.hurry if self._in_a_hurry(car, at) else 1.0
        draw = self._random.random()
        close = self._plan.bumper_to_bumper * times
        if draw < close:
            return Follow.CLOSE
        return Follow.GAP if draw < close + self._plan.tailgating * times else Follow.NOT

    def _in_a_hurry(self, car: Car, at: float) -> bool:
        visit = car.in_zone
        if visit is None or car.vehicle is not Vehicle.INTERNAL:
            return False
        return HURRY_S[0] <= at - visit.entered_at <= HURRY_S[1]

    def _press(self, at: float, who: tuple[Kerb, Halt]) -> None:
        kerb, halt = who
        kerb.press(halt, at)

    def _give_up(self, at: float, who: tuple[Kerb, Halt]) -> None:
        kerb, halt = who
        kerb.leave(halt, at)

    def _bind(self, at: float, who: tuple[Kerb, Halt]) -> None:
        kerb, halt = who
        if kerb.halt is halt:
            halt.car.binds_at_gate = False
            self._centre.bind(at, halt.car)

    # Beyond it.

    def crossed(self, kerb: Kerb, halt: Halt, at: float) -> None:
        """The rear of a car has left the safety loop."""
        way = _way(kerb, halt)
        self._note(kerb, halt, Outcome.PASSED, way)
        match kerb.lane:
            case "outer-entry":
                self._on_site(halt.car, way, at)
            case "inner-entry":
                self._in_zone(halt.car, way, at)
            case "inner-exit":
                self._out_of_zone(halt.car, way, at)
            case _:
                self._off_site(halt.car, way, at)

    def backed_out(self, kerb: Kerb, halt: Halt, at: float) -> None:
        """A car has reversed off the arrival loop: it parks again, or drives away."""
        self._note(kerb, halt, Outcome.BACKED_OUT, None)
        car = halt.car
        if kerb.is_exit:
            _waited(car, kerb, at)
            self._go(kerb.lane, car, at + self._random.uniform(60.0, 1_200.0))
        elif kerb.lane == "outer-entry":
            car.away = True
        else:
            if car.vehicle is Vehicle.INTERNAL and not halt.opened and halt.legible:
                self._centre.complain(car, at)
            self._go("outer-exit", car, at + self._stays.in_between())

    def _on_site(self, car: Car, way: Way, at: float) -> None:
        car.on_site = Visit(car.plate, car.vehicle, "car_park", "outer-entry", at, way)
        self._truth.enter(car.on_site)
        if car.wants_zone:
            self._go("inner-entry", car, at + self._random.uniform(20.0, 90.0))
        else:
            self._go("outer-exit", car, at + self._stays.in_car_park(at))

    def _in_zone(self, car: Car, way: Way, at: float) -> None:
        car.in_zone = Visit(car.plate, car.vehicle, "visitor_zone", "inner-entry", at, way)
        self._truth.enter(car.in_zone)
        self._go("inner-exit", car, at + self._stays.in_zone(car, at))

    def _out_of_zone(self, car: Car, way: Way, at: float) -> None:
        if car.in_zone is not None:
            car.in_zone.waited_s += at - car.joined_at
            self._truth.leave(car.in_zone, way, at)
            car.in_zone = None
        drives = at + self._random.uniform(30.0, 120.0)
        if car.vehicle is not Vehicle.INTERNAL or self._random.random() >= STAYS_ON:
            self._go("outer-exit", car, drives)
        else:
            lane = "inner-entry" if self._random.random() < AGAIN else "outer-exit"
            self._go(lane, car, drives + self._stays.in_between())

    def _off_site(self, car: Car, way: Way, at: float) -> None:
        if car.on_site is not None:
            car.on_site.waited_s += at - car.joined_at
            self._truth.leave(car.on_site, way, at)
            car.on_site = None
        car.away = True
        self._truth.journeys += 1

    def _go(self, lane: str, car: Car, at: float) -> None:
        self._agenda.plan(at, self._join, (lane, car))

    def _join(self, at: float, where: tuple[str, Car]) -> None:
        lane, car = where
        self.kerbs[lane].join(car, at)

    def _note(self, kerb: Kerb, halt: Halt, outcome: Outcome, way: Way | None) -> None:
        self._truth.approaches.append(
            Approach(
                kerb.lane,
                halt.car.plate,
                halt.car.vehicle,
                halt.reached_at,
                outcome,
                way,
                self._centre.is_bound(halt.car),
                halt.shown == 0,
                halt.opened,
            )
        )


def _way(kerb: Kerb, halt: Halt) -> Way:
    way = halt.way or Way.DECIDED
    if way is not Way.DECIDED:
        return way
    if not halt.shown:
        return Way.UNREAD
    return Way.READ if kerb.is_exit else Way.DECIDED


def _waited(car: Car, kerb: Kerb, at: float) -> None:
    visit = car.in_zone if kerb.lane == "inner-exit" else car.on_site
    if visit is not None:
        visit.waited_s += at - car.joined_at
