"""Connections to the database file, one to write with and one to read with.

A path comes in; an engine with a single connection goes out, with the pragmas that a commit needs
to survive a power cut. No engine makes the file: where it has gone, its connections fail.
"""

import sqlite3
from pathlib import Path
from typing import TypeAlias

from sqlalchemy import URL, Connection, Engine, create_engine, event

from gatekeeper.errors import StoreError

Pragma: TypeAlias = tuple[str, str | int, str | int]
"""Name, what is asked for, and what SQLite must then answer."""

WAL_LIMIT_BYTES = 64 * 2**20
"""The write-ahead log is cut back to this after a checkpoint."""

WRITING: tuple[Pragma, ...] = (
    ("journal_mode", "WAL", "wal"),
    ("synchronous", "FULL", 2),  # NORMAL may lose acknowledged commits at a power cut
    ("foreign_keys", "ON", 1),
    ("journal_size_limit", WAL_LIMIT_BYTES, WAL_LIMIT_BYTES),
)

READING: tuple[Pragma, ...] = (("query_only", "ON", 1),)


def busy(milliseconds: int) -> Pragma:
    """How long a transaction waits for another program's lock before it fails."""
    return ("busy_timeout", milliseconds, milliseconds)


def engine(path: Path, pragmas: tuple[Pragma, ...], begin: str) -> Engine:
    """An engine of one connection, whose transactions begin with the statement `begin`.

    It connects at the first use, and raises `StoreError` then for a pragma that does not hold.
    """
    url = URL.create(
        "sqlite", database=path.absolute().as_uri(), query={"mode": "rw", "uri": "true"}
    )
    made = create_engine(url, pool_size=1, max_overflow=0)

    @event.listens_for(made, "connect")
    def _prepare(connection: sqlite3.Connection, record: object) -> None:
        connection.isolation_level = None  # transactions begin where the listener below says
        for name, asked, answered in pragmas:
            _set(path, connection, name, asked, answered)

    @event.listens_for(made, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return made


def _set(
    path: Path, connection: sqlite3.Connection, name: str, asked: str | int, answered: str | int
) -> None:
    connection.execute(f"PRAGMA {name}={asked}")
    (got,) = connection.execute(f"PRAGMA {name}").fetchone()
    if got != answered:
        raise StoreError(
            f"{path}: SQLite answers {name}={got} where {answered} is needed for commits to survive"
            " a power cut; put the database on a local disk"
        )
