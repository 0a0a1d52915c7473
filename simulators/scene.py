"""Draws what a lane's camera sees: an empty road, a car with a plate, each frame a little other.

Plate texts and photographs come in, pictures go out; a seed makes them the same each time. It
knows no file formats, no network and no time.
"""

from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from simulators.plate import Ground, Picture, draw

Transform: TypeAlias = npt.NDArray[np.float64]
"""Shape (3, 3): pixels to pixels, as homogeneous coordinates."""

WIDTH, HEIGHT = 1280, 720
_MOST_WIDE = 1920
"""A photograph is scaled down to this, as a camera would give it."""

_SKY, _ROAD, _KERB, _PAINT = (196, 182, 168), (104, 104, 106), (150, 152, 154), (206, 210, 212)
_PAINTS = ((58, 58, 62), (196, 198, 200), (42, 40, 120), (120, 84, 52), (150, 150, 146))
_GLASS, _DARK, _LAMP, _TRIM = (92, 84, 76), (30, 30, 32), (228, 236, 240), (140, 142, 144)
_PLATE_LEFT, _PLATE_TOP, _PLATE_WIDTH = 570, 520, 140
"""Where the plate sits on the car, before the car is seen at an angle."""
_STANDS_M = 5.0
"""From the camera to a car that stands at the barrier."""
_VANISHES = (1180, 215)
"""Where the lane's edges would meet: the camera stands beside it and looks across."""
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
    grainy: Picture = np.clip(picture + grain, 0, 255).astype(np.uint8)
    return _seen(grainy, _aslant(), cv2.BORDER_REPLICATE)


def with_car(background: Picture, text: str, ground: Ground, distance_m: float = 0.0) -> Picture:
    """A car with this plate on the road, seen slightly from the side; raises `ValueError`.

    It is so far from where it stands; less than nothing is behind that, towards the camera.
    """
    on_black, on_white = _car(text, ground)
    place = _aslant() @ _nearer(_STANDS_M / (_STANDS_M + distance_m))
    car = _seen(on_black, place, cv2.BORDER_CONSTANT)
    gone = _seen(on_white - on_black, place, cv2.BORDER_CONSTANT, outside=255)
    return np.asarray(cv2.add(car, cv2.multiply(background, gone, scale=1 / 255)), np.uint8)


@lru_cache(maxsize=4)
def _car(text: str, ground: Ground) -> tuple[Picture, Picture]:
    """The car on black and on white: where both are the same it hides what is behind it."""
    plate = draw(text, ground)
    chance = np.random.default_rng([ord(char) for char in text])
    paint = _PAINTS[int(chance.integers(len(_PAINTS)))]
    height = round(_PLATE_WIDTH * plate.shape[0] / plate.shape[1])
    small = cv2.resize(plate, (_PLATE_WIDTH, height), interpolation=cv2.INTER_AREA)
    black, white = (np.full((HEIGHT, WIDTH, 3), grey, np.uint8) for grey in (0, 255))
    for picture in (black, white):
        _body(picture, paint)
        picture[_PLATE_TOP : _PLATE_TOP + height, _PLATE_LEFT : _PLATE_LEFT + _PLATE_WIDTH] = small
    return black, white


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
            cv2.addWeighted(seen, gain, noise(scene, self._chance), 1, -128), np.uint8
        )


def noise(picture: Picture, chance: np.random.Generator) -> Picture:
    """A sensor's noise around 128, as large as the picture and of another place each time."""
    height, width = picture.shape[:2]
    shift = chance.integers(0, (HEIGHT, WIDTH))
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


def _nearer(times: float) -> Transform:
    """What is so many times nearer, seen from where all that drives along the lane comes from."""
    x, y = _VANISHES
    return np.array([[times, 0, x * (1 - times)], [0, times, y * (1 - times)], [0, 0, 1]])


@lru_cache(maxsize=1)
def _aslant() -> Transform:
    """The whole scene turned a little, as a camera beside the lane sees it."""
    here = np.array([[0, 0], [WIDTH, 0], [WIDTH, HEIGHT], [0, HEIGHT]], np.float32)
    there = np.array(
        [[-20, -30], [WIDTH, 10], [WIDTH + 10, HEIGHT - 10], [-10, HEIGHT + 50]], np.float32
    )
    return np.asarray(cv2.getPerspectiveTransform(here, there), np.float64)


def _seen(picture: Picture, place: Transform, border: int, outside: int = 0) -> Picture:
    size, beyond = (WIDTH, HEIGHT), (outside, outside, outside)
    seen = cv2.warpPerspective(picture, place, size, borderMode=border, borderValue=beyond)
    return np.asarray(seen, np.uint8)


def _fill(scene: Picture, colour: tuple[int, int, int], *corners: tuple[int, int]) -> None:
    cv2.fillPoly(scene, [np.array(corners, np.int32)], colour, cv2.LINE_AA)
