"""The journal forgets what is old or too much, and never what somebody still needs."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gatekeeper.model import (
    BarrierCommanded,
    BarrierIntended,
    Commit,
    Doubt,
    Fact,
    Instant,
    Judgement,
    ListChange,
    ListChanges,
    ListName,
    ListRow,
    NotedDoubt,
    OrderAnswered,
    Outcome,
    Reason,
    Record,
    RowSource,
    Stay,
    StayEnd,
    StayEnded,
    VehicleArrived,
    VehicleClass,
)
from gatekeeper.store import Limits, Pruned, Store, journal, retention

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
AT = Instant(boot_id="b", boot_s=1.0, wall=NOON, trusted=True)
LIMITS = Limits(now=NOON, days=365, events=1_000_000, megabytes=1000)
STAY = Stay(
    id="s-1",
    zone="inner",
    plate="A",
    vehicle=VehicleClass.INTERNAL,
    entered=AT,
    counted_from=AT,
    entry_lane="in",
    entry_passage="p-in",
    limit=None,
)


def ago(days: float, *, trusted: bool = True) -> Instant:
    return replace(AT, wall=NOON - timedelta(days=days), trusted=trusted)


def record(fact: Fact, at: Instant = AT, passage: str | None = None) -> Record:
    return Record(fact=fact, at=at, lane="in", passage=passage)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PIECE", 3)


async def arrivals(store: Store, count: int, at: Instant) -> None:
    await store.commit(Commit(records=(record(VehicleArrived(), at),) * count))


async def confirmed(store: Store) -> None:
    await store.confirm(store.journal, await store.last_seq())


def seqs(path: Path) -> list[int]:
    return [row.seq for row in journal.events(path)]


async def test_row_35_old_events_go_and_their_numbers_stay_taken(store: Store, path: Path) -> None:
    await arrivals(store, 7, ago(366))
    await arrivals(store, 4, ago(364))
    await confirmed(store)

    assert await store.prune(LIMITS, 0.0) == Pruned(events=6)  # in whole pieces
    assert seqs(path) == [7, 8, 9, 10, 11]
    assert await store.last_seq() == 11


async def test_a_journal_that_is_quite_empty_goes_on_counting(store: Store, path: Path) -> None:
    await arrivals(store, 6, ago(400))
    await confirmed(store)
    await store.prune(replace(LIMITS, megabytes=0), 0.0)
    (event,) = await store.commit(Commit(records=(record(VehicleArrived()),)))

    assert (event.seq, seqs(path), await store.outbox_depth()) == (7, [7], 1)


async def test_what_the_centre_has_not_confirmed_stays_whatever_the_limits(
    store: Store, path: Path
) -> None:
    await arrivals(store, 9, ago(400))
    await store.confirm(store.journal, 4)

    told = await store.prune(replace(LIMITS, events=1, megabytes=0), 0.0)

    assert told == Pruned(events=4, too_large=True)
    assert seqs(path) == [5, 6, 7, 8, 9]
    assert [event.seq for event in await store.pending(0, 100)] == [5, 6, 7, 8, 9]


async def test_without_a_centre_what_is_old_goes_unconfirmed(store: Store, path: Path) -> None:
    await arrivals(store, 6, ago(400))
    await arrivals(store, 1, ago(1))

    await store.prune(replace(LIMITS, unconfirmed=True), 0.0)

    assert (seqs(path), await store.outbox_depth(), await store.last_seq()) == ([7], 1, 7)


async def test_only_as_many_events_stay_as_may(store: Store, path: Path) -> None:
    await arrivals(store, 20, AT)
    await confirmed(store)

    assert await store.prune(replace(LIMITS, events=5), 0.0) == Pruned(events=15)
    assert seqs(path) == [16, 17, 18, 19, 20]


async def test_row_35_while_the_clock_is_not_trusted_no_date_counts_but_number_and_space_do(
    store: Store, path: Path
) -> None:
    await arrivals(store, 20, ago(4000))
    await confirmed(store)
    untrusted = replace(LIMITS, now=None)

    assert await store.prune(untrusted, 0.0) == Pruned()
    assert await store.prune(replace(untrusted, events=10), 0.0) == Pruned(events=10)
    assert (await store.prune(replace(untrusted, megabytes=0), 0.0)).events == 10
    assert seqs(path) == []


async def test_an_event_of_a_wrong_clock_is_as_old_as_what_came_after_it(
    store: Store, path: Path
) -> None:
    await arrivals(store, 3, ago(20_000, trusted=False))
    await arrivals(store, 3, ago(-3000, trusted=False))
    await arrivals(store, 3, ago(10))
    await arrivals(store, 3, ago(20_000, trusted=False))
    await confirmed(store)
    assert await store.prune(LIMITS, 0.0) == Pruned()

    later = replace(LIMITS, now=NOON + timedelta(days=360))
    assert await store.prune(later, 0.0) == Pruned(events=9)
    assert seqs(path) == [10, 11, 12]


async def test_commands_orders_and_stays_go_with_the_events_that_tell_of_them(
    store: Store,
) -> None:
    old = ago(400)
    over = replace(STAY, id="s-old", ended=old, end=StayEnd.EXITED)
    ended = StayEnded(stay="s-old", zone="inner", plate="A", end=StayEnd.EXITED, stayed_s=1.0)
    answer = OrderAnswered(order="o", verb="open", by="a", reason="r", outcome="done", detail="")
    done = BarrierCommanded(command="c", outcome=Outcome.DONE, detail="")
    facts: list[Fact] = [
        BarrierIntended(command="c", reason=Reason.EXIT),
        done,
        BarrierIntended(command="unfinished", reason=Reason.EXIT),
        answer,
        ended,
        VehicleArrived(),
    ]
    records = tuple(record(fact, old) for fact in facts)
    await store.commit(Commit(records=records, stays=(over, replace(STAY, id="s-open"))))
    await store.commit(Commit(records=(record(replace(answer, order="o-new")),)))
    await confirmed(store)

    assert await store.prune(LIMITS, 0.0) == Pruned(events=6, commands=1, orders=1, stays=1)
    assert await store.answer_of("o") is None
    assert await store.answer_of("o-new") is not None
    assert [command for command, _, _ in await store.unfinished()] == ["unfinished"]
    assert [stay.id for stay in await store.open_stays()] == ["s-open"]
    assert await store.ended_stays(old.wall) == ()


async def test_others_are_served_between_two_pieces(store: Store) -> None:
    await arrivals(store, 30, ago(400))
    await confirmed(store)
    pruning = asyncio.create_task(store.prune(LIMITS, 0.0))
    depths = []
    while not pruning.done():
        await arrivals(store, 1, AT)
        depths.append(await store.outbox_depth())

    assert depths == list(range(1, len(depths) + 1))
    assert (await pruning).events == 30


async def test_what_comes_while_it_is_pruned_is_left_for_the_next_time(store: Store) -> None:
    await arrivals(store, 20, AT)
    await confirmed(store)
    many = replace(LIMITS, events=10)
    pruning = asyncio.create_task(store.prune(many, 0.05))
    come = 0
    while not pruning.done() and come < 300:
        await arrivals(store, 1, AT)
        await confirmed(store)
        come += 1

    assert pruning.done()
    assert (await pruning).events >= 10


# --- cases ------------------------------------------------------------------------------------


def judged(judgement: Judgement, days: float = 0.0, **changed: object) -> Stay:
    noted = NotedDoubt(doubt=Doubt.TAILGATING, at=ago(days), lane="out", passage="p-doubt")
    stay = replace(STAY, entered=ago(days), judgement=judgement, noted=(noted,))
    return replace(stay, **changed)  # type: ignore[arg-type]


def own(plate: str = "A", until: datetime | None = None) -> ListRow:
    return ListRow(
        list=ListName.BLACKLIST,
        plate=plate,
        zone="inner",
        source=RowSource.GATE,
        valid_until=until,
    )


async def open_case(store: Store, judgement: Judgement, until: datetime | None = None) -> None:
    listed = (own(until=until),) if judgement is Judgement.OVERSTAYED else ()
    await store.commit(Commit(records=(), stays=(judged(judgement),), listed=listed))


CASE = {"p-in", "p-doubt"}


@pytest.mark.parametrize("judgement", list(Judgement))
async def test_the_passages_of_a_judged_stay_are_evidence_until_a_person_has_spoken(
    store: Store, judgement: Judgement
) -> None:
    await open_case(store, judgement)
    before = await store.evidence(NOON)
    await store.commit(Commit(records=(), removed=((None, "B"),)))
    still = await store.evidence(NOON)
    await store.commit(Commit(records=(), removed=(("inner", "A"),)))

    assert before == still == CASE
    assert await store.evidence(NOON) == set()


async def test_the_way_out_of_a_judged_stay_is_evidence_too(store: Store) -> None:
    await open_case(store, Judgement.SUSPECTED)
    ended = StayEnded(stay="s-1", zone="inner", plate="A", end=StayEnd.EXITED, stayed_s=700.0)
    over = judged(Judgement.SUSPECTED, ended=AT, end=StayEnd.EXITED)
    await store.commit(Commit(records=(record(ended, passage="p-out"),), stays=(over,)))

    assert await store.evidence(NOON) == {*CASE, "p-out"}


async def test_a_case_that_was_reviewed_is_not_opened_again_by_its_end(store: Store) -> None:
    await open_case(store, Judgement.SUSPECTED)
    await store.commit(Commit(records=(), removed=(("inner", "A"),)))
    over = judged(Judgement.SUSPECTED, ended=AT, end=StayEnd.EXITED)
    ended = StayEnded(stay="s-1", zone="inner", plate="A", end=StayEnd.EXITED, stayed_s=700.0)
    await store.commit(Commit(records=(record(ended, passage="p-out"),), stays=(over,)))

    assert await store.evidence(NOON) == set()


async def test_a_suspended_row_keeps_its_case_open_and_one_that_has_run_out_does_not(
    store: Store,
) -> None:
    until = NOON + timedelta(days=30)
    await open_case(store, Judgement.OVERSTAYED, until)
    await store.commit(Commit(records=(), suspended=(("inner", "A"),)))

    assert await store.evidence(NOON) == CASE
    assert await store.evidence(until) == set()
    assert await store.evidence(None) == CASE  # by a clock that is not trusted nothing runs out


async def test_a_person_who_bans_a_suspected_plate_has_judged_it_and_the_ban_keeps_the_pictures(
    store: Store,
) -> None:
    await open_case(store, Judgement.SUSPECTED)
    ban = replace(own(until=NOON + timedelta(days=1)), source=RowSource.PERSON)
    await store.commit(Commit(records=(), listed=(ban,)))

    assert await store.evidence(NOON) == CASE
    assert await store.evidence(NOON + timedelta(days=1)) == set()


async def test_the_centre_closes_a_case_by_a_change_of_the_blacklist(store: Store) -> None:
    await open_case(store, Judgement.SUSPECTED)
    change = ListChange(remove=True, row=ListRow(list=ListName.BLACKLIST, plate="A"))
    step = ListChanges(list=ListName.BLACKLIST, since=0, version=1, changes=(change,))
    await store.follow(step, AT)

    assert await store.evidence(NOON) == set()


async def test_a_stay_whose_case_is_open_stays_and_goes_when_it_is_closed(store: Store) -> None:
    old = ago(400)
    ended = StayEnded(stay="s-1", zone="inner", plate="A", end=StayEnd.EXITED, stayed_s=700.0)
    over = judged(Judgement.SUSPECTED, 400, ended=old, end=StayEnd.EXITED)
    await store.commit(Commit(records=(record(ended, old, "p-out"),) * 3, stays=(over,)))
    await confirmed(store)

    assert await store.prune(LIMITS, 0.0) == Pruned(events=3)
    assert await store.evidence(NOON) == {*CASE, "p-out"}
    await store.commit(Commit(records=(), removed=((None, "A"),)))
    assert await store.prune(LIMITS, 0.0) == Pruned(stays=1)
    assert await store.ended_stays(old.wall) == ()


# --- what is left on the blacklist ------------------------------------------------------------


async def test_what_a_removal_has_left_of_a_plate_can_be_asked(store: Store) -> None:
    wider = ListRow(list=ListName.BLACKLIST, plate="A", source=RowSource.PERSON)
    await store.commit(Commit(records=(), listed=(own(), wider, own("B"))))
    await store.commit(Commit(records=(), suspended=(("inner", "B"),)))
    await store.commit(Commit(records=(), removed=(("inner", "A"),)))

    (left,) = await store.blacklisted("A")
    (aside,) = await store.blacklisted("B")
    assert (left.row, left.suspended) == (wider, False)
    assert (aside.row, aside.suspended) == (own("B"), True)
    assert await store.blacklisted("C") == ()
