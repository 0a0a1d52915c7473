"""The bytes of a picture in, pixels out; what is no whole picture is refused before it is decoded.

OpenCV fills in what a broken-off JPEG lacks, and believes any size a header claims; so the header
is read here first. It never reads a file and never blocks on anything.
"""

import re
import struct
from dataclasses import dataclass

import cv2
import numpy as np

from gatekeeper.errors import PictureError
from gatekeeper.model import Pixels

MOST_PIXELS = 50_000_000
"""More than any camera over a lane gives (8K has 33 million): decoding takes 3 bytes for each."""

_SOI, _EOI = b"\xff\xd8\xff", b"\xff\xd9"
_SOS, _END = 0xDA, 0xD9
_ALONE = frozenset((0x01, *range(0xD0, 0xD9)))
"""Markers without a length (ITU-T T.81, table B.1)."""
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""SOF0 to SOF15, less DHT, JPG and DAC."""
_MARKER_IN_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""Within a scan 0xFF is stuffed with 0x00, or restarts it (B.1.1.5, B.2.1)."""


class CutOffError(PictureError):
    """A picture begins well, and its end is missing."""


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
    if data[:3] != _SOI:
        raise PictureError(f"it is no JPEG picture; it begins {data[:12]!r}")
    found = _walk(data, 0)
    if not 0 < found.width * found.height <= MOST_PIXELS:
        raise PictureError(f"its size of {found.width} x {found.height} is not believable")
    if found.end is None:
        raise CutOffError(f"it breaks off after {len(data)} bytes")
    return decode(data)


def begins_jpeg(data: bytes | bytearray) -> bool:
    """Whether a JPEG begins somewhere in this."""
    return _SOI in data


def jpeg_in(data: bytes | bytearray) -> bytes | None:
    """The whole JPEG that stands in this, without what comes before or after; None if none does."""
    start = data.find(_SOI)
    if start < 0:
        return None
    try:
        end = _walk(data, start).end
    except PictureError:
        return None
    return None if end is None else bytes(data[start:end])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """The size a JPEG claims, and where it ends; None if it breaks off."""

    width: int
    height: int
    end: int | None


def _walk(data: bytes | bytearray, start: int) -> _Found:
    """From marker to marker of a JPEG that begins at `start`; raises `PictureError`."""
    width = height = 0
    at, scanned = start + 2, False
    while at + 4 <= len(data) or data[at : at + 2] == _EOI:
        marker = data[at + 1]
        if data[at] != 0xFF:
            raise PictureError(f"its headers are damaged at byte {at}")
        if marker == _END:
            return _Found(width=width, height=height, end=at + 2)
        if marker == 0xFF or marker in _ALONE:  # fill bytes may stand before a marker
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _FRAME_HEADERS and at + 9 <= len(data):
            height, width = struct.unpack_from(">HH", data, at + 5)
        at += 2 + int(struct.unpack_from(">H", data, at + 2)[0])
        if marker == _SOS:
            scanned = True
            following = _MARKER_IN_SCAN.search(data, at)
            at = len(data) if following is None else following.start()
    if not scanned:
        raise CutOffError(f"it breaks off after {len(data)} bytes, within its headers")
    return _Found(width=width, height=height, end=None)
