import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.lpr.grammar import Grammar
from gatekeeper.rules.plate import GRAMMAR, kind_of

PLATES = Grammar(GRAMMAR.values())
PLATE = re.compile("|".join(GRAMMAR.values()))


@given(st.from_regex(PLATE, fullmatch=True))
def test_every_plate_is_accepted(text: str) -> None:
    assert PLATES.accepts(text)


@given(st.text("京粤WJ民航1A0O学", max_size=9))
def test_it_accepts_what_the_rules_call_a_plate_and_nothing_else(text: str) -> None:
    assert PLATES.accepts(text) == (kind_of(text) is not None)


@given(st.from_regex(PLATE, fullmatch=True), st.integers(0, 8), st.sampled_from("京A1学O"))
def test_a_plate_with_one_character_changed_is_judged_as_the_rules_do(
    text: str, place: int, character: str
) -> None:
    changed = text[:place] + character + text[place + 1 :]

    assert PLATES.accepts(changed) == (kind_of(changed) is not None)


@pytest.mark.parametrize(
    ("pattern", "accepted", "refused"),
    [
        ("A?B", ["B", "AB"], ["A", "AAB", ""]),
        ("[A-C]{2}", ["AC", "BB"], ["A", "ABC", "AD"]),
        ("X{1,3}|Y", ["X", "XXX", "Y"], ["XXXX", "XY", ""]),
    ],
)
def test_the_language_of_patterns(pattern: str, accepted: list[str], refused: list[str]) -> None:
    grammar = Grammar([pattern])

    assert all(grammar.accepts(text) for text in accepted)
    assert not any(grammar.accepts(text) for text in refused)


@pytest.mark.parametrize("pattern", ["A+", "(AB)", "A{2", "[AB", "A*", r"\d"])
def test_a_pattern_beyond_the_language_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        Grammar([pattern])
