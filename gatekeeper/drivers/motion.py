"""Whether something moves or stands in what a camera sees: pixels in, two shares of the view out.

Each picture is made small, and what is left of it is its fine texture, in logarithms: dawn, clouds
and the pool of a headlamp change much light and little texture, a vehicle changes both. What the
empty lane looks like is learned slowly, and how far it strays by itself (a mast that sways, rain).
It costs 0.2 ms for a picture of 1080p.
"""

import math
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from gatekeeper.model import Pixels

Texture: TypeAlias = npt.NDArray[np.float32]

MOVING = 0.04
CHANGED = 0.08
"""Shares of the view: a vehicle at the barrier changes a third of it and more; rain, glare, a
swaying mast and a sensor's noise stay below 0.025 (rendered, `tests/drivers/test_motion.py`)."""

EMPTY_LEARNED_S = 20.0
"""How long the empty lane takes to become something else: dawn, a wet road."""
THING_LEARNED_S = 300.0
"""How long it takes when something is there: what was left in view belongs to the lane at last."""

FIRST_LOOKS = 10
"""So many looks at an empty lane have to be averaged before anything can differ from it."""

_WIDTH, _HEIGHT = 160, 90
_COARSE = 6.0
"""Light that changes over more than this many small pixels is no texture."""
_DARK = 16.0
"""Grey levels added before the logarithm, or the noise of a night would be the whole picture."""
_TOLERANCE = 0.12
"""How far texture may stray in a still picture: a tenth of the light there."""
_USUAL = 4.0
"""So many times its own usual straying is unusual."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Shares of the view, 0..1: what moved since the look before, and what differs from the empty
    lane, None while that is not known.
    """

    moved: float
    differs: float | None

    @property
    def moving(self) -> bool:
        """Whether something as large as a vehicle moves."""
        return self.moved >= MOVING

    @property
    def changed(self) -> bool:
        """Whether something as large as a vehicle is there that the empty lane has not."""
        return self.differs is not None and self.differs >= CHANGED


class PixelMotion:
    """What one camera has seen so far. Each `look` is followed by one `learn`."""

    def __init__(self) -> None:
        self._now: Texture | None = None
        self._empty: Texture | None = None
        self._strays: Texture | None = None
        self._changed = False
        self._looks = 0
        self._learned_at = 0.0

    def look(self, pixels: Pixels) -> Seen:
        """What has changed in view; at the very first look everything has moved."""
        before, now = self._now, _texture(pixels)
        empty = self._empty if self._looks >= FIRST_LOOKS else None
        self._now = now
        seen = Seen(
            moved=1.0 if before is None else self._share(now, before),
            differs=None if empty is None else self._share(now, empty),
        )
        self._changed = seen.changed
        return seen

    def learn(self, at: float, *, empty: bool) -> None:
        """Take in the last look, of a lane that is `empty` as far as is known, or is not; `at` in
        seconds, of any clock that goes forward.
        """
        now, since, self._learned_at = self._now, self._learned_at, at
        empty = empty and not self._changed
        self._looks += empty
        if now is None or (self._empty is None and not empty):
            return
        if self._empty is None or self._strays is None:
            self._empty, self._strays = now, np.zeros_like(now)
            return
        share = self._weight(at - since, empty=empty)
        self._strays = self._strays + share * (np.abs(now - self._empty) - self._strays)
        self._empty = self._empty + share * (now - self._empty)

    def _weight(self, passed_s: float, *, empty: bool) -> np.float32:
        """How much of the last look is taken in. The first ones count alike."""
        lasts_s = EMPTY_LEARNED_S if empty else THING_LEARNED_S
        weight = 1.0 - math.exp(-max(0.0, passed_s) / lasts_s)
        return np.float32(max(weight, 1 / self._looks) if empty else weight)

    def _share(self, one: Texture, other: Texture) -> float:
        """Of the view, where two looks differ by more than is usual there."""
        usual = 0.0 if self._strays is None else _USUAL * self._strays
        differs = np.abs(one - other) > np.maximum(_TOLERANCE, usual)
        return float(cv2.medianBlur(differs.astype(np.uint8), 3).mean())


def _texture(pixels: Pixels) -> Texture:
    """The fine texture of a picture, whatever its size and its light."""
    stride = max(1, pixels.shape[1] // (2 * _WIDTH))
    green = np.ascontiguousarray(pixels[::stride, ::stride, 1])
    small = cv2.resize(green, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA)
    light = np.log(small.astype(np.float32) + np.float32(_DARK))
    fine = light - cv2.GaussianBlur(light, (0, 0), _COARSE)
    return np.asarray(cv2.GaussianBlur(fine, (3, 3), 0), np.float32)
