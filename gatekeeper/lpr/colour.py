"""The ground colour of a plate: an upright picture of it in, one word out.

Blue and black plates have light characters on a dark ground, the others dark ones on a light
ground (GA 36-2018, table 1). So which of the two shades is the ground is told first, by their
areas; on a dark ground the characters then show what white is in this light.
"""

import cv2
import numpy as np

from gatekeeper.lpr.session import Floats
from gatekeeper.model import Colour, Pixels

RIM = 0.12
"""Share of the height and, at each end, of the height in width, that may show the car itself."""

FLAT = 12
"""Difference of the two shades, 0..255, below which nothing can be told."""

TINTED = 1.15
"""One channel by another from which a shade has a colour, and is no grey."""

BLUISH = 0.035
"""By how much of the characters' white a ground is bluer than it is red; black ones are less."""


def ground(plate: Pixels) -> Colour:
    """The ground colour of an upright plate (H, W, 3); `UNKNOWN` where it is too faint to tell."""
    height, width = plate.shape[:2]
    rim = round(height * RIM)
    inner = plate[rim : height - rim, rim : width - rim]
    if not inner.size:
        return Colour.UNKNOWN
    grey = cv2.cvtColor(inner, cv2.COLOR_BGR2GRAY)
    _level, bright = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    mask = bright.astype(bool)
    if not 0 < mask.mean() < 1:
        return Colour.UNKNOWN
    light, dark = _shade(inner[mask]), _shade(inner[~mask])
    if light.mean() - dark.mean() < FLAT:
        return Colour.UNKNOWN
    if mask.mean() < 0.5:
        return _of_dark_ground(np.divide(dark, np.maximum(light, 1), dtype=np.float32))
    return _of_light_ground(inner, mask)


def _of_dark_ground(seen: Floats) -> Colour:
    """`seen`: B, G, R of the ground, measured by the characters, which are white."""
    blue, _green, red = seen.tolist()
    return Colour.BLUE if blue - red > BLUISH else Colour.BLACK


def _of_light_ground(inner: Pixels, mask: np.typing.NDArray[np.bool_]) -> Colour:
    """The large new-energy plate is yellow behind its first two characters, green beyond."""
    quarter = inner.shape[1] // 4
    first, rest = (
        _tint(_shade(part[here]))
        for part, here in (
            (inner[:, :quarter], mask[:, :quarter]),
            (inner[:, quarter:], mask[:, quarter:]),
        )
    )
    return Colour.YELLOW_GREEN if (first, rest) == (Colour.YELLOW, Colour.GREEN) else rest


def _tint(shade: Floats) -> Colour:
    blue, green, red = np.maximum(shade, 1).tolist()
    if max(green, blue) > TINTED * red:
        return Colour.BLUE if blue > green else Colour.GREEN
    if min(green, red) > TINTED * blue:
        return Colour.YELLOW
    return Colour.WHITE


def _shade(pixels: Pixels) -> Floats:
    """The mean colour of pixels (N, 3)."""
    if not len(pixels):
        return np.zeros(3, np.float32)
    return np.asarray(pixels.mean(axis=0), np.float32)
