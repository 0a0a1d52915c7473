"""The disk is kept from filling, and a damaged database is told of."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import pytest
import structlog

from gatekeeper.app import housekeeping, tidying
from gatekeeper.app.housekeeping import Housekeeping
from gatekeeper.app.tidying import Tidying
from gatekeeper.clock import SystemClock
from gatekeeper.config import StoreSettings
from gatekeeper.health import Health
from gatekeeper.model import (
    AlarmRaised,
    Commit,
    Instant,
    Judgement,
    ListName,
    ListRow,
    Record,
    RowSource,
    Stay,
    VehicleClass,
)
from gatekeeper.store import Pictures, Store, journal
from gatekeeper.zones import Zones

NOW = Instant(boot_id="b", boot_s=1.0, wall=datetime(2026, 11, 23, tzinfo=UTC), trusted=True)
ALARM = Record(fact=AlarmRaised(alarm="a", subject="s", detail="x" * 1000), at=NOW)
OLD = replace(ALARM, at=replace(NOW, wall=NOW.wall - timedelta(days=400)))
SUSPECTED = Stay(
    id="s-1",
    zone="inner",
    plate="A",
    vehicle=VehicleClass.INTERNAL,
    entered=NOW,
    counted_from=NOW,
    entry_lane="in",
    entry_passage="evidence",
    limit=None,
    judgement=Judgement.SUSPECTED,
)
BANNED = ListRow(
    list=ListName.BLACKLIST, plate="B", zone="inner", source=RowSource.GATE, note="overstay"
)
OVERSTAYED = replace(
    SUSPECTED, id="s-2", plate="B", entry_passage="banned", judgement=Judgement.OVERSTAYED
)


class House:
    """A database, a folder of pictures, and what keeps them."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.folder = folder
        self.store = store
        self.health = Health(SystemClock())

    def tidying(self, *, sends: bool = True, **settings: int) -> Tidying:
        return Tidying(
            StoreSettings.model_validate(
                {"path": self.folder / "gate.db", "pictures": self.folder / "pictures", **settings}
            ),
            store=self.store,
            pictures=Pictures(self.folder / "pictures"),
            health=self.health,
            sends=sends,
        )

    def picture(self, day: str, name: str, size: int = 1) -> None:
        file = self.folder / "pictures" / day / f"{name}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bytes(size))

    def pictures(self) -> set[str]:
        return {file.stem for file in (self.folder / "pictures").rglob("*.jpg")}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    store = await Store.opened(tmp_path / "gate.db")
    yield House(tmp_path, store)
    await store.close()


async def test_a_disk_that_is_nearly_full_is_an_alarm_until_it_is_not(house: House) -> None:
    await house.tidying(min_free_mb=10**12).look_at_the_disk()
    assert house.health.stands("disk_low", "disk")
    full_again = house.tidying(min_free_mb=16)
    await full_again.look_at_the_disk()

    assert not house.health.stands("disk_low", "disk")
    assert full_again.free_mb > 16


async def test_a_disk_that_is_not_there_is_an_alarm_and_no_failure(house: House) -> None:
    house.folder = house.folder / "gone"
    gone = house.tidying()
    await gone.look_at_the_disk()

    assert gone.free_mb == 0
    assert house.health.stands("disk_low", "disk")


async def test_row_35_old_events_and_pictures_go_and_the_log_says_so(house: House) -> None:
    await house.store.commit(Commit(records=(OLD,) * 250))
    await house.store.commit(Commit(records=(ALARM,)))
    await house.store.confirm(house.store.journal, 251)
    house.picture("2026-10-01", "old")
    house.picture("2026-11-22", "new")

    with structlog.testing.capture_logs() as logged:
        await house.tidying().tidy(NOW)

    assert await house.store.last_seq() == 251
    assert house.pictures() == {"new"}
    assert [(entry["event"], entry.get("events"), entry.get("gone")) for entry in logged] == [
        ("journal.pruned", 250, None),
        ("pictures.swept", None, 1),
    ]


async def test_row_35_pictures_of_open_cases_stay_until_these_are_closed(house: House) -> None:
    await house.store.commit(Commit(records=(), stays=(SUSPECTED, OVERSTAYED), listed=(BANNED,)))
    for name in ("evidence", "banned", "ordinary"):
        house.picture("2026-01-01", name)

    await house.tidying().tidy(NOW)
    while_open = house.pictures()
    await house.store.commit(Commit(records=(), removed=((None, "A"), (None, "B"))))
    await house.tidying().tidy(NOW)

    assert while_open == {"evidence", "banned"}
    assert house.pictures() == set()


