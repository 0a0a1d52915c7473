"""Cameras that are exchanged show themselves by what cannot be."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.model import Direction
from gatekeeper.rules.exchanged import EXCHANGED, RIGHTED, Seen, crossed

IN, OUT = Direction.ENTRY, Direction.EXIT


def seen(*passages: tuple[Direction, bool], before: Seen | None = None) -> Seen:
    """After these: the way, and whether the plate was inside."""
    result = before or Seen()
    for direction, inside in passages:
        result = crossed(result, direction, inside=inside)
    return result


WRONG_IN, WRONG_OUT = (IN, True), (OUT, False)
FITS = ((IN, False), (OUT, True))


def test_some_of_both_kinds_are_suspected_and_more_are_an_alarm() -> None:
    assert not seen(WRONG_IN, WRONG_OUT).suspected
    assert seen(WRONG_IN, WRONG_OUT, WRONG_OUT).suspected
    assert not seen(*[WRONG_OUT] * 4, WRONG_IN).exchanged
    assert seen(*[WRONG_OUT] * 4, WRONG_IN, WRONG_IN).exchanged


def test_cars_that_leave_without_having_come_are_no_sign_of_it_alone() -> None:
    assert not seen(*[WRONG_OUT] * 50).suspected


def test_three_that_fit_in_a_row_make_up_for_all() -> None:
    before = seen(*[WRONG_OUT, WRONG_IN] * 5)
    assert seen(*FITS, before=before).exchanged
    assert seen(*FITS, WRONG_IN, *FITS, before=before).exchanged
    assert seen(*FITS, FITS[0], before=before) == Seen()


@given(st.lists(st.tuples(st.sampled_from(Direction), st.booleans())))
def test_what_is_exchanged_is_suspected_and_neither_without_both_kinds(
    passages: Iterable[tuple[Direction, bool]],
) -> None:
    result = seen(*passages)
    assert result.suspected or not result.exchanged
    assert not result.exchanged or result.entries + result.exits >= EXCHANGED
    assert result.fitted < RIGHTED
