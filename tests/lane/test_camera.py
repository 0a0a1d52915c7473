"""The camera of a lane: which frames are fetched, which are read, and when it is stale."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import pytest

from gatekeeper.clock import SystemClock, monotonic
from gatekeeper.config import BarrierSettings, InputSettings, LaneSettings
from gatekeeper.drivers.motion import PixelMotion
from gatekeeper.errors import PictureError
from gatekeeper.health import Health
from gatekeeper.lane.camera import STALE_S, CameraLoop
from gatekeeper.lane.context import LaneContext
from gatekeeper.lane.inputs import Arrivals
from gatekeeper.lane.visit import Look, LookRate
from gatekeeper.model import Direction, Frame, PlateRead
from gatekeeper.rules.loops import Limits

PATIENCE_S = 30.0

LANE = LaneSettings(
    name="lane",
    zone="visitor_zone",
    direction=Direction.ENTRY,
    barrier=BarrierSettings(board="relays", coil=0),
    arrival_loop=InputSettings(board="relays", input=0),
)


@dataclass
class FakeRooms:
    """What the camera of a lane needs of all rooms."""

    reader: Any
    clock: SystemClock
    slow_look_s: float = 0.0


@dataclass
class FakeContext:
    """And of its lane."""

    rooms: FakeRooms
    name: str = "lane"
    motion: PixelMotion = field(default_factory=PixelMotion)


class Gaze:
    """A camera and a reader that do one step each time a test lets them."""

    name = "lane"
    running: "asyncio.Task[None]"

    def __init__(self) -> None:
        self.rate = LookRate.QUICKLY
        self.frames: list[Frame] = []
        self.readings: list[Frame] = []
        self.seen: list[Look] = []
        self.shutter, self.reads = asyncio.Semaphore(0), asyncio.Semaphore(0)
        self.damaged = self.crashes = False
        self.light = 128
        self.clock = SystemClock()
        health = Health(self.clock)
        self.camera = CameraLoop(
            cast("LaneContext", FakeContext(FakeRooms(self, self.clock))),
            self,
            Arrivals(LANE, Limits(), health=health, tell=lambda _: None),
            rate=lambda: self.rate,
            see=self.seen.append,
            view=None,
        )

    @property
    def trouble(self) -> str | None:
        return self.camera.trouble(self.clock.boot_s())

    async def frame(self) -> Frame:
        at, number = monotonic(), len(self.frames) + 1
        await self.shutter.acquire()
        pixels = np.full((8, 8, 3), self.light, np.uint8)
        self.frames.append(
            Frame(camera="lane", number=number, at=at, pixels=pixels, encoded=b"", suffix=".jpg")
        )
        return self.frames[-1]

    async def read(self, frame: Frame) -> tuple[PlateRead, ...]:
        self.readings.append(frame)
        await self.reads.acquire()
        if self.damaged:
            raise PictureError("it cannot be read")
        if self.crashes:
            raise RuntimeError("out of memory")
        return ()

    async def close(self) -> None:
        return

    async def until(self, what: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not what():  # noqa: ASYNC110 - what a test waits for is no event
                await asyncio.sleep(0.001)


@pytest.fixture
async def gaze() -> AsyncIterator[Gaze]:
    gaze = Gaze()
    gaze.running = asyncio.create_task(gaze.camera.run())
    yield gaze
    gaze.running.cancel()
    await asyncio.gather(gaze.running, return_exceptions=True)


async def test_the_next_frame_is_fetched_while_one_is_being_read(gaze: Gaze) -> None:
    gaze.shutter.release()
    await gaze.until(lambda: len(gaze.readings) == 1)
    gaze.shutter.release()
    await gaze.until(lambda: len(gaze.frames) == 2)
    assert len(gaze.readings) == 1
    gaze.reads.release()
    await gaze.until(lambda: len(gaze.readings) == 2)
    assert [look.frame.number for look in gaze.seen] == [1]


async def test_a_frame_asked_for_before_the_vehicle_came_is_not_read(gaze: Gaze) -> None:
    await asyncio.sleep(0)
    gaze.camera.wake(monotonic())
    gaze.shutter.release()
    gaze.shutter.release()
    await gaze.until(lambda: len(gaze.readings) == 1)
    assert gaze.readings[0].number == 2


async def test_nothing_is_read_in_an_empty_lane(gaze: Gaze) -> None:
    gaze.rate = LookRate.IDLE
    gaze.shutter.release()
    await gaze.until(lambda: len(gaze.frames) == 1)
    gaze.rate = LookRate.QUICKLY
    gaze.camera.wake(monotonic())
    gaze.shutter.release()
    await gaze.until(lambda: len(gaze.readings) == 1)
    assert gaze.readings[0].number == 2


async def test_pictures_that_cannot_be_read_are_trouble_until_one_can(gaze: Gaze) -> None:
    gaze.damaged = True
    for _ in range(4):
        gaze.shutter.release()
        gaze.reads.release()
    await gaze.until(lambda: gaze.trouble is not None)
    gaze.damaged = False
    for _ in range(4):
        gaze.shutter.release()
        gaze.reads.release()
    await gaze.until(lambda: gaze.trouble is None)


async def test_a_black_picture_is_trouble_until_there_is_light(gaze: Gaze) -> None:
    gaze.light = 15
    for _ in range(4):
        gaze.shutter.release()
    await gaze.until(lambda: gaze.trouble is not None)
    assert gaze.readings == []
    gaze.light = 128
    for _ in range(2):
        gaze.shutter.release()
        gaze.reads.release()
    await gaze.until(lambda: gaze.trouble is None)


async def test_a_picture_that_was_being_read_when_it_ended_does_not_end_its_next_life(
    gaze: Gaze,
) -> None:
    """The task that reads it was cancelled; what waits for that is cancelled with it."""
    gaze.shutter.release()
    await gaze.until(lambda: len(gaze.readings) == 1)
    gaze.running.cancel()
    await asyncio.gather(gaze.running, return_exceptions=True)
    gaze.running = asyncio.create_task(gaze.camera.run())
    for _ in range(2):
        gaze.shutter.release()
        gaze.reads.release()
    await gaze.until(lambda: len(gaze.readings) == 3)
    assert not gaze.running.done()


async def test_one_that_hangs_is_stale_after_five_seconds(gaze: Gaze) -> None:
    await asyncio.sleep(0.01)
    begun = gaze.clock.boot_s()
    assert gaze.camera.trouble(begun + STALE_S - 0.1) is None
    assert gaze.camera.trouble(begun + STALE_S) is not None


async def test_a_recogniser_that_hangs_makes_it_stale_as_well(gaze: Gaze) -> None:
    for _ in range(2):
        gaze.shutter.release()
    await gaze.until(lambda: len(gaze.frames) == 2)
    assert gaze.camera.trouble(gaze.clock.boot_s() + STALE_S) is not None


async def test_one_that_rests_after_a_look_is_not_stale_however_long_it_rests(gaze: Gaze) -> None:
    gaze.rate = LookRate.IDLE
    gaze.shutter.release()
    await gaze.until(lambda: len(gaze.frames) == 1)
    await asyncio.sleep(0.01)
    assert gaze.camera.trouble(gaze.clock.boot_s() + 3600.0) is None


async def test_that_it_hangs_is_told_to_who_asks_for_its_trouble(
    gaze: Gaze, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gatekeeper.lane.camera.STALE_S", 0.05)
    gaze.shutter.release()
    gaze.reads.release()
    await gaze.until(lambda: len(gaze.frames) == 1)
    gaze.camera.moved.clear()
    async with asyncio.timeout(PATIENCE_S):
        await gaze.camera.moved.wait()
    assert gaze.trouble is not None


async def test_a_library_that_fails_unforeseen_is_trouble_and_not_the_end(gaze: Gaze) -> None:
    gaze.crashes = True
    for _ in range(4):
        gaze.shutter.release()
        gaze.reads.release()
    await gaze.until(lambda: gaze.trouble is not None)
    assert "out of memory" in str(gaze.trouble)
    assert not gaze.running.done()
