"""The inputs of a lane, as somebody watches them who stands beside it."""

import asyncio
from collections.abc import Callable, Collection

from gatekeeper.cli.barrier.parts import part_of
from gatekeeper.model import Presence, Sensor


class Inputs:
    """The inputs of a lane as they are now; each change is told as it comes."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.on: dict[Sensor, bool] = {}
        self.changed: set[Sensor] = set()
        """Since whoever asks has last emptied it."""
        self._tell = tell
        self._moved = asyncio.Event()

    def see(self, presence: Presence) -> None:
        """Take in one presence."""
        if presence.sensor in self.on:
            self._tell(f"  {part_of(presence.sensor)} is {word(presence.on)}")
            self.changed.add(presence.sensor)
        self.on[presence.sensor] = presence.on
        self._moved.set()

    async def read(self, sensors: Collection[Sensor]) -> None:
        """Wait until each of these was read once."""
        while not self.on.keys() >= set(sensors):
            self._moved.clear()
            await self._moved.wait()

    async def until(self, sensor: Sensor, on: bool) -> None:
        """Wait until an input is on, or off."""
        while self.on.get(sensor) is not on:
            self._moved.clear()
            await self._moved.wait()


def word(on: bool) -> str:
    """What an input is."""
    return "on" if on else "off"
