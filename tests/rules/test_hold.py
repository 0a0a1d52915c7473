"""Why a boom is kept up, and when that ends."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.model import Hold, HoldReason, Instant, Reason
from gatekeeper.rules import hold
from gatekeeper.rules.hold import Standing

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def at(seconds: float, boot: str = "boot", *, trusted: bool = True) -> Instant:
    wall = NOON + timedelta(seconds=seconds)
    return Instant(boot_id=boot, boot_s=100.0 + seconds, wall=wall, trusted=trusted)


ORDERED = Hold(lane="exit", reason=HoldReason.ORDER, order="o", by="Lin", why="a film", begun=at(0))
FLEET = replace(ORDERED, reason=HoldReason.FLEET, vehicles=3, lasts_s=600.0)

holds = st.builds(
    Hold,
    lane=st.just("exit"),
    reason=st.sampled_from([HoldReason.ORDER, HoldReason.FLEET]),
    order=st.just("o"),
    by=st.just("Lin"),
    why=st.just(""),
    begun=st.builds(at, st.floats(0, 1000), st.sampled_from(["boot", "before"])),
    lasts_s=st.none() | st.floats(0, 1000),
    vehicles=st.none() | st.integers(0, 9),
)
standings = st.builds(
    Standing,
    fire=st.booleans(),
    holds=st.tuples(holds),
    stale_camera=st.booleans(),
    lane_failed=st.booleans(),
)


def test_without_a_reason_no_boom_is_kept_up() -> None:
    assert hold.reasons(Standing()) == ()
    assert hold.admits_as(()) is None


def test_the_strongest_reason_comes_first() -> None:
    standing = Standing(fire=True, holds=(FLEET, ORDERED), stale_camera=True, lane_failed=True)

    assert hold.reasons(standing) == tuple(HoldReason)


@given(standings)
def test_a_fire_is_above_every_other_reason(standing: Standing) -> None:
    found = hold.reasons(standing)

    assert (hold.admits_as(found) is Reason.FIRE) == standing.fire
    assert set(found) <= set(hold.reasons(replace(standing, fire=True)))


def test_an_order_without_an_end_holds_until_it_is_released() -> None:
    assert hold.ends_at(ORDERED, at(0)) is None
    assert hold.until(ORDERED) is None
    assert not hold.is_over(ORDERED, at(10**9))


def test_a_hold_is_over_when_its_time_is() -> None:
    timed = replace(ORDERED, lasts_s=600.0)

    assert hold.until(timed) == NOON + timedelta(minutes=10)
    assert hold.ends_at(timed, at(30)) == 700.0
    assert not hold.is_over(timed, at(599.9))
    assert hold.is_over(timed, at(600))


def test_a_step_of_the_wall_clock_ends_no_hold() -> None:
    timed = replace(ORDERED, lasts_s=600.0)
    stepped = replace(at(30), wall=NOON + timedelta(days=1))

    assert not hold.is_over(timed, stepped)


def test_after_a_reboot_the_wall_clock_says_what_is_left() -> None:
    timed = replace(ORDERED, lasts_s=600.0)
    rebooted = replace(at(400, "another"), boot_s=7.0)

    assert hold.ends_at(timed, rebooted) == 207.0
    assert hold.is_over(timed, replace(rebooted, wall=NOON + timedelta(seconds=601)))


@pytest.mark.parametrize(("then", "now"), [(False, True), (True, False)])
def test_after_a_reboot_without_a_trusted_clock_a_hold_goes_on(then: bool, now: bool) -> None:
    timed = replace(ORDERED, lasts_s=600.0, begun=at(0, trusted=then))

    assert not hold.is_over(timed, at(10**6, "another", trusted=now))


def test_a_fleet_is_over_when_its_last_vehicle_has_passed_or_its_time_is() -> None:
    (after_two,) = hold.passed([FLEET], 2)

    assert after_two.vehicles == 1
    assert not hold.is_over(after_two, at(599))
    assert hold.is_over(after_two, at(600))
    (after_three,) = hold.passed([after_two], 1)
    assert hold.is_over(after_three, at(0))


@given(holds, st.integers(0, 20), st.integers(0, 20))
def test_vehicles_are_counted_down_and_never_below_none(one: Hold, some: int, more: int) -> None:
    together = hold.passed([one], some + more)
    apart = hold.passed(hold.passed([one], some), more)

    assert together == apart
    assert all(each.vehicles is None or each.vehicles >= 0 for each in together)


@given(holds, st.floats(0, 3000), st.floats(0, 3000))
def test_what_is_over_stays_over_within_one_boot(one: Hold, sooner: float, later: float) -> None:
    if hold.is_over(one, at(min(sooner, later))):
        assert hold.is_over(one, at(max(sooner, later)))


@given(holds, st.floats(0, 1500))
def test_a_hold_is_over_at_the_moment_it_names_and_not_before(one: Hold, seconds: float) -> None:
    now = at(seconds)
    ends = hold.ends_at(one, now)
    by_time = replace(one, vehicles=None)

    assert hold.is_over(by_time, now) == (ends is not None and ends <= now.boot_s)
