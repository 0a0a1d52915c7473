"""What breaks: cameras, power, clocks and the broker."""

from random import Random
from typing import Final

from simulators.world.agenda import HOUR_S, MINUTE_S, WEEK_S, Agenda, Deed
from simulators.world.kerb import Kerb
from simulators.world.plan import Plan
from simulators.world.wire import CONTROLLERS, LANES, Wire

NOTICED_S: Final = 90.0
"""A cut that lasts longer than this makes somebody come and lift booms, sometimes."""


class Faults:
    """Each fault comes, lasts, goes, and comes again."""

    def __init__(
        self, plan: Plan, random: Random, agenda: Agenda, wire: Wire, kerbs: dict[str, Kerb]
    ) -> None:
        self._plan = plan
        self._random = random
        self._agenda = agenda
        self._wire = wire
        self._kerbs = kerbs

    def begin(self) -> None:
        """Plan the first of each."""
        for lane in LANES:
            self._next(0.0, self._plan.camera_deaths_per_week, self._camera_dies, lane)
        for controller in CONTROLLERS:
            self._next(0.0, self._plan.power_cuts_per_week, self._power_fails, controller)
            self._next(0.0, self._plan.clock_steps_per_week, self._clock_steps, controller)
        self._next(0.0, self._plan.broker_outages_per_week, self._broker_goes)

    def _next(self, at: float, per_week: float, deed: Deed, about: object = None) -> None:
        if per_week:
            self._agenda.plan(at + self._random.expovariate(per_week / WEEK_S), deed, about)

    def _between(self, shortest: float, longest: float) -> float:
        """A duration; short ones are as frequent as long ones, on a logarithmic scale."""
        return float(shortest * (longest / shortest) ** self._random.random())

    def _camera_dies(self, at: float, lane: str) -> None:
        self._wire.camera(lane, False, at)
        self._agenda.plan(at + self._between(20.0, 20 * MINUTE_S), self._camera_revives, lane)

    def _camera_revives(self, at: float, lane: str) -> None:
        self._wire.camera(lane, True, at)
        self._next(at, self._plan.camera_deaths_per_week, self._camera_dies, lane)

    def _power_fails(self, at: float, controller: str) -> None:
        lasts = self._between(10.0, 30 * MINUTE_S)
        self._wire.power(controller, False, at)
        if lasts > NOTICED_S and self._random.random() < 0.5:
            self._agenda.plan(at + self._random.uniform(30.0, NOTICED_S), self._lift, controller)
        self._agenda.plan(at + lasts, self._power_returns, controller)

    def _lift(self, at: float, controller: str) -> None:
        for lane in CONTROLLERS[controller]:
            self._kerbs[lane].lift(at)

    def _power_returns(self, at: float, controller: str) -> None:
        for lane in CONTROLLERS[controller]:
            if "hand" in self._kerbs[lane].boom.kept_up:
                self._kerbs[lane].lower(at)
        self._wire.power(controller, True, at)
        self._next(at, self._plan.power_cuts_per_week, self._power_fails, controller)

    def _clock_steps(self, at: float, controller: str) -> None:
        """A wrong step is put right hours later; half of them the controller knows to be one."""
        by_s = self._between(1.0, 2 * HOUR_S) * self._random.choice((-1, 1))
        trusted = self._random.random() < 0.5
        self._wire.gate.clock_step(controller, by_s, trusted, at)
        back = at + self._between(10 * MINUTE_S, 10 * HOUR_S)
        self._agenda.plan(back, self._clock_is_set, (controller, -by_s))

    def _clock_is_set(self, at: float, step: tuple[str, float]) -> None:
        controller, by_s = step
        self._wire.gate.clock_step(controller, by_s, True, at)
        self._next(at, self._plan.clock_steps_per_week, self._clock_steps, controller)

    def _broker_goes(self, at: float, _: None) -> None:
        self._wire.gate.broker(False, at)
        self._agenda.plan(at + self._between(MINUTE_S, 8 * HOUR_S), self._broker_returns)

    def _broker_returns(self, at: float, _: None) -> None:
        self._wire.gate.broker(True, at)
        self._next(at, self._plan.broker_outages_per_week, self._broker_goes)
