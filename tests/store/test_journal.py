"""The command line reads the journal while the controller writes it."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gatekeeper.errors import StoreError
from gatekeeper.model import AlarmCleared, Commit, Instant, Record
from gatekeeper.store import Store, journal

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
    store = await Store.open(path)
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
    store = await Store.open(path)
    await store.commit(Commit(records=(RECORD,)))

    assert [row.seq for row in journal.events(path)] == [1]
    await store.close()
