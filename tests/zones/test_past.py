"""What is remembered of plates that are no longer inside."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gatekeeper.model import Blemish, Doubt, Instant, Limit, Stay, StayEnd, VehicleClass
from gatekeeper.zones.past import CONFLICT_S, Past

CAR = "京A12345"
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
        blemishes=(Blemish(doubt=Doubt.PLATE_CONFLICT, at=at),) if twice else (),
        ended=at,
        end=StayEnd.EXITED,
    )


@pytest.fixture
def past() -> Past:
    return Past()


def test_of_a_plate_that_never_left_nothing_is_known(past: Past) -> None:
    assert past.left_at("hall", CAR) is None
    assert not past.is_in_conflict("hall", CAR, 0.0)


def test_a_plate_that_left_is_remembered_in_its_zone(past: Past) -> None:
    past.left("hall", CAR, 50.0)
    assert past.left_at("hall", CAR) == 50.0
    assert past.left_at("car_park", CAR) is None


def test_a_plate_that_was_inside_twice_is_in_conflict_for_a_day(past: Past) -> None:
    past.was_inside_twice("hall", CAR, 50.0)
    assert past.is_in_conflict("hall", CAR, 49.0 + CONFLICT_S)
    assert not past.is_in_conflict("hall", CAR, 50.0 + CONFLICT_S)
    assert not past.is_in_conflict("car_park", CAR, 50.0)


def test_after_a_start_a_trusted_wall_clock_says_how_long_ago_it_left(past: Past) -> None:
    past.recall([ended(3600.0)], NOW)
    assert past.left_at("hall", CAR) == 100.0 - 3600.0


def test_after_a_start_without_trust_it_left_just_now(past: Past) -> None:
    past.recall([ended(3600.0, twice=True)], replace(NOW, trusted=False))
    assert past.left_at("hall", CAR) == 100.0
    assert past.is_in_conflict("hall", CAR, 99.0 + CONFLICT_S)


def test_a_conflict_outlives_a_start(past: Past) -> None:
    past.recall([ended(3600.0, twice=True)], NOW)
    assert past.is_in_conflict("hall", CAR, 99.0 - 3600.0 + CONFLICT_S)
    assert not past.is_in_conflict("hall", CAR, 100.0 - 3600.0 + CONFLICT_S)
