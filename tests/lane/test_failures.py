"""A lane that cannot go blind: what fails beneath it, and what it does all the same."""

import asyncio
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gatekeeper.clock import SystemClock
from gatekeeper.config import LaneSettings, SnapshotSettings
from gatekeeper.drivers.camera import open_camera
from gatekeeper.errors import PartEndedError
from gatekeeper.lane.camera import CameraLoop
from gatekeeper.lane.service import Service
from gatekeeper.model import Direction, ListName, Order, OrderAnswer, Sensor
from gatekeeper.rules.passage import State, Timing

# `bench` is the fixture of conftest.py, whose type cannot be imported from there.
Bench = Any

PATIENCE_S = 30.0

VISITOR = "闽C12F57"
AMBULANCE = "闽A00120"


def part_of(bench: Bench, part: str) -> "asyncio.Task[None]":
    """The running task of one part of the lane."""
    (task,) = (each for each in asyncio.all_tasks() if each.get_name() == f"lane lane: {part}")
    return task


async def failed(bench: Bench) -> BaseException | None:
    """Wait until the lane has ended, and say by what."""
    await asyncio.wait({bench.running})
    error: BaseException | None = bench.running.exception()
    return error


# --- its parts --------------------------------------------------------------------------------


async def test_an_entry_whose_lane_has_failed_stays_shut(bench: Bench) -> None:
    await bench.until(lambda: bench.camera.frames)
    part_of(bench, "service").cancel()
    await failed(bench)
    assert bench.lane.holder.is_idle


@pytest.mark.parametrize("part", ["camera", "inputs", "service"])
async def test_a_part_that_is_cancelled_ends_the_lane_which_begins_again(
    bench: Bench, part: str
) -> None:
    await bench.until(lambda: bench.camera.frames)
    part_of(bench, part).cancel()
    assert isinstance(await failed(bench), PartEndedError)
    await bench.restart()
    await bench.list_plate(ListName.VISITORS, VISITOR)
    bench.arrive(VISITOR)
    await bench.in_state(State.OPENING)


