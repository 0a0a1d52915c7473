"""Which pictures go: those of days long past, and the oldest where there are too many.

A folder of pictures comes in, what went goes out. Everything here blocks.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from gatekeeper import flushed

DRAFT = ".draft-"
"""How a file is called until it is whole; the name of a picture never begins with a dot."""


_NEEDED = ".evidence"
"""The names of pictures that were needed last: a database on a full disk may not open, and could
not say so just when pictures have to make room.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureLimits:
    """`before` (aware) is the day from which ordinary pictures stay, None while the clock is not
    trusted: by a wrong clock all might be old. Of all pictures so many megabytes stay at most; and
    so many are to be free on the disk, for which only ordinary ones go.
    """

    before: datetime | None
    megabytes: int
    free_mb: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """How many pictures went, and how many of these were evidence; what is left, in megabytes."""

    pictures: int
    evidence: int
    left_mb: int


class _Sweep:
    """One round through the folder, oldest pictures first."""

    def __init__(self, days: list[Path], evidence: frozenset[str]) -> None:
        self._days = days
        self._evidence = evidence
        self.size = sum(entry.stat().st_size for day in days for entry in _pictures(day))
        self.gone = 0
        self.gone_evidence = 0
        self._thinned: set[Path] = set()

    def drop_before(self, before: date) -> None:
        for day in self._days:
            if date.fromisoformat(day.name) < before:
                self._drop(day, down_to=-1, evidence=False)

    def drop_down_to(self, size: int, *, evidence: bool) -> None:
        for day in self._days:
            self._drop(day, down_to=size, evidence=evidence)

    def remove_empty_days(self) -> None:
        """Only those it has taken from: another may be empty because its first picture comes."""
        for day in self._thinned:
            with suppress(OSError):  # there is still something in it
                day.rmdir()

    def _drop(self, day: Path, *, down_to: int, evidence: bool) -> None:
        for entry in sorted(_pictures(day), key=lambda entry: entry.name):
            if self.size <= down_to:
                return
            if (_stem(entry.name) in self._evidence) is evidence:
                self.size -= entry.stat().st_size
                os.unlink(entry.path)
                self.gone += 1
                self.gone_evidence += evidence
                self._thinned.add(day)


def sweep(
    folder: Path, limits: PictureLimits, evidence: frozenset[str], *, now_last: frozenset[str]
) -> Swept:
    """Delete the pictures under `folder` that may not stay. Those of the days `now_last` count as
    the youngest, whatever the clock called these days: they were taken since this start.
    """
    if limits.before is not None:
        _drop_drafts(folder, limits.before.timestamp())
    days = sorted(_days(folder), key=lambda day: (day.name in now_last, day.name))
    this = _Sweep(days, evidence)
    if limits.before is not None:
        this.drop_before(limits.before.astimezone(UTC).date())
    most = limits.megabytes * 1_000_000
    if days:
        missing = limits.free_mb * 1_000_000 - shutil.disk_usage(folder).free
        this.drop_down_to(min(most, this.size - missing), evidence=False)
    this.drop_down_to(most, evidence=True)
    this.remove_empty_days()
    return Swept(
        pictures=this.gone,
        evidence=this.gone_evidence,
        left_mb=this.size // 1_000_000,
    )


def remember(folder: Path, evidence: frozenset[str]) -> None:
    """Keep these names for a time when the database cannot be asked."""
    if folder.exists() and recalled(folder) != evidence:
        told = "\n".join(sorted(evidence))
        flushed.replace(folder / _NEEDED, told.encode(), 0o600)


def recalled(folder: Path) -> frozenset[str] | None:
    """The names kept last, None where there are none."""
    try:
        return frozenset((folder / _NEEDED).read_text(encoding="utf-8").split())
    except OSError:
        return None


def _drop_drafts(folder: Path, before: float) -> None:
    """What a power cut left."""
    for draft in folder.glob(f"{DRAFT}*"):
        if draft.stat().st_mtime < before:
            draft.unlink()


def _days(folder: Path) -> Iterator[Path]:
    for day in folder.glob("????-??-??"):
        with suppress(ValueError):  # not one of ours
            date.fromisoformat(day.name)
            yield day


def _pictures(day: Path) -> list[os.DirEntry[str]]:
    with os.scandir(day) as entries:
        return [entry for entry in entries if entry.is_file(follow_symlinks=False)]


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name
