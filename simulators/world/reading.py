"""What a camera and its reader make of a plate: mostly the truth.

The confusions are those published for readers of plates in general and of Chinese ones
(HyperLPR, EasyPR, LPRNet issue threads); the table is the world's own, wider than any rule's.
"""

from collections.abc import Sequence
from random import Random
from typing import Final

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

    def __init__(self, plan: Plan, random: Random) -> None:
        self._plan = plan
        self._random = random
        self._profiles = {length: self._confident(length) for length in (7, 8)}
        self._missed = {share: self._split(share) for share in _missed(plan)}

    def read(self, car: Car, at: float) -> Read:
        """One plate in one frame."""
        self._day(car, at)
        draw = self._random.random
        text = car.misread_as or car.plate
        sure = self._profiles[len(text)][int(draw() * _PROFILES)]
        if draw() < self._plan.misread_frames:
            text, sure = self._misread(text, sure)
        return Read(text, sure, car.colour)

    def blank(self) -> bool:
        """Whether a frame shows no plate though one is there."""
        return self._random.random() < self._plan.blank_frames

    def legible(self, car: Car, missed: float, at: float) -> bool:
        """Whether any frame of a halt can show the plate; `missed` is a share of the plan."""
        self._day(car, at)
        return self._random.random() >= self._missed[missed][car.grimy]

    def _day(self, car: Car, at: float) -> None:
        day = int(at // 86_400)
        if car.dirt_day == day:
            return
        car.dirt_day = day
        car.grimy = self._random.random() < self._plan.grimy
        dirty = self._random.random() < self._plan.persistent_misreads
        car.misread_as = self._swap(car.plate, 1)[0] if dirty else None

    def _misread(self, text: str, sure: tuple[float, ...]) -> tuple[str, tuple[float, ...]]:
        draw = self._random
        wrong, places = self._swap(text, draw.randint(2, 3) if draw.random() < _SEVERAL else 1)
        low, high = (0.98, 0.999) if draw.random() < _SURE_OF_IT else (0.5, 0.97)
        levels = list(sure)
        for place in places:
            levels[place] = draw.uniform(low, high)
        return wrong, tuple(levels)

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


def _missed(plan: Plan) -> set[float]:
    return {plan.missed_entries, plan.missed_exits}
