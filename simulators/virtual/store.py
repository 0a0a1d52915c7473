"""The store of a simulated machine: the real one, whose thread works in its turn, and as slowly or
badly as the simulation says.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, Self, TypeVar

from gatekeeper.errors import StoreError
from gatekeeper.model import Commit, Event, Instant, ListChanges, Record
from gatekeeper.store import Store
from gatekeeper.store.facts import fact_of
from gatekeeper.store.rehearsal import Rehearsal

Answer = TypeVar("Answer")


class Disk(Protocol):
    """What the disk is like."""

    def delay_s(self) -> float:
        """How long the next piece of work takes; `StoreError` if it fails, `inf` if it hangs."""
        ...


class GoodDisk:
    """A disk that takes no time and never fails."""

    def delay_s(self) -> float:
        """None."""
        return 0.0


class VirtualWorker:
    """Works in its turn, one piece after the other; without power nothing is done any more."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._turn = asyncio.Lock()
        self.power = True

    async def run(self, work: Callable[[], Answer], ended: Callable[[Answer], None]) -> Answer:
        """Carry it out when those before it are done; who stops waiting does not undo it."""
        delay_s = self._disk.delay_s()
        if delay_s == 0.0 and not self._turn.locked() and self.power:
            answer = work()
            ended(answer)
            return answer
        task = asyncio.create_task(self._run(delay_s, work, ended))
        return await asyncio.shield(task)

    async def _run(
        self, delay_s: float, work: Callable[[], Answer], ended: Callable[[Answer], None]
    ) -> Answer:
        async with self._turn:
            await asyncio.sleep(delay_s)
            if not self.power:
                raise StoreError("the machine has no power")
            answer = work()
        ended(answer)
        return answer

    async def aside(self, work: Callable[[], Answer]) -> Answer:
        """At once."""
        return work()

    async def close(self, last: Callable[[], None]) -> None:
        """At once."""
        last()


class VirtualStore(Store):
    """A store that also tells of each event that was written, in order; of what lists have become
    only if it `hears_lists`, which takes time.
    """

    worker: VirtualWorker
    _written: Callable[[Event], None]
    _hears_lists: bool

    @classmethod
    def on(
        cls, path: Path, disk: Disk, written: Callable[[Event], None], *, hears_lists: bool
    ) -> Self:
        """Open the database at `path`."""
        worker = VirtualWorker(disk)
        self = cls(Rehearsal.open(path), worker)
        self.worker, self._written, self._hears_lists = worker, written, hears_lists
        return self

    async def commit(self, commit: Commit) -> tuple[Event, ...]:
        """As the store does."""
        events = await super().commit(commit)
        for event in events:
            self._written(event)
        return events

    async def follow(self, changes: ListChanges, at: Instant) -> bool:
        """As the store does."""
        if not self._hears_lists:
            return await super().follow(changes, at)
        before = await self.last_seq()
        followed = await super().follow(changes, at)
        for each in await self.pending(before, limit=1):
            record = Record(fact=fact_of(each.kind, each.body), at=at)
            self._written(Event(id=each.id, journal=each.journal, seq=each.seq, record=record))
        return followed

    def cut(self) -> None:
        """The power is gone: what was committed is on the disk, and nothing else will be."""
        self.worker.power = False
        if not self._closed:
            self._closed = True
            self._database.close()
