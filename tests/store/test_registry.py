"""Lists change whole, in the order of their versions, or not at all."""

import asyncio
import itertools
import sqlite3
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gatekeeper.model import (
    Commit,
    Instant,
    ListChange,
    ListChanges,
    ListName,
    ListRow,
    ListSnapshot,
    ListVersion,
    RegistryFollowed,
    RowSource,
)
from gatekeeper.store import Store, facts, registry

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
AT = Instant(boot_id="boot", boot_s=1.0, wall=NOON, trusted=True)


def row(plate: str, zone: str | None = None, name: ListName = ListName.VISITORS) -> ListRow:
    return ListRow(list=name, plate=plate, zone=zone)


def banned(plate: str, zone: str | None = None) -> ListRow:
    return row(plate, zone, ListName.BLACKLIST)


def own(plate: str, zone: str) -> ListRow:
    return ListRow(list=ListName.BLACKLIST, plate=plate, zone=zone, source=RowSource.GATE)


def changes(
    since: int, version: int, *rows: ListRow, remove: bool = False, name: ListName | None = None
) -> ListChanges:
    return ListChanges(
        list=name or (rows[0].list if rows else ListName.VISITORS),
        since=since,
        version=version,
        changes=tuple(ListChange(remove=remove, row=each) for each in rows),
    )


def snapshot(version: int, *rows: ListRow) -> ListSnapshot:
    name = rows[0].list if rows else ListName.VISITORS
    return ListSnapshot(list=name, version=version, rows=rows)


async def plates(store: Store, *asked: str) -> list[tuple[str, str | None, RowSource]]:
    listing = await store.listing(asked)
    return [(each.plate, each.zone, each.source) for each in listing.rows]


async def test_a_row_comes_back_as_it_was_with_the_version_that_brought_it(store: Store) -> None:
    sent = ListRow(
        list=ListName.VISITORS,
        plate="闽C12345",
        zone="visitor_zone",
        valid_from=NOON,
        valid_until=NOON + timedelta(hours=1, microseconds=1),
        note="来访",
    )
    await store.replace(snapshot(7, sent), AT)

    listing = await store.listing(["闽C12345", "闽C00000"])

    assert listing.rows == (
        ListRow(
            list=ListName.VISITORS,
            plate="闽C12345",
            zone="visitor_zone",
            valid_from=sent.valid_from,
            valid_until=sent.valid_until,
            note="来访",
            version=7,
        ),
    )
    assert listing.versions == (ListVersion(list=ListName.VISITORS, version=7, as_of=NOON),)


async def test_a_row_that_is_no_longer_valid_is_returned_for_the_rules_to_judge(
    store: Store,
) -> None:
    old = ListRow(list=ListName.VISITORS, plate="A", valid_until=NOON - timedelta(days=1))
    await store.replace(snapshot(1, old), AT)

    assert len((await store.listing(["A"])).rows) == 1


async def test_one_plate_is_found_on_every_list(store: Store) -> None:
    for name in ListName:
        await store.replace(snapshot(1, row("A", name=name), row("B", name=name)), AT)

    listing = await store.listing({"A"})

    assert {each.list for each in listing.rows} == set(ListName)
    assert [each.list for each in listing.versions] == sorted(ListName)


async def test_nothing_asked_is_nothing_found(store: Store) -> None:
    assert (await store.listing([])).rows == ()


async def test_changes_follow_on_the_version_held(store: Store) -> None:
    assert await store.follow(changes(0, 1, row("A"), row("B")), AT)
    assert await store.follow(changes(1, 4, row("A"), remove=True), AT)

    assert await plates(store, "A", "B") == [("B", None, RowSource.CENTRE)]
    assert await store.versions() == (ListVersion(list=ListName.VISITORS, version=4, as_of=NOON),)


async def test_changes_within_one_step_are_applied_in_their_order(store: Store) -> None:
    step = ListChanges(
        list=ListName.VISITORS,
        since=0,
        version=1,
        changes=(
            ListChange(remove=False, row=row("A")),
            ListChange(remove=True, row=row("A")),
            ListChange(remove=True, row=row("B")),
            ListChange(remove=False, row=row("B")),
        ),
    )
    await store.follow(step, AT)

    assert await plates(store, "A", "B") == [("B", None, RowSource.CENTRE)]