async def test_a_part_that_returns_ends_the_lane(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def at_once(_: object) -> None:
        return

    monkeypatch.setattr(CameraLoop, "run", at_once)
    await bench.restart()
    assert isinstance(await failed(bench), PartEndedError)


async def test_a_part_that_fails_ends_the_lane_and_says_by_what(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise RuntimeError("a fault of the program")

    monkeypatch.setattr(Service, "sensed", fails)
    bench.arrive(VISITOR)
    assert "a fault of the program" in str(await failed(bench))


async def test_a_lane_that_failed_sees_again_in_its_next_life(bench: Bench) -> None:
    """A picture was being read when it failed."""
    await bench.list_plate(ListName.VISITORS, VISITOR)
    for _ in range(3):
        seen = bench.camera.frames
        await bench.restart()
        await bench.until(lambda seen=seen: bench.camera.frames > seen + 2)
        assert not bench.running.done()
    bench.arrive(VISITOR)
    await bench.in_state(State.OPENING)
    assert bench.facts("vehicle.decided")[-1]["decision"]["plate"] == VISITOR


async def test_no_heartbeat_outlives_the_lane(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.until(lambda: bench.camera.frames)
    bench.running.cancel()
    await asyncio.gather(bench.running, return_exceptions=True)
    later = SystemClock().awake_s() + 3600.0
    monkeypatch.setattr(SystemClock, "awake_s", lambda _: later)
    assert "lane lane" not in bench.health.silent()
    assert "hold lane" in bench.health.silent()


# --- its camera -------------------------------------------------------------------------------


class TestExit:
    """Exits open for everybody, whatever fails."""

    @pytest.fixture
    def direction(self) -> Direction:
        return Direction.EXIT

    async def test_row_34_with_the_password_of_its_camera_missing_it_opens_on_its_loop(
        self, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings = SnapshotSettings(
            kind="snapshot",
            url="http://127.0.0.1:1/picture",
            username="gate",
            password_file=tmp_path / "absent",
        )
        camera = open_camera("lane", settings)
        monkeypatch.setattr(type(bench.camera), "frame", lambda _: camera.frame())
        bench.arrive(VISITOR)
        await bench.until(lambda: bench.barrier.commands)
        await bench.until(lambda: bench.health.stands("camera_stale", "lane"))
        (alarm,) = (each for each in bench.health.alarms if each.alarm == "camera_stale")
        assert "absent: password file cannot be read" in alarm.detail
        await camera.close()

    async def test_a_recogniser_that_fails_unforeseen_is_a_stale_camera_and_the_exit_opens(
        self, bench: Bench
    ) -> None:
        bench.reader.broken = True
        bench.arrive(VISITOR)
        await bench.until(lambda: bench.barrier.commands)
        await bench.until(lambda: bench.health.stands("camera_stale", "lane"))
        assert not bench.running.done()

    async def test_while_its_lane_has_failed_it_is_held_open_and_no_longer(
        self, bench: Bench
    ) -> None:
        bench.loops.set(Sensor.SAFETY, on=False)
        await bench.until(lambda: bench.camera.frames)
        part_of(bench, "service").cancel()
        await failed(bench)
        await bench.until(lambda: bench.barrier.held)
        (told,) = await bench.until(lambda: bench.facts("barrier.held"))
        assert told["reason"] == "lane_failed"

        await bench.restart()
        await bench.until(lambda: not bench.barrier.held)

    async def test_a_lane_that_is_stopped_holds_nothing(self, bench: Bench) -> None:
        await bench.until(lambda: bench.camera.frames)
        await bench.restart()
        await bench.in_state(State.CLEAR)
        assert bench.lane.holder.is_idle

    async def test_row_32_an_exit_opens_while_the_disk_hangs_and_is_marked_so(
        self, bench: Bench
    ) -> None:
        bench.store.hangs = asyncio.Event()
        bench.arrive(VISITOR)
        await bench.until(lambda: bench.barrier.commands)
        bench.store.hangs.set()
        await bench.until(lambda: bench.facts("barrier.commanded"))
        (commanded,) = bench.facts("barrier.commanded")
        assert (commanded["outcome"], commanded["behind"]) == ("done", True)

    async def test_row_32_an_exit_opens_while_the_lists_cannot_be_read_and_the_plate_is_known(
        self, bench: Bench
    ) -> None:
        bench.store.unread = asyncio.Event()
        bench.arrive(VISITOR)
        await bench.in_state(State.OPENING)
        bench.cross()
        (ended,) = await bench.ended()
        assert (ended["end"], ended["plate"], ended["certain"]) == ("passed", VISITOR, False)
        assert bench.facts("vehicle.decided")[0]["decision"]["reason"] == "store_failed"

    async def test_row_32_an_exit_opens_though_nothing_writes_the_journal(
        self, bench: Bench
    ) -> None:
        bench.writer.cancel()
        bench.arrive(VISITOR)
        await bench.until(lambda: bench.barrier.commands)

    async def test_row_32_the_next_one_is_let_out_as_well(self, bench: Bench) -> None:
        bench.store.hangs = asyncio.Event()
        for count in (1, 2):
            bench.arrive(VISITOR)
            await bench.until(lambda count=count: len(bench.barrier.commands) == count)
            bench.cross()
            await bench.until(lambda: bench.lane.state is State.CLEAR)
            await asyncio.sleep(1.0)
        bench.store.hangs.set()
        await bench.ended(2)

    async def test_an_order_that_is_carried_out_late_gives_no_pulse_after_its_deadline(
        self, bench: Bench
    ) -> None:
        """Its intent waits for the disk until it is good no longer."""
        bench.store.hangs = asyncio.Event()
        soon = replace(order(), deadline=SystemClock().boot_s() + 0.1)
        assert (await bench.lane.obey(soon)).outcome == "refused"
        bench.store.hangs.set()
        await bench.until(lambda: bench.facts("barrier.commanded"))
        assert not bench.barrier.commands


class TestShortDeadline:
    """The deadline of a pulse is shorter than what its intent may be waited for."""

    @pytest.fixture
    def direction(self) -> Direction:
        return Direction.EXIT

    @pytest.fixture
    def lane_settings(self, lane_settings: LaneSettings) -> LaneSettings:
        barrier = lane_settings.barrier.model_copy(update={"deadline_ms": 100})
        return lane_settings.model_copy(update={"barrier": barrier})

    async def test_row_32_it_begins_when_the_intent_is_waited_for_no_longer(
        self, bench: Bench
    ) -> None:
        bench.store.hangs = asyncio.Event()
        bench.arrive(VISITOR)
        await bench.until(lambda: bench.barrier.commands)
        bench.store.hangs.set()
        await bench.until(lambda: bench.facts("barrier.commanded"))
        assert [each["outcome"] for each in bench.facts("barrier.commanded")] == ["done"]


async def test_row_32_an_entry_does_not_open_unwritten_and_has_a_new_decision_when_it_can(
    bench: Bench,
) -> None:
    await bench.list_plate(ListName.VISITORS, VISITOR)
    bench.store.hangs = asyncio.Event()
    bench.arrive(VISITOR)
    await bench.until(lambda: bench.lane.state is State.STUCK)
    assert not bench.barrier.commands
    bench.store.hangs.set()
    await bench.until(lambda: bench.barrier.commands)
    told = [each["outcome"] for each in bench.facts("barrier.commanded")]
    assert told[:3] == ["failed"] * 3


async def test_row_32_an_exempt_vehicle_is_let_in_while_the_disk_hangs(bench: Bench) -> None:
    await bench.list_plate(ListName.EXEMPT, AMBULANCE)
    bench.store.hangs = asyncio.Event()
    bench.arrive(AMBULANCE)
    await bench.until(lambda: bench.barrier.commands)
    bench.store.hangs.set()


# --- its orders -------------------------------------------------------------------------------


def order(name: str = "order-1") -> Order:
    wall = SystemClock().instant().wall
    return Order(id=name, verb="open", by="centre", reason="delivery", expires_at=wall, lane="lane")


async def test_an_order_that_is_given_up_while_the_lane_is_busy_opens_nothing_later(
    bench: Bench,
) -> None:
    await bench.list_plate(ListName.VISITORS, VISITOR)
    bench.store.unread = asyncio.Event()
    bench.arrive(VISITOR)
    await bench.until(lambda: bench.camera.frames > 3)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await bench.lane.obey(order())
    bench.store.unread.set()
    await bench.until(lambda: bench.barrier.commands)
    assert "order-1" not in {command.id for command in bench.barrier.commands}


async def test_an_order_that_is_given_up_while_its_intent_is_written_opens_nothing_later(
    bench: Bench,
) -> None:
    bench.store.hangs = asyncio.Event()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await bench.lane.obey(order())
    bench.store.hangs.set()
    await bench.until(lambda: bench.facts("barrier.commanded"))
    assert bench.facts("barrier.commanded")[0]["outcome"] == "failed"
    assert not bench.barrier.commands


async def test_an_order_is_answered_also_when_the_lane_fails_in_its_middle(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> OrderAnswer:
        raise RuntimeError("a fault of the program")

    monkeypatch.setattr(Service, "obey", fails)
    monkeypatch.setattr("gatekeeper.lane.mailbox.ORDER_ENDS_S", 3600.0)
    async with asyncio.timeout(PATIENCE_S):
        assert (await bench.lane.obey(order())).outcome == "unknown"


async def test_each_intent_has_an_outcome_also_when_the_lane_fails_in_between(
    bench: Bench,
) -> None:
    await bench.list_plate(ListName.VISITORS, VISITOR)
    bench.store.hangs = asyncio.Event()
    bench.arrive(VISITOR)
    await bench.until(lambda: bench.lane.state is State.OPENING)
    await bench.restart()
    bench.store.hangs.set()
    await bench.until(lambda: len(bench.facts("barrier.commanded")) == 2)
    assert bench.facts("barrier.commanded")[0]["outcome"] == "unknown"
    assert len(bench.barrier.commands) == 1


# --- its inputs -------------------------------------------------------------------------------


async def test_the_next_driver_is_noticed_though_lists_change_without_end(bench: Bench) -> None:
    """The first one leaves and the next one comes while the lane asks the lists."""
    await bench.list_plate(ListName.VISITORS, VISITOR)
    bench.store.unread = asyncio.Event()
    bench.arrive(VISITOR)
    await bench.until(lambda: bench.camera.frames > 3)
    for _ in range(1000):
        bench.lane.reconsider()
    bench.back_out()
    bench.arrive(VISITOR)
    bench.store.unread.set()
    await bench.until(lambda: len(bench.facts("vehicle.arrived")) == 2)
    assert not bench.health.stands("lane_overrun", "lane")


class TestSlowToClose:
    """A lane that is told late of what happened in time."""

    @pytest.fixture
    def timing(self, timing: Timing) -> Timing:
        return replace(timing, closing_s=1.0)

    async def test_what_happened_before_the_lane_was_late_comes_before_it(
        self, bench: Bench
    ) -> None:
        """The safety loop is occupied again in time: one long vehicle, and no second one."""
        await bench.list_plate(ListName.VISITORS, VISITOR)
        bench.arrive(VISITOR)
        await bench.in_state(State.OPENING)
        bench.cross()
        await bench.in_state(State.CLOSING)
        bench.loops.set(Sensor.SAFETY, on=True)
        _block(1.2)
        bench.loops.set(Sensor.SAFETY, on=False)
        (ended,) = await bench.ended()
        assert "safety_loop_gap" in ended["doubts"]


def _block(seconds: float) -> None:
    """The whole loop stands still."""
    threading.Event().wait(seconds)
