"""What SQLite says against a file, told as a `StoreError` that says what a technician can do."""

import shutil
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError

from gatekeeper.errors import StoreError, UnacceptableError

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

_UNACCEPTABLE = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError)
"""What SQLite says of values, not of the disk."""

_STALE = ("SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN")

_LEAST_FREE = 65_536
"""Bytes of a disk that is not full: the log's index takes half of that."""


class UnsoundStoreError(StoreError):
    """The file is no sound database: what it held cannot be relied on, and it must be set aside."""


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


def unsound(path: Path, detail: str) -> UnsoundStoreError:
    """The error that says so of the file at `path`."""
    return UnsoundStoreError(
        f"{path}: is not a sound database ({detail}); move it and {path.name}-wal aside and start"
        " again: an empty one is made, and the centre sends the lists"
    )


def is_stale(error: StoreError) -> bool:
    """Whether connections made before the error may keep failing, although the disk is well
    again: one that was opened on a read-only disk, or before the disk was taken out, stays so.
    """
    cause = error.__cause__
    said = cause.orig if isinstance(cause, DBAPIError) else cause
    return _name(said).startswith(_STALE)


def _name(error: object) -> str:
    return str(getattr(error, "sqlite_errorname", ""))


def _is_full(path: Path) -> bool:
    """Where the log's index finds no space, SQLite speaks of an input or output error."""
    try:
        return shutil.disk_usage(path.parent).free < _LEAST_FREE
    except OSError:
        return False


def _told(path: Path, error: Any) -> StoreError:
    name = _name(error)
    if isinstance(error, _UNACCEPTABLE):
        return UnacceptableError(f"{path}: {error}")
    if name.startswith(_UNSOUND):
        return unsound(path, str(error))
    if name.startswith("SQLITE_IOERR") and _is_full(path):
        name = "SQLITE_FULL"
    for beginning, advice in _ADVICE:
        if name.startswith(beginning):
            return StoreError(f"{path}: {advice} ({error})")
    return StoreError(f"{path}: {error}")
