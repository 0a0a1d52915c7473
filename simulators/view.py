"""What the cameras of some lanes see, how they fail, and the commands that change it.

A camera's server asks for the picture of this moment; this module knows no network.
"""

import asyncio
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from simulators import scene
from simulators.console import Command, CommandError, Fields
from simulators.plate import Ground, Picture, draw, ground_of
from simulators.traffic import ARRIVES_S, BACKS_S, LEAVES_S, Drive, Scene, taken
from simulators.weather import MILD, Weather

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
    """What one lane's camera sees, and how it fails; moments are in seconds on any clock."""

    def __init__(self, lane: str) -> None:
        self.lane = lane
        self.fault = Fault.NONE
        self.slow_s = 0.0
        self.shows = ""
        self.taken = 0
        self.photographs = 0
        self.scene = Scene(seed=zlib.crc32(lane.encode()))
        self._last: Picture | None = None

    @property
    def weather(self) -> Mapping[Weather, float]:
        """What stands between the camera and the lane, and how much of it."""
        return self.scene.weather

    def show(self, plate: str, ground: Ground, drive: Drive) -> None:
        """A car with this plate, which drives so; raises `ValueError`."""
        draw(plate, ground)
        self._see(plate, plate=plate, ground=ground, drive=drive, photograph=None)

    def drive_on(self, at: float, *, back: bool) -> None:
        """The car that stands there leaves now; raises `CommandError` if there is none."""
        if not self.scene.plate:
            raise CommandError("there is no car")
        self._see(self.shows, drive=replace(self.scene.drive, left_at=at, back=back))

    def picture(self, path: Path) -> None:
        """A photograph instead; raises `ValueError` and `OSError`."""
        self._see(path.name, plate="", photograph=scene.photograph(path))

    def clear(self) -> None:
        """No car is there."""
        self._see("", plate="", photograph=None)

    def become(self, weather: Mapping[Weather, float]) -> None:
        """The weather from now on."""
        self._see(self.shows, weather=weather)

    def frame(self, at: float) -> Picture:
        """The picture of this moment."""
        self.taken += 1
        if self.fault is Fault.FREEZE and self._last is not None:
            return self._last
        picture = taken(self.scene, at)
        self._last = np.zeros_like(picture) if self.fault is Fault.BLACK else picture
        return self._last

    def _see(self, shows: str, **changes: Any) -> None:
        self.scene = replace(self.scene, **changes)
        self.shows = shows


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
        """A car with this plate stands before the camera at once; its ground goes by the plate, or
        is blue, green, yellow, white or black.
        """
        return self._show(lane, plate, ground, Drive())

    async def arrive(self, lane: str, plate: str, ground: str = "") -> Fields:
        """A car with this plate drives into view; answered when it stands, 3 s later."""
        told = self._show(lane, plate, ground, Drive(came_at=_now()))
        await asyncio.sleep(ARRIVES_S)
        return told

    async def leave(self, lane: str) -> None:
        """The car drives on, past the camera; answered when it is out of view."""
        self.view(lane).drive_on(_now(), back=False)
        await self._gone(lane, LEAVES_S)

    async def back(self, lane: str) -> None:
        """The car backs out the way it came; answered when it is out of view."""
        self.view(lane).drive_on(_now(), back=True)
        await self._gone(lane, BACKS_S)

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
        """The road is empty at once."""
        self.view(lane).clear()

    async def weather(self, lane: str, kinds: str) -> Fields:
        """clear, or some of night, rain, blur, glare and dirt; night=0.7 says how bad, from 0 to 1
        where nothing is said 0.3.
        """
        self.view(lane).become(_weather(kinds))
        return {"lane": lane, "weather": dict(self.view(lane).weather)}

    async def state(self) -> Fields:
        """What each camera sees, in which weather, how many pictures it gave, and its fault."""
        return {
            "lanes": {
                lane: {
                    "shows": view.shows,
                    "taken": view.taken,
                    "fault": view.fault,
                    "weather": dict(view.weather),
                }
                for lane, view in self._views.items()
            }
        }

    def _show(self, lane: str, plate: str, ground: str, drive: Drive) -> Fields:
        view = self.view(lane)
        view.show(plate, Ground(ground) if ground else ground_of(plate), drive)
        return {"lane": lane, "plate": plate}

    async def _gone(self, lane: str, after_s: float) -> None:
        """The car is forgotten then, if no other came meanwhile."""
        view = self.view(lane)
        scene_then = view.scene
        await asyncio.sleep(after_s)
        if view.scene is scene_then:
            view.clear()

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
    Command(Views.arrive, "LANE PLATE [GROUND]"),
    Command(Views.leave, "LANE"),
    Command(Views.back, "LANE"),
    Command(Views.picture, "LANE FILE"),
    Command(Views.next, "LANE"),
    Command(Views.clear, "LANE"),
    Command(Views.weather, "LANE WEATHER..."),
    Command(Views.state),
)


def photographs_in(folder: Path | None) -> list[Path]:
    """The pictures in a folder, by name; raises `OSError` if there is no such folder."""
    if folder is None:
        return []
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in _SUFFIXES)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _weather(kinds: str) -> dict[Weather, float]:
    """As commands tell it; raises `ValueError`."""
    weather = {}
    for word in kinds.split():
        name, _, strength = word.partition("=")
        if name != "clear":
            weather[Weather(name)] = float(strength or MILD)
    if not all(0 <= strength <= 1 for strength in weather.values()):
        raise ValueError(f"{kinds}: from 0 to 1")
    return weather
