"""A database is checked whole while the gate works; a damaged one is not opened again."""

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
    ListSnapshot,
    Record,
)
from gatekeeper.store import Store, UnsoundStoreError, set_aside, soundness
from tests.store.test_opening import locked

AT = Instant(boot_id="b", boot_s=1.0, wall=datetime(2026, 11, 23, tzinfo=UTC), trusted=True)
ALARM = Record(fact=AlarmRaised(alarm="a", subject="s", detail="x" * 1000), at=AT)
EVENTS = Commit(records=(ALARM,) * 300)
VISITORS = ListSnapshot(
    list=ListName.VISITORS,
    version=1,
    rows=tuple(ListRow(list=ListName.VISITORS, plate=f"P{n:05}") for n in range(3000)),
)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soundness, "PIECE", 50)


@pytest.fixture
async def filled(path: Path) -> Path:
    store = await Store.opened(path)
    await store.commit(EVENTS)
    await store.replace(VISITORS, AT)
    await store.close()
    return path


@contextmanager
def _sqlite(path: Path) -> Iterator[sqlite3.Connection]:
    other = sqlite3.connect(path, isolation_level=None)
    yield other
    other.close()


def scratch(path: Path, share: float) -> None:
    """Two pages of a file are no longer what they were."""
    with path.open("r+b") as file:
        file.seek(int(path.stat().st_size * share) // 4096 * 4096)
        file.write(b"\xff" * 8192)


def change_a_letter(path: Path) -> None:
    """A bit falls over in what an event says: the page itself is as it should be."""
    body = path.read_bytes()
    path.write_bytes(body.replace(b'{"alarm":"a"', b'\x7b"alarm":"a\x00', 1))


async def test_a_sound_database_is_found_sound(filled: Path) -> None:
    store = await Store.opened(filled)
    await store.check(0.0)
    await store.close()

    assert not soundness.noted(filled)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.95])
async def test_row_35_a_damaged_database_is_opened_at_once_found_out_and_not_opened_again(
    filled: Path, share: float
) -> None:
    scratch(filled, share)
    store = await Store.opened(filled)
    with pytest.raises(UnsoundStoreError, match=r"gatekeeper\.db: is not a sound database"):
        await store.check(0.0)
    await store.close()

    with pytest.raises(UnsoundStoreError, match=r"gatekeeper\.db: is not a sound database"):
        await Store.opened(filled)
    aside = set_aside(filled)
    again = await Store.opened(filled)
    assert await again.last_seq() == 0
    await again.close()
    assert soundness.noted(aside)


async def test_an_event_that_no_longer_says_anything_is_damage(filled: Path) -> None:
    change_a_letter(filled)
    store = await Store.opened(filled)
    with pytest.raises(UnsoundStoreError, match="of the events 1 to 50 some are damaged"):
        await store.check(0.0)
    await store.close()


async def test_an_event_that_is_missing_is_damage(filled: Path) -> None:
    with _sqlite(filled) as other:
        other.execute("DELETE FROM events WHERE seq = 120")
    store = await Store.opened(filled)
    with pytest.raises(UnsoundStoreError, match="of the events 101 to 151 some"):
        await store.check(0.0)
    await store.close()


async def test_what_is_written_and_deleted_meanwhile_is_no_damage(filled: Path) -> None:
    store = await Store.opened(filled)
    pieces = soundness.pieces(filled)
    for _ in pieces:
        await store.commit(Commit(records=(ALARM,) * 5))
        with _sqlite(filled) as other:
            other.execute("DELETE FROM events WHERE seq <= (SELECT min(seq) + 1 FROM events)")
    await store.close()

    assert not soundness.noted(filled)


async def test_a_check_holds_nothing_and_waits_for_no_lock(filled: Path) -> None:
    store = await Store.opened(filled)
    with locked(filled):
        await store.check(0.0)
    pieces = soundness.pieces(filled)
    next(pieces)
    (event,) = await store.commit(Commit(records=(ALARM,)))
    pieces.close()

    assert event.seq == 302
    await store.close()


async def test_damage_on_a_disk_that_takes_no_note_is_still_told(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch(filled, 0.5)
    monkeypatch.setattr(soundness, "NOTE", "-unsound/where/no/folder/is")
    store = await Store.opened(filled)
    with pytest.raises(UnsoundStoreError):
        await store.check(0.0)
    await store.close()


async def test_a_file_that_cannot_be_read_now_is_no_damage(filled: Path) -> None:
    store = await Store.opened(filled)
    await store.close()

    with pytest.raises(StoreError, match="closed"):
        await store.check(0.0)
    assert not soundness.noted(filled)
