"""The journal for readers in other processes, while the controller writes.

A path comes in, rows go out, a page at a time; the file is opened read-only, and no reader ever
makes the writer wait. Nothing is interpreted: the body of an event stays text.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, select, true

from gatekeeper.errors import StoreError
from gatekeeper.store.database import telling
from gatekeeper.store.schema import events as event_rows
from gatekeeper.store.schema import journal

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


def events(path: Path, after: int = 0, limit: int | None = None) -> Iterator[JournalRow]:
    """The first `limit` events with a seq greater than `after`, in order; all if None.

    Raises `StoreError`, at once or while reading: no such file, no database of a controller.
    """
    if not path.is_file():
        raise StoreError(f"{path}: there is no database; is this the store.path of the controller?")
    return _rows(path, after, limit)


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


def length(path: Path) -> int:
    """How many events there are; raises `StoreError` as `events` does."""
    last = select(event_rows.c.seq).order_by(event_rows.c.seq.desc()).limit(1)
    with telling(path), _read_only(path).connect() as connection:
        return connection.scalar(last) or 0
