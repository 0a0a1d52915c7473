"""Measures an exported network on the pictures held out: real ones by kind, rendered by kind.

Held out are the pictures of the half of all plates that `training.split` calls test. The network
has seen none of these plates in any picture, and nothing was chosen by them. Right is every
character right; a text's confidence is that of its weakest character.
"""

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import sqrt
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, TypeAlias

import cv2
import numpy as np

from gatekeeper.lpr import Recogniser, open_recogniser, rectify
from gatekeeper.rules.plate import GRAMMAR
from training import real
from training.alphabet import CLASSES
from training.config import Config
from training.reader import Reader, strip_of
from training.real import Real
from training.render import camera
from training.render.flat import Picture, flat
from training.render.glyphs import Glyphs
from training.render.texts import PROVINCES, Kind
from training.samples import glyphs_of
from training.split import Part

SURE = 0.98

_SEED = 777_001
"""Of the rendered plates that measure; training never uses it."""

_DARK, _BRIGHT = 60.0, 150.0
"""Means of a strip, 0..255, below and above which it counts as dark and as bright."""

Way: TypeAlias = Callable[[Real], tuple[str, float]]
"""A plate in a picture in, text and confidence out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One reading of one picture."""

    kind: str
    path: str
    truth: str
    text: str
    sure: float
    light: str = ""

    @property
    def right(self) -> bool:
        """Every character; an O or I in a serial counts as 0 or 1."""
        return real.plain_text(self.text) == self.truth


