"""`gatekeeper networks try`: a set in the shadow of the live one, and where the two differ.

It reads what the controller has read: the picture of each vehicle that was decided, as the journal
names it. A process of its own, at idle priority: neither the controller nor its networks notice.
"""

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatekeeper.cli.times import at_site
from gatekeeper.errors import PictureError

if TYPE_CHECKING:
    from gatekeeper.config import Config
    from gatekeeper.lpr import Recogniser
    from gatekeeper.model import Pixels
    from gatekeeper.networks.trials import Said, Trial

PAUSE_S = 10.0
"""Between two looks at the journal: a trial is in no hurry."""

PAGE = 500
"""Events that are read at a time."""

LATE = timedelta(seconds=60)
"""A picture that is not on the disk so long after its vehicle was decided was never kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """A picture that the controller kept: the event that names it, when, at which lane, and its
    name without the folder of its day.
    """

    seq: int
    at: datetime
    lane: str
    name: str


@click.command("try")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("name", required=False)
@click.option("--hours", type=click.FloatRange(0, 24 * 14), default=24.0, show_default=True)
@click.option("--from-the-start", is_flag=True, help="Pictures taken before now, too.")
@click.option("--report", is_flag=True, help="Show what was found so far, and try nothing.")
def try_(file: Path, name: str | None, hours: float, from_the_start: bool, report: bool) -> None:
    """Read each vehicle's picture with this set, too, for a day, and note where it differs from the
    live one. Begun again, a trial of the same two sets goes on.
    """
    from gatekeeper import config

    settings = config.load(file)
    if report:
        _report(settings, name)
    elif name is None:
        raise click.UsageError("name the set to be tried")
    else:
        _at_idle_priority()
        asyncio.run(_tried(settings, name, hours, from_the_start=from_the_start))


def _at_idle_priority() -> None:
    """Run only while the processor would idle, as far as the system allows."""
    os.nice(19)
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


async def _tried(settings: "Config", name: str, hours: float, *, from_the_start: bool) -> None:
    from gatekeeper.app.recognition import PATTERNS, sets_of
    from gatekeeper.clock import SystemClock
    from gatekeeper.lpr.selftest import opened
    from gatekeeper.networks import trials

    clock, sets = SystemClock(), sets_of(settings)
    live, engine = sets.live, settings.recognition.engine
    first, second = (
        opened(sets.find(each), engine=engine, patterns=PATTERNS) for each in (live, name)
    )
    both = first, second
    now = clock.instant().wall
    trial = _begun(settings, name, live, now, hours, from_the_start=from_the_start)
    until = at_site(trial.until, settings.timezone)
    print(f"{name} is tried in the shadow of {live} until {until}", flush=True)
    while True:
        now = clock.instant().wall
        _look(settings, trial, both, now)
        trials.write(sets.folder, trial)
        left_s = (datetime.fromisoformat(trial.until) - now).total_seconds()
        if left_s <= 0:
            break
        await clock.idle(min(PAUSE_S, left_s))
    print(f"{trial.pictures} pictures, {trial.differing} read otherwise")


def _begun(
    settings: "Config", name: str, live: str, now: datetime, hours: float, *, from_the_start: bool
) -> "Trial":
    """A new trial; or the one of the same two sets that is not over."""
    from gatekeeper.errors import NetworkSetError
    from gatekeeper.networks import trials
    from gatekeeper.store import journal

    with suppress(NetworkSetError):
        known = trials.read(settings.sets_folder, name)
        if known.live == live and now < datetime.fromisoformat(known.until):
            return known
    return trials.Trial(
        live=live,
        tried=name,
        begun=now.isoformat(timespec="seconds"),
        until=(now + timedelta(hours=hours)).isoformat(timespec="seconds"),
        seq=0 if from_the_start else journal.length(settings.store.path),
    )


def _look(
    settings: "Config", trial: "Trial", both: tuple["Recogniser", "Recogniser"], now: datetime
) -> None:
    """Read the pictures that came since the last look."""
    for taken in _new(settings.store.path, trial.seq):
        if taken.name != trial.last:  # a vehicle may be decided again by the same picture
            path = next(settings.store.pictures.glob(f"*/{taken.name}"), None)
            if path is None and now - taken.at < LATE:
                return
            if path is not None:
                _compared(settings, trial, both, taken, path)
        trial.seq, trial.last = taken.seq, taken.name


def _new(database: Path, seq: int) -> Iterator[_Taken]:
    from gatekeeper.store import journal

    for row in journal.events(database, after=seq):
        name = json.loads(row.body).get("picture") if row.kind == "vehicle.decided" else None
        if name:
            yield _Taken(seq=row.seq, at=row.occurred_at, lane=row.lane or "", name=Path(name).name)


def _compared(
    settings: "Config",
    trial: "Trial",
    both: tuple["Recogniser", "Recogniser"],
    taken: _Taken,
    path: Path,
) -> None:
    from gatekeeper.lpr.picture import load

    try:
        pixels = _as_read(settings, taken.lane, load(path))
        live, other = (_said(recogniser, pixels) for recogniser in both)
    except PictureError as error:
        print(f"{path}: {error}", flush=True)
        return
    before = trial.differing
    trial.add(taken.name, taken.lane, live, other)
    if trial.differing > before:
        print(_line(taken.name, taken.lane, live, other), flush=True)


def _as_read(settings: "Config", lane: str, pixels: "Pixels") -> "Pixels":
    """What of the picture the lane's recogniser is given."""
    from gatekeeper.drivers.view import viewed

    known = next((each for each in settings.lane if each.name == lane), None)
    return pixels if known is None or known.camera is None else viewed(pixels, known.camera)


def _said(recogniser: "Recogniser", pixels: "Pixels") -> tuple["Said", ...]:
    from gatekeeper.networks.trials import Said

    reads = recogniser.read(pixels)
    return tuple(Said(text=read.text, confidence=round(read.confidence, 4)) for read in reads)


def _report(settings: "Config", name: str | None) -> None:
    """Of one trial, or of all there are."""
    from gatekeeper.networks import trials

    folder = settings.sets_folder
    for each in [name] if name else trials.tried(folder) or ["NAME"]:
        trial = trials.read(folder, each)
        begun, until = (at_site(each, settings.timezone) for each in (trial.begun, trial.until))
        print(f"{trial.tried} in the shadow of {trial.live}, {begun} to {until}:")
        print(f"{trial.pictures} pictures, {trial.differing} read otherwise")
        for one in trial.differences:
            print(_line(one.picture, one.lane, one.live, one.tried))


def _line(picture: str, lane: str, live: tuple["Said", ...], tried: tuple["Said", ...]) -> str:
    return f"{picture}  {lane}: live {_listed(live)}; tried {_listed(tried)}"


def _listed(said: tuple["Said", ...]) -> str:
    return ", ".join(f"{one.text} {one.confidence:.1%}" for one in said) or "no plate"
