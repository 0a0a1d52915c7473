"""What a network's confidence is worth: on plates that neither trained it nor measure it.

The temperature is the one with the least loss (the weakest character's share as a forecast that the
text is right) of those at which few enough of the sure texts are wrong: what is called sure comes
first, for it may count against a driver. Then it is counted, level by level, how many texts of at
least that confidence are wrong. Below what is called sure a confidence is then mapped to the share
that was right.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from gatekeeper.lpr.beam import plates
from gatekeeper.lpr.grammar import Grammar
from gatekeeper.lpr.session import Floats
from gatekeeper.rules.plate import GRAMMAR
from training import real
from training.alphabet import ALPHABET
from training.config import Config
from training.evaluate import SURE, drawn, wilson
from training.reader import Reader, said, strip_of
from training.render.texts import SHARES, Kind
from training.samples import glyphs_of
from training.split import Part

_SEED = 555_001
_TEMPERATURES = (0.8, 1.0, 1.15, 1.3, 1.5, 1.75)
_FEW = 1 / 2000
"""Share of the sure texts that may be wrong."""

_BELOW = (0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, SURE)
"""Bins of confidences that are mapped."""

_TWICE = 2
"""A pair that was seen once is chance."""

LEVELS = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999)

_GRAMMAR = Grammar(GRAMMAR.values())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Strip:
    """What the network said of a plate whose text is known."""

    truth: str
    real: bool
    shares: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Read:
    """What the decoder made of it."""

    truth: str
    text: str
    sure: float
    real: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What else is written: the reliability as a plot, and tables of a set's manifest, whose
    `[measured]` are of `figures`, which `evaluate --json` printed.
    """

    plot: Path | None = None
    manifest: Path | None = None
    figures: Path | None = None


def calibrate(
    config: Config, data: Path, work: Path, network: Path, rendered: int, files: Files
) -> str:
    """The figures as text, of the real plates and so many rendered ones."""
    cv2.setNumThreads(1)
    strips = _strips(config, data, work, Reader(network), rendered)
    reads = {warm: _read(strips, warm) for warm in _TEMPERATURES}
    best = chosen(reads)
    lines = [f"{len(strips)} plates, {sum(strip.real for strip in strips)} of them real"]
    lines += [
        f"temperature {warm:4}: loss {loss(told):.5f}, {tail(told):.4%} of the sure ones wrong"
        for warm, told in reads.items()
    ]
    told, known = reads[best], points(reads[best])
    lines += [f"chosen: {best}", *levels(told), f"loss with the points: {mapped(told, known):.5f}"]
    lines += [
        f"fitted on {one} half, on the other: {loss(other):.5f}, {mapped(other, points(half)):.5f}"
        for one, half, other in (
            ("one", told[::2], told[1::2]),
            ("the other", told[1::2], told[::2]),
        )
    ]
    lines.append("taken for one another: " + confusions(told))
    written(told, best, files)
    return "\n".join(lines)


def written(reads: Sequence[Read], temperature: float, files: Files) -> None:
    """The files that are asked for, of the reads at this temperature."""
    known = points(reads)
    if files.plot:
        _plotted(reads, known, files.plot)
    if files.manifest:
        figures = json.loads(files.figures.read_text(encoding="utf-8")) if files.figures else {}
        tables = (*_calibration(temperature, known), *_measured(figures), *_confusions(reads))
        files.manifest.write_text("\n".join(tables) + "\n", encoding="utf-8")


def chosen(reads: Mapping[float, Sequence[Read]]) -> float:
    """The temperature, of reads at several; the highest where none keeps the sure ones right."""
    good = [warm for warm, told in reads.items() if tail(told) <= _FEW]
    return min(good, key=lambda warm: loss(reads[warm])) if good else max(reads)


def tail(reads: Sequence[Read]) -> float:
    """The share of wrong ones among the sure."""
    sure = [read.text != read.truth for read in reads if read.sure >= SURE]
    return sum(sure) / max(len(sure), 1)


def _strips(config: Config, data: Path, work: Path, reader: Reader, rendered: int) -> list[Strip]:
    pictures = [
        (plate.text, strip_of(plate), True)
        for plate in real.load(config, data, work)
        if plate.part is Part.CALIBRATION and not plate.doubtful
    ]
    glyphs, whole = glyphs_of(config, data), sum(SHARES.values())
    for kind in Kind:
        count = round(rendered * SHARES[kind] / whole)
        for _kind, text, strip in drawn(glyphs, [kind], count, _SEED, gentle=True):
            pictures.append((text, strip, False))
    return [
        Strip(truth=text, real=is_real, shares=reader.shares(strip))
        for text, strip, is_real in pictures
    ]


def softened(shares: Floats, temperature: float) -> Floats:
    """Shares as they would be with the logits divided by the temperature."""
    logs = np.log(np.maximum(shares, 1e-30)) / temperature
    parts = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(parts / parts.sum(axis=1, keepdims=True), np.float32)