def wilson(right: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    if not of:
        return 0.0, 1.0
    share = right / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return max(0.0, middle - half), min(1.0, middle + half)


def summary(outcomes: Iterable[Outcome]) -> dict[str, dict[str, Any]]:
    """By kind and in all: pictures, right, its interval, sure reads and wrong ones among them."""
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        groups[outcome.kind].append(outcome)
        groups["all"].append(outcome)
    return {kind: _told(group) for kind, group in sorted(groups.items())}


def _told(group: list[Outcome]) -> dict[str, Any]:
    right = sum(one.right for one in group)
    sure = [one for one in group if one.sure >= SURE]
    low, high = wilson(right, len(group))
    return {
        "pictures": len(group),
        "right": right,
        "share": round(right / len(group), 4),
        "interval": [round(low, 4), round(high, 4)],
        "sure": len(sure),
        "sure_wrong": sum(not one.right for one in sure),
    }


def measured(plates: Iterable[Real], way: Way) -> Iterator[Outcome]:
    """Each plate read one way."""
    for plate in plates:
        text, sure = way(plate)
        yield Outcome(
            kind=plate.kind,
            path=plate.path,
            truth=plate.text,
            text=text,
            sure=sure,
            light=light_of(strip_of(plate)),
        )


def light_of(strip: Picture) -> str:
    """In which light a plate was seen, by the mean of its strip."""
    mean = float(strip.mean())
    return "dark" if mean < _DARK else "bright" if mean > _BRIGHT else "middling"


def beam_way(reader: Reader) -> Way:
    """One look at the strip, with the grammar."""

    def way(plate: Real) -> tuple[str, float]:
        said = reader.read(strip_of(plate))
        return said.text, said.sure

    return way


def greedy_way(reader: Reader) -> Way:
    """One look at the strip, without the grammar."""

    def way(plate: Real) -> tuple[str, float]:
        said = reader.read(strip_of(plate))
        return said.greedy, said.greedy_sure

    return way


def engine_way(recogniser: Recogniser) -> Way:
    """The controller's own engine on the same plate, with all its second looks."""

    def way(plate: Real) -> tuple[str, float]:
        reads = recogniser.read(_upright(plate), crop=True)
        return (reads[0].text, min(reads[0].confidences)) if reads else ("", 0.0)

    return way


def _upright(plate: Real) -> Picture:
    """The plate as a crop in its own resolution, which the engine then cuts for itself."""
    if plate.corners is None:
        upright = plate.picture
    else:
        part = rectify.grown(0.14, -0.02) if plate.rows == 1 else rectify.grown(0.08, 0.08)
        across, down = rectify.extent(plate.corners)
        size = max(48, round(across * 1.14)), max(24, round(down))
        upright = rectify.cut_out(plate.picture, plate.corners, part, *size)
    tall, wide = upright.shape[:2]
    grow = max(1.0, 16 / tall, 16 / wide)
    return np.asarray(cv2.resize(upright, None, fx=grow, fy=grow), np.uint8)


def drawn(
    glyphs: Glyphs, kinds: Iterable[Kind], each: int, seed: int, *, gentle: bool
) -> Iterator[tuple[Kind, str, Picture]]:
    """Rendered plates that no training saw: kind, text and strip."""
    chance, dice = Random(seed), np.random.default_rng(seed)
    for kind in kinds:
        for _ in range(each):
            plate = flat(kind, glyphs, chance)
            view = camera.shot if plate.rows == 1 else camera.shot_of_rows
            seen = view(plate.picture, plate.corners, plate.centres, dice, gentle=gentle)
            yield kind, plate.text, seen.picture


def on_rendered(reader: Reader, glyphs: Glyphs, each: int) -> list[Outcome]:
    """By kind of plate."""
    outcomes = []
    for kind, text, strip in drawn(glyphs, Kind, each, _SEED, gentle=True):
        said = reader.read(strip)
        outcomes.append(
            Outcome(kind=kind.value, path="", truth=text, text=said.text, sure=said.sure)
        )
    return outcomes


def by_province(outcomes: Iterable[Outcome]) -> dict[str, dict[str, Any]]:
    """The same outcomes by the province of the true text."""
    told = [one for one in outcomes if one.truth[0] in PROVINCES]
    return summary(replace(one, kind=one.truth[0]) for one in told)


def by_light(outcomes: Iterable[Outcome]) -> dict[str, dict[str, Any]]:
    """The same outcomes by the light."""
    return summary(replace(one, kind=one.light) for one in outcomes)


def milliseconds(reader: Reader, plates: list[Real]) -> dict[str, float]:
    """Processor time of a crop: the network alone, and with the beam; the medians."""
    bare, whole = [], []
    for plate in plates:
        strip = strip_of(plate)
        before = time.process_time()
        reader.shares(strip)
        between = time.process_time()
        reader.read(strip)
        bare.append(1e3 * (between - before))
        whole.append(1e3 * (time.process_time() - between))
    return {"network": round(median(bare), 2), "with_beam": round(median(whole), 2)}


def evaluate(
    config: Config,
    data: Path,
    work: Path,
    network: Path,
    part: Part,
    each: int,
    compare: Iterable[str],
) -> Mapping[str, Any]:
    """Everything about one network, as a value for JSON; beside it, sets of networks that are in
    place, read with the controller's engine.
    """
    cv2.setNumThreads(1)
    plates = [one for one in real.load(config, data, work) if one.part is part]
    clean = [one for one in plates if not one.doubtful]
    reader = Reader(network)
    beam = list(measured(clean, beam_way(reader)))
    rendered = on_rendered(reader, glyphs_of(config, data), each) if each else []
    told: dict[str, Any] = {
        "network": network.name,
        "classes": CLASSES,
        "part": part.value,
        "doubtful_left_out": len(plates) - len(clean),
        "beam": summary(beam),
        "greedy": summary(measured(clean, greedy_way(reader))),
        "province": by_province(beam),
        "light": by_light(beam),
        "rendered": summary(rendered),
        "rendered_province": by_province(rendered),
        "ms": milliseconds(reader, clean[:300]),
        "wrong": [_wrong(one) for one in beam if not one.right],
        "rendered_wrong_sure": [
            _wrong(one) for one in rendered if not one.right and one.sure >= SURE
        ],
    }
    for name in compare:
        told[name] = summary(
            measured(clean, engine_way(open_recogniser(name, 1, patterns=tuple(GRAMMAR.values()))))
        )
    return told


def _wrong(one: Outcome) -> list[Any]:
    return [one.path or one.kind, one.truth, one.text, round(one.sure, 4)]


def table(told: Mapping[str, Any]) -> str:
    """The figures for people."""
    lines = [
        f"{told['network']}, {told['part']} part; {told['doubtful_left_out']} doubtful left out"
    ]
    apart = ("province", "ms")
    groups = [name for name, one in told.items() if isinstance(one, dict) and name not in apart]
    for name in groups:
        for kind, one in told[name].items():
            low, high = one["interval"]
            lines.append(
                f"{name:9}{kind:18}{one['right']:6} of {one['pictures']:5}"
                f"{one['share']:8.2%}  ({low:.2%} to {high:.2%})"
                f"  sure {one['sure']:5}, wrong {one['sure_wrong']}"
            )
    lines.append(f"ms a crop: {told['ms']}")
    lines += [f"wrong: {' '.join(map(str, one))}" for one in told["wrong"]]
    return "\n".join(lines)


def written(told: Mapping[str, Any]) -> str:
    """The figures for programs."""
    return json.dumps(told, ensure_ascii=False, indent=1)
