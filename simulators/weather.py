"""What weather, light and dirt do to a picture: a picture comes in, a worse one goes out.

All of it is pure: the same seed and moment make the same picture. A strength goes from 0, nothing,
to 1, which hides most plates; `MILD` is what a camera that is well kept has to bear.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import lru_cache

import cv2
import numpy as np

from simulators.plate import Mask, Picture

MILD = 0.3

_GREY = (128, 128, 128)
_MUD = (46, 58, 70)
_SUN = (226, 240, 250)
_STREAKS = 900
_FALLS_PX_S, _DRIFTS_PX_S = 1900, 260


class Weather(StrEnum):
    """What stands between a camera and a plate."""

    NIGHT = "night"
    RAIN = "rain"
    BLUR = "blur"
    GLARE = "glare"
    DIRT = "dirt"


def weathered(
    picture: Picture, weather: Mapping[Weather, float], *, seed: int, at: float
) -> Picture:
    """The picture in this weather, whose strengths are given, at this moment in seconds."""
    for kind in Weather:  # in their order: night is not rained away
        if strength := weather.get(kind, 0.0):
            picture = _EFFECTS[kind](picture, strength, seed, at)
    return picture


def _night(picture: Picture, strength: float, _seed: int, at: float) -> Picture:
    """Dark but for the lamp beside the camera, pale, and noisy: the sensor is at its limit."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    picture = _mixed(picture, np.asarray(cv2.merge([grey] * 3), np.uint8), 0.5 * strength)
    lit = _disc(picture.shape[:2], (0.48, 0.78), 0.4)
    dark, bright = 1 - 0.92 * strength, 1 - 0.45 * strength
    light = np.asarray(255 * dark + lit * (bright - dark), np.uint8)
    seen = cv2.multiply(picture, cv2.merge([light] * 3), scale=1 / 255)
    shape = picture.shape[:2]
    shift = np.random.default_rng(int(at * 1000) % 2**32).integers(0, shape)
    noise = np.roll(_grain(shape), tuple(shift), (0, 1))
    return np.asarray(cv2.addWeighted(seen, 1, noise, strength, -128 * strength), np.uint8)


def _rain(picture: Picture, strength: float, seed: int, at: float) -> Picture:
    """Drops that fall, before a scene gone flat and soft."""
    flat = _mixed(_soft(picture, 0.8 * strength), _all(picture, _GREY), 0.4 * strength)
    fallen = int(at * _FALLS_PX_S), int(at * _DRIFTS_PX_S)
    streaks = np.roll(_streaks(picture.shape[:2], seed), fallen, (0, 1))
    return _covered(flat, _all(picture, _SUN), streaks, 0.8 * strength)


def _blur(picture: Picture, strength: float, _seed: int, _at: float) -> Picture:
    """Out of focus."""
    return _soft(picture, 4 * strength)


def _glare(picture: Picture, strength: float, seed: int, _at: float) -> Picture:
    """A low sun that shines into the lens: a veil over all, thickest around it."""
    x, y = np.random.default_rng(seed).uniform((0.25, 0.2), (0.75, 0.5))
    sun = _disc(picture.shape[:2], (float(x), float(y)), 0.45)
    veil = np.asarray(60 + sun * 0.75, np.uint8)
    return _covered(picture, _all(picture, _SUN), veil, strength)


def _dirt(picture: Picture, strength: float, seed: int, _at: float) -> Picture:
    """Dried mud on the glass before the lens, out of focus."""
    return _covered(picture, _all(picture, _MUD), _blotches(picture.shape[:2], seed), strength)


_EFFECTS: dict[Weather, Callable[[Picture, float, int, float], Picture]] = {
    Weather.NIGHT: _night,
    Weather.RAIN: _rain,
    Weather.BLUR: _blur,
    Weather.GLARE: _glare,
    Weather.DIRT: _dirt,
}


def _soft(picture: Picture, sigma: float) -> Picture:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), max(sigma, 0.01)), np.uint8)


def _all(picture: Picture, colour: tuple[int, int, int]) -> Picture:
    """A picture of this size in one colour."""
    return np.full_like(picture, colour)


def _mixed(one: Picture, other: Picture, share: float) -> Picture:
    return np.asarray(cv2.addWeighted(one, 1 - share, other, share, 0), np.uint8)


def _covered(picture: Picture, colour: Picture, cover: Mask, strength: float) -> Picture:
    """The colour over the picture, as thick as the cover says."""
    thick = cv2.merge([cover] * 3)
    left = cv2.multiply(
        picture, cv2.bitwise_not(cv2.convertScaleAbs(thick, alpha=strength)), scale=1 / 255
    )
    return np.asarray(cv2.add(left, cv2.multiply(colour, thick, scale=strength / 255)), np.uint8)


@lru_cache(maxsize=8)
def _disc(shape: tuple[int, int], centre: tuple[float, float], radius: float) -> Mask:
    """Light that fades from its centre; all in shares of the picture's width and height."""
    height, width = shape
    x = (np.arange(width) - centre[0] * width) / (radius * width)
    y = (np.arange(height)[:, None] - centre[1] * height) / (radius * width)
    return np.asarray(255 * np.exp(-(x**2) - y**2), np.uint8)


@lru_cache(maxsize=8)
def _streaks(shape: tuple[int, int], seed: int) -> Mask:
    height, width = shape
    chance = np.random.default_rng(seed)
    cover: Mask = np.zeros(shape, np.uint8)
    for x, y, long, grey in chance.uniform((0, 0, 15, 60), (width, height, 60, 200), (_STREAKS, 4)):
        foot = (int(x + long * _DRIFTS_PX_S / _FALLS_PX_S), int(y + long))
        cv2.line(cover, (int(x), int(y)), foot, (int(grey),), 1, cv2.LINE_AA)
    return cover


@lru_cache(maxsize=8)
def _blotches(shape: tuple[int, int], seed: int) -> Mask:
    height, width = shape
    chance = np.random.default_rng(seed)
    cover: Mask = np.zeros(shape, np.uint8)
    for x, y, size, turn in chance.uniform((0, 0, 4, 0), (width, height, 45, 180), (60, 4)):
        axes = (int(size), int(size * 0.6))
        cv2.ellipse(cover, (int(x), int(y)), axes, turn, 0, 360, (255,), -1)
    return np.asarray(cv2.GaussianBlur(cover, (0, 0), 7), np.uint8)


@lru_cache(maxsize=2)
def _grain(shape: tuple[int, int]) -> Picture:
    """The noise of a sensor in the dark, around 128; it costs 60 ms to make."""
    noise = np.random.default_rng(1).normal(128, 22, (*shape, 3))
    return np.asarray(np.clip(noise, 0, 255), np.uint8)