async def test_a_gap_changes_nothing(store: Store) -> None:
    await store.follow(changes(0, 1, row("A")), AT)

    assert not await store.follow(changes(2, 3, row("B")), AT)

    assert await plates(store, "A", "B") == [("A", None, RowSource.CENTRE)]
    assert await store.outbox_depth() == 1


async def test_a_list_never_received_takes_only_changes_from_the_beginning(store: Store) -> None:
    assert not await store.follow(changes(3, 4, row("A")), AT)
    assert await store.versions() == ()


@pytest.mark.parametrize(("since", "version"), [(0, 1), (1, 2), (0, 2), (7, 1)])
async def test_changes_that_are_here_already_change_nothing(
    store: Store, since: int, version: int
) -> None:
    await store.replace(snapshot(2, row("A")), AT)
    told: list[int] = []
    store.watch(lambda: told.append(1))

    assert await store.follow(changes(since, version, row("B")), AT) is True

    assert await plates(store, "A", "B") == [("A", None, RowSource.CENTRE)]
    assert told == [1]  # being told once too often costs nothing, once too few costs a car


async def test_a_snapshot_replaces_the_centres_rows_and_keeps_this_gates_own(store: Store) -> None:
    await store.replace(snapshot(1, banned("A"), banned("B")), AT)
    await store.commit(Commit(records=(), listed=(own("C", "inner"),)))

    assert await store.replace(snapshot(2, banned("B", "inner"), banned("D")), AT)

    assert await plates(store, "A", "B", "C", "D") == [
        ("B", "inner", RowSource.CENTRE),
        ("C", "inner", RowSource.GATE),
        ("D", None, RowSource.CENTRE),
    ]


@pytest.mark.parametrize("version", [1, 2])
async def test_a_snapshot_that_is_not_newer_changes_nothing(store: Store, version: int) -> None:
    await store.replace(snapshot(2, row("A")), AT)

    assert not await store.replace(snapshot(version, row("B")), AT)
    assert await plates(store, "A", "B") == [("A", None, RowSource.CENTRE)]


async def test_an_empty_snapshot_empties_the_list(store: Store) -> None:
    await store.replace(snapshot(1, row("A")), AT)

    assert await store.replace(snapshot(2), AT)
    assert await plates(store, "A") == []


async def test_of_two_rows_for_one_plate_and_zone_in_a_snapshot_the_last_counts(
    store: Store,
) -> None:
    first = ListRow(list=ListName.VISITORS, plate="A", note="first")
    last = ListRow(list=ListName.VISITORS, plate="A", note="last")
    await store.replace(snapshot(1, first, last), AT)

    assert [each.note for each in (await store.listing(["A"])).rows] == ["last"]


async def test_following_a_list_is_journalled_in_the_same_transaction(store: Store) -> None:
    await store.follow(changes(0, 1, row("A"), row("B")), AT)
    await store.replace(snapshot(5, row("A")), AT)

    assert [event.body for event in await store.pending(0, 10)] == [
        b'{"list":"visitors","version":1,"rows":2,"whole":false}',
        b'{"list":"visitors","version":5,"rows":1,"whole":true}',
    ]


async def test_a_removal_by_the_centre_takes_this_gates_own_row_off_too(store: Store) -> None:
    rows = (own("A", "inner"), own("A", "outer"), own("B", "inner"))
    await store.commit(Commit(records=(), listed=rows))

    await store.follow(changes(0, 1, banned("A", "inner"), remove=True), AT)

    assert await plates(store, "A", "B") == [
        ("A", "outer", RowSource.GATE),
        ("B", "inner", RowSource.GATE),
    ]


async def test_a_removal_that_names_no_zone_takes_the_plate_off_altogether(store: Store) -> None:
    await store.replace(snapshot(1, banned("A"), banned("A", "inner"), banned("B")), AT)
    await store.commit(Commit(records=(), listed=(own("A", "outer"),)))

    await store.follow(changes(1, 2, banned("A"), remove=True), AT)

    assert await plates(store, "A", "B") == [("B", None, RowSource.CENTRE)]


async def test_a_removal_from_one_list_leaves_the_others(store: Store) -> None:
    await store.replace(snapshot(1, row("A")), AT)
    await store.follow(changes(0, 1, banned("A"), remove=True), AT)

    assert await plates(store, "A") == [("A", None, RowSource.CENTRE)]


