"""A disk that does not answer makes calls wait, and nothing for ever."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from gatekeeper.errors import StoreError
from gatekeeper.store import Pictures, worker
from gatekeeper.store.worker import ThreadWorker


class HangingDisk:
    """Work on it ends when `free` is set."""

    def __init__(self) -> None:
        self.free = threading.Event()

    def work(self) -> str:
        self.free.wait()
        return "done"


@pytest.fixture
def hanging() -> Iterator[HangingDisk]:
    disk = HangingDisk()
    yield disk
    disk.free.set()


def nothing() -> None:
    return None


async def test_a_worker_whose_disk_hangs_is_left_to_itself_when_it_is_closed(
    hanging: HangingDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "CLOSES_S", 0.01)
    writes = ThreadWorker(Path("gate.db"), "writes")
    working = asyncio.create_task(writes.run(hanging.work))
    await asyncio.sleep(0)
    with structlog.testing.capture_logs() as logged:
        await writes.close(nothing)

    assert [(entry["event"], entry["does"]) for entry in logged] == [("store.hangs", "writes")]
    assert not working.done()
    hanging.free.set()
    assert await working == "done"


async def test_only_so_many_calls_wait_for_a_disk_that_hangs(hanging: HangingDisk) -> None:
    writes = ThreadWorker(Path("gate.db"), "writes", 2)
    waiting = [asyncio.create_task(writes.run(hanging.work)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(StoreError, match=r"gate\.db: 2 calls wait for the disk"):
        await writes.run(hanging.work)
    hanging.free.set()

    assert await asyncio.gather(*waiting) == ["done", "done"]
    assert await writes.run(hanging.work) == "done"


async def test_pictures_that_a_slow_disk_makes_wait_are_held_up_to_a_bound(
    tmp_path: Path, hanging: HangingDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_: object) -> str:
        return hanging.work()

    pictures = Pictures(tmp_path)
    monkeypatch.setattr(Pictures, "_keep", slow)
    coming = [asyncio.create_task(pictures.keep(f"p{n}.jpg", b"")) for n in range(40)]
    await asyncio.sleep(0)
    hanging.free.set()
    kept = await asyncio.gather(*coming, return_exceptions=True)

    assert [isinstance(each, StoreError) for each in kept] == [False] * 32 + [True] * 8
