"""A controller killed at any moment loses nothing that it was told is written."""

import subprocess
import sys
from pathlib import Path

from gatekeeper.store import Store, journal

SCRIPT = Path(__file__).with_name("commits_until_killed.py")


def _acknowledged_before_a_kill(path: Path, commits: int) -> int:
    with subprocess.Popen(
        [sys.executable, str(SCRIPT), str(path)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        for _ in range(commits):
            assert child.stdout.readline(), "it ended by itself"
        child.kill()
        rest = child.stdout.read().splitlines(keepends=True)
    whole = [line for line in rest if line.endswith("\n")]
    return len(whole) + commits


async def test_every_acknowledged_commit_outlives_sigkill(path: Path) -> None:
    least = 0
    for commits in (1, 7, 40, 90):
        least += _acknowledged_before_a_kill(path, commits)

        store = await Store.opened(path)  # which checks the whole database
        told = [row for row in journal.events(path) if row.kind == "barrier.intended"]
        (count,) = await store.counts()
        listing = await store.listing([f"P{number}" for number in range(50)])
        unfinished = await store.unfinished()
        await store.close()

        assert count.count >= least
        assert [row.body for row in told] == [
            f'{{"command":"c-{n}","reason":"exit"}}' for n in range(1, count.count + 1)
        ]
        assert [command for command, _, _ in unfinished] == [
            f"c-{n}" for n in range(1, count.count + 1)
        ]
        assert len(listing.rows) in (0, 50)
        assert len({row.version for row in listing.rows}) <= 1
        least = count.count


async def test_numbers_have_no_gap_after_kills(path: Path) -> None:
    for commits in (3, 5):
        _acknowledged_before_a_kill(path, commits)

    seqs = [row.seq for row in journal.events(path)]

    assert seqs == list(range(1, len(seqs) + 1))
