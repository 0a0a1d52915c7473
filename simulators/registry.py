"""The lists a centre keeps: changes and questions come in, the bodies to publish go out.

A list starts at version 1, so that a controller that has nothing learns that it exists; each
change makes one version. It publishes nothing itself.
"""

import json
from pathlib import Path
from typing import TypeAlias

Row: TypeAlias = dict[str, str | None]
Body: TypeAlias = dict[str, object]
_Key: TypeAlias = tuple[str, str]  # plate and zone ("" for none)

LISTS = ("visitors", "internals", "blacklist", "exempt")


class Registry:
    """Four lists; kept in `path` if there is one, or else gone with the process."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._rows: dict[str, dict[_Key, Row]] = {name: {} for name in LISTS}
        self._versions = dict.fromkeys(LISTS, 1)
        if path is not None and path.exists():
            for body in json.loads(path.read_text(encoding="utf-8")):
                self._versions[body["list"]] = body["version"]
                self._rows[body["list"]] = {_key(row): row for row in body["rows"]}

    def version(self, name: str) -> int:
        """The newest version of a list."""
        return self._versions[name]

    def add(
        self,
        name: str,
        plate: str,
        zone: str | None = None,
        note: str = "",
        until: str | None = None,
    ) -> Body | None:
        """Put a plate on a list, permanently or until a time; the change to publish, or None if it
        stands there already.
        """
        row: Row = {"plate": plate, "zone": zone, "note": note}
        if until is not None:
            row["valid_until"] = until
        if _key(row) in self._rows[name]:
            return None
        self._rows[name][_key(row)] = row
        return self._changed(name, [{"remove": False, "row": row}])

    def remove(self, name: str, plate: str, zone: str | None = None) -> Body | None:
        """Take a plate off a list, of all zones if none is named; None if it was not there."""
        rows = self._rows[name]
        gone = [key for key in rows if key[0] == plate and zone in (None, key[1])]
        if not gone:
            return None
        changes: list[Body] = [{"remove": True, "row": rows.pop(key)} for key in gone]
        return self._changed(name, changes)

    def snapshot(self, name: str) -> Body:
        """A whole list."""
        rows = list(self._rows[name].values())
        return {"list": name, "version": self._versions[name], "rows": rows}

    def _changed(self, name: str, changes: list[Body]) -> Body:
        since = self._versions[name]
        self._versions[name] = since + 1
        self._save()
        return {"list": name, "since": since, "version": since + 1, "changes": changes}

    def _save(self) -> None:
        if self._path is None:
            return
        half = self._path.with_suffix(".new")
        half.write_text(
            json.dumps([self.snapshot(name) for name in LISTS], ensure_ascii=False),
            encoding="utf-8",
        )
        half.replace(self._path)


def _key(row: Row) -> _Key:
    return row["plate"] or "", row["zone"] or ""
