"""Shapes of characters: masks from a folder of glyphs, from cut-out real characters, or drawn.

Without any folder every character comes from OpenCV's built-in font, so that the renderer works
with nothing beside it.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from training.alphabet import ALPHABET

Mask: TypeAlias = npt.NDArray[np.uint8]
"""Shape (H, W): 0 is ground, 255 is ink."""

WIDE, TALL = 45, 90
"""Every mask's size in pixels: one for a millimetre of an ordinary character."""

_FONT = cv2.FontFace("uni")
_DRAWN_PX = 120
_DRAWN_SHARE, _TEXTURE_SHARE = 0.10, 0.12
"""How often a character is drawn, or is a real one, although a glyph of the standard is there."""

_ALIKE = 0.4
"""Correlation with the drawn character from which a cut-out one is believed to show it."""


class Glyphs:
    """All sources together. `glyphs` and `textures` are folders, or None."""

    def __init__(
        self, glyphs: Path | None, textures: Path | None, usable: Callable[[str], bool]
    ) -> None:
        """`usable` tells of a texture's file name whether it may be trained on."""
        self._standard = _standard(glyphs) if glyphs else {}
        self._textures = _textures(textures, usable) if textures else {}

    def textures(self, character: str) -> tuple[Path, ...]:
        """The cut-out pictures of a character that may be used."""
        return tuple(self._textures.get(character, ()))

    def mask(self, character: str, style: str, chance: Random) -> Mask:
        """The character in one of the styles `140`, `220_up`, `220_down` and `green`."""
        found = self._standard.get((style, character))
        if found is None:
            found = self._standard.get(("140", character))
        if character in self._textures and chance.random() < _TEXTURE_SHARE:
            real = _texture(chance.choice(self._textures[character]))
            alike = _likeness(real, drawn(character, 400) if found is None else found)
            if abs(alike) > _ALIKE:
                return real if alike > 0 else np.asarray(255 - real, np.uint8)
        if found is None or chance.random() < _DRAWN_SHARE:
            return drawn(character, chance.choice((300, 400, 500, 600)))
        return found


@lru_cache(maxsize=1024)
def drawn(character: str, weight: int) -> Mask:
    """The character from the built-in font, filling the cell; `weight` is 100 to 900."""
    if character == "1":
        return _bar(round(weight / 36))
    page = np.zeros((2 * _DRAWN_PX, 2 * _DRAWN_PX), np.uint8)
    origin = (_DRAWN_PX // 2, _DRAWN_PX * 3 // 2)
    cv2.putText(page, character, origin, (255,), _FONT, _DRAWN_PX, weight)
    left, top, wide, tall = cv2.boundingRect(page)
    return _filling(page[top : top + tall, left : left + wide])


def _bar(thick: int) -> Mask:
    """A 1 as GA 36 has it: a bar in the middle of its cell, without flag or foot."""
    cell = np.zeros((TALL, WIDE), np.uint8)
    left = (WIDE - thick) // 2
    cell[:, left : left + thick] = 255
    return cell


def _filling(ink: Mask) -> Mask:
    return np.asarray(cv2.resize(ink, (WIDE, TALL), interpolation=cv2.INTER_AREA), np.uint8)


def _standard(folder: Path) -> Mapping[tuple[str, str], Mask]:
    """Files `140_X`, `green_X`, `220_X`, `220_up_X` and `220_down_X`, black on white."""
    found: dict[tuple[str, str], Mask] = {}
    for path in sorted(folder.glob("*.jpg")):
        style, _, character = path.stem.rpartition("_")
        ink = _filling(np.asarray(255 - _grey(path), np.uint8))
        for name in ("220_up", "220_down") if style == "220" else (style,):
            found[name, character] = ink
    return found


def _textures(folder: Path, usable: Callable[[str], bool]) -> Mapping[str, list[Path]]:
    """Pictures in folders named after their character."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.glob("**/*.jpg")):
        if path.parent.name in ALPHABET and usable(path.stem):
            found[path.parent.name].append(path)
    return found


@lru_cache(maxsize=20000)
def _texture(path: Path) -> Mask:
    """A real character as a soft mask, stretched over all shades; which is ink is not told."""
    grey = _grey(path).astype(np.float32)
    low, high = np.percentile(grey, (8, 94))
    soft = np.clip((grey - low) / max(high - low, 1.0), 0, 1)
    return _filling(np.asarray(soft * 255, np.uint8))


def _likeness(one: Mask, other: Mask) -> float:
    """Correlation of two masks; below 0 where ink and ground have changed places."""
    first, second = one - one.mean(), other - other.mean()
    return float((first * second).mean() / max(first.std() * second.std(), 1e-3))


def _grey(path: Path) -> Mask:
    grey = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        raise ValueError(f"{path}: is no picture")
    return np.asarray(grey, np.uint8)
