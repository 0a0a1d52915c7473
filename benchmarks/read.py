"""What reading costs: one 1080p frame to its plate reads in one thread, beside the bare networks.

Draws its own frames (one car each, never two alike), or takes the pictures of a folder. The bare
time is that of the two networks on arrays of the same shapes: what no pipeline could save.
"""

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from gatekeeper import networks
from gatekeeper.errors import PictureError
from gatekeeper.lpr import open_recogniser
from gatekeeper.lpr.detect import fitted
from gatekeeper.lpr.picture import load
from gatekeeper.lpr.session import open_network
from gatekeeper.lpr.y5fu import boxed
from gatekeeper.model import Pixels
from gatekeeper.networks.manifest import ClpDetector
from gatekeeper.rules.plate import GRAMMAR
from simulators.plate import Ground
from simulators.scene import Camera, road, with_car

FRAMES, FRAMES_SHORT = 200, 30
WARM_UP = 3
CARS = (
    ("闽C12F57", Ground.BLUE),
    ("闽CD37619", Ground.GREEN),
    ("浙A8K302", Ground.BLUE),
    ("粤B12345", Ground.YELLOW),
    ("京N64P39", Ground.BLUE),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """One frame: milliseconds of all, of the bare networks, and how many plates came out."""

    whole_ms: float
    bare_ms: float
    plates: int


class Bare:
    """The two networks with nothing around them."""

    def __init__(self, name: str) -> None:
        found = networks.find(name)
        self._told = found.manifest
        self._finder = open_network(found.content(self._told.detector.file), "detector", 1)
        self._reader = open_network(found.content(self._told.recogniser.file), "recogniser", 1)

    def took_ms(self, pixels: Pixels, plates: int) -> float:
        """One search at the first size, and one reading for each plate."""
        detector, recogniser = self._told.detector, self._told.recogniser
        if isinstance(detector, ClpDetector):
            step, mean, scale = min(detector.steps), detector.mean, detector.scale
            batch, _ = fitted(pixels, detector.side, step, mean, scale)
        else:
            batch, *_ = boxed(pixels, detector.side, square=detector.square)
        crop = np.zeros((1, 3, recogniser.height, recogniser.width), np.float32)
        began = time.perf_counter()
        self._finder(batch)
        for _ in range(plates):
            self._reader(crop)
        return (time.perf_counter() - began) * 1000


def drawn(count: int) -> Iterator[Pixels]:
    """1920 x 1080 frames of a lane, one car in each."""
    scenes = [with_car(road(seed), text, ground) for seed, (text, ground) in enumerate(CARS)]
    camera = Camera(seed=1)
    for number in range(count):
        frame = camera.frame(scenes[number % len(scenes)])
        yield np.asarray(cv2.resize(frame, (1920, 1080)), np.uint8)


def photographs(folder: Path, count: int) -> Iterator[Pixels]:
    """The first pictures of a folder, those that can be decoded."""
    for path in sorted(folder.iterdir())[:count]:
        with contextlib.suppress(PictureError):
            yield load(path)


def measured(frames: Iterator[Pixels], name: str) -> list[Took]:
    """Each frame read whole, and at once by the bare networks, so that both see the same load."""
    recogniser, bare = (
        open_recogniser(name, threads=1, patterns=tuple(GRAMMAR.values())),
        Bare(name),
    )
    took = []
    for number, pixels in enumerate(frames):
        began = time.perf_counter()
        plates = len(recogniser.read(pixels))
        whole_ms = (time.perf_counter() - began) * 1000
        took.append(
            Took(whole_ms=whole_ms, bare_ms=bare.took_ms(pixels, plates or 1), plates=plates)
        )
        if number % 10 == 9:
            print(f"read {number + 1} frames", file=sys.stderr)
    return took[WARM_UP:]


def figures(took: list[Took]) -> dict[str, float]:
    """What is told in the last line; the ratio is the median of the frames' own ratios."""
    whole, bare = [one.whole_ms for one in took], [one.bare_ms for one in took]
    return {
        "frames": len(took),
        "frames_with_a_plate": sum(one.plates > 0 for one in took),
        "whole_p50_ms": _at(whole, 50),
        "whole_p95_ms": _at(whole, 95),
        "bare_p50_ms": _at(bare, 50),
        "bare_p95_ms": _at(bare, 95),
        "ratio": _at([one.whole_ms / one.bare_ms for one in took], 50),
    }


def _at(values: list[float], percent: float) -> float:
    return round(float(np.percentile(values, percent)), 3)


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.read", description=__doc__)
    parser.add_argument("--json", action="store_true", help="only the line of figures")
    parser.add_argument("--short", action="store_true", help=f"{FRAMES_SHORT} frames")
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="read these instead")
    parser.add_argument("--networks", default="clp", help="the set of networks")
    chosen = parser.parse_args()
    count = WARM_UP + (FRAMES_SHORT if chosen.short else FRAMES)
    frames = photographs(chosen.pictures, count) if chosen.pictures else drawn(count)
    took = measured(frames, chosen.networks)
    if not took:
        print(f"benchmarks.read: more than {WARM_UP} pictures are needed", file=sys.stderr)
        return 1
    told = figures(took)
    if not chosen.json:
        for name, value in told.items():
            print(f"{name:<20} {value:>10}")
    print(json.dumps({"benchmark": "read", **told}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
