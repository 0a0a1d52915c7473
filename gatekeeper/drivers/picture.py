"""The bytes of a picture in, pixels out; what is no whole picture is refused before it is decoded.

OpenCV fills in what a broken-off JPEG lacks, and believes any size a header claims; so the header
is read here first. It never reads a file and never blocks on anything.
"""

import struct

import cv2
import numpy as np

from gatekeeper.errors import PictureError
from gatekeeper.model import Pixels

MOST_PIXELS = 40_000_000
"""More than any camera over a lane gives (8K has 33 million): decoding takes 3 bytes for each."""

_SOS, _EOI = 0xDA, b"\xff\xd9"
_ALONE = frozenset((0x01, *range(0xD0, 0xD9)))
"""Markers without a length (ITU-T T.81, table B.1)."""
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""SOF0 to SOF15, less DHT, JPG and DAC."""


def decode(data: bytes) -> Pixels:
    """The pixels of an encoded picture, of any kind OpenCV reads; raises `PictureError`."""
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    except cv2.error as error:
        raise PictureError(f"it cannot be decoded ({error.err})") from error
    if pixels is None or pixels.ndim != 3:
        raise PictureError("it cannot be decoded")
    return pixels.astype(np.uint8, copy=False)


def decode_jpeg(data: bytes) -> Pixels:
    """The pixels of one whole JPEG of a believable size; raises `PictureError`."""
    if data[:2] != b"\xff\xd8":
        raise PictureError(f"it is no JPEG picture; it begins {data[:12]!r}")
    width, height, scan = _headers(data)
    if not 0 < width * height <= MOST_PIXELS:
        raise PictureError(f"its size of {width} x {height} is not believable")
    if data.find(_EOI, scan) < 0:  # within a scan these two bytes mean nothing else
        raise PictureError(f"it breaks off after {len(data)} bytes")
    return decode(data)


def _headers(data: bytes) -> tuple[int, int, int]:
    """Width, height, and where the first scan begins."""
    width = height = 0
    at = 2
    while at + 4 <= len(data):
        start, marker, length = struct.unpack_from(">BBH", data, at)
        if start != 0xFF:
            raise PictureError(f"its headers are damaged at byte {at}")
        if marker == 0xFF or marker in _ALONE:  # fill bytes may stand before a marker
            at += 1 if marker == 0xFF else 2
            continue
        if marker == _SOS:
            return width, height, at + 2 + length
        if marker in _FRAME_HEADERS and at + 9 <= len(data):
            height, width = struct.unpack_from(">HH", data, at + 5)
        at += 2 + length
    raise PictureError(f"it breaks off after {len(data)} bytes, within its headers")
