"""What a change of list means: to fresh bindings and waiting vehicles at once, to the open stays by
and by.
"""

import asyncio

from gatekeeper.clock import Clock
from gatekeeper.health import Tell
from gatekeeper.lane import Bindings
from gatekeeper.model import ListChanges
from gatekeeper.zones import Zones

WAITING = 100
"""List changes whose meaning for open stays is still to be looked up. Of more than this the oldest
is dropped, and every stay is looked at."""


class Lists:
    """Hears of every change of list. `changed` is told of each, so that waiting vehicles are
    decided again.
    """

    def __init__(self, bindings: Bindings, zones: Zones, *, clock: Clock, changed: Tell) -> None:
        self._bindings = bindings
        self._zones = zones
        self._clock = clock
        self._tell = changed
        self._waiting: asyncio.Queue[ListChanges | None] = asyncio.Queue(WAITING)

    def changed(self, changes: ListChanges | None) -> None:
        """A list has changed; None stands for a whole list. Told by the link, which waits for
        nothing.
        """
        self._bindings.changed(changes, self._clock.boot_s())
        if self._waiting.full():
            self._waiting.get_nowait()
            changes = None  # every stay is looked at, which covers the one dropped
        self._waiting.put_nowait(changes)
        self._tell()

    async def run(self) -> None:
        """A later change of list may lift the limit of a stay: look them up, for ever."""
        while True:
            await self._zones.lists_changed(await self._waiting.get())
