"""The registry's lists as the centre tells them: taken over step by step or whole, and asked for
where one is missing. The store applies them.

Nothing that comes takes more away than it was meant to: a list that would shrink by half waits for
a word (situations, 48), and one whose versions go back, because the centre was restored, is asked
for whole (46).
"""

import asyncio
import hashlib
import math
from collections.abc import Callable, Collection, Sized
from dataclasses import dataclass, field
from typing import TypeVar

import structlog

from gatekeeper.clock import Clock
from gatekeeper.errors import WireError
from gatekeeper.health import Health
from gatekeeper.model import ListChanges, ListName, ListSnapshot, Refused
from gatekeeper.store import Store
from gatekeeper.sync import registry, wire
from gatekeeper.sync.message import Carrier, Message
from gatekeeper.sync.pace import Pace
from gatekeeper.sync.topics import Heard, Place, Topics

log = structlog.get_logger(__name__)

_LONG = 64 * 1024
"""A body of more bytes than this is read in a thread."""

MANY = 50
"""Of more rows than this, no more than half may go at once without a word of the centre's."""

_KNOWN = 200
"""Steps of a list that are remembered, so that one that comes twice is known."""

_Lists = TypeVar("_Lists", ListChanges, ListSnapshot)


@dataclass(slots=True)
class _Followed:
    """What is remembered of one list: what was applied by version, when last, and what is wrong."""

    steps: dict[int, bytes] = field(default_factory=dict)
    moved_at: float = -math.inf
    is_back: bool = False

    def applied(self, version: int, digest: bytes, at: float) -> None:
        """It reached a version, by this."""
        self.steps[version], self.moved_at = digest, at
        while len(self.steps) > _KNOWN:
            del self.steps[next(iter(self.steps))]

    def is_foreign(self, version: int, digest: bytes) -> bool:
        """Whether this was never applied under its number."""
        return self.steps.get(version) != digest


class Lists:
    """Used from the loop's thread, one message at a time. `changed` gets the changes that were
    applied, None for a whole list. `zones` are those that rows may name.
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
        zones: Collection[str] = (),
    ) -> None:
        self._topics, self._store, self._clock = topics, store, clock
        self._health, self._pace, self._changed = health, pace, changed
        self._zones = frozenset(zones)
        self._asked_until: dict[ListName, float] = {}
        self._missed: dict[ListName, int] = {}
        self._followed = {name: _Followed() for name in ListName}

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
        self,
        read: Callable[[ListName, bytes, Collection[str]], _Lists],
        place: Place,
        message: Message,
    ) -> _Lists:
        name = ListName(place.name)
        try:
            if len(message.body) > _LONG:
                return await asyncio.to_thread(read, name, message.body, self._zones)
            return read(name, message.body, self._zones)
        except WireError as error:
            self._health.raise_alarm("registry_malformed", name, str(error))
            raise

    async def _follow(self, step: ListChanges, message: Message) -> None:
        if await self._goes_back(step.list, step.version, message):
            return  # what it says follows on what is not here: a whole list is waited for
        if await self._store.follow(step, self._clock.instant()):
            await self._applied(step, step, message)
        elif self._clock.boot_s() < self._asked_until.get(step.list, 0.0):
            self._missed[step.list] = step.version  # a snapshot is on its way, perhaps an older one
        else:
            self._asked_until[step.list] = self._clock.boot_s() + self._pace.ask_again_s
            await self._ask(message.connection, step.list)

    async def _replace(self, whole: ListSnapshot, message: Message) -> None:
        followed = self._followed[whole.list]
        if not whole.reset and await self._goes_back(
            whole.list, whole.version, message, whole=True
        ):
            return
        if whole.reset and followed.steps.get(whole.version) == _digest(message):
            return  # it came twice
        if await self._shrinks(whole):
            return
        if await self._store.replace(whole, self._clock.instant()):
            followed.is_back = False
            self._health.clear_alarm("registry_version_back", whole.list)
            self._health.clear_alarm("registry_shrunk", whole.list)
            await self._applied(whole, None, message)
        self._asked_until.pop(whole.list, None)
        if self._missed.pop(whole.list, 0) > whole.version:
            await self._ask(message.connection, whole.list)

    async def _goes_back(
        self, name: ListName, version: int, message: Message, *, whole: bool = False
    ) -> bool:
        """Whether the centre has an older list than this gate. What may have waited at the broker
        tells nothing, and a whole list of the same version was asked for by another gate.
        """
        followed = self._followed[name]
        if message.may_have_waited and not followed.is_back:
            return False
        held = await self._held(name)
        is_new = held is None or version > held
        if followed.is_back:
            return not (whole and is_new)
        if is_new or (whole and version == held):
            return False
        races = self._clock.boot_s() - followed.moved_at <= self._pace.races_s
        if races or not followed.is_foreign(version, _digest(message)):
            return False
        followed.is_back = True
        detail = f"the centre tells of version {version}, and here is {held}: was it restored?"
        self._health.raise_alarm("registry_version_back", name, detail)
        await self._ask(message.connection, name)
        return True

    async def _shrinks(self, whole: ListSnapshot) -> bool:
        """Whether a list waits for a word because too much would be lost by it."""
        if whole.shrinks or not isinstance(whole.rows, Sized):
            return False
        before, after = await self._store.may_lose(whole.list), len(whole.rows)
        if before == 0 or (after > 0 and (before <= MANY or 2 * after >= before)):
            return False
        detail = f"version {whole.version} has {after} rows in place of {before}: held back"
        self._health.raise_alarm("registry_shrunk", whole.list, detail)
        return True

    async def _applied(
        self, told: ListChanges | ListSnapshot, step: ListChanges | None, message: Message
    ) -> None:
        name, refused = told.list, told.refused
        self._followed[name].applied(told.version, _digest(message), self._clock.boot_s())
        self._health.clear_alarm("registry_malformed", name)
        self._changed(step)
        if refused.count:
            first = refused.first[0]
            detail = f"{refused.count} left out; number {first.number}: {first.reason}"
            self._health.raise_alarm("registry_rows_refused", name, detail)
            await self._ask(message.connection, name, refused)
        elif step is None:
            self._health.clear_alarm("registry_rows_refused", name)

    async def _held(self, name: ListName) -> int | None:
        return {one.list: one.version for one in await self._store.versions()}.get(name)

    async def _ask(
        self, connection: Carrier, name: ListName, refused: Refused = wire.ALL_TAKEN
    ) -> None:
        back = self._followed[name].is_back
        body = wire.wanted(await self._held(name), back=back, refused=refused)
        await connection.say(self._topics.wanted(name), body)


def _digest(message: Message) -> bytes:
    return hashlib.blake2b(message.body, digest_size=16).digest()
