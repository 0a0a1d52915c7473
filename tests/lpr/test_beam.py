from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatekeeper.lpr.beam import aligned, plates, probability
from gatekeeper.lpr.decode import decoded
from gatekeeper.lpr.grammar import Grammar
from gatekeeper.lpr.session import Floats
from gatekeeper.rules.plate import GRAMMAR, kind_of

LETTERS = ("A", "B", "1")
SMALL = Grammar(["A[AB]?1{1,2}|BB"])
PLATES = Grammar(GRAMMAR.values())
ALPHABET = tuple("'0123456789ABCDEFGHJKLMNOPQRSTUVWXYZ京沪粤皖学警港使领挂民航应急WJ")


def rows(instants: int, classes: int) -> st.SearchStrategy[Floats]:
    numbers = st.floats(1 / 64, 1.0, width=32)
    table = st.lists(
        st.lists(numbers, min_size=classes, max_size=classes), min_size=instants, max_size=instants
    )
    return table.map(_normal)


def _normal(table: list[list[float]]) -> Floats:
    shares = np.array(table, np.float32)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), np.float32)


SPOKEN = st.integers(0, 2**32 - 1).map(
    lambda seed: (
        np.random.default_rng(seed)
        .dirichlet(np.full(len(ALPHABET) + 1, 0.03), 16)
        .astype(np.float32)
    )
)
"""Sixteen instants of a network that is rarely sure, and then of anything."""


def collapsed(path: tuple[int, ...]) -> str:
    pairs = zip((0, *path), path, strict=False)
    return "".join(LETTERS[now - 1] for before, now in pairs if now not in (before, 0))


def all_texts(shares: Floats) -> dict[str, float]:
    """Every text with its probability, by trying every path there is."""
    found: dict[str, float] = {}
    for path in product(range(shares.shape[1]), repeat=len(shares)):
        chance = float(np.prod([shares[at, symbol] for at, symbol in enumerate(path)]))
        text = collapsed(path)
        found[text] = found.get(text, 0.0) + chance
    return found


def spelt(text: str, share: float = 0.98) -> Floats:
    """Shares that spell a text, a blank between all characters, the rest spread evenly."""
    symbols = [0] + [part for one in text for part in (ALPHABET.index(one) + 1, 0)]
    table = np.full((len(symbols), len(ALPHABET) + 1), (1 - share) / len(ALPHABET), np.float32)
    table[np.arange(len(symbols)), symbols] = share
    return table


@given(rows(5, 4))
@settings(max_examples=60)
def test_a_wide_beam_finds_what_trying_every_path_finds(shares: Floats) -> None:
    true = {text: chance for text, chance in all_texts(shares).items() if SMALL.accepts(text)}
    first, second = sorted(true.values(), reverse=True)[:2]

    found = plates(shares, LETTERS, SMALL, width=10_000, least=0.0)

    assert found.plate is not None
    assert found.second is not None
    assert true[found.plate.text] == pytest.approx(first, rel=1e-4)
    assert true[found.second] == pytest.approx(second, rel=1e-4)
    assert found.margin == pytest.approx(first / (first + second), rel=1e-4)


@given(rows(5, 4), st.text("AB1", min_size=0, max_size=3))
@settings(max_examples=60)
def test_the_probability_of_a_text_is_that_of_all_its_paths(shares: Floats, text: str) -> None:
    true = all_texts(shares).get(text, 0.0)

    assert probability(shares, [LETTERS.index(one) + 1 for one in text]) == pytest.approx(
        true, rel=1e-4
    )


@given(SPOKEN)
@settings(max_examples=60)
def test_what_is_called_a_plate_is_one(shares: Floats) -> None:
    found = plates(shares, ALPHABET, PLATES)

    assert found.plate is None or kind_of(found.plate.text) is not None
    assert found.second is None or kind_of(found.second) is not None
    assert found.plate is None or len(found.plate.confidences) == len(found.plate.text)


@given(SPOKEN)
@settings(max_examples=30)
def test_shares_and_margins_are_shares(shares: Floats) -> None:
    found = plates(shares, ALPHABET, PLATES)

    assert 0 <= found.fit <= 1
    assert 0 <= found.margin <= 1
    assert found.plate is None or all(0 <= sure <= 1 for sure in found.plate.confidences)
    assert found.free == decoded(shares, ALPHABET)


