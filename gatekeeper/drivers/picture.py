"""The bytes of a picture in, pixels out; what is no whole picture, or too large a one, is refused
before it is decoded.

OpenCV fills in what a broken-off JPEG lacks, and believes any size a header claims; so the header
is read here first (`header`). It never reads a file and never blocks on anything.
"""

import cv2
import numpy as np

from gatekeeper.drivers.header import SOI, CutOffError, header_of, walk
from gatekeeper.errors import PictureError
from gatekeeper.model import Pixels

MOST_PIXELS = 50_000_000
"""More than any camera over a lane gives (8K has 33 million)."""

MOST_MEMORY = 400_000_000
"""Bytes that reading one picture may take, of the 600 MB that a whole controller has."""


def decode(data: bytes) -> Pixels:
    """The pixels of a JPEG, PNG, WebP or BMP picture of a believable size, turned as its EXIF
    says; raises `PictureError`.
    """
    size = header_of(data)
    if not 0 < size.width * size.height <= MOST_PIXELS:
        raise PictureError(f"its size of {size.width} x {size.height} is not believable")
    if size.memory > MOST_MEMORY:
        raise PictureError(
            f"its {size.width} x {size.height} pixels would take {size.memory // 1_000_000} MB"
        )
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise PictureError(f"it cannot be decoded ({error.err})") from error
    if pixels is None or pixels.ndim != 3:
        raise PictureError("it cannot be decoded")
    return pixels.astype(np.uint8, copy=False)


def decode_jpeg(data: bytes) -> Pixels:
    """The pixels of one whole JPEG of a believable size; raises `PictureError`."""
    if data[:3] != SOI:
        raise PictureError(f"it is no JPEG picture; it begins {data[:12]!r}")
    if walk(data, 0).end is None:
        raise CutOffError(f"it breaks off after {len(data)} bytes")
    return decode(data)


def begins_jpeg(data: bytes | bytearray) -> bool:
    """Whether a JPEG begins somewhere in this."""
    return SOI in data


def jpeg_in(data: bytes | bytearray) -> bytes | None:
    """The whole JPEG that stands in this, without what comes before or after; None if none does."""
    start = data.find(SOI)
    if start < 0:
        return None
    try:
        end = walk(data, start).end
    except PictureError:
        return None
    return None if end is None else bytes(data[start:end])
