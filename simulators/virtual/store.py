"""The store of a simulated machine: the real one, whose threads work in their turn, and as slowly
or badly as the simulation says.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol, Self, TypeAlias, TypeVar

from gatekeeper.errors import StoreError
from gatekeeper.model import Commit, Event, Instant, ListChanges, Record
from gatekeeper.store import Store
from gatekeeper.store.facts import fact_of
from gatekeeper.store.unflushed import UnflushedDatabase
from gatekeeper.store.worker import Workers

Answer = TypeVar("Answer")

Does: TypeAlias = Literal["writes", "reads", "checks"]


class Disk(Protocol):
    """What the disk is like."""

    def delay_s(self, does: Does) -> float:
        """How long the next piece of work takes; raises `StoreError` if it fails."""
        ...

    async def wait(self, delay_s: float) -> None:
        """Take so long, or until a disk that hung is well again."""
        ...


class GoodDisk:
    """A disk that takes no time and never fails."""

    def delay_s(self, does: Does) -> float:
        """None."""
        return 0.0

    async def wait(self, delay_s: float) -> None:
        """As long as that."""
        await asyncio.sleep(delay_s)


class VirtualWorker:
    """Works in its turn, one piece after the other; without power nothing is done any more."""

    def __init__(self, disk: Disk, does: Does) -> None:
        self._disk, self._does = disk, does
        self._turn = asyncio.Lock()
        self._under_way: set[asyncio.Task[Any]] = set()
        self.power = True

    async def run(
        self, work: Callable[[], Answer], ended: Callable[[Answer], None] = lambda _: None
    ) -> Answer:
        """Carry it out when those before it are done; who stops waiting does not undo it."""
        delay_s = self._disk.delay_s(self._does)
        if delay_s == 0.0 and not self._turn.locked() and self.power:
            answer = work()
            ended(answer)
            return answer
        task = asyncio.create_task(self._run(delay_s, work, ended))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def _run(
        self, delay_s: float, work: Callable[[], Answer], ended: Callable[[Answer], None]
    ) -> Answer:
        async with self._turn:
            await self._disk.wait(delay_s)
            if not self.power:
                raise StoreError("the machine has no power")
            answer = work()
        ended(answer)
        return answer

    def cut(self) -> None:
        """The power is gone: what is under way comes to nothing."""
        self.power = False
        for task in self._under_way:
            task.cancel()

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

    _mine: tuple[VirtualWorker, ...]
    _told: Callable[[Event], None]
    _hears_lists: bool

    @classmethod
    def on(
        cls, path: Path, disk: Disk, told: Callable[[Event], None], *, hears_lists: bool
    ) -> Self:
        """The database at `path`, which is not open yet."""
        write, read, check = (VirtualWorker(disk, does) for does in _DOES)
        workers = Workers(write=write, read=read, check=check)
        self = cls(path, partial(UnflushedDatabase.open, path), workers)
        self._mine, self._told, self._hears_lists = (write, read, check), told, hears_lists
        return self

    async def commit_all(self, commits: Sequence[Commit]) -> tuple[Event, ...]:
        """As the store does."""
        events = await super().commit_all(commits)
        for event in events:
            self._told(event)
        return events

    async def follow(self, changes: ListChanges, at: Instant) -> bool:
        """As the store does."""
        if not self._hears_lists:
            return await super().follow(changes, at)
        before = await self.last_seq()
        followed = await super().follow(changes, at)
        for each in await self.pending(before, limit=1):
            record = Record(fact=fact_of(each.kind, each.body), at=at)
            self._told(Event(id=each.id, journal=each.journal, seq=each.seq, record=record))
        return followed

    def cut(self) -> None:
        """The power is gone: what was committed is on the disk, and nothing else will be."""
        for worker in self._mine:
            worker.cut()
        if not self._closed:
            self._closed = True
            self._let_go()


_DOES: tuple[Does, ...] = ("writes", "reads", "checks")
