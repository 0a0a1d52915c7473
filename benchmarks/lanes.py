"""What a lane takes from a readable vehicle to the closed relay, also while other lanes are broken,
and what an idle controller costs: one real controller, four lanes, simulators on real protocols.

A car's time begins when the simulated board closes the arrival loop, before which its picture
stands before the camera, and ends when the board is told to close the relay; both moments are the
board's own. Two entries are measured in turn, of which one asks the lists. All boards are on one
line, of which the first has three lanes; the exits are broken in one way after the other, of which
one has a stream for a camera and the other a board of its own. Times before and during each trouble
are measured beside it, so that both see the same machine.

Beside each car what no controller can save is measured bare: two readings, a poll, a flush; `ratio`
is the median of the cars by the median of that.

Each car drives through, and its boom has come down before the next one comes to that lane: one
that is up gets no pulse. For that booms and cars are ten times as fast as real ones.

Idle figures are those of a controller of two lanes at which nothing happens, over some time: its
share of one core (user and system, all threads) and its resident memory. A cold start ends with
the READY=1 that systemd is told; files are in the page cache, the database is not there yet.
Times are milliseconds unless the name says otherwise.
"""

import argparse
import asyncio
import json
import os
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np

from benchmarks.read import Bare, drawn
from gatekeeper.config import RecognitionSettings
from simulators.site import Layout, Stage, staged

Figures: TypeAlias = dict[str, Any]

CARS: Final = (("outer-entry", "浙A8K302"), ("inner-entry", "闽C12F57"))
"""Who is measured where: anybody at the outer gate, a bound visitor at the inner."""

BROKEN: Final = "inner-exit"
STREAMED: Final = "outer-exit"
RATE: Final = 10
"""Pictures a second of a stream."""
GAP_S: Final = (0.8, 1.2)
"""Between two cars, drawn each time so that no poll and no look falls in step with them. A
lane has every second one, for within a second it gives no second pulse."""

SETTLES_S: Final = 5.0

QUICK: Final[Figures] = {"speed": 10.0, "capacity": 400}
"""Booms are down again before the next car, and there is space for all of them."""

POLL_MS: Final = 50.0
"""Between two polls of the inputs (`poll_ms` of the boards)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """How much is measured."""

    healthy: int = 60
    beside: int = 20
    idle_s: float = 60.0
    starts: int = 5


SHORT: Final = Amount(healthy=10, beside=5, idle_s=10.0, starts=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A fault of another lane: how it begins and ends, and the alarm by which it is noticed."""

    name: str
    alarm: str
    begin: Callable[[Stage], Awaitable[object]]
    end: Callable[[Stage], Awaitable[object]]


def told(simulator: str, command: str) -> Callable[[Stage], Awaitable[object]]:
    """Something that is said to a simulator."""
    return lambda stage: stage.simulators[simulator].tell(command)


async def wedge(stage: Stage) -> None:
    """The display takes no more bytes; a car makes the controller find out."""
    await stage.simulators[f"sign-{BROKEN}"].tell("wedge")
    await stage.arrives(BROKEN)
    await stage.opened(BROKEN)
    await stage.backs_out(BROKEN)


TROUBLES: Final = (
    Trouble(
        name="dead camera",
        alarm="camera_stale",
        begin=told("camera", f"fault {BROKEN} hang"),
        end=told("camera", f"fault {BROKEN} none"),
    ),
    Trouble(
        name="silent board",
        alarm="relay_unreachable",
        begin=told("board", "fault 2.silent"),
        end=told("board", "fault 2.none"),
    ),
    Trouble(
        name="wedged display",
        alarm="display_failed",
        begin=wedge,
        end=told(f"sign-{BROKEN}", "unwedge"),
    ),
)


FROZEN: Final = Trouble(
    name="frozen stream",
    alarm="camera_stale",
    begin=told("rtsp", f"fault {STREAMED} hang"),
    end=told("rtsp", f"fault {STREAMED} none"),
)


