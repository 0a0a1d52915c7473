"""The only file that knows hyperlpr3: its detector, recogniser and classifier with any set of its
contract, as one more engine.

Its package is never imported as such, for its `__init__` downloads networks over plain http and
wants a HOME; only its modules of inference are. What is wrong with them is mended here:

- their sessions take every core and spin: they are given ours, made of verified bytes;
- the detector keeps the last picture's geometry: each recogniser has one of its own, and one thread
  reads with it;
- thresholds given to the detector are ignored: they are handed on to the step that needs them;
- a text's confidence is the mean of its characters, and of two rows the mean of two means: each
  character keeps its own;
- the type is guessed from the length of the text: the network says the colour.
"""

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from gatekeeper.errors import NetworkSetError
from gatekeeper.lpr import rectify
from gatekeeper.lpr.classify import Classifier
from gatekeeper.lpr.colour import ground
from gatekeeper.lpr.decode import Decode, Reading
from gatekeeper.lpr.detect import Found
from gatekeeper.lpr.engine import MOST_PLATES, Plate, is_text, told, whole
from gatekeeper.lpr.picture import check
from gatekeeper.lpr.session import as_function, open_session
from gatekeeper.lpr.strip import StripReader
from gatekeeper.lpr.y5fu import Y5fuFinder
from gatekeeper.model import Pixels, PlateRead
from gatekeeper.networks import NetworkSet
from gatekeeper.networks.manifest import (
    Hyperlpr3Detector,
    Hyperlpr3Recogniser,
    PlateClass,
    Thresholds,
)

_DETECTOR = "inference.multitask_detect.MultiTaskDetectorORT"
_RECOGNISER = "inference.recognition.PPRCNNRecognitionORT"
_CLASSIFIER = "inference.classification.ClassificationORT"

UPPER_ROW = 0.4
"""Share of a two-row plate's height at which its pipeline cuts the rows apart."""

MOST_GROWN = 4
"""Corners that span more than so many times the picture's longest side are none: its warp takes
memory for all they span."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Instances of hyperlpr3's own classes, each with a session of ours."""

    detector: Any
    recogniser: Any
    classifier: Any | None


class HyperlprEngine:
    """hyperlpr3's classes between a picture and its plate reads."""

    def __init__(
        self,
        parts: Parts,
        strips: StripReader,
        classifier: Classifier | None,
        thresholds: Thresholds,
    ) -> None:
        """`strips` and `classifier` say what the outputs of the networks mean."""
        self.parts = parts
        self._strips = strips
        self._classifier = classifier
        self._thresholds = thresholds

    def read(self, pixels: Pixels, *, crop: bool = False) -> tuple[PlateRead, ...]:
        """See `lpr.ports.Recogniser`. Two rows are read one by one, whatever the set says."""
        check(pixels)
        if crop:
            places = [Found(quad=whole(pixels), score=1.0, rows=1)]
            plates = [self._plate(place, pixels) for place in places]
        else:
            warp = _module("common.tools_process").get_rotate_crop_image
            found = self._found(pixels)
            plates = [self._plate(place, warp(pixels, place.quad)) for place in found]
        return told(plate for plate in plates if is_text(plate.reading))

    def _found(self, pixels: Pixels) -> list[Found]:
        """As `MultiTaskDetectorORT.__call__`, with the thresholds of the set."""
        detector, limits = self.parts.detector, self._thresholds
        longest, side = max(pixels.shape[:2]), detector.input_size[0]
        if int(min(pixels.shape[:2]) * side / longest) < 1:
            return []  # it would shrink the picture to nothing
        output = detector._run_session(detector._preprocess(pixels))
        rows = _module("inference.multitask_detect").post_precessing(
            output, *detector.tmp_pack, limits.least_score, limits.most_overlap
        )
        return list(_legible(rows[rows[:, 4] > limits.least_score], longest))

    def _plate(self, place: Found, upright: Pixels) -> Plate:
        rows = [upright]
        if place.rows == 2:
            line = max(1, int(upright.shape[0] * UPPER_ROW))
            rows = [upright[:line], upright[line:]]
        reading = Reading(text="", confidences=())
        for row in rows:
            reading = reading + self._read(np.ascontiguousarray(row))
        return Plate(
            quad=place.quad, reading=reading, seen=self._class_of(upright), rows=place.rows or 1
        )

    def _read(self, row: Pixels) -> Reading:
        """As `PPRCNNRecognitionORT.__call__`, with a confidence for each character."""
        recogniser = self.parts.recogniser
        given = recogniser._preprocess(self._strips.stretched(row))
        (shares,) = recogniser._run_session(given)
        return self._strips.said(shares[0])

    def _class_of(self, upright: Pixels) -> PlateClass:
        if self.parts.classifier is None or self._classifier is None:
            return PlateClass(colour=ground(upright))
        return self._classifier.meant(self.parts.classifier(upright))


