import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.alphabet import encoded, greedy
from training.labels import INSTANTS, UNKNOWN, aligned, unaligned, usual_centres


@given(st.text("京A1188", min_size=7, max_size=8))
def test_targets_spell_the_text_even_where_characters_repeat(text: str) -> None:
    instants = aligned(encoded(text), usual_centres(len(text)))

    assert greedy(instants.tolist()) == text


def test_a_character_stands_where_its_middle_is() -> None:
    (symbol,) = encoded("京")

    instants = aligned([symbol], [0.5])

    assert np.nonzero(instants)[0].tolist() == [19, 20, 21]


def test_a_character_beyond_the_edge_disturbs_nothing() -> None:
    instants = aligned(encoded("京A"), [-0.2, 0.5])

    assert greedy(instants.tolist()) == "A"


def test_where_no_one_measured_nothing_is_taught() -> None:
    assert unaligned().tolist() == [UNKNOWN] * INSTANTS


@pytest.mark.parametrize("length", [5, 7, 8])
def test_usual_places_lie_on_the_plate_from_left_to_right(length: int) -> None:
    places = usual_centres(length)

    assert len(places) == length
    assert list(places) == sorted(places)
    assert 0 < places[0] < places[-1] < 1


@pytest.mark.parametrize("length", [7, 8])
def test_the_gap_is_behind_the_second_character(length: int) -> None:
    gaps = np.diff(usual_centres(length))

    assert gaps.argmax() == 1
