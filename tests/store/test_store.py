"""What is committed is there, in order, once; what is asked is answered from it."""

import asyncio
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog

from gatekeeper.errors import StoreError, UnacceptableError
from gatekeeper.model import (
    BarrierCommanded,
    BarrierIntended,
    Commit,
    ControllerStopped,
    Fact,
    Instant,
    OrderAnswer,
    OrderAnswered,
    Outcome,
    PeerMark,
    Reason,
    Record,
    Stay,
    StayEnd,
    VehicleArrived,
    VehicleClass,
    ZoneState,
)
from gatekeeper.store import Store
from gatekeeper.store.worker import MAX_WAITING

AT = Instant(
    boot_id="boot", boot_s=12.5, wall=datetime(2026, 11, 23, 8, 15, 0, 250000, UTC), trusted=True
)


def commit(*told: Fact, lane: str | None = None, passage: str | None = None) -> Commit:
    return Commit(
        records=tuple(Record(fact=fact, at=AT, lane=lane, passage=passage) for fact in told)
    )


def intended(command: str) -> BarrierIntended:
    return BarrierIntended(command=command, reason=Reason.EXIT)


def commanded(command: str) -> BarrierCommanded:
    return BarrierCommanded(command=command, outcome=Outcome.DONE, detail="")


def answered(order: str, outcome: str) -> OrderAnswered:
    return OrderAnswered(order=order, verb="open", by="a", reason="r", outcome=outcome, detail="d")


STAY = Stay(
    id="stay-1",
    zone="visitor_zone",
    plate="闽C12345",
    vehicle=VehicleClass.INTERNAL,
    entered=AT,
    counted_from=AT,
    entry_lane="inner-entry",
    entry_passage="p-1",
    limit=None,
)


async def test_events_are_numbered_without_a_gap_and_carry_the_journal(store: Store) -> None:
    first = await store.commit(commit(VehicleArrived(), VehicleArrived(), lane="in"))
    (second,) = await store.commit(commit(ControllerStopped()))

    assert [event.seq for event in (*first, second)] == [1, 2, 3]
    assert {event.journal for event in (*first, second)} == {store.journal}
    assert first[0].id < first[1].id < second.id
    assert first[0].record == Record(fact=VehicleArrived(), at=AT, lane="in")


async def test_the_outbox_gives_events_ready_for_the_wire(store: Store) -> None:
    (event,) = await store.commit(commit(intended("c-1"), lane="in", passage="p"))

    (pending,) = await store.pending(0, 10)

    assert (pending.id, pending.seq, pending.journal) == (event.id, 1, store.journal)
    assert (pending.kind, pending.lane, pending.passage) == ("barrier.intended", "in", "p")
    assert (pending.occurred_at, pending.clock_trusted) == (AT.wall, True)
    assert pending.body == b'{"command":"c-1","reason":"exit"}'


async def test_pending_goes_on_after_a_number_and_stops_at_a_limit(store: Store) -> None:
    await store.commit(commit(*[VehicleArrived()] * 5))

    assert [event.seq for event in await store.pending(2, 2)] == [3, 4]


async def test_a_confirmation_frees_what_it_names_and_the_watermark_never_goes_back(
    store: Store,
) -> None:
    await store.commit(commit(*[VehicleArrived()] * 5))

    assert await store.confirm(store.journal, 3) == 3
    assert await store.confirm(store.journal, 2) == 0
    assert await store.confirm(store.journal, 3) == 0
    assert await store.outbox_depth() == 2
    assert [event.seq for event in await store.pending(0, 10)] == [4, 5]


async def test_a_confirmation_beyond_the_last_event_is_capped(store: Store) -> None:
    await store.commit(commit(VehicleArrived()))

    assert await store.confirm(store.journal, 1000) == 1
    await store.commit(commit(VehicleArrived()))

    assert await store.outbox_depth() == 1


async def test_another_journals_confirmation_frees_nothing(store: Store) -> None:
    await store.commit(commit(VehicleArrived()))

    assert await store.confirm("0199-of-a-lost-database", 1) == 0
    assert await store.outbox_depth() == 1


async def test_a_new_database_is_a_new_journal_and_a_reopened_one_the_same(tmp_path: Path) -> None:
    one, other = await Store.opened(tmp_path / "one.db"), await Store.opened(tmp_path / "other.db")
    journals = (one.journal, other.journal)
    await one.close()
    await other.close()
    again = await Store.opened(tmp_path / "one.db")
    await again.close()

    assert journals[0] != journals[1]
    assert again.journal == journals[0]


async def test_stays_and_counts_replace_what_was_stored(store: Store) -> None:
    other = replace(STAY, id="stay-2", plate="京A00001", zone="car_park")
    await store.commit(
        Commit(
            records=(),
            stays=(STAY, other),
            counts=(ZoneState(zone="visitor_zone", count=1, trusted=True),),
        )
    )
    warned = replace(STAY, warned=True)
    gone = replace(other, ended=AT, end=StayEnd.EXITED)
    full = ZoneState(zone="visitor_zone", count=60, trusted=False)
    await store.commit(Commit(records=(), stays=(warned, gone), counts=(full,)))

    assert await store.open_stays() == (warned,)
    assert await store.counts() == (full,)


