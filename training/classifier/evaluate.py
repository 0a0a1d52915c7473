"""Measures colour and kind on plates held out, beside the mean of the pixels: real ones by kind of
picture, rendered ones by kind of plate.
"""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import cv2
import numpy as np

from gatekeeper.lpr.classify import Classifier
from gatekeeper.lpr.colour import ground
from gatekeeper.lpr.session import open_network
from gatekeeper.networks.manifest import ClassifierContract, PlateClass
from training import real
from training.classifier.samples import CLASSES, MEANT, known, rendered, upright
from training.config import ClassifierConfig
from training.render.flat import Picture, flat
from training.render.texts import Kind
from training.samples import glyphs_of
from training.split import Part

_SEED = 777_002
"""Of the rendered plates that measure; training never uses it."""

Seen = tuple[str, str, Picture, int]
"""Name of the group, of the picture, the upright plate, its class."""


def evaluate(config: ClassifierConfig, data: Path, work: Path, network: Path, plates: int) -> str:
    """A table: of each group, how many colours the pixels and the network tell, how many kinds."""
    cv2.setNumThreads(1)
    classes = tuple(PlateClass(colour=colour, kind=kind) for colour, kind in CLASSES)
    contract = ClassifierContract(contract="hyperlpr3", file=network.name, classes=classes)
    sorter = Classifier(open_network(network.read_bytes(), network.name, 1), contract)
    sorter.check()
    told, wrong, took = Counter[tuple[str, str]](), [], []
    for group, name, picture, of in [*_real(config, data, work), *_drawn(config, data, plates)]:
        before = time.process_time()
        said = sorter.told(picture)
        took.append(1000 * (time.process_time() - before))
        told[group, "plates"] += 1
        told[group, "pixels"] += ground(picture) is CLASSES[of][0]
        told[group, "colour"] += said.colour is CLASSES[of][0]
        told[group, "kind"] += said.kind == CLASSES[of][1]
        if said.colour is not CLASSES[of][0] and not group.startswith("drawn"):
            wrong.append(f"{name}: {said.colour}, not {CLASSES[of][0]}")
    lines = ["group | plates | colour by the pixels | colour | kind"]
    for group in sorted({group for group, _ in told}):
        figures = (told[group, name] for name in ("plates", "pixels", "colour", "kind"))
        lines.append(f"{group} | {' | '.join(map(str, figures))}")
    return "\n".join([*lines, f"{np.median(took):.3f} ms a plate", *wrong])


def _real(config: ClassifierConfig, data: Path, work: Path) -> Iterator[Seen]:
    held = [one for one in real.load(config, data, work) if one.part is Part.TEST]
    for plate, of in known(config, held):
        yield plate.kind, plate.path, upright(plate), of


def _drawn(config: ClassifierConfig, data: Path, plates: int) -> Iterator[Seen]:
    glyphs = glyphs_of(config, data)
    chance, dice = Random(_SEED), np.random.default_rng(_SEED)
    for kind in Kind:
        for _ in range(plates):
            picture, of = rendered(flat(kind, glyphs, chance), dice)
            yield f"drawn {kind}", MEANT[kind][1], picture, of
