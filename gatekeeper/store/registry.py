"""The lists, as the centre keeps them and as the gates of the site add to them.

Changes and snapshots come in, rows and versions go out. It does not ask whether a row is valid
now (the rules do), and never lets half of a change or of a snapshot count.

A snapshot may have a million rows, and writing them takes seconds in which no car could be
decided. So they come in as pieces, each a transaction of its own, under the number of the next
edition, which nobody reads; `turn` makes them count at once, and `sweep` then removes the others.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from heapq import merge
from itertools import groupby
from operator import attrgetter

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from gatekeeper.model import (
    Instant,
    ListChanges,
    Listing,
    ListName,
    ListRow,
    ListSnapshot,
    ListVersion,
    Record,
    RegistryFollowed,
    RowSource,
)
from gatekeeper.store import outbox
from gatekeeper.store.schema import EVERY_ZONE, list_rows, lists, moment, unswept
from gatekeeper.store.statement import Statement, Values

PIECE = 250
"""Rows of a snapshot in one transaction: a decision may have to wait for two such."""

_RUN = 10_000
"""Rows sorted at one go: while Python sorts, every other thread waits, here for some 5 ms."""

_NO_EDITION = 0
"""Rows that a gate added belong to no edition of the centre's, and always count."""


def _counts(edition: ColumnElement[int] | int) -> ColumnElement[bool]:
    """Whether a row is a gate's, or the centre's of this edition."""
    return or_(list_rows.c.source != RowSource.CENTRE, list_rows.c.edition == edition)


_TOLD = (
    list_rows.c.list,
    list_rows.c.plate,
    list_rows.c.zone,
    list_rows.c.valid_from,
    list_rows.c.valid_until,
    list_rows.c.note,
    list_rows.c.source,
    list_rows.c.version,
)
_EDITION = func.coalesce(
    select(lists.c.edition).where(lists.c.list == list_rows.c.list).scalar_subquery(), 0
)
_ASKED = func.json_each(bindparam("plates")).table_valued("value")
_LISTING = Statement(
    select(*_TOLD)
    .where(
        list_rows.c.plate.in_(select(_ASKED.c.value)),
        list_rows.c.suspended.is_(False),
        _counts(_EDITION),
    )
    .order_by(*list_rows.primary_key)
)
_VERSIONS = Statement(select(lists.c.list, lists.c.version, lists.c.as_of).order_by(lists.c.list))
_PUT = Statement(insert(list_rows).prefix_with("OR REPLACE"))
_ZONE: ColumnElement[str] = bindparam("gone_zone")
_TAKE_OFF = Statement(
    delete(list_rows).where(
        list_rows.c.plate == bindparam("gone_plate"),
        list_rows.c.list == bindparam("gone_list"),
        or_(_ZONE == EVERY_ZONE, list_rows.c.zone == _ZONE),
        _counts(_EDITION),
    )
)
_SUSPEND = Statement(
    update(list_rows)
    .where(
        list_rows.c.plate == bindparam("set_aside"),
        list_rows.c.list == ListName.BLACKLIST,
        list_rows.c.zone == bindparam("in_zone"),
        list_rows.c.source != RowSource.CENTRE,
    )
    .values(suspended=True)
)


def listing(connection: Connection, plates: Collection[str]) -> Listing:
    """All rows that count for these plates, valid now or not, but for suspended ones."""
    rows = _LISTING.rows(connection, {"plates": json.dumps([*plates])}) if plates else ()
    return Listing(rows=tuple(_list_row(*row) for row in rows), versions=versions(connection))


def versions(connection: Connection) -> tuple[ListVersion, ...]:
    """How far each list has been followed; one never received is absent."""
    return tuple(
        ListVersion(list=ListName(name), version=version, as_of=datetime.fromisoformat(as_of))
        for name, version, as_of in _VERSIONS.rows(connection)
    )


def add(connection: Connection, rows: Sequence[ListRow]) -> None:
    """Put rows of gates on their lists; one that was suspended counts again.

    ValueError for a row of the centre's: those come with a version, or not at all.
    """
    for row in rows:
        if row.source is RowSource.CENTRE:
            raise ValueError(f"{row} says it is the centre's; a gate adds rows of its own source")
        _PUT.run(connection, _values(row, row.list, row.source, _NO_EDITION, row.version))


def suspend(connection: Connection, entries: Iterable[tuple[str, str]]) -> None:
    """Set aside the blacklist rows of gates for each (zone, plate), where there are such."""
    for zone, plate in entries:
        _SUSPEND.run(connection, {"set_aside": plate, "in_zone": zone})


def take_off(connection: Connection, entries: Iterable[tuple[str | None, str]]) -> None:
    """Take each (zone, plate) off the blacklist, off that of every zone for None, whoever put it
    there.
    """
    for zone, plate in entries:
        _TAKE_OFF.run(connection, _gone(ListName.BLACKLIST, plate, zone))


