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
    have moved, `unknown` when something may have. Nothing is written after a command's deadline.
    """

    async def open(self, command: BarrierCommand) -> Ack:
        """Give one opening pulse, or none to a boom that is held up already."""
        ...

    async def hold(self, command: BarrierCommand) -> Ack:
        """Keep the boom up until `release`: from now on, and after every reconnection. While the
        board is away the answer is `failed`, and it is held as soon as the board is back.
        """
        ...

    async def release(self, command: BarrierCommand) -> Ack:
        """Keep the boom up no longer; while the board is away, as `hold`."""
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
