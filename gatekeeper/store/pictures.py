"""Pictures on the disk: a folder for each day, a file for each picture.

Bytes and a name come in, the name relative to the root goes out. A picture is there whole or not
at all. It never looks into a picture, and deletes only files that it made: those that are too old
or too many, oldest first, and what a person may still have to judge by last (`sweeping`).
"""

import os
import re
from collections.abc import Collection
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from uuid6 import uuid7

from gatekeeper.errors import StoreError
from gatekeeper.ownership import give_to_owner, make_folder
from gatekeeper.store.sweeping import DRAFT, PictureLimits, Swept, recalled, remember, sweep
from gatekeeper.store.worker import ThreadWorker

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")

MOST_WAITING = 32
"""Pictures that may wait for the disk, at most some ten megabytes; the next ones are lost."""


class Pictures:
    """Keeps pictures under `folder`, which is made when it is first needed.

    The work is done in two threads, one that writes and one that sweeps; a caller that stops
    waiting does not undo it. Of pictures that a slow disk makes wait, `MOST_WAITING` are held.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer = ThreadWorker(folder, "keeps pictures", MOST_WAITING)
        self._sweeper = ThreadWorker(folder, "sweeps pictures", 1)
        self._days: set[str] = set()  # a few in the life of a controller

    async def keep(self, name: str, data: bytes) -> str:
        """Write a picture and return its name below the folder: `2026-11-23/NAME`.

        The day is that of the file's own time stamp, in UTC. The same name on the same day is
        replaced. `name` is of letters, digits, `.`, `_` and `-`, and begins with neither of the
        last three. Raises `StoreError` for another name, a full disk, a failing one or one that
        is so slow that too many wait already: this picture is then lost.
        """
        if not _NAME.fullmatch(name):
            raise StoreError(f"{name!r} is no name for a picture")
        return await self._writer.run(partial(self._keep, name, data))

    async def sweep(self, limits: PictureLimits, evidence: Collection[str] | None) -> Swept:
        """Delete what the limits do not let stay. `evidence` are the names, without their endings,
        of pictures that may be needed: they go by no date, and last where there are too many. None
        where it cannot be asked: then those of the last time count, and where there was none,
        nothing goes.

        Raises `StoreError` where the disk does not let them be deleted, or is still at it.
        """
        return await self._sweeper.run(partial(self._sweep, limits, evidence))

    def _keep(self, name: str, data: bytes) -> str:
        draft = self._folder / f"{DRAFT}{uuid7()}"
        try:
            make_folder(self._folder, 0o700)
            place = _written(draft, data) / name
            kept = self._folder / place
            make_folder(kept.parent, 0o700)
            draft.replace(kept)
            _sync(kept.parent)
            self._days.add(kept.parent.name)
        except OSError as error:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            raise StoreError(f"{self._folder}: cannot keep {name}: {error.strerror}") from error
        return place.as_posix()

    def _sweep(self, limits: PictureLimits, evidence: Collection[str] | None) -> Swept:
        needed = recalled(self._folder) if evidence is None else frozenset(evidence)
        if needed is None:
            return Swept(pictures=0, evidence=0, left_mb=0)
        try:
            swept = sweep(self._folder, limits, needed, now_last=frozenset(self._days))
            remember(self._folder, needed)
            return swept
        except OSError as error:
            raise StoreError(f"{self._folder}: cannot delete: {error.strerror}") from error


def _written(draft: Path, data: bytes) -> Path:
    """Write and flush a draft; returns the folder of the day it was written."""
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
        stamp = os.fstat(file.fileno()).st_mtime
    give_to_owner(draft)
    return Path(datetime.fromtimestamp(stamp, UTC).date().isoformat())


def _sync(folder: Path) -> None:
    """A rename lasts when its folder has been flushed."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
