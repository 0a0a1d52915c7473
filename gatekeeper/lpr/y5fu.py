"""Detectors of HyperLPR3's contract (`y5fu`, a YOLOv5-face): pixels in, plates with four corners
and their number of rows out.
"""

import cv2
import numpy as np

from gatekeeper.lpr.detect import MOST_CANDIDATES, Found, apart
from gatekeeper.lpr.session import Floats, Network, check_shapes
from gatekeeper.model import Pixels
from gatekeeper.networks.manifest import Hyperlpr3Detector, Thresholds

NUMBERS = 15
"""Numbers in a row of the output: box 4, objectness, four points 8, shares of one and two rows."""

STEP = 32
"""Sides of the input are multiples of it."""


def boxed(pixels: Pixels, side: int, *, square: bool) -> tuple[Floats, float, tuple[int, int]]:
    """The picture as the network wants it, by how much it shrank, and how far from the left and the
    top it lies: the longest side becomes `side`, and what is missing is black on both sides of it.

    (1, 3, H, W), RGB, 0..1.
    """
    height, width = pixels.shape[:2]
    ratio = side / max(height, width)
    across, down = max(1, int(width * ratio)), max(1, int(height * ratio))
    high, wide = (side, side) if square else (-(-down // STEP) * STEP, -(-across // STEP) * STEP)
    left, top = (wide - across) // 2, (high - down) // 2
    small = cv2.resize(pixels, (across, down), interpolation=cv2.INTER_LINEAR)
    batch = np.zeros((1, 3, high, wide), np.float32)
    for channel, plane in enumerate(reversed(cv2.split(small))):
        here = batch[0, channel, top : top + down, left : left + across]
        np.multiply(plane, np.float32(1 / 255), out=here)
    return batch, ratio, (left, top)


def told(output: Floats, thresholds: Thresholds) -> list[tuple[Floats, float, int]]:
    """Points (4, 2) in pixels of the input, score and rows of each plate in `output` (1, N, 15),
    best first, and of those that overlap the best alone.
    """
    rows = output[0][output[0][:, 4] > thresholds.least_score]
    scores = rows[:, 13:15] * rows[:, 4:5]
    best = scores.max(axis=1, initial=0.0)
    order = np.argsort(-best, kind="stable")[:MOST_CANDIDATES]
    order = order[best[order] > thresholds.least_score]
    middle, half = rows[order, :2], rows[order, 2:4] / 2
    kept = apart(np.concatenate([middle - half, middle + half], axis=1), thresholds.most_overlap)
    return [
        (rows[at, 5:13].reshape(4, 2), float(best[at]), int(scores[at].argmax()) + 1)
        for at in order[kept].tolist()
    ]


class Y5fuFinder:
    """A network of the contract `hyperlpr3`."""

    def __init__(
        self, network: Network, contract: Hyperlpr3Detector, thresholds: Thresholds | None = None
    ) -> None:
        self._network = network
        self._contract = contract
        self._thresholds = thresholds or Thresholds()

    def check(self) -> None:
        """Raises `NetworkSetError` unless the network's shapes are those of its contract."""
        side = self._contract.side
        check_shapes(self._network, self._contract.file, (1, 3, side, side), (1, None, NUMBERS))

    def find(self, pixels: Pixels, side: int) -> list[Found]:
        """The plates in a picture that was shrunk (or grown) to `side`, best first."""
        batch, ratio, offset = boxed(pixels, side, square=self._contract.square)
        return [
            Found(quad=((points - offset) / ratio).astype(np.float32), score=score, rows=rows)
            for points, score, rows in told(self._network(batch)[0], self._thresholds)
        ]
