"""Number plates: what text can be one, and which characters are taken for one another.

Text comes in, from a recogniser or a list; its normal form, its kind and its look-alikes go out.
Nothing here guesses: `normalise` makes only corrections that are certain, everything doubtful
stays as it was read and is weighed in `votes` and `access`.

Two relations say how far a read may be trusted. `look_alikes` is narrow: characters that readers
are known to swap, so one may stand for the other where an admission depends on it. `resembling` is
wide: any one character, because no table of look-alikes is complete, and a driver must not be
blamed for a misread.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cache, lru_cache
from itertools import chain, combinations
from operator import contains
from typing import TypeAlias

from gatekeeper.model import PROVINCES, Colour


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


Form: TypeAlias = tuple[str, ...]
"""What a plate of one form may have in each of its places."""

_DIGITS = "0123456789"
_AUTHORITIES = "ABCDEFGHJKLMNOPQRSTUVWXYZ"
"""No authority is called I; O was the provincial police's own."""

_SERIAL = "ABCDEFGHJKLMNPQRSTUVWXYZ" + _DIGITS
"""A digit, or a letter other than I and O (GA 36-2018, serials)."""

_NEW_ENERGY = "ABCDEFGHJK"
"""GA 36-2018: A B C D E say electric, F G H J K other. D and F alone were given out at first, the
ten letters since about 2021."""

_TROOPS = _DIGITS + "TDSHBXJ"
_AREA = (PROVINCES, _AUTHORITIES)
_FOUR, _FIVE = 4 * (_SERIAL,), 5 * (_SERIAL,)

