"""A picture in, plate reads out: find, turn upright, read, and look again only when in doubt.

One pass over the picture at its first size and one reading of each plate is the usual case. A
plate that was not read convincingly is read again, cut otherwise; when nothing in the picture
convinces, all of it is looked at once more, larger. It reports what the networks read, whether
it is a plate or not, and drops only what is hardly a text.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from gatekeeper.lpr import networks, rectify
from gatekeeper.lpr.colour import ground
from gatekeeper.lpr.decode import Reading, decoded, doubted
from gatekeeper.lpr.detect import Detector, Quad
from gatekeeper.lpr.networks import RecogniserContract
from gatekeeper.lpr.picture import check
from gatekeeper.lpr.session import Floats, Network, open_network
from gatekeeper.model import Colour, Corners, Pixels, PlateRead

MOST_PLATES = 6
"""The best so many plates of a pass are read: that bounds the time of a hostile picture."""

CONVINCING = 0.6
"""Weakest character of a reading that needs no second look."""

FORESHORTENED = 2.4
"""Width by height below which a plate has two rows, or is seen from the side."""

SHORTEST = 5
"""A text of fewer characters is a scrap of something, and is not reported."""

FAINTEST = 0.15
"""A reading whose weakest character is below is a guess, and is not reported."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Plate:
    """One place in the picture and the best reading of it so far."""

    quad: Quad
    reading: Reading
    colour: Colour
    rows: int


class Recogniser:
    """Two networks and the work between them. One thread at a time may read with it."""

    def __init__(
        self,
        detector: Detector,
        network: Network,
        contract: RecogniserContract,
        alphabet: tuple[str, ...],
        sides: tuple[int, int],
    ) -> None:
        """`sides` are the two sizes at which a picture is searched, in pixels."""
        self._detector = detector
        self._network = network
        self._contract = contract
        self._alphabet = alphabet
        self._sides = sides

    def read(self, pixels: Pixels, *, crop: bool = False) -> tuple[PlateRead, ...]:
        """The plates in a picture, the most confident first, stamped with frame 0 at 0.0.

        With `crop` the whole picture is one plate. Raises `PictureError` for what is no `Pixels`,
        or too small to hold a plate.
        """
        check(pixels)
        if crop:
            plates = [self._again(pixels, self._first(pixels, _whole(pixels), _UNGROWN))]
        else:
            plates = self._searched(pixels)
        plates.sort(key=_weight, reverse=True)
        reads = [_told(plate) for plate in _apart(plates) if _is_text(plate.reading)]
        return tuple(sorted(reads, key=lambda read: read.confidence, reverse=True))

    def _searched(self, pixels: Pixels) -> list[_Plate]:
        seen: list[_Plate] = []
        for side in self._sides:
            found = self._detector.find(pixels, side)[:MOST_PLATES]
            quads = [place.quad for place in found if rectify.legible(place.quad)]
            here = [self._first(pixels, quad, rectify.ROW) for quad in quads]
            if not any(map(_convinces, here)):
                here = [self._again(pixels, plate) for plate in here]
            seen += here
            if any(map(_convinces, here)):
                break
        return seen

    def _first(self, pixels: Pixels, quad: Quad, part: rectify.Part) -> _Plate:
        told = self._contract
        upright = rectify.row(pixels, quad, part, told.height, told.width)
        return _Plate(quad=quad, reading=self._read(upright), colour=ground(upright), rows=1)

    def _again(self, pixels: Pixels, plate: _Plate) -> _Plate:
        """The plate, or what it is when it is cut otherwise: the first that convinces, or else
        the best.
        """
        tried = [plate]
        for upright, rows in self._other_cuts(pixels, plate.quad):
            if _convinces(tried[-1]):
                break
            tried.append(
                _Plate(quad=plate.quad, reading=self._read(upright), colour=plate.colour, rows=rows)
            )
        best = max(tried, key=_weight)
        return replace(best, reading=doubted(best.reading, [plate.reading for plate in tried]))

    def _other_cuts(self, pixels: Pixels, quad: Quad) -> Iterator[tuple[Pixels, int]]:
        height, width = self._contract.height, self._contract.width
        across, down = rectify.extent(quad)
        if across < FORESHORTENED * down:
            yield rectify.rows_joined(pixels, quad, height), 2
            yield rectify.row(pixels, quad, rectify.ROW, height, width, rectify.ROW_SHAPE), 1
        yield rectify.row(pixels, quad, rectify.ROW_LOOSE, height, width), 1
        yield rectify.row(pixels, quad, rectify.ROW_TIGHT, height, width), 1

    def _read(self, upright: Pixels) -> Reading:
        told = self._contract
        batch = np.zeros((1, 3, told.height, told.width), np.float32)
        inner = batch[0, :, :, : upright.shape[1]]
        np.subtract(upright.transpose(2, 0, 1), _planes(told.mean), out=inner, dtype=np.float32)
        inner *= np.float32(told.scale)
        return decoded(self._network(batch)[0][0], self._alphabet)


