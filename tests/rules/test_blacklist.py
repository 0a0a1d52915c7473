from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from gatekeeper.model import (
    Doubt,
    Instant,
    Limit,
    ListName,
    NotedDoubt,
    RowSource,
    Stay,
    VehicleClass,
)
from gatekeeper.rules import blacklist

AT = Instant(boot_id="a", boot_s=700.0, wall=datetime(2026, 11, 23, 9, tzinfo=UTC), trusted=True)
STAY = Stay(
    id="s1",
    zone="visitors",
    plate="京A12345",
    vehicle=VehicleClass.INTERNAL,
    entered=replace(AT, boot_s=0.0),
    counted_from=replace(AT, boot_s=0.0),
    entry_lane="inner-entry",
    entry_passage="p1",
    limit=Limit(limit_s=600, warning_s=120, grace_s=60),
)


def test_a_certain_overstay_bans_the_plate_from_the_zone_at_once() -> None:
    row = blacklist.row_for(STAY, AT)

    assert (row.list, row.plate, row.zone) == (ListName.BLACKLIST, "京A12345", "visitors")
    assert row.source is RowSource.GATE
    assert "s1" in row.note
    assert row.valid_at(AT.wall)


@pytest.mark.parametrize("doubt", list(Doubt))
def test_a_stay_with_any_doubt_never_blacklists(doubt: Doubt) -> None:
    with pytest.raises(ValueError, match=doubt.value):
        blacklist.row_for(replace(STAY, noted=(NotedDoubt(doubt=doubt, at=AT),)), AT)


def test_a_row_lasts_until_it_is_taken_off_unless_the_site_gives_it_days() -> None:
    assert blacklist.row_for(STAY, AT).valid_until is None

    row = blacklist.row_for(STAY, AT, 30)
    assert row.valid_until == AT.wall + timedelta(days=30)
    assert row.valid_from is None


def test_its_note_tells_the_time_of_the_site() -> None:
    china = timezone(timedelta(hours=8))
    when = AT.wall.astimezone(china).strftime("%Y-%m-%d %H:%M")
    assert blacklist.row_for(STAY, AT, local=china).note.endswith(f"{when}+08:00")


def test_by_a_clock_that_is_not_trusted_a_row_has_no_end() -> None:
    assert blacklist.row_for(STAY, replace(AT, trusted=False), 30).valid_until is None


@pytest.mark.parametrize(
    "stay",
    [
        replace(STAY, vehicle=VehicleClass.VISITOR),
        replace(STAY, vehicle=VehicleClass.EXEMPT),
        replace(STAY, limit=None),
        replace(STAY, plate="冀B1234挂"),
        replace(STAY, plate="CAM03"),
    ],
    ids=["visitor", "exempt", "no limit", "trailer", "no plate"],
)
def test_no_one_is_blacklisted_whom_no_limit_binds(stay: Stay) -> None:
    assert blacklist.objections(stay)
    with pytest.raises(ValueError, match="may not blacklist"):
        blacklist.row_for(stay, AT)
