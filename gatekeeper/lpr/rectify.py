"""Four corners in, an upright picture of the plate (or of a part of it) out. Pure geometry.

A part is told in the plate's own measure: 0..1 from its left to its right edge and from its top
to its bottom edge, as the detector saw them; less than 0 or more than 1 is beyond the edge.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from gatekeeper.lpr.detect import Quad
from gatekeeper.model import Pixels

SMALLEST_SIDE = 4.0
"""Pixels of the picture; no character can be told on a smaller plate."""

MOST_FINENESS = 8
"""A part is taken out at most so many times finer than asked for, and then shrunk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A rectangle on the plate."""

    left: float
    top: float
    right: float
    bottom: float


def grown(wider: float, higher: float) -> Part:
    """The whole plate and a rim: so much of its width and height more (or, below 0, less)."""
    return Part(left=-wider / 2, top=-higher / 2, right=1 + wider / 2, bottom=1 + higher / 2)


WHOLE = grown(0.0, 0.0)

ROW = grown(0.14, -0.02)
"""The clp detector's corners sit tight: of 116 street scenes 111 are read with this rim in one
pass, 108 without."""

UPPER, LOWER = (
    Part(left=0.23, top=-0.10, right=0.77, bottom=0.34),
    Part(left=-0.04, top=0.31, right=1.04, bottom=1.00),
)
"""The rows of a two-row plate, whose upper edge the clp detector puts too low. The upper row has
two characters in its middle, the lower one five (GA 36-2018, figures 2 and 4)."""

UPPER_TOLD, LOWER_TOLD = (
    Part(left=0.0, top=0.0, right=1.0, bottom=0.4),
    Part(left=0.0, top=0.4, right=1.0, bottom=1.0),
)
"""The rows of a plate of which the detector knows that it has two, and where it ends: cut where
HyperLPR3 cuts it, and networks of its contract are used to it."""

UPPER_MIDDLE = Part(left=0.2, top=0.0, right=0.8, bottom=0.4)
"""The part of such an upper row that has characters."""

UPPER_SHAPE, LOWER_SHAPE = 0.96, 2.23
"""Width by height that makes the characters of both rows as slim as those of a one-row plate."""

ROW_SHAPE = 2.9
"""Width by height of a one-row plate seen from the front, with its rim (440 x 140 mm)."""


def extent(quad: Quad) -> tuple[float, float]:
    """Width and height of a plate in the picture: means of opposite sides."""
    top, right, bottom, left = (
        float(np.linalg.norm(quad[(side + 1) % 4] - quad[side])) for side in range(4)
    )
    return (top + bottom) / 2, (left + right) / 2


def legible(quad: Quad) -> bool:
    """Whether the corners span a plate at all, large enough to hold characters."""
    return bool(np.isfinite(quad).all()) and min(extent(quad)) >= SMALLEST_SIDE


def cut_out(pixels: Pixels, quad: Quad, part: Part, width: int, height: int) -> Pixels:
    """The part of the plate as an upright picture (height, width, 3).

    What lies beyond the picture's edge is the edge's own colour.
    """
    fineness = _fineness(quad, part, height)
    size = np.array([width * fineness, height * fineness], np.float32)
    low = np.array([part.left, part.top], np.float32)
    span = np.array([part.right - part.left, part.bottom - part.top], np.float32)
    unit = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    turn = cv2.getPerspectiveTransform(quad - 0.5, (unit - low) / span * size - 0.5)
    fine = cv2.warpPerspective(
        pixels, turn, (width * fineness, height * fineness), borderMode=cv2.BORDER_REPLICATE
    )
    if fineness > 1:
        fine = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(fine, np.uint8)


def row(
    pixels: Pixels, quad: Quad, part: Part, height: int, most_width: int, least_shape: float = 0.0
) -> Pixels:
    """The part at this height, as wide as it is in the picture, or as `least_shape` makes it.

    A plate seen from the side is narrow; `least_shape` (width by height) spreads it again.
    """
    across, down = extent(quad)
    shape = across * (part.right - part.left) / (down * (part.bottom - part.top))
    width = round(height * max(shape, least_shape))
    return cut_out(pixels, quad, part, min(max(width, height // 2), most_width), height)


def rows_joined(
    pixels: Pixels, quad: Quad, height: int, parts: tuple[Part, Part] = (UPPER, LOWER)
) -> Pixels:
    """Both rows of a two-row plate side by side, so that one reading tells both."""
    upper = cut_out(pixels, quad, parts[0], round(height * UPPER_SHAPE), height)
    lower = cut_out(pixels, quad, parts[1], round(height * LOWER_SHAPE), height)
    return np.concatenate([upper, lower], axis=1)


def _fineness(quad: Quad, part: Part, height: int) -> int:
    """How many times finer than `height` the picture itself is there: bilinear warping alone
    would pick single pixels of a large plate.
    """
    seen = extent(quad)[1] * (part.bottom - part.top)
    return min(max(1, round(seen / height)), MOST_FINENESS)
