"""The inputs of a lane, as a person beside it watches them."""

import asyncio
from collections.abc import Callable, Collection

from gatekeeper.model import Presence


class Inputs:
    """The inputs of a lane as they are now, by key; each change is told as it comes."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.on: dict[str, bool] = {}
        self.changed: set[str] = set()
        """Since its reader last emptied it."""
        self._tell = tell
        self._moved = asyncio.Event()

    def see(self, part: str, presence: Presence) -> None:
        """Take in what an input is."""
        if part in self.on:
            self._tell(f"  {part} is {word(presence.on)}")
            self.changed.add(part)
        self.on[part] = presence.on
        self._moved.set()

    async def read(self, parts: Collection[str]) -> None:
        """Wait until each of these was read once."""
        while not self.on.keys() >= set(parts):
            self._moved.clear()
            await self._moved.wait()

    async def until(self, part: str, on: bool) -> None:
        """Wait until an input is on, or off."""
        while self.on.get(part) is not on:
            self._moved.clear()
            await self._moved.wait()


def word(on: bool) -> str:
    """What an input is."""
    return "on" if on else "off"
