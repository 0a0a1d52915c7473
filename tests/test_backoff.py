from itertools import accumulate, repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.backoff import Backoff, jittered

SECONDS = st.floats(0.01, 1e6)


def _pauses(backoff: Backoff, count: int) -> list[float]:
    return list(accumulate(repeat(0.0, count), lambda pause, _: backoff.after(pause)))[1:]


def test_each_pause_is_twice_the_one_before_up_to_the_last() -> None:
    assert _pauses(Backoff(first_s=1.0, last_s=5.0), 6) == [1.0, 2.0, 4.0, 5.0, 5.0]


@given(SECONDS, SECONDS, SECONDS)
def test_no_pause_is_shorter_than_the_first_or_longer_than_the_last(
    first_s: float, more_s: float, before_s: float
) -> None:
    backoff = Backoff(first_s=first_s, last_s=first_s + more_s)

    assert backoff.first_s <= backoff.after(before_s) <= backoff.last_s


@pytest.mark.parametrize(("chance", "pause_s"), [(0.0, 2.0), (0.5, 3.0), (1.0, 4.0)])
def test_chance_shortens_a_pause_to_half_at_most(chance: float, pause_s: float) -> None:
    assert jittered(4.0, chance) == pause_s
