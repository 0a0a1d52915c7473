"""How well plates are read, and what it costs: our sets of networks, hyperlpr3's own pipeline and a
general reader of texts, side by side on pictures that no training saw.

Each contender has a process of its own and one thread. They are given each picture one after the
other, so that all see the same load of the machine. The pictures are those of a folder with a
`manifest.jsonl`, of the half of all plates that `training.split` calls test, without doubtful
labels; besides, 1920 x 1080 frames that are drawn here. A picture is exact where one of its labels
is read, every character; extra are plates beyond the labels; sure is a weakest character of 0.98 or
more, and wrong then is a text that is no label of the picture.
"""

import argparse
import json
import multiprocessing
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from benchmarks.contenders import Contender, Reader, Said, contenders
from benchmarks.read import CARS, drawn
from gatekeeper.lpr.picture import load
from gatekeeper.model import PROVINCES, Pixels
from gatekeeper.rules.plate import normalise
from training.config import load as config_of
from training.evaluate import SURE, wilson
from training.split import Part, part_of

Figures: TypeAlias = dict[str, Any]

FRAMES, FRAMES_SHORT = 50, 10
SHORT = 10
"""With --short so many times fewer pictures."""

_CONFIG = Path(__file__).parents[1] / "training" / "recogniser.toml"
_FRAME = "frame 1080p"
_LONGEST_S = 60.0
"""No contender takes longer for one picture, its start included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A picture, its kind, and what stands in it; `content` may raise `PictureError`."""

    kind: str
    labels: tuple[str, ...]
    crop: bool
    photograph: bool
    content: Callable[[], Pixels]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one contender made of one picture."""

    shown: Shown
    said: Said

    @property
    def exact(self) -> bool:
        """One of the labels was read."""
        return any(normalise(text) in self.shown.labels for text, _ in self.said.reads)

    @property
    def extra(self) -> int:
        """Plates read beyond those that are labelled."""
        return max(0, len(self.said.reads) - len(self.shown.labels))

    @property
    def sure(self) -> list[bool]:
        """For each read that is sure, whether it is right."""
        return [
            normalise(text) in self.shown.labels for text, sure in self.said.reads if sure >= SURE
        ]


def pictures(folder: Path, frames: int, every: int = 1) -> Iterator[Shown]:
    """Of the test part, each kind in turn, and the frames."""
    salt = config_of(_CONFIG).salt
    lines = (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines if line.strip()]
    held = [
        row
        for row in rows
        if row["texts"]
        and not row.get("doubtful")
        and all(part_of(text, salt) is Part.TEST for text in row["texts"])
    ]
    for row in held[::every]:
        yield Shown(
            kind=kind_of(row["path"]),
            labels=tuple(map(normalise, row["texts"])),
            crop=row["kind"] == "crop",
            photograph=True,
            content=partial(load, folder / row["path"]),
        )
    for number, pixels in enumerate(drawn(frames)):
        label = CARS[number % len(CARS)][0]
        content = partial(np.asarray, pixels)
        yield Shown(kind=_FRAME, labels=(label,), crop=False, photograph=False, content=content)


def kind_of(path: str) -> str:
    """The folder of a picture, and of mixed scenes where they come from."""
    folder, _, name = path.partition("/")
    return f"scenes/{re.split('[_.]', name)[0]}" if folder == "scenes" else folder


def measured(run: Sequence[Contender], shown: Iterable[Shown]) -> dict[str, Figures]:
    """Each contender's figures by kind of picture, by province, and its peak memory."""
    context = multiprocessing.get_context("spawn")
    pools = {
        one.name: ProcessPoolExecutor(1, context, initializer=_opened, initargs=(one,))
        for one in run
    }
    outcomes: dict[str, list[Outcome]] = defaultdict(list)
    try:
        for number, picture in enumerate(shown):
            pixels = picture.content()
            for name, pool in pools.items():
                said = pool.submit(_read, pixels, picture.crop).result(_LONGEST_S)
                outcomes[name].append(Outcome(shown=picture, said=said))
            if number % 100 == 99:
                print(f"read {number + 1} pictures", file=sys.stderr)
        return {
            name: figures(told) | {"peak_mb": pools[name].submit(_peak_mb).result(_LONGEST_S)}
            for name, told in outcomes.items()
        }
    finally:
        for pool in pools.values():
            pool.shutdown(cancel_futures=True)


_reader: Reader
"""Of a contender's process."""


def _opened(told: Contender) -> None:
    global _reader
    _reader = Reader(told)


def _read(pixels: Pixels, crop: bool) -> Said:
    return _reader.read(pixels, crop)


def _peak_mb() -> float:
    """The most that was resident; `getrusage` would tell the parent's, too."""
    told = Path("/proc/self/status").read_text(encoding="ascii")
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", told)
    return round(int(peak) / 1024, 1)


