"""A store is there before its disk is, and lists are read while nothing can be written."""

import asyncio
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gatekeeper.errors import StoreError
from gatekeeper.model import (
    AlarmRaised,
    Commit,
    Instant,
    ListName,
    ListRow,
    Record,
    RowSource,
    VehicleArrived,
)
from gatekeeper.store import Store, UnsoundStoreError, set_aside
from tests.store.disk import Disk

AT = Instant(boot_id="b", boot_s=1.0, wall=datetime(2026, 11, 23, tzinfo=UTC), trusted=True)
ARRIVED = Commit(records=(Record(fact=VehicleArrived(), at=AT),))
BANNED = ListRow(list=ListName.BLACKLIST, plate="A", zone="inner", source=RowSource.GATE)


@contextmanager
def locked(path: Path, *, to_readers: bool = False) -> Iterator[None]:
    """Another program keeps a transaction open."""
    other = sqlite3.connect(path, isolation_level=None)
    if to_readers:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN IMMEDIATE")
    other.execute("CREATE TABLE IF NOT EXISTS mine (a)")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def _spoil(path: Path) -> None:
    path.write_bytes(b"rubbish" * 1000)


async def test_a_store_that_was_not_opened_touches_nothing_and_says_so(path: Path) -> None:
    store = Store.at(path)

    with pytest.raises(StoreError, match=r"gatekeeper\.db: .*has not been opened yet"):
        await store.commit(ARRIVED)
    with pytest.raises(StoreError, match="has not been opened yet"):
        await store.listing(["A"])
    assert (store.is_open, store.journal, [*path.parent.iterdir()]) == (False, "", [])
    await store.close()


async def test_row_33_a_store_without_its_disk_says_why_and_is_opened_when_the_disk_is_there(
    tmp_path: Path,
) -> None:
    path = tmp_path / "disk" / "gatekeeper.db"
    store = Store.at(path)
    with pytest.raises(StoreError, match="is the folder there"):
        await store.open()
    with pytest.raises(StoreError, match=r"is not open: .*is the folder there"):
        await store.outbox_depth()
    path.parent.mkdir()
    await store.open()

    assert store.is_open
    assert store.journal != ""
    assert [event.seq for event in await store.commit(ARRIVED)] == [1]
    await store.close()
    assert not store.is_open


async def test_opening_what_is_open_changes_nothing(path: Path) -> None:
    store = Store.at(path)
    await asyncio.gather(store.open(), store.open())
    journal = store.journal
    await store.commit(ARRIVED)
    await store.open()

    assert (store.journal, await store.outbox_depth()) == (journal, 1)
    await store.close()
    with pytest.raises(StoreError, match="closed"):
        await store.open()


async def test_row_33_a_database_that_another_program_writes_is_opened_and_read(path: Path) -> None:
    first = await Store.opened(path)
    await first.commit(Commit(records=(), listed=(BANNED,)))
    await first.close()
    store = Store.at(path)
    with locked(path):
        await store.open()
        listing = await store.listing(["A"])
        with pytest.raises(StoreError, match="another program holds it locked"):
            await store.commit(ARRIVED)

    assert listing.rows == (BANNED,)
    assert [event.seq for event in await store.commit(ARRIVED)] == [1]
    await store.close()


async def test_row_33_a_database_locked_to_readers_is_opened_when_the_lock_is_gone(
    path: Path,
) -> None:
    await (await Store.opened(path)).close()
    store = Store.at(path)
    with locked(path, to_readers=True), pytest.raises(StoreError, match="holds it locked"):
        await store.open()
    await store.open()

    assert await store.outbox_depth() == 0
    await store.close()


async def test_lists_are_read_while_a_write_waits(path: Path) -> None:
    store = Store.at(path, busy_ms=600_000)
    await store.open()
    await store.commit(Commit(records=(), listed=(BANNED,)))
    with locked(path):
        writing = asyncio.create_task(store.commit(ARRIVED))
        listing = await store.listing(["A"])
        waiting = not writing.done()

    assert (listing.rows, waiting) == ((BANNED,), True)
    assert [event.seq for event in await writing] == [1]
    await store.close()


async def test_a_damaged_file_that_was_set_aside_makes_room_for_the_same_store(path: Path) -> None:
    _spoil(path)
    store = Store.at(path)
    with pytest.raises(UnsoundStoreError):
        await store.open()
    set_aside(path)
    await store.open()

    assert [event.seq for event in await store.commit(ARRIVED)] == [1]
    await store.close()


async def test_row_33_a_store_on_a_full_disk_fails_and_is_opened_when_there_is_space(
    disk: Disk,
) -> None:
    store = Store.at(disk.folder / "gatekeeper.db")
    disk.fill()
    with pytest.raises(StoreError, match=r"gatekeeper\.db: the disk is full"):
        await store.open()
    disk.empty()
    await store.open()
    await store.commit(ARRIVED)
    await store.close()
    again = Store.at(disk.folder / "gatekeeper.db")
    disk.fill()
    with pytest.raises(StoreError, match=r"gatekeeper\.db: the disk is full"):
        await again.open()
    disk.empty()
    await again.open()

    assert [event.seq for event in await again.commit(ARRIVED)] == [2]
    await again.close()


async def test_a_store_whose_disk_fills_while_it_is_open_writes_again_when_there_is_space(
    disk: Disk,
) -> None:
    store = await Store.opened(disk.folder / "gatekeeper.db")
    disk.fill()
    alarm = AlarmRaised(alarm="a", subject="s", detail="x" * 5000)
    alarms = Commit(records=(Record(fact=alarm, at=AT),) * 400)
    with pytest.raises(StoreError, match="the disk is full"):
        await store.commit(alarms)
    listed = await store.listing(["A"])
    written = await store.outbox_depth()
    disk.empty()
    (event,) = await store.commit(ARRIVED)

    assert (listed.rows, event.seq) == ((), written + 1)
    await store.close()


async def test_row_33_a_store_on_a_read_only_disk_is_opened_when_it_can_be_written(
    disk: Disk,
) -> None:
    path = disk.folder / "gatekeeper.db"
    first = await Store.opened(path)
    await first.commit(Commit(records=(), listed=(BANNED,)))
    await first.close()
    disk.make_read_only()
    store = Store.at(path)
    with pytest.raises(StoreError, match=r"gatekeeper\.db: "):
        await store.open()
    disk.make_writable()
    await store.open()

    assert (await store.listing(["A"])).rows == (BANNED,)
    assert [event.seq for event in await store.commit(ARRIVED)] == [1]
    await store.close()


async def test_a_disk_that_was_read_only_for_a_while_is_written_again(disk: Disk) -> None:
    """A connection made on a read-only disk would stay read-only for ever."""
    path = disk.folder / "gatekeeper.db"
    keeper = await Store.opened(path)  # the log beside the file stays, so that it can be opened
    await keeper.commit(ARRIVED)
    copy = disk.folder / "copy.db"
    for end in ("", "-wal", "-shm"):
        shutil.copy(f"{path}{end}", f"{copy}{end}")
    await keeper.close()
    disk.make_read_only()
    store = Store.at(copy)
    await store.open()
    with pytest.raises(StoreError, match="it cannot be written"):
        await store.commit(ARRIVED)
    disk.make_writable()

    assert [event.seq for event in await store.commit(ARRIVED)] == [2]
    await store.close()
