"""The database file: made, checked, migrated and opened so that a commit survives a power cut.

A path comes in; connections inside a transaction go out. Whatever SQLite says against it leaves
as a `StoreError` that names the file and what a technician can do. It never deletes or replaces a
file: `set_aside` is for whoever has decided that a gate must run without its past.

Everything here blocks; `gatekeeper.store.store` calls it in the one thread it owns.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeAlias

from sqlalchemy import URL, Connection, Engine, create_engine, event, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError
from uuid6 import uuid7

from gatekeeper.errors import StoreError
from gatekeeper.store import schema

BUSY_MS = 2000
"""How long a transaction waits for another program's lock before it fails: beside the controller
only a technician's command writes this file, and briefly; a longer lock is a shell left open.
"""

WAL_LIMIT_BYTES = 64 * 2**20
"""The write-ahead log is cut back to this after a checkpoint."""

Pragma: TypeAlias = tuple[str, str | int, str | int]
"""Name, what is asked for, and what SQLite must then answer."""

PRAGMAS: tuple[Pragma, ...] = (
    ("journal_mode", "WAL", "wal"),
    ("synchronous", "FULL", 2),  # NORMAL may lose acknowledged commits at a power cut
    ("foreign_keys", "ON", 1),
    ("busy_timeout", BUSY_MS, BUSY_MS),
    ("journal_size_limit", WAL_LIMIT_BYTES, WAL_LIMIT_BYTES),
)

_FOLLOWERS = ("-wal", "-shm")
"""Files that belong to a database and are nothing without it."""

_ADVICE = (
    ("SQLITE_FULL", "the disk is full: free some space"),
    ("SQLITE_BUSY", "another program holds it locked: end that program"),
    ("SQLITE_READONLY", "it cannot be written: give it to the user the controller runs as"),
    ("SQLITE_CANTOPEN", "it cannot be opened: is the folder there, and the controller's own?"),
    ("SQLITE_PERM", "it cannot be opened: give it to the user the controller runs as"),
    ("SQLITE_IOERR", "the disk does not read or write as it should: see dmesg, and replace it"),
)
"""SQLite's error names (https://sqlite.org/rescode.html), by their beginnings."""

_UNSOUND = ("SQLITE_CORRUPT", "SQLITE_NOTADB")


class UnsoundStoreError(StoreError):
    """The file is no sound database: what it held cannot be relied on, and it must be set aside."""


class Database:
    """An open database, used from one thread.

    `journal` is the id made with it: the name of this journal's life.
    """

    def __init__(self, path: Path, engine: Engine, journal: str) -> None:
        self.path = path
        self.journal = journal
        self._engine = engine
        self._version = self._data_version()

    @classmethod
    def open(cls, path: Path) -> Self:
        """Make or open the database at `path`, check it whole and bring it up to date.

        Only this user may read a file made here. Raises `UnsoundStoreError` for a file that is
        no database or a damaged one, otherwise `StoreError`.
        """
        _touch(path)
        engine = _engine(path, cls._pragmas())
        try:
            with telling(path):
                _check(path, engine)
                return cls(path, engine, _brought_up_to_date(path, engine))
        except BaseException:
            engine.dispose()
            raise

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction: on the disk when the block ends, or undone when it raises."""
        with telling(self.path), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that waits for no writer and sees one state throughout."""
        reader = self._engine.execution_options(reading=True)
        with telling(self.path), reader.begin() as connection:
            yield connection

    def disturbed(self) -> bool:
        """Whether another program has written the file since this was last asked."""
        before, self._version = self._version, self._data_version()
        return self._version != before

    def flush(self) -> None:
        """Nothing to do: a transaction that has ended is on the disk, for every reader."""

    def close(self) -> None:
        """Let go of the file, and of the files beside it."""
        with telling(self.path):
            self._engine.dispose()

    def _data_version(self) -> int:
        """A number that changes when another connection than this one has written the file
        (https://sqlite.org/pragma.html#pragma_data_version).
        """
        with self.reading() as connection:
            return int(connection.scalar(text("PRAGMA data_version")) or 0)

    @staticmethod
    def _pragmas() -> tuple[Pragma, ...]:
        return PRAGMAS


