"""The database file: made, migrated and opened so that a commit survives a power cut.

A path comes in; connections inside a transaction go out. What SQLite says against it leaves as a
`StoreError` that names the file and what a technician can do. It never deletes or replaces a file:
`set_aside` is for a caller who has decided that a gate must run without its past.

Everything here blocks; `gatekeeper.store.store` calls it in threads of its own.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, Engine, insert, inspect, select, text
from uuid6 import uuid7

from gatekeeper.errors import StoreError
from gatekeeper.ownership import denied, give_to_owner
from gatekeeper.store import schema, soundness
from gatekeeper.store.connections import READING, WRITING, Pragma, busy, engine
from gatekeeper.store.statement import driver
from gatekeeper.store.trouble import is_stale, telling, unsound

BUSY_MS = 200
"""How long a transaction of the controller waits for another program's lock before it fails; it is
tried again by the controller's journal, so that a lock is noticed sooner than a driver waits.
"""

PATIENT_MS = 2000
"""The same for a technician's command, which tries once. Beside the controller only such a command
writes this file, and briefly; a longer lock is a shell left open.
"""

_FOLLOWERS = ("-wal", "-shm", soundness.NOTE)
"""Files that belong to a database and are nothing without it."""


class Database:
    """An open database. One thread may write while another reads; neither waits for the other.

    `journal` is the id made with it: the name of this journal's life.
    """

    def __init__(self, path: Path, writer: Engine, reader: Engine, journal: str) -> None:
        self.path = path
        self.journal = journal
        self._writer = writer
        self._reader = reader
        self._version = self._data_version()

    @classmethod
    def open(cls, path: Path, busy_ms: int = BUSY_MS) -> Self:
        """Make or open the database at `path`, look at the beginning of each table and bring it
        up to date. It is written only where it is new or of an older version, so that one that
        another program holds locked can be opened and read. `soundness` checks the whole of it.

        Only this user may read a file made here. Raises `UnsoundStoreError` for a file that is
        no database, a damaged one, or one in which `soundness` has found damage, otherwise
        `StoreError`.
        """
        if (detail := soundness.noted(path)) is not None:
            raise unsound(path, detail)
        _touch(path)
        writer = engine(path, (busy(busy_ms), *cls._pragmas()), "BEGIN IMMEDIATE")
        reader = engine(path, (busy(busy_ms), *READING), "BEGIN")
        try:
            with telling(path):
                journal = _up_to_date(path, writer, reader)
                return cls(path, writer, reader, journal)
        except BaseException:
            writer.dispose()
            reader.dispose()
            raise

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction: on the disk when the block ends, or undone when it raises. The lock is
        taken at its beginning: taken at the first write, it fails at once where another writer
        came between, and waiting does not help there.
        """
        with self._renewed(), telling(self.path), self._writer.connect() as connection:
            with connection.begin():
                yield connection
            _mark(connection)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that waits for no writer and sees one state throughout."""
        with self._renewed(), telling(self.path), self._reader.begin() as connection:
            yield connection

    def disturbed(self) -> bool:
        """Whether another program has written the file since this was last asked. For the thread
        that writes.
        """
        before, self._version = self._version, self._data_version()
        return self._version != before

    def flush(self) -> None:
        """Nothing to do: a transaction that has ended is on the disk, for every reader."""

    def close(self) -> None:
        """Let go of the file, and of the files beside it."""
        with telling(self.path):
            self._reader.dispose()
            self._writer.dispose()

    def _data_version(self) -> int:
        """A number that changes when another connection than the one that writes has written the
        file (https://sqlite.org/pragma.html#pragma_data_version).
        """
        with self._renewed(), telling(self.path):
            connection = self._writer.raw_connection()
            try:
                cursor = connection.cursor()
                (version,) = cursor.execute("PRAGMA data_version").fetchone()
                return int(version)
            finally:
                connection.close()

    @contextmanager
    def _renewed(self) -> Iterator[None]:
        """Connect again at the next use, after an error that could stay with the connections: they
        share what SQLite knows of the files, so that both go. One in use by the other thread is
        closed when that has done with it.
        """
        try:
            yield
        except StoreError as error:
            if is_stale(error):
                self._reader.dispose()
                self._writer.dispose()
            raise

    @staticmethod
    def _pragmas() -> tuple[Pragma, ...]:
        return WRITING


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


def _mark(connection: Connection) -> None:
    """Read what was just committed. SQLite notes in memory shared with all readers how far the log
    is read (https://sqlite.org/walformat.html, read marks). That memory is a file: when the disk
    hangs it cannot be written any more, and without a mark that fits nothing could be read either.
    """
    with suppress(sqlite3.Error):  # the commit is on the disk in any case
        driver(connection).execute("SELECT id FROM journal").fetchall()


def _touch(path: Path) -> None:
    """Make the file before SQLite does, for its permissions: the log beside it gets the same."""
    try:
        if not path.exists():
            path.touch(mode=0o600)
            give_to_owner(path)
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be opened or made: {denied(path, error)}; is the folder there, and the"
            " controller's own?"
        ) from error


def _up_to_date(path: Path, writer: Engine, reader: Engine) -> str:
    """The journal id, of a database of today's schema."""
    with writer.connect():  # a file that is new becomes a database that can be read
        pass
    with reader.begin() as connection:
        journal = _looked_at(connection) if _revision(path, connection) == schema.HEAD else None
    return journal or _brought_up_to_date(path, writer)


def _looked_at(connection: Connection) -> str | None:
    """The journal id, when one row of each table could be read."""
    for table in schema.metadata.tables.values():
        connection.execute(select(table).limit(1)).all()
    connection.execute(select(schema.events).order_by(schema.events.c.seq.desc()).limit(1)).all()
    return connection.scalar(select(schema.journal.c.id))


def _brought_up_to_date(path: Path, writer: Engine) -> str:
    """The journal id; tables and id are made in one transaction with the first migration."""
    with writer.begin() as connection:
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
