"""What a change of list means: to fresh bindings and waiting vehicles at once, to the open stays as
soon as the lists can be asked.
"""

import asyncio
from collections import deque

from gatekeeper.clock import Clock
from gatekeeper.errors import StoreError
from gatekeeper.health import Tell
from gatekeeper.lane import Bindings
from gatekeeper.model import ListChanges
from gatekeeper.zones import Zones

WAITING = 100
"""List changes whose meaning for open stays is still to be looked up. Of more than this the oldest
is dropped, and every stay is looked at."""

AGAIN_S = 1.0
"""A store that does not answer is asked again after this."""


class Lists:
    """Hears of every change of list. `changed` is told of each, so that waiting vehicles are
    decided again.
    """

    def __init__(self, bindings: Bindings, zones: Zones, *, clock: Clock, changed: Tell) -> None:
        self._bindings = bindings
        self._zones = zones
        self._clock = clock
        self._tell = changed
        self._waiting: deque[ListChanges | None] = deque()
        self._some = asyncio.Event()

    def changed(self, changes: ListChanges | None) -> None:
        """A list has changed; None stands for a whole list. Told by the link, which waits for
        nothing.
        """
        self._bindings.changed(changes, self._clock.boot_s())
        if len(self._waiting) >= WAITING:
            self._waiting.popleft()
            changes = None  # every stay is looked at, which covers the one dropped
        self._waiting.append(changes)
        self._some.set()
        self._tell()

    async def run(self) -> None:
        """A later change of list may lift the limit of a stay: look them up, for ever."""
        while True:
            await self._some.wait()
            try:
                await self.look_up()
            except StoreError:
                await asyncio.sleep(AGAIN_S)  # the journal says what is wrong with the store

    async def look_up(self) -> None:
        """Tell the zones of what waits, each once the store has answered. Raises `StoreError`:
        what was not told waits on.
        """
        while self._waiting:
            first = self._waiting[0]
            await self._zones.lists_changed(first)
            if self._waiting and self._waiting[0] is first:
                self._waiting.popleft()
        self._some.clear()
