"""The store beside a plain model of it: the same is asked of both, and the power may fail, the disk
fill, and another program hold the file locked.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gatekeeper.errors import StoreError
from gatekeeper.model import (
    BarrierCommanded,
    BarrierIntended,
    Commit,
    Doubt,
    Fact,
    Hold,
    HoldReason,
    Instant,
    ListChange,
    ListChanges,
    ListName,
    ListRow,
    ListSnapshot,
    NotedDoubt,
    OrderAnswered,
    Outcome,
    PeerMark,
    Reason,
    Record,
    RegistryFollowed,
    RowSource,
    Stay,
    StayEnd,
    StayEnded,
    VehicleArrived,
    VehicleClass,
    ZoneState,
)
from gatekeeper.store import Limits, Store, facts, registry, retention
from tests.store.disk import no_file_may_outgrow
from tests.store.test_opening import locked

AT = Instant(boot_id="b", boot_s=1.0, wall=datetime(2026, 11, 23, tzinfo=UTC), trusted=True)
GATES = (RowSource.GATE, RowSource.PEER)
PLATES = ("A", "B", "C", "D")


def later(seconds: float) -> Instant:
    return replace(AT, wall=AT.wall + timedelta(seconds=seconds))


ids = st.sampled_from(["1", "2", "3"])
names = st.sampled_from([ListName.VISITORS, ListName.BLACKLIST])
zones = st.sampled_from([None, "inner", "outer"])
plates = st.sampled_from(PLATES)
told = st.one_of(
    st.just(VehicleArrived()),
    ids.map(lambda c: BarrierIntended(command=c, reason=Reason.EXIT)),
    ids.map(lambda c: BarrierCommanded(command=c, outcome=Outcome.DONE, detail="")),
    ids.map(
        lambda stay: StayEnded(stay=stay, zone="inner", plate="A", end=StayEnd.EXITED, stayed_s=1.0)
    ),
    st.builds(
        OrderAnswered,
        order=ids,
        verb=st.just("open"),
        by=st.just("a"),
        reason=st.just("r"),
        outcome=st.sampled_from(["done", "refused"]),
        detail=st.just(""),
    ),
)
ends = st.none() | st.integers(0, 3)
stay = st.builds(
    lambda id_, plate, end: Stay(
        id=id_,
        zone="inner",
        plate=plate,
        vehicle=VehicleClass.INTERNAL,
        entered=AT,
        counted_from=AT,
        entry_lane="in",
        entry_passage="p",
        limit=None,
        noted=(NotedDoubt(doubt=Doubt.RESTART, at=AT),) * (end or 0),
        ended=None if end is None else later(end),
        end=None if end is None else StayEnd.EXITED,
    ),
    ids,
    plates,
    ends,
)
count = st.builds(
    ZoneState,
    zone=st.sampled_from(["inner", "outer"]),
    count=st.integers(0, 400),
    trusted=st.booleans(),
)
centre_row = st.builds(ListRow, list=st.just(ListName.VISITORS), plate=plates, zone=zones)
gate_row = st.builds(
    ListRow,
    list=st.just(ListName.BLACKLIST),
    plate=plates,
    zone=st.sampled_from(["inner", "outer"]),
    source=st.sampled_from([RowSource.GATE, RowSource.PEER]),
)
mark = st.builds(
    PeerMark,
    controller=st.sampled_from(["north", "south"]),
    journal=ids,
    seq=st.integers(1, 9),
)
hold = st.builds(
    Hold,
    lane=st.sampled_from(["in", "out"]),
    reason=st.sampled_from([HoldReason.ORDER, HoldReason.FLEET]),
    order=ids,
    by=st.just("Lin"),
    why=st.just("because"),
    begun=st.just(AT),
    lasts_s=st.none() | st.just(60.0),
    vehicles=st.none() | st.integers(1, 9),
)
Key = tuple[ListName, str, str | None, RowSource]
Answer = TypeVar("Answer")
Value = TypeVar("Value")


def few(values: st.SearchStrategy[Value]) -> st.SearchStrategy[list[Value]]:
    return st.lists(values, max_size=4)


class Model:
    """What the store should hold, as plainly as it can be said."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.confirmed = 0
        self.gone = 0
        self.commands: dict[str, bool] = {}
        self.orders: dict[str, str] = {}
        self.stays: dict[str, Stay] = {}
        self.counts: dict[str, ZoneState] = {}
        self.versions: dict[ListName, int] = {}
        self.rows: dict[Key, ListRow] = {}
        self.suspended: set[Key] = set()
        self.marks: dict[str, PeerMark] = {}
        self.lockdown = False
        self.fire = False
        self.holds: dict[tuple[str, str], Hold] = {}

    def put(self, row: ListRow) -> None:
        key = (row.list, row.plate, row.zone, row.source)
        self.rows[key] = row
        self.suspended.discard(key)

    def commit(self, commit: Commit) -> None:
        for record in commit.records:
            self.tell(record.fact)
        self.stays |= {stay.id: stay for stay in commit.stays}
        self.counts |= {state.zone: state for state in commit.counts}
        self.marks |= {mark.controller: mark for mark in commit.marks}
        if commit.lockdown is not None:
            self.lockdown = commit.lockdown
        if commit.fire is not None:
            self.fire = commit.fire
        for key in commit.released:
            self.holds.pop(key, None)
        self.holds |= {(hold.lane, hold.order): hold for hold in commit.held}
        for hold in commit.counted:
            if (hold.lane, hold.order) in self.holds:
                self.holds[hold.lane, hold.order] = hold
        for zone, plate in commit.removed:
            self.remove(ListRow(list=ListName.BLACKLIST, plate=plate, zone=zone))
        for row in commit.listed:
            self.put(row)
        for zone, plate in commit.suspended:
            keys = {(ListName.BLACKLIST, plate, zone, source) for source in GATES}
            self.suspended |= keys & self.rows.keys()

    def follow(self, changes: ListChanges) -> bool:
        if changes.version <= self.versions.get(changes.list, -1):
            return True
        if changes.since != self.versions.get(changes.list, 0):
            return False
        for change in changes.changes:
            row = replace(change.row, list=changes.list, version=changes.version)
            if change.remove:
                self.remove(row)
            else:
                self.put(row)
        self.reach(changes.list, changes.version, len(changes.changes), whole=False)
        return True

    def remove(self, gone: ListRow) -> None:
        for key in [*self.rows]:
            if key[:2] == (gone.list, gone.plate) and gone.zone in (None, key[2]):
                del self.rows[key]

    def replace(self, snapshot: ListSnapshot) -> bool:
        if snapshot.version <= self.versions.get(snapshot.list, -1):
            return False
        for key in [*self.rows]:
            if (key[0], key[3]) == (snapshot.list, RowSource.CENTRE):
                del self.rows[key]
        for row in snapshot.rows:
            self.put(replace(row, list=snapshot.list, version=snapshot.version))
        self.reach(snapshot.list, snapshot.version, len([*snapshot.rows]), whole=True)
        return True

    def reach(self, name: ListName, version: int, rows: int, *, whole: bool) -> None:
        self.versions[name] = version
        self.tell(RegistryFollowed(list=name, version=version, rows=rows, whole=whole))

    def tell(self, fact: Fact) -> None:
        self.facts.append(fact)
        match fact:
            case BarrierIntended(command=command):
                self.commands.setdefault(command, False)
            case BarrierCommanded(command=command) if command in self.commands:
                self.commands[command] = True
            case OrderAnswered(order=order, outcome=outcome):
                self.orders.setdefault(order, outcome)

    def unfinished(self) -> list[str]:
        return [command for command, finished in self.commands.items() if not finished]

    def outcome(self, order: str) -> str | None:
        return self.orders.get(order, "unknown" if order in self.commands else None)

    def prune(self, most: int) -> int:
        before, until = self.gone, min(self.confirmed, len(self.facts) - most)
        for fact in self.facts[before : max(before, until)]:
            match fact:
                case BarrierIntended(command=each) | BarrierCommanded(command=each):
                    if self.commands.get(each):
                        del self.commands[each]
                case OrderAnswered(order=order):
                    self.orders.pop(order, None)
                case StayEnded(stay=stay) if stay in self.stays and self.stays[stay].ended:
                    del self.stays[stay]
        self.gone = max(before, until)
        return self.gone - before


