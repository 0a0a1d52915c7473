"""A rehearsal is the same store, without a loop, a thread, or a wait for the disk."""

import sqlite3
from collections.abc import Coroutine
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest

from gatekeeper.errors import StoreError, UnacceptableError
from gatekeeper.model import (
    Commit,
    Instant,
    ListName,
    ListRow,
    ListSnapshot,
    Record,
    VehicleArrived,
    ZoneState,
)
from gatekeeper.store import Store, journal, unflushed

AT = Instant(boot_id="b", boot_s=1.0, wall=datetime(2026, 11, 23, tzinfo=UTC), trusted=True)
ARRIVED = Commit(records=(Record(fact=VehicleArrived(), at=AT),))
NAIVE = Record(fact=VehicleArrived(), at=replace(AT, wall=AT.wall.replace(tzinfo=None)))

Answer = TypeVar("Answer")


def at_once(call: Coroutine[Any, Any, Answer]) -> Answer:
    """What a call answers that never waits for anything."""
    with pytest.raises(StopIteration) as stopped:
        call.send(None)
    answer: Answer = stopped.value.value
    return answer


@pytest.fixture
def rehearsed(path: Path) -> Store:
    return Store.unflushed(path)


def _seen_by_others(path: Path) -> int:
    return len([*journal.events(path)])


def test_no_call_waits_or_needs_a_loop(rehearsed: Store) -> None:
    row = ListRow(list=ListName.VISITORS, plate="A")
    snapshot = ListSnapshot(list=ListName.VISITORS, version=1, rows=(row,))
    count = ZoneState(zone="inner", count=1, trusted=True)

    assert at_once(rehearsed.replace(snapshot, AT))
    (event,) = at_once(rehearsed.commit(replace(ARRIVED, counts=(count,), lockdown=True)))
    listing = at_once(rehearsed.listing(["A", "B"]))
    counts = at_once(rehearsed.counts())
    lockdown, disturbed = at_once(rehearsed.lockdown()), at_once(rehearsed.disturbed())
    at_once(rehearsed.close())

    assert (event.seq, listing.rows) == (2, (replace(row, version=1),))
    assert (counts, lockdown, disturbed) == ((count,), True, False)


def test_a_rehearsed_database_is_opened_like_any_other(rehearsed: Store, path: Path) -> None:
    for _ in range(3):
        at_once(rehearsed.commit(ARRIVED))
    of = rehearsed.journal
    at_once(rehearsed.close())
    again = Store.unflushed(path)
    (fourth,) = at_once(again.commit(ARRIVED))
    at_once(again.close())

    assert (fourth.seq, fourth.journal) == (4, of)
    assert _seen_by_others(path) == 4


def test_a_call_that_fails_undoes_itself_and_no_other(rehearsed: Store) -> None:
    at_once(rehearsed.commit(ARRIVED))
    with pytest.raises(UnacceptableError, match="no time zone"):
        rehearsed.commit(Commit(records=(*ARRIVED.records, NAIVE), lockdown=True)).send(None)
    (second,) = at_once(rehearsed.commit(ARRIVED))

    assert second.seq == 2
    assert at_once(rehearsed.outbox_depth()) == 2
    assert not at_once(rehearsed.lockdown())
    at_once(rehearsed.close())


def test_watchers_are_told_of_what_was_written(rehearsed: Store) -> None:
    told: list[int] = []
    rehearsed.watch(lambda: told.append(1))

    at_once(rehearsed.commit(ARRIVED))
    at_once(rehearsed.outbox_depth())
    at_once(rehearsed.close())

    assert told == [1]


def test_others_see_what_was_written_when_it_is_flushed(rehearsed: Store, path: Path) -> None:
    at_once(rehearsed.commit(ARRIVED))
    before = _seen_by_others(path)
    at_once(rehearsed.flush())

    assert (before, _seen_by_others(path)) == (0, 1)
    at_once(rehearsed.close())


def test_many_calls_share_a_transaction_but_not_all(
    rehearsed: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unflushed, "CALLS", 3)
    seen = []
    for _ in range(7):
        at_once(rehearsed.commit(ARRIVED))
        seen.append(_seen_by_others(path))

    assert seen == [0, 0, 3, 3, 3, 6, 6]
    at_once(rehearsed.close())
    assert _seen_by_others(path) == 7


def test_no_one_else_writes_during_a_rehearsal(rehearsed: Store, path: Path) -> None:
    other = sqlite3.connect(path, timeout=0)

    with pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("DELETE FROM events")
    other.close()
    at_once(rehearsed.close())


def test_a_rehearsal_that_is_over_says_so(rehearsed: Store) -> None:
    at_once(rehearsed.close())
    at_once(rehearsed.close())

    with pytest.raises(StoreError, match="closed"):
        rehearsed.commit(ARRIVED).send(None)
