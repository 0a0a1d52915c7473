"""A database of an earlier version is opened as it was left, and says the same in today's words."""

import json
import shutil
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gatekeeper.model import (
    Commit,
    Doubt,
    Hold,
    HoldReason,
    Instant,
    Judgement,
    Limit,
    ListName,
    ListRow,
    NotedDoubt,
    PeerMark,
    RowSource,
    Stay,
    StayEnd,
    StaySuspected,
    VehicleClass,
    ZoneState,
)
from gatekeeper.store import Store, facts, journal, schema

DATABASES = Path(__file__).with_name("databases")
KEPT = DATABASES / "0001.db"
BEFORE_OWNERS = DATABASES / "0004.db"
NEWEST = DATABASES / "0002.db"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ZONE = "visitor_zone"
LIMIT = Limit(limit_s=600.0, warning_s=120.0, grace_s=60.0)


def at(seconds: float) -> Instant:
    wall = NOON + timedelta(seconds=seconds)
    return Instant(boot_id="0f8c6a52-boot", boot_s=1000.0 + seconds, wall=wall, trusted=True)


def stay(number: int, plate: str, entered: Instant, *doubts: Doubt) -> Stay:
    return Stay(
        id=f"s-{number}",
        zone=ZONE,
        plate=plate,
        vehicle=VehicleClass.INTERNAL,
        entered=entered,
        counted_from=entered,
        entry_lane="inner-entry",
        entry_passage="p-1",
        limit=LIMIT,
        list_version=1,
        noted=tuple(NotedDoubt(doubt=doubt, at=entered) for doubt in doubts),
    )


OPEN = stay(1, "闽C12345", at(0))
JUDGED = replace(
    stay(2, "闽C22222", at(-700), Doubt.TAILGATING, Doubt.RESTART),
    warned=True,
    judgement=Judgement.SUSPECTED,
)
EXITED = replace(
    stay(3, "闽C33333", at(-900)),
    warned=True,
    judgement=Judgement.OVERSTAYED,
    ended=at(0.25),
    end=StayEnd.EXITED,
)
UNOBSERVED = replace(
    stay(4, "闽C44444", at(-3600), Doubt.ENTRY_UNCERTAIN),
    vehicle=VehicleClass.VISITOR,
    limit=None,
    ended=at(60),
    end=StayEnd.UNOBSERVED,
)


def _kept(question: str, of: Path = KEPT) -> list[Any]:
    with sqlite3.connect(f"{of.as_uri()}?mode=ro&immutable=1", uri=True) as old:
        rows = old.execute(question).fetchall()
    old.close()
    return rows


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return Path(shutil.copy(KEPT, tmp_path / "gatekeeper.db"))


@pytest.fixture
async def migrated(path: Path) -> AsyncIterator[Store]:
    store = await Store.opened(path)
    yield store
    await store.close()


async def test_the_journal_goes_on_where_it_was(migrated: Store) -> None:
    ((of, confirmed, last),) = _kept(
        "SELECT journal.id, confirmed, max(seq) FROM journal JOIN events"
    )

    assert migrated.journal == of
    assert await migrated.outbox_depth() == last - confirmed
    assert [event.seq for event in await migrated.pending(0, 100)] == [*range(8, last + 1)]


async def test_no_event_has_changed(migrated: Store, path: Path) -> None:
    old = _kept("SELECT seq, id, kind, lane, passage, body FROM events ORDER BY seq")

    now = [(e.seq, e.id, e.kind, e.lane, e.passage, e.body) for e in journal.events(path)]

    assert now == old


async def test_every_event_can_still_be_read(migrated: Store, path: Path) -> None:
    told = [facts.fact_of(event.kind, event.body) for event in journal.events(path)]

    kinds = {fact.kind for fact in told}
    (suspected,) = (fact for fact in told if isinstance(fact, StaySuspected))
    assert len(kinds) == 19
    assert len(suspected.doubts) == 13


async def test_open_stays_count_from_their_entry_and_keep_their_doubts(migrated: Store) -> None:
    assert await migrated.open_stays() == (OPEN, JUDGED)


async def test_ended_stays_are_found_by_their_ends(migrated: Store) -> None:
    assert await migrated.ended_stays(NOON) == (EXITED, UNOBSERVED)
    assert await migrated.ended_stays(NOON + timedelta(seconds=0.25)) == (EXITED, UNOBSERVED)
    assert await migrated.ended_stays(NOON + timedelta(seconds=1)) == (UNOBSERVED,)


async def test_counts_and_commands_are_as_they_were(migrated: Store) -> None:
    assert await migrated.counts() == (
        ZoneState(zone="car_park", count=117, trusted=False),
        ZoneState(zone=ZONE, count=2, trusted=True),
    )
    assert await migrated.unfinished() == (("c-2", "inner-exit", "p-4"),)


