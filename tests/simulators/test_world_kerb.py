"""One lane of the simulated world: what its loops see of cars, alone and close together."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.world.agenda import Agenda
from simulators.world.boom import Boom
from simulators.world.car import Car
from simulators.world.gate import Read
from simulators.world.kerb import Follow, Halt, Kerb
from simulators.world.open_gate import OpenGate
from simulators.world.plan import Plan
from simulators.world.reading import Reader
from simulators.world.train import ARRIVAL_M, SAFETY_M, Pace, Train, joined
from simulators.world.truth import Truth, Vehicle, Way
from simulators.world.wire import Wire

SHARP = replace(Plan(), misread_frames=0, blank_frames=0, persistent_misreads=0, second_plates=0)
LANE = "inner-exit"


def dice(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - cars are varied by a seed, not secured by it


metres = st.floats(3.6, 5.2)
gaps = st.floats(0.4, 6.0).filter(
    lambda gap: all(abs(gap - (end - start)) > 1e-6 for start, end in (ARRIVAL_M, SAFETY_M))
)
"""None is as long as a loop, but for a rounding."""
fronts = st.floats(0.0, 2.6)


@given(front=fronts, cars=st.lists(st.tuples(metres, gaps), min_size=1, max_size=4))
def test_a_loop_sees_each_car_once_and_in_order(
    front: float, cars: list[tuple[float, float]]
) -> None:
    train = Train(front, [length for length, _ in cars], [gap for _, gap in cars[:-1]])
    for loop in (ARRIVAL_M, SAFETY_M):
        seen = joined(train.over(loop))
        edges = [edge for span in seen for edge in span]
        assert edges == sorted(edges)
        assert len(seen) == 1 + sum(gap > loop[1] - loop[0] for gap in train.gaps_m)


@given(front=fronts, length=metres, seed=st.integers(0, 1000))
def test_the_front_is_on_the_safety_loop_before_the_rear_is_off_the_arrival_loop(
    front: float, length: float, seed: int
) -> None:
    train = Train(front, [length], [])
    pace = Pace(train, dice(seed))
    (_, off_arrival), (on_safety, off_safety) = train.over(ARRIVAL_M)[0], train.over(SAFETY_M)[0]
    assert pace.when(on_safety) < pace.when(off_arrival) < pace.when(off_safety)
    assert pace.when(off_safety) - pace.when(on_safety) < 6.7 / (1.2 * 0.9) + 1e-9


def test_a_boom_rises_in_two_seconds_and_falls_by_itself_if_no_one_comes() -> None:
    boom = Boom()
    boom.pulse(0.0)
    assert [boom.up(at) for at in (1.9, 2.0, 11.9, 12.1)] == [False, True, True, False]


def test_a_boom_falls_two_seconds_after_a_car_and_never_on_one() -> None:
    boom = Boom()
    boom.pulse(0.0)
    boom.enter()
    assert boom.up(500.0)
    boom.clear(500.0)
    assert [boom.up(at) for at in (501.9, 502.1)] == [True, False]


def test_a_pulse_while_a_car_crosses_is_for_the_next_one() -> None:
    boom = Boom()
    boom.pulse(0.0)
    boom.enter()
    assert not boom.inviting(3.0)
    boom.pulse(4.0)
    boom.clear(5.0)
    assert boom.inviting(6.0)
    assert [boom.up(at) for at in (13.9, 14.1)] == [True, False]


def test_a_boom_lifted_by_hand_stays_up_until_it_is_lowered() -> None:
    boom = Boom()
    boom.lift(0.0)
    boom.enter()
    boom.clear(5.0)
    assert boom.inviting(9_999.0)
    boom.lower(10_000.0)
    assert not boom.up(10_000.0)


class Gate(OpenGate):
    """Remembers edges and reads; opens for everybody, but for the arrivals named in `shut`."""

    def __init__(self, shut: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.edges: list[tuple[str, bool, float]] = []
        self.read: list[str] = []
        self._shut = shut
        self._arrivals = 0

    def edge(self, lane: str, sensor: str, on: bool, at: float) -> None:
        super().edge(lane, sensor, on, at)
        self.edges.append((sensor, on, at))
        if sensor == "arrival" and on:
            self._arrivals += 1
            if self._arrivals in self._shut:
                self._openings.clear()

    def look(self, lane: str, frame: int, reads: tuple[Read, ...], at: float) -> None:
        self.read.extend(read.text for read in reads)


class Script:
    """Drivers that do as they are told, and what became of them."""

    def __init__(self, follow: Follow = Follow.NOT, turning: int = 0, patience: float = 20) -> None:
        self.ends: list[tuple[str, Way | None]] = []
        self._follow = follow
        self._turning = turning
        self._patience = patience
        self.agenda = Agenda()

    def stands(self, kerb: Kerb, halt: Halt, at: float) -> None:
        self.agenda.plan(at + self._patience, lambda later, _: kerb.leave(halt, later))

    def turns_back(self, kerb: Kerb, halt: Halt) -> bool:
        self._turning -= 1
        return self._turning >= 0

    def follows(self, kerb: Kerb, car: Car, at: float) -> Follow:
        return self._follow

    def crossed(self, kerb: Kerb, halt: Halt, at: float) -> None:
        self.ends.append((halt.car.plate, halt.way))

    def backed_out(self, kerb: Kerb, halt: Halt, at: float) -> None:
        self.ends.append((halt.car.plate, None))


class Lane:
    """A kerb with two cars that come one right after the other, until nothing more happens."""

    def __init__(
        self,
        script: Script,
        gate: Gate | None = None,
        meanwhile: Callable[["Lane"], None] = lambda lane: None,
        seed: int = 1,
    ) -> None:
        self.gate = gate or Gate()
        self.script = script
        self.agenda = script.agenda
        self.wire = Wire(self.gate, Truth())
        self.kerb = Kerb(
            LANE,
            SHARP,
            agenda=self.agenda,
            wire=self.wire,
            reader=Reader(SHARP, 0.0, dice(seed)),
            drivers=script,
            random=dice(seed),
        )
        meanwhile(self)
        for at, plate in enumerate(("闽D00001", "闽D00002")):
            car = Car(plate, 4.0 + at, Vehicle.INTERNAL)
            self.agenda.plan(float(at) / 4, lambda now, car: self.kerb.join(car, now), car)
        self._run()

    def _run(self) -> None:
        while (at := self.agenda.next_at()) < float("inf"):
            self.agenda.act()
            for _ in self.gate.openings():
                self.kerb.pulse(at)

    def seen(self, sensor: str) -> list[bool]:
        return [on for what, on, _ in self.gate.edges if what == sensor]


def test_two_cars_one_by_one_are_two_arrivals_and_two_crossings() -> None:
    lane = Lane(Script())
    assert lane.seen("arrival") == [True, False, True, False]
    assert lane.seen("safety") == [True, False, True, False]
    assert lane.script.ends == [("闽D00001", Way.DECIDED), ("闽D00002", Way.DECIDED)]


@pytest.mark.parametrize("seed", range(20))
def test_bumper_to_bumper_two_cars_are_one_to_the_loops_and_the_second_is_never_read(
    seed: int,
) -> None:
    lane = Lane(Script(Follow.CLOSE), seed=seed)
    assert lane.seen("arrival") == [True, False]
    assert lane.seen("safety") == [True, False]
    assert set(lane.gate.read) == {"闽D00001"}
    assert lane.script.ends == [("闽D00001", Way.DECIDED), ("闽D00002", Way.BUMPER)]


def test_two_cars_bumper_to_bumper_are_longer_on_the_safety_loop_than_one() -> None:
    def longest(follow: Follow) -> float:
        times = [at for what, _, at in Lane(Script(follow)).gate.edges if what == "safety"]
        return max(off - on for on, off in zip(times[::2], times[1::2], strict=True))

    assert longest(Follow.CLOSE) > 1.5 * longest(Follow.NOT)


def test_a_tailgater_leaves_a_gap_on_the_safety_loop_short_or_long() -> None:
    pauses = []
    for seed in range(40):
        lane = Lane(Script(Follow.GAP), seed=seed)
        assert lane.seen("safety") == [True, False, True, False]
        assert lane.script.ends[1] == ("闽D00002", Way.TAILGATED)
        times = [at for what, _, at in lane.gate.edges if what == "safety"]
        pauses.append(times[2] - times[1])
    assert min(pauses) < 0.3
    assert max(pauses) > 1.4


def test_a_gap_shorter_than_the_arrival_loop_shows_no_second_arrival() -> None:
    arrivals = {tuple(Lane(Script(Follow.GAP), seed=seed).seen("arrival")) for seed in range(40)}
    assert arrivals == {(True, False), (True, False, True, False)}


def test_a_car_that_backs_out_leaves_its_opening_to_the_next_one() -> None:
    lane = Lane(Script(turning=1), Gate(shut=(2,)))
    assert lane.seen("safety") == [True, False]
    assert lane.script.ends == [("闽D00001", None), ("闽D00002", Way.TAKEN_OVER)]


def test_a_refused_car_is_looked_at_more_and_more_slowly_until_it_leaves() -> None:
    lane = Lane(Script(patience=30), Gate(shut=(1, 2)))
    assert lane.script.ends == [("闽D00001", None), ("闽D00002", None)]
    assert 20 < lane.gate.read.count("闽D00001") < 35


def test_without_power_nothing_is_told_and_afterwards_what_is_occupied() -> None:
    def meanwhile(lane: Lane) -> None:
        lane.wire.power("gate-inner", False, 0.0)
        lane.agenda.plan(10.0, lambda at, _: lane.wire.power("gate-inner", True, at))

    lane = Lane(Script(), meanwhile=meanwhile)
    assert lane.gate.edges[0] == ("arrival", True, 10.0)
    assert lane.script.ends[0] == ("闽D00001", Way.DECIDED)


def test_under_a_boom_lifted_by_hand_cars_pass_unheard() -> None:
    def meanwhile(lane: Lane) -> None:
        lane.wire.power("gate-inner", False, 0.0)
        lane.kerb.lift(0.0)

    lane = Lane(Script(), meanwhile=meanwhile)
    assert lane.gate.edges == []
    assert [way for _, way in lane.script.ends] == [Way.POWER_OFF, Way.POWER_OFF]


def test_a_dead_camera_shows_nothing_but_the_loops_still_work() -> None:
    lane = Lane(Script(), meanwhile=lambda lane: lane.wire.camera(LANE, False, 0.0))
    assert lane.gate.read == []
    assert lane.seen("safety") == [True, False, True, False]
