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
"""Questions that wait for the lists. Of more than this the oldest is dropped, and every stay is
looked at."""

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
        self._waiting: deque[frozenset[str] | None] = deque()
        self._some = asyncio.Event()

    def changed(self, changes: ListChanges | None) -> None:
        """A list has changed; None stands for a whole list. Told by the link, which waits for
        nothing.
        """
        self._bindings.changed(changes, self._clock.boot_s())
        plates = None if changes is None else {change.row.plate for change in changes.changes}
        self._ask(None if plates is None else frozenset(plates))
        self._tell()

    def began(self, plate: str) -> None:
        """A stay has begun: the lists may have changed since it was decided."""
        self._ask(frozenset({plate}))

    def restored(self) -> None:
        """The lists may have changed while the controller was down."""
        self._ask(None)

    def _ask(self, plates: frozenset[str] | None) -> None:
        if len(self._waiting) >= WAITING:
            self._waiting.popleft()
            plates = None  # every stay is looked at, which covers the one dropped
        self._waiting.append(plates)
        self._some.set()

    async def run(self) -> None:
        """Ask, until cancelled: a later change of list may lift the limit of a stay."""
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
            await self._zones.ask_lists(first)
            if self._waiting and self._waiting[0] is first:
                self._waiting.popleft()
        self._some.clear()