class telling:  # noqa: N801 - it is used as a verb, `with telling(path):`
    """Turn what SQLite raises into a `StoreError` about the file at `path`. A class, for it is
    entered at every call, and a generator would take ten times as long.
    """

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        if isinstance(error, DBAPIError):
            raise _told(self._path, error.orig) from error
        if isinstance(error, sqlite3.Error):
            raise _told(self._path, error) from error


def set_aside(path: Path) -> Path:
    """Rename an unsound database, with the files that belong to it; returns its new name.

    The next `open` makes an empty one with a journal id of its own, so that confirmations meant
    for the old one free nothing. Nothing is deleted.
    """
    number = 1
    while (aside := path.with_name(f"{path.name}.unsound-{number}")).exists():
        number += 1
    try:
        for end in (*_FOLLOWERS, ""):  # the file itself last: until then, it is all still there
            if (old := Path(f"{path}{end}")).exists():
                old.rename(f"{aside}{end}")
    except OSError as error:
        raise StoreError(f"{path}: cannot be set aside: {error.strerror}") from error
    return aside


def _touch(path: Path) -> None:
    """Make the file before SQLite does, for its permissions: the log beside it gets the same."""
    try:
        path.touch(mode=0o600)
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be opened or made: {error.strerror}; is the folder there, and the"
            " controller's own?"
        ) from error


def _engine(path: Path, pragmas: tuple[Pragma, ...]) -> Engine:
    engine = create_engine(URL.create("sqlite", database=str(path)), pool_size=1, max_overflow=0)

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, record: object) -> None:
        connection.isolation_level = None  # transactions begin where the listener below says
        for name, asked, answered in pragmas:
            _set(path, connection, name, asked, answered)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # Taking the write lock later, at the first write, fails at once where another writer
        # came between; busy_timeout does not help there.
        reading = connection.get_execution_options().get("reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


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


def _check(path: Path, engine: Engine) -> None:
    with engine.connect() as connection:
        said = connection.execute(text("PRAGMA quick_check")).scalars().all()
    if said != ["ok"]:
        raise _unsound(path, str(said[0]) if said else "quick_check says nothing")


def _brought_up_to_date(path: Path, engine: Engine) -> str:
    """The journal id; tables and id are made in one transaction with the first migration."""
    with engine.begin() as connection:
        stored = _revision(path, connection)
        if stored != schema.HEAD:
            _migrate(connection)
        journal = connection.scalar(select(schema.journal.c.id))
        if journal is None:
            journal = str(uuid7())
            connection.execute(insert(schema.journal).values(id=journal, confirmed=0))
    return journal


def _revision(path: Path, connection: Connection) -> str | None:
    """The stored revision, None in an empty file."""
    tables = inspect(connection).get_table_names()
    if "alembic_version" not in tables:
        if tables:
            raise StoreError(f"{path}: belongs to another program; correct store.path")
        return None
    stored = str(connection.scalar(text("SELECT version_num FROM alembic_version")))
    if stored > schema.HEAD:
        raise StoreError(
            f"{path}: was written by a newer gatekeeper (schema {stored}, this one knows"
            f" {schema.HEAD}); install that version again, or move the file and {path.name}-wal"
            " aside to begin an empty one"
        )
    return stored


def _migrate(connection: Connection) -> None:
    from alembic import command  # half a second, needed once in the life of a version
    from alembic.config import Config

    folder = Path(__file__).with_name("migrations")
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _told(path: Path, error: Any) -> StoreError:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(_UNSOUND):
        return _unsound(path, str(error))
    for beginning, advice in _ADVICE:
        if name.startswith(beginning):
            return StoreError(f"{path}: {advice} ({error})")
    return StoreError(f"{path}: {error}")


def _unsound(path: Path, detail: str) -> UnsoundStoreError:
    return UnsoundStoreError(
        f"{path}: is not a sound database ({detail}); move it and {path.name}-wal aside and start"
        " again: an empty one is made, and the centre sends the lists"
    )
