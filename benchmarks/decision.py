"""What a decision costs: the lists asked, the rules, and the intent on the disk, before a barrier
may move (synchronous FULL), with ever more registered plates and a journal that has had its year.

Each decision is measured from the sighting to the answer of the commit, one after the other, as a
lane does. Half of the cars are registered; of every two plates about one has a registered
look-alike, which is far more than on a real list. Lists and journal are filled by a process of its
own, so that `rss_mb` is what deciding takes. At the end a whole list comes in meanwhile, and
decisions have to wait for its pieces. Times are milliseconds, and hold for the disk under
`--folder`, which is a temporary one if not given: `flush_` is what this disk takes for as much as a
commit writes, measured between the decisions, of which each waits for one such flush.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeAlias

from gatekeeper.model import (
    Admits,
    BarrierIntended,
    Colour,
    Commit,
    Direction,
    Fact,
    Grounds,
    Instant,
    Limit,
    ListName,
    ListRow,
    ListSnapshot,
    Record,
    Sighting,
    SiteState,
    VehicleDecided,
    ZonePolicy,
    ZoneState,
)
from gatekeeper.rules import access
from gatekeeper.store import Store

Figures: TypeAlias = dict[str, Any]

PLATES: Final = (1_000, 10_000, 100_000, 1_000_000)
PLATES_SHORT: Final = (1_000, 100_000)
DECISIONS, DECISIONS_SHORT = 2_000, 200
EVENTS, EVENTS_SHORT = 100_000, 10_000
SNAPSHOT, SNAPSHOT_SHORT = 100_000, 10_000
"""Plates of the list that comes in meanwhile."""

FLUSHED_BYTES: Final = 16_384
"""A commit writes about so much to its log."""

AT: Final = Instant(boot_id="b", boot_s=1.0, wall=datetime(2026, 11, 23, tzinfo=UTC), trusted=True)
LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"
SERIALS: Final = 100_000
POLICY: Final = ZonePolicy(
    zone="visitor_zone",
    admits=Admits.REGISTERED,
    capacity=60,
    limit=Limit(limit_s=600.0, warning_s=120.0, grace_s=60.0),
)
SIGHTING: Final = Sighting(
    plate=" ",
    confidences=(0.99,) * 7,
    colour=Colour.BLUE,
    rows=1,
    agreeing=4,
    frames=(1, 2, 3, 4),
    alternatives=(),
    certain=True,
    first_at=0.1,
    last_at=0.5,
)


def plate(number: int) -> str:
    """One of 2.4 million plates, those of neighbouring numbers far apart."""
    letter, serial = divmod(number * 7919 % (len(LETTERS) * SERIALS), SERIALS)
    return f"闽{LETTERS[letter]}{serial:05d}"


def snapshot(name: ListName, plates: int, version: int) -> ListSnapshot:
    """A list of so many plates."""
    rows = tuple(ListRow(list=name, plate=plate(number)) for number in range(plates))
    return ListSnapshot(list=name, version=version, rows=rows)


def fill(path: Path, plates: int, events: int) -> None:
    """In a process of its own: so many plates registered, so many events in the journal."""

    async def filled() -> None:
        store = Store.unflushed(path)
        await store.replace(snapshot(ListName.VISITORS, plates, plates), AT)
        cars = [record(await decision(store, number % plates)) for number in range(100)]
        for _ in range(await store.outbox_depth(), events, len(cars)):
            await store.commit(Commit(records=tuple(cars)))
        await store.close()

    asyncio.run(filled())


async def decision(store: Store, number: int) -> VehicleDecided:
    """What the rules make of a car, from the lists as they are."""
    sighting = replace(SIGHTING, plate=plate(number))
    listing = await store.listing(access.keys(sighting))
    grounds = Grounds(
        direction=Direction.ENTRY,
        rows=listing.rows,
        zone=ZoneState(zone=POLICY.zone, count=12, trusted=True),
        site=SiteState(),
        now=AT.wall,
        certain=0.98,
    )
    question = access.Question(
        sighting=sighting, policy=POLICY, grounds=grounds, versions=listing.versions
    )
    return VehicleDecided(
        decision=access.decide(question),
        sighting=sighting,
        picture=None,
        zone=POLICY.zone,
        grounds=grounds,
    )


def record(fact: Fact) -> Record:
    """On its way into the journal."""
    return Record(fact=fact, at=AT, lane="inner-entry", passage="p-1")


async def took_ms(store: Store, number: int) -> float:
    """One car, decided and written."""
    begun = time.perf_counter()
    decided = await decision(store, number)
    intent = BarrierIntended(command=f"c-{begun}", reason=decided.decision.reason)
    await store.commit(Commit(records=(record(decided), record(intent))))
    return (time.perf_counter() - begun) * 1000


async def measured(path: Path, plates: int, decisions: int) -> Figures:
    """Figures with so many plates registered."""
    begun = time.perf_counter()
    store = await Store.opened(path)
    open_s = time.perf_counter() - begun
    cars = [n * 31 % plates + plates * (n % 2) for n in range(decisions)]
    took, flushed = [], []
    for car in cars:
        took.append(await took_ms(store, car))
        flushed.append(await asyncio.to_thread(flushed_ms, path.with_name("flushed")))
    events = await store.outbox_depth()
    await store.close()
    return {
        "plates": plates,
        "events": events,
        "decisions": decisions,
        **quantiles("", took),
        **quantiles("flush_", flushed),
        "rss_mb": resident_mb(),
        "file_mb": size_mb(path),
        "open_s": round(open_s, 2),
    }


async def during_a_snapshot(path: Path, plates: int) -> Figures:
    """Figures while a list of so many plates comes in."""
    store = await Store.opened(path)
    coming = snapshot(ListName.INTERNALS, plates, 1)
    begun = time.perf_counter()
    taken = asyncio.create_task(store.replace(coming, AT))
    took: list[float] = []
    while not taken.done():
        took.append(await took_ms(store, len(took) * 31))
        await asyncio.sleep(0.01)
    await taken
    seconds = time.perf_counter() - begun
    await store.close()
    return {
        "snapshot_plates": plates,
        "snapshot_s": round(seconds, 2),
        **quantiles("during_snapshot_", took),
    }


def quantiles(name: str, values: Sequence[float]) -> dict[str, float]:
    """p50, p99 and the greatest."""
    ranked = sorted(values)
    return {
        f"{name}{label}_ms": round(ranked[min(len(ranked) - 1, int(len(ranked) * share))], 2)
        for label, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))
    }


def flushed_ms(file: Path) -> float:
    """What the disk takes by itself."""
    with file.open("ab", buffering=0) as log:
        log.write(b"\0" * FLUSHED_BYTES)
        begun = time.perf_counter()
        os.fdatasync(log)
        return (time.perf_counter() - begun) * 1000


def size_mb(path: Path) -> float:
    """What the file takes on the disk."""
    return round(path.stat().st_size / 1e6, 1)


def resident_mb() -> float:
    """What this process has in memory now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return round(pages * resource.getpagesize() / 1e6, 1)