async def test_ended_stays_are_told_from_a_moment_on_in_the_order_of_their_ends(
    store: Store,
) -> None:
    def ended(name: str, seconds: float) -> Stay:
        end = replace(AT, wall=AT.wall + timedelta(seconds=seconds))
        return replace(STAY, id=name, ended=end, end=StayEnd.EXITED)

    late, early, before = ended("a", 2.0), ended("b", 0.0), ended("c", -0.000001)
    await store.commit(Commit(records=(), stays=(STAY, late, early, before)))

    assert await store.ended_stays(AT.wall) == (early, late)
    assert await store.ended_stays(AT.wall + timedelta(seconds=3)) == ()
    assert await store.open_stays() == (STAY,)


async def test_a_mark_replaces_that_of_the_same_controller(store: Store) -> None:
    outer = PeerMark(controller="outer", journal="j-1", seq=7)
    inner = PeerMark(controller="inner", journal="j-2", seq=1)
    await store.commit(Commit(records=(), marks=(outer, inner)))
    await store.commit(Commit(records=(), marks=(replace(outer, journal="j-3", seq=2),)))

    assert await store.peer_marks() == (inner, replace(outer, journal="j-3", seq=2))


async def test_a_lockdown_stands_until_it_is_lifted_also_through_a_restart(path: Path) -> None:
    stands = []
    for lockdown in (None, True, None, False, None):
        store = await Store.opened(path)
        await store.commit(Commit(records=(), lockdown=lockdown))
        stands.append(await store.lockdown())
        await store.close()

    assert stands == [False, True, True, False, False]


async def test_an_order_has_the_answer_the_journal_has(store: Store) -> None:
    await store.commit(commit(answered("o-1", "refused")))

    assert await store.answer_of("o-1") == OrderAnswer(order="o-1", outcome="refused", detail="d")
    assert await store.answer_of("o-2") is None


async def test_the_first_answer_to_an_order_stays(store: Store) -> None:
    await store.commit(commit(answered("o-1", "done"), answered("o-1", "refused")))

    answer = await store.answer_of("o-1")

    assert answer is not None
    assert answer.outcome == "done"


@pytest.mark.parametrize("told", [(intended("o-1"),), (intended("o-1"), commanded("o-1"))])
async def test_an_order_that_got_no_further_than_its_intent_is_unknown(
    store: Store, told: tuple[Fact, ...]
) -> None:
    await store.commit(commit(*told))

    answer = await store.answer_of("o-1")

    assert answer is not None
    assert answer.outcome == "unknown"


async def test_unfinished_commands_are_told_oldest_first(store: Store) -> None:
    for command in ("z", "y", "x"):
        await store.commit(commit(intended(command), lane="in", passage=f"p-{command}"))
    await store.commit(commit(commanded("y")))

    assert await store.unfinished() == (("z", "in", "p-z"), ("x", "in", "p-x"))


async def test_a_commit_that_cannot_be_written_changes_nothing(store: Store) -> None:
    naive = replace(AT, wall=AT.wall.replace(tzinfo=None))
    bad = Record(fact=VehicleArrived(), at=naive)
    told: list[int] = []
    store.watch(lambda: told.append(1))

    with pytest.raises(UnacceptableError, match="no time zone"):
        await store.commit(Commit(records=(*commit(VehicleArrived()).records, bad), stays=(STAY,)))

    assert (await store.outbox_depth(), await store.open_stays(), told) == (0, (), [])


async def test_watchers_are_told_after_each_commit_and_not_for_questions(store: Store) -> None:
    told: list[str] = []
    store.watch(lambda: told.append("one"))
    store.watch(lambda: told.append("other"))

    await store.commit(commit(VehicleArrived()))
    await store.outbox_depth()
    await store.confirm(store.journal, 1)

    assert told == ["one", "other"]


async def test_a_commit_goes_on_when_its_caller_is_cancelled(store: Store, path: Path) -> None:
    told: list[int] = []
    store.watch(lambda: told.append(1))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    running = asyncio.create_task(store.commit(commit(VehicleArrived())))
    queued = asyncio.create_task(store.commit(commit(ControllerStopped())))
    await asyncio.sleep(0)
    running.cancel()
    queued.cancel()
    await asyncio.gather(running, queued, return_exceptions=True)
    other.execute("ROLLBACK")
    other.close()
    await store.flush()

    assert await store.outbox_depth() == 2
    assert told == [1, 1]
    assert running.cancelled()
    assert queued.cancelled()


async def test_a_failure_that_no_one_waits_for_is_logged(store: Store) -> None:
    naive = Record(fact=VehicleArrived(), at=replace(AT, wall=AT.wall.replace(tzinfo=None)))

    with structlog.testing.capture_logs() as logged:
        task = asyncio.create_task(store.commit(Commit(records=(naive,))))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await store.flush()

    assert [entry["event"] for entry in logged] == ["store.abandoned_call_failed"]


async def test_calls_beyond_the_bound_are_refused_and_accepted_ones_are_all_carried_out(
    store: Store, path: Path
) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    calls = [
        asyncio.create_task(store.commit(commit(VehicleArrived()))) for _ in range(MAX_WAITING + 3)
    ]
    await asyncio.sleep(0)
    other.execute("ROLLBACK")
    other.close()
    results = await asyncio.gather(*calls, return_exceptions=True)

    refused = [result for result in results if isinstance(result, StoreError)]
    assert len(refused) == 3
    assert await store.outbox_depth() == MAX_WAITING


async def test_a_closed_store_says_so_and_closing_twice_is_harmless(path: Path) -> None:
    store = await Store.opened(path)
    await store.close()
    await store.close()

    with pytest.raises(StoreError, match="closed"):
        await store.outbox_depth()
