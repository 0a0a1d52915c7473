"""The eye of a lane: which frames are fetched, and which are read."""

import asyncio
from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest

from gatekeeper.clock import SystemClock, monotonic
from gatekeeper.config import BarrierSettings, InputSettings, LaneSettings
from gatekeeper.errors import PictureError
from gatekeeper.health import Health
from gatekeeper.lane.arrivals import Arrivals
from gatekeeper.lane.eye import Eye, Look, Pace
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


class Gaze:
    """An eye whose camera and reader do one step each time a test lets them."""

    name = "lane"

    def __init__(self) -> None:
        self.pace = Pace.QUICKLY
        self.frames: list[Frame] = []
        self.readings: list[Frame] = []
        self.seen: list[Look] = []
        self.shutter, self.reads = asyncio.Semaphore(0), asyncio.Semaphore(0)
        self.damaged = False
        self.light = 128
        self.health = Health(SystemClock())
        self.eye = Eye(
            "lane",
            self,
            self,
            clock=SystemClock(),
            health=self.health,
            pace=lambda: self.pace,
            see=self.seen.append,
            arrivals=Arrivals(LANE, Limits(), health=self.health, tell=lambda _: None),
            slow_pause_s=0.0,
        )

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
    running = asyncio.create_task(gaze.eye.run())
    yield gaze
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


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
    gaze.eye.wake(monotonic())
    gaze.shutter.release()
    gaze.shutter.release()
    await gaze.until(lambda: len(gaze.readings) == 1)
    assert gaze.readings[0].number == 2


async def test_nothing_is_read_in_an_empty_lane(gaze: Gaze) -> None:
    gaze.pace = Pace.IDLE
    gaze.shutter.release()
    await gaze.until(lambda: len(gaze.frames) == 1)
    gaze.pace = Pace.QUICKLY
    gaze.eye.wake(monotonic())
    gaze.shutter.release()
    await gaze.until(lambda: len(gaze.readings) == 1)
    assert gaze.readings[0].number == 2


async def test_pictures_that_cannot_be_read_are_an_alarm_until_one_can(gaze: Gaze) -> None:
    gaze.damaged = True
    for _ in range(4):
        gaze.shutter.release()
        gaze.reads.release()
    await gaze.until(lambda: gaze.health.stands("camera_stale", "lane"))
    gaze.damaged = False
    for _ in range(4):
        gaze.shutter.release()
        gaze.reads.release()
    await gaze.until(lambda: not gaze.health.stands("camera_stale", "lane"))


async def test_a_black_picture_is_an_alarm_until_there_is_light(gaze: Gaze) -> None:
    gaze.light = 15
    for _ in range(4):
        gaze.shutter.release()
    await gaze.until(lambda: gaze.health.stands("camera_stale", "lane"))
    assert gaze.readings == []
    gaze.light = 128
    for _ in range(2):
        gaze.shutter.release()
        gaze.reads.release()
    await gaze.until(lambda: not gaze.health.stands("camera_stale", "lane"))