async def runs(path: Path, chosen: argparse.Namespace) -> AsyncIterator[Figures]:
    """One after the other, on one file that grows."""
    sizes = chosen.plates or (PLATES_SHORT if chosen.short else PLATES)
    events = EVENTS_SHORT if chosen.short else EVENTS
    spawn = multiprocessing.get_context("spawn")
    for size in sorted(sizes):
        tell(f"{size} plates: registering ...")
        filling = spawn.Process(target=fill, args=(path, size, events))
        filling.start()
        await asyncio.to_thread(filling.join)
        if filling.exitcode != 0:
            raise SystemExit("benchmarks.decision: the lists could not be filled")
        os.sync()  # what filling left to be written is no part of a decision
        tell(f"{size} plates: deciding ...")
        yield await measured(path, size, DECISIONS_SHORT if chosen.short else DECISIONS)


async def all_figures(path: Path, chosen: argparse.Namespace) -> Figures:
    """Those of the largest list in front, those of each in `runs`."""
    told = []
    async for figures in runs(path, chosen):
        told.append(figures)
        if not chosen.json:
            print("  ".join(f"{name} {value}" for name, value in figures.items()))
    tell("deciding while a list comes in ...")
    meanwhile = await during_a_snapshot(path, SNAPSHOT_SHORT if chosen.short else SNAPSHOT)
    if not chosen.json:
        print("  ".join(f"{name} {value}" for name, value in meanwhile.items()))
    return {"benchmark": "decision", **told[-1], **meanwhile, "runs": told}


def plot(told: Sequence[Figures], file: Path) -> None:
    """How time and memory grow with the lists, as a PNG."""
    from matplotlib import pyplot  # a second, and needed for nothing else

    plates = [figures["plates"] for figures in told]
    drawing, (times, memory) = pyplot.subplots(2, 1, sharex=True, figsize=(7, 6))
    for name, label in (("p50_ms", "p50"), ("p99_ms", "p99")):
        times.plot(plates, [figures[name] for figures in told], marker="o", label=label)
    times.axhline(10.0, color="grey", linestyle=":", label="p99 to reach")
    times.set(ylabel="decide and commit, ms", ylim=(0, None), xscale="log")
    times.legend()
    memory.plot(plates, [figures["rss_mb"] for figures in told], marker="o", label="resident")
    memory.plot(plates, [figures["file_mb"] for figures in told], marker="o", label="file")
    memory.set(xlabel="registered plates", ylabel="MB", ylim=(0, None))
    memory.legend()
    drawing.savefig(file, dpi=120)


def tell(said: str) -> None:
    """Progress, beside the figures."""
    print(said, file=sys.stderr, flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decision", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the line of JSON only")
    parser.add_argument("--short", action="store_true", help="smaller lists, fewer decisions")
    parser.add_argument("--plates", type=int, action="append", help="how many; may be repeated")
    parser.add_argument("--folder", type=Path, help="where to make the database")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the growth as a PNG")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        told = asyncio.run(all_figures(Path(folder) / "gatekeeper.db", chosen))
    if chosen.plot:
        plot(told["runs"], chosen.plot)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
