"""Plates that resemble one another: the wide relation, which only ever withholds certainty."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.model import PROVINCES
from gatekeeper.rules import plate

SERIAL = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"

plates = st.one_of(
    st.from_regex(f"[{PROVINCES}][A-HJ-Z][A-HJ-NP-Z0-9]{{5}}", fullmatch=True),
    st.from_regex(f"[{PROVINCES}][A-HJ-Z][A-HJK][0-9]{{5}}", fullmatch=True),
    st.from_regex(f"WJ[{PROVINCES}][0-9]{{5}}", fullmatch=True),
    st.from_regex(f"[{PROVINCES}]A[0-9]{{4}}[学挂警]", fullmatch=True),
)


EVERY = f"{PROVINCES}ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789学挂警港澳领使应急民航试超临消边通森金电"


def one_away(text: str) -> set[str]:
    """Every text with one character swapped, one added or one lost."""
    return {
        text[:place] + character + text[place + skipped :]
        for place in range(len(text) + 1)
        for character in ("", *EVERY)
        for skipped in (0, 1)
    }


@given(plates)
def test_resembling_is_symmetric_and_never_with_itself(text: str) -> None:
    others = plate.resembling(text)

    assert text not in others
    assert all(text in plate.resembling(other) for other in others)


@given(plates)
def test_every_look_alike_resembles(text: str) -> None:
    assert plate.look_alikes(text) <= plate.resembling(text)


@given(plates)
def test_what_resembles_is_a_plate_in_normal_form_that_is_one_character_away(text: str) -> None:
    for other in plate.resembling(text):
        assert plate.kind_of(other) is not None
        assert plate.normalise(other) == other
        assert other in one_away(text)


@given(plates)
def test_every_plate_that_is_one_character_away_resembles(text: str) -> None:
    assert plate.resembling(text) == {
        other for other in one_away(text) if plate.kind_of(other) and other != text
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("京A12345", "京A12845"),
        ("京A12345", "京A72345"),
        ("京A1B345", "京A1R345"),
        ("浙A12345", "沪A12345"),
        ("湘A12345", "赣A12345"),
        ("京A1234S", "京A12345"),
        ("京A12345", "京A12W45"),
        ("京A12345", "沪A12345"),
        ("京A12345", "京H12345"),
        ("京A1234U", "京A12340"),
        ("京AD12345", "京A12345"),
        ("京A12345", "京A12345F"),
        ("京A1234学", "京A12345"),
    ],
)
def test_whatever_one_character_is_swapped_lost_or_added_resembles(one: str, other: str) -> None:
    assert other in plate.resembling(one)
    assert one in plate.resembling(other)


def test_two_characters_that_differ_do_not_resemble() -> None:
    assert not {"京A12W44", "沪B12345", "京A1234"} & plate.resembling("京A12345")


@pytest.mark.parametrize("text", ["京A12345", "沪B88888", "粤B00069", "浙AD12345", "京A1234临"])
def test_few_enough_resemble_a_plate_to_ask_a_list_for_them_at_once(text: str) -> None:
    assert len(plate.resembling(text)) <= 450
