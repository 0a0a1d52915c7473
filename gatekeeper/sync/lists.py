"""The registry's lists as the centre tells them: taken over step by step or whole, and asked for
where one is missing. The store applies them.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from gatekeeper.clock import Clock
from gatekeeper.errors import WireError
from gatekeeper.health import Health
from gatekeeper.model import ListChanges, ListName, ListSnapshot
from gatekeeper.store import Store
from gatekeeper.sync import registry, wire
from gatekeeper.sync.message import Carrier, Message
from gatekeeper.sync.pace import Pace
from gatekeeper.sync.topics import Heard, Place, Topics

_LONG = 64 * 1024
"""A body of more bytes than this is read in a thread."""

_Lists = TypeVar("_Lists", ListChanges, ListSnapshot)


class Lists:
    """Used from the loop's thread, one message at a time. `changed` gets the changes that were
    applied, None for a whole list.
    """

    def __init__(
        self,
        topics: Topics,
        *,
        store: Store,
        clock: Clock,
        health: Health,
        pace: Pace,
        changed: Callable[[ListChanges | None], None],
    ) -> None:
        self._topics, self._store, self._clock = topics, store, clock
        self._health, self._pace, self._changed = health, pace, changed
        self._asked_until: dict[ListName, float] = {}
        self._missed: dict[ListName, int] = {}

    async def take(self, place: Place, message: Message) -> None:
        """Apply what came. Raises `WireError`, `LinkError`, and `StoreError`: it comes again."""
        if place.heard is Heard.CHANGES:
            await self._follow(await self._read(registry.changes, place, message), message)
        else:
            await self._replace(await self._read(registry.snapshot, place, message), message)

    async def ask_for_all(self, connection: Carrier) -> None:
        """Tell the centre how far each list is followed here. Raises `LinkError`, `StoreError`."""
        for name in ListName:
            await self._ask(connection, name)

    async def _read(
        self, read: Callable[[ListName, bytes], _Lists], place: Place, message: Message
    ) -> _Lists:
        name = ListName(place.name)
        try:
            if len(message.body) > _LONG:
                return await asyncio.to_thread(read, name, message.body)
            return read(name, message.body)
        except WireError as error:
            self._health.raise_alarm("registry_malformed", name, str(error))
            raise

    async def _follow(self, step: ListChanges, message: Message) -> None:
        if await self._store.follow(step, self._clock.instant()):
            self._applied(step.list, step)
        elif self._clock.boot_s() < self._asked_until.get(step.list, 0.0):
            self._missed[step.list] = step.version  # a snapshot is on its way, perhaps an older one
        else:
            self._asked_until[step.list] = self._clock.boot_s() + self._pace.ask_again_s
            await self._ask(message.connection, step.list)

    async def _replace(self, whole: ListSnapshot, message: Message) -> None:
        if await self._store.replace(whole, self._clock.instant()):
            self._applied(whole.list, None)
        self._asked_until.pop(whole.list, None)
        if self._missed.pop(whole.list, 0) > whole.version:
            await self._ask(message.connection, whole.list)

    def _applied(self, name: ListName, step: ListChanges | None) -> None:
        self._health.clear_alarm("registry_malformed", name)
        self._changed(step)

    async def _ask(self, connection: Carrier, name: ListName) -> None:
        held = {one.list: one.version for one in await self._store.versions()}
        await connection.say(self._topics.wanted(name), wire.wanted(held.get(name)))
