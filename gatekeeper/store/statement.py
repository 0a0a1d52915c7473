"""A statement of SQLAlchemy's, put into SQL once and then run on the driver itself.

For what every passage asks and writes: built and compiled anew at each call, a statement costs ten
times what SQLite takes to carry it out. Values go to the driver as they are, so moments have to be
texts (`schema.moment`); rows come back as plain tuples.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from sqlalchemy import ClauseElement, Connection
from sqlalchemy.dialects import sqlite

Values: TypeAlias = Mapping[str, object]

_DIALECT = sqlite.dialect(paramstyle="named")


class Statement:
    """One statement; `values` are those of its parameters that it does not hold itself."""

    def __init__(self, said: ClauseElement) -> None:
        compiled = said.compile(dialect=_DIALECT)
        self._sql = str(compiled)
        self._held = {name: value for name, value in compiled.params.items() if value is not None}

    def rows(self, connection: Connection, values: Values = {}) -> list[Any]:  # noqa: B006
        """All rows of the answer."""
        return driver(connection).execute(self._sql, {**self._held, **values}).fetchall()

    def run(self, connection: Connection, values: Values) -> None:
        """Carry it out once."""
        driver(connection).execute(self._sql, {**self._held, **values})

    def run_all(self, connection: Connection, many: Iterable[Values]) -> None:
        """Carry it out for each."""
        driver(connection).executemany(self._sql, [{**self._held, **values} for values in many])


def driver(connection: Connection) -> sqlite3.Connection:
    """What lies below a connection of SQLAlchemy's; in the same transaction."""
    below = connection.connection.driver_connection
    assert isinstance(below, sqlite3.Connection)  # noqa: S101 - for the type checker
    return below
