"""Whether a set of networks can read at all: pictures that the project drew, and what stands there.

A set is tried so before it is installed, before it is chosen, and at each start of a controller. It
finds what is broken, exchanged or cut off; how well a set reads stands in its manifest.
"""

from collections.abc import Sequence
from pathlib import Path

from gatekeeper.errors import NetworkSetError
from gatekeeper.lpr.opening import EngineName, recogniser_of
from gatekeeper.lpr.picture import load
from gatekeeper.lpr.ports import Recogniser
from gatekeeper.networks import NetworkSet

FOLDER = Path(__file__).parent / "golden"

EMPTY = ""
"""What stands in a picture without a plate."""

GOLDEN = {"blue.jpg": "闽C12F57", "green.jpg": "闽CD37619", "empty.jpg": EMPTY}
"""Drawn by setup/draw_golden.py: easy ones, which any set for Chinese plates reads."""


def opened(
    found: NetworkSet,
    threads: int = 1,
    engine: EngineName = "own",
    *,
    patterns: Sequence[str] = (),
) -> Recogniser:
    """The recogniser of a set that has read the golden pictures rightly; raises `NetworkSetError`
    naming what is wrong: a shape, or a picture with what was read in it.
    """
    recogniser = recogniser_of(found, threads, engine, patterns=patterns)
    for file, text in GOLDEN.items():
        said = [read.text for read in recogniser.read(load(FOLDER / file))]
        if said != [text] * (text != EMPTY):
            raise NetworkSetError(
                f"{found.folder}: fails its self-test: in {file} it reads"
                f" {', '.join(said) or 'no plate'}, not {text or 'no plate'}"
            )
    return recogniser
