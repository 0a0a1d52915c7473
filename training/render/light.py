"""What light, dirt, lens and wire do to a small picture: it goes in and comes out, same size."""

from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from training.render.flat import Picture

Chance: TypeAlias = np.random.Generator
Floats: TypeAlias = npt.NDArray[np.float32]


def lit(picture: Picture, chance: Chance, *, gentle: bool) -> Picture:
    """Under some light, and with some dirt: exposure, tint, haze, shadow, glare, mud.

    `gentle` for what is real already, and has its own light.
    """
    seen = picture.astype(np.float32)
    if chance.random() < (0.5 if gentle else 0.92):
        seen = _exposed(seen, chance, 0.2 if gentle else 0.42)
    if chance.random() < (0.1 if gentle else 0.25):
        seen += (chance.uniform(40, 220) - seen) * np.float32(chance.uniform(0.1, 0.5))
    if chance.random() < (0.08 if gentle else 0.22):
        seen *= _shadow(seen.shape, chance)
    if chance.random() < (0.05 if gentle else 0.12):
        seen += _glare(seen.shape, chance)
    if chance.random() < (0.04 if gentle else 0.18):
        seen = _muddy(seen, chance)
    if chance.random() < (0.03 if gentle else 0.07):
        seen = np.repeat(seen.mean(axis=2, keepdims=True), 3, axis=2)
    return np.asarray(np.clip(seen, 0, 255), np.uint8)


def spoilt(picture: Picture, chance: Chance, *, gentle: bool) -> Picture:
    """Through a lens and a wire: blur, motion, noise, sharpening, compression."""
    seen = picture
    if chance.random() < (0.25 if gentle else 0.4):
        seen = _blurred(seen, chance, 0.9 if gentle else 1.15)
    if chance.random() < (0.06 if gentle else 0.16):
        seen = _shaken(seen, chance)
    if chance.random() < (0.2 if gentle else 0.45):
        seen = noisy(seen, chance, 8 if gentle else 16)
    if chance.random() < 0.1:
        soft = cv2.GaussianBlur(seen, (0, 0), 1.2)
        seen = np.asarray(cv2.addWeighted(seen, 1.8, soft, -0.8, 0), np.uint8)
    if chance.random() < (0.25 if gentle else 0.5):
        seen = packed(np.asarray(seen, np.uint8), chance)
    return np.asarray(seen, np.uint8)


def _exposed(seen: Floats, chance: Chance, spread: float) -> Floats:
    """Brighter or darker, with a tint, a gamma, and at times a night's or a headlamp's extreme."""
    gain = np.exp(chance.normal(0, spread))
    if chance.random() < 0.12:
        gain *= chance.choice((0.35, 0.5, 1.7))
    tint = np.exp(chance.normal(0, 0.12, 3))
    bent = np.power(np.clip(seen, 0, 255) / 255, np.float32(np.exp(chance.normal(0, 0.25)))) * 255
    return np.asarray(bent * (gain * tint).astype(np.float32) + chance.normal(0, 10), np.float32)


def _ramp(shape: tuple[int, ...], chance: Chance) -> Floats:
    """0 to 1 across the picture in some direction, (H, W, 1)."""
    tall, wide = shape[:2]
    angle = chance.uniform(0, 2 * np.pi)
    y, x = np.mgrid[0:tall, 0:wide].astype(np.float32)
    line = (x / wide - 0.5) * np.cos(angle) + (y / tall - 0.5) * np.sin(angle) + 0.5
    return np.asarray(np.clip(line, 0, 1)[..., None], np.float32)


def _shadow(shape: tuple[int, ...], chance: Chance) -> Floats:
    """A soft or a sharp edge of shade."""
    edge = _ramp(shape, chance)
    if chance.random() < 0.5:
        edge = np.clip((edge - chance.uniform(0.2, 0.8)) * chance.uniform(4, 30) + 0.5, 0, 1)
    dark = chance.uniform(0.3, 0.9)
    return np.asarray(dark + (1 - dark) * edge, np.float32)


def _glare(shape: tuple[int, ...], chance: Chance) -> Floats:
    """A lamp's or the sun's reflection somewhere on the plate."""
    tall, wide = shape[:2]
    y, x = np.mgrid[0:tall, 0:wide].astype(np.float32)
    far = ((x / wide - chance.random()) * 3) ** 2 + (y / tall - chance.random()) ** 2
    spot = np.exp(-far / (2 * chance.uniform(0.1, 0.5) ** 2)) * chance.uniform(60, 200)
    return np.asarray(spot[..., None], np.float32)


def _muddy(seen: Floats, chance: Chance) -> Floats:
    """Specks and clouds of dirt, or of worn paint, nowhere quite opaque."""
    tall, wide = seen.shape[:2]
    grain = (max(2, int(tall / chance.uniform(2, 12))), max(3, int(wide / chance.uniform(2, 12))))
    cloud = cv2.resize(chance.random(grain, np.float32), (wide, tall))
    cover = np.clip((cloud - chance.uniform(0.4, 0.75)) * 5, 0, chance.uniform(0.3, 0.8))
    colour = chance.uniform(30, 200) + chance.normal(0, 12, 3)
    return np.asarray(seen + (colour - seen) * cover[..., None], np.float32)


def _blurred(seen: Picture, chance: Chance, most: float) -> Picture:
    """Out of focus: by a share of the plate's height, so that it hurts small ones no more."""
    unit = seen.shape[0] / 28
    return np.asarray(cv2.GaussianBlur(seen, (0, 0), chance.uniform(0.25, most) * unit), np.uint8)


def _shaken(seen: Picture, chance: Chance) -> Picture:
    """Moved while the shutter was open."""
    length = max(2, round(chance.uniform(0.06, 0.22) * seen.shape[0]))
    kernel = np.zeros((length, length), np.float32)
    angle = chance.uniform(0, np.pi)
    reach = np.array([np.cos(angle), np.sin(angle)]) * (length - 1) / 2
    middle = (length - 1) / 2
    start, end = (np.rint(middle + sign * reach).astype(int).tolist() for sign in (-1, 1))
    cv2.line(kernel, tuple(start), tuple(end), (1.0,))
    return np.asarray(cv2.filter2D(seen, -1, kernel / max(float(kernel.sum()), 1.0)), np.uint8)


def noisy(seen: Picture, chance: Chance, most: float) -> Picture:
    """With the grain of a sensor, of a deviation of `most` shades at the most."""
    level = chance.uniform(1, most)
    grain = chance.standard_normal(seen.shape, np.float32) * np.float32(level)
    if chance.random() < 0.3:
        grain = np.asarray(cv2.GaussianBlur(grain, (0, 0), 0.8) * np.float32(1.6), np.float32)
    return np.asarray(np.clip(seen + grain, 0, 255), np.uint8)


def packed(seen: Picture, chance: Chance) -> Picture:
    """Compressed as JPEG, and read again."""
    quality = int(chance.uniform(12, 90))
    _done, data = cv2.imencode(".jpg", seen, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
