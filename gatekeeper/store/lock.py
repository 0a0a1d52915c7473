"""One program at a time moves the barriers of a gate: its controller, or a technician's test.

A file beside the database says who; the operating system holds the lock, and lets it go when that
program has ended, however it ended. The database itself stays open to commands that move nothing.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from gatekeeper.errors import LockError


@contextmanager
def alone(database: Path, who: str) -> Iterator[None]:
    """Be the only one until the end of the block; `who` is told to others who try.

    Raises `LockError` at once where somebody else is there already.
    """
    path = database.with_name(f"{database.name}.lock")
    try:
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise LockError(
            f"{path}: {error.strerror}: is the folder there, and the controller's own?"
        ) from error
    with file:
        _take(file, database)
        with suppress(OSError):  # on a full disk the lock holds all the same
            _sign(file, who)
        yield


def _take(file: TextIO, database: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip() or "another program"
        raise LockError(
            f"{database}: {holder} works with the devices of this gate; stop it first"
            " (systemctl stop gatekeeper)"
        ) from None


def _sign(file: TextIO, who: str) -> None:
    file.truncate(0)
    file.write(f"{who} (process {os.getpid()})\n")
    file.flush()