@pytest.mark.parametrize(
    "text",
    ["京A12345", "沪AD12345", "皖A12345D", "粤Z1234港", "京A1234学", "123456使", "民航A1234"],
)
def test_a_plate_spelt_clearly_is_read(text: str) -> None:
    found = plates(spelt(text), ALPHABET, PLATES)

    assert found.plate is not None
    assert found.plate.text == text == found.free.text
    assert found.fit == pytest.approx(1.0)
    assert min(found.plate.confidences) == pytest.approx(0.98, abs=1e-3)


def test_a_letter_where_only_a_digit_can_stand_becomes_the_digit() -> None:
    shares = spelt("沪AD12345")
    shares[9, ALPHABET.index("G") + 1], shares[9, ALPHABET.index("2") + 1] = 0.6, 0.38

    found = plates(shares, ALPHABET, PLATES)

    assert found.free.text == "沪AD1G345"
    assert found.plate is not None
    assert found.plate.text == "沪AD12345"
    assert found.plate.confidences[4] == pytest.approx(0.38, abs=0.01)
    assert found.fit < 0.7


def test_a_faint_second_letter_is_not_dropped() -> None:
    shares = spelt("沪D33296")
    shares[3, ALPHABET.index("D") + 1], shares[3, 0] = 0.4, 0.58

    found = plates(shares, ALPHABET, PLATES)

    assert found.free.text == "沪33296"
    assert found.plate is not None
    assert found.plate.text == "沪D33296"


def test_lettering_that_is_no_plate_does_not_fit_one() -> None:
    found = plates(spelt("CAM03"), ALPHABET, PLATES)

    assert found.free.text == "CAM03"
    assert found.plate is None or found.fit < 1e-3


def test_a_character_that_the_next_best_plate_has_otherwise_is_no_surer_than_the_margin() -> None:
    shares = spelt("京A12345")
    shares[1, ALPHABET.index("京") + 1], shares[1, ALPHABET.index("沪") + 1] = 0.6, 0.39

    found = plates(shares, ALPHABET, PLATES)

    assert found.second == "沪A12345"
    assert found.plate is not None
    assert found.margin == pytest.approx(0.6 / 0.99, abs=1e-3)
    assert found.plate.confidences[0] == pytest.approx(0.6, abs=1e-3)
    assert found.others[0] == "沪"


def test_a_plate_that_lost_its_last_character_is_doubted_there() -> None:
    shares = spelt("沪AD12345")
    shares[15, ALPHABET.index("5") + 1], shares[15, 0] = 0.5, 0.48

    found = plates(shares, ALPHABET, PLATES)

    assert found.plate is not None
    assert found.second == "沪AD1234"
    assert found.plate.text == "沪AD12345"
    assert found.plate.confidences[-1] == pytest.approx(0.5, abs=0.02)
    assert min(found.plate.confidences[:-1]) > 0.9


def test_equal_neighbours_are_two_characters() -> None:
    found = plates(spelt("京A88888"), ALPHABET, PLATES)

    assert found.plate is not None
    assert found.plate.text == "京A88888"


def test_each_character_is_found_where_it_is_surest() -> None:
    shares = spelt("京A88")
    shares = np.repeat(shares, 2, axis=0)
    shares[3, ALPHABET.index("京") + 1] = 0.99

    assert aligned(shares, [ALPHABET.index(one) + 1 for one in "京A88"]) == [3, 6, 10, 14]


def test_of_two_provinces_seen_side_by_side_neither_is_sure() -> None:
    shares = np.insert(spelt("京A12345"), 2, spelt("沪")[1], axis=0)
    shares[1, ALPHABET.index("京") + 1], shares[1, 0] = 0.92, 0.07
    shares[2, ALPHABET.index("沪") + 1], shares[2, 0] = 0.91, 0.07

    found = plates(shares, ALPHABET, PLATES)

    assert found.free.text == "京沪A12345"
    assert {found.second, found.plate and found.plate.text} == {"京A12345", "沪A12345"}
    assert found.plate is not None
    assert found.plate.confidences[0] == found.margin == pytest.approx(0.5, abs=0.01)


def test_whether_a_character_stands_twice_can_be_the_doubt() -> None:
    shares = spelt("沪AD12355")
    shares[14, ALPHABET.index("5") + 1], shares[14, 0] = 0.69, 0.3

    found = plates(shares, ALPHABET, PLATES)

    assert found.plate is not None
    assert (found.plate.text, found.second) == ("沪AD1235", "沪AD12355")
    assert found.plate.confidences[-1] == found.margin == pytest.approx(0.7, abs=0.02)


def test_the_last_character_may_stand_at_the_very_end() -> None:
    assert aligned(spelt("京A")[:-1], [ALPHABET.index(one) + 1 for one in "京A"]) == [1, 3]
