"""Two clocks are compared."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.model import Instant
from gatekeeper.rules.clocks import jumped_s

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
BEFORE = Instant(boot_id="a", boot_s=100.0, wall=NINE, trusted=True)


def after(boot_s: float, wall_s: float) -> Instant:
    wall = NINE + timedelta(seconds=wall_s)
    return replace(BEFORE, boot_s=BEFORE.boot_s + boot_s, wall=wall)


def test_two_clocks_that_go_alike_have_not_jumped() -> None:
    assert jumped_s(BEFORE, after(10, 10)) == 0.0


def test_a_wall_clock_that_was_set_forward_has_jumped_so_far() -> None:
    assert jumped_s(BEFORE, after(10, 3610)) == 3600.0


def test_one_that_was_set_back_has_jumped_less_than_nothing() -> None:
    assert jumped_s(BEFORE, after(10, -20)) == -30.0


def test_across_a_boot_there_is_nothing_to_compare_with() -> None:
    assert jumped_s(BEFORE, replace(after(10, 3610), boot_id="b")) == 0.0


@given(st.integers(0, 10**6), st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6))
def test_jumps_add_up(lasts_s: int, one_s: int, other_s: int) -> None:
    between = after(lasts_s, lasts_s + one_s)
    last = after(2 * lasts_s, 2 * lasts_s + one_s + other_s)

    assert jumped_s(BEFORE, between) + jumped_s(between, last) == jumped_s(BEFORE, last)
