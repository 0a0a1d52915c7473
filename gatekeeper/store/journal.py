"""The store for readers in other processes, while the controller writes.

A path comes in; events, stays and blacklist rows go out, a page at a time. The file is opened
read-only, and no reader ever makes the writer wait. The body of an event stays text, so that
events of any version can be shown (`facts.fact_of` reads it).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, func, select, text, true

from gatekeeper.errors import StoreError
from gatekeeper.model import Stay
from gatekeeper.ownership import denied
from gatekeeper.store import facts, schema
from gatekeeper.store import rows as list_rows
from gatekeeper.store.rows import BlacklistRow
from gatekeeper.store.schema import events as event_rows
from gatekeeper.store.schema import journal
from gatekeeper.store.schema import stays as stay_rows
from gatekeeper.store.trouble import telling

Row = TypeVar("Row")
Key = TypeVar("Key", int, str)

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
    boot_id: str
    boot_s: float
    clock_trusted: bool
    confirmed: bool
    body: str


def events(path: Path, after: int = 0, limit: int | None = None) -> Iterator[JournalRow]:
    """The first `limit` events with a seq greater than `after`, in order; all if None.

    Raises `StoreError`, at once or while reading: no such file, no database of a controller.
    """
    return _rows(_there(path), after, limit, _events, lambda row: row.seq)


def last(path: Path) -> JournalRow | None:
    """The newest event, None while there is none; raises as `events` does."""

    def page(connection: Connection, after: int, size: int) -> list[JournalRow]:
        newest = connection.scalar(select(func.max(event_rows.c.seq)))
        return _events(connection, (newest or 0) - 1, size) if newest else []

    return next(_rows(_there(path), 0, 1, page, lambda row: row.seq), None)


def stays(path: Path, *, all_: bool = False, plate: str | None = None) -> Iterator[Stay]:
    """The open stays, or `all_`, in the order of their entries; of one plate where it is given.

    Raises `StoreError` as `events` does, and for a database that has yet to be migrated.
    """

    def page(connection: Connection, after: str, size: int) -> list[Stay]:
        _refuse_another_schema(connection, path)
        question = select(stay_rows.c.body).where(stay_rows.c.id > after)
        if not all_:
            question = question.where(stay_rows.c.ended_at.is_(None))
        if plate is not None:
            question = question.where(stay_rows.c.plate == plate)
        found = connection.scalars(question.order_by(stay_rows.c.id).limit(size))
        return [facts.stay_of(body) for body in found]

    return _rows(_there(path), "", None, page, lambda stay: stay.id)


def blacklist(path: Path) -> tuple[BlacklistRow, ...]:
    """The rows of the blacklist that count or are suspended, by plate; raises as `events` does."""
    with telling(_there(path)), _read_only(path).connect() as connection:
        return list_rows.blacklist(connection)


def _there(path: Path) -> Path:
    try:
        with path.open("rb"):
            return path
    except PermissionError as error:
        raise StoreError(f"{path}: cannot be read: {denied(path, error)}") from error
    except OSError as error:
        fault = "there is no database; is this the store.path of the controller?"
        raise StoreError(f"{path}: {fault}") from error


def _rows(
    path: Path,
    after: Key,
    limit: int | None,
    page: Callable[[Connection, Key, int], list[Row]],
    key: Callable[[Row], Key],
) -> Iterator[Row]:
    engine = _read_only(path)
    left = limit
    while left is None or left > 0:
        with telling(path), engine.connect() as connection:
            rows = page(connection, after, _PAGE if left is None else min(left, _PAGE))
        if not rows:
            return
        yield from rows
        after = key(rows[-1])
        left = None if left is None else left - len(rows)


def _read_only(path: Path) -> Engine:
    url = URL.create(
        "sqlite", database=path.absolute().as_uri(), query={"mode": "ro", "uri": "true"}
    )
    return create_engine(url, poolclass=NullPool)


def _refuse_another_schema(connection: Connection, path: Path) -> None:
    stored = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if stored != schema.HEAD:
        raise StoreError(
            f"{path}: has schema {stored}, and this version reads {schema.HEAD}; ask with the"
            " version that the controller runs, or start the controller with this one"
        )


def _events(connection: Connection, after: int, size: int) -> list[JournalRow]:
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
            boot_id=row.boot_id,
            boot_s=row.boot_s,
            clock_trusted=row.clock_trusted,
            confirmed=row.seq <= row.confirmed,
            body=row.body,
        )
        for row in rows
    ]


def length(path: Path) -> int:
    """How many events there are; raises `StoreError` as `events` does."""
    seq = event_rows.c.seq
    first_and_last = select(
        select(func.min(seq)).scalar_subquery(), select(func.max(seq)).scalar_subquery()
    )
    with telling(_there(path)), _read_only(path).connect() as connection:
        first, last = connection.execute(first_and_last).one()
        return 0 if first is None else int(last - first + 1)
