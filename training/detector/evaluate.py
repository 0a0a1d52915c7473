"""Measures detectors on the scenes held out: what is found, how exactly, and what is none.

A plate is found where a box shares half of the union with the teachers' one. A box is none where
neither teacher sees a plate at all.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from gatekeeper import networks
from gatekeeper.lpr.detect import Finder
from gatekeeper.lpr.opening import finder_of
from gatekeeper.lpr.session import open_network
from gatekeeper.lpr.y5fu import Y5fuFinder
from gatekeeper.networks.manifest import Hyperlpr3Detector, Thresholds
from training.config import DetectorConfig
from training.detector import scenes
from training.detector.scenes import Scene, overlap
from training.split import Part

EXACT = 0.03
"""Of a plate's width: how far corners may be off, on the mean of the four."""

_SAME = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a detector made of scenes: plates, those missed (paths), how far off the corners of the
    found ones are, by the plate's width, wrong numbers of rows, paths of boxes that are none,
    milliseconds of the processor a scene.
    """

    plates: int = 0
    missed: list[str] = field(default_factory=list)
    off: list[float] = field(default_factory=list)
    rows_wrong: list[str] = field(default_factory=list)
    none: list[str] = field(default_factory=list)
    took_ms: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """The network that is measured: its longest side, and the least score of a plate."""

    path: Path
    side: int
    least: float


def evaluate(
    config: DetectorConfig, data: Path, work: Path, ours: Ours, part: Part, compare: list[str]
) -> str:
    """A table of the network, the teachers and the detectors of the sets named, one thread each."""
    cv2.setNumThreads(1)
    held = [scene for scene in scenes.load(config, data, work) if scene.part is part]
    limits = Thresholds(least_score=ours.least)
    first = _finder(ours.path, ours.side, limits, square=False)
    finders: dict[str, tuple[Finder, int]] = {ours.path.name: (first, ours.side)}
    for teacher in map(Path, config.teachers):
        side = 640 if "640" in teacher.name else 320
        finders[teacher.name] = (_finder(teacher, side, Thresholds(), square=True), side)
    for name in compare:
        found = networks.find(name)
        finders[name] = (finder_of(found, 1), found.manifest.detector.side)
    return "\n".join(_table({name: measured(held, *each) for name, each in finders.items()}))


def measured(held: list[Scene], finder: Finder, side: int) -> Figures:
    """Each scene searched once."""
    told = Figures(plates=sum(place.sure for scene in held for place in scene.places))
    for scene in held:
        before = time.process_time()
        found = finder.find(scene.picture, side)
        told.took_ms.append(1000 * (time.process_time() - before))
        for place in scene.places:
            same = [one for one in found if overlap(one.quad, place.corners) > _SAME]
            if place.sure and not same:
                told.missed.append(scene.path)
            elif place.sure:
                wide = float(np.ptp(place.corners[:, 0]))
                far = np.linalg.norm(same[0].quad - place.corners, axis=1).mean()
                told.off.append(float(far) / wide)
                if (same[0].rows or place.rows) != place.rows:
                    told.rows_wrong.append(scene.path)
        told.none.extend(
            f"{scene.path} {one.score:.2f} {one.quad.mean(axis=0).astype(int).tolist()}"
            for one in found
            if all(overlap(one.quad, place.corners) < 0.1 for place in scene.places)
        )
    return told


def _finder(path: Path, side: int, limits: Thresholds, *, square: bool) -> Finder:
    contract = Hyperlpr3Detector(contract="hyperlpr3", file=path.name, side=side, square=square)
    return Y5fuFinder(open_network(path.read_bytes(), path.name, 1), contract, limits)


def _table(figures: Mapping[str, Figures]) -> list[str]:
    lines = ["detector | found | corners: median, p95, within 3 % | rows wrong | none | ms a scene"]
    for name, told in figures.items():
        off = np.array(told.off or [1.0])
        lines.append(
            f"{name} | {told.plates - len(told.missed)} of {told.plates}"
            f" | {100 * np.median(off):.2f} %, {100 * np.quantile(off, 0.95):.2f} %,"
            f" {100 * (off <= EXACT).mean():.1f} %"
            f" | {len(told.rows_wrong)} | {len(told.none)} in {len(told.took_ms)}"
            f" | {np.median(told.took_ms):.2f}"
        )
    first = next(iter(figures.values()))
    lines += [f"missed: {path}" for path in first.missed]
    return [*lines, *(f"none: {path}" for path in first.none)]
