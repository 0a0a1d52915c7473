"""The picture of a camera in, the part of it that is read out: turned, masked, cut. Pure."""

import cv2
import numpy as np

from gatekeeper.config import Area, ViewSettings
from gatekeeper.model import Pixels

_TURNS = {
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}

_LIT = 24
"""Grey level, of 255, that the noise of a sensor in the dark does not reach; any lamp does."""
_LIT_SHARE = 0.002
"""A number plate that is just lit, far away in a dark view, is more of it than this."""

_ROUNDING = 1e-6
"""Of a pixel: 0.1 + 0.2 is a little more than 0.3, and must not touch one pixel more."""


def viewed(pixels: Pixels, view: ViewSettings) -> Pixels:
    """What the networks read of a picture, which is left as it is.

    Corners of plate reads are pixels of what is given out here, not of the picture as the camera
    sent it.
    """
    turn = _TURNS.get(view.rotation)
    upright = pixels if turn is None else np.asarray(cv2.rotate(pixels, turn), np.uint8)
    if view.masks and upright is pixels:
        upright = upright.copy()
    for mask in view.masks:
        upright[_within(upright, mask)] = 0
    if view.roi is not None:
        upright = upright[_within(upright, view.roi)]
    return np.ascontiguousarray(upright)


def is_black(pixels: Pixels) -> bool:
    """Whether a picture shows nothing: a covered lens, or a lane without any light."""
    brightest = pixels[::4, ::4].max(axis=2)
    return bool(np.count_nonzero(brightest >= _LIT) < _LIT_SHARE * brightest.size)


def _within(pixels: Pixels, area: Area) -> tuple[slice, slice]:
    """Rows and columns of every pixel that the area touches: at least one of each."""
    height, width = pixels.shape[:2]
    x, y, w, h = area
    return _span(y, h, height), _span(x, w, width)


def _span(start: float, share: float, pixels: int) -> slice:
    first = int(start * pixels + _ROUNDING)
    last = int(np.ceil((start + share) * pixels - _ROUNDING))
    return slice(first, max(first + 1, min(last, pixels)))
