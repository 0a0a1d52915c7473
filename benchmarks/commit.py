"""What a decision costs the store: lists asked and an intent committed, before a barrier may move.

Registers plates, then measures `listing` and `commit` (synchronous FULL) one after the other, as a
lane does; also while a whole list is coming in, when the lane has to wait for its pieces. Figures
are milliseconds. They hold for the disk under `--folder`, which is a temporary one if not given.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from gatekeeper.model import (
    BarrierIntended,
    Commit,
    Decision,
    Instant,
    ListName,
    ListRow,
    ListSnapshot,
    Reason,
    Record,
    VehicleClass,
    VehicleDecided,
    Verdict,
)
from gatekeeper.store import Store

AT: Final = Instant(boot_id="b", boot_s=1.0, wall=datetime(2026, 11, 23, tzinfo=UTC), trusted=True)
DECIDED: Final = VehicleDecided(
    decision=Decision(
        verdict=Verdict.ADMIT,
        reason=Reason.VISITOR,
        rule="visitor",
        plate="闽C00001",
        vehicle=VehicleClass.VISITOR,
        certain=True,
    ),
    sighting=None,
    picture=None,
)
ASKED: Final = 3
"""Plates asked about in one decision: the one read, and two it may be mistaken for."""


def plate(number: int) -> str:
    """A text as long as a plate, in no order that the database would like."""
    return f"闽{number * 7919 % 10_000_019:07d}"


def snapshot(registered: int, version: int) -> ListSnapshot:
    """A list of so many plates."""
    rows = tuple(ListRow(list=ListName.VISITORS, plate=plate(n)) for n in range(registered))
    return ListSnapshot(list=ListName.VISITORS, version=version, rows=rows)


async def decide(store: Store, number: int) -> float:
    """One decision as the store sees it; returns its milliseconds."""
    begun = time.perf_counter()
    await store.listing([plate(number + n) for n in range(ASKED)])
    intent = BarrierIntended(command=f"c-{begun}", reason=Reason.VISITOR)
    records = tuple(Record(fact=fact, at=AT, lane="in") for fact in (DECIDED, intent))
    await store.commit(Commit(records=records))
    return (time.perf_counter() - begun) * 1000


async def measured(path: Path, registered: int, decisions: int) -> dict[str, float | int]:
    """Figures with `registered` plates."""
    store = await Store.open(path)
    begun = time.perf_counter()
    await store.replace(snapshot(registered, 1), AT)
    filled_s = time.perf_counter() - begun
    quiet = [await decide(store, n * 31 % registered) for n in range(decisions)]
    coming = asyncio.create_task(store.replace(snapshot(registered, 2), AT))
    busy = [await decide(store, 0)]
    while not coming.done():
        busy.append(await decide(store, len(busy) * 31 % registered))
        await asyncio.sleep(0.01)
    await coming
    await store.close()
    begun = time.perf_counter()
    await (await Store.open(path)).close()
    opened_s = time.perf_counter() - begun
    return {
        "plates": registered,
        "decisions": decisions,
        **_quantiles("", quiet),
        **_quantiles("during_snapshot_", busy),
        "snapshot_s": round(filled_s, 2),
        "open_s": round(opened_s, 3),
        "file_mb": _megabytes(path),
    }


def _megabytes(path: Path) -> float:
    return round(path.stat().st_size / 1e6, 1)


def _quantiles(name: str, values: list[float]) -> dict[str, float]:
    ranked = sorted(values)
    return {
        f"{name}{label}_ms": round(ranked[min(len(ranked) - 1, int(len(ranked) * share))], 2)
        for label, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))
    }


def _all(arguments: argparse.Namespace) -> Iterator[dict[str, float | int]]:
    sizes = arguments.plates or ([1000, 10_000] if arguments.short else [1000, 100_000])
    decisions = 200 if arguments.short else 2000
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        for size in sizes:
            print(f"{size} plates, {decisions} decisions ...", file=sys.stderr, flush=True)
            yield asyncio.run(measured(Path(folder) / f"{size}.db", size, decisions))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.commit", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the line of JSON only")
    parser.add_argument("--short", action="store_true", help="smaller lists, fewer decisions")
    parser.add_argument("--plates", type=int, action="append", help="how many; may be repeated")
    parser.add_argument("--folder", type=Path, help="where to make the databases")
    arguments = parser.parse_args()
    figures = []
    for each in _all(arguments):
        figures.append(each)
        if not arguments.json:
            print("  ".join(f"{name} {value}" for name, value in each.items()))
    print(json.dumps({"benchmark": "commit", "runs": figures}))


if __name__ == "__main__":
    main()
