"""The rows of a long list by plate, in pieces, with little memory.

Neighbours share a page of the database, so that a piece of sorted rows dirties a few pages and not
hundreds: a decision that comes between two pieces waits a third as long, and a card that wears out
is written a tenth as much. A million rows fill half of a small machine's memory; so they are sorted
in a file without a name, which SQLite makes and the system takes away with the process.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

from gatekeeper.model import ListRow
from gatekeeper.store import facts
from gatekeeper.store.trouble import telling

MEMORY_KB = 4096
"""What SQLite may take for it; beyond, it uses the file."""

_WHERE = Path("/var/tmp")  # noqa: S108 - where SQLite puts it (https://sqlite.org/tempfiles.html)


def pieces(rows: Iterable[ListRow], size: int) -> Iterator[list[ListRow]]:
    """The rows by plate, those of one plate as they came, so many at a time. They are taken one by
    one, all before the first piece comes. Every step belongs to one thread at a time.

    Raises `StoreError` where there is no space for the file, and what `rows` raises.
    """
    with telling(_WHERE), closing(sqlite3.connect("", check_same_thread=False)) as aside:
        aside.execute(f"PRAGMA cache_size = -{MEMORY_KB}")
        aside.execute("PRAGMA journal_mode = OFF")
        aside.execute("CREATE TABLE rows (plate TEXT NOT NULL, body TEXT NOT NULL)")
        told = ((row.plate, facts.to_json(row)) for row in rows)
        aside.executemany("INSERT INTO rows VALUES (?, ?)", told)
        ordered = aside.execute("SELECT body FROM rows ORDER BY plate, rowid")
        while piece := [facts.row_of(body) for (body,) in islice(ordered, size)]:
            yield piece
