"""Looks at one lane: frames in, frames and their plate reads out.

It looks as fast as the camera gives while a vehicle waits for its decision, slowly while a
refused one stands there, and now and then when nobody does, to know that the camera lives. Where
the camera is to notice who arrives it looks oftener, and has a look read when something is there.
The next frame is fetched while the one before it is being read.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from gatekeeper.clock import Clock
from gatekeeper.drivers.motion import Motion
from gatekeeper.drivers.ports import Camera, Reader
from gatekeeper.drivers.ports import Motion as MotionPort
from gatekeeper.drivers.view import is_black
from gatekeeper.errors import CameraError, PictureError
from gatekeeper.health import Health
from gatekeeper.lane.arrivals import Arrivals
from gatekeeper.model import Frame, PlateRead, Presence, Sensor

IDLE_PAUSE_S = 0.7
"""Between two looks at an empty lane."""

WATCH_PAUSE_S = 0.2
"""Likewise where the camera has to notice who arrives: a car at 10 km/h comes half a metre nearer
from one look to the next."""

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
        arrivals: Arrivals,
        slow_pause_s: float,
        view: Callable[[Presence], None] | None = None,
        motion: MotionPort | None = None,
    ) -> None:
        """`pace` is asked before each look; `see` is given each look but the idle ones, `arrivals`
        what all of them show, and `view` whether anything moves or stands there.
        """
        self._lane = lane
        self._camera = camera
        self._reader = reader
        self._clock = clock
        self._health = health
        self._pace = pace
        self._see = see
        self._arrivals = arrivals
        self._view = view
        self._motion = motion or Motion()
        self._slow_pause_s = slow_pause_s
        self._wanted = asyncio.Event()
        self._since = 0.0
        self._taking: asyncio.Task[None] | None = None

    def wake(self, at: float) -> None:
        """Look now: a vehicle arrived at that moment, and an older frame need not be read."""
        self._since = at
        self._wanted.set()

    async def run(self) -> None:
        """Look, until cancelled. A camera that fails is an alarm, and is asked again."""
        try:
            await self._look_again_and_again()
        finally:
            if self._taking is not None:
                self._taking.cancel()

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
        """One frame is fetched and one taken at a time; raises what went wrong with either."""
        frame = await self._camera.frame()
        if is_black(frame.pixels):
            raise CameraError(
                f"camera {self._camera.name}: its picture is black; check its lens and its light"
            )
        taking, self._taking = self._taking, None
        try:
            if taking is not None:
                await taking
        finally:
            self._taking = asyncio.create_task(self._take(frame))

    async def _take(self, frame: Frame) -> None:
        seen = self._motion.look(frame.pixels)
        wanted, reads = self._pace() is not Pace.IDLE and frame.at >= self._since, None
        if wanted or self._arrivals.wants_plates(seen, frame.at):
            reads = await self._reader.read(frame)
        plates = None if reads is None else tuple(read.text for read in reads)
        arrived = self._arrivals.saw(seen, plates, frame.at)
        if self._view is not None:
            on = seen.moving or seen.changed
            self._view(Presence(lane=self._lane, sensor=Sensor.VIEW, on=on, at=frame.at))
        self._motion.learn(frame.at, empty=self._arrivals.empty)
        if reads is not None and (wanted or arrived):
            self._see(Look(frame=frame, reads=reads))

    async def _rest(self) -> None:
        match self._pace():
            case Pace.IDLE:
                pause_s = WATCH_PAUSE_S if self._arrivals.by_camera else IDLE_PAUSE_S
                await self._clock.idle(pause_s, moved=self._wanted)
            case Pace.SLOWLY:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._slow_pause_s):
                        await self._wanted.wait()
            case Pace.QUICKLY:
                await asyncio.sleep(0)
