"""Commits some arrivals from a process of its own, as a technician's command does."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from gatekeeper.model import Commit, Instant, Record, VehicleArrived
from gatekeeper.store import Store

AT = Instant(boot_id="b", boot_s=1.0, wall=datetime(2026, 11, 23, tzinfo=UTC), trusted=True)


async def _main(path: Path, commits: int) -> None:
    store = await Store.opened(path)
    print("open", flush=True)  # noqa: T201 - the test that started it begins now, too
    for _ in range(commits):
        record = Record(fact=VehicleArrived(), at=AT, lane="beside")
        await store.commit(Commit(records=(record,)))
    await store.close()


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]), int(sys.argv[2])))
