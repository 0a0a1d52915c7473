"""Draws lots for what stands on a plate: a kind, and a text that the kind can have.

Evenly drawn: each province and each letter as often as any other, but for the provinces that real
pictures show least, which come more often here.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from random import Random

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
RARE = "藏青宁黑新琼甘赣冀桂蒙吉晋津"
"""Provinces of which there are few real pictures, or which were read worst; they count double."""

_AREAS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_SERIAL = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_DIGITS = "0123456789"


class Kind(StrEnum):
    """Kinds of plate as they look, which is finer than what their text tells."""

    BLUE = "blue"
    YELLOW = "yellow"
    YELLOW_TWO_ROWS = "yellow_two_rows"
    GREEN_SMALL = "green_small"
    GREEN_LARGE = "green_large"
    POLICE = "police"
    TRAINING = "training"
    TRAILER = "trailer"
    HONG_KONG = "hong_kong"
    MACAO = "macao"
    CONSULATE = "consulate"
    EMBASSY = "embassy"
    ARMED_POLICE = "armed_police"
    MILITARY = "military"
    EMERGENCY = "emergency"
    AVIATION = "aviation"
    TEMPORARY = "temporary"


SHARES: Mapping[Kind, float] = {
    Kind.BLUE: 27,
    Kind.YELLOW: 8,
    Kind.YELLOW_TWO_ROWS: 8,
    Kind.GREEN_SMALL: 17,
    Kind.GREEN_LARGE: 5,
    Kind.POLICE: 4,
    Kind.TRAINING: 4,
    Kind.TRAILER: 4,
    Kind.HONG_KONG: 3,
    Kind.MACAO: 2,
    Kind.CONSULATE: 3,
    Kind.EMBASSY: 3,
    Kind.ARMED_POLICE: 3,
    Kind.MILITARY: 3,
    Kind.EMERGENCY: 3,
    Kind.AVIATION: 2,
    Kind.TEMPORARY: 2,
}
"""How often each kind is drawn; the rare ones far oftener than on the road."""


def any_kind(chance: Random) -> Kind:
    """A kind by the shares."""
    return chance.choices(list(SHARES), list(SHARES.values()))[0]


def text_of(kind: Kind, chance: Random) -> str:
    """A text that a plate of this kind can carry."""
    return _WRITERS[kind](chance)


def _province(chance: Random) -> str:
    return chance.choice(PROVINCES + RARE)


def _area(chance: Random) -> str:
    """Province and authority; O was the provincial police's own and is still seen."""
    return _province(chance) + ("O" if chance.random() < 0.04 else chance.choice(_AREAS))


def _serial(chance: Random, length: int) -> str:
    """Digits and some letters; every tenth repeats itself, as sought-after numbers do."""
    if chance.random() < 0.10:
        pair = chance.choices(_DIGITS + _SERIAL, k=2)
        return "".join(chance.choice(pair) for _ in range(length))
    letters = chance.choices((0, 1, 2, 3), (35, 35, 20, 10))[0]
    places = chance.sample(range(length), min(letters, length))
    return "".join(chance.choice(_SERIAL if at in places else _DIGITS) for at in range(length))


def _digits(chance: Random, length: int) -> str:
    return "".join(chance.choices(_DIGITS, k=length))


def _ordinary(chance: Random) -> str:
    return _area(chance) + _serial(chance, 5)


def _ending(marks: str, area: Callable[[Random], str] = _area) -> Callable[[Random], str]:
    return lambda chance: area(chance) + _serial(chance, 4) + chance.choice(marks)


def _green_small(chance: Random) -> str:
    sort = chance.choice("ABCDEFGHJKDDDDFF")
    return _area(chance) + sort + chance.choice(_SERIAL + _DIGITS) + _digits(chance, 4)


def _green_large(chance: Random) -> str:
    return _area(chance) + _digits(chance, 5) + chance.choice("ABCDEFGHJKDDDFF")


def _embassy(chance: Random) -> str:
    number = _digits(chance, 6)
    return f"{number}使" if chance.random() < 0.6 else f"使{number}"


def _armed_police(chance: Random) -> str:
    province = _province(chance) if chance.random() < 0.85 else ""
    return f"WJ{province}{_digits(chance, 4)}{chance.choice(_DIGITS + 'TDSHBXJ')}"


def _military(chance: Random) -> str:
    return chance.choice("VKHBSLJNGCEQ") + chance.choice(_AREAS) + _digits(chance, 5)


def _emergency(chance: Random) -> str:
    sort = chance.choice("XXXSS" + chance.choice(_DIGITS))
    return f"{_province(chance)}{sort}{_digits(chance, 4)}应急"


def _aviation(chance: Random) -> str:
    return "民航" + _serial(chance, 5)


def _hong_kong_macao(_chance: Random) -> str:
    return "粤Z"


_WRITERS: Mapping[Kind, Callable[[Random], str]] = {
    Kind.BLUE: _ordinary,
    Kind.YELLOW: _ordinary,
    Kind.YELLOW_TWO_ROWS: _ordinary,
    Kind.GREEN_SMALL: _green_small,
    Kind.GREEN_LARGE: _green_large,
    Kind.POLICE: _ending("警"),
    Kind.TRAINING: _ending("学"),
    Kind.TRAILER: _ending("挂"),
    Kind.HONG_KONG: _ending("港", _hong_kong_macao),
    Kind.MACAO: _ending("澳", _hong_kong_macao),
    Kind.CONSULATE: _ending("领"),
    Kind.EMBASSY: _embassy,
    Kind.ARMED_POLICE: _armed_police,
    Kind.MILITARY: _military,
    Kind.EMERGENCY: _emergency,
    Kind.AVIATION: _aviation,
    Kind.TEMPORARY: _ending("试超临"),
}
