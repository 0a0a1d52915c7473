"""Number plates: what text can be one, and which characters are taken for one another.

Text comes in, from a recogniser or a list; its normal form, its kind and its look-alikes go out.
Nothing here guesses: `normalise` makes only corrections that are certain, everything doubtful
stays as it was read and is weighed in `votes` and `access`.
"""

import re
import unicodedata
from collections.abc import Sequence
from enum import StrEnum
from itertools import combinations

from gatekeeper.model import Colour

PROVINCES = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新"
"""The province character (GA 36-2018, annex on the codes of the issuing authorities)."""


class PlateKind(StrEnum):
    """The kinds of plate a Chinese car park meets."""

    ORDINARY = "ordinary"
    NEW_ENERGY_SMALL = "new_energy_small"
    NEW_ENERGY_LARGE = "new_energy_large"
    TRAINING = "training"
    TRAILER = "trailer"
    POLICE = "police"
    HONG_KONG = "hong_kong"
    MACAO = "macao"
    CONSULATE = "consulate"
    EMBASSY = "embassy"
    EMERGENCY = "emergency"
    CIVIL_AVIATION = "civil_aviation"
    ARMED_POLICE = "armed_police"
    MILITARY = "military"
    TEMPORARY = "temporary"


_AREA = f"[{PROVINCES}][A-HJ-Z]"
"""Province and issuing authority. No authority is called I; O was the provincial police's own."""

_S = "[A-HJ-NP-Z0-9]"
"""One character of a serial: a digit, or a letter other than I and O (GA 36-2018, serials)."""

_GRAMMAR: tuple[tuple[PlateKind, str], ...] = (
    # GA 36-2018, ordinary vehicles large and small: five serial characters.
    (PlateKind.ORDINARY, f"{_AREA}{_S}{{5}}"),
    # GA 36-2018, new energy: six serial characters; A B C D E say electric, F G H J K other.
    # D and F alone were given out at first, the ten letters since about 2021.
    (PlateKind.NEW_ENERGY_SMALL, f"{_AREA}[A-HJK]{_S}[0-9]{{4}}"),
    (PlateKind.NEW_ENERGY_LARGE, f"{_AREA}[0-9]{{5}}[A-HJK]"),
    # GA 36-2018, plates whose last character names the use.
    (PlateKind.TRAINING, f"{_AREA}{_S}{{4}}学"),
    (PlateKind.TRAILER, f"{_AREA}{_S}{{4}}挂"),
    (PlateKind.POLICE, f"{_AREA}{_S}{{4}}警"),
    (PlateKind.HONG_KONG, f"粤Z{_S}{{4}}港"),
    (PlateKind.MACAO, f"粤Z{_S}{{4}}澳"),
    (PlateKind.CONSULATE, f"{_AREA}{_S}{{4}}领"),
    # GA 36-2018 puts 使 last, its forerunner GA 36-2007 put it first; both are on the road.
    (PlateKind.EMBASSY, "[0-9]{6}使|使[0-9]{6}"),
    # Fire and rescue since 2019: X fire brigades, S forest fire brigades.
    (PlateKind.EMERGENCY, f"[{PROVINCES}][XS][0-9]{{4}}应急"),
    # Airside vehicles of civil aviation.
    (PlateKind.CIVIL_AVIATION, f"民航{_S}{{5}}"),
    # Armed police since 2012, the headquarters without a province; then the type of 2007, whose
    # two digits are the province and whose letter or character is the branch.
    (PlateKind.ARMED_POLICE, f"WJ[{PROVINCES}]?[0-9]{{4}}[0-9TDSHBXJ]"),
    (PlateKind.ARMED_POLICE, "WJ[0-9]{2}[0-9TDSHBXJ警消边通森金电][0-9]{4}"),
    # The army's type of 2012: its arm or region, the unit, five digits.
    (PlateKind.MILITARY, "[VKHBSLJNGCE][A-Z][0-9]{5}"),
    # Temporary plates that do not look like ordinary ones: 试 test, 超 oversize, 临 other.
    (PlateKind.TEMPORARY, f"{_AREA}{_S}{{4,5}}[试超临]"),
)

_PATTERNS = tuple((kind, re.compile(pattern)) for kind, pattern in _GRAMMAR)

_SEPARATORS = re.compile(r"[\s·•∙‧・.\-‐–—_]")

_CERTAIN = str.maketrans({"I": "1", "O": "0"})

_CONFUSED = ("0ODQ", "1IL", "2Z", "5S", "8B", "6G", "7T")
"""Characters that readers take for one another (field measurements of several recognisers)."""

_PARTNERS = {one: group.replace(one, "") for group in _CONFUSED for one in group}

_GREEN_GROUND = frozenset(
    {PlateKind.NEW_ENERGY_SMALL, PlateKind.NEW_ENERGY_LARGE, PlateKind.CIVIL_AVIATION}
)


def normalise(text: str) -> str:
    """The one way a plate is written here: ASCII capitals and digits, no separators.

    Full-width forms become ASCII (NFKC). After the second character I becomes 1 and O becomes 0:
    a serial can hold neither, so these are corrections, not guesses. Text that is no plate comes
    through too, and twice through is the same as once.
    """
    plain = _SEPARATORS.sub("", "".join(_plain(character) for character in text))
    return plain[:2] + plain[2:].translate(_CERTAIN)


def _plain(character: str) -> str:
    """One character by itself, so that none can combine with a neighbour."""
    return unicodedata.normalize("NFKC", character).upper()


def kind_of(text: str) -> PlateKind | None:
    """The kind of plate that a normalised text can be, or None if it can be none."""
    return next((kind for kind, pattern in _PATTERNS if pattern.fullmatch(text)), None)


def is_trailer(text: str) -> bool:
    """Whether the plate is a trailer's: it says nothing about the vehicle in front of it."""
    return text.endswith("挂")


def confusable(one: str, other: str) -> bool:
    """Whether two different characters are taken for one another; symmetric."""
    return other in _PARTNERS.get(one, "")


def look_alikes(text: str) -> frozenset[str]:
    """The possible plates that differ from a normalised text in one confusable character."""
    swapped = (
        text[:place] + partner + text[place + 1 :]
        for place, character in enumerate(text)
        for partner in _PARTNERS.get(character, "")
    )
    return frozenset(plate for plate in swapped if kind_of(plate))


def contradictions(read: str, sure: Sequence[bool], other: str) -> int:
    """How many characters of a read contradict another plate: those the reader was sure of that
    are neither the other's nor confusable with it.

    `sure` has one value for each character of `read`. Where the lengths differ, characters are
    left out of the longer text as it suits: a missing or additional one contradicts nothing.
    """
    length = min(len(read), len(other))
    return min(
        sum(
            certain and seen != real and not confusable(seen, real)
            for (seen, certain), real in zip(kept, kept_other, strict=True)
        )
        for kept in combinations(zip(read, sure, strict=True), length)
        for kept_other in combinations(other, length)
    )


def suits(kind: PlateKind, colour: Colour) -> bool:
    """Whether the ground colour can belong to the kind (GA 36-2018, table 1).

    Only green is told apart from not green: a new-energy plate that lost its last character looks
    like an ordinary one (HyperLPR #223), and its colour is what gives it away.
    """
    if colour is Colour.UNKNOWN or kind is PlateKind.TEMPORARY:
        return True
    return (colour in (Colour.GREEN, Colour.YELLOW_GREEN)) == (kind in _GREEN_GROUND)
