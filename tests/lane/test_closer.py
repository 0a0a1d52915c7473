"""A close relay: told once after a passage, and never onto anybody."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.config import BarrierSettings, InputSettings, LaneSettings
from gatekeeper.health import Health
from gatekeeper.lane.barrier import Closer
from gatekeeper.lane.context import LaneContext, LastPulse, Rooms
from gatekeeper.model import Ack, BarrierCommand, Direction, Fact, Outcome, Presence, Sensor
from gatekeeper.rules.guard import CLEAR_S, MIN_GAP_S
from gatekeeper.rules.passage import Timing
from simulators.virtual import VirtualClock, at_once

if TYPE_CHECKING:
    from gatekeeper.drivers.ports import Barrier

AFTER_S = 3.0
SENSORS = (Sensor.ARRIVAL, Sensor.SAFETY, Sensor.PHOTOCELL)
LANE = LaneSettings(
    name="in",
    zone="hall",
    direction=Direction.ENTRY,
    barrier=BarrierSettings(board="gate", coil=0, close_coil=1, close_after_s=AFTER_S),
    arrival_loop=InputSettings(board="gate", input=0),
    safety_loop=InputSettings(board="gate", input=1),
    photocell=InputSettings(board="gate", input=2),
)


@dataclass
class FakeJournal:
    """Keeps the kinds of the facts."""

    kinds: list[str] = field(default_factory=list)

    def tell(self, *facts: Fact, **_: object) -> None:
        self.kinds += [fact.kind for fact in facts]


@dataclass
class Kerb:
    """A closer with everything around it, in virtual time."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    journal: FakeJournal = field(default_factory=FakeJournal)
    last_pulse: LastPulse = field(default_factory=LastPulse)
    closings: list[float] = field(default_factory=list)
    outcome: Outcome = Outcome.DONE
    busy: bool = False
    held: bool = False

    def __post_init__(self) -> None:
        self.health = Health(self.clock)
        rooms = _Rooms(clock=self.clock, journal=self.journal, health=self.health)
        context = LaneContext(
            settings=LANE,
            policy=cast("Any", None),
            timing=Timing(),
            rooms=cast("Rooms", rooms),
            barrier=cast("Barrier", self),
            last_pulse=self.last_pulse,
            display=None,
            store_failure_admits=False,
        )
        self.closer = Closer(
            context,
            after_s=AFTER_S,
            kept_up=lambda: self.held,
            opening=lambda: self.busy,
        )

    async def close(self, command: BarrierCommand) -> Ack:
        self.closings.append(self.clock.boot_s())
        return Ack(command=command.id, outcome=self.outcome, detail="fake", at=self.clock.boot_s())

    def set(self, sensor: Sensor, on: bool) -> None:
        at = self.clock.boot_s()
        self.closer.sensed(Presence(lane="in", sensor=sensor, on=on, at=at))
        at_once(self.closer.wake())

    def wait(self, seconds: float) -> None:
        """Time passes, and the closer wakes whenever it asked to."""
        until = self.clock.true_s + seconds
        while (due := self.closer.wake_at) is not None and self.clock.true(due) < until:
            self.clock.true_s = max(self.clock.true_s, self.clock.true(due)) + 1e-9
            at_once(self.closer.wake())
        self.clock.true_s = until
        at_once(self.closer.wake())

    def clear(self) -> None:
        for sensor in SENSORS:
            self.set(sensor, on=False)

    def pass_through(self) -> None:
        """A vehicle is let in, and has passed."""
        self.closer.opens()
        self.busy = True
        self.set(Sensor.ARRIVAL, on=True)
        self.set(Sensor.SAFETY, on=True)
        self.set(Sensor.ARRIVAL, on=False)
        self.wait(2)
        self.set(Sensor.SAFETY, on=False)
        self.busy = False
        self.closer.over()


@dataclass
class _Rooms:
    clock: VirtualClock
    journal: FakeJournal
    health: Health


@pytest.fixture
def kerb() -> Kerb:
    kerb = Kerb()
    kerb.clear()
    return kerb


def test_after_a_passage_the_barrier_is_told_to_close_once(kerb: Kerb) -> None:
    kerb.pass_through()
    kerb.wait(AFTER_S - 0.1)
    assert kerb.closings == []
    kerb.wait(60)
    assert len(kerb.closings) == 1
    assert kerb.journal.kinds == ["barrier.closed"]


@pytest.mark.parametrize("sensor", SENSORS)
def test_row_26_it_waits_until_everything_was_clear_for_two_seconds(
    kerb: Kerb, sensor: Sensor
) -> None:
    kerb.pass_through()
    kerb.wait(1)
    kerb.set(sensor, on=True)
    kerb.wait(60)
    assert kerb.closings == []
    kerb.set(sensor, on=False)
    kerb.wait(CLEAR_S - 0.1)
    assert kerb.closings == []
    kerb.wait(0.2)
    assert len(kerb.closings) == 1


def test_row_26_a_close_is_dropped_as_soon_as_an_open_is_asked_for(kerb: Kerb) -> None:
    kerb.pass_through()
    kerb.wait(1)
    kerb.closer.opens()
    kerb.wait(60)
    assert kerb.closings == []