_FORMS: Mapping[PlateKind, tuple[Form, ...]] = {
    # GA 36-2018, ordinary vehicles large and small: five serial characters.
    PlateKind.ORDINARY: ((*_AREA, *_FIVE),),
    # GA 36-2018, new energy: six serial characters.
    PlateKind.NEW_ENERGY_SMALL: ((*_AREA, _NEW_ENERGY, _SERIAL, *4 * (_DIGITS,)),),
    PlateKind.NEW_ENERGY_LARGE: ((*_AREA, *5 * (_DIGITS,), _NEW_ENERGY),),
    # GA 36-2018, plates whose last character names the use.
    PlateKind.TRAINING: ((*_AREA, *_FOUR, "学"),),
    PlateKind.TRAILER: ((*_AREA, *_FOUR, "挂"),),
    PlateKind.POLICE: ((*_AREA, *_FOUR, "警"),),
    PlateKind.HONG_KONG: (("粤", "Z", *_FOUR, "港"),),
    PlateKind.MACAO: (("粤", "Z", *_FOUR, "澳"),),
    PlateKind.CONSULATE: ((*_AREA, *_FOUR, "领"),),
    # GA 36-2018 puts 使 last, its forerunner GA 36-2007 put it first; both are on the road.
    PlateKind.EMBASSY: ((*6 * (_DIGITS,), "使"), ("使", *6 * (_DIGITS,))),
    # Fire and rescue since 2019: X fire brigades, S forest fire brigades; the ministry's own
    # vehicles have a fifth digit in that place.
    PlateKind.EMERGENCY: ((PROVINCES, "XS" + _DIGITS, *4 * (_DIGITS,), "应", "急"),),
    # Airside vehicles of civil aviation.
    PlateKind.CIVIL_AVIATION: (("民", "航", *_FIVE),),
    # Armed police since 2012, the headquarters without a province; then the type of 2007, whose
    # two digits are the province and whose letter or character is the branch.
    PlateKind.ARMED_POLICE: (
        ("W", "J", *4 * (_DIGITS,), _TROOPS),
        ("W", "J", PROVINCES, *4 * (_DIGITS,), _TROOPS),
        ("W", "J", *2 * (_DIGITS,), _TROOPS + "警消边通森金电", *4 * (_DIGITS,)),
    ),
    # The army's type of 2012: its arm or region (Q the theatre commands since 2016), the unit,
    # five digits.
    PlateKind.MILITARY: (("VKHBSLJNGCEQ", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", *5 * (_DIGITS,)),),
    # Temporary plates that do not look like ordinary ones: 试 test, 超 oversize, 临 other. The
    # ordinary-looking ones cannot be told by their text.
    PlateKind.TEMPORARY: ((*_AREA, *_FOUR, "试超临"), (*_AREA, *_FIVE, "试超临")),
}

GRAMMAR: Mapping[PlateKind, str] = {
    kind: "|".join("".join(f"[{place}]" for place in form) for form in forms)
    for kind, forms in _FORMS.items()
}
"""What the plates of each kind look like, in sets of characters and alternatives. A decoder is
built from these patterns, too (`gatekeeper.lpr.grammar`).
"""

_PLATE = re.compile("|".join(f"(?P<{kind.name}>{told})" for kind, told in GRAMMAR.items()))

_HAN = f"{PROVINCES}学挂警港澳领使应急民航试超临消边通森金电"

CHARACTERS = frozenset(_HAN + "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + _DIGITS)
"""All that plates are written with."""

_NORMAL = re.compile(f"[{_HAN}A-Z0-9]{{,2}}[{_HAN}A-HJ-NP-Z0-9]*")
"""What nearly every text is: nothing in it could change in normal form."""

_SEPARATORS = re.compile(r"[\s·•∙‧・.\-‐–—_]")

_CERTAIN = str.maketrans({"I": "1", "O": "0"})

_CONFUSED = ("0ODQ", "1IL", "2Z", "5S", "8B", "6G", "7T")
"""Characters that readers take for one another (field measurements of several recognisers)."""


def _partners(groups: Iterable[str]) -> Mapping[str, str]:
    """Each character with all others of its groups."""
    partners: dict[str, set[str]] = defaultdict(set)
    for group in groups:
        for one in group:
            partners[one] |= set(group) - {one}
    return {one: "".join(sorted(others)) for one, others in partners.items()}


_CONFUSED_WITH = _partners(_CONFUSED)

_COLOURS: dict[PlateKind, frozenset[Colour]] = {
    # small vehicles blue, large ones yellow
    PlateKind.ORDINARY: frozenset({Colour.BLUE, Colour.YELLOW}),
    PlateKind.NEW_ENERGY_SMALL: frozenset({Colour.GREEN}),
    # yellow behind the first two characters, green beyond: some readers call that green
    PlateKind.NEW_ENERGY_LARGE: frozenset({Colour.YELLOW_GREEN, Colour.GREEN}),
    PlateKind.TRAINING: frozenset({Colour.YELLOW}),
    PlateKind.TRAILER: frozenset({Colour.YELLOW}),
    PlateKind.POLICE: frozenset({Colour.WHITE}),
    PlateKind.HONG_KONG: frozenset({Colour.BLACK}),
    PlateKind.MACAO: frozenset({Colour.BLACK}),
    PlateKind.CONSULATE: frozenset({Colour.BLACK}),
    PlateKind.EMBASSY: frozenset({Colour.BLACK}),
    # not of GA 36, each by its own authority
    PlateKind.EMERGENCY: frozenset({Colour.WHITE}),
    PlateKind.CIVIL_AVIATION: frozenset({Colour.GREEN}),
    PlateKind.ARMED_POLICE: frozenset({Colour.WHITE}),
    PlateKind.MILITARY: frozenset({Colour.WHITE}),
    # sky blue, light brown or white paper, by use; behind a windscreen
    PlateKind.TEMPORARY: frozenset(Colour),
}

_ALIKE = (
    frozenset({Colour.BLUE, Colour.BLACK}),
    frozenset({Colour.WHITE, Colour.YELLOW}),
    frozenset({Colour.GREEN, Colour.YELLOW_GREEN}),
)
"""Grounds that a reader mixes up: dark ones at dusk, light ones under a yellow lamp."""


def normalise(text: str) -> str:
    """The one way a plate is written here: ASCII capitals and digits, no separators.

    Full-width forms become ASCII (NFKC). After the second character I becomes 1 and O becomes 0:
    a serial can hold neither, so these are corrections, not guesses. Text that is no plate comes
    through too, and twice through is the same as once.
    """
    if _NORMAL.fullmatch(text):
        return text
    plain = _SEPARATORS.sub("", "".join(_plain(character) for character in text))
    return plain[:2] + plain[2:].translate(_CERTAIN)


def _plain(character: str) -> str:
    """One character by itself, so that none can combine with a neighbour."""
    return unicodedata.normalize("NFKC", character).upper()


@lru_cache(maxsize=8192)
def kind_of(text: str) -> PlateKind | None:
    """The kind of plate that a normalised text can be, or None if it can be none.

    GA 36-2018 for the plates of the traffic police; the others' authorities have their own forms.
    """
    found = _PLATE.fullmatch(text)
    return PlateKind[found.lastgroup] if found and found.lastgroup else None


def is_trailer(text: str) -> bool:
    """Whether the plate is a trailer's: it says nothing about the vehicle in front of it."""
    return text.endswith("挂")


def confusable(one: str, other: str) -> bool:
    """Whether two different characters are taken for one another; symmetric."""
    return other in _CONFUSED_WITH.get(one, "")


@lru_cache(maxsize=2048)
def look_alikes(text: str) -> frozenset[str]:
    """The possible plates that differ from a normalised text in one confusable character."""
    swapped = (
        text[:place] + partner + text[place + 1 :]
        for place, character in enumerate(text)
        for partner in _CONFUSED_WITH.get(character, "")
    )
    return frozenset(plate for plate in swapped if kind_of(plate))


@lru_cache(maxsize=512)
def resembling(text: str) -> frozenset[str]:
    """The possible plates that differ from a normalised text in one character, whichever it is, or
    have one more or one less: some 250. Only ever a reason to be less certain.
    """
    nearby = (_near(text, form) for forms in _FORMS.values() for form in forms)
    return frozenset(chain.from_iterable(nearby)) - {text}


def _near(text: str, form: Form) -> Iterator[str]:
    """The plates of one form that are one character away from the text, or none."""
    if len(form) < len(text):
        shorter = (text[:place] + text[place + 1 :] for place in range(len(text)))
        yield from (plate for plate in shorter if _fits(plate, form))
        return
    skipped = len(text) + 1 - len(form)
    for place, allowed in enumerate(form):
        before, after = text[:place], text[place + skipped :]
        if _fits(before, form[:place]) and _fits(after, form[place + 1 :]):
            yield from (before + character + after for character in allowed)


def _fits(text: str, form: Form) -> bool:
    return len(text) == len(form) and all(map(contains, form, text))


def contradictions(read: str, sure: Sequence[bool], other: str) -> int:
    """How many characters of a read contradict another plate: those the reader was sure of that
    are neither the other's nor confusable with it.

    `sure` has one value for each character of `read`. Where the lengths differ, characters are
    left out of the longer text as it suits: one that the read misses contradicts nothing, one that
    it has too many does, if the reader was sure of it.
    """
    told = tuple(zip(read, sure, strict=True))
    length = min(len(read), len(other))
    if len(read) <= len(other):
        return min(_against(told, kept) for kept in combinations(other, length))
    seen = sum(sure)
    return min(
        _against(kept, other) + seen - sum(certain for _, certain in kept)
        for kept in combinations(told, length)
    )


def _against(told: Iterable[tuple[str, bool]], other: Iterable[str]) -> int:
    return sum(
        certain and seen != real and not confusable(seen, real)
        for (seen, certain), real in zip(told, other, strict=True)
    )


def colours_of(kind: PlateKind) -> frozenset[Colour]:
    """The ground colours that the kind can have (GA 36-2018, table 1, and its siblings)."""
    return _COLOURS[kind]


@cache
def suits(kind: PlateKind, colour: Colour) -> bool:
    """Whether the ground colour, as a reader tells it, can belong to the kind.

    Only contradictions that survive bad light count: dark, light and green grounds are told
    apart. A new-energy plate that lost its last character looks like an ordinary one
    (HyperLPR #223), and its green is what gives it away. Civil aviation's is so dark a green, with
    white characters, that readers give it as blue or black.
    """
    if colour is Colour.UNKNOWN or kind is PlateKind.CIVIL_AVIATION:
        return True
    return any(colour in alike and alike & colours_of(kind) for alike in _ALIKE)
