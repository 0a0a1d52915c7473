"""Where the plates are: pixels in, four corners and a score for each plate out.

`fitted`, `priors`, `candidates` and `apart` are pure and know no network; `ClpFinder` puts one
between them: a RetinaFace with four points (zeusees/License-Plate-Detector). Networks of the other
contract are in `lpr.y5fu`.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from gatekeeper.lpr.session import Floats, Network, check_shapes
from gatekeeper.model import Pixels
from gatekeeper.networks.manifest import ClpDetector, Thresholds

Quad: TypeAlias = npt.NDArray[np.float32]
"""(4, 2): x and y of top left, top right, bottom right, bottom left."""

LEAST_SCORE = 0.3
"""Below it lie shop signs and lorry doors; plates that score less are not legible either."""

MOST_OVERLAP = 0.4
"""Two boxes that share more of their union show the same plate."""

MOST_CANDIDATES = 200
"""So many of the best scores are compared with each other; hostile pictures have thousands."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """One plate: its corners in pixels of the picture, how sure the network is, 0..1, and how many
    rows it has, where the network tells.
    """

    quad: Quad
    score: float
    rows: int | None = None


class Finder(Protocol):
    """A network that finds plates, whatever its contract."""

    def find(self, pixels: Pixels, side: int) -> list[Found]:
        """The plates in a picture that was shrunk (or grown) to `side`, best first."""
        ...


def fitted(
    pixels: Pixels, side: int, step: int, mean: tuple[float, ...], scale: float
) -> tuple[Floats, float]:
    """The picture as the network wants it, and by how much it shrank.

    The longest side becomes `side`, the other follows, and the rest up to a multiple of `step`
    is zeros, which is the mean: one camera always gives one shape. (1, 3, H, W), float32.
    """
    height, width = pixels.shape[:2]
    ratio = side / max(height, width)
    across, down = max(1, round(width * ratio)), max(1, round(height * ratio))
    small = cv2.resize(pixels, (across, down), interpolation=cv2.INTER_LINEAR)
    batch = np.zeros((1, 3, -(-down // step) * step, -(-across // step) * step), np.float32)
    for channel, plane in enumerate(cv2.split(small)):
        # one pass over each plane: blobFromImage takes 2.7 ms where this takes 0.2
        np.subtract(plane, np.float32(mean[channel]), out=batch[0, channel, :down, :across])
    if scale != 1.0:
        batch *= np.float32(scale)
    return batch, ratio


@lru_cache(maxsize=16)  # a shape or two for each camera, in both sizes of the picture
def priors(
    height: int, width: int, steps: tuple[int, ...], sizes: tuple[tuple[float, ...], ...]
) -> Floats:
    """The places the network speaks of, in its order: (N, 3) of centre x, centre y, size.

    For each step a grid of cells, row by row, and in each cell one prior of each size.
    """
    grids = []
    for step, here in zip(steps, sizes, strict=True):
        y, x = np.mgrid[0 : -(-height // step), 0 : -(-width // step)]
        centres = (np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) * step
        each = np.repeat(centres, len(here), axis=0)
        grids.append(np.column_stack([each, np.tile(here, len(centres))]))
    return np.concatenate(grids).astype(np.float32)


def candidates(
    outputs: list[Floats],
    places: Floats,
    variances: tuple[float, float],
    least_score: float = LEAST_SCORE,
) -> tuple[Floats, Floats, Floats]:
    """Boxes (K, 4: left, top, right, bottom), points (K, 4, 2) and scores (K), best first, in
    pixels of the network's input.

    `outputs` are the network's: boxes (1, N, 4), classes (1, N, 2), points (1, N, 8), each
    told relative to its prior; `places` is from `priors`.
    """
    boxes, classes, points = (output[0] for output in outputs)
    scores = classes[:, 1]
    likely = np.flatnonzero(scores > least_score)
    likely = likely[np.argsort(-scores[likely], kind="stable")][:MOST_CANDIDATES]
    centre, size = places[likely, :2], places[likely, 2:]
    moved, grown = variances
    middle = centre + boxes[likely, :2] * moved * size
    half = size * np.exp(boxes[likely, 2:] * grown) / 2
    corners = centre[:, None] + points[likely].reshape(-1, 4, 2) * moved * size[:, None]
    return np.concatenate([middle - half, middle + half], axis=1), corners, scores[likely]


def apart(boxes: Floats, most_overlap: float = MOST_OVERLAP) -> list[int]:
    """Which of the boxes (K, 4; best first) no better one overlaps: their places in the list."""
    kept: list[int] = []
    left = np.arange(len(boxes))
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    while len(left):
        best, left = int(left[0]), left[1:]
        kept.append(best)
        low = np.maximum(boxes[best, :2], boxes[left, :2])
        high = np.minimum(boxes[best, 2:], boxes[left, 2:])
        shared = np.prod(np.maximum(high - low, 0), axis=1)
        left = left[shared <= most_overlap * (areas[best] + areas[left] - shared)]
    return kept


class ClpFinder:
    """A network of the contract `clp`."""

    def __init__(
        self, network: Network, contract: ClpDetector, thresholds: Thresholds | None = None
    ) -> None:
        self._network = network
        self._contract = contract
        self._thresholds = thresholds or Thresholds()

    def check(self) -> None:
        """Raises `NetworkSetError` unless the network's shapes are those of its contract."""
        told, side = self._contract, min(self._contract.steps) * 8
        places = len(priors(side, side, told.steps, told.sizes))
        given, wanted = (1, 3, side, side), [(1, places, size) for size in (4, 2, 8)]
        check_shapes(self._network, told.file, given, *wanted)

    def find(self, pixels: Pixels, side: int) -> list[Found]:
        """The plates in a picture that was shrunk (or grown) to `side`, best first."""
        told, limits = self._contract, self._thresholds
        batch, ratio = fitted(pixels, side, min(told.steps), told.mean, told.scale)
        places = priors(batch.shape[2], batch.shape[3], told.steps, told.sizes)
        boxes, points, scores = candidates(
            self._network(batch), places, told.variances, limits.least_score
        )
        order = list(told.corners)
        return [
            Found(quad=(points[best][order] / ratio).astype(np.float32), score=float(scores[best]))
            for best in apart(boxes, limits.most_overlap)
        ]