def figures(outcomes: Sequence[Outcome]) -> Figures:
    """By kind of picture, and of all crops by the province of their label."""
    kinds: dict[str, list[Outcome]] = defaultdict(list)
    provinces: dict[str, list[Outcome]] = defaultdict(list)
    for one in outcomes:
        kinds[one.shown.kind].append(one)
        if one.shown.crop and one.shown.labels[0][0] in PROVINCES:
            provinces[one.shown.labels[0][0]].append(one)
    photographs = [one for one in outcomes if one.shown.photograph]
    kinds["all photographs"] = photographs
    return {
        "kinds": {kind: _told(group) for kind, group in kinds.items() if group},
        "provinces": {province: _told(group) for province, group in sorted(provinces.items())},
    }


def _told(group: Sequence[Outcome]) -> Figures:
    exact, sure = sum(one.exact for one in group), [read for one in group for read in one.sure]
    low, high = wilson(exact, len(group))
    wrong = len(sure) - sum(sure)
    stages = sorted({stage for one in group for stage in one.said.stages_ms})
    return {
        "pictures": len(group),
        "exact": exact,
        "share": round(exact / len(group), 4),
        "interval": [round(low, 4), round(high, 4)],
        "extra": sum(one.extra for one in group),
        "sure": len(sure),
        "sure_wrong": wrong,
        "sure_wrong_at_most": round(wilson(wrong, len(sure))[1], 5),
        "ms": _times([one.said.whole_ms for one in group]),
        **{
            f"{stage}_ms": _times([one.said.stages_ms.get(stage, 0.0) for one in group])
            for stage in stages
        },
    }


def _times(values: Sequence[float]) -> dict[str, float]:
    p50, p95 = np.percentile(values, (50, 95)).tolist()
    return {"p50": round(p50, 2), "p95": round(p95, 2)}


def table(told: Mapping[str, Figures]) -> str:
    """The figures for people, kind by kind."""
    lines = []
    for kind in next(iter(told.values()))["kinds"]:
        lines.append(kind)
        for name, figures_ in told.items():
            one = figures_["kinds"][kind]
            low, high = one["interval"]
            stages = ", ".join(
                f"{stage} {one[f'{stage}_ms']['p50']}"
                for stage in ("detect", "read")
                if f"{stage}_ms" in one
            )
            lines.append(
                f"  {name:30}{one['exact']:5} of {one['pictures']:4} {one['share']:8.2%}"
                f" ({low:.1%} to {high:.1%}) extra {one['extra']:3}"
                f"  sure {one['sure']:4}, wrong {one['sure_wrong']:2}"
                f"  ms {one['ms']['p50']:7}, p95 {one['ms']['p95']:7} ({stages})"
            )
    lines += [f"{name:30} at most {figures_['peak_mb']} MB" for name, figures_ in told.items()]
    return "\n".join(lines)


def plot(told: Mapping[str, Figures], file: Path) -> None:
    """Shares exact with their intervals, and times, kind by kind, into a PNG."""
    from matplotlib import pyplot  # a second, and needed for nothing else

    kinds = list(next(iter(told.values()))["kinds"])
    drawing, (shares, times) = pyplot.subplots(2, 1, sharex=True, figsize=(12, 8))
    places, wide = np.arange(len(kinds)), 0.8 / len(told)
    for number, (name, figures_) in enumerate(told.items()):
        ones = [figures_["kinds"][kind] for kind in kinds]
        at = places + (number + 0.5) * wide - 0.4
        means = np.array([one["share"] for one in ones])
        ends = np.abs(np.array([one["interval"] for one in ones]).T - means)
        shares.bar(at, means, wide, yerr=ends, label=name, error_kw={"linewidth": 0.6})
        times.bar(at, [one["ms"]["p50"] for one in ones], wide)
    shares.set(ylabel="exact", ylim=(0.5, 1.0))
    shares.legend(fontsize="small", ncols=3, loc="lower left", bbox_to_anchor=(0, 1.02))
    times.set(ylabel="ms a picture, median", yscale="log")
    times.set_xticks(places, kinds, rotation=30, ha="right")
    drawing.savefig(file, dpi=120, bbox_inches="tight")
    pyplot.close(drawing)


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recognition", description=__doc__)
    parser.add_argument("--json", action="store_true", help="only the line of figures")
    parser.add_argument("--short", action="store_true", help=f"every {SHORT}th picture")
    parser.add_argument("--plates", type=Path, default=Path("../shared/plates"), metavar="DIR")
    parser.add_argument(
        "--hyperlpr",
        type=Path,
        default=Path("../shared/networks"),
        metavar="DIR",
        help="where HyperLPR3's own detectors and classifier lie",
    )
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the figures as a PNG")
    chosen = parser.parse_args()
    if not (chosen.plates / "manifest.jsonl").is_file():
        print(f"benchmarks.recognition: {chosen.plates} has no manifest.jsonl", file=sys.stderr)
        return 1
    run = contenders(chosen.hyperlpr)
    frames, every = (FRAMES_SHORT, SHORT) if chosen.short else (FRAMES, 1)
    told = measured(run, pictures(chosen.plates, frames, every))
    missing = [] if any(one.kind == "rapidocr" for one in run) else ["rapidocr-onnxruntime"]
    if not chosen.json:
        print(table(told))
        for package in missing:
            print(f"{package}: not installed")
    if chosen.plot:
        plot(told, chosen.plot)
    line = {"benchmark": "recognition", "contenders": told, "not_installed": missing}
    print(json.dumps(line, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
