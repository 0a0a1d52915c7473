"""Commits in a loop until it is killed, and says each number once it has been acknowledged.

Each commit changes an event and the count of a zone together; now and then a list is replaced.
"""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from gatekeeper.model import (
    BarrierIntended,
    Commit,
    Instant,
    ListName,
    ListRow,
    ListSnapshot,
    Reason,
    Record,
    ZoneState,
)
from gatekeeper.store import Store, registry

AT = Instant(boot_id="b", boot_s=1.0, wall=datetime(2026, 11, 23, tzinfo=UTC), trusted=True)


async def _main(path: Path) -> None:
    registry.PIECE = 5
    store = await Store.opened(path)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_commits(store))
        tasks.create_task(_snapshots(store))


async def _commits(store: Store) -> None:
    held = {state.zone: state.count for state in await store.counts()}.get("zone", 0)
    while True:
        held += 1
        fact = BarrierIntended(command=f"c-{held}", reason=Reason.EXIT)
        count = ZoneState(zone="zone", count=held, trusted=True)
        await store.commit(Commit(records=(Record(fact=fact, at=AT),), counts=(count,)))
        print(held, flush=True)  # noqa: T201 - its standard output is its acknowledgement


async def _snapshots(store: Store) -> None:
    held = max((version.version for version in await store.versions()), default=0)
    while True:
        held += 1
        rows = tuple(ListRow(list=ListName.VISITORS, plate=f"P{n}") for n in range(50))
        await store.replace(ListSnapshot(list=ListName.VISITORS, version=held, rows=rows), AT)


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1])))