class StoreMachine(RuleBasedStateMachine):
    """Asks the same of the store and of the model."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "0.db"
        self.lives = 0
        self.model = Model()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(registry, "PIECE", 2)
        self.patch.setattr(retention, "PIECE", 2)

    def run(self, question: Coroutine[Any, Any, Answer]) -> Answer:
        return self.runner.run(question)

    @initialize()
    def open(self) -> None:
        self.store = self.started()
        self.journal = self.store.journal

    def started(self) -> Store:
        """One that waits for no lock."""
        store = Store.at(self.path, busy_ms=0)
        self.run(store.open())
        self.is_flushed = True
        return store

    def teardown(self) -> None:
        self.run(self.store.close())
        self.runner.close()
        self.patch.undo()
        self.folder.cleanup()

    @rule(
        some=few(told),
        stays=few(stay),
        counts=few(count),
        listed=few(gate_row),
        suspended=few(st.tuples(st.sampled_from(["inner", "outer"]), plates)),
        removed=few(st.tuples(zones, plates)),
        marks=few(mark),
        lockdown=st.none() | st.booleans(),
        fire=st.none() | st.booleans(),
        held=few(hold),
        counted=few(hold),
        released=few(st.tuples(st.sampled_from(["in", "out"]), ids)),
    )
    def commit(
        self,
        some: list[Fact],
        stays: list[Stay],
        counts: list[ZoneState],
        listed: list[ListRow],
        suspended: list[tuple[str, str]],
        removed: list[tuple[str | None, str]],
        marks: list[PeerMark],
        lockdown: bool | None,
        fire: bool | None,
        held: list[Hold],
        counted: list[Hold],
        released: list[tuple[str, str]],
    ) -> None:
        commit = Commit(
            records=tuple(Record(fact=fact, at=AT) for fact in some),
            stays=tuple(stays),
            counts=tuple(counts),
            listed=tuple(listed),
            suspended=tuple(suspended),
            removed=tuple(removed),
            marks=tuple(marks),
            lockdown=lockdown,
            fire=fire,
            held=tuple(held),
            counted=tuple(counted),
            released=tuple(released),
        )
        first = len(self.model.facts) + 1
        events = self.run(self.store.commit(commit))
        self.model.commit(commit)

        assert [event.seq for event in events] == list(range(first, first + len(some)))

    @rule(
        name=names,
        since=st.integers(0, 6),
        steps=st.integers(1, 3),
        some=few(st.tuples(st.booleans(), centre_row)),
    )
    def follow(
        self, name: ListName, since: int, steps: int, some: list[tuple[bool, ListRow]]
    ) -> None:
        changes = ListChanges(
            list=name,
            since=since,
            version=since + steps,
            changes=tuple(ListChange(remove=remove, row=row) for remove, row in some),
        )

        assert self.run(self.store.follow(changes, AT)) == self.model.follow(changes)

    @rule(name=names, some=few(st.tuples(st.booleans(), centre_row)))
    def follow_the_next(self, name: ListName, some: list[tuple[bool, ListRow]]) -> None:
        self.follow(name, self.model.versions.get(name, 0), 1, some)

    @rule(name=names, version=st.integers(0, 9), rows=st.lists(centre_row, max_size=7))
    def replace(self, name: ListName, version: int, rows: list[ListRow]) -> None:
        snapshot = ListSnapshot(list=name, version=version, rows=tuple(rows))

        assert self.run(self.store.replace(snapshot, AT)) == self.model.replace(snapshot)

    @rule(seq=st.integers(-1, 40), ours=st.booleans())
    def confirm(self, seq: int, ours: bool) -> None:
        freed = self.run(self.store.confirm(self.journal if ours else "another", seq))
        before = self.model.confirmed
        if ours:
            self.model.confirmed = max(before, min(seq, len(self.model.facts)))

        assert freed == self.model.confirmed - before

    @rule(rehearsal=st.booleans())
    def stop_and_start(self, rehearsal: bool) -> None:
        self.run(self.store.close())
        self.store = Store.unflushed(self.path) if rehearsal else self.started()
        self.is_flushed = not rehearsal

    @rule(most=st.integers(0, 9), confirmed=st.booleans())
    def prune(self, most: int, confirmed: bool) -> None:
        if confirmed:
            self.confirm(len(self.model.facts), ours=True)
        limits = Limits(now=None, days=1, events=most, megabytes=1000)
        gone = self.run(self.store.prune(limits, 0.0))

        assert gone.events == self.model.prune(most)

    @rule(fact=told)
    def start_while_another_program_has_the_file(self, fact: Fact) -> None:
        self.run(self.store.close())
        self.store = Store.at(self.path, busy_ms=0)
        with locked(self.path, to_readers=True), pytest.raises(StoreError, match="locked"):
            self.run(self.store.open())
        with pytest.raises(StoreError, match=r"is not open: .*locked"):
            self.run(self.store.commit(Commit(records=(Record(fact=fact, at=AT),))))
        self.run(self.store.open())
        self.is_flushed = True

    @rule(fact=told)
    def commit_while_another_program_writes(self, fact: Fact) -> None:
        if not self.is_flushed:
            return  # no other program can write then
        with locked(self.path):
            with pytest.raises(StoreError, match="locked"):
                self.run(self.store.commit(Commit(records=(Record(fact=fact, at=AT),))))
            self.lists_are_as_the_model_says()

    @rule(some=st.lists(told, min_size=1, max_size=30))
    def commit_on_a_full_disk(self, some: list[Fact]) -> None:
        if not self.is_flushed:
            return  # nothing is written then before it is flushed
        commit = Commit(records=tuple(Record(fact=fact, at=AT) for fact in some))
        with no_file_may_outgrow(Path(f"{self.path}-wal")):
            try:
                self.run(self.store.commit(commit))
            except StoreError:
                return
        self.model.commit(commit)  # there was room in the log

    @rule(some=st.lists(told, min_size=1, max_size=9), cut=st.floats(0, 1))
    def power_cut_during_a_commit(self, some: list[Fact], cut: float) -> None:
        """What was written last is on the disk up to somewhere, and beyond it as it was before."""
        if not self.is_flushed:
            return  # nothing is promised then
        commit = Commit(records=tuple(Record(fact=fact, at=AT) for fact in some))
        log = Path(f"{self.path}-wal")
        database, before = self.path.read_bytes(), log.read_bytes()
        self.run(self.store.commit(commit))
        after = log.read_bytes()
        begun = next(n for n in range(len(after)) if after[n : n + 1] != before[n : n + 1])
        torn = begun + int(cut * (len(after) - begun))
        self.run(self.store.close())
        self.lives += 1
        self.path = self.path.with_name(f"{self.lives}.db")
        self.path.write_bytes(database)
        Path(f"{self.path}-wal").write_bytes(after[:torn] + before[torn:])
        self.store = self.started()
        if self.run(self.store.last_seq()) > len(self.model.facts):
            self.model.commit(commit)

    @rule(name=names, rows=st.lists(centre_row, min_size=3, max_size=7), pieces=st.integers(0, 9))
    def crash_during_a_snapshot(self, name: ListName, rows: list[ListRow], pieces: int) -> None:
        version = self.model.versions.get(name, 0) + 1
        snapshot = ListSnapshot(list=name, version=version, rows=tuple(rows))

        async def cut_short() -> None:
            task = asyncio.create_task(self.store.replace(snapshot, AT))
            for _ in range(pieces):
                await self.store.outbox_depth()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        self.run(cut_short())
        self.crash()
        held = {each.list: each.version for each in self.run(self.store.versions())}
        if held.get(name) == version:
            self.model.replace(snapshot)

    @rule()
    def crash(self) -> None:
        """Go on with the files as they lie there while the store is open."""
        left, self.lives = self.path, self.lives + 1
        self.run(self.store.flush())  # whatever was asked for has been done
        self.path = left.with_name(f"{self.lives}.db")
        for end in ("", "-wal"):
            shutil.copy(f"{left}{end}", f"{self.path}{end}")
        self.run(self.store.close())
        self.store = self.started()

    @invariant()
    def the_journal_and_the_outbox_are_as_the_model_says(self) -> None:
        pending = self.run(self.store.pending(0, 1000))
        left = self.model.facts[self.model.confirmed :]

        assert self.store.journal == self.journal
        assert [(event.seq, event.kind) for event in pending] == [
            (self.model.confirmed + n, fact.kind) for n, fact in enumerate(left, start=1)
        ]
        assert [facts.fact_of(event.kind, event.body) for event in pending] == left
        assert self.run(self.store.outbox_depth()) == len(left)

    @invariant()
    def state_is_as_the_model_says(self) -> None:
        stays = sorted(self.model.stays.values(), key=lambda stay: stay.id)

        assert self.run(self.store.open_stays()) == tuple(s for s in stays if s.ended is None)
        assert {c.zone: c for c in self.run(self.store.counts())} == self.model.counts

    @invariant()
    def ended_stays_are_as_the_model_says(self) -> None:
        ended = sorted(
            (stay.ended.wall, stay.id) for stay in self.model.stays.values() if stay.ended
        )
        for since in (AT.wall, later(2).wall):
            told = self.run(self.store.ended_stays(since))
            assert [stay.id for stay in told] == [name for wall, name in ended if wall >= since]

    @invariant()
    def the_rest_of_the_site_is_as_the_model_says(self) -> None:
        marks = self.run(self.store.peer_marks())

        assert {mark.controller: mark for mark in marks} == self.model.marks
        assert len(marks) == len(self.model.marks)
        assert self.run(self.store.lockdown()) == self.model.lockdown
        assert self.run(self.store.fire()) == self.model.fire
        holds = self.run(self.store.holds())
        assert {(hold.lane, hold.order): hold for hold in holds} == self.model.holds
        assert len(holds) == len(self.model.holds)

    @invariant()
    def nobody_else_has_written(self) -> None:
        assert not self.run(self.store.disturbed())

    @invariant()
    def lists_are_as_the_model_says(self) -> None:
        listing = self.run(self.store.listing(PLATES))
        wanted = {row for key, row in self.model.rows.items() if key not in self.model.suspended}

        assert len(listing.rows) == len(wanted)
        assert set(listing.rows) == wanted
        assert {each.list: each.version for each in listing.versions} == self.model.versions
        assert listing.versions == self.run(self.store.versions())

    @invariant()
    def commands_and_orders_are_as_the_model_says(self) -> None:
        unfinished = self.run(self.store.unfinished())
        answers = [self.run(self.store.answer_of(order)) for order in "123"]

        assert [command for command, _, _ in unfinished] == self.model.unfinished()
        assert [answer and answer.outcome for answer in answers] == [
            self.model.outcome(order) for order in "123"
        ]


TestStoreMachine = StoreMachine.TestCase
TestStoreMachine.settings = settings(
    max_examples=20,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
