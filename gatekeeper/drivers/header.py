"""What the header of a picture claims, read before anything is unfolded. Pure.

A picture of a hundred kilobytes may unfold to gigabytes, so it is not asked of the library that
would unfold it.
"""

import re
import struct
from dataclasses import dataclass

from gatekeeper.errors import PictureError

SOI, EOI = b"\xff\xd8\xff", b"\xff\xd9"

_SOS, _END = 0xDA, 0xD9
_ALONE = frozenset((0x01, *range(0xD0, 0xD9)))
"""Markers without a length (ITU-T T.81, table B.1)."""
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""SOF0 to SOF15, less DHT, JPG and DAC."""
_MARKER_IN_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""Within a scan 0xFF is stuffed with 0x00, or restarts it (B.1.1.5, B.2.1)."""

_MOST_MARKERS = 5000
"""20 MB of the longest segments are 300; more would only keep us busy."""

_PIXELS, _TURNED = 3, 6
"""Bytes a pixel: what is kept, and what OpenCV takes on the way (measured)."""
_WEBP = 9
"""The same, with what libwebp takes of a lossless picture."""


class CutOffError(PictureError):
    """A picture begins well, and its end is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A size in pixels, and the bytes that each takes while the picture is read."""

    width: int
    height: int
    each: float = _TURNED

    @property
    def memory(self) -> int:
        """Bytes that reading it takes at most."""
        return int(self.each * self.width * self.height)


def header_of(data: bytes) -> Header:
    """Of a JPEG, PNG, WebP or BMP picture; raises `PictureError` for anything else."""
    try:
        if data[:3] == SOI:
            return walk(data, 0).header
        if data[:16] == b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR":
            width, height = struct.unpack_from(">II", data, 16)
            return Header(width=width, height=height)
        if data[:2] == b"BM":
            return _bmp(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp(data)
    except struct.error as error:
        raise CutOffError(f"it breaks off after {len(data)} bytes, within its headers") from error
    raise PictureError("it cannot be decoded: it is no JPEG, PNG, WebP or BMP picture")


def _bmp(data: bytes) -> Header:
    (size,) = struct.unpack_from("<I", data, 14)
    width, height = struct.unpack_from("<HH" if size == 12 else "<ii", data, 18)
    return Header(width=abs(width), height=abs(height))


def _webp(data: bytes) -> Header:
    """RFC 9649, 2.5 to 2.7; of an animation the canvas."""
    match data[12:16]:
        case b"VP8X":
            low, high, low2, high2 = struct.unpack_from("<HBHB", data, 24)
            return Header(width=low + (high << 16) + 1, height=low2 + (high2 << 16) + 1, each=_WEBP)
        case b"VP8L":
            (bits,) = struct.unpack_from("<I", data, 21)
            width, height = bits & 0x3FFF, bits >> 14 & 0x3FFF
            return Header(width=width + 1, height=height + 1, each=_WEBP)
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", data, 26)
            return Header(width=width & 0x3FFF, height=height & 0x3FFF, each=_WEBP)
    raise PictureError("it cannot be decoded: a WebP of an unknown kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """What a JPEG claims, and where it ends; None if it breaks off."""

    header: Header
    end: int | None


def walk(data: bytes | bytearray, start: int) -> Walked:
    """From marker to marker of a JPEG that begins at `start`; raises `PictureError`.

    Of several frame headers, which no camera sends, the largest counts.
    """
    header = Header(width=0, height=0)
    at, scanned, markers = start + 2, False, 0
    while at + 4 <= len(data) or data[at : at + 2] == EOI:
        markers += 1
        marker = data[at + 1]
        if data[at] != 0xFF or markers > _MOST_MARKERS:
            raise PictureError(f"its headers are damaged at byte {at}")
        if marker == _END:
            return Walked(header=header, end=at + 2)
        if marker == 0xFF or marker in _ALONE:  # fill bytes may stand before a marker
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _FRAME_HEADERS:
            header = max(header, _frame(data, at), key=lambda each: each.memory)
        at += 2 + int(struct.unpack_from(">H", data, at + 2)[0])
        if marker == _SOS:
            scanned = True
            following = _MARKER_IN_SCAN.search(data, at)
            at = len(data) if following is None else following.start()
    if not scanned:
        raise CutOffError(f"it breaks off after {len(data)} bytes, within its headers")
    return Walked(header=header, end=None)


def _frame(data: bytes | bytearray, at: int) -> Header:
    """B.2.2. A progressive picture, or one of several scans, is kept whole as coefficients of two
    bytes each before it becomes pixels; every one is counted as if it were.
    """
    if at + 10 > len(data):
        return Header(width=0, height=0)
    height, width, components = struct.unpack_from(">HHB", data, at + 5)
    samplings = data[at + 11 : at + 10 + 3 * components : 3]
    areas = [(one >> 4) * (one & 0xF) for one in samplings] or [1]
    coefficients = 2 * sum(areas) / max(1, *areas)
    return Header(width=width, height=height, each=max(_TURNED, _PIXELS + coefficients))