def open_hyperlpr(found: NetworkSet, threads: int, decode: Decode) -> HyperlprEngine:
    """hyperlpr3's classes with this set; raises `NetworkSetError` for one of another contract."""
    told, alphabet = found.manifest, found.alphabet()
    detector, recogniser = _of_its_contract(found)
    sessions = {
        part.file: open_session(found.content(part.file), str(found.folder / part.file), threads)
        for part in (detector, recogniser, told.classifier)
        if part is not None
    }
    networks = {file: as_function(session, file) for file, session in sessions.items()}
    Y5fuFinder(networks[detector.file], detector).check()
    strips = StripReader(networks[recogniser.file], recogniser, alphabet, told.calibration, decode)
    strips.check()
    classifier = None
    if told.classifier is not None:
        classifier = Classifier(networks[told.classifier.file], told.classifier)
        classifier.check()

    def made(name: str, file: str, **more: object) -> Any:
        """An instance of its class, which opens the network itself, on all cores."""
        part = _class(name)(found.content(file), **more)
        part.session = sessions[file]
        return part

    parts = Parts(
        detector=_detector(sessions[detector.file], detector.side),
        recogniser=made(_RECOGNISER, recogniser.file, token_dict=("blank", *alphabet)),
        classifier=told.classifier and made(_CLASSIFIER, told.classifier.file),
    )
    return HyperlprEngine(parts, strips, classifier, told.thresholds)


def _of_its_contract(found: NetworkSet) -> tuple[Hyperlpr3Detector, Hyperlpr3Recogniser]:
    detector, recogniser = found.manifest.detector, found.manifest.recogniser
    if not isinstance(detector, Hyperlpr3Detector) or not isinstance(
        recogniser, Hyperlpr3Recogniser
    ):
        raise NetworkSetError(
            f'{found.folder}: hyperlpr3 runs parts of the contract "hyperlpr3" alone; its detector'
            f' is "{detector.contract}", its recogniser "{recogniser.contract}"'
        )
    return detector, recogniser


def _detector(session: Any, side: int) -> Any:
    """An instance of its class, which looks at squares. What its constructor does is done here, for
    that refuses a network which takes any size.
    """
    kind = _class(_DETECTOR)
    part = kind.__new__(kind)
    part.session, part.input_size = session, (side, side)
    part.input_name, part.outputs_option = session.get_inputs()[0].name, session.get_outputs()
    return part


def _legible(rows: np.ndarray[Any, Any], longest: int) -> Iterator[Found]:
    """Its rows of box 4, score, points 8, and 0 or 1 for one or two rows of characters."""
    for row in rows[:MOST_PLATES]:
        quad = row[5:13].reshape(4, 2).astype(np.float32)
        if rectify.legible(quad) and max(rectify.extent(quad)) <= MOST_GROWN * longest:
            yield Found(quad=quad, score=float(row[4]), rows=int(row[13]) + 1)


def _class(name: str) -> Any:
    """A class of hyperlpr3, by the names of its module and its own."""
    module, name = name.rsplit(".", 1)
    return getattr(_module(module), name)


def _module(name: str) -> Any:
    """A module of hyperlpr3, whose `__init__` does not run; raises `NetworkSetError`."""
    if "hyperlpr3" not in sys.modules:
        found = importlib.util.find_spec("hyperlpr3")  # finds, and runs nothing
        if found is None or found.submodule_search_locations is None:
            raise NetworkSetError("hyperlpr3 is not installed: pip install --no-deps hyperlpr3")
        package = ModuleType("hyperlpr3")
        package.__path__ = list(found.submodule_search_locations)
        package.__spec__ = found
        sys.modules["hyperlpr3"] = package
    return importlib.import_module(f"hyperlpr3.{name}")
