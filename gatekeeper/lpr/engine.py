"""A picture in, plate reads out: find, turn upright, read, and look again only when in doubt.

One pass over the picture at its first size and one reading of each plate is the usual case. A
plate that was not read convincingly is read again, cut otherwise; when nothing in the picture
convinces, all of it is examined once more, larger. It reports what the networks read, whether
it is a plate or not, and drops only what is hardly a text.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from gatekeeper.lpr import rectify
from gatekeeper.lpr.classify import Classifier
from gatekeeper.lpr.colour import ground
from gatekeeper.lpr.decode import Reading, doubted
from gatekeeper.lpr.detect import Finder, Found, Quad
from gatekeeper.lpr.picture import check
from gatekeeper.lpr.strip import StripReader
from gatekeeper.model import Colour, Corners, Pixels, PlateRead
from gatekeeper.networks.manifest import PlateClass, Thresholds

MOST_PLATES = 6
"""The best so many plates of a pass are read: that bounds the time of a hostile picture."""

FORESHORTENED = 2.4
"""Width by height below which a plate has two rows, or is seen from the side."""

LOOSER, TIGHTER = (0.08, 0.02), (-0.04, 0.12)
"""Two other ways to see a plate that was not read well: so much more than the rim of its set."""

SHORTEST = 5
"""A text of fewer characters is a scrap of something, and is not reported."""

FAINTEST = 0.15
"""A reading whose weakest character is below is a guess, and is not reported."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plate:
    """One place in the picture and the best reading of it so far."""

    quad: Quad
    reading: Reading
    seen: PlateClass
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How a picture is searched: the longest side of each pass, and the rim around corners."""

    sides: tuple[int, ...]
    rim: tuple[float, float]


class Engine:
    """Our own: the networks of a set, of whichever contract each, and the work between them."""

    def __init__(
        self,
        finder: Finder,
        strips: StripReader,
        search: Search,
        *,
        classifier: Classifier | None = None,
        thresholds: Thresholds | None = None,
    ) -> None:
        self._finder = finder
        self._strips = strips
        self._classifier = classifier
        self._sides = search.sides
        limits = thresholds or Thresholds()
        self._convincing, self._strong = limits.convincing, limits.strong_score
        wider, higher = search.rim
        self._rim, self._loose, self._tight = (
            rectify.grown(wider + more, higher + taller)
            for more, taller in ((0.0, 0.0), LOOSER, TIGHTER)
        )

    def read(self, pixels: Pixels, *, crop: bool = False) -> tuple[PlateRead, ...]:
        """See `lpr.ports.Recogniser`."""
        check(pixels)
        if crop:
            found = Found(quad=whole(pixels), score=1.0)
            plates = [self._again(pixels, self._first(pixels, found, rectify.WHOLE))]
        else:
            plates = self._searched(pixels)
        plates.sort(key=_weight, reverse=True)
        return told(plate for plate in _apart(plates) if is_text(plate.reading))

    def _searched(self, pixels: Pixels) -> list[Plate]:
        seen: list[Plate] = []
        for side in self._sides:
            found = self._finder.find(pixels, side)[:MOST_PLATES]
            legible = [place for place in found if rectify.legible(place.quad)]
            strong = [place for place in legible if place.score >= self._strong]
            for places in (strong, legible[len(strong) :]):
                here = [self._first(pixels, place, self._rim) for place in places]
                if not any(map(self._convinces, here)):
                    here = [self._again(pixels, plate) for plate in here]
                seen += here
                if any(map(self._convinces, here)):
                    return seen
        return seen

    def _first(self, pixels: Pixels, found: Found, part: rectify.Part) -> Plate:
        upright = self._strips.cut(pixels, found.quad, part)
        if found.rows == 2:
            reading = self._read_two_rows(pixels, found.quad)
        else:
            reading = self._strips.read(upright)
        return Plate(
            quad=found.quad,
            reading=reading,
            seen=self._class_of(pixels, found.quad, upright),
            rows=found.rows or 1,
        )

    def _read_two_rows(self, pixels: Pixels, quad: Quad) -> Reading:
        """Of a plate whose detector knows that it has two."""
        if self._strips.reads_rows_joined:
            height, parts = self._strips.height, (rectify.UPPER_MIDDLE, rectify.LOWER_TOLD)
            return self._strips.read(rectify.rows_joined(pixels, quad, height, parts))
        upper, lower = (
            self._strips.read(self._strips.cut(pixels, quad, part))
            for part in (rectify.UPPER_TOLD, rectify.LOWER_TOLD)
        )
        return upper + lower

    def _class_of(self, pixels: Pixels, quad: Quad, upright: Pixels) -> PlateClass:
        if self._classifier is None:
            return PlateClass(colour=ground(upright))
        height, width = 2 * self._strips.height, 6 * self._strips.height
        return self._classifier.told(rectify.cut_out(pixels, quad, rectify.WHOLE, width, height))

    def _again(self, pixels: Pixels, plate: Plate) -> Plate:
        """The plate, or what it is when it is cut otherwise: the first that convinces, or else
        the best.
        """
        tried = [plate]
        for upright, rows in self._other_cuts(pixels, plate.quad):
            if self._convinces(tried[-1]):
                break
            tried.append(replace(plate, reading=self._strips.read(upright), rows=rows))
        best = max(tried, key=_weight)
        return replace(best, reading=doubted(best.reading, [each.reading for each in tried]))

    def _other_cuts(self, pixels: Pixels, quad: Quad) -> Iterator[tuple[Pixels, int]]:
        across, down = rectify.extent(quad)
        if across < FORESHORTENED * down:
            yield rectify.rows_joined(pixels, quad, self._strips.height), 2
            yield self._strips.cut(pixels, quad, self._rim, rectify.ROW_SHAPE), 1
        yield self._strips.cut(pixels, quad, self._loose), 1
        yield self._strips.cut(pixels, quad, self._tight), 1

    def _convinces(self, plate: Plate) -> bool:
        """Whether a second look is idle: long enough, one character Chinese, the weakest good."""
        reading = plate.reading
        return (
            _is_as_long_as_its_kind(plate)
            and not reading.text.isascii()
            and min(reading.confidences) >= self._convincing
        )


def told(plates: Iterable[Plate]) -> tuple[PlateRead, ...]:
    """What is reported of plates, the most confident first."""
    reads = [
        PlateRead(
            text=plate.reading.text,
            confidences=plate.reading.confidences,
            others=plate.reading.others,
            colour=plate.seen.colour,
            kind=plate.seen.kind,
            rows=plate.rows,
            corners=_corners(plate.quad),
            frame=0,
            at=0.0,
        )
        for plate in plates
    ]
    return tuple(sorted(reads, key=lambda read: read.confidence, reverse=True))


def whole(pixels: Pixels) -> Quad:
    """The corners of a picture that is one plate."""
    height, width = pixels.shape[:2]
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)


def _is_as_long_as_its_kind(plate: Plate) -> bool:
    """Green plates have eight characters and like to lose the last (HyperLPR #223), two-row
    plates seven; of the others' colour one cannot be so sure.
    """
    length = len(plate.reading.text)
    if plate.rows == 2:
        return length == 7
    if plate.seen.colour in (Colour.GREEN, Colour.YELLOW_GREEN):
        return length == 8
    return length in (7, 8)


def _weight(plate: Plate) -> float:
    """Of two readings of one plate the heavier is believed: first the one of a plate's length,
    then the one whose characters are better on the whole.
    """
    if not plate.reading.text:
        return -1.0
    shares = np.log(np.maximum(plate.reading.confidences, 1e-6))
    return float(np.exp(shares.mean())) + _is_as_long_as_its_kind(plate)


def _apart(plates: Iterable[Plate]) -> list[Plate]:
    """Without those whose middle lies on a heavier plate: both passes saw them."""
    kept: list[Plate] = []
    for plate in plates:
        x, y = plate.quad.mean(axis=0).tolist()
        if not any(cv2.pointPolygonTest(other.quad, (x, y), False) >= 0 for other in kept):
            kept.append(plate)
    return kept


def is_text(reading: Reading) -> bool:
    """Whether it is more than a scrap or a guess."""
    return len(reading.text) >= SHORTEST and min(reading.confidences) >= FAINTEST


def _corners(quad: Quad) -> Corners:
    first, second, third, fourth = ((float(x), float(y)) for x, y in quad)
    return first, second, third, fourth
