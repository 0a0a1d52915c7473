"""Runs the simulation: sites of four weeks each, side by side, and adds up what came of them."""

import logging
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path

import structlog

from gatekeeper.cli.simulate.gates import Gates
from gatekeeper.cli.simulate.ledger import Ledger, Verdicts, compare
from gatekeeper.cli.simulate.site import INNER, VISITOR_ZONE, config_of
from gatekeeper.zones import policy_of
from simulators.world import Plan, World

SITE_DAYS = 28.0
"""Days of one site; more days are more sites, each with a seed of its own, so that the answer does
not depend on how many run side by side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One site to be run: `number` distinguishes the sites of one seed."""

    plan: Plan
    seed: int
    number: int
    days: float
    diary: bool = False


@dataclass(slots=True, kw_only=True)
class Diary:
    """What can be drawn of one site: moments in true seconds from its first midnight."""

    hours: list[float] = field(default_factory=list)
    really: list[int] = field(default_factory=list)
    counted: list[int | None] = field(default_factory=list)
    certain: list[float] = field(default_factory=list)
    suspected: list[float] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of one site."""

    verdicts: Verdicts
    diary: Diary | None = None


def tasks_of(plan: Plan, seed: int, days: float, *, diary: bool = False) -> list[Task]:
    """The sites that make up so many days; the first keeps a diary if asked."""
    tasks: list[Task] = []
    while days > 0:
        number = len(tasks)
        tasks.append(
            Task(
                plan=plan,
                seed=seed,
                number=number,
                days=min(days, SITE_DAYS),
                diary=diary and number == 0,
            )
        )
        days -= SITE_DAYS
    return tasks


def run_all(
    tasks: list[Task], workers: int, progress: Callable[[float], None]
) -> Iterator[tuple[Task, Outcome]]:
    """Run sites side by side; `progress` is told the days that each finished site had."""
    if workers <= 1 or len(tasks) == 1:
        for task in tasks:
            yield task, run_site(task)
            progress(task.days)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for task, outcome in zip(tasks, pool.map(run_site, tasks), strict=True):
            yield task, outcome
            progress(task.days)


def run_site(task: Task) -> Outcome:
    """One site from its first midnight to its last, in a folder of its own."""
    quiet = structlog.make_filtering_bound_logger(logging.ERROR)
    structlog.configure(wrapper_class=quiet, cache_logger_on_first_use=True)
    with tempfile.TemporaryDirectory(prefix="gatekeeper-simulate-") as folder:
        return _run(task, Path(folder))


def _run(task: Task, folder: Path) -> Outcome:
    ledger, diary = Ledger(), Diary()
    world = World(task.plan, task.seed * 1000 + task.number)
    gates = Gates(folder, ledger)
    gates.start(world.lists())
    counts: list[tuple[float, tuple[int, bool] | None]] = []
    truth = world.run(gates, task.days, lambda day: counts.append((day, gates.counted())))
    gates.close()
    limit = policy_of(config_of(INNER, folder), VISITOR_ZONE).limit
    verdicts = compare(ledger, truth, limit)
    for day, counted in counts:
        really = truth.inside(VISITOR_ZONE, day * 86_400.0)
        diary.hours.append(day * 24)
        diary.really.append(really)
        diary.counted.append(None if counted is None else counted[0])
        if counted is not None:
            _occupancy(verdicts, counted, really)
    diary.certain = [one.at for one in ledger.overstayed]
    diary.suspected = [one.at for one in ledger.suspected]
    return Outcome(verdicts=verdicts, diary=diary if task.diary else None)


def _occupancy(verdicts: Verdicts, counted: tuple[int, bool], really: int) -> None:
    count, trusted = counted
    error = abs(count - really)
    verdicts.occupancy_error_max = max(verdicts.occupancy_error_max, error)
    if trusted:
        verdicts.occupancy_error_max_trusted = max(verdicts.occupancy_error_max_trusted, error)


__all__ = ["Diary", "Outcome", "Task", "replace", "run_all", "run_site", "tasks_of"]
