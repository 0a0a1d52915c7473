"""What stands at the lanes of one machine: inputs, cameras, relays. It outlives the controllers
that run there; the world or a test moves it, the devices of a controller (`devices`) read it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from gatekeeper.app.fire import name_of
from gatekeeper.config import Config, InputSettings
from gatekeeper.model import DisplayText, Frame, PlateRead, Sensor
from simulators.virtual.badly import WeakReader


class Sight(Protocol):
    """What one picture shows."""

    @property
    def moving(self) -> bool:
        """Whether something moves."""
        ...

    @property
    def changed(self) -> bool:
        """Whether something is there that the empty lane has not."""
        ...

    def reads(self, frame: Frame) -> tuple[PlateRead, ...]:
        """The plates that are read in it."""
        ...


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture with these reads, which bear its number and moment already."""

    plates: tuple[PlateRead, ...] = ()
    moving: bool = False
    changed: bool = False

    def reads(self, frame: Frame) -> tuple[PlateRead, ...]:
        """These."""
        return self.plates


NOTHING = Shown()
UNREAD = Shown(changed=True)
"""An empty lane, and one with something in it that bears no plate that could be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture that was taken at a moment (boot clock)."""

    number: int
    at: float
    sight: Sight


class Kerbs:
    """`away` are boards that do not answer, `broken` lanes whose relays do not switch, `dead` lanes
    whose camera gives nothing, `hanging` those whose camera does not even say so, `dark` displays
    that take no text and `shown` what the others show, `late_s` how long the boards take to switch
    a relay, `held` lanes whose hold relay is on now; `pulses` are the
    lanes whose barriers were told to open, `closings` to close, emptied by their reader; `pulsed`
    is told of each opening at once, and `commands` are the ids of all, each with the moment on the
    boot clock. `present` is what stands on
    which loop, wired or not.

    What a camera sees is asked of `look` at each picture; where that is None, the pictures are
    those that are `shown`.
    """

    def __init__(self, config: Config, look: Callable[[str], Sight] | None = None) -> None:
        self.config = config
        self.look = look
        self.away: set[str] = set()
        self.broken: set[str] = set()
        self.dead: set[str] = set()
        self.hanging: set[str] = set()
        self.dark: set[str] = set()
        self.shown: dict[str, DisplayText] = {}
        self.late_s = 0.0
        self.held: set[str] = set()
        self.pulses: list[str] = []
        self.commands: list[tuple[str, float]] = []
        self.pulsed: Callable[[str], None] = _told_nobody
        self.reader = WeakReader()
        self.present: set[tuple[str, Sensor]] = set()
        self.closings: list[str] = []
        self.awaited: set[str] = set()
        self.pictures: dict[str, Picture] = {}
        self.pushed = {lane.name: asyncio.Event() for lane in config.lane}
        self.moved: Callable[[], None] = _nothing
        self.levels = {board.name: [False] * board.inputs for board in config.board}
        for wire in self._every_wire():
            self._set(wire, on=False)

    def edge(self, lane: str, sensor: Sensor, on: bool) -> None:
        """A loop has changed; one that is not wired is not heard."""
        (self.present.add if on else self.present.discard)((lane, sensor))
        wire = self._lane(lane).get(f"{sensor}_loop") or self._lane(lane).get(sensor.value)
        if wire is not None:
            self._set(wire, on=on)
            self.moved()

    def wired(self, lane: str, sensor: Sensor) -> bool:
        """Whether the controller hears of it."""
        wires = self._lane(lane)
        return f"{sensor}_loop" in wires or sensor.value in wires

    def fire(self, name: str, on: bool) -> None:
        """A fire input (`board/number`) has changed."""
        for wire in self.config.fire.inputs:
            if name_of(wire) == name:
                self._set(wire, on=on)
        self.moved()

    def occupied(self, lane: str) -> bool:
        """Whether a vehicle is on a loop of the lane, and so in view of its camera."""
        return any((lane, sensor) in self.present for sensor in (Sensor.ARRIVAL, Sensor.SAFETY))

    def board(self, name: str, *, away: bool) -> None:
        """A board does not answer from now on, or does again."""
        (self.away.add if away else self.away.discard)(name)
        self.moved()

    def pulse(self, lane: str, command: str, at: float) -> None:
        """The barrier of a lane is told to open."""
        self.pulses.append(lane)
        self.commands.append((command, at))
        self.pulsed(lane)

    def clear(self) -> None:
        """Without power nothing says anything, and no relay is on."""
        for wire in self._every_wire():
            self._set(wire, on=False)
        self.present.clear()
        self.held.clear()

    def show(self, lane: str, picture: Picture) -> None:
        """The camera of a lane gives this picture now, if anybody wants one."""
        self.pictures[lane] = picture
        self.pushed[lane].set()

    def _lane(self, name: str) -> dict[str, InputSettings]:
        return next(lane.inputs for lane in self.config.lane if lane.name == name)

    def _every_wire(self) -> list[InputSettings]:
        wires = [wire for lane in self.config.lane for wire in lane.inputs.values()]
        return [*wires, *self.config.fire.inputs]

    def _set(self, wire: InputSettings, *, on: bool) -> None:
        self.levels[wire.board][wire.input] = on != wire.inverted


def _nothing() -> None:
    return


def _told_nobody(_: str) -> None:
    return
