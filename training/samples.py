"""Batches for the trainer, endless and by chance: rendered plates and real ones, mixed."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from training import real
from training.alphabet import encoded
from training.config import Config, Run
from training.labels import Instants, aligned, unaligned
from training.real import Real
from training.render import camera
from training.render.flat import Flat, Picture, flat
from training.render.glyphs import Glyphs
from training.render.texts import any_kind
from training.split import Part, part_of

POOL = 3000
"""Flat plates kept at hand; each is seen a few times, every time otherwise, and then replaced."""

FRESH = 0.2
"""Share of rendered samples for which a new plate is drawn."""

LONGEST = 8
"""Characters of the longest plate."""

Classes: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """A picture (48, 160, 3), its text as classes, and the class at each instant."""

    picture: Picture
    classes: tuple[int, ...]
    instants: Instants


def glyphs_of(config: Run, data: Path) -> Glyphs:
    """The sources of characters that the config names; a texture whose name tells of a plate is
    used only if that plate trains.
    """
    told = config.rendering
    return Glyphs(
        data / told.glyphs if told.glyphs else None,
        data / told.textures if told.textures else None,
        lambda name: part_of(name.rpartition("_")[2], config.salt) is Part.TRAIN,
    )


def rendered(plate: Flat, chance: camera.Chance) -> Sample:
    """A flat plate as a camera sees it; two-row plates mostly with both rows, at times one."""
    text = plate.text
    if plate.rows == 1:
        seen = camera.shot(plate.picture, plate.corners, plate.centres, chance)
    elif chance.random() < 0.7:
        seen = camera.shot_of_rows(plate.picture, plate.corners, plate.centres, chance)
    else:
        upper = bool(chance.random() < 0.4)
        text = text[:2] if upper else text[2:]
        seen = camera.shot_of_half(plate.picture, plate.corners, plate.centres, upper, chance)
    classes = encoded(text)
    return Sample(picture=seen.picture, classes=classes, instants=aligned(classes, seen.centres))


def of_real(plate: Real, chance: camera.Chance) -> Sample:
    """A real plate, varied."""
    seen = real.shot(plate, chance)
    classes = encoded(plate.text)
    known = plate.rows == 1 or plate.corners is not None
    return Sample(
        picture=seen.picture,
        classes=classes,
        instants=aligned(classes, seen.centres) if known else unaligned(),
    )


def stream(config: Config, glyphs: Glyphs, plates: list[Real], seed: int) -> Iterator[Sample]:
    """Samples without end. The same seed gives the same samples."""
    cv2.setNumThreads(1)
    chance, dice = Random(seed), np.random.default_rng(seed)
    pool: list[Flat] = []
    shares = np.array(real.weights(plates))
    shares /= shares.sum() if len(plates) else 1
    while True:
        if plates and dice.random() < config.schedule.real_share:
            yield of_real(plates[int(dice.choice(len(plates), p=shares))], dice)
        else:
            yield rendered(_next(pool, glyphs, chance), dice)


def _next(pool: list[Flat], glyphs: Glyphs, chance: Random) -> Flat:
    if pool and chance.random() > FRESH:
        return chance.choice(pool)
    drawn = flat(any_kind(chance), glyphs, chance)
    if len(pool) < POOL:
        pool.append(drawn)
    else:
        pool[chance.randrange(POOL)] = drawn
    return drawn
