"""Looks at one lane: frames in, frames and their plate reads out.

It looks as fast as the camera gives while a vehicle waits for its decision, slowly while a
refused one stands there, and now and then when none does, to know that the camera lives. Where
the camera is to notice who arrives it looks oftener, and has a look read when something is there.
The next frame is fetched while the one before it is being read.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from gatekeeper.clock import rest
from gatekeeper.drivers.ports import Camera
from gatekeeper.drivers.view import is_black
from gatekeeper.errors import CameraError, GatekeeperError
from gatekeeper.lane.context import LaneContext
from gatekeeper.lane.inputs import Arrivals
from gatekeeper.lane.visit import Look, LookRate
from gatekeeper.model import Frame, PlateRead, Presence, Sensor

IDLE_PAUSE_S = 0.7
"""Between two looks at an empty lane."""

WATCH_PAUSE_S = 0.2
"""Likewise where the camera has to notice who arrives: a car at 10 km/h comes half a metre nearer
from one look to the next."""

STALE_S = 5.0
"""A camera of which no look has succeeded for so long is stale, whatever it does meanwhile."""

NO_LOOK = f"no look has ended for {STALE_S:g} s"

_LATE_S = 0.01
"""A timer may be early by a little; it must not be."""

FAILURES_OF_A_DEAD_CAMERA = 2
"""One frame may get lost; two in a row that fail are known to be more."""

AFTER_FAILURE_S, WHILE_STALE_S = 0.25, 1.0
"""A camera that refuses at once is not asked more often than this, and than that while stale."""

Answer = TypeVar("Answer")


class CameraLoop:
    """One camera, and the recogniser it shares with the other lanes. It raises no alarm: the lane
    asks for its `trouble`, at the latest when `moved` is set.
    """

    def __init__(
        self,
        context: LaneContext,
        camera: Camera,
        arrivals: Arrivals,
        *,
        rate: Callable[[], LookRate],
        see: Callable[[Look], None],
        view: Callable[[Presence], None] | None,
    ) -> None:
        """`rate` is asked before each look; `see` is given each look but the idle ones, `arrivals`
        what all of them show, and `view` whether anything moves or stands there.
        """
        self.moved = asyncio.Event()
        self._lane = context.name
        self._rooms = context.rooms
        self._camera = camera
        self._arrivals = arrivals
        self._rate = rate
        self._see = see
        self._view = view
        self._motion = context.motion
        self._wanted = asyncio.Event()
        self._vehicle_since = 0.0
        self._unseen_since: float | None = None
        self._failures = 0
        self._fault = NO_LOOK
        self._too_long: asyncio.TimerHandle | None = None
        self._reading: asyncio.Task[None] | None = None

    def wake(self, at: float) -> None:
        """Look now: a vehicle arrived at that moment, and an older frame need not be read."""
        self._vehicle_since = at
        self._wanted.set()

    # --- whether it sees ----------------------------------------------------------------------

    def trouble(self, at: float) -> str | None:
        """What is wrong with the camera at that moment, None if nothing is. While it rests after a
        look that succeeded, nothing is, however long the rest.
        """
        since = self._unseen_since
        stale = since is not None and at - since >= STALE_S
        return self._fault if stale or self._failures >= FAILURES_OF_A_DEAD_CAMERA else None

    # --- looking ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Look, until cancelled. A camera that fails is asked again."""
        try:
            while True:
                self._wanted.clear()
                self._begins()
                try:
                    await self._look()
                except CameraError as error:
                    await self._failed(error)
                else:
                    self._succeeded()
                    await self._rest()
        finally:
            # Not left behind for the next life, which would wait for a task that was cancelled.
            reading, self._reading = self._reading, None
            if reading is not None:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)

    def _begins(self) -> None:
        """A look begins; it is known when it will have taken too long."""
        if self._unseen_since is None:
            self._unseen_since = self._rooms.clock.boot_s()
            loop = asyncio.get_running_loop()
            self._too_long = loop.call_later(STALE_S + _LATE_S, self.moved.set)

    async def _failed(self, error: CameraError) -> None:
        self._failures += 1
        self._fault = str(error)
        self.moved.set()
        if self._failures >= FAILURES_OF_A_DEAD_CAMERA:
            await self._rooms.clock.idle(WHILE_STALE_S)
        else:
            await asyncio.sleep(AFTER_FAILURE_S)

    def _succeeded(self) -> None:
        if self._too_long is not None:
            self._too_long.cancel()
        was_in_trouble = self.trouble(self._rooms.clock.boot_s()) is not None
        self._failures, self._unseen_since, self._fault = 0, None, NO_LOOK
        if was_in_trouble:
            self.moved.set()

    async def _look(self) -> None:
        """One frame is fetched and one read at a time; raises what went wrong with either."""
        name = self._camera.name
        frame = await _asked(self._camera.frame(), f"camera {name}")
        if is_black(frame.pixels):
            raise CameraError(f"camera {name}: its picture is black; check its lens and its light")
        reading, self._reading = self._reading, None
        try:
            if reading is not None:
                await reading
        finally:
            self._reading = asyncio.create_task(self._read(frame), name=f"reading {self._lane}")

    async def _read(self, frame: Frame) -> None:
        seen = self._motion.look(frame.pixels)
        wanted = self._rate() is not LookRate.IDLE and frame.at >= self._vehicle_since
        reads: tuple[PlateRead, ...] | None = None
        if wanted or self._arrivals.wants_plates(seen, frame.at):
            reads = await _asked(self._rooms.reader.read(frame), f"lane {self._lane}: reading")
        plates = None if reads is None else tuple(read.text for read in reads)
        arrived = self._arrivals.saw(seen, plates, frame.at)
        if self._view is not None:
            on = seen.moving or seen.changed
            self._view(Presence(lane=self._lane, sensor=Sensor.VIEW, on=on, at=frame.at))
        self._motion.learn(frame.at, empty=self._arrivals.empty)
        if reads is not None and (wanted or arrived):
            self._see(Look(frame=frame, reads=reads))

    async def _rest(self) -> None:
        """Until the next look; the moment of an idle one matters little."""
        clock, slow_s = self._rooms.clock, self._rooms.slow_look_s
        match self._rate():
            case LookRate.IDLE:
                pause_s = WATCH_PAUSE_S if self._arrivals.by_camera else IDLE_PAUSE_S
                await rest(self._wanted, None, clock, at_most_s=pause_s)
            case LookRate.SLOWLY:
                await rest(self._wanted, clock.boot_s() + slow_s, clock, at_most_s=slow_s)
            case LookRate.QUICKLY:
                await asyncio.sleep(0)


async def _asked(question: Awaitable[Answer], of: str) -> Answer:
    """The answer of a camera or a recogniser. Whatever else comes of them, an error of a library
    too, is a look that failed, and never the end of the lane: its exit opens on the loop.
    """
    (answer,) = await asyncio.gather(question, return_exceptions=True)
    if isinstance(answer, CameraError):
        raise answer
    if isinstance(answer, BaseException):
        said = str(answer) if isinstance(answer, GatekeeperError) else repr(answer)
        raise CameraError(f"{of}: {said}") from answer
    return answer
