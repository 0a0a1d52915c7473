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


@given(plates)
def test_resembling_is_symmetric_and_never_with_itself(text: str) -> None:
    others = plate.resembling(text)

    assert text not in others
    assert all(text in plate.resembling(other) for other in others)


@given(plates)
def test_every_look_alike_resembles(text: str) -> None:
    assert plate.look_alikes(text) <= plate.resembling(text)


@given(plates)
def test_what_resembles_is_a_plate_in_normal_form_that_differs_in_one_character(text: str) -> None:
    for other in plate.resembling(text):
        assert plate.kind_of(other) is not None
        assert plate.normalise(other) == other
        assert sum(one != two for one, two in zip(text, other, strict=True)) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("京A12345", "京A12845"),
        ("京A12345", "京A72345"),
        ("京A1B345", "京A1R345"),
        ("浙A12345", "沪A12345"),
        ("湘A12345", "赣A12345"),
        ("京A1234S", "京A12345"),
    ],
)
def test_what_a_reader_might_swap_resembles(one: str, other: str) -> None:
    assert other in plate.resembling(one)


def test_characters_of_different_outline_do_not_resemble() -> None:
    assert not {"京A12W45", "沪A12345", "京A14345"} & plate.resembling("京A12345")


@pytest.mark.parametrize("text", ["京A12345", "沪B88888", "粤B00069", "浙AD12345"])
def test_few_enough_resemble_a_plate_to_ask_a_list_for_them_at_once(text: str) -> None:
    assert len(plate.resembling(text)) <= 35
