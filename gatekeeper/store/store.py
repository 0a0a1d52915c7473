"""The store as the rest of the controller sees it: awaitable, and never in the loop's way.

Values of `gatekeeper.model` come in and go out; SQL stays below. It decides nothing.

One thread writes, one call after the other in the order of the calls, and another reads, so that a
disk that does not take what is written, or another program's lock, keeps no list from being read.
A caller that stops waiting for a call does not undo it: a transaction that was asked for is carried
out, and its failure is then logged, there being nobody to raise it to. A disk that hangs makes
calls wait: the caller sets the time limit, and `worker.MAX_WAITING` bounds what can pile up. A
question sees what had been written when it is put to the file: not what was asked for and is still
being written.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Self, TypeVar

from sqlalchemy import Connection

from gatekeeper.errors import StoreError, UnacceptableError
from gatekeeper.model import (
    Commit,
    Event,
    Hold,
    Instant,
    ListChanges,
    Listing,
    ListName,
    ListRow,
    ListSnapshot,
    ListVersion,
    OrderAnswer,
    PeerMark,
    Pending,
    Stay,
    ZoneState,
)
from gatekeeper.store import commands, occupancy, outbox, registry, rows, site
from gatekeeper.store.database import BUSY_MS, PATIENT_MS, Database, set_aside
from gatekeeper.store.unflushed import UnflushedDatabase
from gatekeeper.store.worker import InPlaceWorker, ThreadWorker, Worker, Workers

Answer = TypeVar("Answer")


def _written(connection: Connection, commit: Commit) -> tuple[Event, ...]:
    try:
        written = outbox.append(connection, commit.records)
    except (ValueError, TypeError, OverflowError) as error:
        raise UnacceptableError(f"an event cannot be written: {error}") from error
    commands.note(connection, written)
    occupancy.save(connection, commit.stays, commit.counts)
    rows.remove(connection, ListName.BLACKLIST, commit.removed)
    rows.add(connection, commit.listed)
    rows.suspend(connection, commit.suspended)
    site.save(connection, commit)
    return written


def _silence(_: object) -> None:
    return None


def _nothing() -> None:
    return None


def _never(_: object) -> bool:
    return False


def _always(_: object) -> bool:
    return True


class Store:
    """One database; made by `at`, and of use once it has been opened. Used from one event loop.

    Every method raises `StoreError`, which names the file and says what a technician can do, where
    the disk is full, the file locked or the device failing; nothing has then been changed. Until
    `open` has succeeded it says why not. A database whose disk was taken away and came back is
    found again without being opened once more.
    """

    def __init__(self, path: Path, make: Callable[[], Database], workers: Workers) -> None:
        """`make` opens the database, in the worker that writes; `at` says what is usual."""
        self._path = path
        self._make = make
        self._workers = workers
        self._database: Database | None = None
        self._why = "it has not been opened yet"
        self._watchers: list[Callable[[], None]] = []
        self._snapshots = asyncio.Lock()
        self._closed = False

    @classmethod
    def at(cls, path: Path, *, busy_ms: int = BUSY_MS) -> Self:
        """The store at `path`; nothing is touched before `open`. `busy_ms` is how long a
        transaction waits for another program's lock.
        """
        workers = Workers(write=ThreadWorker(path, "writes"), read=ThreadWorker(path, "reads"))
        return cls(path, partial(Database.open, path, busy_ms), workers)

    @classmethod
    async def opened(cls, path: Path) -> Self:
        """One that is open, for a command that tries once: it waits longer for another program's
        lock. Raises as `open` does.
        """
        self = cls.at(path, busy_ms=PATIENT_MS)
        try:
            await self.open()
        except BaseException:
            await self.close()
            raise
        return self

    @classmethod
    def rehearsal(cls, path: Path) -> Self:
        """The same for simulations: no method ever suspends, so that none needs a loop, and what
        was written may be lost in a power cut or seen late by readers (`flush`). Raises as `open`.
        """
        here = InPlaceWorker()
        self = cls(path, partial(UnflushedDatabase.open, path), Workers(write=here, read=here))
        self._open()
        return self

    async def set_aside(self) -> Path:
        """Rename a database that is unsound, so that `open` makes another; returns its new name."""
        return await self._workers.write.run(partial(set_aside, self._path), _silence)

    async def open(self) -> None:
        """Make or open the database; its folder must be there. It may be asked for again after a
        `StoreError`, and does nothing where the database is open.

        Raises `UnsoundStoreError` where the file is damaged or no database (see `set_aside`), and
        `StoreError` where it cannot be opened or belongs to a newer version.
        """
        if self._closed:
            raise StoreError(f"{self._path}: the store is closed")
        await self._workers.write.run(self._open, _silence)

    @property
    def is_open(self) -> bool:
        """Whether the database has been opened, and not closed since."""
        return self._database is not None and not self._closed

    @property
    def journal(self) -> str:
        """The id of this journal, made with the database: another database is another journal.
        Empty until it is open.
        """
        return "" if self._database is None else self._database.journal

    def watch(self, tell: Callable[[], None]) -> None:
        """From now on call `tell` in the loop after each transaction that wrote events, state or
        lists, even if whoever asked for it has stopped waiting. It must not block or raise.
        """
        self._watchers.append(tell)

    async def commit(self, commit: Commit) -> tuple[Event, ...]:
        """Write all of it or none; on the disk when this returns. The events have their numbers."""
        return await self.commit_all((commit,))

    async def commit_all(self, commits: Sequence[Commit]) -> tuple[Event, ...]:
        """Write these, one after the other, in one transaction: all of them or none.

        Of each, rows are taken off the blacklist first, then listed, then suspended. Raises
        `UnacceptableError` where one of them holds what no database takes.
        """

        def write(connection: Connection) -> tuple[Event, ...]:
            return tuple(event for commit in commits for event in _written(connection, commit))

        return await self._write(write, is_news=_always)

    async def blacklisted(self, plate: str) -> tuple[ListRow, ...]:
        """The rows of a plate on the blacklist, suspended ones too."""
        return await self._read(lambda connection: rows.blacklisted(connection, plate))

    async def listing(self, plates: Collection[str]) -> Listing:
        """The rows of these plates on all lists, valid now or not, without suspended ones, and
        how far each list has been followed.
        """
        return await self._read(lambda connection: rows.listing(connection, plates))

    async def open_stays(self) -> tuple[Stay, ...]:
        """All stays that have not ended, oldest first."""
        return await self._read(occupancy.open_stays)

    async def ended_stays(self, since: datetime) -> tuple[Stay, ...]:
        """The stays that ended at `since` (aware, by the wall clock of then) or later, in the
        order of their ends.
        """
        return await self._read(lambda connection: occupancy.ended_stays(connection, since))

    async def counts(self) -> tuple[ZoneState, ...]:
        """The count of each zone that has one."""
        return await self._read(occupancy.zone_counts)

    async def follow(self, changes: ListChanges, at: Instant) -> bool:
        """Apply changes whole where they follow on the version held.

        True also for changes that were here already. False: there is a gap, and nothing has
        changed; a list never received takes only changes since 0. Rows become the centre's and
        get the version of the changes, whatever they say of themselves. A removal takes a plate
        off for the zone it names, or for all if it names none, rows of this gate and of others
        included.
        """
        return await self._write(
            lambda connection: registry.follow(connection, changes, at), is_news=bool
        )

    async def replace(self, snapshot: ListSnapshot, at: Instant) -> bool:
        """Put a whole list in the place of what the centre sent before; rows of this gate and
        of others stay.

        False: not newer than what is here, and nothing has changed. Other calls are served between
        the pieces of a long list. It counts from one transaction on, all of it; if the caller is
        cancelled before that, nothing has changed.
        """
        async with self._snapshots:  # two at a time would stage one edition
            if not await self._read(lambda connection: registry.is_newer(connection, snapshot)):
                return False
            await self._sweep(snapshot.list)
            ordered = await self._workers.write.aside(partial(registry.in_order, snapshot.rows))
            while piece := list(islice(ordered, registry.PIECE)):
                await self._stage(snapshot, piece)
            turned = await self._write(
                lambda connection: registry.turn(connection, snapshot, at), is_news=bool
            )
            await self._sweep(snapshot.list)
            return turned

    async def versions(self) -> tuple[ListVersion, ...]:
        """How far each list has been followed; one never received is absent."""
        return await self._read(rows.versions)

    async def pending(self, after: int, limit: int) -> tuple[Pending, ...]:
        """The first `limit` unconfirmed events with a seq greater than `after`, in order."""
        return await self._read(lambda connection: outbox.pending(connection, after, limit))

    async def confirm(self, journal: str, seq: int) -> int:
        """The centre has stored `journal` up to `seq`; returns how many events left the outbox.

        The watermark never goes back, nor beyond the last event, and another journal's
        confirmation frees nothing.
        """
        return await self._write(lambda connection: outbox.confirm(connection, journal, seq))

    async def last_seq(self) -> int:
        """The number of the last event of this journal, 0 while there is none."""
        return await self._read(outbox.last)

    async def outbox_depth(self) -> int:
        """How many events the centre still has to confirm."""
        return await self._read(outbox.depth)

    async def answer_of(self, order: str) -> OrderAnswer | None:
        """What became of an order, by the journal; None if it never took effect here."""
        return await self._read(lambda connection: commands.answer_of(connection, order))

    async def unfinished(self) -> tuple[commands.Unfinished, ...]:
        """(command, lane, passage) of commands intended and without an outcome, oldest first."""
        return await self._read(commands.unfinished)

    async def peer_marks(self) -> tuple[PeerMark, ...]:
        """How far the journals of other controllers have been taken in, by controller."""
        return await self._read(site.peer_marks)

    async def lockdown(self) -> bool:
        """Whether a lockdown was ordered and not lifted since."""
        return await self._read(site.lockdown)

    async def fire(self) -> bool:
        """Whether a fire input latched and nobody has released it since."""
        return await self._read(site.fire)

    async def holds(self) -> tuple[Hold, ...]:
        """The holds that were ordered and are not over, by lane and order."""
        return await self._read(site.standing_holds)

    async def disturbed(self) -> bool:
        """Whether another process has written the file since this was last asked, or opened."""
        return await self._run(self._workers.write, lambda database: database.disturbed(), _silence)

    async def flush(self) -> None:
        """Wait until all that was asked for before has been written, also by callers that wait no
        longer; from now on every reader sees it.
        """
        await self._run(self._workers.write, lambda database: database.flush(), _silence)

    async def close(self) -> None:
        """Finish what was asked for, then let go of the file; a disk that hangs is waited for
        `worker.CLOSES_S`. A second call does nothing.
        """
        if self._closed:
            return
        self._closed = True
        await self._workers.read.close(_nothing)
        await self._workers.write.close(self._let_go)

    async def _stage(self, snapshot: ListSnapshot, piece: Sequence[ListRow]) -> None:
        await self._write(lambda connection: registry.stage(connection, snapshot, piece))

    async def _sweep(self, name: ListName) -> None:
        after: str | None = ""
        if not await self._read(lambda connection: registry.needs_sweeping(connection, name)):
            return
        while after is not None:
            after = await self._sweep_beyond(name, after)

    async def _sweep_beyond(self, name: ListName, after: str) -> str | None:
        return await self._write(lambda connection: registry.sweep(connection, name, after))

    async def _read(self, question: Callable[[Connection], Answer]) -> Answer:
        def work(database: Database) -> Answer:
            with database.reading() as connection:
                return question(connection)

        return await self._run(self._workers.read, work, _silence)

    async def _write(
        self, change: Callable[[Connection], Answer], is_news: Callable[[Answer], bool] = _never
    ) -> Answer:
        def work(database: Database) -> Answer:
            with database.writing() as connection:
                return change(connection)

        def ended(answer: Answer) -> None:
            if is_news(answer):
                for tell in self._watchers:
                    tell()

        return await self._run(self._workers.write, work, ended)

    async def _run(
        self, worker: Worker, work: Callable[[Database], Answer], ended: Callable[[Answer], None]
    ) -> Answer:
        if self._closed:
            raise StoreError(f"{self._path}: the store is closed")
        if self._database is None:
            raise StoreError(f"{self._path}: the store is not open: {self._why}")
        return await worker.run(partial(work, self._database), ended)

    def _open(self) -> None:
        """In the worker that writes: of two calls, the second finds it open."""
        if self._database is not None:
            return
        try:
            self._database = self._make()
        except StoreError as error:
            self._why = str(error)
            raise

    def _let_go(self) -> None:
        if self._database is not None:
            self._database.close()