async def test_lists_are_as_they_were_with_what_was_suspended(migrated: Store) -> None:
    numbered = [f"闽C{n}000{k}" for n in range(1, 5) for k in range(3)]
    listing = await migrated.listing([*numbered, "闽C33333", "闽C44444"])

    assert {each.list: each.version for each in listing.versions} == {
        ListName.VISITORS: 5,
        ListName.INTERNALS: 2,
        ListName.BLACKLIST: 3,
        ListName.EXEMPT: 4,
    }
    assert [row.plate for row in listing.rows if row.source is RowSource.CENTRE] == numbered[1:]
    assert [row for row in listing.rows if row.source is RowSource.GATE] == [
        ListRow(
            list=ListName.BLACKLIST,
            plate="闽C33333",
            zone=ZONE,
            note="overstay s-3",
            source=RowSource.GATE,
        )
    ]


async def test_what_is_new_begins_empty(migrated: Store) -> None:
    assert await migrated.peer_marks() == ()
    assert not await migrated.lockdown()
    assert not await migrated.fire()
    assert await migrated.holds() == ()


async def test_a_rewritten_stay_reads_as_one_written_today(migrated: Store, path: Path) -> None:
    with sqlite3.connect(path) as now:
        bodies = [json.loads(body) for (body,) in now.execute("SELECT body FROM stays")]
    now.close()
    today = json.loads(facts.to_json(OPEN))

    assert all(body.keys() == today.keys() for body in bodies)


async def test_a_second_start_finds_nothing_left_to_do(migrated: Store, path: Path) -> None:
    before = await migrated.open_stays()
    await migrated.close()

    again = await Store.opened(path)
    stays = await again.open_stays()
    await again.close()

    assert stays == before


def test_a_database_of_every_schema_before_this_one_is_kept() -> None:
    kept = sorted(DATABASES.glob("*.db"))
    revisions = [_kept("SELECT version_num FROM alembic_version", of)[0][0] for of in kept]

    assert [path.stem for path in kept] == revisions
    assert [int(revision) for revision in revisions] == [*range(1, int(schema.HEAD))]


# --- 0004 -----------------------------------------------------------------------------------


async def test_rows_without_an_owner_and_the_journal_go_on_as_they_were(tmp_path: Path) -> None:
    store = await Store.opened(Path(shutil.copy(BEFORE_OWNERS, tmp_path / "gatekeeper.db")))
    listing = await store.listing([f"闽C1000{k}" for k in range(3)] + ["闽C33333"])
    pending = await store.pending(0, 10)
    await store.close()

    assert [(row.plate, row.owner, row.version) for row in listing.rows] == [
        *((f"闽C1000{k}", "", 7) for k in range(3)),
        ("闽C33333", "", 0),
    ]
    assert [each.seq for each in pending] == [4, 5, 6]


# --- 0002 -----------------------------------------------------------------------------------


@pytest.fixture
async def newest(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.opened(Path(shutil.copy(NEWEST, tmp_path / "gatekeeper.db")))
    yield store
    await store.close()


async def test_a_stay_with_its_doubt_and_the_rest_of_the_site_are_as_they_were(
    newest: Store,
) -> None:
    found = NotedDoubt(doubt=Doubt.TAILGATING, at=at(60), lane="inner-exit", passage="p-2")

    assert await newest.open_stays() == (replace(OPEN, noted=(found,)),)
    assert await newest.counts() == (ZoneState(zone=ZONE, count=1, trusted=True),)
    assert await newest.unfinished() == (("c-2", "inner-exit", "p-4"),)
    assert await newest.peer_marks() == (
        PeerMark(controller="gate-2", journal="0199-peer", seq=41),
    )
    assert await newest.lockdown()


async def test_nothing_was_held_and_nothing_burned_before_that_could_be_said(
    newest: Store,
) -> None:
    assert not await newest.fire()
    assert await newest.holds() == ()


async def test_a_migrated_database_keeps_a_hold(newest: Store) -> None:
    hold = Hold(
        lane="inner-exit",
        reason=HoldReason.ORDER,
        order="o-1",
        by="Lin",
        why="a film is shot",
        begun=at(0),
        lasts_s=600.0,
    )

    await newest.commit(Commit(records=(), held=(hold,), fire=True))

    assert await newest.holds() == (hold,)
    assert await newest.fire()


# --- 0003 -----------------------------------------------------------------------------------


async def test_the_entries_of_stays_that_were_judged_are_evidence(tmp_path: Path) -> None:
    store = await Store.opened(Path(shutil.copy(DATABASES / "0003.db", tmp_path / "gatekeeper.db")))
    evidence = await store.evidence(NOON)
    (hold,) = await store.holds()
    await store.commit(Commit(records=(), removed=((ZONE, "闽C22222"), (ZONE, "闽C33333"))))
    closed = await store.evidence(NOON)
    await store.close()

    assert evidence == {"p-2", "p-3"}
    assert closed == set()
    assert (hold.order, hold.lasts_s) == ("o-1", 3600.0)
