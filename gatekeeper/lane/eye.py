"""Looks at one lane: frames in, frames and their plate reads out.

It looks as fast as the camera gives while a vehicle waits for its decision, slowly while a
refused one stands there, and now and then when nobody does, to know that the camera lives. The
next frame is fetched while the one before it is being read.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from gatekeeper.clock import Clock
from gatekeeper.drivers.ports import Camera, Reader
from gatekeeper.errors import CameraError, PictureError
from gatekeeper.health import Health
from gatekeeper.model import Frame, PlateRead

IDLE_PAUSE_S = 0.7
"""Between two looks at an empty lane."""

FAILURES_OF_A_DEAD_CAMERA = 2
"""One frame may get lost; with the pause above and the camera's own time limit of two seconds, a
dead camera is still noticed within five."""

AFTER_FAILURE_S = 0.25
"""A camera that refuses at once is not asked more often than this."""


class Pace(Enum):
    """How eagerly the lane wants to see."""

    IDLE = "idle"
    SLOWLY = "slowly"
    QUICKLY = "quickly"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the camera gave: a frame and the plates in it."""

    frame: Frame
    reads: tuple[PlateRead, ...]


class Eye:
    """One camera, and the recogniser it shares with the other lanes."""

    def __init__(
        self,
        lane: str,
        camera: Camera,
        reader: Reader,
        *,
        clock: Clock,
        health: Health,
        pace: Callable[[], Pace],
        see: Callable[[Look], None],
        slow_pause_s: float,
    ) -> None:
        """`pace` is asked before each look; `see` is given each look but the idle ones."""
        self._lane = lane
        self._camera = camera
        self._reader = reader
        self._clock = clock
        self._health = health
        self._pace = pace
        self._see = see
        self._slow_pause_s = slow_pause_s
        self._wanted = asyncio.Event()
        self._since = 0.0
        self._reading: asyncio.Task[None] | None = None

    def wake(self, at: float) -> None:
        """Look now: a vehicle arrived at that moment, and an older frame need not be read."""
        self._since = at
        self._wanted.set()

    async def run(self) -> None:
        """Look, until cancelled. A camera that fails is an alarm, and is asked again."""
        try:
            await self._look_again_and_again()
        finally:
            if self._reading is not None:
                self._reading.cancel()

    async def _look_again_and_again(self) -> None:
        failures = 0
        while True:
            self._wanted.clear()
            try:
                await self._look()
            except (CameraError, PictureError) as error:
                failures += 1
                if failures >= FAILURES_OF_A_DEAD_CAMERA:
                    self._health.raise_alarm("camera_stale", self._lane, str(error))
                await asyncio.sleep(AFTER_FAILURE_S)
            else:
                failures = 0
                self._health.clear_alarm("camera_stale", self._lane)
                await self._rest()

    async def _look(self) -> None:
        """One frame is fetched and one read at a time; raises what went wrong with either."""
        frame = await self._camera.frame()
        reading, self._reading = self._reading, None
        try:
            if reading is not None:
                await reading
        finally:
            if self._pace() is not Pace.IDLE and frame.at >= self._since:
                self._reading = asyncio.create_task(self._read(frame))

    async def _read(self, frame: Frame) -> None:
        self._see(Look(frame=frame, reads=await self._reader.read(frame)))

    async def _rest(self) -> None:
        pauses = {Pace.IDLE: IDLE_PAUSE_S, Pace.SLOWLY: self._slow_pause_s, Pace.QUICKLY: 0.0}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pauses[self._pace()]):
                await self._wanted.wait()
