"""An exported network, read the way the controller reads: shares, then a beam over the grammar.

Needs no torch: what is measured is what is shipped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from gatekeeper.lpr import rectify
from gatekeeper.lpr.beam import Plates, plates
from gatekeeper.lpr.grammar import Grammar
from gatekeeper.lpr.session import Floats, Network, open_network
from gatekeeper.rules.plate import GRAMMAR
from training.alphabet import ALPHABET
from training.real import Real
from training.render.camera import TALL, WIDE
from training.render.flat import Picture

FITS = 0.02
"""By the free text's probability, a plate's from which the strip is believed to show a plate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What was read in one strip, and how sure its weakest character is; `greedy` without beam."""

    text: str
    sure: float
    greedy: str
    greedy_sure: float


class Reader:
    """A network file and the grammar of plates."""

    def __init__(self, path: Path) -> None:
        self._network: Network = open_network(path.read_bytes(), path.name, 1)
        self._grammar = Grammar(GRAMMAR.values())

    def shares(self, strip: Picture) -> Floats:
        """(40, classes) of a strip (48, 160, 3)."""
        planes = (strip.transpose(2, 0, 1)[None].astype(np.float32) - 127.5) / 127.5
        shares: Floats = self._network(planes)[0][0]
        return shares

    def read(self, strip: Picture) -> Said:
        """What stands on the strip."""
        return said(plates(self.shares(strip), ALPHABET, self._grammar))


def said(found: Plates) -> Said:
    """The plate where it fits, or else the free text."""
    free = found.free
    plate = found.plate if found.plate and found.fit >= FITS else free
    return Said(
        text=plate.text,
        sure=_weakest(plate.confidences),
        greedy=free.text,
        greedy_sure=_weakest(free.confidences),
    )


def _weakest(confidences: Sequence[float]) -> float:
    return min(confidences, default=0.0)


def strip_of(plate: Real) -> Picture:
    """A real plate as the network gets it: a crop stretched, a scene's plate turned upright, the
    rows of a two-row plate side by side.
    """
    if plate.corners is None:
        upright = plate.picture
    elif plate.rows == 2:
        upright = rectify.rows_joined(plate.picture, plate.corners, TALL)
    else:
        upright = rectify.cut_out(plate.picture, plate.corners, rectify.ROW, WIDE, TALL)
    shrinks = upright.shape[0] > TALL
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(upright, (WIDE, TALL), interpolation=way), np.uint8)
