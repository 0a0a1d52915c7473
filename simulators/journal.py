"""Where a centre keeps the events of all controllers: each once, by journal and number.

Events come in, in any order and more than once; how far each journal is complete goes out.
Nothing counts as kept before `commit`.
"""

import hashlib
import json
import sqlite3
from collections import Counter
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS event (
    journal TEXT NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL UNIQUE,
    controller TEXT NOT NULL, event TEXT NOT NULL, PRIMARY KEY (journal, seq)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS again (
    journal TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (journal, seq)
) WITHOUT ROWID;
"""

_FIRST = """
SELECT journal, min(coalesce(json_extract(event, '$.first'), 1)) FROM event GROUP BY journal
"""
_NUMBERS = "SELECT journal, seq FROM event UNION SELECT journal, seq FROM again"


class Journals:
    """Events in a SQLite file, or in memory (`:memory:`); raises `sqlite3.Error`."""

    def __init__(self, path: str) -> None:
        self._base = sqlite3.connect(path)
        self._base.execute("PRAGMA journal_mode=WAL")
        self._base.execute("PRAGMA synchronous=FULL")
        self._base.executescript(_SCHEMA)
        self._doubles: Counter[str] = Counter()
        self._complete: dict[str, int] = {}
        self._ahead: dict[str, set[int]] = {}
        for journal, first in self._base.execute(_FIRST):
            self._complete[journal] = first - 1
        for journal, seq in self._base.execute(_NUMBERS):
            self._reach(journal, seq)

    def keep(self, controller: str, event: dict[str, Any]) -> bool:
        """Whether the event is new; another one under the same number or id is a `ValueError`."""
        journal, seq, name = event["journal"], event["seq"], event["id"]
        if not (isinstance(journal, str) and isinstance(seq, int) and isinstance(name, str)):
            raise ValueError("journal and id are texts, seq is a number")
        told = json.dumps(event, ensure_ascii=False)
        self._complete.setdefault(journal, event.get("first", 1) - 1)
        new = self._base.execute(
            "INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?)",
            (journal, seq, name, controller, told),
        )
        if new.rowcount:
            self._reach(journal, seq)
            return True
        if self.id_of(journal, seq) != name and not self._is_told_again(journal, seq, name):
            raise ValueError(f"{journal} {seq}: two events claim one number or one id")
        self._doubles[journal] += 1
        return False

    def commit(self) -> None:
        """From here on what was kept survives a power cut."""
        self._base.commit()

    def complete(self, journal: str) -> int:
        """Every event of the journal up to and including this number is here; 0 if none."""
        return self._complete.get(journal, 0)

    def told(self) -> dict[str, object]:
        """How many events of each journal are here, with a digest over their ids in order."""
        query = "SELECT journal, seq, id, controller FROM event ORDER BY journal, seq"
        journals: dict[str, dict[str, object]] = {}
        ids: dict[str, list[str]] = {}
        for journal, seq, name, controller in self._base.execute(query):
            ids.setdefault(journal, []).append(name)
            journals[journal] = {"controller": controller, "highest": seq}
        for journal, names in ids.items():
            journals[journal] |= {
                "count": len(names),
                "complete": self.complete(journal),
                "duplicates": self._doubles[journal],
                "digest": _digest(names),
            }
        every = [name for names in ids.values() for name in names]
        doubles = self._doubles.total()
        whole = {"count": len(every), "duplicates": doubles, "digest": _digest(every)}
        return {**whole, "journals": journals}

    def close(self) -> None:
        """Commit and close."""
        self._base.commit()
        self._base.close()

    def id_of(self, journal: str, seq: int) -> str | None:
        """The event of this number, None if it is not here."""
        query = "SELECT id FROM event WHERE journal = ? AND seq = ?"
        row = self._base.execute(query, (journal, seq)).fetchone()
        return None if row is None else str(row[0])

    def _is_told_again(self, journal: str, seq: int, name: str) -> bool:
        """Whether it was kept as one of the journal before, of a database that was restored."""
        if self.id_of(journal, seq) is not None:
            return False
        query = "SELECT 1 FROM event WHERE id = ? AND journal <> ?"
        again = self._base.execute(query, (name, journal)).fetchone() is not None
        if again:
            self._base.execute("INSERT OR IGNORE INTO again VALUES (?, ?)", (journal, seq))
            self._reach(journal, seq)
        return again

    def _reach(self, journal: str, seq: int) -> None:
        ahead = self._ahead.setdefault(journal, set())
        ahead.add(seq)
        upto = self.complete(journal)
        while upto + 1 in ahead:
            upto += 1
            ahead.discard(upto)
        self._complete[journal] = upto


def _digest(names: list[str]) -> str:
    return hashlib.sha256("".join(names).encode()).hexdigest()
