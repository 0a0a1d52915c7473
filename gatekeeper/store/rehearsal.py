"""A database for simulations and scenarios: as exact as the other, a hundred times as fast.

What it gives up is only what a power cut would take: many calls share one transaction, and
nothing is flushed to the disk.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine

from gatekeeper.store.database import Database, Pragma, telling
from gatekeeper.store.statement import driver

CALLS = 2000
"""Calls that write and share one transaction."""


class Rehearsal(Database):
    """A database of which one process has the writing, from `open` to `close`.

    A call that fails is undone by itself; those before it stay. Readers in other processes see
    what was written before the last `flush`, or the last `CALLS` calls.
    """

    def __init__(self, path: Path, engine: Engine, journal: str) -> None:
        self._connection = engine.connect()
        self._connection.begin()
        self._driver = driver(self._connection)
        self._calls = 0
        super().__init__(path, engine, journal)

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

    @staticmethod
    def _pragmas() -> tuple[Pragma, ...]:
        return tuple(
            ("synchronous", "OFF", 0) if pragma[0] == "synchronous" else pragma
            for pragma in Database._pragmas()
        )
