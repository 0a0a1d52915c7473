"""How long a picture of a stream may take, by what was seen of it."""

import pytest

from gatekeeper.drivers.intervals import KEY_S, Intervals

LIMIT_S = 2.0


def seen(*moments: float, patience_s: float = KEY_S) -> Intervals:
    """A stream that is opened at 0 s and gives its pictures at these moments."""
    intervals = Intervals(patience_s)
    intervals.opened(0.0)
    for moment in moments:
        intervals.came(moment)
    return intervals


def every(seconds: float, times: int, first: float = 0.5) -> list[float]:
    return [first + n * seconds for n in range(times)]


def test_while_nothing_is_known_a_key_frame_is_waited_for() -> None:
    assert seen().may_take_s(LIMIT_S) == KEY_S
    assert seen(0.5).may_take_s(LIMIT_S) == KEY_S


def test_pictures_that_waited_in_a_buffer_say_nothing() -> None:
    assert seen(0.5, 0.51, 0.52).may_take_s(LIMIT_S) == KEY_S


def test_a_stream_of_many_pictures_hangs_after_the_limit_that_is_configured() -> None:
    assert seen(*every(0.04, 20)).may_take_s(LIMIT_S) == LIMIT_S


@pytest.mark.parametrize("interval_s", [3.0, 5.0, 10.0])
def test_row_53_a_stream_of_rare_pictures_hangs_after_half_as_long_again(
    interval_s: float,
) -> None:
    assert seen(*every(interval_s, 3)).may_take_s(LIMIT_S) == 1.5 * interval_s


def test_an_interval_is_forgotten_when_pictures_come_faster() -> None:
    assert seen(*every(5.0, 3), *every(0.1, 20, first=11.0)).may_take_s(LIMIT_S) == LIMIT_S


def test_the_next_opening_is_given_what_this_one_took() -> None:
    assert seen(*every(0.04, 20)).next_patience_s(LIMIT_S) == LIMIT_S
    assert seen(*every(0.04, 20, first=4.0)).next_patience_s(LIMIT_S) == 6.0
    assert seen(*every(3.0, 3)).next_patience_s(LIMIT_S) == 4.5
    assert seen(*every(10.0, 3)).next_patience_s(LIMIT_S) == KEY_S
    assert seen().next_patience_s(LIMIT_S) == KEY_S, "it gave none: its key frames may be rare"
