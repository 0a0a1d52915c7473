"""What happens at one lane, from the loop's edge to the journal."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from gatekeeper.clock import SystemClock
from gatekeeper.model import (
    Direction,
    ListName,
    Order,
    Outcome,
    PassageEnd,
    Sensor,
    SiteState,
    ZonePolicy,
)
from gatekeeper.rules.guard import MIN_GAP_S
from gatekeeper.rules.passage import State, Timing

# `bench` is the fixture of conftest.py, whose type cannot be imported from there.
Bench = Any

VISITOR = "闽C12F57"


async def test_a_bound_visitor_is_admitted_and_passes(bench: Bench) -> None:
    await bench.list_plate(ListName.VISITORS, VISITOR)
    bench.arrive(VISITOR)
    await bench.in_state(State.OPENING)
    bench.cross()
    ended = await bench.ended()
    assert len(bench.barrier.commands) == 1
    assert (ended[0]["end"], ended[0]["plate"], ended[0]["decided"]) == ("passed", VISITOR, True)
    assert [stay["plate"] for stay in bench.facts("stay.started")] == [VISITOR]


async def test_decision_and_intent_are_journalled_before_the_outcome(bench: Bench) -> None:
    await bench.list_plate(ListName.VISITORS, VISITOR)
    bench.arrive(VISITOR)
    await bench.until(lambda: bench.facts("barrier.commanded"))
    told = [(row.kind) for row in bench.journal()]
    lane = [kind for kind in told if kind != "registry.followed"]
    assert lane == ["vehicle.arrived", "vehicle.decided", "barrier.intended", "barrier.commanded"]


class TestIntent:
    """Where the disk answers in time."""

    @pytest.fixture(params=list(Direction))
    def direction(self, request: pytest.FixtureRequest) -> Any:
        return request.param

    async def test_it_is_on_the_disk_before_the_pulse(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told: list[int] = []
        open_ = bench.barrier.open

        async def noting(command: Any) -> Any:
            told.append(len(bench.facts("barrier.intended")))
            return await open_(command)

        bench.barrier.open = noting
        monkeypatch.setattr("gatekeeper.lane.barrier.OPENING_S", 30.0)
        monkeypatch.setattr("gatekeeper.lane.barrier.PATIENCE_S", 30.0)
        monkeypatch.setattr("gatekeeper.journal.journal.SLOW_S", 30.0)
        await bench.list_plate(ListName.VISITORS, VISITOR)
        bench.arrive(VISITOR)
        await bench.until(lambda: bench.barrier.commands)
        assert told == [1]
        (commanded,) = await bench.until(lambda: bench.facts("barrier.commanded"))
        assert not commanded["behind"]


async def test_an_unknown_car_is_refused_and_admitted_as_soon_as_it_is_bound(bench: Bench) -> None:
    bench.arrive(VISITOR)
    await bench.in_state(State.REFUSED)
    assert not bench.barrier.commands
    assert bench.facts("vehicle.decided")[0]["decision"]["reason"] == "not_bound"
    await bench.list_plate(ListName.VISITORS, VISITOR)
    bench.lane.reconsider()
    await bench.until(lambda: len(bench.barrier.commands) == 1)


async def test_the_same_car_can_open_the_gate_twice_in_a_row(bench: Bench) -> None:
    await bench.list_plate(ListName.VISITORS, VISITOR)
    for count in (1, 2):
        bench.arrive(VISITOR)
        await bench.until(lambda count=count: len(bench.barrier.commands) == count)
        bench.back_out()
        await bench.ended(count)
        await asyncio.sleep(MIN_GAP_S)
    assert {end["end"] for end in bench.facts("passage.ended")} == {PassageEnd.BACKED_OUT}


async def test_an_unreadable_plate_is_refused_and_the_centre_asked(bench: Bench) -> None:
    bench.arrive("")
    await bench.in_state(State.REFUSED)
    assert bench.facts("vehicle.assistance")[0]["reason"] == "unreadable"


async def test_a_camera_that_fails_is_an_alarm_and_clears_when_it_is_back(bench: Bench) -> None:
    bench.camera.broken = True
    bench.arrive(VISITOR)
    await bench.until(lambda: bench.health.stands("camera_stale", "lane"))
    await bench.in_state(State.REFUSED)
    bench.camera.broken = False
    await bench.until(lambda: not bench.health.stands("camera_stale", "lane"))


async def test_a_refused_car_that_reverses_starts_no_stay(bench: Bench) -> None:
    bench.arrive(VISITOR)
    await bench.in_state(State.REFUSED)
    bench.back_out()
    ended = await bench.ended()
    assert ended[0]["end"] == "backed_out"
    assert not bench.facts("stay.started")


async def test_who_crosses_without_a_decision_is_counted_and_limits_no_one(bench: Bench) -> None:
    bench.arrive(VISITOR)
    await bench.in_state(State.REFUSED)
    bench.loops.set(Sensor.SAFETY, on=True)
    await bench.until(lambda: bench.health.stands("undecided_passage", "lane"))
    bench.loops.set(Sensor.ARRIVAL, on=False)
    bench.loops.set(Sensor.SAFETY, on=False)
    ended = await bench.ended()
    assert (ended[0]["end"], ended[0]["decided"]) == ("passed", False)
    assert not bench.facts("stay.started")
    await bench.until(lambda: bench.zones.state("visitor_zone").count == 1)


async def test_a_certain_entry_needs_more_reads_than_the_opening(bench: Bench) -> None:
    await bench.list_plate(ListName.INTERNALS, VISITOR)
    bench.arrive(VISITOR)
    await bench.in_state(State.OPENING)
    await bench.until(lambda: bench.camera.frames > 10)
    bench.cross()
    ended = await bench.ended()
    assert ended[0]["certain"]


async def test_a_weak_read_opens_but_is_never_certain(bench: Bench) -> None:
    await bench.list_plate(ListName.INTERNALS, VISITOR)
    bench.camera.confidence = 0.8
    bench.arrive(VISITOR)
    await bench.in_state(State.OPENING)
    bench.cross()
    ended = await bench.ended()
    assert not ended[0]["certain"]


async def test_an_order_opens_for_the_refused_car_and_is_answered(bench: Bench) -> None:
    bench.arrive(VISITOR)
    await bench.in_state(State.REFUSED)
    order = Order(
        id="order-1",
        verb="open",
        by="centre",
        reason="delivery",
        expires_at=SystemClock().instant().wall,
        lane="lane",
    )
    answer = await bench.lane.obey(order)
    assert answer.outcome == "done"
    assert [command.id for command in bench.barrier.commands] == ["order-1"]
    bench.cross()
    ended = await bench.ended()
    assert ended[0]["end"] == "passed"
    assert not ended[0]["certain"]


async def test_lockdown_refuses_a_visitor(bench: Bench) -> None:
    await bench.list_plate(ListName.VISITORS, VISITOR)
    bench.site[0] = SiteState(lockdown=True)
    bench.arrive(VISITOR)
    await bench.in_state(State.REFUSED)
    bench.site[0] = replace(bench.site[0], lockdown=False)
    bench.lane.reconsider()
    await bench.in_state(State.OPENING)


async def test_an_entry_stays_shut_when_nothing_can_be_written(bench: Bench) -> None:
    await bench.list_plate(ListName.VISITORS, VISITOR)
    bench.store.failing = True
    bench.arrive(VISITOR)
    await bench.until(lambda: bench.health.stands("store_failed", "store"))
    await bench.until(lambda: bench.lane.state in (State.RETRYING, State.STUCK))
    assert not bench.barrier.commands


async def test_a_database_that_cannot_be_written_is_an_alarm_until_it_can(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gatekeeper.journal.journal.STEADY_S", 0.1)
    bench.store.failing = True
    bench.arrive(VISITOR)
    await bench.until(lambda: bench.health.stands("store_failed", "store"))
    bench.store.failing = False
    bench.back_out()
    await bench.until(lambda: not bench.health.stands("store_failed", "store"))


async def test_a_car_that_stands_there_when_the_lane_starts_again_is_decided_again(
    bench: Bench,
) -> None:
    bench.arrive(VISITOR)
    await bench.in_state(State.REFUSED)
    await bench.restart()
    await bench.until(lambda: len(bench.facts("vehicle.arrived")) == 2)
    await bench.in_state(State.REFUSED)


async def test_a_lane_that_failed_says_that_it_does_not_know_how_a_visit_ended(
    bench: Bench,
) -> None:
    await bench.list_plate(ListName.VISITORS, VISITOR)
    bench.arrive(VISITOR)
    await bench.in_state(State.OPENING)
    assert bench.zones.state("visitor_zone").coming == 1
    await bench.restart()
    (ended,) = await bench.ended()
    assert ended["end"] == PassageEnd.TIMED_OUT
    assert ended["doubts"] == ["exit_lane_unhealthy"]
    await bench.until(lambda: len(bench.facts("vehicle.arrived")) == 2)


class TestFailingBarrier:
    """A command that failed is never repeated: the car gets new decisions."""

    @pytest.fixture
    def timing(self, timing: Timing) -> Timing:
        return replace(timing, retrying_s=MIN_GAP_S)

    async def test_there_are_three_and_then_an_alarm(self, bench: Bench) -> None:
        await bench.list_plate(ListName.VISITORS, VISITOR)
        bench.barrier.outcome = Outcome.FAILED
        bench.arrive(VISITOR)
        await bench.until(lambda: bench.health.stands("lane_blocked", "lane"))
        commands = [command.id for command in bench.barrier.commands]
        assert len(commands) == len(set(commands)) == 3


class TestExit:
    """Exits open for everybody, always."""

    @pytest.fixture
    def direction(self) -> Direction:
        return Direction.EXIT

    async def test_an_unread_car_is_let_out(self, bench: Bench) -> None:
        bench.arrive("")
        await bench.until(lambda: bench.barrier.commands)

    async def test_a_car_is_let_out_though_the_camera_is_dead(self, bench: Bench) -> None:
        bench.camera.broken = True
        bench.arrive(VISITOR)
        await bench.in_state(State.OPENING)

    async def test_a_car_is_let_out_though_nothing_can_be_written(self, bench: Bench) -> None:
        bench.store.failing = True
        bench.arrive(VISITOR)
        await bench.until(lambda: bench.barrier.commands)

    async def test_an_exit_without_a_stay_invents_none(self, bench: Bench) -> None:
        bench.arrive(VISITOR)
        await bench.in_state(State.OPENING)
        bench.cross()
        await bench.ended()
        state = bench.zones.state("visitor_zone")
        assert (state.count, state.trusted) == (0, False)
        assert not bench.facts("stay.ended")


class TestOuterEntry:
    """The outer gate admits everybody but banned plates."""

    @pytest.fixture
    def policy(self, policy: ZonePolicy) -> ZonePolicy:
        return replace(policy, admits=type(policy.admits)("everybody"))

    async def test_an_unread_car_is_admitted(self, bench: Bench) -> None:
        bench.arrive("")
        await bench.in_state(State.OPENING)

    async def test_a_banned_plate_is_refused(self, bench: Bench) -> None:
        bench.arrive("闽Z00000")
        await bench.in_state(State.REFUSED)


async def test_inputs_that_change_too_fast_are_an_alarm_until_the_lane_has_caught_up(
    bench: Bench,
) -> None:
    for number in range(400):
        bench.loops.set(Sensor.SAFETY, on=number % 2 == 0)
    assert bench.health.stands("lane_overrun", "lane")
    await bench.until(lambda: not bench.health.stands("lane_overrun", "lane"))
