"""Runs the simulation: sites of two weeks each, side by side, and what came of each."""

import gc
import logging
import math
import multiprocessing
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from gatekeeper.zones import policy_of
from simulators.simulate.gates import Gates
from simulators.simulate.ledger import Ledger, Verdicts, compare
from simulators.simulate.shortest import told
from simulators.simulate.site import INNER, VISITOR_ZONE, config_of
from simulators.world import Plan, Truth, World

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

SITE_DAYS = 14.0
"""A site lives for as many days at most; more days are more sites, an even number of them, each
with a seed of its own, so that the answer does not depend on how many run side by side."""

_SEEDS = 1000
"""So many sites have a seed of their own under one seed that is asked for."""

_LOOK_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One site to be run: `number` distinguishes the sites of one seed."""

    plan: Plan
    seed: int
    number: int
    days: float
    diary: bool = False
    faults: bool = False

    @property
    def faults_seed(self) -> str | None:
        """By which faults are drawn, None if none are."""
        return f"{self.seed} {self.number}" if self.faults else None

    @property
    def world_seed(self) -> int:
        """By which the world is."""
        return self.seed * _SEEDS + self.number


@dataclass(slots=True, kw_only=True)
class Diary:
    """What can be drawn of one site: (moment, number) of those really inside and of those the gate
    believed inside, and the moments of judgements; true seconds from the first midnight.
    """

    really: list[tuple[float, int]] = field(default_factory=list)
    counted: list[tuple[float, int]] = field(default_factory=list)
    certain: list[float] = field(default_factory=list)
    suspected: list[float] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of one site."""

    verdicts: Verdicts
    diary: Diary | None = None


def tasks_of(
    plan: Plan, seed: int, days: float, *, diary: bool = False, faults: bool = False
) -> list[Task]:
    """The sites that make up so many days; the first keeps a diary if asked."""
    sites = 1 if days <= SITE_DAYS else 2 * math.ceil(days / (2 * SITE_DAYS))
    return [
        Task(
            plan=plan,
            seed=seed,
            number=number,
            days=days / sites,
            diary=diary and number == 0,
            faults=faults,
        )
        for number in range(sites)
    ]


def run_all(
    tasks: list[Task], workers: int, progress: Callable[[float], None]
) -> Iterator[tuple[Task, Outcome]]:
    """Run sites, several side by side if `workers` is more than one; each is given out when it is
    done. `progress` is told how many days have passed at all sites together.
    """
    if workers <= 1 or len(tasks) == 1:
        done = 0.0
        for task in tasks:
            yield task, run_site(task, partial(_add, done, progress))
            done += task.days
            progress(done)
        return
    context = multiprocessing.get_context("spawn")
    days = context.Value("d", 0.0)
    with ProcessPoolExecutor(workers, context, initializer=_share, initargs=(days,)) as pool:
        running = {pool.submit(_run_shared, task): task for task in tasks}
        yield from _as_done(running, days, progress)


def _add(done: float, progress: Callable[[float], None], day: float) -> None:
    progress(done + day)


def _as_done(
    running: dict[Future[Outcome], Task],
    days: "Synchronized[float]",
    progress: Callable[[float], None],
) -> Iterator[tuple[Task, Outcome]]:
    while running:
        done, _ = wait(running, timeout=_LOOK_S, return_when=FIRST_COMPLETED)
        progress(days.value)
        for future in done:
            yield running.pop(future), future.result()


_shared: "Synchronized[float] | None" = None


def _share(days: "Synchronized[float]") -> None:
    global _shared
    _shared = days


def _run_shared(task: Task) -> Outcome:
    before = 0.0

    def passed(day: float) -> None:
        nonlocal before
        if _shared is not None:
            with _shared.get_lock():
                _shared.value += day - before
        before = day

    return run_site(task, passed)


def run_site(task: Task, passed: Callable[[float], None] = lambda day: None) -> Outcome:
    """One site from its first midnight to its last, in a folder of its own; `passed` is told the
    days that have passed.
    """
    quiet = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=quiet, cache_logger_on_first_use=True)
    gc.set_threshold(200_000, 50, 100)  # hardly any cycles here, and many long-lived values
    with tempfile.TemporaryDirectory(prefix="gatekeeper-simulate-") as folder:
        return _run(task, Path(folder), passed)


def _run(task: Task, folder: Path, passed: Callable[[float], None]) -> Outcome:
    ledger = Ledger()
    world = World(task.plan, task.world_seed)
    gates = Gates(folder, ledger, task.faults_seed)
    gates.start(world.lists())
    hours: list[tuple[float, tuple[int, bool] | None]] = []

    def hour(day: float) -> None:
        hours.append((day * 86_400.0, gates.counted()))
        passed(day)

    truth = world.run(gates, task.days, hour)
    gates.close()
    limit = policy_of(config_of(INNER, folder), VISITOR_ZONE).limit
    verdicts = compare(ledger, truth, limit, task.days * 86_400.0)
    for at, counted in hours:
        if counted is not None:
            verdicts.saw_count(*counted, truth.inside(VISITOR_ZONE, at))
    if gates.faults is not None and gates.promises is not None:
        verdicts.faults_drawn = gates.faults.drawn.total()
        verdicts.broken = told(task, gates.promises.broken, gates.faults.log, verdicts.victims)
        verdicts.promises_broken = len(verdicts.broken)
    return Outcome(verdicts=verdicts, diary=_diary(ledger, truth) if task.diary else None)


def _diary(ledger: Ledger, truth: Truth) -> Diary:
    moments = sorted({at for at, _, _ in ledger.counts})
    return Diary(
        really=[(at, truth.inside(VISITOR_ZONE, at)) for at in moments],
        counted=[(at, count) for at, count, _ in ledger.counts],
        certain=[one.at for one in ledger.overstayed],
        suspected=[one.at for one in ledger.suspected],
    )
