"""The command line reads the journal while the controller writes it."""

import asyncio
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gatekeeper.errors import StoreError
from gatekeeper.model import (
    AlarmCleared,
    Commit,
    Instant,
    ListName,
    ListRow,
    ListSnapshot,
    Record,
    RowSource,
    Stay,
    StayEnd,
    VehicleClass,
)
from gatekeeper.store import Limits, Store, journal
from gatekeeper.store.rows import BlacklistRow

AT = Instant(boot_id="b", boot_s=1.0, wall=datetime(2026, 11, 23, 8, tzinfo=UTC), trusted=False)
RECORD = Record(fact=AlarmCleared(alarm="a", subject="s"), at=AT, lane="in", passage="p")


async def test_a_row_says_all_the_journal_has(store: Store, path: Path) -> None:
    events = await store.commit(Commit(records=(RECORD, RECORD)))
    await store.confirm(store.journal, 1)

    first, second = journal.events(path)

    assert first == journal.JournalRow(
        seq=1,
        id=events[0].id,
        journal=store.journal,
        kind="alarm.cleared",
        lane="in",
        passage="p",
        occurred_at=AT.wall,
        boot_id="b",
        boot_s=1.0,
        clock_trusted=False,
        confirmed=True,
        body='{"alarm":"a","subject":"s"}',
    )
    assert (second.seq, second.confirmed) == (2, False)


async def test_reading_begins_after_a_number_and_ends_at_a_limit_across_pages(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_PAGE", 3)
    await store.commit(Commit(records=(RECORD,) * 10))

    assert [row.seq for row in journal.events(path, after=2, limit=5)] == [3, 4, 5, 6, 7]
    assert [row.seq for row in journal.events(path, after=1)] == list(range(2, 11))
    assert list(journal.events(path, limit=0)) == []


async def test_the_length_is_that_of_what_is_still_there(store: Store, path: Path) -> None:
    empty = journal.length(path)
    await store.commit(Commit(records=(RECORD,) * 600))
    await store.confirm(store.journal, 600)
    whole = journal.length(path)
    await store.prune(Limits(now=None, days=365, events=100, megabytes=1000), 0.0)

    assert (empty, whole, journal.length(path)) == (0, 600, 100)


async def test_a_reader_and_the_writer_do_not_disturb_each_other(store: Store, path: Path) -> None:
    def read() -> list[list[int]]:
        return [[row.seq for row in journal.events(path)] for _ in range(30)]

    reading = asyncio.create_task(asyncio.to_thread(read))
    while not reading.done():
        await store.commit(Commit(records=(RECORD,)))
        await asyncio.sleep(0)

    for seen in await reading:
        assert seen == list(range(1, len(seen) + 1))
    assert await store.outbox_depth() > 0


async def test_the_journal_can_be_read_when_the_controller_is_off(path: Path) -> None:
    store = await Store.opened(path)
    await store.commit(Commit(records=(RECORD,)))
    await store.close()

    assert [row.seq for row in journal.events(path)] == [1]


def test_an_absent_database_is_an_error_before_anything_is_read(path: Path) -> None:
    with pytest.raises(StoreError, match=r"gatekeeper\.db: there is no database"):
        journal.events(path)
    assert not path.exists()


def test_a_file_that_is_no_database_is_an_error(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 100)

    with pytest.raises(StoreError, match=r"gatekeeper\.db"):
        list(journal.events(path))


def test_a_database_without_a_journal_is_an_error(path: Path) -> None:
    path.touch()

    with pytest.raises(StoreError, match=r"gatekeeper\.db: no such table"):
        list(journal.events(path))


async def test_a_path_may_have_any_characters(tmp_path: Path) -> None:
    path = tmp_path / "入口 50% #1?.db"
    store = await Store.opened(path)
    await store.commit(Commit(records=(RECORD,)))

    assert [row.seq for row in journal.events(path)] == [1]
    await store.close()


STAY = Stay(
    id="s-1",
    zone="inner",
    plate="A",
    vehicle=VehicleClass.INTERNAL,
    entered=AT,
    counted_from=AT,
    entry_lane="in",
    entry_passage="p",
    limit=None,
)


async def test_stays_can_be_read_the_open_ones_or_all_or_those_of_a_plate(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_PAGE", 2)
    ended = replace(STAY, id="s-2", ended=AT, end=StayEnd.EXITED)
    others = tuple(replace(STAY, id=f"s-{number}", plate="B") for number in range(3, 6))
    await store.commit(Commit(records=(), stays=(ended, *others, STAY)))

    assert [*journal.stays(path)] == [STAY, *others]
    assert [*journal.stays(path, all_=True)] == [STAY, ended, *others]
    assert [*journal.stays(path, all_=True, plate="A")] == [STAY, ended]


def test_stays_of_another_schema_are_an_error_and_its_events_are_not(path: Path) -> None:
    shutil.copy(Path(__file__).with_name("databases") / "0001.db", path)

    with pytest.raises(StoreError, match=r"gatekeeper\.db: has schema 0001"):
        list(journal.stays(path))
    assert [*journal.events(path)] != []


async def test_the_blacklist_can_be_read_with_what_is_suspended(store: Store, path: Path) -> None:
    named = ListRow(list=ListName.BLACKLIST, plate="B", note="theft", version=3)
    own = ListRow(list=ListName.BLACKLIST, plate="A", zone="inner", source=RowSource.GATE)
    told = replace(own, plate="C", source=RowSource.PEER, valid_until=AT.wall)
    await store.replace(ListSnapshot(list=ListName.BLACKLIST, version=3, rows=(named,)), AT)
    await store.commit(Commit(records=(), listed=(own, told), suspended=(("inner", "A"),)))

    assert journal.blacklist(path) == (
        BlacklistRow(row=own, suspended=True),
        BlacklistRow(row=named, suspended=False),
        BlacklistRow(row=told, suspended=False),
    )
