"""Decoding with the grammar, as an engine asks for it."""

import numpy as np
import pytest

from gatekeeper.lpr.decode import decoded
from gatekeeper.lpr.grammatical import grammatical
from gatekeeper.lpr.session import Floats

ALPHABET = ("京", "A", "1", "7")
decode = grammatical(["[京][A][17]{2}"])


def shares(*instants: dict[int, float]) -> Floats:
    """At each instant the symbols (0 is the blank) with their shares."""
    rows = np.full((len(instants), 5), 1e-6, np.float32)
    for row, told in zip(rows, instants, strict=True):
        for symbol, share in told.items():
            row[symbol] = share
    return rows


def test_a_dropped_letter_that_the_network_nearly_saw_is_restored() -> None:
    told = shares({1: 0.99}, {0: 0.55, 2: 0.45}, {3: 0.99}, {0: 0.99}, {4: 0.6, 3: 0.3})

    assert decoded(told, ALPHABET).text == "京17"
    reading = decode(told, ALPHABET)
    assert reading.text == "京A17"
    assert len(reading.confidences) == 4
    assert reading.confidences[1] == pytest.approx(0.45)
    assert reading.others[3] == "1"


def test_what_is_no_plate_is_reported_as_it_stands() -> None:
    told = shares({3: 0.99}, {0: 0.99}, {4: 0.99}, {0: 0.99}, {3: 0.99})

    assert decode(told, ALPHABET) == decoded(told, ALPHABET)
    assert decode(told, ALPHABET).text == "171"