def _read(strips: Sequence[Strip], temperature: float) -> list[Read]:
    reads = []
    for strip in strips:
        found = said(plates(softened(strip.shares, temperature), ALPHABET, _GRAMMAR))
        text = real.plain_text(found.text)
        reads.append(Read(truth=strip.truth, text=text, sure=found.sure, real=strip.real))
    return reads


def loss(reads: Sequence[Read]) -> float:
    """Mean binary cross-entropy of the confidence, as a forecast that the text is right."""
    sure = np.clip([read.sure for read in reads], 1e-6, 1 - 1e-6)
    right = np.array([read.text == read.truth for read in reads])
    return float(-np.where(right, np.log(sure), np.log(1 - sure)).mean())


def levels(reads: Sequence[Read]) -> list[str]:
    """For each level how many reads reach it, and how many of these are wrong."""
    lines = []
    for level in LEVELS:
        reached = [read for read in reads if read.sure >= level]
        wrong = sum(read.text != read.truth for read in reached)
        high = wilson(wrong, len(reached))[1]
        lines.append(f"  >= {level:5}: {len(reached):5} reads, {wrong:3} wrong, at most {high:.3%}")
    return lines


def confusions(reads: Sequence[Read], most: int = 40) -> str:
    """Characters read for others, as `truth>read count`, the commonest first."""
    pairs = _pairs(reads).most_common(most)
    return ", ".join(f"{true}>{seen} {count}" for (true, seen), count in pairs)


def _pairs(reads: Sequence[Read]) -> Counter[tuple[str, str]]:
    return Counter(
        (true, seen)
        for read in reads
        if len(read.text) == len(read.truth)
        for true, seen in zip(read.truth, read.text, strict=True)
        if true != seen
    )


def points(reads: Sequence[Read]) -> tuple[tuple[float, float], ...]:
    """What is said and what is right, bin by bin, never falling; from `SURE` on nothing changes,
    and nothing below comes to be sure.
    """
    told, most = [(0.0, 0.0)], 0.0
    for mean, right, _ in bins(reads, _BELOW):
        most = max(most, min(right, SURE - 0.001))
        if told[-1][0] < (place := round(mean, 3)) < SURE:
            told.append((place, round(most, 3)))
    return (*told, (SURE, SURE), (1.0, 1.0))


def mapped(reads: Sequence[Read], known: Sequence[tuple[float, float]]) -> float:
    """The loss with these points."""
    said, right = zip(*known, strict=True)
    return loss([replace(read, sure=float(np.interp(read.sure, said, right))) for read in reads])


def _calibration(temperature: float, known: Sequence[tuple[float, float]]) -> list[str]:
    pairs = ", ".join(f"[{said}, {right}]" for said, right in known)
    return ["[calibration]", f"temperature = {temperature}", f"points = [{pairs}]"]


def _measured(figures: Mapping[str, Any]) -> Iterator[str]:
    yield "\n[measured]"
    for kind, one in figures.get("beam", {}).items():
        if kind != "all":
            keys = ("pictures", "right", "sure", "sure_wrong")
            yield f'"{kind}" = {{ {", ".join(f"{key} = {one[key]}" for key in keys)} }}'


def _confusions(reads: Sequence[Read]) -> Iterator[str]:
    """Those that were seen twice, by the true character."""
    yield "\n[confusions]"
    often = sorted(pair for pair in _pairs(reads).items() if pair[1] >= _TWICE)
    for true, group in groupby(often, key=lambda pair: pair[0][0]):
        seen = ", ".join(f'"{one}" = {count}' for (_, one), count in group)
        yield f'"{true}" = {{ {seen} }}'


def bins(
    reads: Sequence[Read], edges: Sequence[float]
) -> list[tuple[float, float, tuple[float, float]]]:
    """For each bin that is not empty: mean confidence, share right, its interval."""
    sure = np.array([read.sure for read in reads])
    right = np.array([read.text == read.truth for read in reads])
    told = []
    for low, high in pairwise(edges):
        here: npt.NDArray[np.bool_] = (sure >= low) & (sure < high)
        if here.any():
            share = float(right[here].mean())
            interval = wilson(int(right[here].sum()), int(here.sum()))
            told.append((float(sure[here].mean()), share, interval))
    return told


def _plotted(reads: Sequence[Read], known: Sequence[tuple[float, float]], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    told = bins(reads, (0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.94, 0.97, 0.98, 0.99, 1.01))
    figure, axes = pyplot.subplots(figsize=(5, 5))
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
    for mean, share, (low, high) in told:
        axes.errorbar(mean, share, yerr=[[share - low], [high - share]], fmt="o", color="C0")
    axes.plot(*zip(*known, strict=True), color="C1", linewidth=0.8, label="map of the manifest")
    axes.legend()
    axes.set_xlabel("confidence of the weakest character")
    axes.set_ylabel("share of texts that are right")
    figure.savefig(path, dpi=120, bbox_inches="tight")
    pyplot.close(figure)
