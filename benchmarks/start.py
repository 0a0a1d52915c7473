"""What a start costs with a journal that has had its year, the disk being cold, and what a whole
list costs in memory.

A process of its own fills the database. `open_s` is from the first touch of the file until it is
open, `asked_s` until the lists have answered; `check_s` is what looking at the whole file takes
afterwards, `prune_s` what deleting a day's events takes, and the decisions meanwhile are
`during_check_` and `during_prune_`; `quick_check_s` is what SQLite's own
check takes in one go, for comparison. `snapshot_mb` is by how much a process grows, at its peak,
while a list of so many plates comes in.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import resource
import sqlite3
import tempfile
import time
from collections.abc import Coroutine
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from benchmarks.decision import AT, Figures, fill, plate, quantiles, size_mb, took_ms
from gatekeeper.model import ListName, ListRow, ListSnapshot
from gatekeeper.store import Limits, Store

EVENTS, EVENTS_SHORT = 1_000_000, 20_000
PLATES, PLATES_SHORT = 1_000_000, 20_000
REGISTERED = 10_000
PRUNED = 5_000
"""Events that are deleted meanwhile: what a busy gate writes in a day."""


def cool(path: Path) -> None:
    """Make the system forget what it has read of the files; all caches where root asks."""
    for file in path.parent.glob(f"{path.name}*"):
        with file.open("rb") as opened:
            os.fsync(opened.fileno())
            os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    with suppress(OSError):
        Path("/proc/sys/vm/drop_caches").write_text("3", encoding="ascii")


async def started(path: Path) -> Figures:
    """From the cold file to the first answer, then the check with decisions beside it."""
    cool(path)
    begun = time.perf_counter()
    store = Store.at(path)
    await store.open()
    opened_s = time.perf_counter() - begun
    await store.listing([plate(1)])
    asked_s = time.perf_counter() - begun
    unfinished, stays = await store.unfinished(), await store.open_stays()
    taken_up_s = time.perf_counter() - begun
    check_s, checked = await beside(store, store.check())
    events = await store.last_seq()
    await store.confirm(store.journal, events)
    limits = Limits(now=None, days=365, events=events - PRUNED, megabytes=1_000_000)
    prune_s, pruned = await beside(store, store.prune(limits))
    await store.close()
    return {
        "events": events,
        "file_mb": size_mb(path),
        "open_s": round(opened_s, 3),
        "asked_s": round(asked_s, 3),
        "taken_up_s": round(taken_up_s, 3),
        "unfinished": len(unfinished),
        "stays": len(stays),
        "check_s": round(check_s, 1),
        **quantiles("during_check_", checked),
        "pruned": PRUNED,
        "prune_s": round(prune_s, 1),
        **quantiles("during_prune_", pruned),
    }


async def beside(store: Store, work: Coroutine[Any, Any, object]) -> tuple[float, list[float]]:
    """How long it took, and the milliseconds of each decision meanwhile."""
    begun = time.perf_counter()
    working = asyncio.create_task(work)
    took: list[float] = []
    while not working.done():
        took.append(await took_ms(store, len(took) * 31))
        await asyncio.sleep(0.02)
    await working
    return time.perf_counter() - begun, took


def quick_check_s(path: Path) -> float:
    """What was done before each start."""
    cool(path)
    begun = time.perf_counter()
    with closing(sqlite3.connect(path)) as plain:
        plain.execute("PRAGMA quick_check").fetchall()
    return round(time.perf_counter() - begun, 1)


def grown_mb(path: Path, plates: int) -> float:
    """In a process of its own: by how much it grows while a list comes in."""

    async def replaced() -> float:
        store = await Store.opened(path)
        first = ListSnapshot(list=ListName.INTERNALS, version=1, rows=())
        await store.replace(first, AT)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        rows = (ListRow(list=ListName.INTERNALS, plate=plate(n)) for n in range(plates))
        await store.replace(ListSnapshot(list=ListName.INTERNALS, version=2, rows=rows), AT)
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        await store.close()
        return round((after - before) / 1024, 1)

    return asyncio.run(replaced())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the line of JSON only")
    parser.add_argument("--short", action="store_true", help="fewer events, a shorter list")
    parser.add_argument("--events", type=int, help="how many")
    parser.add_argument("--folder", type=Path, help="where to make the database")
    chosen = parser.parse_args()
    events = chosen.events or (EVENTS_SHORT if chosen.short else EVENTS)
    plates = PLATES_SHORT if chosen.short else PLATES
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder, spawn.Pool(1) as pool:
        path = Path(folder) / "gatekeeper.db"
        pool.apply(fill, (path, REGISTERED, events))
        figures = asyncio.run(started(path))
        checked_s = quick_check_s(path)
        begun = time.perf_counter()
        grown = pool.apply(grown_mb, (path, plates))
        told = {
            "benchmark": "start",
            **figures,
            "quick_check_s": checked_s,
            "snapshot_plates": plates,
            "snapshot_s": round(time.perf_counter() - begun, 1),
            "snapshot_mb": grown,
        }
    if not chosen.json:
        print("  ".join(f"{name} {value}" for name, value in told.items()))
    print(json.dumps(told))


if __name__ == "__main__":
    main()