class Floor:
    """What no controller can save, on this machine and now: two readings by the bare networks, a
    poll of the inputs, and a write that is flushed to the disk.
    """

    def __init__(self, folder: Path) -> None:
        self._networks = Bare(RecognitionSettings().networks)
        (self._frame,) = drawn(1)
        self._file = folder / "flushed"
        self.took_ms: list[float] = []

    def measure(self) -> None:
        """Once more."""
        readings_ms = 2 * self._networks.took_ms(self._frame, 1)
        began = time.perf_counter()
        with self._file.open("ab") as file:
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
        flush_ms = (time.perf_counter() - began) * 1000
        self.took_ms.append(readings_ms + POLL_MS + flush_ms)


class Cars:
    """Cars that arrive one after the other; what each took. After each the `floor` is measured,
    where there is one, so that both see the same load.
    """

    def __init__(self, stage: Stage, floor: Floor | None = None) -> None:
        self._stage = stage
        self._floor = floor
        self._chance = np.random.default_rng(1)
        self._turns = cycle(CARS)

    async def took_ms(self, count: int) -> list[float]:
        """So many cars."""
        return [await self._one() for _ in range(count)]

    async def _one(self) -> float:
        lane, plate = next(self._turns)
        board = self._stage.board
        await asyncio.sleep(self._chance.uniform(*GAP_S))
        mark = board.mark
        await self._stage.arrives(lane, plate)
        arrived = await board.said("input", mark, on=True)
        opened = await self._stage.opened(lane, mark)
        await self._stage.crosses(lane)
        if self._floor is not None:
            await asyncio.to_thread(self._floor.measure)
        return float(opened["at"] - arrived["at"]) * 1000


@asynccontextmanager
async def live(layout: Layout) -> AsyncIterator[Stage]:
    """A site whose controller is online."""
    with tempfile.TemporaryDirectory(prefix="gatekeeper-lanes-") as folder:
        async with staged(layout, Path(folder)) as stage:
            await stage.start_controller()
            await stage.centre.said("status", state="online")
            yield stage


async def lanes(amount: Amount) -> Figures:
    """From vehicle to relay, healthy and beside each trouble."""
    async with cars_at(Layout(lanes=4, apart=1, **QUICK)) as (stage, cars):
        tell(f"{amount.healthy} cars, all lanes healthy ...")
        with tempfile.TemporaryDirectory(prefix="gatekeeper-lanes-") as folder:
            floor = Floor(Path(folder))
            healthy = await Cars(stage, floor).took_ms(amount.healthy)
        beside = [await troubled(stage, cars, trouble, amount.beside) for trouble in TROUBLES]
    # A site of its own: who encodes video takes the processor from all lanes, before and during.
    async with cars_at(Layout(lanes=4, streamed=(STREAMED,), rate=RATE, **QUICK)) as (stage, cars):
        beside.append(await troubled(stage, cars, FROZEN, amount.beside))
    during = [ms for row in beside for ms in row.pop("took_ms")]
    return {
        "cars": len(healthy),
        **quantiles(healthy),
        "bare_ms": percentile(floor.took_ms, 50),
        "ratio": round(percentile(healthy, 50) / percentile(floor.took_ms, 50), 2),
        "p95_ms_with_faults": percentile(during, 95),
        "troubles": beside,
    }


@asynccontextmanager
async def cars_at(layout: Layout) -> AsyncIterator[tuple[Stage, Cars]]:
    """A live site whose visitor is bound, and to which the first cars have come: the networks'
    first pictures are slower.
    """
    async with live(layout) as stage:
        await stage.centre.tell(f"bind {CARS[1][1]}")
        cars = Cars(stage)
        await cars.took_ms(len(CARS))
        yield stage, cars


async def troubled(stage: Stage, cars: Cars, trouble: Trouble, count: int) -> Figures:
    """Times before a trouble, and during it."""
    tell(f"{count} cars before a {trouble.name}, {count} during it ...")
    before = await cars.took_ms(count)
    mark = stage.centre.mark
    await trouble.begin(stage)
    await stage.centre.heard(raised(trouble.alarm), trouble.alarm, mark)
    during = await cars.took_ms(count)
    await trouble.end(stage)
    return {
        "trouble": trouble.name,
        **{f"before_{name}": value for name, value in quantiles(before).items()},
        **{f"during_{name}": value for name, value in quantiles(during).items()},
        "took_ms": during,
    }


def raised(alarm: str) -> Callable[[Figures], bool]:
    """Whether news of the centre say that this alarm stands."""

    def says(news: Figures) -> bool:
        return news.get("kind") == "alarm.raised" and news["body"]["alarm"] == alarm

    return says


