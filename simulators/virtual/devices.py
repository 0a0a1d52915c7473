"""The devices of one controller's life, on the kerbs of its machine: they satisfy the same ports as
the drivers, and take the time that the simulation draws.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from gatekeeper.app.fire import FireInputs, name_of
from gatekeeper.app.ports import Task
from gatekeeper.app.wiring import sides_of
from gatekeeper.clock import Clock
from gatekeeper.config import BoardSettings, Config, InputSettings, LaneSettings
from gatekeeper.drivers.inputs import Inputs
from gatekeeper.drivers.motion import Seen
from gatekeeper.drivers.ports import Barrier, Camera, Loops
from gatekeeper.errors import CameraError
from gatekeeper.health import Health
from gatekeeper.lane import Kerb
from gatekeeper.model import (
    Ack,
    BarrierCommand,
    DisplayText,
    Frame,
    Outcome,
    Pixels,
    PlateRead,
    Presence,
    Sensor,
)
from simulators.virtual.kerbs import NOTHING, UNREAD, Kerbs, Picture, Sight

FRAME_S = 0.2
"""How far apart the pictures of a camera are."""

PATIENCE_S = 1.0
"""How long a camera whose pictures are shown by hand waits for one before it gives an empty one."""

CAMERA_FAILS_S = 2.0
"""How long a dead camera keeps its client waiting."""

HANGS_S = 5.0
"""How often a camera that hangs is looked at: it may hang no longer."""

REOPENS_S = 5.0
"""How often a display that takes nothing is tried again."""

NOTICED_S = 1.0
"""How long a board does not answer before that is noticed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualFrame(Frame):
    """A picture, and what it shows."""

    sight: Sight


def _pixels(*, moving: bool, changed: bool) -> Pixels:
    return np.array([[[255, 255 * moving, 255 * changed]]], np.uint8)


_PIXELS = {
    (moving, changed): _pixels(moving=moving, changed=changed)
    for moving in (False, True)
    for changed in (False, True)
}
"""A picture is one lit pixel that says whether something moves, and whether something is there."""


class VirtualMotion:
    """Reads from the one pixel of a virtual picture what moves there."""

    def look(self, pixels: Pixels) -> Seen:
        """As the picture says."""
        _, moving, changed = pixels[0, 0]
        return _SEEN[bool(moving), bool(changed)]

    def learn(self, at: float, *, empty: bool) -> None:
        """Nothing to learn."""


_SEEN = {
    (moving, changed): Seen(moved=float(moving), differs=float(changed))
    for moving, changed in _PIXELS
}


class VirtualReader:
    """Reads what a virtual picture shows, as well as the machine's recogniser can."""

    def __init__(self, kerbs: Kerbs) -> None:
        self._kerbs = kerbs

    async def read(self, frame: Frame) -> tuple[PlateRead, ...]:
        """At once, unless it is slow; raises `PictureError`."""
        reads = frame.sight.reads(frame) if isinstance(frame, VirtualFrame) else ()
        return await self._kerbs.reader.read(frame, reads)


class VirtualCamera:
    """One camera."""

    def __init__(self, lane: str, kerbs: Kerbs, clock: Clock) -> None:
        self._lane, self._kerbs, self._clock = lane, kerbs, clock
        self._number = 0

    @property
    def name(self) -> str:
        """That of its lane."""
        return self._lane

    async def frame(self) -> Frame:
        """The next picture; `CameraError` if the camera is dead. One that hangs gives neither."""
        while self._lane in self._kerbs.hanging:  # noqa: ASYNC110 - a set, not an event
            await asyncio.sleep(HANGS_S)
        if self._lane in self._kerbs.dead:
            await asyncio.sleep(CAMERA_FAILS_S)
            raise CameraError(f"camera {self._lane}: no frame")
        picture = await (self._shown() if self._kerbs.look is None else self._taken())
        return VirtualFrame(
            camera=self._lane,
            number=picture.number,
            at=picture.at,
            pixels=_PIXELS[picture.sight.moving, picture.sight.changed],
            encoded=b"",
            suffix="",
            sight=picture.sight,
        )

    async def close(self) -> None:
        """Nothing to let go of."""

    async def _taken(self) -> Picture:
        await asyncio.sleep(FRAME_S)
        look = self._kerbs.look
        return self._now(NOTHING if look is None else look(self._lane))

    async def _shown(self) -> Picture:
        """The picture that is shown while it is awaited, or none in time."""
        pushed, self._kerbs.awaited = self._kerbs.pushed[self._lane], self._kerbs.awaited
        pushed.clear()
        self._kerbs.awaited.add(self._lane)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await pushed.wait()
                return self._kerbs.pictures[self._lane]
        except TimeoutError:
            return self._now(UNREAD if self._kerbs.occupied(self._lane) else NOTHING)
        finally:
            self._kerbs.awaited.discard(self._lane)

    def _now(self, sight: Sight) -> Picture:
        self._number += 1
        return Picture(number=-self._number, at=self._clock.boot_s(), sight=sight)


