"""Plates with their colour and kind: rendered ones, and real ones as far as these are known.

What a text is the text of tells its kind and colour; of ordinary plates the colour is known where a
teacher and the mean of the pixels agree.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import TypeAlias

import cv2
import numpy as np

from gatekeeper.lpr import rectify
from gatekeeper.lpr.classify import SIDE, Classifier
from gatekeeper.lpr.colour import ground
from gatekeeper.lpr.engine import whole
from gatekeeper.lpr.session import open_network
from gatekeeper.model import Colour
from gatekeeper.networks.manifest import ClassifierContract, PlateClass
from gatekeeper.rules.plate import PlateKind, kind_of
from training import real
from training.config import ClassifierConfig
from training.real import Real
from training.render import camera
from training.render.flat import Flat, Picture, flat
from training.render.glyphs import Glyphs
from training.render.texts import Kind, any_kind

MEANT: Mapping[Kind, tuple[Colour, PlateKind]] = {
    Kind.BLUE: (Colour.BLUE, PlateKind.ORDINARY),
    Kind.YELLOW: (Colour.YELLOW, PlateKind.ORDINARY),
    Kind.YELLOW_TWO_ROWS: (Colour.YELLOW, PlateKind.ORDINARY),
    Kind.GREEN_SMALL: (Colour.GREEN, PlateKind.NEW_ENERGY_SMALL),
    Kind.GREEN_LARGE: (Colour.YELLOW_GREEN, PlateKind.NEW_ENERGY_LARGE),
    Kind.POLICE: (Colour.WHITE, PlateKind.POLICE),
    Kind.TRAINING: (Colour.YELLOW, PlateKind.TRAINING),
    Kind.TRAILER: (Colour.YELLOW, PlateKind.TRAILER),
    Kind.HONG_KONG: (Colour.BLACK, PlateKind.HONG_KONG),
    Kind.MACAO: (Colour.BLACK, PlateKind.MACAO),
    Kind.CONSULATE: (Colour.BLACK, PlateKind.CONSULATE),
    Kind.EMBASSY: (Colour.BLACK, PlateKind.EMBASSY),
    Kind.ARMED_POLICE: (Colour.WHITE, PlateKind.ARMED_POLICE),
    Kind.MILITARY: (Colour.WHITE, PlateKind.MILITARY),
    Kind.EMERGENCY: (Colour.WHITE, PlateKind.EMERGENCY),
    Kind.AVIATION: (Colour.GREEN, PlateKind.CIVIL_AVIATION),
    Kind.TEMPORARY: (Colour.UNKNOWN, PlateKind.TEMPORARY),
}
"""What the kinds of rendered plates are. A temporary one has one of three grounds, none of which
has a name here."""

CLASSES: tuple[tuple[Colour, PlateKind], ...] = tuple(dict.fromkeys(MEANT.values()))
"""The network's outputs, in their order."""

_TEACHERS = (Colour.BLUE, Colour.GREEN, Colour.YELLOW)
"""The outputs of HyperLPR3's classifier, in their order."""

_POOL = 2000
_FRESH = 0.2

Sample: TypeAlias = tuple[Picture, int]
"""A picture (SIDE, SIDE, 3) and its class."""


def stream(
    config: ClassifierConfig, glyphs: Glyphs, plates: list[tuple[Real, int]], seed: int
) -> Iterator[Sample]:
    """Samples without end. The same seed gives the same samples."""
    cv2.setNumThreads(1)
    chance, dice = Random(seed), np.random.default_rng(seed)
    pool: list[Flat] = []
    seen = np.bincount([of for _, of in plates], minlength=len(CLASSES))
    shares = np.array([1 / np.sqrt(seen[of]) for _, of in plates])
    shares /= shares.sum() if len(plates) else 1
    while True:
        if plates and dice.random() < config.real_share:
            plate, of = plates[int(dice.choice(len(plates), p=shares))]
            yield _seen(real.shot(plate, dice)), of
        else:
            yield rendered(_next(pool, glyphs, chance), dice)


def rendered(plate: Flat, dice: camera.Chance) -> Sample:
    """A flat plate as a camera sees it, both rows at once."""
    seen = camera.shot(plate.picture, plate.corners, plate.centres, dice)
    return _seen(seen), CLASSES.index(MEANT[plate.kind])


def _seen(shot: camera.Shot) -> Picture:
    return np.asarray(cv2.resize(shot.picture, (SIDE, SIDE)), np.uint8)


def _next(pool: list[Flat], glyphs: Glyphs, chance: Random) -> Flat:
    if pool and chance.random() > _FRESH:
        return chance.choice(pool)
    pool.append(flat(any_kind(chance), glyphs, chance))
    del pool[:-_POOL]
    return pool[-1]


def upright(plate: Real) -> Picture:
    """The plate as the engine shows it to the network."""
    quad = whole(plate.picture) if plate.corners is None else plate.corners
    return rectify.cut_out(plate.picture, quad, rectify.WHOLE, 3 * SIDE, SIDE)


def known(config: ClassifierConfig, plates: Iterable[Real]) -> Iterator[tuple[Real, int]]:
    """Those plates of which colour and kind are known, and their class."""
    path = Path(config.teacher)
    classes = tuple(PlateClass(colour=colour) for colour in _TEACHERS)
    contract = ClassifierContract(contract="hyperlpr3", file=path.name, classes=classes)
    teacher = Classifier(open_network(path.read_bytes(), path.name, 1), contract)
    for plate in plates:
        kind = kind_of(plate.text)
        if kind is PlateKind.ORDINARY:
            seen = upright(plate)
            colour = ground(seen)
            if colour is teacher.told(seen).colour and (colour, kind) in CLASSES:
                yield plate, CLASSES.index((colour, kind))
        elif kind is not None:
            yield plate, [other for _, other in CLASSES].index(kind)
