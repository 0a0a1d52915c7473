"""What a lane needs from the world, said without naming a device.

A driver satisfies a port by having its methods; the lane is given ports and never learns which
device is behind one. The fakes in the tests pass the same contract tests as the drivers.
"""

from collections.abc import Callable
from typing import Protocol

from gatekeeper.drivers.motion import Seen
from gatekeeper.model import (
    Ack,
    BarrierCommand,
    DisplayText,
    Frame,
    Pixels,
    PlateRead,
    Presence,
)


class Camera(Protocol):
    """A camera that looks at one lane."""

    @property
    def name(self) -> str:
        """Which camera, as alarms and events call it."""
        ...

    async def frame(self) -> Frame:
        """A picture taken after this call began; raises `CameraError` within the camera's own
        time limit.
        """
        ...

    async def close(self) -> None:
        """Let go of the device."""
        ...


class Motion(Protocol):
    """What says whether something moves or stands in the view of one camera."""

    def look(self, pixels: Pixels) -> Seen:
        """What has changed in view since the look before."""
        ...

    def learn(self, at: float, *, empty: bool) -> None:
        """Take in the last look, of a lane that is `empty` as far as is known, or is not."""
        ...


class Barrier(Protocol):
    """The barrier of one lane.

    Nothing here raises for a device: what went wrong is in the answer, `failed` when nothing can
    have moved, `unknown` when something may have. No pulse begins after a command's deadline. A
    hold and a release are levels: the answer says whether the relay followed before the deadline;
    where it did not, the board is brought there later.
    """

    async def open(self, command: BarrierCommand) -> Ack:
        """Give one opening pulse, or none to a boom that is held up: `done`, with a detail that
        says so.

        A boom may also be up because its relay was found on, after a start or a cut cable, or did
        not follow a `release`. Left alone it comes down when all inputs of its lanes have been
        clear for two seconds. A vehicle that is let in meanwhile gets no pulse, then or later: the
        boom waits for it, until it has come off the safety loop again, or for `open_timeout_s` of
        its lane, and comes down two clear seconds after that. `release` brings it down at once: by
        that a lane says that the vehicle will not come.
        """
        ...

    async def hold(self, command: BarrierCommand) -> Ack:
        """Keep the boom up until `release`: from now on, and after every reconnection. While the
        board is away the answer is `failed`, and it is held as soon as the board is back.
        """
        ...

    async def release(self, command: BarrierCommand) -> Ack:
        """Keep the boom up no longer: the relay goes off now, and the lane has made sure that
        nothing stands under the boom. After the deadline, or once the board is back, it goes off
        only over a clear lane, as one that was found on.
        """
        ...

    async def close(self, command: BarrierCommand) -> Ack:
        """Give one closing pulse; `failed` where no close relay is wired, and while the boom is
        opened or held up.
        """
        ...


class Loops(Protocol):
    """The inputs of one lane."""

    def watch(self, tell: Callable[[Presence], None]) -> None:
        """From now on tell each change, and at first each input as it is. Called in the loop's
        thread; `tell` must not block.
        """
        ...


class Display(Protocol):
    """What the driver of one lane sees and hears."""

    def show(self, text: DisplayText) -> None:
        """From now on show this, and say it once. Never blocks and never raises: whether a driver
        can read it must change nothing at the barrier.
        """
        ...


class Reader(Protocol):
    """The recogniser as a lane sees it."""

    async def read(self, frame: Frame) -> tuple[PlateRead, ...]:
        """All plates in the frame, most confident first; raises `PictureError`."""
        ...
