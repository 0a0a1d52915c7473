"""The lists as the centre keeps them, followed step by step or taken over whole.

Changes and snapshots come in; `rows` says what is on the lists then. It never lets half of a change
or of a snapshot count.

A snapshot may have a million rows, and writing them takes seconds in which no car could be
decided. So they come in sorted and as pieces, each a transaction of its own, under the number of
the next edition, which is not read; `turn` makes them count at once, and `sweep` then removes the
others.
"""

from collections.abc import Sequence
from itertools import groupby

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from gatekeeper.model import (
    Fact,
    Instant,
    ListChanges,
    ListName,
    ListRow,
    ListSnapshot,
    Record,
    RegistryFollowed,
    RegistryRowsRefused,
)
from gatekeeper.store import evidence, outbox, rows
from gatekeeper.store.schema import list_rows, lists, moment, unswept
from gatekeeper.store.statement import Statement

PIECE = 250
"""Rows of a snapshot in one transaction: a decision may have to wait for two such."""

_HELD = Statement(select(lists.c.version, lists.c.edition).where(lists.c.list == bindparam("of")))
_REACH = Statement(insert(lists).prefix_with("OR REPLACE"))


def follow(connection: Connection, changes: ListChanges, at: Instant) -> bool:
    """Apply changes that follow on what is held. False: they do not, and nothing has changed."""
    held, edition = _held(connection, changes.list)
    if held is not None and changes.version <= held:
        return True
    if changes.since != (held or 0):
        return False
    for remove, some in groupby(changes.changes, key=lambda change: change.remove):
        if remove:
            gone = [(change.row.zone, change.row.plate, change.row.owner) for change in some]
            rows.remove(connection, changes.list, gone)
        else:
            come = [change.row for change in some]
            _put(connection, changes.list, edition, changes.version, come)
    if changes.list is ListName.BLACKLIST:  # the centre's people have judged these
        told = ((change.row.zone, change.row.plate) for change in changes.changes)
        evidence.review(connection, told)
    _reach(connection, changes.list, changes.version, edition, at)
    _journal(connection, changes, len(changes.changes), whole=False, at=at)
    return True


def is_newer(connection: Connection, snapshot: ListSnapshot) -> bool:
    """Whether a snapshot goes beyond what is held, or is to count in any case."""
    held, _ = _held(connection, snapshot.list)
    return held is None or snapshot.version > held or snapshot.reset


def let_shrink(connection: Connection, name: ListName | None) -> None:
    """The next whole list of this name may be as short as it likes."""
    if name is not None:
        connection.execute(update(lists).where(lists.c.list == name).values(may_shrink=True))


def may_lose(connection: Connection, name: ListName) -> int:
    """How many rows of the centre's a list has, 0 where its next version may lose them all."""
    if connection.scalar(select(lists.c.may_shrink).where(lists.c.list == name)):
        return 0
    return rows.listed(connection, name)


def needs_sweeping(connection: Connection, name: ListName) -> bool:
    """Whether a snapshot was left half written, or half removed."""
    return connection.scalar(select(unswept.c.list).where(unswept.c.list == name)) is not None


def stage(connection: Connection, snapshot: ListSnapshot, piece: Sequence[ListRow]) -> None:
    """Write some rows of a snapshot; they do not count yet."""
    _, edition = _held(connection, snapshot.list)
    _mark(connection, snapshot.list)
    _put(connection, snapshot.list, edition + 1, snapshot.version, piece)


def turn(connection: Connection, snapshot: ListSnapshot, staged: int, at: Instant) -> bool:
    """Make the `staged` rows of a snapshot count. False: changes have overtaken it, and nothing has
    changed.
    """
    if not is_newer(connection, snapshot):
        return False
    _, edition = _held(connection, snapshot.list)
    _mark(connection, snapshot.list)
    _reach(connection, snapshot.list, snapshot.version, edition + 1, at)
    _journal(connection, snapshot, staged, whole=True, at=at)
    return True


def sweep(connection: Connection, name: ListName, after: str) -> str | None:
    """Remove what does not count among the next plates beyond `after`.

    Returns the plate to go on from, None when the list is clean.
    """
    _, edition = _held(connection, name)
    beyond = list_rows.c.plate > after
    until = connection.scalar(
        select(list_rows.c.plate).where(beyond).order_by(list_rows.c.plate).offset(PIECE).limit(1)
    )
    here = beyond if until is None else beyond & (list_rows.c.plate <= until)
    connection.execute(
        delete(list_rows).where(here, list_rows.c.list == name, ~rows.counts(edition))
    )
    if until is None:
        connection.execute(delete(unswept).where(unswept.c.list == name))
    return until


def _held(connection: Connection, name: ListName) -> tuple[int | None, int]:
    """Version and edition of a list; (None, 0) for one never received."""
    found = _HELD.rows(connection, {"of": name})
    return found[0] if found else (None, 0)


def _mark(connection: Connection, name: ListName) -> None:
    connection.execute(insert(unswept).prefix_with("OR IGNORE").values(list=name))


def _put(
    connection: Connection, name: ListName, edition: int, version: int, some: Sequence[ListRow]
) -> None:
    """A piece at a time, so that they never stand in memory twice."""
    for first in range(0, len(some), PIECE):
        rows.put(connection, name, edition, version, some[first : first + PIECE])


def _reach(connection: Connection, name: ListName, version: int, edition: int, at: Instant) -> None:
    _REACH.run(
        connection,
        {
            "list": name,
            "version": version,
            "as_of": moment(at.wall),
            "edition": edition,
            "may_shrink": False,  # what a person allowed was for this version
        },
    )


def _journal(
    connection: Connection,
    told: ListChanges | ListSnapshot,
    changed: int,
    *,
    whole: bool,
    at: Instant,
) -> None:
    name, version, refused = told.list, told.version, told.refused
    facts: list[Fact] = [RegistryFollowed(list=name, version=version, rows=changed, whole=whole)]
    if refused.count:
        facts.append(
            RegistryRowsRefused(
                list=name, version=version, count=refused.count, first=refused.first
            )
        )
    outbox.append(connection, [Record(fact=fact, at=at) for fact in facts])