async def test_a_suspended_row_is_not_told_until_this_gate_lists_the_plate_again(
    store: Store,
) -> None:
    await store.commit(Commit(records=(), listed=(own("A", "inner"), own("A", "outer"))))

    await store.commit(Commit(records=(), suspended=(("inner", "A"), ("inner", "unheard-of"))))
    assert await plates(store, "A") == [("A", "outer", RowSource.GATE)]

    await store.commit(Commit(records=(), listed=(own("A", "inner"),)))
    assert len(await plates(store, "A")) == 2


async def test_a_row_of_the_centre_cannot_be_suspended(store: Store) -> None:
    await store.replace(snapshot(1, banned("A", "inner")), AT)
    await store.commit(Commit(records=(), suspended=(("inner", "A"),)))

    assert len(await plates(store, "A")) == 1


async def test_rows_of_this_gate_and_of_another_stand_beside_each_other(store: Store) -> None:
    told = replace(own("A", "inner"), source=RowSource.PEER, note="overstay", version=0)
    await store.commit(Commit(records=(), listed=(own("A", "inner"), told)))
    await store.replace(snapshot(1, banned("B")), AT)

    assert told in (await store.listing(["A"])).rows
    assert await plates(store, "A") == [
        ("A", "inner", RowSource.GATE),
        ("A", "inner", RowSource.PEER),
    ]


async def test_suspending_sets_aside_what_any_gate_listed(store: Store) -> None:
    told = replace(own("A", "inner"), source=RowSource.PEER)
    await store.commit(Commit(records=(), listed=(own("A", "inner"), told)))
    await store.commit(Commit(records=(), suspended=(("inner", "A"),)))
    assert await plates(store, "A") == []

    await store.commit(Commit(records=(), listed=(told,)))
    assert await plates(store, "A") == [("A", "inner", RowSource.PEER)]


async def test_what_a_person_listed_is_never_set_aside(store: Store) -> None:
    ordered = replace(own("A", "inner"), source=RowSource.PERSON)
    await store.commit(Commit(records=(), listed=(ordered, own("A", "inner"))))
    await store.commit(Commit(records=(), suspended=(("inner", "A"),)))
    assert await plates(store, "A") == [("A", "inner", RowSource.PERSON)]


async def test_a_removal_by_the_centre_takes_off_what_another_gate_listed(store: Store) -> None:
    told = replace(own("A", "inner"), source=RowSource.PEER)
    await store.commit(Commit(records=(), listed=(told,)))

    await store.follow(changes(0, 1, banned("A", "inner"), remove=True), AT)

    assert await plates(store, "A") == []


@pytest.mark.parametrize(("zone", "left"), [("inner", [None, "outer"]), (None, [])])
async def test_a_removal_here_takes_a_plate_off_one_zones_blacklist_or_off_all(
    store: Store, zone: str | None, left: list[str | None]
) -> None:
    await store.replace(snapshot(1, banned("A"), banned("A", "inner"), banned("B")), AT)
    await store.replace(snapshot(1, row("A")), AT)
    told = replace(own("A", "inner"), source=RowSource.PEER)
    await store.commit(Commit(records=(), listed=(own("A", "outer"), told)))

    await store.commit(Commit(records=(), removed=((zone, "A"),)))

    rows = (await store.listing(["A", "B"])).rows
    assert [r.zone for r in rows if r.plate == "A" and r.list is ListName.BLACKLIST] == left
    assert len([r for r in rows if r.list is ListName.VISITORS or r.plate == "B"]) == 2


async def test_what_one_commit_removes_and_lists_is_listed(store: Store) -> None:
    await store.replace(snapshot(1, banned("A")), AT)
    await store.commit(Commit(records=(), removed=((None, "A"),), listed=(own("A", "inner"),)))

    assert await plates(store, "A") == [("A", "inner", RowSource.GATE)]


async def test_a_gate_cannot_list_in_the_centres_name(store: Store) -> None:
    with pytest.raises(ValueError, match="says it is the centre's"):
        await store.commit(Commit(records=(), listed=(banned("A", "inner"),)))

    assert await plates(store, "A") == []


