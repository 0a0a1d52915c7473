"""A statement of SQLAlchemy's, put into SQL once and then run on the driver itself.

For what every passage asks and writes: built and compiled at each call, a statement costs ten
times what SQLite takes to carry it out. Values go to the driver as they are, so moments have to be
texts (`schema.moment`); rows come back as plain tuples.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias, cast

from sqlalchemy import ClauseElement, Connection
from sqlalchemy.dialects import sqlite

Values: TypeAlias = Mapping[str, object]

_NONE: Values = MappingProxyType({})

_DIALECT = sqlite.dialect(paramstyle="named")


class Statement:
    """One statement; `values` are those of its parameters that it does not hold itself."""

    def __init__(self, said: ClauseElement) -> None:
        compiled = said.compile(dialect=_DIALECT)
        self._sql = str(compiled)
        self._held = {name: value for name, value in compiled.params.items() if value is not None}

    def rows(self, connection: Connection, values: Values = _NONE) -> list[Any]:
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
    return cast(sqlite3.Connection, connection.connection.driver_connection)
