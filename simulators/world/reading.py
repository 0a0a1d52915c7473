"""What a camera and its reader make of a plate: mostly the truth.

The confusions are those published for readers of plates in general and of Chinese ones
(HyperLPR, EasyPR, LPRNet issue threads); the table is the world's own, wider than any rule's.
"""

from collections.abc import Sequence
from random import Random
from typing import Final

from simulators.world.agenda import DAY_S
from simulators.world.car import DIGITS, LETTERS, PROVINCES, Car
from simulators.world.gate import Read
from simulators.world.plan import Plan

_TAKEN_FOR_ONE_ANOTHER: Final = (
    *("0DQO", "1IL7T", "2Z7", "5S6", "8B3R0", "6G", "CG", "EF", "MN", "HN", "VY", "UV"),
    *("KX", "PR", "A4", "沪津", "苏陕", "皖赣", "鄂鲁", "豫渝", "闽湘粤", "浙渝", "贵青", "晋晋冀"),
)
_OUTSIDE_THE_TABLE: Final = 0.1
_SEVERAL: Final = 0.15
"""Share of misread frames with two or three wrong characters."""
_SURE_OF_IT: Final = 0.15
"""Share of misread frames whose wrong characters look certain."""
_PROFILES: Final = 64
_VARIANTS: Final = 4
"""So many different reads of a car are kept for a day."""


def _partners() -> dict[str, str]:
    partners: dict[str, str] = {}
    for group in _TAKEN_FOR_ONE_ANOTHER:
        for one in group:
            partners[one] = partners.get(one, "") + group.replace(one, "")
    return partners


PARTNERS: Final = _partners()
"""For each character, those it is taken for."""


class Reader:
    """Reads plates, sometimes wrongly; how legible a car is stays the same all day."""

    def __init__(self, plan: Plan, missed: float, random: Random) -> None:
        """`missed` is the share of halts at its lane in which no frame is readable."""
        self._plan = plan
        self._random = random
        self._profiles = {length: self._confident(length) for length in (7, 8)}
        self._missed = self._split(missed)
        self._blank_below = plan.blank_frames
        self._misread_below = plan.blank_frames + (1 - plan.blank_frames) * plan.misread_frames

    def read(self, car: Car, at: float) -> Read | None:
        """One plate in one frame; None if the frame shows none."""
        if car.dirt_day != int(at // DAY_S):
            self._new_day(car, at)
        draw = self._random.random()
        if draw < self._misread_below:
            return self._misread(car.reads[0]) if draw >= self._blank_below else None
        return car.reads[int(draw * 1e6) % _VARIANTS]

    def legible(self, car: Car, at: float) -> bool:
        """Whether any frame of a halt can show the plate."""
        if car.dirt_day != int(at // DAY_S):
            self._new_day(car, at)
        return self._random.random() >= self._missed[car.grimy]

    def _new_day(self, car: Car, at: float) -> None:
        draw = self._random
        car.dirt_day = int(at // DAY_S)
        car.grimy = draw.random() < self._plan.grimy
        dirty = draw.random() < self._plan.persistent_misreads
        text = self._swap(car.plate, 1)[0] if dirty else car.plate
        sure = draw.choices(self._profiles[len(text)], k=_VARIANTS)
        car.reads = tuple(Read(text, levels, car.colour) for levels in sure)

    def _misread(self, read: Read) -> Read:
        draw = self._random
        several = draw.random() < _SEVERAL
        wrong, places = self._swap(read.text, draw.randint(2, 3) if several else 1)
        low, high = (0.98, 0.999) if draw.random() < _SURE_OF_IT else (0.5, 0.97)
        levels = list(read.confidences)
        for place in places:
            levels[place] = draw.uniform(low, high)
        return Read(wrong, tuple(levels), read.colour)

    def _swap(self, text: str, how_many: int) -> tuple[str, Sequence[int]]:
        """Some characters replaced, and where. Those that are often confused go wrong first."""
        doubtful = [place for place, one in enumerate(text) if one in PARTNERS]
        among = doubtful if len(doubtful) >= how_many else range(len(text))
        places = self._random.sample(among, how_many)
        characters = list(text)
        for place in places:
            characters[place] = self._wrong(characters[place])
        return "".join(characters), places

    def _wrong(self, right: str) -> str:
        partners = PARTNERS.get(right, "")
        if partners and self._random.random() >= _OUTSIDE_THE_TABLE:
            return self._random.choice(partners)
        alphabet = PROVINCES if right in PROVINCES else LETTERS + DIGITS
        return self._random.choice(alphabet.replace(right, ""))

    def _confident(self, length: int) -> list[tuple[float, ...]]:
        draw = self._random.uniform
        return [
            tuple(round(draw(0.985, 0.999), 4) for _ in range(length)) for _ in range(_PROFILES)
        ]

    def _split(self, share: float) -> tuple[float, float]:
        """How often clean and grimy cars are missed, so that the mean is `share`."""
        grimy = self._plan.grimy
        often = min(0.9, share * self._plan.grime / (1 + grimy * (self._plan.grime - 1)))
        return max(0.0, (share - grimy * often) / (1 - grimy)) if grimy < 1 else share, often
