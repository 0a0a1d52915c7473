"""Draws plates after GA 36-2018: a text and a ground come in, a picture goes out.

One millimetre is two pixels. The glyphs are OpenCV's own, each drawn apart and brought to the
45 x 90 mm cell and the even stroke of the standard, for what reads plates has learnt those.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

Picture: TypeAlias = npt.NDArray[np.uint8]
"""Shape (H, W, 3), channels B, G, R."""
Mask: TypeAlias = npt.NDArray[np.uint8]
"""Shape (H, W): 0 is ground, 255 is ink."""

PER_MM = 2
HEIGHT_MM = 140
LETTERS = frozenset("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789")
HAN = frozenset("京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领学警港澳挂")

_FONT = cv2.FontFace("uni")
_DRAWN_PX = 400  # glyphs are taken from the font at this size
_TOP_MM, _TALL_MM = 25, 90
_STROKE_MM = {True: 4.5, False: 10.5}  # Han or not


class Ground(StrEnum):
    """Colours of plates."""

    BLUE = "blue"
    GREEN = "green"
    YELLOW = "yellow"
    WHITE = "white"
    BLACK = "black"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """Colours (B, G, R) and layout of one ground: `first_mm` from the left edge to the first
    cell, `wide_mm` a cell, `gap_mm` between cells, `split_mm` between the second and the third.
    """

    top: tuple[int, int, int]
    bottom: tuple[int, int, int]
    ink: tuple[int, int, int]
    width_mm: int = 440
    first_mm: float = 15.5
    wide_mm: float = 45.0
    gap_mm: float = 12.0
    split_mm: float = 34.0
    dot: bool = True


_WHITE, _BLACK = (250, 250, 250), (22, 20, 20)
_LOOKS = {
    Ground.BLUE: _Look(top=(225, 110, 30), bottom=(215, 100, 25), ink=_WHITE),
    Ground.YELLOW: _Look(top=(30, 178, 242), bottom=(26, 170, 236), ink=_BLACK),
    Ground.WHITE: _Look(top=(236, 238, 238), bottom=(228, 230, 230), ink=_BLACK),
    Ground.BLACK: _Look(top=(34, 30, 30), bottom=(28, 26, 26), ink=_WHITE),
    Ground.GREEN: _Look(
        top=(226, 240, 224),
        bottom=(110, 196, 70),
        ink=_BLACK,
        width_mm=480,
        wide_mm=43.5,
        gap_mm=9.0,
        split_mm=49.0,
        dot=False,
    ),
}


_Line: TypeAlias = tuple[tuple[float, float], ...]


def _arc(y: float, begin: int, end: int) -> _Line:
    """Part of a circle as broad as a letter, in degrees clockwise from the right."""
    turns = np.radians(np.linspace(begin, end, 19))
    return tuple((22.5 + 17.5 * float(np.cos(t)), y + 17.5 * float(np.sin(t))) for t in turns)


_TOP, _FOOT = _arc(22.5, 180, 360), _arc(67.5, 0, 180)
_RING = (*_TOP, *_FOOT, _TOP[0])
_LINES: dict[str, tuple[_Line, ...]] = {
    "0": (_RING,),
    "1": (((22.5, 5.0), (22.5, 85.0)),),
    "C": (((40.0, 29.0), *_TOP[::-1], *_FOOT[::-1], (40.0, 61.0)),),
    "G": (((40.0, 27.0), *_TOP[::-1], *_FOOT[::-1], (40.0, 44.0), (25.0, 44.0)),),
    "M": (((5.0, 88.0), (5.0, 5.0), (22.5, 38.0), (40.0, 5.0), (40.0, 88.0)),),
    "Q": (_RING, ((24.0, 58.0), (42.0, 86.0))),
}
"""What the font draws unlike the standard: straight sides, and M not down to its feet."""


def ground_of(text: str) -> Ground:
    """The ground a plate with this text usually has."""
    if len(text) == 8:
        return Ground.GREEN
    for marks, ground in (
        ("学挂", Ground.YELLOW),
        ("警", Ground.WHITE),
        ("使领港澳", Ground.BLACK),
    ):
        if text[-1:] in marks and text:
            return ground
    return Ground.BLUE


def draw(text: str, ground: Ground) -> Picture:
    """A flat plate, (280, 880, 3) or (280, 960, 3).

    Raises `ValueError` for a text of another length, or with a character no plate has.
    """
    unknown = [char for char in text if char not in LETTERS | HAN]
    if unknown or len(text) != (8 if ground is Ground.GREEN else 7):
        raise ValueError(f"{text}: no {ground} plate reads so")
    look = _LOOKS[ground]
    ink = _ink(text, look)[..., None] / np.float32(255)
    ramp = np.linspace(0, 1, ink.shape[0], dtype=np.float32)[:, None, None]
    top, bottom, full = (np.array(c, np.float32) for c in (look.top, look.bottom, look.ink))
    base = top * (1 - ramp) + bottom * ramp
    return np.asarray(base * (1 - ink) + full * ink, np.uint8)


def _ink(text: str, look: _Look) -> Mask:
    ink: Mask = np.zeros((HEIGHT_MM * PER_MM, look.width_mm * PER_MM), np.uint8)
    last, edge = (ink.shape[1] - 1, ink.shape[0] - 1), round(4.5 * PER_MM)
    cv2.rectangle(ink, (edge, edge), (last[0] - edge, last[1] - edge), 255, 3 * PER_MM // 2)
    x = look.first_mm
    for at, char in enumerate(text):
        _paste(ink, _glyph(char, round(look.wide_mm * PER_MM)), x)
        x += look.wide_mm + (look.split_mm if at == 1 else look.gap_mm)
        if at == 1 and look.dot:
            _dot(ink, x - look.split_mm / 2)
    return ink


def _paste(ink: Mask, glyph: Mask, x_mm: float) -> None:
    left, top = round(x_mm * PER_MM), _TOP_MM * PER_MM
    ink[top : top + glyph.shape[0], left : left + glyph.shape[1]] = glyph


def _dot(ink: Mask, x_mm: float) -> None:
    centre = (round(x_mm * PER_MM), HEIGHT_MM * PER_MM // 2)
    cv2.circle(ink, centre, 5 * PER_MM, 255, -1, cv2.LINE_AA)


@lru_cache(maxsize=256)
def _glyph(char: str, width: int) -> Mask:
    """One character filling its cell, with a stroke of even breadth in both directions."""
    height = _TALL_MM * PER_MM
    cell: Mask = np.zeros((height, width), np.uint8)
    if char in _LINES:
        return _stroked(cell, _LINES[char])
    shape = _drawn(char)
    stroke = _STROKE_MM[char in HAN] * PER_MM
    grow_x = _missing(_run_length(shape), shape.shape[1], width, stroke)
    grow_y = _missing(_run_length(shape.T), shape.shape[0], height, stroke)
    size = (width - grow_x, height - grow_y)
    small = cv2.resize(shape, size, interpolation=cv2.INTER_AREA)
    top, left = grow_y // 2, grow_x // 2
    cell[top : top + size[1], left : left + size[0]] = small
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (grow_x | 1, max(3, grow_y | 1)))
    return np.asarray(cv2.dilate(cell, brush), np.uint8)


def _stroked(cell: Mask, lines: tuple[_Line, ...]) -> Mask:
    """Lines of a character, given on a cell of 45 x 90, drawn with the even stroke."""
    scale = np.array([cell.shape[1] / 45, cell.shape[0] / _TALL_MM])
    stroke = round(_STROKE_MM[False] * PER_MM)
    for line in lines:
        points = np.rint(np.array(line) * scale).astype(np.int32)
        cv2.polylines(cell, [points], False, (255,), stroke)
    return cell


def _drawn(char: str) -> Mask:
    """The font's glyph, cut to its ink."""
    page: Mask = np.zeros((2 * _DRAWN_PX, 2 * _DRAWN_PX), np.uint8)
    cv2.putText(page, char, (_DRAWN_PX // 2, _DRAWN_PX * 3 // 2), (255,), _FONT, _DRAWN_PX)
    x, y, width, height = cv2.boundingRect(page)
    return page[y : y + height, x : x + width]


def _run_length(shape: Mask) -> float:
    """How broad the strokes are that a row crosses: the median run of ink, in pixels."""
    edges = np.diff(np.pad(shape > 127, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    return float(np.median(np.nonzero(edges < 0)[1] - np.nonzero(edges > 0)[1]))


def _missing(run: float, from_px: int, to_px: int, stroke: float) -> int:
    """By how much strokes must grow after shrinking, so that both together fill the cell."""
    grown = (stroke - run * to_px / from_px) / (1 - run / from_px)
    return max(0, round(grown))
