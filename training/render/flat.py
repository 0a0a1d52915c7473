"""Draws a plate flat and by daylight, with what is around it: frame, screws, car.

One pixel is `1 / PER_MM` millimetres. The plate lies in a margin of the car, so that a crop may be
cut wider than the plate.
"""

from dataclasses import dataclass
from random import Random
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from training.render.glyphs import Glyphs, Mask
from training.render.layouts import Cell, Colour, Layout, layout_of
from training.render.texts import Kind, text_of

Picture: TypeAlias = npt.NDArray[np.uint8]
"""Shape (H, W, 3), channels B, G, R."""
Points: TypeAlias = npt.NDArray[np.float32]
"""Shape (N, 2), x and y in pixels."""

PER_MM = 0.7
MARGIN_X, MARGIN_Y = 44, 28
"""Millimetres of car on either side of the plate, and above and below it."""

_RED = (40, 30, 205)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Flat:
    """A drawn plate: its picture with margin, the corners of the plate in it (top left, then
    clockwise), and the middle of each character.
    """

    kind: Kind
    text: str
    rows: int
    picture: Picture
    corners: Points
    centres: Points


def flat(kind: Kind, glyphs: Glyphs, chance: Random) -> Flat:
    """A plate of this kind with a text of its own."""
    text = text_of(kind, chance)
    layout = layout_of(kind, text, chance)
    cells = [_jittered(cell, chance) for cell in layout.cells]
    ink, red = _ink(text, layout, cells, glyphs, chance)
    picture = _coloured(layout, ink, red, chance)
    _screws(picture, layout, chance)
    whole = _mounted(picture, chance)
    offset = np.array([MARGIN_X, MARGIN_Y], np.float32)
    size = [(0, 0), (layout.width, 0), (layout.width, layout.height), (0, layout.height)]
    middles = [(cell.left + cell.wide / 2, cell.top + cell.tall / 2) for cell in cells]
    return Flat(
        kind=kind,
        text=text,
        rows=layout.rows,
        picture=whole,
        corners=(np.array(size, np.float32) + offset) * PER_MM,
        centres=(np.array(middles, np.float32) + offset) * PER_MM,
    )


def _jittered(cell: Cell, chance: Random) -> Cell:
    """No two makers' tools are the same, and real plates differ by a millimetre or two."""
    wide = cell.wide * chance.uniform(0.93, 1.05)
    tall = cell.tall * chance.uniform(0.95, 1.03)
    return Cell(
        left=cell.left + (cell.wide - wide) / 2 + chance.uniform(-1.5, 1.5),
        top=cell.top + (cell.tall - tall) / 2 + chance.uniform(-1.5, 1.5),
        wide=wide,
        tall=tall,
    )


def _style(kind_height: int, width: int, place: int) -> str:
    if kind_height != 140:
        return "220_up" if place < 2 else "220_down"
    return "green" if width == 480 else "140"


def _ink(
    text: str, layout: Layout, cells: list[Cell], glyphs: Glyphs, chance: Random
) -> tuple[Mask, Mask]:
    """The mask of all ink, and of the red part of it."""
    shape = (round(layout.height * PER_MM), round(layout.width * PER_MM))
    ink, red = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    brush = chance.choice((0, 0, 0, 0, 2, 3, -2))
    for place, (character, cell) in enumerate(zip(text, cells, strict=True)):
        style = _style(layout.height, layout.width, place)
        mask = _brushed(glyphs.mask(character, style, chance), brush)
        _paste(ink, mask, cell)
        if place in layout.red:
            _paste(red, mask, cell)
    if layout.dot and chance.random() < 0.95:
        middle = (round(layout.dot[0] * PER_MM), round(layout.dot[1] * PER_MM))
        cv2.circle(ink, middle, round(chance.uniform(4, 6.5) * PER_MM), (255,), -1, cv2.LINE_AA)
    if chance.random() < 0.85:
        inset = round(chance.uniform(2.5, 6) * PER_MM)
        low, high = (inset, inset), (shape[1] - 1 - inset, shape[0] - 1 - inset)
        cv2.rectangle(ink, low, high, (255,), chance.choice((1, 1, 2)))
    return ink, red