_UNGROWN = rectify.grown(0.0, 0.0)


def open_recogniser(name: str, threads: int) -> Recogniser:
    """The recogniser of the set of networks called `name`; raises `NetworkSetError`.

    Takes a tenth of a second; `threads` is how many cores one reading may occupy.
    """
    found = networks.find(name)
    told = found.manifest
    cv2.setNumThreads(threads)  # OpenCV's own pool would take every core for a resize
    finder = open_network(found.content(told.detector.file), told.detector.file, threads)
    reader = open_network(found.content(told.recogniser.file), told.recogniser.file, threads)
    return Recogniser(
        Detector(finder, told.detector),
        reader,
        told.recogniser,
        found.alphabet(),
        (told.detector.side, told.detector.second_side),
    )


def _planes(mean: tuple[float, ...]) -> Floats:
    return np.array(mean, np.float32)[:, None, None]


def _whole(pixels: Pixels) -> Quad:
    height, width = pixels.shape[:2]
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)


def _convinces(plate: _Plate) -> bool:
    """Whether a second look is idle: long enough, one character Chinese, the weakest one good."""
    reading = plate.reading
    return (
        _is_as_long_as_its_kind(plate)
        and not reading.text.isascii()
        and min(reading.confidences) >= CONVINCING
    )


def _is_as_long_as_its_kind(plate: _Plate) -> bool:
    """Green plates have eight characters and like to lose the last (HyperLPR #223), two-row
    plates seven; of the others' colour one cannot be so sure.
    """
    length = len(plate.reading.text)
    if plate.rows == 2:
        return length == 7
    if plate.colour in (Colour.GREEN, Colour.YELLOW_GREEN):
        return length == 8
    return length in (7, 8)


def _weight(plate: _Plate) -> float:
    """Of two readings of one plate the heavier is believed: first the one of a plate's length,
    then the one whose characters are better on the whole.
    """
    if not plate.reading.text:
        return -1.0
    shares = np.log(np.maximum(plate.reading.confidences, 1e-6))
    return float(np.exp(shares.mean())) + _is_as_long_as_its_kind(plate)


def _apart(plates: Iterable[_Plate]) -> list[_Plate]:
    """Without those whose middle lies on a heavier plate: both passes saw them."""
    kept: list[_Plate] = []
    for plate in plates:
        x, y = plate.quad.mean(axis=0).tolist()
        if not any(cv2.pointPolygonTest(other.quad, (x, y), False) >= 0 for other in kept):
            kept.append(plate)
    return kept


def _is_text(reading: Reading) -> bool:
    return len(reading.text) >= SHORTEST and min(reading.confidences) >= FAINTEST


def _told(plate: _Plate) -> PlateRead:
    return PlateRead(
        text=plate.reading.text,
        confidences=plate.reading.confidences,
        colour=plate.colour,
        rows=plate.rows,
        corners=_corners(plate.quad),
        frame=0,
        at=0.0,
    )


def _corners(quad: Quad) -> Corners:
    first, second, third, fourth = ((float(x), float(y)) for x, y in quad)
    return first, second, third, fourth
