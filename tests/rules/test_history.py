"""What is remembered of plates that are no longer inside, and for how long."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.model import (
    Admits,
    Doubt,
    Instant,
    Limit,
    NotedDoubt,
    Stay,
    StayEnd,
    VehicleClass,
    ZonePolicy,
)
from gatekeeper.rules.history import (
    CONFLICT_S,
    NOTHING,
    Known,
    is_in_conflict,
    later,
    look_back_s,
    matters,
    recalled,
)

DAY_S = 86_400.0
NOW = Instant(boot_id="b", boot_s=100.0, wall=datetime(2026, 11, 23, 9, tzinfo=UTC), trusted=True)
LIMIT = Limit(limit_s=600, warning_s=120, grace_s=60)
HALL = ZonePolicy(zone="hall", admits=Admits.REGISTERED, capacity=60, limit=LIMIT)


def cooling(seconds: float) -> ZonePolicy:
    return replace(HALL, cooldown_s=seconds)


def ended(ago_s: float, *, twice: bool = False, boot: str = "a", trusted: bool = True) -> Stay:
    """A stay that ended so long ago, in the life of the controller before this one."""
    boot_s = NOW.boot_s - ago_s if boot == NOW.boot_id else 9e9
    wall = NOW.wall - timedelta(seconds=ago_s)
    at = Instant(boot_id=boot, boot_s=boot_s, wall=wall, trusted=trusted)
    return Stay(
        id="s1",
        zone="hall",
        plate="京A12345",
        vehicle=VehicleClass.INTERNAL,
        entered=at,
        counted_from=at,
        entry_lane="in",
        entry_passage="p1",
        limit=LIMIT,
        noted=(NotedDoubt(doubt=Doubt.PLATE_CONFLICT, at=at),) if twice else (),
        ended=at,
        end=StayEnd.EXITED,
    )


def test_at_a_start_ended_stays_are_recalled_as_far_back_as_any_zone_looks() -> None:
    assert look_back_s([]) == CONFLICT_S == DAY_S
    assert look_back_s([HALL, cooling(3600)]) == DAY_S
    assert look_back_s([HALL, cooling(3 * DAY_S)]) == 3 * DAY_S


def test_across_boots_a_trusted_wall_clock_says_how_long_ago_it_left() -> None:
    assert recalled(ended(2 * DAY_S), NOW) == Known(left_at=100.0 - 2 * DAY_S)


@pytest.mark.parametrize(("then", "now"), [(False, True), (True, False)])
def test_without_trust_it_left_just_now(then: bool, now: bool) -> None:
    known = recalled(ended(3600.0, twice=True, trusted=then), replace(NOW, trusted=now))
    assert known == Known(left_at=100.0, twice_at=100.0)


def test_within_one_boot_the_boot_clock_says_it_whatever_the_wall_clocks_say() -> None:
    stepped = replace(NOW, wall=NOW.wall + timedelta(days=9), trusted=False)
    assert recalled(ended(60.0, boot="b"), stepped) == Known(left_at=40.0)


def test_a_stay_from_the_future_ended_just_now() -> None:
    assert recalled(ended(-60.0), NOW) == Known(left_at=100.0)


def test_a_conflict_is_recalled_with_the_stay_that_had_it() -> None:
    known = recalled(ended(3600.0, twice=True), NOW)
    assert is_in_conflict(known, 99.0 - 3600.0 + CONFLICT_S)
    assert not is_in_conflict(known, 100.0 - 3600.0 + CONFLICT_S)
    assert not is_in_conflict(recalled(ended(3600.0), NOW), 100.0)


def test_of_two_stays_the_later_moments_count() -> None:
    one, other = Known(left_at=5.0), Known(left_at=3.0, twice_at=3.0)
    assert later(one, other) == later(other, one) == Known(left_at=5.0, twice_at=3.0)
    assert later(NOTHING, one) == one


@pytest.mark.parametrize(("at", "matter"), [(49.9 + 2 * DAY_S, True), (50.0 + 2 * DAY_S, False)])
def test_when_it_left_matters_until_the_cooldown_is_over(at: float, matter: bool) -> None:
    assert matters(Known(left_at=50.0), cooling(2 * DAY_S), at) is matter


def test_where_no_cooldown_holds_it_does_not_matter_when_it_left() -> None:
    assert not matters(Known(left_at=50.0), HALL, 50.0)
    assert not matters(Known(left_at=50.0), None, 50.0)
    assert not matters(NOTHING, cooling(DAY_S), 0.0)


@pytest.mark.parametrize("policy", [HALL, None])
def test_a_conflict_matters_for_a_day_in_any_zone(policy: ZonePolicy | None) -> None:
    assert matters(Known(twice_at=50.0), policy, 49.9 + CONFLICT_S)
    assert not matters(Known(twice_at=50.0), policy, 50.0 + CONFLICT_S)


@given(st.floats(0, 8 * DAY_S), st.floats(0, 7 * DAY_S), st.booleans())
def test_what_a_start_does_not_recall_does_not_matter(
    ago_s: float, cooldown_s: float, twice: bool
) -> None:
    policy = cooling(cooldown_s)
    if ago_s > look_back_s([policy]):
        assert not matters(recalled(ended(ago_s, twice=twice), NOW), policy, NOW.boot_s)
