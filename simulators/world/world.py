"""The whole: builds the site, and lets time pass."""

from collections.abc import Callable
from random import Random

from simulators.world.agenda import DAY_S, HOUR_S, Agenda
from simulators.world.car import Works
from simulators.world.centre import Centre
from simulators.world.faults import Faults
from simulators.world.gate import Gate
from simulators.world.kerb import Kerb
from simulators.world.people import People
from simulators.world.plan import Plan
from simulators.world.reading import Reader
from simulators.world.traffic import Traffic
from simulators.world.truth import Truth
from simulators.world.wire import LANES, Wire


class World:
    """One site and its people, the same for the same plan and seed; it runs once."""

    def __init__(self, plan: Plan, seed: int) -> None:
        self._plan = plan
        self._seed = seed
        self._agenda = Agenda()
        self._truth = Truth()
        self._centre = Centre(plan, self._dice("centre"), Works(self._dice("works")))

    def lists(self) -> dict[str, list[str]]:
        """The plates on each list before the first day."""
        return self._centre.lists()

    def run(
        self, gate: Gate, days: float, progress: Callable[[float], None] | None = None
    ) -> Truth:
        """Let so many days pass, from midnight before a Monday; `progress` is told the days that
        have passed, once in each simulated hour. A car inside at the end stays there.
        """
        kerbs = self._build(gate)
        if progress is not None:
            self._agenda.plan(HOUR_S, self._tell, progress)
        self._pass(gate, kerbs, days * DAY_S)
        return self._truth

    def _build(self, gate: Gate) -> dict[str, Kerb]:
        agenda, plan = self._agenda, self._plan
        wire = Wire(gate, self._truth)
        people = People(plan, self._dice("people"), agenda, self._centre, self._truth)
        kerbs = {lane: self._kerb(lane, wire, people) for lane in LANES}
        people.kerbs.update(kerbs)
        self._centre.open(gate, agenda, self._truth)
        Traffic(plan, self._dice("traffic"), agenda, self._centre, people).begin()
        Faults(plan, self._dice("faults"), agenda, wire, kerbs).begin()
        return kerbs

    def _kerb(self, lane: str, wire: Wire, people: People) -> Kerb:
        missed = self._plan.missed_exits if lane.endswith("exit") else self._plan.missed_entries
        return Kerb(
            lane,
            self._plan,
            agenda=self._agenda,
            wire=wire,
            reader=Reader(self._plan, missed, self._dice(f"reader of {lane}")),
            drivers=people,
            random=self._dice(lane),
        )

    def _pass(self, gate: Gate, kerbs: dict[str, Kerb], until: float) -> None:
        agenda = self._agenda
        while True:
            due, wanted = agenda.next_at(), gate.wake_at()
            at = min(due, wanted)
            if at > until:
                return
            if due <= wanted:
                agenda.act()
            else:
                gate.wake(at)
            for lane in gate.openings():
                kerbs[lane].pulse(at)
            held = gate.held()
            for lane, kerb in kerbs.items():
                kerb.held(lane in held, at)

    def _tell(self, at: float, progress: Callable[[float], None]) -> None:
        progress(at / DAY_S)
        self._agenda.plan(at + HOUR_S, self._tell, progress)

    def _dice(self, whose: str) -> Random:
        """Each part has its own, so that what one does changes nothing for the others."""
        return Random(f"{self._seed} {whose}")
