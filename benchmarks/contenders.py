"""Who is measured by `benchmarks.recognition`: our sets, hyperlpr3's own pipeline, and a general
reader of texts. Each is opened in a process of its own, reads on one thread, and tells its stages.
Times are the processor's, which other work on the machine changes least.
"""

import importlib.util
import re
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, TypeAlias

import cv2

from gatekeeper import networks
from gatekeeper.errors import NetworkSetError
from gatekeeper.lpr import EngineName, recogniser_of
from gatekeeper.model import Colour, Pixels
from gatekeeper.networks import NetworkSet
from gatekeeper.networks.manifest import ClassifierContract, Hyperlpr3Detector, PlateClass
from gatekeeper.rules.plate import GRAMMAR, normalise

Kind: TypeAlias = Literal["own", "hyperlpr3", "rapidocr"]

CLASSIFIER = "litemodel_cls_96x_r1.onnx"
COLOURS = (Colour.BLUE, Colour.GREEN, Colour.YELLOW)
"""What its outputs mean, in their order."""

_PLATE = re.compile("|".join(GRAMMAR.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """`network_set` is the one it runs; `detector` one of HyperLPR3's own in place of the set's."""

    name: str
    kind: Kind
    network_set: str = ""
    detector: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Texts of one picture, each with the confidence of its weakest character (rapidocr tells the
    mean alone), and the milliseconds of the processor that the whole and its stages took.
    """

    reads: tuple[tuple[str, float], ...]
    whole_ms: float
    stages_ms: Mapping[str, float]


Read: TypeAlias = Callable[[Pixels, bool], Sequence[tuple[str, float]]]
"""A picture, and whether all of it is one plate, in; texts and confidences out."""


class Stages:
    """Milliseconds since the last picture began, by stage."""

    def __init__(self) -> None:
        self.took: dict[str, float] = defaultdict(float)

    def watch(self, owner: object, step: str, stage: str) -> None:
        """From now on the time that a method of `owner` takes is counted for the stage."""
        run = getattr(owner, step)

        def timed(*given: object, **named: object) -> object:
            began = time.process_time()
            try:
                return run(*given, **named)
            finally:
                self.took[stage] += (time.process_time() - began) * 1000

        setattr(owner, step, timed)


class Reader:
    """A contender that has been opened; raises `NetworkSetError` for a set that cannot be."""

    def __init__(self, told: Contender) -> None:
        cv2.setNumThreads(1)
        self._stages = Stages()
        self._read = (
            _rapidocr(self._stages) if told.kind == "rapidocr" else _set(told, self._stages)
        )

    def read(self, pixels: Pixels, crop: bool) -> Said:
        """One picture; what belongs to no stage is in the whole alone."""
        self._stages.took.clear()
        began = time.process_time()
        reads = self._read(pixels, crop)
        whole_ms = (time.process_time() - began) * 1000
        return Said(reads=tuple(reads), whole_ms=whole_ms, stages_ms=dict(self._stages.took))


def contenders(official: Path) -> list[Contender]:
    """All that can be had here; `official` is a folder with HyperLPR3's own detectors below it."""
    found = []
    for name in networks.names(networks.BUILT_IN):
        found.append(Contender(name=name, kind="own", network_set=name))
        contract = networks.find(name).manifest
        if contract.recogniser.contract != "hyperlpr3":
            continue
        if contract.detector.contract == "hyperlpr3":
            found.append(
                Contender(name=f"hyperlpr3 with {name}", kind="hyperlpr3", network_set=name)
            )
        for path in sorted(official.rglob("y5fu_*x_sim.onnx")):
            label = f"hyperlpr3 with {name}, {path.stem.split('_')[1]}"
            found.append(Contender(name=label, kind="hyperlpr3", network_set=name, detector=path))
    if importlib.util.find_spec("rapidocr_onnxruntime"):
        found.append(Contender(name="rapidocr", kind="rapidocr"))
    return found


def _set(told: Contender, stages: Stages) -> Read:
    found = networks.find(told.network_set)
    if told.detector is not None:
        found = _Mixed(found, told.detector)
    engine: EngineName = "own" if told.kind == "own" else "hyperlpr3"
    recogniser: Any = recogniser_of(found, 1, engine, patterns=tuple(GRAMMAR.values()))
    if told.kind == "own":
        stages.watch(recogniser._finder, "find", "detect")
        stages.watch(recogniser._strips, "read", "read")
    else:
        stages.watch(recogniser, "_found", "detect")
        stages.watch(recogniser, "_read", "read")

    def read(pixels: Pixels, crop: bool) -> Sequence[tuple[str, float]]:
        return [(one.text, one.confidence) for one in recogniser.read(pixels, crop=crop)]

    return read


class _Mixed(NetworkSet):
    """The recogniser of a set behind one of HyperLPR3's detectors, with its classifier."""

    def __init__(self, found: NetworkSet, detector: Path) -> None:
        classifier = detector.parent / CLASSIFIER
        self._files = {path.name: path for path in (detector, classifier)}
        sums = {name: sha256(path.read_bytes()).hexdigest() for name, path in self._files.items()}
        contract = Hyperlpr3Detector(
            contract="hyperlpr3", file=detector.name, side=int(detector.stem[5:8])
        )
        classes = tuple(PlateClass(colour=colour) for colour in COLOURS)
        changes = {
            "files": {**found.manifest.files, **sums},
            "detector": contract,
            "classifier": ClassifierContract(
                contract="hyperlpr3", file=CLASSIFIER, classes=classes
            ),
        }
        super().__init__(found.folder, found.manifest.model_copy(update=changes))

    def content(self, name: str) -> bytes:
        """Of the set's folder, or of HyperLPR3's."""
        path = self._files.get(name)
        return path.read_bytes() if path else super().content(name)


def _rapidocr(stages: Stages) -> Read:
    """PP-OCRv4 as its package comes, and the plates of our grammar in what it reads."""
    try:
        module: Any = importlib.import_module("rapidocr_onnxruntime")
    except ImportError as error:
        raise NetworkSetError("rapidocr_onnxruntime is not installed") from error
    ocr = module.RapidOCR(intra_op_num_threads=1, inter_op_num_threads=1)
    stages.watch(ocr, "text_det", "detect")
    stages.watch(ocr, "text_rec", "read")

    def read(pixels: Pixels, crop: bool) -> Sequence[tuple[str, float]]:
        lines = ocr(pixels, use_det=not crop, use_cls=False)[0] or ()
        told = [(line[-2], float(line[-1])) for line in lines]
        return [
            (found.group(), sure)
            for text, sure in told
            for found in _PLATE.finditer(normalise(text))
        ]

    return read
