import pytest

from gatekeeper.model import PROVINCES
from training.alphabet import ALPHABET, BLANK, CLASSES, encoded, greedy, writable


def test_the_first_classes_are_hyperlpr3s_so_that_its_engine_reads_ours() -> None:
    table = {
        1: "'",
        2: "0",
        11: "9",
        12: "A",
        20: "J",
        25: "O",
        36: "Z",
        37: "云",
        73: "黑",
        76: "澳",
    }

    assert {place: ALPHABET[place - 1] for place in table} == table


def test_no_character_stands_twice() -> None:
    assert len(set(ALPHABET)) == len(ALPHABET) == CLASSES - 1


@pytest.mark.parametrize("character", [*PROVINCES, *"警学挂港澳使领民航应急试超临O"])
def test_every_character_of_a_plate_can_be_written(character: str) -> None:
    assert writable(character)


def test_a_text_comes_back_from_its_classes() -> None:
    text = "民航A1199"

    assert greedy([part for one in encoded(text) for part in (one, BLANK)]) == text


def test_one_symbol_without_a_break_is_one_character() -> None:
    first, second = encoded("A8")

    assert greedy([first, first, BLANK, second, second, BLANK, second]) == "A88"


def test_a_character_that_is_none_of_ours_is_named() -> None:
    with pytest.raises(ValueError, match="龙 is not in the alphabet"):
        encoded("京A1234龙")
