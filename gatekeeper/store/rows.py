"""The rows of the lists, from every source: the centre, this gate, or another of the site.

Rows and (zone, plate) pairs come in, rows and versions go out. It does not ask whether a row is
valid now: the rules do.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

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

from gatekeeper.model import Listing, ListName, ListRow, ListVersion, RowSource
from gatekeeper.store.schema import EVERY_ZONE, list_rows, lists, moment
from gatekeeper.store.statement import Statement, Values


@dataclass(frozen=True, slots=True, kw_only=True)
class BlacklistRow:
    """One row of the blacklist; a suspended one does not count until it has been reviewed."""

    row: ListRow
    suspended: bool


_NO_EDITION = 0
"""Rows that a gate added belong to no edition of the centre's, and always count."""


def counts(edition: ColumnElement[int] | int) -> ColumnElement[bool]:
    """Whether a row is a gate's, or the centre's of this edition."""
    return or_(list_rows.c.source != RowSource.CENTRE, list_rows.c.edition == edition)


_TOLD = (
    list_rows.c.list,
    list_rows.c.plate,
    list_rows.c.zone,
    list_rows.c.valid_from,
    list_rows.c.valid_until,
    list_rows.c.note,
    list_rows.c.owner,
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
        counts(_EDITION),
    )
    .order_by(*list_rows.primary_key)
)
_BLACKLIST = Statement(
    select(*_TOLD, list_rows.c.suspended)
    .where(list_rows.c.list == ListName.BLACKLIST, counts(_EDITION))
    .order_by(*list_rows.primary_key)
)
_BLACKLISTED = Statement(
    select(*_TOLD, list_rows.c.suspended)
    .where(
        list_rows.c.plate == bindparam("of_plate"),
        list_rows.c.list == ListName.BLACKLIST,
        counts(_EDITION),
    )
    .order_by(*list_rows.primary_key)
)
_VERSIONS = Statement(select(lists.c.list, lists.c.version, lists.c.as_of).order_by(lists.c.list))
_PUT = Statement(insert(list_rows).prefix_with("OR REPLACE"))
_ZONE: ColumnElement[str] = bindparam("gone_zone")
_OWNER: ColumnElement[str] = bindparam("gone_owner")
_REMOVE = Statement(
    delete(list_rows).where(
        list_rows.c.plate == bindparam("gone_plate"),
        list_rows.c.list == bindparam("gone_list"),
        or_(_ZONE == EVERY_ZONE, list_rows.c.zone == _ZONE),
        or_(_OWNER == "", list_rows.c.owner == _OWNER),
        counts(_EDITION),
    )
)
_SUSPEND = Statement(
    update(list_rows)
    .where(
        list_rows.c.plate == bindparam("set_aside"),
        list_rows.c.list == ListName.BLACKLIST,
        list_rows.c.zone == bindparam("in_zone"),
        or_(list_rows.c.source == RowSource.GATE, list_rows.c.source == RowSource.PEER),
    )
    .values(suspended=True)
)


def stands() -> ColumnElement[bool]:
    """Whether a row is a gate's or a person's, or the centre's of the edition that counts."""
    return counts(_EDITION)


def listing(connection: Connection, plates: Collection[str]) -> Listing:
    """All rows that count for these plates, valid now or not, but for suspended ones."""
    rows = _LISTING.rows(connection, {"plates": json.dumps([*plates])}) if plates else ()
    return Listing(rows=tuple(_list_row(*row) for row in rows), versions=versions(connection))


def blacklist(connection: Connection) -> tuple[BlacklistRow, ...]:
    """All rows of the blacklist that count or are suspended, by plate; this reads every list."""
    return tuple(_blacklist_row(*told) for told in _BLACKLIST.rows(connection))


def blacklisted(connection: Connection, plate: str) -> tuple[BlacklistRow, ...]:
    """Those of one plate."""
    told = _BLACKLISTED.rows(connection, {"of_plate": plate})
    return tuple(_blacklist_row(*row) for row in told)


def versions(connection: Connection) -> tuple[ListVersion, ...]:
    """How far each list has been followed; one never received is absent."""
    return _versions(tuple(_VERSIONS.rows(connection)))


@lru_cache(maxsize=4)  # asked with each decision, and changed a few times an hour
def _versions(rows: tuple[tuple[str, int, str], ...]) -> tuple[ListVersion, ...]:
    return tuple(
        ListVersion(list=ListName(name), version=version, as_of=datetime.fromisoformat(as_of))
        for name, version, as_of in rows
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
    """Set aside the blacklist rows of gates for each (zone, plate), where there are such; what a
    person put there stays.
    """
    for zone, plate in entries:
        _SUSPEND.run(connection, {"set_aside": plate, "in_zone": zone})


def put(
    connection: Connection, name: ListName, edition: int, version: int, rows: Iterable[ListRow]
) -> None:
    """Write rows of the centre's into an edition of a list."""
    _PUT.run_all(
        connection, [_values(row, name, RowSource.CENTRE, edition, version) for row in rows]
    )


def remove(
    connection: Connection, name: ListName, entries: Iterable[tuple[str | None, str, str]]
) -> None:
    """Take each (zone, plate, owner) off a list, for every zone if None, of every owner if none is
    named, from every source.
    """
    _REMOVE.run_all(
        connection,
        [
            {
                "gone_list": name,
                "gone_plate": plate,
                "gone_zone": zone or EVERY_ZONE,
                "gone_owner": owner,
            }
            for zone, plate, owner in entries
        ],
    )


def listed(connection: Connection, name: ListName) -> int:
    """How many rows of the centre's are on a list."""
    ours = (list_rows.c.list == name, list_rows.c.source == RowSource.CENTRE, counts(_EDITION))
    return connection.scalar(select(func.count()).select_from(list_rows).where(*ours)) or 0


def _values(row: ListRow, name: ListName, source: RowSource, edition: int, version: int) -> Values:
    return {
        "plate": row.plate,
        "list": name,
        "zone": row.zone or EVERY_ZONE,
        "source": source,
        "edition": edition,
        "owner": row.owner,
        "valid_from": None if row.valid_from is None else moment(row.valid_from),
        "valid_until": None if row.valid_until is None else moment(row.valid_until),
        "note": row.note,
        "version": version,
        "suspended": False,
    }


def _blacklist_row(*told: Any) -> BlacklistRow:
    *row, suspended = told
    return BlacklistRow(row=_list_row(*row), suspended=bool(suspended))


def _list_row(
    name: str,
    plate: str,
    zone: str,
    valid_from: str | None,
    valid_until: str | None,
    note: str,
    owner: str,
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
        owner=owner,
        source=RowSource(source),
        version=version,
    )
