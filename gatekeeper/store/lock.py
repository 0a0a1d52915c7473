"""One program at a time moves the barriers of a gate: its controller, or a technician's test.

The lock is a Unix socket in the kernel's own name space, named after the database's absolute path:
it needs no disk, so that a gate whose disk is full, read-only or gone has its controller all the
same, and it goes with the program that holds it, however that ended. Where the disk can be written
a file beside the database is locked too, for programs in another network name space (a container),
and says who holds it. The database itself stays open to commands that move nothing.
"""

import errno
import fcntl
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TextIO, TypeAlias

import structlog

from gatekeeper import kernelname
from gatekeeper.errors import LockError
from gatekeeper.ownership import give_to_owner

log = structlog.get_logger(__name__)

File: TypeAlias = AbstractContextManager[object]
"""What holds the lock of the file until it is closed."""


FILE_S = 1.0
"""How long the disk may take for the file; one that hangs keeps no gate from its controller."""


@contextmanager
def alone(database: Path, who: str) -> Iterator[None]:
    """Be the only one until the end of the block; `who` is told to others who try.

    Raises `LockError` at once where another program is there already.
    """
    path = database.with_name(f"{database.name}.lock")
    with _taken_name(database, path), _in_time(lambda: _locked(database, path, who)):
        yield


@contextmanager
def _taken_name(database: Path, path: Path) -> Iterator[None]:
    """A name no other program has."""
    with socket.socket(socket.AF_UNIX) as held:
        try:
            held.bind(kernelname.of_database(database))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise LockError(f"{database}: cannot be locked: {error.strerror}") from error
            raise _refused(database, _signed(path)) from None
        yield


def _in_time(work: Callable[[], File | LockError]) -> File:
    """The file, or nothing where the disk does not answer; its thread ends with the program."""
    answers: SimpleQueue[File | LockError] = SimpleQueue()
    Thread(target=lambda: answers.put(work()), name="lock", daemon=True).start()
    try:
        told = answers.get(timeout=FILE_S)
    except Empty:
        log.warning("lock.without_file", error="the disk does not answer")
        return nullcontext()
    if isinstance(told, LockError):
        raise told
    return told


def _locked(database: Path, path: Path, who: str) -> File | LockError:
    """The file beside the database, locked and signed; nothing where the disk does not let it."""
    try:
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        log.warning("lock.without_file", path=str(path), error=error.strerror)
        return nullcontext()
    give_to_owner(path)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        with file:
            file.seek(0)
            return _refused(database, file.read().strip())
    except OSError as error:  # a file system that has no locks
        log.warning("lock.without_file", path=str(path), error=error.strerror)
    with suppress(OSError):  # on a full disk the lock holds all the same
        _sign(file, who)
    return file


def _signed(path: Path) -> str:
    with suppress(OSError):
        return path.read_text(encoding="utf-8").strip()
    return ""


def _refused(database: Path, holder: str) -> LockError:
    return LockError(
        f"{database}: {holder or 'another program'} works with the devices of this gate; stop it"
        " first (systemctl stop gatekeeper)"
    )


def _sign(file: TextIO, who: str) -> None:
    file.truncate(0)
    file.write(f"{who} (process {os.getpid()})\n")
    file.flush()
