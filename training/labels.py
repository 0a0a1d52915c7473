"""Where each character stands, as the network's instants: targets for the frame-aligned loss."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from training.alphabet import BLANK

INSTANTS = 40
"""Time steps of the network's output, spread evenly over its 160 columns."""

Instants: TypeAlias = npt.NDArray[np.int64]
"""Shape (INSTANTS,): a class each."""

UNKNOWN = -100
"""The target of an instant about which nothing is known; torch's own `ignore_index`."""

_ROOMY = 3.2
"""Instants between two characters from which each may fill three."""


def aligned(classes: Sequence[int], centres: Sequence[float]) -> Instants:
    """The class at each instant, from the centres of the characters as shares of the width.

    A character fills its middle instant, and one on either side where there is room: equal
    neighbours always keep a blank between them.
    """
    instants = np.full(INSTANTS, BLANK, np.int64)
    at = np.asarray(centres, np.float64) * INSTANTS - 0.5
    room = np.diff(at).min() if len(at) > 1 else np.inf
    reach = 1 if room >= _ROOMY else 0
    for symbol, middle in zip(classes, np.rint(at).astype(int), strict=True):
        low, high = middle - reach, middle + reach + 1
        instants[max(low, 0) : max(high, 0)] = symbol
    return instants


def unaligned() -> Instants:
    """Targets for a picture whose characters were not measured."""
    return np.full(INSTANTS, UNKNOWN, np.int64)


def usual_centres(length: int) -> tuple[float, ...]:
    """Where the characters of a one-row plate stand when it fills the picture (GA 36-2018).

    Seven on 440 mm or eight on 480 mm, with a gap after the second; others spread evenly.
    """
    if length not in (7, 8):
        return tuple((place + 0.5) / length for place in range(length))
    first, pitch, split, width = (38.0, 57.0, 79.0, 440) if length == 7 else (37.3, 52.5, 92.5, 480)
    places = [first + pitch * at + (split - pitch if at > 1 else 0) for at in range(length)]
    return tuple(place / width for place in places)
