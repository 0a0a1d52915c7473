"""A flat plate or a real crop in; what a recogniser would be given of it out, 48 x 160 pixels.

Geometry first (turned, sheared, cut too wide or too tight, rows side by side), then the camera:
resolution, light, dirt, blur, noise, compression. The middles of the characters are carried along.
"""

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from training.render.flat import Picture, Points
from training.render.light import lit, spoilt

Chance: TypeAlias = np.random.Generator
Matrix: TypeAlias = npt.NDArray[np.float32]

WIDE, TALL = 160, 48
"""The network's input."""

PAD = 127
"""What HyperLPR3 fills the right of a narrow crop with: zero after its scaling."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shot:
    """A picture for the network, (48, 160, 3), and the middle of each character as a share of its
    width; no middles where they are not known.
    """

    picture: Picture
    centres: tuple[float, ...]


def shot(
    picture: Picture, corners: Points, centres: Points, chance: Chance, *, gentle: bool = False
) -> Shot:
    """A one-row plate, given flat with its margin, as a camera and a detector show it.

    `gentle` spares what is real, or is drawn for measuring, the worst of light and lens.
    """
    turn, size = _framing(corners, chance, gentle=gentle)
    canvas = warped(picture, turn, size)
    return _finished(canvas, moved(centres, turn)[:, 0] / size[0], chance, gentle=gentle)


def shot_of_rows(
    picture: Picture, corners: Points, centres: Points, chance: Chance, *, gentle: bool = False
) -> Shot:
    """A two-row plate: its rows cut apart and set side by side, the upper one first."""
    square = _rectified(corners, chance)
    upper = _part(chance, 0.21, -0.06, 0.79, 0.37)
    lower = _part(chance, -0.02, 0.36, 1.02, 0.98)
    tall = round(float(np.exp(chance.uniform(np.log(20), np.log(56)))))
    sizes = [round(tall * shape * chance.uniform(0.9, 1.1)) for shape in (0.96, 2.23)]
    halves, places = [], []
    for part, wide, mine in ((upper, sizes[0], centres[:2]), (lower, sizes[1], centres[2:])):
        turn = np.asarray(_cut(part, wide, tall) @ square, np.float32)
        halves.append(warped(picture, turn, (wide, tall)))
        places.append(moved(mine, turn)[:, 0] + sum(half.shape[1] for half in halves[:-1]))
    middles = np.concatenate(places) / sum(sizes)
    return _finished(np.hstack(halves), middles, chance, gentle=gentle)


def shot_of_half(
    picture: Picture, corners: Points, centres: Points, upper: bool, chance: Chance
) -> Shot:
    """One row of a two-row plate by itself, the way HyperLPR3 cuts it: at 0.4 of the height."""
    top, bottom = (-0.03, 0.4) if upper else (0.38, 1.03)
    part = _part(chance, -0.02, top, 1.02, bottom)
    wide = round(float(np.exp(chance.uniform(np.log(60), np.log(200)))))
    tall = max(12, round(wide / 440 * 220 * (bottom - top)))
    turn = np.asarray(_cut(part, wide, tall) @ _rectified(corners, chance), np.float32)
    mine = centres[:2] if upper else centres[2:]
    canvas = warped(picture, turn, (wide, tall))
    return _finished(canvas, moved(mine, turn)[:, 0] / wide, chance)


def shot_of_crop(crop: Picture, centres: tuple[float, ...], chance: Chance) -> Shot:
    """A real crop, a little turned, moved and spoilt; `centres` as for `Shot`."""
    tall, wide = crop.shape[:2]
    middle = np.array([wide / 2, tall / 2])
    turn = turned(middle, chance, float(chance.choice((1.5, 4.0, 8.0))), 0.15, 0.06)
    zoom = chance.uniform(0.9, 1.08, 2) if chance.random() < 0.8 else chance.uniform(0.8, 1.0, 2)
    turn = _scaled(zoom, middle) @ turn
    turn[:2, 2] += chance.uniform(-0.04, 0.04, 2) * (wide, tall)
    matrix = np.asarray(turn, np.float32)
    canvas = warped(crop, matrix, (wide, tall))
    if chance.random() < 0.3 and wide > 60:
        less = chance.uniform(0.5, 0.95)
        canvas = _resized(canvas, max(32, round(wide * less)), max(12, round(tall * less)))
    line = np.array([(place * wide, tall / 2) for place in centres], np.float32).reshape(-1, 2)
    places = moved(line, matrix)[:, 0] / wide if len(line) else np.zeros(0, np.float32)
    return _finished(canvas, places, chance, gentle=True)


def plain(crop: Picture) -> Picture:
    """A crop as the engine gives it to the network: stretched, nothing else."""
    return _resized(crop, WIDE, TALL)


def _finished(
    canvas: Picture, places: npt.NDArray[np.floating], chance: Chance, *, gentle: bool = False
) -> Shot:
    seen = spoilt(lit(canvas, chance, gentle=gentle), chance, gentle=gentle)
    wide = WIDE
    if chance.random() < 0.15:
        wide = int(np.clip(TALL * seen.shape[1] / seen.shape[0], TALL, WIDE))
    picture = _resized(seen, wide, TALL)
    if wide < WIDE:
        rest = np.full((TALL, WIDE - wide, 3), PAD, np.uint8)
        picture = np.concatenate([picture, rest], axis=1)
    return Shot(
        picture=picture,
        centres=tuple(float(place) * wide / WIDE for place in places),
    )


def _framing(corners: Points, chance: Chance, *, gentle: bool) -> tuple[Matrix, tuple[int, int]]:
    """How the flat picture is seen, and the size of the crop around the plate in it."""
    tilt = chance.choice((1.2, 4.0, 9.0), p=(0.75, 0.25, 0) if gentle else (0.55, 0.27, 0.18))
    turn = turned(corners.mean(axis=0), chance, float(tilt), 0.03 * tilt, 0.02 + 0.006 * tilt)
    quad = moved(corners, np.asarray(turn, np.float32))
    low, high = quad.min(axis=0), quad.max(axis=0)
    span = high - low
    low = low - span * _margins(chance)
    high = high + span * _margins(chance)
    span = high - low
    wide = float(np.exp(chance.uniform(np.log(56), np.log(220))))
    size = (round(wide), max(12, round(wide * span[1] / span[0] * chance.uniform(0.85, 1.15))))
    return np.asarray(_fit(low, high, size) @ turn, np.float32), size


def _margins(chance: Chance) -> npt.NDArray[np.float64]:
    """By how much of its size a crop is wider and higher than the plate on one side: mostly
    little, at times much, at times less than nothing.
    """
    kind = chance.random()
    if kind < 0.15:
        return np.array([chance.uniform(-0.035, 0.0), chance.uniform(-0.13, 0.0)])
    return chance.uniform(0, 1, 2) * ((0.04, 0.08) if kind < 0.7 else (0.10, 0.25))


def turned(
    middle: npt.NDArray[np.floating], chance: Chance, degrees: float, shear: float, bent: float
) -> npt.NDArray[np.float64]:
    """Turned about its middle, sheared and seen from aside; each by a normal deviation."""
    angle = np.radians(np.clip(chance.normal(0, degrees), -2.2 * degrees, 2.2 * degrees))
    cos, sin = np.cos(angle), np.sin(angle)
    lean = chance.normal(0, shear)
    affine = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]) @ np.array(
        [[1, lean, 0], [0, 1, 0], [0, 0, 1]]
    )
    far = np.array([[1, 0, 0], [0, 1, 0], [*chance.normal(0, bent, 2) / (2 * middle), 1]])
    away, back = np.eye(3), np.eye(3)
    away[:2, 2], back[:2, 2] = -middle, middle
    return np.asarray(back @ far @ affine @ away, np.float64)


def _scaled(zoom: npt.NDArray[np.float64], middle: npt.NDArray[np.float64]) -> Matrix:
    matrix = np.diag([*zoom, 1.0])
    matrix[:2, 2] = middle * (1 - zoom)
    return np.asarray(matrix, np.float32)


def _fit(
    low: npt.NDArray[np.floating], high: npt.NDArray[np.floating], size: tuple[int, int]
) -> npt.NDArray[np.float64]:
    """The rectangle from `low` to `high` becomes a picture of this size."""
    scale = np.array(size) / (high - low)
    matrix = np.diag([*scale, 1.0])
    matrix[:2, 2] = -low * scale
    return matrix


def _rectified(corners: Points, chance: Chance) -> Matrix:
    """The plate as the unit square, as well as a detector knows its corners."""
    span = corners[2] - corners[0]
    seen = corners + chance.normal(0, 0.014, (4, 2)) * span * (1, 1.4)
    unit = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    return np.asarray(cv2.getPerspectiveTransform(seen.astype(np.float32), unit), np.float32)


def _part(
    chance: Chance, left: float, top: float, right: float, bottom: float
) -> tuple[float, float, float, float]:
    """A part of the unit square, each side moved a little."""
    moved = np.array([left, top, right, bottom]) + chance.normal(0, 0.018, 4)
    return tuple(moved.tolist())


def _cut(part: tuple[float, float, float, float], wide: int, tall: int) -> Matrix:
    low, high = np.array(part[:2]), np.array(part[2:])
    return np.asarray(_fit(low, high, (wide, tall)), np.float32)


def moved(points: Points, turn: Matrix) -> Points:
    """Where the points are after the turn."""
    return np.asarray(cv2.perspectiveTransform(points[None], turn)[0], np.float32)


def warped(
    picture: Picture, turn: Matrix, size: tuple[int, int], border: int = cv2.BORDER_REPLICATE
) -> Picture:
    """Warped; where the result is much coarser than the picture, that is shrunk first, for warping
    picks single pixels.
    """
    tall, wide = picture.shape[:2]
    middle = np.array([[wide / 2, tall / 2], [wide / 2 + 8, tall / 2]], np.float32)
    ends = moved(middle, turn)
    coarse = 8 / max(float(np.linalg.norm(ends[1] - ends[0])), 0.5)
    if coarse > 1.4:
        small = _resized(picture, max(16, round(wide / coarse)), max(8, round(tall / coarse)))
        grow = np.diag([wide / small.shape[1], tall / small.shape[0], 1.0])
        picture, turn = small, np.asarray(turn @ grow, np.float32)
    return np.asarray(cv2.warpPerspective(picture, turn, size, borderMode=border), np.uint8)


def _resized(picture: Picture, wide: int, tall: int) -> Picture:
    shrinks = wide * tall < picture.shape[0] * picture.shape[1]
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (wide, tall), interpolation=way), np.uint8)