def follow(connection: Connection, changes: ListChanges, at: Instant) -> bool:
    """Apply changes that follow on what is held. False: they do not, and nothing has changed."""
    held, edition = _held(connection, changes.list)
    if held is not None and changes.version <= held:
        return True
    if changes.since != (held or 0):
        return False
    for remove, some in groupby(changes.changes, key=lambda change: change.remove):
        if remove:
            gone = [_gone(changes.list, change.row.plate, change.row.zone) for change in some]
            _TAKE_OFF.run_all(connection, gone)
        else:
            rows = [change.row for change in some]
            _put(connection, changes.list, edition, changes.version, rows)
    _reach(connection, changes.list, changes.version, edition, at)
    _journal(connection, changes.list, changes.version, len(changes.changes), whole=False, at=at)
    return True


def is_newer(connection: Connection, snapshot: ListSnapshot) -> bool:
    """Whether a snapshot goes beyond what is held."""
    held, _ = _held(connection, snapshot.list)
    return held is None or snapshot.version > held


def needs_sweeping(connection: Connection, name: ListName) -> bool:
    """Whether a snapshot was left half written, or half removed."""
    return connection.scalar(select(unswept.c.list).where(unswept.c.list == name)) is not None


def in_order(rows: Sequence[ListRow]) -> Iterator[ListRow]:
    """The rows by plate, those of one plate as they came: neighbours share a page of the file, so
    that a piece dirties a few of them and not hundreds (a decision then waits a third as long).
    """
    plate = attrgetter("plate")
    runs = [sorted(rows[first : first + _RUN], key=plate) for first in range(0, len(rows), _RUN)]
    return merge(*runs, key=plate)


def stage(connection: Connection, snapshot: ListSnapshot, piece: Sequence[ListRow]) -> None:
    """Write some rows of a snapshot; they do not count yet."""
    _, edition = _held(connection, snapshot.list)
    _mark(connection, snapshot.list)
    _put(connection, snapshot.list, edition + 1, snapshot.version, piece)


def turn(connection: Connection, snapshot: ListSnapshot, at: Instant) -> bool:
    """Make the staged snapshot count. False: changes have overtaken it, and nothing has changed."""
    if not is_newer(connection, snapshot):
        return False
    _, edition = _held(connection, snapshot.list)
    _mark(connection, snapshot.list)
    _reach(connection, snapshot.list, snapshot.version, edition + 1, at)
    _journal(connection, snapshot.list, snapshot.version, len(snapshot.rows), whole=True, at=at)
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
    connection.execute(delete(list_rows).where(here, list_rows.c.list == name, ~_counts(edition)))
    if until is None:
        connection.execute(delete(unswept).where(unswept.c.list == name))
    return until


def _held(connection: Connection, name: ListName) -> tuple[int | None, int]:
    """Version and edition of a list; (None, 0) for one never received."""
    row = connection.execute(
        select(lists.c.version, lists.c.edition).where(lists.c.list == name)
    ).one_or_none()
    return (None, 0) if row is None else (row.version, row.edition)


def _mark(connection: Connection, name: ListName) -> None:
    connection.execute(insert(unswept).prefix_with("OR IGNORE").values(list=name))


def _gone(name: ListName, plate: str, zone: str | None) -> Values:
    return {"gone_list": name, "gone_plate": plate, "gone_zone": zone or EVERY_ZONE}


def _put(
    connection: Connection, name: ListName, edition: int, version: int, rows: Sequence[ListRow]
) -> None:
    """Write rows of the centre's, a piece at a time, so that they never stand in memory twice."""
    for first in range(0, len(rows), PIECE):
        piece = rows[first : first + PIECE]
        _PUT.run_all(
            connection,
            [_values(row, name, RowSource.CENTRE, edition, version) for row in piece],
        )


def _reach(connection: Connection, name: ListName, version: int, edition: int, at: Instant) -> None:
    connection.execute(
        insert(lists)
        .prefix_with("OR REPLACE")
        .values(list=name, version=version, as_of=at.wall, edition=edition)
    )


def _journal(
    connection: Connection, name: ListName, version: int, rows: int, *, whole: bool, at: Instant
) -> None:
    fact = RegistryFollowed(list=name, version=version, rows=rows, whole=whole)
    outbox.append(connection, [Record(fact=fact, at=at)])


def _values(row: ListRow, name: ListName, source: RowSource, edition: int, version: int) -> Values:
    return {
        "plate": row.plate,
        "list": name,
        "zone": row.zone or EVERY_ZONE,
        "source": source,
        "edition": edition,
        "valid_from": None if row.valid_from is None else moment(row.valid_from),
        "valid_until": None if row.valid_until is None else moment(row.valid_until),
        "note": row.note,
        "version": version,
        "suspended": False,
    }


def _list_row(
    name: str,
    plate: str,
    zone: str,
    valid_from: str | None,
    valid_until: str | None,
    note: str,
    source: str,
    version: int,
) -> ListRow:
    return ListRow(
        list=ListName(name),
        plate=plate,
        zone=zone or None,
        valid_from=None if valid_from is None else datetime.fromisoformat(valid_from),
        valid_until=None if valid_until is None else datetime.fromisoformat(valid_until),
        note=note,
        source=RowSource(source),
        version=version,
    )
