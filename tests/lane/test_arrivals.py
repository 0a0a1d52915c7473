"""Who arrives where no loop is wired, or the loop cannot be believed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from gatekeeper.config import CameraSettings, FolderSettings, LaneSettings
from gatekeeper.drivers.motion import FIRST_LOOKS
from gatekeeper.lane import camera
from gatekeeper.model import Direction, ListName, Outcome, Pixels, Sensor
from gatekeeper.rules.guard import MIN_GAP_S
from gatekeeper.rules.loops import USUAL, Limits
from gatekeeper.rules.passage import State, Timing

# `bench` is the fixture of conftest.py, whose type cannot be imported from there.
Bench = Any

VISITOR, FOLLOWER = "闽C12F57", "京A8K3X9"
CAMERA: CameraSettings = FolderSettings(kind="folder", path=Path("pictures"))


@pytest.fixture(autouse=True)
def looks_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """The empty lane is known after ten looks: here that takes no seconds."""
    monkeypatch.setattr(camera, "IDLE_PAUSE_S", 0.02)
    monkeypatch.setattr(camera, "WATCH_PAUSE_S", 0.02)


def road() -> Pixels:
    return np.full((90, 160, 3), 100, np.uint8)


def car() -> Pixels:
    picture = road()
    for x in range(30, 130, 8):
        cv2.rectangle(picture, (x, 30), (x + 4, 80), (220, 220, 220), -1)
    return picture


def comes(bench: Bench, plate: str) -> None:
    bench.camera.pixels, bench.camera.plate = car(), plate


def goes(bench: Bench) -> None:
    bench.camera.pixels, bench.camera.plate = road(), ""


async def empty_lane(bench: Bench) -> None:
    """Wait until the camera has seen what the lane looks like when it is empty."""
    goes(bench)
    seen = bench.camera.frames
    await bench.until(lambda: bench.camera.frames >= seen + FIRST_LOOKS + 2)


class WithoutALoop:
    """A lane where no arrival loop is wired."""

    @pytest.fixture
    def lane_settings(self, lane_settings: LaneSettings) -> LaneSettings:
        return lane_settings.model_copy(update={"arrival_loop": None, "camera": CAMERA})

    @pytest.fixture
    def timing(self, timing: Timing) -> Timing:
        return replace(timing, arrival_lag_s=30.0)


class TestWithoutALoop(WithoutALoop):
    """The camera alone says when a vehicle is there, and nothing after it is different."""

    async def test_a_bound_visitor_is_admitted_and_passes(self, bench: Bench) -> None:
        await bench.list_plate(ListName.VISITORS, VISITOR)
        await empty_lane(bench)
        comes(bench, VISITOR)
        await bench.in_state(State.OPENING)
        bench.loops.set(Sensor.SAFETY, on=True)
        goes(bench)
        bench.loops.set(Sensor.SAFETY, on=False)
        (ended,) = await bench.ended()
        assert (ended["end"], ended["plate"]) == ("passed", VISITOR)
        assert len(bench.barrier.commands) == 1

    async def test_an_unread_car_that_stands_there_is_refused_and_help_is_called(
        self, bench: Bench
    ) -> None:
        await empty_lane(bench)
        comes(bench, "")
        await bench.in_state(State.REFUSED)
        assert bench.facts("vehicle.assistance")[0]["reason"] == "unreadable"

    async def test_a_refused_car_that_leaves_the_view_has_backed_out(self, bench: Bench) -> None:
        await empty_lane(bench)
        comes(bench, VISITOR)
        await bench.in_state(State.REFUSED)
        goes(bench)
        (ended,) = await bench.ended()
        assert ended["end"] == "backed_out"

    async def test_a_car_that_stands_there_at_the_start_is_decided(self, bench: Bench) -> None:
        await bench.list_plate(ListName.VISITORS, VISITOR)
        comes(bench, VISITOR)
        await bench.in_state(State.OPENING)

    async def test_the_next_car_bumper_to_bumper_has_a_visit_of_its_own(self, bench: Bench) -> None:
        await empty_lane(bench)
        comes(bench, VISITOR)
        await bench.in_state(State.REFUSED)
        comes(bench, FOLLOWER)
        await bench.until(lambda: len(bench.facts("vehicle.decided")) == 2)
        plates = [told["decision"]["plate"] for told in bench.facts("vehicle.decided")]
        assert plates == [VISITOR, FOLLOWER]

    async def test_row_14_who_backs_out_of_view_takes_the_decision_along(
        self, bench: Bench
    ) -> None:
        await bench.list_plate(ListName.VISITORS, VISITOR)
        await empty_lane(bench)
        comes(bench, VISITOR)
        await bench.in_state(State.OPENING)
        goes(bench)
        (ended,) = await bench.ended()
        assert (ended["end"], ended["plate"]) == ("backed_out", VISITOR)
        bench.loops.set(Sensor.SAFETY, on=True)
        await bench.until(lambda: bench.health.stands("undecided_passage", "lane"))

    async def test_row_15_who_follows_in_view_on_the_same_opening_is_a_second_vehicle(
        self, bench: Bench
    ) -> None:
        await bench.list_plate(ListName.VISITORS, VISITOR)
        await empty_lane(bench)
        comes(bench, VISITOR)
        await bench.in_state(State.OPENING)
        bench.loops.set(Sensor.SAFETY, on=True)
        await bench.in_state(State.CROSSING)
        comes(bench, FOLLOWER)
        bench.loops.set(Sensor.SAFETY, on=False)
        (ended,) = await bench.ended()
        assert (ended["end"], ended["plate"]) == ("passed", VISITOR)
        await bench.until(lambda: bench.lane.state in (State.READING, State.REFUSED))
        bench.loops.set(Sensor.SAFETY, on=True)
        await bench.until(lambda: bench.health.stands("tailgating", "lane"))
        assert bench.health.stands("undecided_passage", "lane")


class TestExitWithoutALoop(WithoutALoop):
    """Exits open for every car that the camera sees, read or unread."""

    @pytest.fixture
    def direction(self) -> Direction:
        return Direction.EXIT

    async def test_an_unread_car_that_stands_there_is_let_out(self, bench: Bench) -> None:
        await empty_lane(bench)
        comes(bench, "")
        await bench.in_state(State.OPENING)

    async def test_row_13_while_its_camera_is_stale_it_is_held_open(self, bench: Bench) -> None:
        bench.loops.set(Sensor.SAFETY, on=False)
        bench.camera.broken = True
        await bench.until(lambda: bench.health.stands("held_open", "lane"))
        bench.camera.broken = False
        await bench.until(lambda: not bench.health.stands("held_open", "lane"))
        for kind in ("barrier.held", "barrier.released"):
            (told, *_) = await bench.until(lambda kind=kind: bench.facts(kind))
            assert told["reason"] == "stale_camera"

    async def test_row_13_a_boom_that_cannot_be_held_is_an_alarm_until_it_can(
        self, bench: Bench
    ) -> None:
        bench.barrier.outcome = Outcome.FAILED
        bench.camera.broken = True
        await bench.until(lambda: bench.health.stands("hold_failed", "lane"))
        bench.barrier.outcome = Outcome.DONE
        await bench.until(lambda: not bench.health.stands("hold_failed", "lane"))


class TestStuckLoop:
    """An arrival loop that is occupied with nothing in view; the camera stands in for it."""

    @pytest.fixture
    def limits(self) -> Limits:
        return replace(USUAL, stuck_s=0.5)

    @pytest.fixture
    def timing(self, timing: Timing) -> Timing:
        return replace(timing, arrival_lag_s=30.0)

    async def test_row_27_one_that_is_stuck_is_an_alarm_and_the_camera_triggers(
        self, bench: Bench
    ) -> None:
        await bench.list_plate(ListName.VISITORS, VISITOR)
        await empty_lane(bench)
        bench.loops.set(Sensor.ARRIVAL, on=True)
        await bench.until(lambda: bench.health.stands("loop_stuck", "lane"))
        await bench.ended()
        comes(bench, VISITOR)
        await bench.in_state(State.OPENING)
        assert bench.health.stands("loop_stuck", "lane")
        bench.loops.set(Sensor.SAFETY, on=True)
        goes(bench)
        bench.loops.set(Sensor.SAFETY, on=False)
        _, ended = await bench.ended(2)
        assert (ended["end"], ended["plate"]) == ("passed", VISITOR)

    async def test_row_27_when_it_falls_the_alarm_is_over_and_the_loop_counts_again(
        self, bench: Bench
    ) -> None:
        await bench.list_plate(ListName.VISITORS, VISITOR)
        await empty_lane(bench)
        bench.loops.set(Sensor.ARRIVAL, on=True)
        await bench.until(lambda: bench.health.stands("loop_stuck", "lane"))
        await bench.ended()
        bench.loops.set(Sensor.ARRIVAL, on=False)
        assert not bench.health.stands("loop_stuck", "lane")
        bench.camera.plate = VISITOR
        bench.loops.set(Sensor.ARRIVAL, on=True)
        await bench.in_state(State.OPENING)

    async def test_row_27_with_its_camera_dead_a_stuck_loop_still_counts(
        self, bench: Bench
    ) -> None:
        bench.camera.broken = True
        await bench.until(lambda: bench.health.stands("camera_stale", "lane"))
        bench.loops.set(Sensor.ARRIVAL, on=True)
        await bench.until(lambda: bench.health.stands("loop_stuck", "lane"))
        await bench.in_state(State.REFUSED)
        assert not bench.facts("passage.ended")


class TestExitWithAStuckLoop:
    """Before ten minutes are over it is not known that the loop is stuck."""

    @pytest.fixture
    def direction(self) -> Direction:
        return Direction.EXIT

    @pytest.fixture
    def timing(self, timing: Timing) -> Timing:
        return replace(timing, opening_s=MIN_GAP_S)

    async def test_row_27_who_comes_after_it_was_opened_in_vain_for_no_one_is_let_out(
        self, bench: Bench
    ) -> None:
        await empty_lane(bench)
        bench.loops.set(Sensor.ARRIVAL, on=True)
        await bench.in_state(State.STUCK)
        opened = len(bench.barrier.commands)
        await empty_lane(bench)
        comes(bench, VISITOR)
        await bench.until(lambda: len(bench.barrier.commands) > opened)


async def test_row_27_one_that_chatters_is_an_alarm_and_the_camera_triggers(bench: Bench) -> None:
    await bench.list_plate(ListName.VISITORS, VISITOR)
    await empty_lane(bench)
    for number in range(2 * USUAL.edges):
        bench.loops.set(Sensor.ARRIVAL, on=number % 2 == 0)
    assert bench.health.stands("loop_chattering", "lane")
    comes(bench, VISITOR)
    await bench.in_state(State.OPENING)


async def test_an_idle_lane_with_a_loop_has_nothing_read(bench: Bench) -> None:
    await empty_lane(bench)
    comes(bench, VISITOR)
    seen = bench.camera.frames
    await bench.until(lambda: bench.camera.frames >= seen + 3)
    assert bench.lane.state is State.CLEAR
    assert not bench.facts("vehicle.arrived")
