"""How the kinds of plate are laid out, in millimetres: size, colours, a cell for each character.

After GA 36-2018 where it speaks of the kind (tables 1 to 3, figures 1 to 12); the plates of other
authorities after photographs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from training.render.texts import Kind

Colour: TypeAlias = tuple[int, int, int]
"""Blue, green, red."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Where one character stands: top left corner and size."""

    left: float
    top: float
    wide: float
    tall: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A blank plate. `top` and `bottom` are the ends of the ground's gradient, `head` the ground
    behind the first characters up to `head_ends`; `dot` is the middle of the dot, if there is one;
    characters in `red` are red.
    """

    width: int
    height: int
    top: Colour
    bottom: Colour
    ink: Colour
    cells: tuple[Cell, ...]
    head: Colour | None = None
    head_ends: float = 0.0
    dot: tuple[float, float] | None = None
    red: frozenset[int] = frozenset()

    @property
    def rows(self) -> int:
        """One or two."""
        return 1 if self.height == ONE_ROW else 2


ONE_ROW, TWO_ROWS = 140, 220
"""Heights of plates with one row and with two."""

_WHITE, _BLACK = (250, 250, 250), (22, 20, 20)
_BLUE = ((225, 110, 30), (205, 85, 20))
_YELLOW = ((30, 178, 242), (22, 160, 230))
_PALE = ((238, 240, 240), (226, 228, 228))
_DARK = ((36, 32, 32), (26, 24, 24))
_MINT = ((226, 240, 224), (110, 196, 70))
_LEAF = ((120, 200, 90), (105, 190, 75))
_PINE = ((60, 95, 20), (50, 80, 12))
_SKY = ((245, 225, 190), (235, 210, 170))
_BROWN = ((150, 190, 225), (140, 175, 215))


_Ground: TypeAlias = tuple[Colour, Colour]
_Look: TypeAlias = Callable[[Random], tuple[_Ground, Colour, frozenset[int]]]


def layout_of(kind: Kind, text: str, chance: Random) -> Layout:
    """The blank for this text; where a kind has several looks, one by chance."""
    if kind is Kind.YELLOW_TWO_ROWS or (kind is Kind.TRAILER and chance.random() < 0.8):
        return _two_rows(_YELLOW, _BLACK)
    if kind is Kind.MILITARY and chance.random() < 0.2:
        return _two_rows(_PALE, _BLACK, frozenset({0, 1}))
    if kind is Kind.POLICE and chance.random() < 0.1:
        return _two_rows(_PALE, _BLACK, frozenset({6}))
    if kind in (Kind.GREEN_SMALL, Kind.GREEN_LARGE):
        return _green(kind)
    if len(text) == 8:
        return _eight(kind)
    return _seven(kind, text, chance)


def _row(
    length: int, first: float, wide: float, gap: float, split: tuple[int, float]
) -> list[Cell]:
    """Cells of one row from `first` on; `split` is the number of characters before the wide gap,
    and how wide that is.
    """
    cells, left = [], first
    for place in range(length):
        cells.append(Cell(left=left, top=25, wide=wide, tall=90))
        left += wide + (split[1] if place + 1 == split[0] else gap)
    return cells


def _green(kind: Kind) -> Layout:
    large = kind is Kind.GREEN_LARGE
    top, bottom = _LEAF if large else _MINT
    return Layout(
        width=480,
        height=ONE_ROW,
        top=top,
        bottom=bottom,
        ink=_BLACK,
        cells=tuple(_row(8, 15.5, 43.5, 9.0, (2, 49.0))),
        head=(40, 170, 235) if large else None,
        head_ends=134.0,
    )


def _eight(kind: Kind) -> Layout:
    """Armed police with a province, and fire brigades: eight characters on 440 mm."""
    split, red = (3, {0, 1, 2}) if kind is Kind.ARMED_POLICE else (2, {6, 7})
    cells = _row(8, 14.0, 42.5, 7.5, (split, 26.0))
    return Layout(
        width=440,
        height=ONE_ROW,
        top=_PALE[0],
        bottom=_PALE[1],
        ink=_BLACK,
        cells=tuple(cells),
        dot=(cells[split].left - 13.0, 70.0),
        red=frozenset(red),
    )


def _seven(kind: Kind, text: str, chance: Random) -> Layout:
    ground, ink, red = _LOOKS[kind](chance)
    split = _split_of(kind, text, chance)
    cells = _row(7, 15.5, 45.0, 12.0, (split, 34.0))
    return Layout(
        width=440,
        height=ONE_ROW,
        top=ground[0],
        bottom=ground[1],
        ink=ink,
        cells=tuple(cells),
        dot=(cells[split].left - 17.0, 70.0),
        red=red,
    )


def _split_of(kind: Kind, text: str, chance: Random) -> int:
    """After how many characters the dot stands."""
    if kind is Kind.EMBASSY:
        return 4 if text[0] == "使" else 3
    if kind is Kind.CONSULATE:
        return chance.choice((2, 2, 4))
    return 2


def _two_rows(ground: _Ground, ink: Colour, red: frozenset[int] = frozenset()) -> Layout:
    upper = [Cell(left=left, top=15, wide=80, tall=60) for left in (110.0, 250.0)]
    lower = [Cell(left=27.5 + 80 * at, top=90, wide=65, tall=110) for at in range(5)]
    return Layout(
        width=440,
        height=TWO_ROWS,
        top=ground[0],
        bottom=ground[1],
        ink=ink,
        cells=(*upper, *lower),
        dot=(220.0, 45.0),
        red=red,
    )


def _plain(ground: _Ground, ink: Colour, *red: int) -> _Look:
    return lambda _chance: (ground, ink, frozenset(red))


def _temporary(chance: Random) -> tuple[_Ground, Colour, frozenset[int]]:
    return chance.choice((_SKY, _BROWN, _PALE)), _BLACK, frozenset()


_LOOKS: Mapping[Kind, _Look] = {
    Kind.BLUE: _plain(_BLUE, _WHITE),
    Kind.YELLOW: _plain(_YELLOW, _BLACK),
    Kind.TRAINING: _plain(_YELLOW, _BLACK),
    Kind.TRAILER: _plain(_YELLOW, _BLACK),
    Kind.POLICE: _plain(_PALE, _BLACK, 6),
    Kind.HONG_KONG: _plain(_DARK, _WHITE),
    Kind.MACAO: _plain(_DARK, _WHITE),
    Kind.CONSULATE: _plain(_DARK, _WHITE),
    Kind.EMBASSY: _plain(_DARK, _WHITE),
    Kind.ARMED_POLICE: _plain(_PALE, _BLACK, 0, 1),
    Kind.MILITARY: _plain(_PALE, _BLACK, 0, 1),
    Kind.AVIATION: _plain(_PINE, _WHITE),
    Kind.TEMPORARY: _temporary,
}
