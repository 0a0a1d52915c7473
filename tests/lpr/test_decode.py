import numpy as np
import pytest

from gatekeeper.lpr.decode import Reading, decoded, doubted
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
