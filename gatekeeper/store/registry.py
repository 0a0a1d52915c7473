"""The lists, as the centre keeps them and as this gate adds to them.

Changes and snapshots come in, rows and versions go out. It does not ask whether a row is valid
now (the rules do), and never lets half of a change or of a snapshot count.

A snapshot may have a million rows, and writing them takes seconds in which no car could be
decided. So they come in as pieces, each a transaction of its own, under the number of the next
edition, which nobody reads; `turn` makes them count at once, and `sweep` then removes the others.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from heapq import merge
from itertools import groupby
from operator import attrgetter

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
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
    ListChange,
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
from gatekeeper.store.schema import EVERY_ZONE, list_rows, lists, unswept

PIECE = 250
"""Rows of a snapshot in one transaction: a decision may have to wait for two such."""

_RUN = 10_000
"""Rows sorted at one go: while Python sorts, every other thread waits, here for some 5 ms."""

_OWN_EDITION = 0
"""This gate's own rows belong to no edition of the centre's, and always count."""

_PUT = insert(list_rows).prefix_with("OR REPLACE")


def listing(connection: Connection, plates: Collection[str]) -> Listing:
    """All rows that count for these plates, valid now or not, but for suspended ones."""
    rows = connection.execute(
        select(list_rows)
        .outerjoin(lists, lists.c.list == list_rows.c.list)
        .where(
            list_rows.c.plate.in_(plates),
            list_rows.c.suspended.is_(False),
            _counts(func.coalesce(lists.c.edition, 0)),
        )
        .order_by(*list_rows.primary_key)
    )
    return Listing(rows=tuple(_list_row(row) for row in rows), versions=versions(connection))


def versions(connection: Connection) -> tuple[ListVersion, ...]:
    """How far each list has been followed; one never received is absent."""
    rows = connection.execute(select(lists).order_by(lists.c.list))
    return tuple(
        ListVersion(list=ListName(row.list), version=row.version, as_of=row.as_of) for row in rows
    )


def add_own(connection: Connection, rows: Sequence[ListRow]) -> None:
    """Put this gate's own rows on their lists; one that was suspended counts again."""
    if rows:
        connection.execute(
            _PUT,
            [_values(row, row.list, RowSource.GATE, _OWN_EDITION, row.version) for row in rows],
        )


def suspend(connection: Connection, entries: Iterable[tuple[str, str]]) -> None:
    """Set aside this gate's own blacklist row of each (zone, plate), where there is one."""
    for zone, plate in entries:
        connection.execute(
            update(list_rows)
            .where(
                list_rows.c.plate == plate,
                list_rows.c.list == ListName.BLACKLIST,
                list_rows.c.zone == zone,
                list_rows.c.source == RowSource.GATE,
            )
            .values(suspended=True)
        )


def follow(connection: Connection, changes: ListChanges, at: Instant) -> bool:
    """Apply changes that follow on what is held. False: they do not, and nothing has changed."""
    held, edition = _held(connection, changes.list)
    if held is not None and changes.version <= held:
        return True
    if changes.since != (held or 0):
        return False
    for remove, some in groupby(changes.changes, key=lambda change: change.remove):
        if remove:
            _take_off(connection, changes.list, edition, some)
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


def _counts(edition: ColumnElement[int] | int) -> ColumnElement[bool]:
    """Whether a row is this gate's own, or the centre's of this edition."""
    return or_(list_rows.c.source == RowSource.GATE, list_rows.c.edition == edition)


def _take_off(
    connection: Connection, name: ListName, edition: int, removals: Iterable[ListChange]
) -> None:
    """Take plates off for the zone a removal names, or altogether; this gate's own rows, too."""
    zone: ColumnElement[str] = bindparam("gone_zone")
    connection.execute(
        delete(list_rows).where(
            list_rows.c.plate == bindparam("gone_plate"),
            list_rows.c.list == name,
            or_(zone == EVERY_ZONE, list_rows.c.zone == zone),
            _counts(edition),
        ),
        [
            {"gone_plate": change.row.plate, "gone_zone": change.row.zone or EVERY_ZONE}
            for change in removals
        ],
    )


def _put(
    connection: Connection, name: ListName, edition: int, version: int, rows: Sequence[ListRow]
) -> None:
    """Write rows of the centre's, a piece at a time, so that they never stand in memory twice."""
    for first in range(0, len(rows), PIECE):
        piece = rows[first : first + PIECE]
        connection.execute(
            _PUT, [_values(row, name, RowSource.CENTRE, edition, version) for row in piece]
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


def _values(
    row: ListRow, name: ListName, source: RowSource, edition: int, version: int
) -> dict[str, object]:
    return {
        "plate": row.plate,
        "list": name,
        "zone": row.zone or EVERY_ZONE,
        "source": source,
        "edition": edition,
        "valid_from": row.valid_from,
        "valid_until": row.valid_until,
        "note": row.note,
        "version": version,
        "suspended": False,
    }


def _list_row(row: Row[tuple[object, ...]]) -> ListRow:
    return ListRow(
        list=ListName(row.list),
        plate=row.plate,
        zone=row.zone or None,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        note=row.note,
        source=RowSource(row.source),
        version=row.version,
    )
