"""`gatekeeper simulate`: weeks of a site in minutes, and what its gates got right and wrong."""

import difflib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from simulators.simulate.ledger import Verdicts
    from simulators.world import Plan

HOURLY = (10.0, 20.0, 30.0, 45.0, 60.0, 90.0)
"""Cars an hour that leave the zone, for the picture of how certainty falls with traffic."""

RATES = (0.0, 0.01, 0.02, 0.05, 0.10)
"""Of misread frames and of missed exits, for the picture of both."""

_Key = TypeVar("_Key")

_share = click.FloatRange(0, 1)


def _picture(ctx: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    """Found out before the days go by, and not after."""
    if value is not None and not (value.parent.is_dir() and os.access(value.parent, os.W_OK)):
        raise click.BadParameter(f"{value.parent} is no folder that can be written")
    return value


def _rates(
    ctx: click.Context, parameter: click.Parameter, value: tuple[str, ...]
) -> dict[str, float]:
    """`fleets=0.2` and the like: any rate of the world."""
    from simulators.world import Plan

    known = {each.name for each in fields(Plan)}
    rates = {}
    for each in value:
        name, _, number = each.partition("=")
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            guess = f"; did you mean {near[0]}?" if near else f": {', '.join(sorted(known))}"
            raise click.BadParameter(f"the world has no rate {name}{guess}")
        try:
            rates[name] = float(number)
        except ValueError:
            raise click.BadParameter(f"{name}: {number!r} is no number") from None
    return rates


@click.command()
@click.option("--days", type=click.FloatRange(min=0, min_open=True), default=7.0, help="How long.")
@click.option("--seed", type=int, default=1, help="The same seed gives the same days.")
@click.option("--leaving-per-hour", type=click.FloatRange(0.1, 500), help="Cars out of the zone.")
@click.option("--misread-frames", type=_share, help="Share of frames that are misread.")
@click.option("--missed-exits", type=_share, help="Share of exits without a readable frame.")
@click.option(
    "--set",
    "rates",
    multiple=True,
    metavar="RATE=NUMBER",
    callback=_rates,
    help="Any other rate of the world, as in simulators/world/plan.py; may be repeated.",
)
@click.option("--workers", type=click.IntRange(1, 64), help="Processes side by side.")
@click.option(
    "--plot",
    type=click.Path(path_type=Path),
    default=Path("simulated-day.png"),
    show_default=True,
    callback=_picture,
    help="Where the picture of a day goes.",
)
@click.option("--no-plot", is_flag=True, help="No picture of a day.")
@click.option(
    "--traffic",
    type=click.Path(path_type=Path),
    metavar="PNG",
    callback=_picture,
    help=f"Instead: {len(HOURLY)} runs with more and more traffic, as a picture.",
)
@click.option(
    "--sweep",
    type=click.Path(path_type=Path),
    metavar="PNG",
    callback=_picture,
    help=f"Instead: {len(RATES) ** 2} runs over both fault rates, as a picture.",
)
@click.option("--faults", is_flag=True, help="Disks, devices, links and the program fail, too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def simulate(
    days: float,
    seed: int,
    leaving_per_hour: float | None,
    misread_frames: float | None,
    missed_exits: float | None,
    rates: dict[str, float],
    workers: int | None,
    plot: Path,
    no_plot: bool,
    traffic: Path | None,
    sweep: Path | None,
    faults: bool,
    as_json: bool,
) -> None:
    """Let a simulated site live for so many DAYS with the real rules, lanes and store, in virtual
    time, and compare what the gates decided with what really happened. Exit code 1 if anybody was
    blacklisted wrongly, or a promise was broken.
    """
    from simulators.world import Plan

    given = {
        "leaving_per_hour": leaving_per_hour,
        "misread_frames": misread_frames,
        "missed_exits": missed_exits,
    }
    named = {key: value for key, value in given.items() if value is not None}
    try:
        plan = replace(Plan(), **(rates | named))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    workers = workers or len(os.sched_getaffinity(0))
    if traffic is not None:
        wrong = _traffic(plan, seed, days, workers, traffic, as_json)
    elif sweep is not None:
        wrong = _sweep(plan, seed, days, workers, sweep, as_json)
    else:
        wrong = _once(plan, seed, days, workers, None if no_plot else plot, as_json, faults)
    sys.exit(1 if wrong else 0)


def _once(
    plan: "Plan",
    seed: int,
    days: float,
    workers: int,
    plot: Path | None,
    as_json: bool,
    faults: bool,
) -> int:
    from simulators.simulate import plots, report
    from simulators.simulate.run import run_all, tasks_of

    begun = time.perf_counter()
    tasks = tasks_of(plan, seed, days, diary=plot is not None, faults=faults)
    with _progress(days) as progress:
        outcomes = [outcome for _, outcome in run_all(tasks, workers, progress)]
    seconds = time.perf_counter() - begun
    verdicts = report.added(outcome.verdicts for outcome in outcomes)
    diary = next((outcome.diary for outcome in outcomes if outcome.diary), None)
    if plot is not None and diary is not None:
        plots.day(diary, 1 if days > 1 else 0, plot)
    told = report.figures(verdicts) | {"days": days, "seed": seed, "seconds": round(seconds, 1)}
    print(json.dumps(told, ensure_ascii=False) if as_json else report.table(verdicts, seconds))
    if plot is not None and not as_json:
        print(f"a day as a picture: {plot}")
    return verdicts.wrong_blacklistings + verdicts.promises_broken


def _traffic(plan: "Plan", seed: int, days: float, workers: int, path: Path, as_json: bool) -> int:
    from simulators.simulate import plots

    plans = {hour: replace(plan, leaving_per_hour=hour) for hour in HOURLY}
    # As many cars in each run: fewer days where there is more traffic.
    runs = _many(plans, seed, lambda hour: days * plan.leaving_per_hour / hour, workers)
    plots.traffic(runs, path)
    return _tell({f"leaving_per_hour {hour:g}": runs[hour] for hour in HOURLY}, path, as_json)


def _sweep(plan: "Plan", seed: int, days: float, workers: int, path: Path, as_json: bool) -> int:
    from simulators.simulate import plots

    plans = {
        (misread, missed): replace(plan, misread_frames=misread, missed_exits=missed)
        for misread in RATES
        for missed in RATES
    }
    runs = _many(plans, seed, lambda _: days, workers)
    plots.sweep(runs, path)
    named = {f"misread {one:g} missed {other:g}": runs[one, other] for one, other in runs}
    return _tell(named, path, as_json)


def _many(
    plans: "Mapping[_Key, Plan]", seed: int, days: "Callable[[_Key], float]", workers: int
) -> "dict[_Key, Verdicts]":
    from simulators.simulate import report
    from simulators.simulate.run import run_all, tasks_of

    tasks = {key: tasks_of(plan, seed, days(key)) for key, plan in plans.items()}
    flat = [task for some in tasks.values() for task in some]
    with _progress(sum(task.days for task in flat)) as progress:
        done = list(run_all(flat, workers, progress))
    return {
        key: report.added(o.verdicts for task, o in done if any(task is one for one in some))
        for key, some in tasks.items()
    }


def _tell(runs: "Mapping[str, Verdicts]", path: Path, as_json: bool) -> int:
    from simulators.simulate import report

    for name, verdicts in runs.items():
        figures = report.figures(verdicts)
        said = json.dumps({"run": name} | figures, ensure_ascii=False)
        print(said if as_json else f"{name:<28} {report.line(verdicts)}")
    if not as_json:
        print(f"as a picture: {path}")
    return sum(each.wrong_blacklistings for each in runs.values())


@contextmanager
def _progress(days: float) -> Iterator[Callable[[float], None]]:
    """A bar on stderr while it runs, where that is a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("days simulated", total=days)
        yield lambda done: bar.update(task, completed=min(done, days))
