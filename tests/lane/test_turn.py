"""The barrier that two lanes share, as each of them sees it."""

import asyncio
from dataclasses import dataclass, field

import pytest

from gatekeeper.clock import SystemClock
from gatekeeper.health import Health
from gatekeeper.lane import SharedBarrier, Side
from gatekeeper.model import Direction, Presence, Sensor
from gatekeeper.rules.turn import TurnTiming
from simulators.virtual import VirtualClock

PATIENCE_S = 30.0


@dataclass
class Ends:
    """Both lanes of a turn: what each was told, and how often it was called."""

    turn: SharedBarrier
    clock: VirtualClock
    health: Health
    sides: dict[str, Side] = field(default_factory=dict)
    told: list[tuple[str, Sensor, bool]] = field(default_factory=list)
    called: list[str] = field(default_factory=list)

    def add(self, name: str, direction: Direction) -> None:
        side = self.sides[name] = self.turn.side(name, direction)
        side.watch(lambda seen: self.told.append((seen.lane, seen.sensor, seen.on)))
        side.on_turn(lambda: self.called.append(name))

    def sensed(self, lane: str, sensor: Sensor, on: bool) -> None:
        at = self.clock.boot_s()
        self.sides[lane].sensed(Presence(lane=lane, sensor=sensor, on=on, at=at))


def both(turn: SharedBarrier, clock: VirtualClock, health: Health) -> Ends:
    ends = Ends(turn, clock, health)
    ends.add("in", Direction.ENTRY)
    ends.add("out", Direction.EXIT)
    return ends


@pytest.fixture
def ends() -> Ends:
    clock = VirtualClock()
    health = Health(clock)
    return both(
        SharedBarrier(clock=clock, health=health, timing=TurnTiming(limit_s=60.0)), clock, health
    )


def test_a_lane_that_has_to_wait_is_called_when_its_turn_comes(ends: Ends) -> None:
    assert ends.sides["in"].ask()
    assert ends.sides["out"].taken
    assert not ends.sides["out"].ask()
    assert ends.called == []
    ends.sides["in"].over()
    assert ends.called == ["out"]


def test_a_lane_that_need_not_wait_is_not_called(ends: Ends) -> None:
    assert not ends.sides["in"].taken
    assert ends.sides["in"].ask()
    assert ends.called == []


def test_an_input_that_both_lanes_are_wired_to_is_told_once(ends: Ends) -> None:
    ends.sides["out"].ask()
    for lane in ("in", "out"):
        ends.sensed(lane, Sensor.SAFETY, True)
    assert ends.told == [("out", Sensor.SAFETY, True)]


@pytest.mark.parametrize("sensor", [Sensor.BOOM_UP, Sensor.PHOTOCELL])
def test_both_lanes_see_where_the_boom_is_and_what_guards_it(ends: Ends, sensor: Sensor) -> None:
    for lane in ("in", "out"):
        ends.sensed(lane, sensor, True)
    assert ends.told == [("in", sensor, True), ("out", sensor, True)]


def test_a_clear_loop_is_told_at_the_start(ends: Ends) -> None:
    ends.sensed("in", Sensor.ARRIVAL, False)
    assert ends.told == [("in", Sensor.ARRIVAL, False)]


def test_the_barrier_that_was_pulsed_for_one_lane_was_pulsed_for_both(ends: Ends) -> None:
    ends.sides["in"].last_pulse.at = 5.0
    assert ends.sides["out"].last_pulse.at == 5.0


def test_a_boom_that_is_kept_up_for_one_lane_is_up_for_both(ends: Ends) -> None:
    keeps_up = [False]
    for side in ends.sides.values():
        side.explain(lambda: False)
    ends.sides["in"].explain(lambda: keeps_up[0])
    assert not ends.sides["out"].kept_up
    keeps_up[0] = True
    assert ends.sides["out"].kept_up


def test_a_lane_that_keeps_the_barrier_too_long_is_an_alarm_until_it_changes_hands_again(
    ends: Ends,
) -> None:
    ends.sides["in"].ask()
    ends.sides["out"].ask()
    ends.clock.true_s += 60.0
    ends.turn.late()
    assert ends.health.stands("turn_overdue", "in")
    assert ends.called == ["out"]
    ends.sides["out"].over()
    assert not ends.health.stands("turn_overdue", "in")


async def test_it_looks_after_its_time_limit_by_itself_and_says_that_it_lives() -> None:
    clock = SystemClock()
    health = Health(clock)
    turn = SharedBarrier(clock=clock, health=health, timing=TurnTiming(limit_s=0.05))
    entry, exit_ = turn.side("in", Direction.ENTRY), turn.side("out", Direction.EXIT)
    called = asyncio.Event()
    exit_.on_turn(called.set)
    running = asyncio.create_task(turn.run())
    entry.ask()
    exit_.ask()
    async with asyncio.timeout(PATIENCE_S):
        await called.wait()
    assert turn.name == "in and out"
    assert health.silent() == ()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