async def test_a_snapshot_cut_short_leaves_the_old_list_or_the_new_one_and_no_waste(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "PIECE", 2)
    names = [f"P{number}" for number in range(9)]
    for version in range(1, 16):
        await store.flush()  # what the one before still had under way
        before = {each.version for each in (await store.listing(names)).rows}
        rows = [row(name) for name in names]
        task = asyncio.create_task(store.replace(snapshot(version, *rows), AT))
        await _some_answers(store, version)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        listing = await store.listing(names)
        assert {each.version for each in listing.rows} in (before, {version})
        assert len(listing.rows) in (0, 9)

    await store.replace(snapshot(99, row("P3")), AT)

    with sqlite3.connect(path) as reader:
        assert reader.execute("SELECT plate, version FROM list_rows").fetchall() == [("P3", 99)]
        assert reader.execute("SELECT * FROM unswept").fetchall() == []
    reader.close()


async def _some_answers(store: Store, number: int) -> None:
    """Let a snapshot get on by about as many pieces: calls are served in turn."""
    for _ in range(number):
        await store.outbox_depth()


async def test_changes_may_overtake_a_snapshot_on_its_way_in(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "PIECE", 1)
    await store.follow(changes(0, 1, row("A")), AT)
    coming = asyncio.create_task(store.replace(snapshot(2, *[row(c) for c in "BCDEFGH"]), AT))
    await _some_answers(store, 3)
    assert await store.follow(changes(1, 2, row("Z")), AT)

    assert not await coming
    assert {plate for plate, _, _ in await plates(store, *"ABCDEFGHZ")} == {"A", "Z"}


async def test_two_snapshots_at_once_are_taken_one_after_the_other(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "PIECE", 1)
    older = snapshot(1, *[row(c) for c in "ABCD"])
    newer = snapshot(2, *[row(c) for c in "CDEF"])

    taken = await asyncio.gather(store.replace(newer, AT), store.replace(older, AT))

    assert list(taken) == [True, False]
    assert {plate for plate, _, _ in await plates(store, *"ABCDEF")} == set("CDEF")


async def test_commits_are_served_between_the_pieces_of_a_snapshot(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "PIECE", 1)
    rows = [row("".join(name)) for name in itertools.product("ABCDEFGH", repeat=2)]
    coming = asyncio.create_task(store.replace(snapshot(1, *rows), AT))
    await _some_answers(store, 2)
    await store.commit(Commit(records=()))

    assert not coming.done()
    assert await coming


async def test_a_removal_older_than_a_snapshot_on_its_way_in_takes_nothing_from_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "PIECE", 1)
    await store.follow(changes(0, 1, row("A")), AT)
    letters = "ABCDEFGHIJKLMNOPQRST"
    coming = asyncio.create_task(store.replace(snapshot(5, *[row(c) for c in letters]), AT))
    await _some_answers(store, 8)
    assert await store.follow(changes(1, 2, row("A"), remove=True), AT)
    assert await plates(store, "A") == []

    assert await coming
    assert len(await plates(store, *letters)) == len(letters)


async def test_a_long_list_is_never_held_as_a_whole(store: Store) -> None:
    note = "x" * 500
    whole = ListSnapshot(
        list=ListName.VISITORS,
        version=1,
        rows=(replace(row(f"P{n * 7919 % 10_000}"), note=f"{note}{n}") for n in range(10_000)),
    )
    tracemalloc.start()
    try:
        assert await store.replace(whole, AT)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most < 3_000_000  # of 8 million that the rows take
    (found,) = (await store.listing(["P7919"])).rows
    assert found.note == f"{note}1"
    (followed, *_) = [facts.fact_of(e.kind, e.body) for e in await store.pending(0, 10)]
    assert followed == RegistryFollowed(list=ListName.VISITORS, version=1, rows=10_000, whole=True)


async def test_a_list_that_breaks_off_while_it_comes_changes_nothing(store: Store) -> None:
    def rows() -> Iterator[ListRow]:
        yield row("A")
        raise ValueError("row 2 is no plate")

    await store.replace(snapshot(1, row("B")), AT)
    whole = ListSnapshot(list=ListName.VISITORS, version=2, rows=rows())
    with pytest.raises(ValueError, match="row 2 is no plate"):
        await store.replace(whole, AT)

    assert await plates(store, "A", "B") == [("B", None, RowSource.CENTRE)]
    assert await store.replace(snapshot(2, row("A")), AT)
    assert await plates(store, "A", "B") == [("A", None, RowSource.CENTRE)]
