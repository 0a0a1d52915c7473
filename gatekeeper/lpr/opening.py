"""A set of networks in, a recogniser out: each part is opened as its own contract says, and refused
where its shapes are foreign.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeAlias

import cv2

from gatekeeper import networks
from gatekeeper.lpr.classify import Classifier
from gatekeeper.lpr.decode import Decode, decoded
from gatekeeper.lpr.detect import ClpFinder
from gatekeeper.lpr.engine import Engine, Search
from gatekeeper.lpr.grammatical import grammatical
from gatekeeper.lpr.ports import Recogniser
from gatekeeper.lpr.session import Network, open_network
from gatekeeper.lpr.strip import StripReader
from gatekeeper.lpr.y5fu import Y5fuFinder
from gatekeeper.networks import NetworkSet
from gatekeeper.networks.manifest import ClpDetector

EngineName: TypeAlias = Literal["own", "hyperlpr3"]


def open_recogniser(
    name: str, threads: int, *folders: Path, patterns: Sequence[str] = ()
) -> Recogniser:
    """Our own engine with the set called `name`, of those that come with the program unless folders
    are named; raises `NetworkSetError`. `threads` is how many cores one reading may occupy.
    """
    return recogniser_of(networks.find(name, *folders), threads, patterns=patterns)


def recogniser_of(
    found: NetworkSet,
    threads: int,
    engine: EngineName = "own",
    *,
    patterns: Sequence[str] = (),
) -> Recogniser:
    """An engine with this set; takes a tenth of a second, and raises `NetworkSetError` where a
    network is none, or has other shapes than its contract. `patterns` are what plates look like:
    without them a set that decodes with the grammar is read without.
    """
    wants_grammar = found.manifest.recogniser.decoder == "grammar"
    decode = grammatical(patterns) if wants_grammar and patterns else decoded
    cv2.setNumThreads(threads)  # OpenCV's own pool would take every core for a resize
    if engine == "hyperlpr3":
        from gatekeeper.lpr.hyperlpr import open_hyperlpr

        return open_hyperlpr(found, threads, decode)
    told = found.manifest
    finder, strips = finder_of(found, threads), _strips(found, threads, decode)
    return Engine(
        finder,
        strips,
        Search(sides=told.detector.sides, rim=told.detector.rim),
        classifier=_classifier(found, threads),
        thresholds=told.thresholds,
    )


def finder_of(found: NetworkSet, threads: int) -> ClpFinder | Y5fuFinder:
    """The detector of a set; raises `NetworkSetError`."""
    told = found.manifest
    network = _network(found, told.detector.file, threads)
    finder: ClpFinder | Y5fuFinder
    if isinstance(told.detector, ClpDetector):
        finder = ClpFinder(network, told.detector, told.thresholds)
    else:
        finder = Y5fuFinder(network, told.detector, told.thresholds)
    finder.check()
    return finder


def _strips(found: NetworkSet, threads: int, decode: Decode) -> StripReader:
    told = found.manifest
    network = _network(found, told.recogniser.file, threads)
    strips = StripReader(network, told.recogniser, found.alphabet(), told.calibration, decode)
    strips.check()
    return strips


def _classifier(found: NetworkSet, threads: int) -> Classifier | None:
    told = found.manifest.classifier
    if told is None:
        return None
    classifier = Classifier(_network(found, told.file, threads), told)
    classifier.check()
    return classifier


def _network(found: NetworkSet, file: str, threads: int) -> Network:
    return open_network(found.content(file), str(found.folder / file), threads)