def test_row_26_nothing_closes_while_the_boom_is_to_be_kept_up(kerb: Kerb) -> None:
    kerb.pass_through()
    kerb.held = True
    kerb.wait(60)
    kerb.held = False
    kerb.wait(60)
    assert kerb.closings == []


def test_row_26_nothing_closes_that_was_not_opened_here(kerb: Kerb) -> None:
    kerb.closer.over()
    kerb.wait(60)
    assert kerb.closings == []


def test_a_boom_that_came_down_by_itself_is_not_told_to(kerb: Kerb) -> None:
    kerb.pass_through()
    kerb.set(Sensor.BOOM_UP, on=False)
    kerb.wait(60)
    assert kerb.closings == []


def test_a_closing_that_fails_is_an_alarm_and_not_repeated(kerb: Kerb) -> None:
    kerb.outcome = Outcome.FAILED
    kerb.pass_through()
    kerb.wait(60)
    assert len(kerb.closings) == 1
    assert kerb.health.stands("close_failed", "in")
    kerb.outcome = Outcome.DONE
    kerb.pass_through()
    kerb.wait(60)
    assert not kerb.health.stands("close_failed", "in")


def test_after_an_ordered_opening_that_no_vehicle_uses_it_is_closed_once(kerb: Kerb) -> None:
    kerb.closer.opens(used_within_s=30.0)
    kerb.wait(29)
    assert kerb.closings == []
    kerb.wait(60)
    assert len(kerb.closings) == 1


def test_who_uses_an_ordered_opening_is_through_before_it_is_closed(kerb: Kerb) -> None:
    kerb.closer.opens(used_within_s=30.0)
    kerb.wait(29)
    kerb.busy = True
    kerb.set(Sensor.ARRIVAL, on=True)
    kerb.wait(60)
    assert kerb.closings == []
    kerb.set(Sensor.ARRIVAL, on=False)
    kerb.busy = False
    kerb.closer.over()
    kerb.wait(60)
    assert len(kerb.closings) == 1


def test_after_a_hold_has_ended_it_is_closed_over_a_clear_lane(kerb: Kerb) -> None:
    kerb.held = True
    kerb.wait(60)
    kerb.held = False
    kerb.set(Sensor.SAFETY, on=True)
    kerb.closer.let_go()
    kerb.wait(60)
    assert kerb.closings == []
    kerb.set(Sensor.SAFETY, on=False)
    kerb.wait(60)
    assert len(kerb.closings) == 1


def test_a_boom_that_is_down_when_a_hold_ends_is_not_told_to_close(kerb: Kerb) -> None:
    kerb.set(Sensor.BOOM_UP, on=False)
    kerb.closer.let_go()
    kerb.wait(60)
    assert kerb.closings == []


def test_row_26_a_pulse_of_the_opposite_lane_keeps_its_distance_as_well(kerb: Kerb) -> None:
    kerb.closer.let_go()
    kerb.wait(AFTER_S - 0.1)
    kerb.last_pulse.at = kerb.clock.boot_s()
    kerb.wait(MIN_GAP_S - 0.1)
    assert kerb.closings == []
    kerb.wait(60)
    assert len(kerb.closings) == 1


happenings = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.sampled_from(SENSORS), st.booleans()),
        st.tuples(
            st.sampled_from(["opens", "over", "ordered", "let_go", "held", "busy"]),
            st.none(),
            st.booleans(),
        ),
        st.tuples(st.just("wait"), st.none(), st.floats(0, 5)),
    ),
    max_size=60,
)


@given(happenings)
def test_row_26_in_whatever_order_things_happen_nothing_closes_onto_anybody(
    some: list[tuple[str, Sensor | None, float]],
) -> None:
    kerb = Kerb()
    on: dict[Sensor, bool] = {}
    last_on: dict[Sensor, float] = {}
    opened = -MIN_GAP_S
    for what, sensor, value in some:
        before, now = len(kerb.closings), kerb.clock.boot_s()
        match what:
            case "set" if sensor is not None:
                if on.get(sensor, True):
                    last_on[sensor] = now
                on[sensor] = bool(value)
                kerb.set(sensor, on=bool(value))
            case "opens":
                opened = now
                kerb.closer.opens()
            case "over":
                kerb.closer.over()
            case "ordered":
                opened = now
                kerb.closer.opens(used_within_s=5.0)
            case "let_go":
                kerb.closer.let_go()
            case "held":
                kerb.held = bool(value)
            case "busy":
                kerb.busy = bool(value)
            case _:
                kerb.wait(value)
        for at in kerb.closings[before:]:
            assert not kerb.held
            assert not kerb.busy
            assert [on.get(each) for each in SENSORS] == [False, False, False]
            assert all(at - last_on[each] >= CLEAR_S - 1e-5 for each in SENSORS)
            assert at - opened >= MIN_GAP_S - 1e-5
    asked = sum(what in ("over", "ordered", "let_go") for what, _, _ in some)
    assert len(kerb.closings) <= asked
