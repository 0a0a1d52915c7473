"""What the cameras of some lanes see, how they fail, and the commands that change it.

A camera's server asks for the picture of this moment; this module knows no network.
"""

import zlib
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path

import numpy as np

from simulators import scene
from simulators.console import Command, CommandError, Fields
from simulators.plate import Ground, Picture, ground_of

_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")


class Fault(StrEnum):
    """What is wrong with a camera."""

    NONE = "none"
    FREEZE = "freeze"
    BLACK = "black"
    SLOW = "slow"
    UNAUTHORIZED = "401"
    HANG = "hang"
    GARBAGE = "garbage"
    HALF = "half"
    DEAD = "dead"


class View:
    """What one lane's camera sees, and how it fails."""

    def __init__(self, lane: str) -> None:
        seed = zlib.crc32(lane.encode())
        self.fault = Fault.NONE
        self.slow_s = 0.0
        self.shows = ""
        self.taken = 0
        self.photographs = 0
        self._camera = scene.Camera(seed)
        self._road = scene.road(seed)
        self._scene = self._road
        self._last: Picture | None = None

    def show(self, plate: str, ground: Ground) -> None:
        """A car with this plate stands there; raises `ValueError`."""
        self._scene = scene.with_car(self._road, plate, ground)
        self.shows = plate

    def picture(self, path: Path) -> None:
        """A photograph instead; raises `ValueError` and `OSError`."""
        self._scene = scene.photograph(path)
        self.shows = path.name

    def clear(self) -> None:
        """Nobody is there."""
        self._scene = self._road
        self.shows = ""

    def frame(self) -> Picture:
        """The picture of this moment."""
        self.taken += 1
        if self.fault is Fault.FREEZE and self._last is not None:
            return self._last
        dark = self.fault is Fault.BLACK
        self._last = np.zeros_like(self._scene) if dark else self._camera.frame(self._scene)
        return self._last


class Views:
    """The views by lane; one that is not there yet comes into being, as long as `most` allows."""

    faults: tuple[Fault, ...] = ()
    """What may be wrong with cameras of this kind."""

    def __init__(
        self, photographs: Sequence[Path], lanes: Iterable[str] = (), most: int = 0
    ) -> None:
        self._photographs = photographs
        self._views = {lane: View(lane) for lane in lanes}
        self._most = most

    async def show(self, lane: str, plate: str, ground: str = "") -> Fields:
        """A car with this plate stands before the camera; its ground goes by the plate, or is
        blue, green, yellow, white or black.
        """
        self.view(lane).show(plate, Ground(ground) if ground else ground_of(plate))
        return {"lane": lane, "plate": plate}

    async def picture(self, lane: str, file: str) -> Fields:
        """The camera sees this photograph, a little different each time."""
        self.view(lane).picture(Path(file))
        return {"lane": lane, "picture": file}

    async def next(self, lane: str) -> Fields:
        """The camera sees the next photograph of the folder given by --pictures."""
        if not self._photographs:
            raise CommandError("there is no folder of photographs: start with --pictures DIR")
        view = self.view(lane)
        view.photographs += 1
        file = self._photographs[(view.photographs - 1) % len(self._photographs)]
        view.picture(file)
        return {"lane": lane, "picture": str(file)}

    async def clear(self, lane: str) -> None:
        """The road is empty."""
        self.view(lane).clear()

    async def state(self) -> Fields:
        """What each camera sees, how many pictures it gave, and its fault."""
        return {
            "lanes": {
                lane: {"shows": view.shows, "taken": view.taken, "fault": view.fault}
                for lane, view in self._views.items()
            }
        }

    def view(self, lane: str) -> View:
        """What this lane's camera sees; raises `CommandError` if there is no such lane."""
        view = self._views.get(lane)
        if view is None:
            if len(self._views) >= self._most:
                raise CommandError(f"no more lanes than {', '.join(self._views)}")
            view = self._views[lane] = View(lane)
        return view

    def failing(self, lane: str, name: str, slow_ms: str) -> View:
        """The view, with this fault from now on; raises `ValueError` and `CommandError`."""
        fault, slow_s = Fault(name), int(slow_ms) / 1000
        if fault not in self.faults:
            raise CommandError(f"there is no fault but {', '.join(self.faults)}")
        if (fault is Fault.SLOW) != (slow_s > 0):
            raise CommandError("slow takes its milliseconds, and no other fault does")
        view = self.view(lane)
        view.fault, view.slow_s = fault, slow_s
        return view


COMMANDS = (
    Command(Views.show, "LANE PLATE [GROUND]"),
    Command(Views.picture, "LANE FILE"),
    Command(Views.next, "LANE"),
    Command(Views.clear, "LANE"),
    Command(Views.state),
)


def photographs_in(folder: Path | None) -> list[Path]:
    """The pictures in a folder, by name; raises `OSError` if there is no such folder."""
    if folder is None:
        return []
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in _SUFFIXES)
