"""A scene in, what the network is shown of it out: a part of it, with plates drawn into it, decoys
and light.

A plate of the scene is covered by a drawn one in half of all samples, corner on corner; drawn
plates also hang in free places. Decoys never touch a plate.
"""

from dataclasses import dataclass
from random import Random

import cv2
import numpy as np

from training.detector.decoys import Cover, any_decoy
from training.detector.scenes import Place, Scene
from training.render.camera import Chance, Matrix, moved, turned, warped
from training.render.flat import Flat, Picture, Points
from training.render.light import lit, noisy, packed

SIDE = 320
"""Of the square that the network is trained on."""

NARROWEST, WIDEST = 20, 270
"""Widths of plates in it."""

_COVERED, _HUNG, _DECOYED, _MIRRORED = 0.45, 0.4, 0.5, 0.25
"""How often a plate is covered, one more is hung up, decoys are drawn, and all is mirrored."""

_TWO_ROWS = 220 / 140
"""Heights of plates of two rows and of one, by each other (GA 36-2018)."""

_VISIBLE = 0.9
"""Share of a plate's box inside the square from which it is to be found."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """A picture (SIDE, SIDE, 3) and the places of plates in it; those not `sure` are not judged."""

    picture: Picture
    places: tuple[Place, ...]


class Composer:
    """Draws samples; `flats` are the plates that it may draw, and change while it draws."""

    def __init__(self, flats: list[Flat], seed: int) -> None:
        self._flats = flats
        self._chance, self._dice = Random(seed), np.random.default_rng(seed)

    def sample(self, scene: Scene) -> Sample:
        """One look at this scene."""
        dice = self._dice
        turn = _view(scene, dice)
        border = cv2.BORDER_CONSTANT if dice.random() < 0.4 else cv2.BORDER_REPLICATE
        canvas = warped(scene.picture, turn, (SIDE, SIDE), border)
        places = [
            Place(corners=moved(place.corners, turn), rows=place.rows, sure=place.sure)
            for place in scene.places
        ]
        places = [place for place in places if _inside(place.corners) > 0]
        places = [self._covered(canvas, place) for place in places]
        if dice.random() < _DECOYED:
            for _ in range(int(dice.integers(1, 4))):
                self._decoy(canvas, places)
        if dice.random() < _HUNG or not places:
            places += self._hung(canvas, places)
        if dice.random() < _MIRRORED:
            canvas, places = _mirrored(canvas, places)
        return Sample(picture=_taken(canvas, dice), places=tuple(map(_judged, places)))

    def _covered(self, canvas: Picture, place: Place) -> Place:
        """A plate of the scene, perhaps with a drawn one over it, of as many rows or of more."""
        if not place.sure or self._dice.random() > _COVERED:
            return place
        flat = self._chance.choice(self._flats)
        if flat.rows < place.rows:
            return place
        corners = _taller(place.corners, _TWO_ROWS) if flat.rows > place.rows else place.corners
        self._draw(canvas, flat, corners)
        return Place(corners=corners, rows=flat.rows, sure=True)

    def _hung(self, canvas: Picture, places: list[Place]) -> list[Place]:
        """A drawn plate in a free place, in a list, if there was room."""
        flat = self._chance.choice(self._flats)
        quad = self._somewhere(flat.corners, places)
        if quad is None:
            return []
        self._draw(canvas, flat, quad)
        return [Place(corners=quad, rows=flat.rows, sure=True)]

    def _draw(self, canvas: Picture, flat: Flat, quad: Points) -> None:
        """A drawn plate onto this quad, with more or less of the car around it."""
        dice = self._dice
        seen = lit(flat.picture, dice, gentle=bool(dice.random() < 0.5))
        edge = flat.corners[0] * (dice.random() if dice.random() < 0.5 else 0.0)
        low = np.maximum(flat.corners[0] - edge, 0).astype(int)
        high = np.ceil(flat.corners[2] + edge).astype(int)
        cover = np.zeros(seen.shape[:2], np.float32)
        cover[low[1] : high[1], low[0] : high[0]] = 1
        if dice.random() < 0.6:
            seen = _as_light_as(seen, canvas, quad)
        _paste(canvas, seen, cover, _onto(flat.corners, quad), dice.uniform(0, 0.9))

    def _decoy(self, canvas: Picture, places: list[Place]) -> None:
        decoy = any_decoy(self._chance)
        tall, wide = decoy.cover.shape
        corners = np.array([[0, 0], [wide, 0], [wide, tall], [0, tall]], np.float32)
        quad = self._somewhere(corners, places)
        if quad is not None:
            blur = self._dice.uniform(0, 0.9)
            _paste(canvas, decoy.picture, decoy.cover, _onto(corners, quad), blur)

    def _somewhere(self, corners: Points, places: list[Place]) -> Points | None:
        """Corners of a flat thing, turned, at a size and a place where no plate is."""
        dice = self._dice
        middle = corners.mean(axis=0)
        tilt = float(dice.choice((2.0, 6.0, 12.0), p=(0.5, 0.35, 0.15)))
        turn = turned(middle, dice, tilt, 0.02 * tilt, 0.02 + 0.01 * tilt)
        quad = moved(corners, np.asarray(turn, np.float32)) - middle
        quad[:, 0] *= dice.uniform(0.65, 1.05)
        quad *= _width(dice) / max(float(np.ptp(quad[:, 0])), 1.0)
        for _ in range(5):
            here = np.asarray(quad + dice.uniform(0.05, 0.95, 2) * SIDE, np.float32)
            if all(_clear(here, place.corners) for place in places):
                return here
        return None


def _taller(corners: Points, by: float) -> Points:
    """Its upper and lower edges further apart."""
    upper, lower = corners[:2], corners[[3, 2]]
    more = (lower - upper) * (by - 1) / 2
    return np.concatenate([upper - more, (lower + more)[::-1]]).astype(np.float32)


def _width(dice: Chance) -> float:
    return float(np.exp(dice.uniform(np.log(NARROWEST), np.log(WIDEST))))


def _view(scene: Scene, dice: Chance) -> Matrix:
    """How the scene is seen: mostly by one of its plates, at a size by chance."""
    wide, tall = scene.picture.shape[1::-1]
    sure = [place for place in scene.places if place.sure]
    if sure and dice.random() < 0.85:
        corners = sure[int(dice.integers(len(sure)))].corners
        middle = np.asarray(corners.mean(axis=0), np.float32)
        scale = min(_width(dice) / max(float(np.ptp(corners[:, 0])), 8.0), 3.0)
    else:
        middle = np.asarray(dice.uniform(0.1, 0.9, 2) * (wide, tall), np.float32)
        scale = SIDE / max(wide, tall) * float(np.exp(dice.uniform(-0.2, 1.6)))
    tilt = float(dice.choice((1.0, 4.0, 10.0), p=(0.4, 0.35, 0.25)))
    turn = turned(np.array([wide / 2, tall / 2]), dice, tilt, 0.015 * tilt, 0.02)
    stretch = np.diag([scale * np.exp(dice.normal(0, 0.06)), scale, 1.0])
    matrix = stretch @ turn
    at = moved(np.array([middle], np.float32), np.asarray(matrix, np.float32))[0]
    shift = np.eye(3)
    shift[:2, 2] = dice.uniform(0.06, 0.94, 2) * SIDE - at
    return np.asarray(shift @ matrix, np.float32)


def _onto(corners: Points, quad: Points) -> Matrix:
    return np.asarray(cv2.getPerspectiveTransform(corners, quad.astype(np.float32)), np.float32)


def _paste(canvas: Picture, picture: Picture, cover: Cover, turn: Matrix, blur: float) -> None:
    """Draws it into the canvas, in place, out of focus by so many pixels."""
    tall, wide = cover.shape
    ends = moved(np.array([[0, 0], [wide, 0], [wide, tall], [0, tall]], np.float32), turn)
    left, top = np.clip(np.floor(ends.min(axis=0)) - 2, 0, SIDE).astype(int).tolist()
    right, bottom = np.clip(np.ceil(ends.max(axis=0)) + 2, 0, SIDE).astype(int).tolist()
    if right <= left or bottom <= top:
        return
    both = np.dstack([picture, np.asarray(cover * 255, np.uint8)])
    shift = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]], np.float32)
    seen = warped(both, shift @ turn, (right - left, bottom - top), cv2.BORDER_CONSTANT)
    if blur > 0.3:
        seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), blur), np.uint8)
    here = canvas[top:bottom, left:right]
    share = seen[..., 3:] / np.float32(255)
    here[:] = (here + (seen[..., :3] - here.astype(np.float32)) * share).astype(np.uint8)


def _as_light_as(seen: Picture, canvas: Picture, quad: Points) -> Picture:
    """A drawn plate in the light of the place where it is to hang."""
    low = np.clip(quad.min(axis=0), 0, SIDE - 2).astype(int)
    high = np.clip(quad.max(axis=0), low + 2, SIDE).astype(int)
    there = float(canvas[low[1] : high[1], low[0] : high[0]].mean())
    gain = np.clip((there + 25) / (float(seen.mean()) + 25), 0.25, 1.6)
    return np.asarray(np.clip(seen * np.float32(gain), 0, 255), np.uint8)


def _inside(corners: Points) -> float:
    """Share of the box around a plate that lies in the square."""
    low, high = corners.min(axis=0), corners.max(axis=0)
    seen = np.maximum(np.minimum(high, SIDE) - np.maximum(low, 0), 0)
    return float(np.prod(seen) / max(np.prod(high - low), 1e-6))


def _judged(place: Place) -> Place:
    """A plate that is cut off by the edge, or too small or large to tell, is not judged."""
    wide = float(np.ptp(place.corners[:, 0]))
    clear = _inside(place.corners) >= _VISIBLE and 0.8 * NARROWEST < wide < 1.2 * WIDEST
    return Place(corners=place.corners, rows=place.rows, sure=place.sure and clear)


def _clear(one: Points, other: Points) -> bool:
    """Whether the boxes around both are apart, with a little room."""
    low = np.maximum(one.min(axis=0), other.min(axis=0)) - 6
    high = np.minimum(one.max(axis=0), other.max(axis=0))
    return bool((high <= low).any())


def _mirrored(canvas: Picture, places: list[Place]) -> tuple[Picture, list[Place]]:
    """Left and right exchanged; the first corner stays the top left one."""
    turned_round = [
        Place(
            corners=np.asarray(
                np.array([SIDE, 0]) + place.corners[[1, 0, 3, 2]] * np.array([-1, 1]), np.float32
            ),
            rows=place.rows,
            sure=place.sure,
        )
        for place in places
    ]
    return np.ascontiguousarray(canvas[:, ::-1]), turned_round


def _taken(canvas: Picture, dice: Chance) -> Picture:
    """Through a camera and a wire."""
    seen = lit(canvas, dice, gentle=bool(dice.random() < 0.7))
    if dice.random() < 0.25:
        seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), dice.uniform(0.3, 1.2)), np.uint8)
    if dice.random() < 0.3:
        seen = noisy(seen, dice, 12)
    if dice.random() < 0.35:
        seen = packed(seen, dice)
    return seen
