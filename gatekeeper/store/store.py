"""The store as the rest of the controller sees it: awaitable, and never in the loop's way.

Values of `gatekeeper.model` come in and go out; SQL stays below. It decides nothing. `handle` says
how it is opened, and in which threads the work is done. A question sees what had been written when
it is put to the file: not what was asked for and is still being written.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from gatekeeper.errors import UnacceptableError
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
from gatekeeper.store import (
    commands,
    evidence,
    occupancy,
    outbox,
    registry,
    retention,
    rows,
    site,
    sorting,
    soundness,
)
from gatekeeper.store.database import Database
from gatekeeper.store.handle import Handle
from gatekeeper.store.retention import Limits, Pruned
from gatekeeper.store.rows import BlacklistRow
from gatekeeper.store.worker import Workers

REST_S = 0.05
"""Between two pieces of the file that are checked: a million events take about a minute so, and the
disk is free for the gate most of the time.
"""


def _written(connection: Connection, commit: Commit) -> tuple[Event, ...]:
    try:
        written = outbox.append(connection, commit.records)
    except (ValueError, TypeError, OverflowError) as error:
        raise UnacceptableError(f"an event cannot be written: {error}") from error
    commands.note(connection, written)
    occupancy.save(connection, commit.stays, commit.counts)
    evidence.note(connection, commit)
    gone = ((zone, plate, "") for zone, plate in commit.removed)
    rows.remove(connection, ListName.BLACKLIST, gone)
    rows.add(connection, commit.listed)
    rows.suspend(connection, commit.suspended)
    site.save(connection, commit)
    registry.let_shrink(connection, commit.may_shrink)
    return written


def _always(_: object) -> bool:
    return True


class Store(Handle):
    """What can be asked of an open database, and written to it."""

    def __init__(self, path: Path, make: Callable[[], Database], workers: Workers) -> None:
        """As a handle; whole lists come in one after the other."""
        super().__init__(path, make, workers)
        self._snapshots = asyncio.Lock()

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

    async def listing(self, plates: Collection[str]) -> Listing:
        """The rows of these plates on all lists, valid now or not, without suspended ones, and
        how far each list has been followed.
        """
        return await self._read(lambda connection: rows.listing(connection, plates))

    async def blacklisted(self, plate: str) -> tuple[BlacklistRow, ...]:
        """The rows of the blacklist for one plate, for whatever zone and from whatever source,
        suspended ones included: what a removal has left, or found.
        """
        return await self._read(lambda connection: rows.blacklisted(connection, plate))

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

        `snapshot.rows` may be any iterable: it is gone through once, in a thread, and never held as
        a whole. What it raises is raised here, and nothing has then changed.

        False: not newer than what is here, nor does it say `reset`, and nothing has changed. Other
        calls are served between the pieces of a long list. It counts from one transaction on, all
        of it; if the caller is cancelled before that, nothing has changed.
        """
        async with self._snapshots:  # two at a time would stage one edition
            await self.flush()  # what one that was cancelled still had staged is there to be swept
            if not await self._read(lambda connection: registry.is_newer(connection, snapshot)):
                return False
            await self._sweep(snapshot.list)
            staged = await self._stage_all(snapshot)
            turned = await self._write(
                lambda connection: registry.turn(connection, snapshot, staged, at), is_news=bool
            )
            await self._sweep(snapshot.list)
            return turned

    async def versions(self) -> tuple[ListVersion, ...]:
        """How far each list has been followed; one never received is absent."""
        return await self._read(rows.versions)

    async def may_lose(self, name: ListName) -> int:
        """How many rows the next whole list takes the place of, as far as that needs a word of the
        centre's: 0 where a person has given it.
        """
        return await self._read(lambda connection: registry.may_lose(connection, name))

    async def pending(self, after: int, limit: int) -> tuple[Pending, ...]:
        """The first `limit` unconfirmed events with a seq greater than `after`, in order."""
        return await self._read(lambda connection: outbox.pending(connection, after, limit))

    async def confirm(self, journal: str, seq: int) -> int:
        """The centre has stored `journal` up to `seq`; returns how many events left the outbox.

        The watermark never goes back, nor beyond the last event, and another journal's
        confirmation frees nothing.
        """
        return await self._write(lambda connection: outbox.confirm(connection, journal, seq))

    async def is_of_another_life(self, seq: int, name: str | None) -> bool:
        """Whether the centre has an event of this number (and id, if it says that) which was never
        written here.
        """
        return await self._read(lambda connection: outbox.is_of_another_life(connection, seq, name))

    async def begin_journal(self, at: Instant) -> None:
        """From the oldest unconfirmed event on this is another journal."""

        def write(database: Database) -> None:
            with database.writing() as connection:
                name = outbox.begin_journal(connection, at)
            database.journal = name

        await self._run(self._workers.write, write)

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
        """Whether a fire input latched and has not been released since."""
        return await self._read(site.fire)

    async def holds(self) -> tuple[Hold, ...]:
        """The holds that were ordered and are not over, by lane and order."""
        return await self._read(site.standing_holds)

    async def prune(self, limits: Limits, rest_s: float = REST_S) -> Pruned:
        """Delete what `limits` do not let stay, piece by piece, and rest for so long in between.
        A caller that stops it leaves the rest for the next time.
        """
        await self._write(lambda connection: evidence.close(connection, limits.now))
        gone, last = Pruned(), await self.last_seq()
        while (until := await self._read(lambda c: retention.due(c, limits, last))) is not None:
            gone += await self._forget(until)
            await asyncio.sleep(rest_s)
        while (old := await self._forget_stays(limits.before)).stays:
            gone += old
            await asyncio.sleep(rest_s)
        too_large = await self._read(lambda c: retention.is_too_large(c, limits))
        return replace(gone, too_large=too_large)

    async def evidence(self, now: datetime | None) -> frozenset[str]:
        """The passages whose pictures a person may still need, at `now` (aware; None while the
        clock is not trusted: then no row of the blacklist has run out).
        """
        return await self._read(lambda connection: evidence.open_passages(connection, now))

    async def check(self, rest_s: float = REST_S) -> None:
        """Read the whole file, and rest for so long between two pieces; no other call waits for it.

        Raises `UnsoundStoreError` where it is damaged: the next `open` does so too, until the file
        has been set aside. Raises `StoreError` where it cannot be read now.
        """
        pieces = soundness.pieces(self._path)
        while True:
            if await self._run(self._workers.check, lambda _: next(pieces, None)) is None:
                return
            await asyncio.sleep(rest_s)

    async def disturbed(self) -> bool:
        """Whether another process has written the file since this was last asked, or opened."""
        return await self._run(self._workers.write, lambda database: database.disturbed())

    async def flush(self) -> None:
        """Wait until all that was asked for before has been written, also by callers that wait no
        longer; from now on every reader sees it.
        """
        await self._run(self._workers.write, lambda database: database.flush())

    async def _forget(self, until: int) -> Pruned:
        return await self._write(lambda connection: retention.forget(connection, until))

    async def _forget_stays(self, before: datetime | None) -> Pruned:
        if before is None:
            return Pruned()
        return await self._write(lambda connection: retention.forget_stays(connection, before))

    async def _stage_all(self, snapshot: ListSnapshot) -> int:
        staged, pieces = 0, sorting.pieces(snapshot.rows, registry.PIECE)
        while piece := await self._workers.write.aside(partial(next, pieces, None)):
            await self._stage(snapshot, piece)
            staged += len(piece)
        return staged

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
