"""The journal on a real database whose disk can fail, hang and come back."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gatekeeper.clock import SystemClock
from gatekeeper.errors import StoreError, UnacceptableError
from gatekeeper.health import Health
from gatekeeper.journal import Journal, journal
from gatekeeper.journal.log import Posted
from gatekeeper.model import (
    AlarmCleared,
    BarrierIntended,
    Commit,
    Event,
    Fact,
    ListName,
    ListRow,
    OrderAnswered,
    Reason,
    Record,
    RowSource,
)
from gatekeeper.store import BlacklistRow, Store
from gatekeeper.store.facts import fact_of

PATIENCE_S = 30.0
CAR = "京A12345"
ROW = ListRow(list=ListName.BLACKLIST, plate=CAR, zone="hall", source=RowSource.GATE)


def fact(number: int) -> Fact:
    return AlarmCleared(alarm="x", subject=str(number))


class Disk(Store):
    """A store whose disk is full, hangs, or refuses a value, as it is told."""

    full: bool
    hangs: threading.Event
    refuses: str | None
    batches: list[int]

    @classmethod
    def new(cls, path: Path) -> "Disk":
        self = cls.at(path)
        self.full, self.refuses, self.batches = False, None, []
        self.hangs = threading.Event()
        self.hangs.set()
        return self

    async def commit_all(self, commits: Sequence[Commit]) -> tuple[Event, ...]:
        if self.full:
            raise StoreError("gatekeeper.db: the disk is full: free some space")
        if any(self.refuses in _subjects(commit) for commit in commits if self.refuses):
            raise UnacceptableError("it holds what no database takes")
        await asyncio.to_thread(self.hangs.wait, PATIENCE_S)
        self.batches.append(len(commits))
        return await super().commit_all(commits)


def _subjects(commit: Commit) -> list[str]:
    return [str(getattr(record.fact, "subject", "")) for record in commit.records]


@dataclass
class Desk:
    """The journal, and what it says."""

    disk: Disk
    health: Health
    journal: Journal
    running: "asyncio.Task[None]"
    said: list[bool] = field(default_factory=list)

    async def until(self, what: Callable[[], Any]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not what():  # noqa: ASYNC110 - health has no event to wait for
                await asyncio.sleep(0.005)

    async def written(self) -> None:
        await self.until(lambda: self.journal.behind == 0)

    async def numbers(self) -> list[str]:
        pending = await self.disk.pending(0, 1000)
        facts = [fact_of(each.kind, each.body) for each in pending]
        return [each.subject for each in facts if isinstance(each, AlarmCleared)]


@pytest.fixture
def restore() -> Callable[[], Awaitable[None]]:
    async def nothing() -> None:
        return None

    return nothing


@pytest.fixture
async def desk(
    tmp_path: Path, restore: Callable[[], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    monkeypatch.setattr(journal, "STEADY_S", 0.05)
    clock, disk = SystemClock(), Disk.new(tmp_path / "gatekeeper.db")
    health = Health(clock)
    under_test = Journal(disk, clock=clock, health=health, restore=restore)
    desk = Desk(disk, health, under_test, asyncio.create_task(under_test.run()))
    under_test.watch(desk.said.append)
    yield desk
    disk.hangs.set()
    desk.running.cancel()
    await asyncio.gather(desk.running, return_exceptions=True)
    await under_test.close(PATIENCE_S)
    await disk.close()


async def test_what_is_posted_is_written_once_and_in_order(desk: Desk) -> None:
    posted = [desk.journal.tell(fact(number)) for number in range(50)]
    assert await desk.journal.written(posted[-1], PATIENCE_S)
    assert await desk.numbers() == [str(number) for number in range(50)]


async def test_what_waits_goes_in_few_transactions(desk: Desk) -> None:
    assert await desk.journal.restored(PATIENCE_S)
    for number in range(journal.BATCH + 1):
        desk.journal.tell(fact(number))
    await desk.written()
    assert desk.disk.batches == [journal.BATCH, 1]


async def test_a_full_disk_is_an_alarm_and_loses_nothing(desk: Desk) -> None:
    desk.disk.full = True
    for number in range(3):
        desk.journal.tell(fact(number))
    await desk.until(lambda: desk.health.stands("store_failed", "store"))
    assert not desk.journal.writes
    desk.disk.full = False
    await desk.written()

    assert await desk.numbers() == ["0", "1", "2"]
    assert desk.said == [False, True]
    await desk.until(lambda: not desk.health.stands("store_failed", "store"))


async def test_nothing_waits_for_a_store_that_is_known_to_fail(desk: Desk) -> None:
    desk.disk.full = True
    posted = desk.journal.tell(fact(0))
    assert not await desk.journal.written(posted, PATIENCE_S)
    async with asyncio.timeout(PATIENCE_S):
        assert not await desk.journal.written(posted, within_s=10 * PATIENCE_S)


async def test_a_disk_that_hangs_is_slow_and_what_it_was_given_is_written_once(desk: Desk) -> None:
    await desk.journal.restored(PATIENCE_S)
    desk.disk.hangs.clear()
    posted = desk.journal.tell(fact(0))
    assert not await desk.journal.written(posted, within_s=0.01)
    await desk.until(lambda: desk.health.stands("store_slow", "store"))
    desk.journal.tell(fact(1))
    desk.disk.hangs.set()
    await desk.written()

    assert await desk.numbers() == ["0", "1"]
    assert desk.said == [False, True]


async def test_a_writer_that_is_ended_while_the_disk_hangs_writes_nothing_twice(desk: Desk) -> None:
    await desk.journal.restored(PATIENCE_S)
    desk.disk.hangs.clear()
    desk.journal.tell(fact(0))
    await desk.until(lambda: desk.health.stands("store_slow", "store"))
    desk.running.cancel()
    await asyncio.gather(desk.running, return_exceptions=True)
    desk.running = asyncio.create_task(desk.journal.run())
    desk.journal.tell(fact(1))
    desk.disk.hangs.set()
    await desk.written()

    assert await desk.numbers() == ["0", "1"]


async def test_a_writer_that_is_ended_has_no_heartbeat(desk: Desk) -> None:
    await desk.journal.restored(PATIENCE_S)
    desk.running.cancel()
    await asyncio.gather(desk.running, return_exceptions=True)
    assert journal.STORE not in desk.health._beats


async def test_what_no_database_takes_is_given_up_alone(desk: Desk) -> None:
    await desk.journal.restored(PATIENCE_S)
    desk.disk.refuses = "1"
    for number in range(3):
        desk.journal.tell(fact(number))
    await desk.written()

    assert await desk.numbers() == ["0", "2"]
    assert desk.health.stands("journal_incomplete", "store")


async def test_what_is_posted_to_a_stopped_writer_is_written_at_the_end(desk: Desk) -> None:
    await desk.journal.restored(PATIENCE_S)
    desk.running.cancel()
    await asyncio.gather(desk.running, return_exceptions=True)
    desk.journal.tell(fact(7))
    await desk.journal.close(PATIENCE_S)
    assert await desk.numbers() == ["7"]


async def test_a_stop_waits_no_longer_than_it_says_for_a_disk_that_hangs(desk: Desk) -> None:
    await desk.journal.restored(PATIENCE_S)
    desk.disk.hangs.clear()
    desk.journal.tell(fact(7))
    await desk.until(lambda: desk.health.stands("store_slow", "store"))
    desk.running.cancel()
    await asyncio.gather(desk.running, return_exceptions=True)
    await desk.journal.close(0.01)
    assert desk.journal.behind == 1


# --- what is asked --------------------------------------------------------------------------


async def test_the_lists_say_at_once_what_is_not_written_yet(desk: Desk) -> None:
    await desk.journal.restored(PATIENCE_S)
    desk.disk.full = True
    desk.journal.post(Commit(records=(), listed=(ROW,)))
    assert (await desk.journal.listing([CAR])).rows == (ROW,)
    assert (await desk.journal.listing(["沪B67890"])).rows == ()
    desk.journal.post(Commit(records=(), suspended=(("hall", CAR),)))
    assert (await desk.journal.listing([CAR])).rows == ()
    assert await desk.journal.blacklisted(CAR) == (BlacklistRow(row=ROW, suspended=True),)
    desk.journal.post(Commit(records=(), removed=((None, CAR),)))
    assert await desk.journal.blacklisted(CAR) == ()
    desk.disk.full = False
    await desk.written()
    assert (await desk.journal.listing([CAR])).rows == ()


async def test_an_order_is_known_to_be_answered_before_its_answer_is_written(desk: Desk) -> None:
    await desk.journal.restored(PATIENCE_S)
    desk.disk.full = True
    intent = BarrierIntended(command="o1", reason=Reason.ORDERED)
    desk.journal.tell(intent, lane="in")
    assert (await desk.journal.answer_of("o2")) is None
    known = await desk.journal.answer_of("o1")
    assert known is not None
    assert known.outcome == "unknown"
    desk.journal.tell(
        OrderAnswered(order="o1", verb="open", by="Li", reason="", outcome="done", detail="d")
    )
    known = await desk.journal.answer_of("o1")
    assert known is not None
    assert (known.outcome, known.detail) == ("done", "d")


async def test_a_question_that_is_not_answered_in_time_is_an_error_and_an_alarm(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.journal.restored(PATIENCE_S)
    monkeypatch.setattr(journal, "PATIENCE_S", 0.01)

    async def for_ever() -> None:
        await asyncio.Event().wait()

    with pytest.raises(StoreError, match="does not answer"):
        await desk.journal.asked(for_ever())
    assert desk.health.stands("store_slow", "store")
    await desk.until(lambda: not desk.health.stands("store_slow", "store"))


# --- a store that is opened later ---------------------------------------------------------------


async def test_a_store_that_cannot_be_opened_at_first_is_taken_up_later(tmp_path: Path) -> None:
    path = tmp_path / "disk" / "gatekeeper.db"
    clock, disk, restored = SystemClock(), Disk.new(path), []
    health = Health(clock)

    async def restore() -> None:
        restored.append(await disk.last_seq())

    under_test = Journal(disk, clock=clock, health=health, restore=restore)
    desk = Desk(disk, health, under_test, asyncio.create_task(under_test.run()))
    desk.journal.tell(fact(0))
    assert not await desk.journal.restored(0.01)
    await desk.until(lambda: health.stands("store_failed", "store"))
    path.parent.mkdir()
    await desk.written()

    assert restored == [0]
    assert await desk.numbers() == ["0"]
    desk.running.cancel()
    await asyncio.gather(desk.running, return_exceptions=True)
    await disk.close()


async def test_a_damaged_file_is_set_aside_and_another_begun(tmp_path: Path) -> None:
    path = tmp_path / "gatekeeper.db"
    path.write_bytes(b"no database" * 1000)
    clock, disk = SystemClock(), Disk.new(path)
    health = Health(clock)
    under_test = Journal(disk, clock=clock, health=health)
    running = asyncio.create_task(under_test.run())
    assert await under_test.restored(PATIENCE_S)

    assert health.stands("store_set_aside", "store")
    assert [each.name for each in tmp_path.glob("*.unsound-1")] == ["gatekeeper.db.unsound-1"]  # noqa: ASYNC240 - a test may look
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await disk.close()


def test_nothing_posted_is_the_place_of_what_was_posted_last(tmp_path: Path) -> None:
    clock = SystemClock()
    under_test = Journal(Store.at(tmp_path / "x.db"), clock=clock, health=Health(clock))
    assert under_test.tell() == Posted(number=0)
    record = Record(fact=fact(0), at=clock.instant())
    assert under_test.post(Commit(records=(record,))) == under_test.tell()