async def idle(layout: Layout, seconds: float) -> Figures:
    """What a controller costs at which nothing happens."""
    async with live(layout) as stage:
        controller = stage.controller
        if controller is None:
            raise SystemExit("benchmarks.lanes: the controller is not there")
        await asyncio.sleep(SETTLES_S)
        began, spent = time.perf_counter(), cpu_s(controller.pid)
        await asyncio.sleep(seconds)
        share = (cpu_s(controller.pid) - spent) / (time.perf_counter() - began)
        return {"cpu_percent": round(100 * share, 2), "rss_mb": resident_mb(controller.pid)}


async def cold_start_s() -> float:
    """From the start of the process to READY=1, without a database."""
    with tempfile.TemporaryDirectory(prefix="gatekeeper-lanes-") as folder:
        notify = Path(folder) / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told_by_systemd:
            told_by_systemd.bind(str(notify))
            told_by_systemd.setblocking(False)
            async with staged(Layout(lanes=4), Path(folder)) as stage:
                began = time.perf_counter()
                await stage.start_controller({"NOTIFY_SOCKET": str(notify)})
                await asyncio.get_running_loop().sock_recv(told_by_systemd, 100)
                return time.perf_counter() - began


def cpu_s(pid: int) -> float:
    """Seconds of processor time so far (proc(5): fields 14 and 15 of stat, in ticks)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """What a process has in memory now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


def quantiles(values: Sequence[float]) -> dict[str, float]:
    """p50, p95 and the greatest."""
    return {
        "p50_ms": percentile(values, 50),
        "p95_ms": percentile(values, 95),
        "max_ms": percentile(values, 100),
    }


def percentile(values: Sequence[float], percent: float) -> float:
    """As numpy has it."""
    return round(float(np.percentile(values, percent)), 1)


async def measured(amount: Amount) -> Figures:
    """All figures."""
    tell(f"{amount.starts} cold starts ...")
    starts = [await cold_start_s() for _ in range(amount.starts)]
    times = await lanes(amount)
    tell(f"two idle lanes with snapshot cameras, {amount.idle_s:g} s ...")
    quiet = await idle(Layout(lanes=2), amount.idle_s)
    tell(f"two idle lanes with streams of {RATE} pictures a second, {amount.idle_s:g} s ...")
    gates = ("outer-entry", "outer-exit")
    streamed = await idle(Layout(lanes=2, streamed=gates, rate=RATE), amount.idle_s)
    return {
        **times,
        "idle_cpu_percent": quiet["cpu_percent"],
        "rss_mb": quiet["rss_mb"],
        "idle_rtsp_cpu_percent": streamed["cpu_percent"],
        "rss_rtsp_mb": streamed["rss_mb"],
        "cold_start_s": round(float(np.median(starts)), 2),
        "cold_start_max_s": round(max(starts), 2),
    }


def table(figures: Figures) -> Iterator[str]:
    """The figures for people."""
    yield f"{'':<16}{'p50':>16}{'p95':>16}{'greatest':>16}   ms from loop to relay"
    yield _row("healthy", [figures["p50_ms"], figures["p95_ms"], figures["max_ms"]])
    for row in figures["troubles"]:
        pairs = [
            f"{row[f'before_{name}']} | {row[f'during_{name}']}"
            for name in ("p50_ms", "p95_ms", "max_ms")
        ]
        yield _row(row["trouble"], pairs) + "   before | during"
    for name, value in figures.items():
        if isinstance(value, float | int):
            yield f"{name:<24} {value:>10}"


def _row(name: str, cells: Sequence[object]) -> str:
    return f"{name:<16}" + "".join(f"{cell!s:>16}" for cell in cells)


def tell(said: str) -> None:
    """Progress, beside the figures."""
    print(said, file=sys.stderr, flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lanes", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the line of JSON only")
    parser.add_argument("--short", action="store_true", help="fewer cars, shorter waits")
    chosen = parser.parse_args()
    figures = asyncio.run(measured(SHORT if chosen.short else Amount()))
    if not chosen.json:
        print("\n".join(table(figures)))
    print(json.dumps({"benchmark": "lanes", **figures}))


if __name__ == "__main__":
    main()
