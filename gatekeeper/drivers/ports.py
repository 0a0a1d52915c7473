"""What a lane needs from the world, said without naming a device.

A driver satisfies a port by having its methods; the lane is given ports and never learns which
device is behind one. The fakes in the tests pass the same contract tests as the drivers.
"""

from collections.abc import Callable
from typing import Protocol

from gatekeeper.model import Ack, BarrierCommand, DisplayText, Frame, PlateRead, Presence


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


class Barrier(Protocol):
    """The barrier of one lane.

    No method ever raises for a device: what went wrong is in the answer, `failed` when nothing can
    have moved, `unknown` when something may have. Nothing is written after a command's deadline.
    """

    async def open(self, command: BarrierCommand) -> Ack:
        """Give one opening pulse, before the command's deadline or never."""
        ...

    async def hold(self, command: BarrierCommand) -> Ack:
        """Keep the boom up from now on, after every new connection too, until `release`. A level:
        it may be asked for again. Remembered where it fails because the device is away.
        """
        ...

    async def release(self, command: BarrierCommand) -> Ack:
        """No longer keep it up; likewise."""
        ...

    async def close(self, command: BarrierCommand) -> Ack:
        """Give one closing pulse, before the command's deadline or never; `failed` where no close
        relay is wired.
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
