"""A database for simulations and scenarios: as exact as the other, a hundred times as fast.

What it gives up is only what a power cut would take: many calls share one transaction, and
nothing is flushed to the disk.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine

from gatekeeper.store.connections import Pragma
from gatekeeper.store.database import Database
from gatekeeper.store.statement import driver
from gatekeeper.store.trouble import telling

CALLS = 2000
"""Calls that write and share one transaction."""


class UnflushedDatabase(Database):
    """A database of which one process has the writing, from `open` to `close`, in one thread that
    also reads.

    A call that fails is undone by itself; those before it stay. Readers in other processes see
    what was written before the last `flush`, or the last `CALLS` calls.
    """

    def __init__(self, path: Path, writer: Engine, reader: Engine, journal: str) -> None:
        self._connection = writer.connect()
        self._connection.begin()
        self._driver = driver(self._connection)
        self._calls = 0
        super().__init__(path, writer, reader, journal)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A part of the transaction, undone when the block raises."""
        with telling(self.path):
            self._driver.execute("SAVEPOINT call")
            try:
                yield self._connection
            except BaseException:
                self._driver.execute("ROLLBACK TO call")
                raise
            finally:
                self._driver.execute("RELEASE call")
            self._calls += 1
            if self._calls >= CALLS:
                self.flush()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """What has been written so far."""
        with telling(self.path):
            yield self._connection

    def disturbed(self) -> bool:
        """False: no other program can write."""
        return False

    def flush(self) -> None:
        """Let readers in other processes see what was written."""
        with telling(self.path):
            self._driver.execute("COMMIT")
            self._driver.execute("BEGIN IMMEDIATE")
            self._calls = 0

    def close(self) -> None:
        """Flush, and let go of the file."""
        with telling(self.path):
            self._connection.commit()
            self._connection.close()
        super().close()

    def _data_version(self) -> int:
        return 0

    @staticmethod
    def _pragmas() -> tuple[Pragma, ...]:
        return tuple(
            ("synchronous", "OFF", 0) if pragma[0] == "synchronous" else pragma
            for pragma in Database._pragmas()
        )
