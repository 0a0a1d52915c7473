"""What is remembered of plates that are no longer inside."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

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
from gatekeeper.rules.history import CONFLICT_S
from gatekeeper.zones.history import History

CAR = "京A12345"
COOLDOWN_S = 3 * 86_400.0
HALL = ZonePolicy(
    zone="hall",
    admits=Admits.REGISTERED,
    capacity=60,
    limit=Limit(limit_s=600, warning_s=120, grace_s=60),
)
NOW = Instant(boot_id="b", boot_s=100.0, wall=datetime(2026, 11, 23, 9, tzinfo=UTC), trusted=True)


def ended(ago_s: float, *, twice: bool = False) -> Stay:
    """A stay that ended so long ago, in the life of the controller before this one."""
    at = Instant(boot_id="a", boot_s=9e9, wall=NOW.wall - timedelta(seconds=ago_s), trusted=True)
    return Stay(
        id="s1",
        zone="hall",
        plate=CAR,
        vehicle=VehicleClass.INTERNAL,
        entered=at,
        counted_from=at,
        entry_lane="in",
        entry_passage="p1",
        limit=Limit(limit_s=600, warning_s=120, grace_s=60),
        noted=(NotedDoubt(doubt=Doubt.PLATE_CONFLICT, at=at),) if twice else (),
        ended=at,
        end=StayEnd.EXITED,
    )


@pytest.fixture
def history() -> History:
    return History({"hall": replace(HALL, cooldown_s=COOLDOWN_S)})


def test_of_a_plate_that_never_left_nothing_is_known(history: History) -> None:
    assert history.left_at("hall", CAR) is None
    assert not history.is_in_conflict("hall", CAR, 0.0)


def test_a_plate_that_left_is_remembered_in_its_zone(history: History) -> None:
    history.left("hall", CAR, 50.0)
    assert history.left_at("hall", CAR) == 50.0
    assert history.left_at("car_park", CAR) is None


def test_a_plate_that_was_inside_twice_is_in_conflict_for_a_day(history: History) -> None:
    history.was_inside_twice("hall", CAR, 50.0)
    assert history.is_in_conflict("hall", CAR, 49.0 + CONFLICT_S)
    assert not history.is_in_conflict("hall", CAR, 50.0 + CONFLICT_S)
    assert not history.is_in_conflict("car_park", CAR, 50.0)


def test_after_a_start_a_trusted_wall_clock_says_how_long_ago_it_left(history: History) -> None:
    history.recall([ended(3600.0)], NOW)
    assert history.left_at("hall", CAR) == 100.0 - 3600.0


def test_after_a_start_without_trust_it_left_just_now(history: History) -> None:
    history.recall([ended(3600.0, twice=True)], replace(NOW, trusted=False))
    assert history.left_at("hall", CAR) == 100.0
    assert history.is_in_conflict("hall", CAR, 99.0 + CONFLICT_S)


def test_a_conflict_outlives_a_start(history: History) -> None:
    history.recall([ended(3600.0, twice=True)], NOW)
    assert history.is_in_conflict("hall", CAR, 99.0 - 3600.0 + CONFLICT_S)
    assert not history.is_in_conflict("hall", CAR, 100.0 - 3600.0 + CONFLICT_S)


def test_a_cooldown_longer_than_a_day_outlives_a_start(history: History) -> None:
    assert history.look_back_s == COOLDOWN_S
    history.recall([ended(2 * 86_400.0)], NOW)
    assert history.left_at("hall", CAR) == 100.0 - 2 * 86_400.0


def test_what_cannot_matter_any_more_is_forgotten_and_nothing_else(history: History) -> None:
    history.left("hall", CAR, 50.0)
    history.left("car_park", CAR, 50.0)
    history.was_inside_twice("car_park", "沪B67890", 50.0)
    history.forget(60.0)
    assert history.left_at("hall", CAR) == 50.0
    assert len(history) == 2

    history.forget(50.0 + COOLDOWN_S)
    assert len(history) == 0
