from collections import Counter
from random import Random

import pytest

from gatekeeper.model import PROVINCES
from gatekeeper.rules.plate import PlateKind, kind_of
from training.alphabet import writable
from training.render import texts
from training.render.texts import RARE, SHARES, Kind, any_kind, text_of

KNOWN = {
    Kind.BLUE: PlateKind.ORDINARY,
    Kind.YELLOW: PlateKind.ORDINARY,
    Kind.YELLOW_TWO_ROWS: PlateKind.ORDINARY,
    Kind.GREEN_SMALL: PlateKind.NEW_ENERGY_SMALL,
    Kind.GREEN_LARGE: PlateKind.NEW_ENERGY_LARGE,
    Kind.POLICE: PlateKind.POLICE,
    Kind.TRAINING: PlateKind.TRAINING,
    Kind.TRAILER: PlateKind.TRAILER,
    Kind.HONG_KONG: PlateKind.HONG_KONG,
    Kind.MACAO: PlateKind.MACAO,
    Kind.CONSULATE: PlateKind.CONSULATE,
    Kind.EMBASSY: PlateKind.EMBASSY,
    Kind.ARMED_POLICE: PlateKind.ARMED_POLICE,
    Kind.MILITARY: PlateKind.MILITARY,
    Kind.EMERGENCY: PlateKind.EMERGENCY,
    Kind.AVIATION: PlateKind.CIVIL_AVIATION,
    Kind.TEMPORARY: PlateKind.TEMPORARY,
}


@pytest.mark.parametrize("kind", Kind)
def test_every_text_is_a_plate_of_its_kind_and_can_be_written(kind: Kind) -> None:
    chance = Random(1)

    for text in (text_of(kind, chance) for _ in range(300)):
        assert kind_of(text) is KNOWN[kind], text
        assert writable(text)


def test_every_kind_is_drawn() -> None:
    chance = Random(2)

    assert {any_kind(chance) for _ in range(2000)} == set(SHARES) == set(Kind)


def test_provinces_are_drawn_evenly_and_rare_ones_twice_as_often() -> None:
    chance = Random(3)

    seen = Counter(text_of(Kind.BLUE, chance)[0] for _ in range(20_000))

    assert set(seen) == set(PROVINCES) == set(texts.PROVINCES)
    common = [seen[one] for one in PROVINCES if one not in RARE]
    rare = [seen[one] for one in RARE]
    assert min(rare) / (sum(common) / len(common)) > 1.4
    assert max(common) < 1.3 * min(common)


def test_every_letter_and_digit_comes_up_in_serials() -> None:
    chance = Random(4)

    seen = Counter(one for _ in range(4000) for one in text_of(Kind.BLUE, chance)[2:])

    assert set(seen) == set("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789")
