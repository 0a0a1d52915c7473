"""Another process may write the file, too: a technician's command beside the daemon."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from gatekeeper.model import Commit, Instant, Record, VehicleArrived
from gatekeeper.store import Store, journal

SCRIPT = Path(__file__).with_name("commits_beside.py")
AT = Instant(boot_id="b", boot_s=1.0, wall=datetime(2026, 11, 23, tzinfo=UTC), trusted=True)
ARRIVED = Commit(records=(Record(fact=VehicleArrived(), at=AT, lane="here"),))


async def _beside(path: Path, commits: int) -> asyncio.subprocess.Process:
    """A process that has opened the same file and is about to write it."""
    other = await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), str(path), str(commits), stdout=asyncio.subprocess.PIPE
    )
    assert other.stdout is not None
    assert await other.stdout.readline() == b"open\n"
    return other


async def test_numbers_have_no_gap_and_no_double_when_two_processes_commit(
    store: Store, path: Path
) -> None:
    other = await _beside(path, 50)
    ours = 0
    while other.returncode is None:
        await store.commit(ARRIVED)
        ours += 1
        await asyncio.sleep(0)
    await other.wait()

    rows = [*journal.events(path)]
    assert other.returncode == 0
    assert [row.seq for row in rows] == [*range(1, ours + 51)]
    assert [row.lane for row in rows].count("beside") == 50
    assert len({row.id for row in rows}) == len(rows)


async def test_a_write_of_another_process_is_noticed_once(store: Store, path: Path) -> None:
    untouched = await store.disturbed()
    other = await _beside(path, 1)
    await other.wait()
    touched = [await store.disturbed(), await store.disturbed()]
    await store.commit(ARRIVED)
    after_our_own = await store.disturbed()

    assert (untouched, touched, after_our_own) == (False, [True, False], False)
    assert await store.outbox_depth() == 2
