import numpy as np
import pytest

from gatekeeper.lpr.decode import Reading, decoded, doubted, softened, worth
from gatekeeper.lpr.session import Floats

ABC = ("A", "B", "京")


def shares(*instants: tuple[int, float]) -> Floats:
    """At each instant one symbol (0 is the blank) with its share; the rest is spread evenly."""
    rows = np.zeros((len(instants), 4), np.float32)
    for row, (symbol, share) in zip(rows, instants, strict=True):
        row[:] = (1 - share) / 3
        row[symbol] = share
    return rows


def test_a_run_of_one_symbol_is_one_character() -> None:
    assert decoded(shares((1, 0.9), (1, 0.9), (2, 0.9)), ABC).text == "AB"


def test_a_blank_between_them_makes_two_of_one_symbol() -> None:
    assert decoded(shares((1, 0.9), (0, 0.9), (1, 0.9)), ABC).text == "AA"


def test_blanks_alone_are_no_text() -> None:
    reading = decoded(shares((0, 0.9), (0, 0.8)), ABC)

    assert reading.text == ""
    assert reading.confidences == ()


def test_a_character_is_as_sure_as_its_best_instant() -> None:
    reading = decoded(shares((3, 0.6), (3, 0.95), (3, 0.7), (0, 0.9), (2, 0.5)), ABC)

    assert reading.text == "京B"
    assert reading.confidences == pytest.approx((0.95, 0.5))


def test_a_confidence_is_never_above_one() -> None:
    above = np.array([[0.0, 1.0000001, 0.0, 0.0]], np.float32)

    assert decoded(above, ABC).confidences == (1.0,)


def test_no_instants_are_no_text() -> None:
    assert decoded(np.zeros((0, 4), np.float32), ABC).text == ""


def test_what_another_look_saw_otherwise_is_less_sure() -> None:
    best = Reading(text="京AB", confidences=(0.9, 0.99, 0.8))
    other = Reading(text="京BB", confidences=(0.5, 0.99, 0.7))
    shorter = Reading(text="京B", confidences=(0.9, 0.9))

    assert doubted(best, [best, other, shorter]) == Reading(
        text="京AB", confidences=(0.9, 0.5, 0.8)
    )


def test_the_next_best_character_stands_beside_each() -> None:
    told = shares((1, 0.6), (0, 0.9), (3, 0.6))
    told[0, 2], told[2, 1] = 0.3, 0.2
    reading = decoded(told, ABC)

    assert (reading.text, reading.others) == ("A京", ("B", "A"))


def test_where_no_other_character_has_a_share_there_is_none() -> None:
    assert decoded(shares((1, 1.0)), ABC).others == ("",)


def test_the_rows_of_a_plate_are_one_reading() -> None:
    upper = Reading(text="京A", confidences=(0.9, 0.8), others=("B", ""))
    lower = Reading(text="B", confidences=(0.7,), others=("A",))

    assert upper + lower == Reading(text="京AB", confidences=(0.9, 0.8, 0.7), others=("B", "", "A"))


def test_a_temperature_softens_shares_and_leaves_their_order() -> None:
    told = shares((1, 0.97), (2, 0.6))
    warm = softened(told, 2.0)

    assert softened(told, 1.0) is told
    assert warm.sum(axis=1) == pytest.approx([1.0, 1.0])
    assert decoded(warm, ABC).text == decoded(told, ABC).text
    assert decoded(warm, ABC).confidences[0] < 0.9


def test_a_confidence_is_worth_what_was_measured_between_the_points() -> None:
    reading = Reading(text="AB京", confidences=(0.5, 0.95, 1.0))

    assert worth(reading, ()) == reading
    assert worth(reading, ((0.0, 0.0), (0.9, 0.5), (1.0, 0.99))).confidences == pytest.approx(
        (0.5 * 0.5 / 0.9, 0.745, 0.99)
    )
