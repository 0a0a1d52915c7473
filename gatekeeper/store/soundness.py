"""Whether the whole file is sound, looked at piece by piece while the gate works.

A start reads only the beginning of each table: a million events take many seconds to read, in which
no gate would open. The rest is read afterwards, on a connection of its own that holds nothing
between two pieces. Damage is noted in a file beside the database, so that the next start sets it
aside (`Database.open` then raises).
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog
from sqlalchemy import Connection, text

from gatekeeper.store import schema
from gatekeeper.store.connections import READING, Pragma, busy, engine
from gatekeeper.store.trouble import UnsoundStoreError, telling, unsound

log = structlog.get_logger(__name__)

PIECE = 1000
"""Rows read at one go: some 1.3 MB of events, a few hundredths of a second from a slow card."""

NOTE = "-unsound"
"""How the note beside a damaged database is called: the database's name, and this."""

_STRICT: tuple[Pragma, ...] = (*READING, ("cell_size_check", "ON", 1), busy(1000))
"""Pages are looked at as they are read, which SQLite leaves out otherwise."""

_EVENTS = text(
    "SELECT count(*), min(seq), max(seq), sum(json_valid(body)) FROM"
    " (SELECT seq, body FROM events WHERE seq > :after ORDER BY seq LIMIT :piece)"
)
_NEXT_PLATE = text(
    "SELECT plate FROM list_rows WHERE plate > :after ORDER BY plate LIMIT 1 OFFSET :piece"
)
_ROWS = text(
    "SELECT sum(length(note) + length(zone) + version) FROM list_rows"
    " WHERE plate > :after AND (:until IS NULL OR plate <= :until)"
)
_IN_PIECES = {schema.events.name, schema.list_rows.name}


def pieces(path: Path) -> Generator[str, None, None]:
    """Look at the file, a piece at each step, and name what is looked at. Every step belongs to
    one thread at a time.

    Raises `UnsoundStoreError` at the first damage, and `StoreError` where it cannot be read.
    """
    reader = engine(path, _STRICT, "BEGIN")

    @contextmanager
    def reading() -> Iterator[Connection]:
        with telling(path), reader.begin() as connection:
            yield connection

    try:
        for name in schema.metadata.tables.keys() - _IN_PIECES:
            with reading() as connection:
                _whole(path, connection, name)
            yield name
        after: int | None = 0
        while after is not None:
            with reading() as connection:
                after = _some_events(path, connection, after)
            yield "events"
        plate: str | None = ""
        while plate is not None:
            with reading() as connection:
                plate = _some_rows(connection, plate)
            yield "list_rows"
    except UnsoundStoreError as error:
        _note(path, str(error))
        raise
    finally:
        reader.dispose()


def _note(path: Path, detail: str) -> None:
    """Leave word for the next start; on a disk that cannot be written, only in the log."""
    try:
        Path(f"{path}{NOTE}").write_text(detail, encoding="utf-8")
    except OSError as error:
        log.error("store.unsound_not_noted", path=str(path), error=error.strerror)


def noted(path: Path) -> str | None:
    """What was found wrong with the file in an earlier life of the controller."""
    with suppress(OSError):
        return Path(f"{path}{NOTE}").read_text(encoding="utf-8", errors="replace")
    return None


def _whole(path: Path, connection: Connection, table: str) -> None:
    """A table and what SQLite keeps to find its rows (https://sqlite.org/pragma.html)."""
    said = connection.execute(text(f"PRAGMA quick_check('{table}')")).scalars().all()
    if said != ["ok"]:
        raise unsound(path, str(said[0]) if said else "quick_check says nothing")


def _some_events(path: Path, connection: Connection, after: int) -> int | None:
    """Reads every byte of the next events; returns the number to go on from."""
    asked = {"after": after, "piece": PIECE}
    count, first, last, whole = connection.execute(_EVENTS, asked).one()
    if not count:
        return None
    if count != last - first + 1 or count != whole:
        raise unsound(path, f"of the events {first} to {last} some are damaged or missing")
    return None if count < PIECE else int(last)


def _some_rows(connection: Connection, after: str) -> str | None:
    """Reads the rows of the next plates; returns the plate to go on from."""
    asked = {"after": after, "piece": PIECE}
    until: str | None = connection.scalar(_NEXT_PLATE, asked)
    connection.execute(_ROWS, {"after": after, "until": until}).one()
    return until
