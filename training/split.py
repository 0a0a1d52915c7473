"""Which pictures train, which calibrate and which measure: decided by the plate's text alone.

Several pictures of one plate always fall on the same side, and a new picture of a known plate
falls where the plate already is.
"""

import hashlib
from enum import StrEnum

TEST_SHARE, CALIBRATION_SHARE = 0.50, 0.08
"""Of all texts; the rest trains."""


class Part(StrEnum):
    """What a picture may be used for."""

    TRAIN = "train"
    CALIBRATION = "calibration"
    TEST = "test"


def part_of(text: str, salt: str) -> Part:
    """The part of all pictures of this plate; O and I in a serial count as 0 and 1."""
    plain = text[:2] + text[2:].replace("O", "0").replace("I", "1")
    digest = hashlib.sha256(f"{salt}/{plain}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    if place < TEST_SHARE:
        return Part.TEST
    return Part.CALIBRATION if place < TEST_SHARE + CALIBRATION_SHARE else Part.TRAIN