async def test_row_35_with_a_clock_that_is_not_trusted_nothing_goes_by_date(house: House) -> None:
    await house.store.commit(Commit(records=(OLD,) * 250))
    await house.store.confirm(house.store.journal, 250)
    house.picture("1970-01-01", "old", 6_000_000)
    house.picture("1970-01-02", "newer", 6_000_000)

    await house.tidying(pictures_mb=10).tidy(replace(NOW, trusted=False))

    assert len([*journal.events(house.folder / "gate.db")]) == 250
    assert house.pictures() == {"newer"}


async def test_a_database_beyond_its_space_that_the_centre_does_not_confirm_is_an_alarm(
    house: House,
) -> None:
    huge = Record(fact=AlarmRaised(alarm="a", subject="s", detail="x" * 700_000), at=NOW)
    await house.store.commit(Commit(records=(huge,) * 100))
    keep = house.tidying(database_mb=64)
    await keep.tidy(NOW)
    raised = house.health.stands("store_large", "store")
    await house.store.confirm(house.store.journal, 100)
    await keep.tidy(NOW)

    assert raised
    assert not house.health.stands("store_large", "store")


async def test_without_a_centre_a_database_stays_within_its_space(house: House) -> None:
    huge = Record(fact=AlarmRaised(alarm="a", subject="s", detail="x" * 700_000), at=NOW)
    await house.store.commit(Commit(records=(huge,) * 100))

    await house.tidying(database_mb=64, sends=False).tidy(NOW)

    assert not house.health.stands("store_large", "store")


async def test_damage_is_an_alarm(house: House) -> None:
    await house.store.commit(Commit(records=(ALARM,) * 300))
    await house.store.close()
    _scratch(house.folder / "gate.db")
    house.store = await Store.opened(house.folder / "gate.db")

    await house.tidying().check()
    await house.store.close()

    assert house.health.stands("store_unsound", "store")


def _scratch(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 8192 * 4096)
        file.write(b"\xff" * 8192)


async def test_a_store_that_is_not_open_is_told_in_the_log_and_hinders_nothing(
    house: House,
) -> None:
    house.store = Store.at(house.folder / "other.db")
    keep = house.tidying()
    with structlog.testing.capture_logs() as logged:
        await keep.tidy(NOW)
        await keep.check()

    assert [(entry["event"], entry["what"]) for entry in logged] == [
        ("disk.not_kept", "pruning"),
        ("disk.not_kept", "checking"),
    ]


async def test_pictures_make_room_for_a_store_that_cannot_be_opened_for_want_of_it(
    house: House,
) -> None:
    await house.store.commit(Commit(records=(), stays=(SUSPECTED,)))
    for name in ("evidence", "ordinary"):
        house.picture("2026-11-22", name)
    await house.tidying().tidy(NOW)
    await house.store.close()
    house.store = Store.at(house.folder / "gate.db")

    await house.tidying(min_free_mb=10**9).tidy(NOW)

    assert house.pictures() == {"evidence"}


async def test_a_store_that_hangs_is_waited_for_no_longer_than_may_be(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    class HangingStore(Store):
        async def check(self, rest_s: float = 0.0) -> None:
            await asyncio.Event().wait()

    monkeypatch.setattr(tidying, "CHECK_S", 0.01)
    house.store = HangingStore.at(house.folder / "other.db")

    with structlog.testing.capture_logs() as logged:
        await house.tidying().check()

    assert [entry["event"] for entry in logged] == ["disk.not_kept"]


async def test_the_house_is_kept_in_turn(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "PAUSE_S", 0.0)
    monkeypatch.setattr(housekeeping, "CHECK_FIRST_S", 0.0)
    done: list[str] = []
    checked = asyncio.Event()

    class Told(Tidying):
        async def look_at_the_disk(self) -> None:
            done.append("look")

        async def tidy(self, now: Instant) -> None:
            done.append("tidy")

        async def check(self) -> None:
            done.append("check")
            checked.set()

    keep = Told(
        StoreSettings(path=house.folder / "gate.db", pictures=house.folder),
        store=house.store,
        pictures=Pictures(house.folder),
        health=house.health,
        sends=True,
    )
    task = asyncio.create_task(
        Housekeeping(
            ZoneInfo("Asia/Shanghai"),
            tidying=keep,
            zones=cast(Zones, None),  # no day ends here
            clock=SystemClock(),
        ).run()
    )
    await checked.wait()
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert done[:3] == ["look", "tidy", "check"]
    assert (done.count("tidy"), done.count("check")) == (1, 1)
