"""What waits to be written, and what is left of it when too much waits."""

import tempfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from gatekeeper.journal.log import Log, folded
from gatekeeper.model import (
    AlarmCleared,
    Commit,
    Hold,
    HoldReason,
    Instant,
    JournalGap,
    ListName,
    ListRow,
    PeerMark,
    Record,
    RowSource,
    Stay,
    VehicleClass,
    ZoneState,
)
from gatekeeper.store import Store
from simulators.virtual import at_once

AT = Instant(boot_id="a", boot_s=0.0, wall=datetime(2026, 11, 23, 9, tzinfo=UTC), trusted=True)


def told(number: int) -> Commit:
    fact = AlarmCleared(alarm="x", subject=str(number))
    return Commit(records=(Record(fact=fact, at=AT),))


def subjects(log: Log) -> list[str]:
    facts = [record.fact for commit in log.waiting() for record in commit.records]
    return [fact.subject for fact in facts if isinstance(fact, AlarmCleared)]


def test_commits_leave_in_the_order_in_which_they_came() -> None:
    log = Log()
    numbers = [log.append(told(number)) for number in range(5)]
    assert numbers == [1, 2, 3, 4, 5]
    assert log.begin(2) == (told(0), told(1))
    log.ended(2)
    assert log.written == 2
    assert subjects(log) == ["2", "3", "4"]


def test_a_batch_that_failed_waits_on_in_its_place() -> None:
    log = Log()
    log.append(told(0))
    log.begin(10)
    log.ended(0)
    log.append(told(1))
    assert log.written == 0
    assert subjects(log) == ["0", "1"]


def test_of_too_many_events_the_oldest_become_one_gap_that_says_how_many() -> None:
    log = Log(bound=10)
    for number in range(100):
        log.append(told(number))
    gap, *rest = [record.fact for commit in log.waiting() for record in commit.records]
    assert isinstance(gap, JournalGap)
    assert gap.events + len(rest) == 100
    assert len(log) <= 10
    assert subjects(log)[-1] == "99"


def test_what_is_being_written_is_not_made_a_gap() -> None:
    log = Log(bound=10)
    for number in range(5):
        log.append(told(number))
    batch = log.begin(5)
    for number in range(5, 100):
        log.append(told(number))
    assert tuple(log.waiting())[:5] == batch
    log.ended(5)
    assert log.written == 5


def test_a_commit_inside_a_gap_counts_as_written_when_the_gap_is() -> None:
    log = Log(bound=10)
    numbers = [log.append(told(number)) for number in range(30)]
    while log.begin(1):
        log.ended(1)
    assert log.written == numbers[-1]


# --- folding changes nothing that is left behind ------------------------------------------------

PLATES = ("京A12345", "沪B67890")
ZONES = ("hall", "park")


def stay(key: str, plate: str, entered: float) -> Stay:
    at = Instant(boot_id="a", boot_s=entered, wall=AT.wall, trusted=True)
    return Stay(
        id=key,
        zone="hall",
        plate=plate,
        vehicle=VehicleClass.INTERNAL,
        entered=at,
        counted_from=at,
        entry_lane="in",
        entry_passage="p",
        limit=None,
    )


def hold(order: str, vehicles: int) -> Hold:
    return Hold(
        lane="in",
        reason=HoldReason.FLEET,
        order=order,
        by="Lin",
        why="a funeral",
        begun=AT,
        lasts_s=None,
        vehicles=vehicles,
    )


def row(plate: str, zone: str | None, source: RowSource) -> ListRow:
    return ListRow(list=ListName.BLACKLIST, plate=plate, zone=zone, source=source)


keys = st.tuples(st.just("in"), st.sampled_from(["o1", "o2"]))
commits = st.builds(
    Commit,
    records=st.lists(st.builds(lambda n: told(n).records[0], st.integers(0, 9)), max_size=2).map(
        tuple
    ),
    stays=st.lists(
        st.builds(stay, st.sampled_from("ab"), st.sampled_from(PLATES), st.floats(0, 9)), max_size=2
    ).map(tuple),
    counts=st.lists(
        st.builds(
            ZoneState, zone=st.sampled_from(ZONES), count=st.integers(0, 9), trusted=st.booleans()
        ),
        max_size=2,
    ).map(tuple),
    marks=st.lists(
        st.builds(PeerMark, controller=st.just("n"), journal=st.just("j"), seq=st.integers(0, 9)),
        max_size=1,
    ).map(tuple),
    removed=st.lists(
        st.tuples(st.sampled_from([None, *ZONES]), st.sampled_from(PLATES)), max_size=1
    ).map(tuple),
    listed=st.lists(
        st.builds(
            row,
            st.sampled_from(PLATES),
            st.sampled_from(ZONES),
            st.just(RowSource.GATE),
        ),
        max_size=1,
    ).map(tuple),
    suspended=st.lists(st.tuples(st.sampled_from(ZONES), st.sampled_from(PLATES)), max_size=1).map(
        tuple
    ),
    released=st.lists(keys, max_size=1).map(tuple),
    held=st.lists(
        st.builds(hold, st.sampled_from(["o1", "o2"]), st.integers(1, 9)), max_size=1
    ).map(tuple),
    counted=st.lists(
        st.builds(hold, st.sampled_from(["o1", "o2"]), st.integers(1, 9)), max_size=1
    ).map(tuple),
    lockdown=st.sampled_from([None, False, True]),
    fire=st.sampled_from([None, False, True]),
)


def left_behind(written: list[Commit]) -> tuple[object, ...]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gatekeeper.db"
        path.write_bytes(empty_database())
        return left_behind_in(path, written)


@cache
def empty_database() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gatekeeper.db"
        at_once(Store.unflushed(path).close())
        return path.read_bytes()


def left_behind_in(path: Path, written: list[Commit]) -> tuple[object, ...]:
    store = Store.unflushed(path)
    try:
        at_once(store.commit_all(written))
        suspended = {
            (each.row.zone, each.row.plate, each.row.source, each.suspended)
            for plate in PLATES
            for each in at_once(store.blacklisted(plate))
        }
        return (
            at_once(store.open_stays()),
            at_once(store.counts()),
            at_once(store.peer_marks()),
            at_once(store.listing(PLATES)).rows,
            suspended,
            at_once(store.holds()),
            at_once(store.lockdown()),
            at_once(store.fire()),
        )
    finally:
        at_once(store.close())


@settings(max_examples=30, deadline=None)
@given(series=st.lists(commits, min_size=1, max_size=6))
def test_what_is_folded_leaves_behind_what_the_commits_would_have(series: list[Commit]) -> None:
    assert left_behind([folded(series)]) == left_behind(series)


@given(series=st.lists(commits, min_size=1, max_size=6))
def test_a_gap_counts_every_event_once_however_often_it_is_folded(series: list[Commit]) -> None:
    at_a_time = folded(series)
    step_by_step = series[0]
    for commit in series[1:]:
        step_by_step = folded([step_by_step, commit])
    events = sum(len(commit.records) for commit in series)
    assert sum(r.fact.events for r in at_a_time.records if isinstance(r.fact, JournalGap)) == events
    if len(series) > 1:
        assert step_by_step == at_a_time