class VirtualBoard:
    """One relay board: its inputs, and whether it answers."""

    def __init__(self, settings: BoardSettings, kerbs: Kerbs, clock: Clock, health: Health) -> None:
        self._name = settings.name
        self._lanes = {
            lane.name for lane in kerbs.config.lane if lane.barrier.board == settings.name
        }
        self._kerbs, self._clock, self._health = kerbs, clock, health
        self._inputs = Inputs()
        self._changed = asyncio.Event()
        self._live = False
        self.unplugged = False
        self.wanted: set[str] = set()
        """Lanes whose booms are to be held up, now or as soon as the board is back."""

    @property
    def away(self) -> bool:
        """Whether it does not answer."""
        return self.unplugged or self._name in self._kerbs.away

    def watch(self, name: str, sensor: Sensor, wire: InputSettings, tell: "_Tell") -> None:
        """From now on tell an input."""
        self._inputs.watch(name, sensor, wire, tell)

    def moved(self) -> None:
        """Something has changed at the kerbs."""
        if self._live and not self.away:
            self._see()
        else:
            self._changed.set()

    async def run(self) -> None:
        """Tell the inputs whenever the board can be reached, until cancelled."""
        while True:
            if not self.away:
                self._health.clear_alarm("relay_unreachable", self._name)
                self._live = True
                self._kerbs.held = (self._kerbs.held - self._lanes) | self.wanted
                self._see()
            self._changed.clear()
            await self._changed.wait()
            if self.away:
                await asyncio.sleep(NOTICED_S)
            if self.away:
                self._live = False
                self._health.raise_alarm("relay_unreachable", self._name, "no answer")

    def _see(self) -> None:
        self._inputs.see(self._kerbs.levels[self._name], self._clock.boot_s())


_Tell = Callable[[Presence], None]


class VirtualBarrier:
    """The barrier of one lane, on a board."""

    def __init__(self, lane: LaneSettings, board: VirtualBoard, kerbs: Kerbs, clock: Clock) -> None:
        self._lane = lane.name
        self._closes = lane.barrier.close_after_s is not None
        self._board, self._kerbs, self._clock = board, kerbs, clock

    async def open(self, command: BarrierCommand) -> Ack:
        """Pulse, unless it is too late."""
        if self._kerbs.late_s:
            await asyncio.sleep(self._kerbs.late_s)
        if self._clock.boot_s() > command.deadline:
            return self._ack(command, Outcome.FAILED, "too late")
        return self._switched(command, lambda: self._pulse(command))

    async def hold(self, command: BarrierCommand) -> Ack:
        """Keep the boom up, at the latest when the board is back."""
        self._board.wanted.add(self._lane)
        return self._switched(command, lambda: self._kerbs.held.add(self._lane))

    async def release(self, command: BarrierCommand) -> Ack:
        """Keep it up no longer."""
        self._board.wanted.discard(self._lane)
        return self._switched(command, lambda: self._kerbs.held.discard(self._lane))

    async def close(self, command: BarrierCommand) -> Ack:
        """Close it, where a relay is wired for that."""
        if not self._closes:
            return self._ack(command, Outcome.FAILED, "no close relay")
        return self._switched(command, lambda: self._kerbs.closings.append(self._lane))

    def _pulse(self, command: BarrierCommand) -> None:
        self._kerbs.pulse(self._lane, command.id, self._clock.boot_s())

    def _switched(self, command: BarrierCommand, switch: Callable[[], None]) -> Ack:
        if self._board.away or self._lane in self._kerbs.broken:
            return self._ack(command, Outcome.FAILED, "no answer")
        switch()
        return self._ack(command, Outcome.DONE, "switched")

    def _ack(self, command: BarrierCommand, outcome: Outcome, detail: str) -> Ack:
        return Ack(command=command.id, outcome=outcome, detail=detail, at=self._clock.boot_s())


