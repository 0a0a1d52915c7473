"""Draws what a lane's camera sees: an empty road, a car with a plate, each frame a little other.

Plate texts and photographs come in, pictures go out; a seed makes them the same each time. It
knows no file formats, no network and no time.
"""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from simulators.plate import Ground, Picture, draw

WIDTH, HEIGHT = 1280, 720
_MOST_WIDE = 1920
"""A photograph is scaled down to this, as a camera would give it."""

_SKY, _ROAD, _KERB, _PAINT = (196, 182, 168), (104, 104, 106), (150, 152, 154), (206, 210, 212)
_PAINTS = ((58, 58, 62), (196, 198, 200), (42, 40, 120), (120, 84, 52), (150, 150, 146))
_GLASS, _DARK, _LAMP, _TRIM = (92, 84, 76), (30, 30, 32), (228, 236, 240), (140, 142, 144)
_PLATE_LEFT, _PLATE_TOP, _PLATE_WIDTH = 570, 520, 140
"""Where the plate sits on the car, before the car is seen at an angle."""
_NOISE = 6.0
"""Standard deviation of the sensor's noise, in grey levels."""


def road(seed: int) -> Picture:
    """An empty lane, (720, 1280, 3)."""
    chance = np.random.default_rng(seed)
    picture: Picture = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    picture[:] = _ROAD
    picture[:210] = _SKY
    _fill(picture, _KERB, (0, 210), (WIDTH, 210), (WIDTH, 250), (0, 236))
    for foot, head in ((-180, 380), (1330, 900)):
        _fill(picture, _PAINT, (foot, HEIGHT), (foot + 60, HEIGHT), (head + 12, 240), (head, 240))
    grain = cv2.resize(chance.normal(0, 9, (90, 160)), (WIDTH, HEIGHT))[..., None]
    return np.asarray(np.clip(picture.astype(np.float64) + grain, 0, 255), np.uint8)


def with_car(background: Picture, text: str, ground: Ground) -> Picture:
    """A car with this plate on the road, seen slightly from the side; raises `ValueError`."""
    plate = draw(text, ground)
    chance = np.random.default_rng([ord(char) for char in text])
    scene = background.copy()
    _body(scene, _PAINTS[int(chance.integers(len(_PAINTS)))])
    height = round(_PLATE_WIDTH * plate.shape[0] / plate.shape[1])
    small = cv2.resize(plate, (_PLATE_WIDTH, height), interpolation=cv2.INTER_AREA)
    scene[_PLATE_TOP : _PLATE_TOP + height, _PLATE_LEFT : _PLATE_LEFT + _PLATE_WIDTH] = small
    return _aslant(scene)


def photograph(path: Path) -> Picture:
    """A real picture; raises `ValueError` if it is none, `OSError` if it cannot be read."""
    picture = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError(f"{path}: is no picture")
    scale = min(1.0, _MOST_WIDE / picture.shape[1])
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


class Camera:
    """Takes one frame after another of a scene: it shakes, the light changes, it is noisy."""

    def __init__(self, seed: int) -> None:
        self._chance = np.random.default_rng(seed)

    def frame(self, scene: Picture) -> Picture:
        """The scene again, never quite the same; its size stays."""
        height, width = scene.shape[:2]
        turn, zoom = self._chance.uniform(-0.5, 0.5), self._chance.uniform(0.98, 1.04)
        move = np.float64(1) * cv2.getRotationMatrix2D((width / 2, height / 2), turn, zoom)
        move[:, 2] += self._chance.uniform(-12, 12, 2)
        seen = cv2.warpAffine(scene, move, (width, height), borderMode=cv2.BORDER_REPLICATE)
        gain = self._chance.uniform(0.92, 1.06)
        return np.asarray(
            cv2.addWeighted(seen, gain, self._noise(width, height), 1, -128), np.uint8
        )

    def _noise(self, width: int, height: int) -> Picture:
        """The grain, from another place each time."""
        shift = self._chance.integers(0, (HEIGHT, WIDTH))
        grain = np.roll(_grain(), tuple(shift), (0, 1))
        if (height, width) == (HEIGHT, WIDTH):
            return grain
        times = (-(-height // HEIGHT), -(-width // WIDTH), 1)
        return np.asarray(np.tile(grain, times)[:height, :width], np.uint8)


@lru_cache(maxsize=1)
def _grain() -> Picture:
    """The noise of a sensor around 128; one for all cameras, for it costs 60 ms to make."""
    noise = np.random.default_rng(0).normal(128, _NOISE, (HEIGHT, WIDTH, 3))
    return np.asarray(np.clip(noise, 0, 255), np.uint8)


def _body(scene: Picture, paint: tuple[int, int, int]) -> None:
    """A saloon from the front, 800 pixels broad, with a dark field where the plate goes."""
    dark = (int(paint[0] * 0.7), int(paint[1] * 0.7), int(paint[2] * 0.7))
    cv2.ellipse(scene, (640, 640), (450, 40), 0, 0, 360, (60, 60, 62), -1, cv2.LINE_AA)
    for x in (270, 900):
        cv2.rectangle(scene, (x, 540), (x + 110, 650), _DARK, -1)
    _fill(scene, dark, (420, 120), (860, 120), (960, 310), (320, 310))
    _fill(scene, _GLASS, (440, 138), (840, 138), (920, 300), (360, 300))
    _fill(scene, paint, (300, 305), (980, 305), (1040, 400), (1035, 600), (245, 600), (240, 400))
    _fill(scene, dark, (300, 305), (980, 305), (1040, 400), (240, 400))
    cv2.rectangle(scene, (470, 415), (810, 475), _DARK, -1)
    for y in (427, 445, 463):
        cv2.line(scene, (480, y), (800, y), _TRIM, 2, cv2.LINE_AA)
    for x in (330, 950):
        cv2.ellipse(scene, (x, 440), (80, 30), 0, 0, 360, _LAMP, -1, cv2.LINE_AA)
    cv2.rectangle(scene, (250, 490), (1030, 600), dark, -1)
    left, top, height = _PLATE_LEFT - 8, _PLATE_TOP - 8, round(_PLATE_WIDTH * 140 / 440) + 16
    cv2.rectangle(scene, (left, top), (left + _PLATE_WIDTH + 16, top + height), _DARK, -1)


def _aslant(scene: Picture) -> Picture:
    """The whole scene turned a little, as a camera beside the lane sees it."""
    here = np.array([[0, 0], [WIDTH, 0], [WIDTH, HEIGHT], [0, HEIGHT]], np.float32)
    there = np.array(
        [[-20, -30], [WIDTH, 10], [WIDTH + 10, HEIGHT - 10], [-10, HEIGHT + 50]], np.float32
    )
    turn = cv2.getPerspectiveTransform(here, there)
    seen = cv2.warpPerspective(scene, turn, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen, np.uint8)


def _fill(scene: Picture, colour: tuple[int, int, int], *corners: tuple[int, int]) -> None:
    cv2.fillPoly(scene, [np.array(corners, np.int32)], colour, cv2.LINE_AA)