def _brushed(mask: Mask, brush: int) -> Mask:
    """Strokes bolder (above 0) or finer (below) by so many pixels."""
    if not brush:
        return mask
    square = np.ones((abs(brush), abs(brush)), np.uint8)
    return np.asarray((cv2.dilate if brush > 0 else cv2.erode)(mask, square), np.uint8)


def _paste(ink: Mask, mask: Mask, cell: Cell) -> None:
    wide, tall = round(cell.wide * PER_MM), round(cell.tall * PER_MM)
    left, top = max(0, round(cell.left * PER_MM)), max(0, round(cell.top * PER_MM))
    part = ink[top : top + tall, left : left + wide]
    small = cv2.resize(mask, (part.shape[1], part.shape[0]), interpolation=cv2.INTER_AREA)
    np.maximum(part, small, out=part)


def _coloured(layout: Layout, ink: Mask, red: Mask, chance: Random) -> Picture:
    tall, wide = ink.shape
    ramp = np.linspace(0, 1, tall, dtype=np.float32)[:, None, None]
    base = np.broadcast_to(
        _shade(layout.top, chance) * (1 - ramp) + _shade(layout.bottom, chance) * ramp,
        (tall, wide, 3),
    ).copy()
    if layout.head:
        base[:, : round(layout.head_ends * PER_MM)] = _shade(layout.head, chance)
    share = ink[..., None] * np.float32(1 / 255)
    base += (_shade(layout.ink, chance) - base) * share
    if layout.red:
        share = red[..., None] * np.float32(1 / 255)
        base += (_shade(_RED, chance) - base) * share
    return np.asarray(np.clip(base, 0, 255), np.uint8)


def _shade(colour: Colour, chance: Random) -> npt.NDArray[np.float32]:
    return np.array([part + chance.uniform(-14, 14) for part in colour], np.float32)


def _screws(picture: Picture, layout: Layout, chance: Random) -> None:
    """Up to four bolts where GA 36 has its holes, in any colour, as large as they are found."""
    if chance.random() < 0.25:
        return
    colour = chance.choice(((200, 200, 200), (60, 60, 60), (225, 110, 30), (240, 240, 240)))
    across = 0.24 if layout.height == 140 else 0.2
    for x in (across, 1 - across):
        for y in (0.085, 0.915):
            if chance.random() < 0.7:
                place = (
                    round((x + chance.uniform(-0.02, 0.02)) * picture.shape[1]),
                    round(y * picture.shape[0]),
                )
                cv2.circle(picture, place, round(chance.uniform(3, 8) * PER_MM), colour, -1)


def _mounted(picture: Picture, chance: Random) -> Picture:
    """The plate on its car, perhaps in a frame that covers its rim."""
    over, side = round(MARGIN_Y * PER_MM), round(MARGIN_X * PER_MM)
    tall, wide = picture.shape[0] + 2 * over, picture.shape[1] + 2 * side
    upper, lower = (np.array([chance.uniform(0, 255)] * 3, np.float32) for _ in range(2))
    tint = np.array([chance.uniform(0.8, 1.2) for _ in range(3)], np.float32)
    ramp = np.linspace(0, 1, tall, dtype=np.float32)[:, None, None]
    car = np.broadcast_to((upper * (1 - ramp) + lower * ramp) * tint, (tall, wide, 3))
    whole = np.asarray(np.clip(car, 0, 255), np.uint8).copy()
    if chance.random() < 0.5:
        y = chance.randrange(tall)
        shade = chance.randrange(256)
        cv2.line(whole, (0, y), (wide, y), (shade, shade, shade), chance.randint(1, 12))
    whole[over : over + picture.shape[0], side : side + picture.shape[1]] = picture
    if chance.random() < 0.3:
        _frame(whole, over, side, chance)
    return whole


def _frame(whole: Picture, over: int, side: int, chance: Random) -> None:
    shade = chance.choice((20, 30, 60, 150, 200))
    thick = chance.randint(4, 16)
    reach = thick // 2 - chance.randint(0, 3)
    low = (side - reach, over - reach)
    high = (whole.shape[1] - side + reach, whole.shape[0] - over + reach)
    cv2.rectangle(whole, low, high, (shade, shade, shade), thick)
