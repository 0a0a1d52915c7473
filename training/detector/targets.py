"""What the network is to say at each of its places: targets, and where they are judged."""

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from training.detector.scenes import Place
from training.render.flat import Points

Floats: TypeAlias = npt.NDArray[np.float32]

WIDTHS = ((0.0, 85.0), (50.0, 190.0), (120.0, 1e9))
"""Widths of plates, in pixels, that each level (a place every 8, 16 and 32) is to find."""

_ACROSS, _DOWN = 0.16, 0.26
"""Deviations of the hill of scores around a plate's middle, as shares of its width and height."""

_FOOT = 0.05
"""Below it the hill ends."""

_AROUND = 0.2
"""By how much of its size more the surroundings of a plate that is not judged are not, either."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Targets:
    """Of the places of all levels, one level after the other, row by row: score (P), 1 where it is
    judged (P), corners in pixels (P, 8), size of the plate (P), and 1 where it has two rows (P).
    """

    score: Floats
    judged: Floats
    corners: Floats
    size: Floats
    two: Floats


def targets(places: tuple[Place, ...], side: int, steps: tuple[int, ...]) -> Targets:
    """For a square picture of this side."""
    centres = [_centres(side, step) for step in steps]
    count = sum(map(len, centres))
    told = Targets(
        score=np.zeros(count, np.float32),
        judged=np.ones(count, np.float32),
        corners=np.zeros((count, 8), np.float32),
        size=np.ones(count, np.float32),
        two=np.zeros(count, np.float32),
    )
    for place in places:
        at = 0
        for level, here in zip(WIDTHS, centres, strict=True):
            _mark(told, slice(at, at + len(here)), here, level, place)
            at += len(here)
    return told


def _centres(side: int, step: int) -> Floats:
    y, x = np.mgrid[0 : side // step, 0 : side // step]
    return np.asarray((np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) * step, np.float32)


def _mark(
    told: Targets, span: slice, centres: Floats, level: tuple[float, float], place: Place
) -> None:
    low, high = place.corners.min(axis=0), place.corners.max(axis=0)
    if not place.sure:
        room = (high - low) * _AROUND
        inside = ((centres > low - room) & (centres < high + room)).all(axis=1)
        told.judged[span][inside] = 0
        return
    if not level[0] <= high[0] - low[0] < level[1]:
        return
    hill = _hill(centres, place.corners)
    better = (hill > _FOOT) & (hill > told.score[span])
    told.score[span][better] = hill[better]
    told.corners[span][better] = place.corners.reshape(8)
    told.size[span][better] = float(np.ptp(place.corners, axis=0).max())
    told.two[span][better] = place.rows - 1


def _hill(centres: Floats, corners: Points) -> Floats:
    """1 at the place next to the plate's middle, falling to its edges."""
    unit = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]], np.float32)
    flat = cv2.getPerspectiveTransform(corners.astype(np.float32), unit)
    seen = cv2.perspectiveTransform(centres[None], flat)[0]
    far = (seen[:, 0] / _ACROSS) ** 2 + (seen[:, 1] / _DOWN) ** 2
    hill = np.exp(-far / 2)
    near = np.abs(centres - corners.mean(axis=0)).max(axis=1).argmin()
    hill[near] = max(float(hill[near]), 1e-3)
    return np.asarray(hill / hill.max(), np.float32)
