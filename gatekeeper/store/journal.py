"""The journal for readers in other processes, while the controller writes.

A path comes in, rows go out, a page at a time; the file is opened read-only, and no reader ever
makes the writer wait. The body of an event stays text.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    NullPool,
    Row,
    Select,
    create_engine,
    func,
    or_,
    select,
    true,
)

from gatekeeper.errors import StoreError
from gatekeeper.model import ListName, RowSource, Stay
from gatekeeper.store.database import telling
from gatekeeper.store.facts import stay_of
from gatekeeper.store.schema import events as event_rows
from gatekeeper.store.schema import journal, list_rows, lists
from gatekeeper.store.schema import stays as stay_rows

_PAGE = 500
"""Rows read at a time: a reader that stays in one transaction keeps the log from being cut back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRow:
    """One event as it lies in the file; `body` is the fact as a JSON object."""

    seq: int
    id: str
    journal: str
    kind: str
    lane: str | None
    passage: str | None
    occurred_at: datetime
    clock_trusted: bool
    confirmed: bool
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlacklistRow:
    """One row of the blacklist; `zone` is None where it holds for every zone. A suspended one
    bans nobody until a person has reviewed it.
    """

    zone: str | None
    plate: str
    source: RowSource
    note: str
    valid_until: datetime | None
    suspended: bool


def events(path: Path, after: int = 0, limit: int | None = None) -> Iterator[JournalRow]:
    """The first `limit` events with a seq greater than `after`, in order; all if None.

    Raises `StoreError`, at once or while reading: no such file, no database of a controller.
    """
    _must_be_there(path)
    return _rows(path, after, limit)


def length(path: Path) -> int:
    """The number of the last event, which is how many there are; raises `StoreError`."""
    _must_be_there(path)
    with telling(path), _read_only(path).connect() as connection:
        return connection.scalar(select(func.max(event_rows.c.seq))) or 0


def stays(path: Path, ended: bool = False) -> Iterator[Stay]:
    """The open stays in the order of their entries, with `ended` the others too.

    Raises `StoreError`: no such file, no database of a controller, a stay that cannot be read.
    """
    which = true() if ended else stay_rows.c.ended.is_(False)
    bodies = select(stay_rows.c.body).where(which).order_by(stay_rows.c.id)
    return (stay_of(row.body) for row in _all(path, bodies))


def blacklist(path: Path) -> Iterator[BlacklistRow]:
    """The rows of the blacklist that count, whoever put them there, and those set aside; by plate.

    Raises `StoreError`: no such file, no database of a controller.
    """
    counts = or_(
        list_rows.c.source != RowSource.CENTRE,
        list_rows.c.edition == func.coalesce(lists.c.edition, 0),
    )
    rows = (
        select(list_rows)
        .outerjoin(lists, lists.c.list == list_rows.c.list)
        .where(list_rows.c.list == ListName.BLACKLIST, counts)
        .order_by(*list_rows.primary_key)
    )
    return (_blacklist_row(row) for row in _all(path, rows))


def _blacklist_row(row: Row[Any]) -> BlacklistRow:
    return BlacklistRow(
        zone=row.zone or None,
        plate=row.plate,
        source=RowSource(row.source),
        note=row.note,
        valid_until=row.valid_until,
        suspended=row.suspended,
    )


def _all(path: Path, question: Select[Any]) -> Sequence[Row[Any]]:
    _must_be_there(path)
    with telling(path), _read_only(path).connect() as connection:
        return connection.execute(question).all()


def _must_be_there(path: Path) -> None:
    if not path.is_file():
        raise StoreError(f"{path}: there is no database; is this the store.path of the controller?")


def _rows(path: Path, after: int, limit: int | None) -> Iterator[JournalRow]:
    engine = _read_only(path)
    left = limit
    while left is None or left > 0:
        with telling(path), engine.connect() as connection:
            page = _page(connection, after, _PAGE if left is None else min(left, _PAGE))
        if not page:
            return
        yield from page
        after = page[-1].seq
        left = None if left is None else left - len(page)


def _read_only(path: Path) -> Engine:
    url = URL.create(
        "sqlite", database=path.absolute().as_uri(), query={"mode": "ro", "uri": "true"}
    )
    return create_engine(url, poolclass=NullPool)


def _page(connection: Connection, after: int, size: int) -> list[JournalRow]:
    rows = connection.execute(
        select(event_rows, journal.c.id.label("journal"), journal.c.confirmed)
        .join(journal, true())  # of which there is one row
        .where(event_rows.c.seq > after)
        .order_by(event_rows.c.seq)
        .limit(size)
    )
    return [
        JournalRow(
            seq=row.seq,
            id=row.id,
            journal=row.journal,
            kind=row.kind,
            lane=row.lane,
            passage=row.passage,
            occurred_at=row.occurred_at,
            clock_trusted=row.clock_trusted,
            confirmed=row.seq <= row.confirmed,
            body=row.body,
        )
        for row in rows
    ]