class VirtualDisplay:
    """What the driver of one lane sees: the newest text, once its line takes it."""

    def __init__(self, name: str, kerbs: Kerbs, health: Health) -> None:
        self._name, self._kerbs, self._health = name, kerbs, health
        self._news = asyncio.Event()
        self._waiting = DisplayText()

    def show(self, text: DisplayText) -> None:
        """Show this from now on."""
        self._waiting = text
        self._news.set()

    async def run(self) -> None:
        """Show each as it comes, until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._name in self._kerbs.dark:
                self._health.raise_alarm("display_failed", self._name, "no adapter")
                await asyncio.sleep(REOPENS_S)
            self._health.clear_alarm("display_failed", self._name)
            self._kerbs.shown[self._name] = self._waiting


@dataclass(frozen=True, slots=True)
class VirtualLoops:
    """The inputs of one lane, on whatever boards they are wired to."""

    lane: LaneSettings
    boards: dict[str, VirtualBoard]

    def watch(self, tell: "_Tell") -> None:
        """From now on tell each."""
        for key, wire in self.lane.inputs.items():
            sensor = Sensor(key.removesuffix("_loop"))
            self.boards[wire.board].watch(self.lane.name, sensor, wire, tell)


class VirtualDevices:
    """All of them, for one life of a controller."""

    def __init__(self, config: Config, clock: Clock, health: Health, *, kerbs: Kerbs) -> None:
        self._kerbs, self._clock = kerbs, clock
        self._boards = {
            board.name: VirtualBoard(board, kerbs, clock, health) for board in config.board
        }
        self._displays = {
            each.name: VirtualDisplay(each.name, kerbs, health) for each in config.display
        }
        self._sides = sides_of(config, clock, health)
        kerbs.moved = self._moved

    @property
    def tasks(self) -> Sequence[Task]:
        """Boards, displays, and the barriers that two lanes share."""
        turns = dict.fromkeys(side.turn for side in self._sides.values())
        return [
            *((f"board {name}", board.run) for name, board in self._boards.items()),
            *((f"display {name}", display.run) for name, display in self._displays.items()),
            *((f"turn of {turn.name}", turn.run) for turn in turns),
        ]

    def kerb(self, lane: LaneSettings) -> Kerb:
        """What stands at one lane."""
        camera: Camera | None = None
        if lane.camera is not None:
            camera = VirtualCamera(lane.name, self._kerbs, self._clock)
        board = self._boards[lane.barrier.board]
        barrier: Barrier = VirtualBarrier(lane, board, self._kerbs, self._clock)
        loops: Loops = VirtualLoops(lane, self._boards)
        return Kerb(
            camera=camera,
            barrier=barrier,
            loops=loops,
            display=self._displays.get(lane.display or ""),
            turn=self._sides.get(lane.name),
            motion=VirtualMotion(),
        )

    def watch_fire(self, wires: Sequence[InputSettings], fire: FireInputs) -> None:
        """From now on tell what the fire inputs say."""
        for wire in wires:
            name = name_of(wire)
            self._boards[wire.board].watch(name, Sensor.FIRE, wire, partial(fire.sensed, name))

    async def close(self) -> None:
        """Nothing to let go of."""

    def unplug(self) -> None:
        """The controller is dead, and moves nothing any more."""
        for board in self._boards.values():
            board.unplugged = True

    def _moved(self) -> None:
        for board in self._boards.values():
            board.moved()
