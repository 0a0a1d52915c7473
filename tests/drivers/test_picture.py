"""Row 57: pictures that unfold to more than a gate has, and odd ones that are read."""

import base64
import contextlib
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gatekeeper.config import ViewSettings
from gatekeeper.drivers.header import header_of
from gatekeeper.drivers.picture import MOST_MEMORY, MOST_PIXELS, decode, decode_jpeg
from gatekeeper.drivers.view import viewed
from gatekeeper.errors import PictureError

W, H = 64, 36

CMYK = base64.b64decode(
    "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwADAgIDAgIDAwMDBAMDBAUIBQUEBAUKBwcGCAwKDAwLCgsLDQ4SEA0OEQ4LCxAW"
    "EBETFBUVFQwPFxgWFBgSFBUU/8AAFAgAIAAwBEMRAE0RAFkRAEsRAP/EABYAAQEBAAAAAAAAAAAAAAAAAAAICf/EABQQ"
    "AQAAAAAAAAAAAAAAAAAAAAD/2gAOBEMATQBZAEsAAD8AsBCjN9qmAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD/2Q=="
)
"""48 x 32, all of it B G R = 20 40 200, as print shops write it (Adobe's inverted CMYK)."""


def pixels() -> np.ndarray:
    """Red above, blue below, and green at the left."""
    picture = np.zeros((H, W, 3), np.uint8)
    picture[: H // 2, :, 2] = picture[H // 2 :, :, 0] = 200
    picture[:, : W // 4] = (0, 200, 0)
    return picture


def encoded(suffix: str, *options: int, of: np.ndarray | None = None) -> bytes:
    return bytes(cv2.imencode(suffix, pixels() if of is None else of, options)[1])


def exif(orientation: int, jpeg: bytes) -> bytes:
    tag = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    body = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + tag + bytes(4)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


JPEG = encoded(".jpg")


def colours(picture: np.ndarray) -> str:
    """Of three places: at the left, above and below."""
    height, width = picture.shape[:2]
    places = ((0.1, 0.5), (0.6, 0.2), (0.6, 0.8))
    return "".join("bgr"[picture[int(y * height), int(x * width)].argmax()] for x, y in places)


def test_row_57_a_picture_that_its_exif_turns_is_read_upright() -> None:
    turned = cv2.rotate(pixels(), cv2.ROTATE_90_COUNTERCLOCKWISE)
    upright = decode_jpeg(exif(6, encoded(".jpg", of=turned)))
    assert upright.shape == (H, W, 3)
    assert colours(upright) == "grb"


@pytest.mark.parametrize(
    "data",
    [
        encoded(".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        encoded(".jpg", cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
        encoded(".jpg", cv2.IMWRITE_JPEG_RST_INTERVAL, 1),
        encoded(".png"),
        encoded(".png", of=pixels().astype(np.uint16) * 257),
        encoded(".bmp"),
        encoded(".webp"),
        encoded(".webp", cv2.IMWRITE_WEBP_QUALITY, 101),
    ],
    ids=["progressive", "444", "restarts", "png", "16 bit", "bmp", "webp", "lossless webp"],
)
def test_row_57_odd_pictures_are_read(data: bytes) -> None:
    read = decode_jpeg(data) if data[:2] == b"\xff\xd8" else decode(data)
    assert read.dtype == np.uint8
    assert read.shape == (H, W, 3)
    assert colours(read) == "grb"
    header = header_of(data)
    assert (header.width, header.height) == (W, H)


def test_row_57_a_grey_picture_and_one_with_transparency_are_read_in_colour() -> None:
    assert decode_jpeg(encoded(".jpg", of=pixels()[:, :, 0])).shape == (H, W, 3)
    clear = np.dstack((pixels(), np.full((H, W), 90, np.uint8)))
    for suffix in (".png", ".webp"):
        assert decode(encoded(suffix, of=clear)).shape == (H, W, 3)


def test_row_57_four_inks_become_three_colours() -> None:
    read = decode_jpeg(CMYK)
    assert read.shape == (32, 48, 3)
    assert np.abs(read.astype(int) - (20, 40, 200)).max() < 5


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def jpeg(width: int, height: int, of: bytes = JPEG) -> bytes:
    at = min(n for n in (of.find(b"\xff\xc0"), of.find(b"\xff\xc2")) if n > 0) + 5
    return of[:at] + struct.pack(">HH", height, width) + of[at + 4 :]


def bmp(width: int, height: int) -> bytes:
    whole = encoded(".bmp")
    return whole[:18] + struct.pack("<ii", width, height) + whole[26:]


def webp(width: int, height: int) -> bytes:
    sizes = b"".join(struct.pack("<I", side - 1)[:3] for side in (width, height))
    body = b"WEBPVP8X" + struct.pack("<II", 10, 0) + sizes
    return b"RIFF" + struct.pack("<I", len(body)) + body


KINDS: dict[str, Callable[[int, int], bytes]] = {
    "png": png,
    "jpeg": jpeg,
    "bmp": bmp,
    "webp": webp,
}


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        *((kind, size) for kind in KINDS for size in ((10_000, 5_001), (65_000, 65_000))),
        *((kind, (0, 90)) for kind in KINDS if kind != "webp"),  # which cannot claim that
    ],
)
def test_row_57_a_bomb_is_refused_by_its_header(
    kind: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cv2, "imdecode", unfolded)
    with pytest.raises(PictureError, match="not believable"):
        decode(KINDS[kind](*size))


def unfolded(*_: object) -> None:
    raise AssertionError("it was unfolded")


def test_row_57_the_largest_of_several_frame_headers_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cv2, "imdecode", unfolded)
    at = JPEG.find(b"\xff\xc0")
    frame = JPEG[at : at + 2 + struct.unpack(">H", JPEG[at + 2 : at + 4])[0]]
    huge = frame[:5] + b"\xff\xff\xff\xff" + frame[9:]
    for frames in (huge + frame, frame + huge):
        with pytest.raises(PictureError, match="65535 x 65535"):
            decode(JPEG[:at] + frames + JPEG[at + len(frame) :])


def test_row_57_other_kinds_are_not_unfolded_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    tiff = encoded(".tiff")
    monkeypatch.setattr(cv2, "imdecode", unfolded)
    with pytest.raises(PictureError, match="no JPEG, PNG, WebP or BMP picture"):
        decode(tiff)


def test_row_57_four_inks_unfold_to_more_than_three_colours() -> None:
    full = encoded(".jpg", cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)
    usual = encoded(".jpg", cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420)
    taken = [header_of(jpeg(8_000, 6_000, of)).memory for of in (usual, full, CMYK)]
    assert taken == [6 * 48_000_000, 9 * 48_000_000, 11 * 48_000_000]
    assert taken[0] < MOST_MEMORY < taken[1]
    with pytest.raises(PictureError, match="its 8000 x 6000 pixels would take 432 MB"):
        decode(jpeg(8_000, 6_000, full))


_PEAK = """
import resource, sys
import cv2, numpy as np
from gatekeeper.drivers.picture import decode
from gatekeeper.errors import PictureError
data = sys.stdin.buffer.read()
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
before = peak()
try:
    shape = decode(data).shape
except PictureError as error:
    shape = str(error)
print(peak() - before, shape)
"""


@pytest.mark.parametrize(
    ("size", "options"),
    [
        ((8_165, 6_123), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)),
        (
            (7_400, 6_000),
            (
                cv2.IMWRITE_JPEG_PROGRESSIVE,
                1,
                cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
                cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
            ),
        ),
    ],
    ids=["420", "444"],
)
def test_row_57_the_largest_pictures_take_no_more_memory_than_allowed(
    size: tuple[int, int], options: tuple[int, ...]
) -> None:
    width, height = size
    assert 0.88 * MOST_PIXELS < width * height <= MOST_PIXELS
    data = encoded(".jpg", *options, of=np.full((height, width, 3), 90, np.uint8))
    told = subprocess.run(
        [sys.executable, "-c", _PEAK], input=data, capture_output=True, check=True
    ).stdout.decode()
    taken, _, shape = told.strip().partition(" ")
    assert shape == f"({height}, {width}, 3)"
    assert int(taken) < MOST_MEMORY


@given(data=st.binary(max_size=80), at=st.integers(0, 400), more=st.binary(max_size=8))
@example(data=b"\xff" * 80, at=2, more=b"")
def test_no_header_raises_anything_but_picture_error(data: bytes, at: int, more: bytes) -> None:
    whole = [encoded(".jpg"), png(64, 36), encoded(".bmp"), encoded(".webp"), webp(9, 9), CMYK]
    for picture in (data, *(each[:at] + more + each[at + len(more) :] for each in whole)):
        with contextlib.suppress(PictureError):
            header_of(picture)


def test_markers_without_end_are_not_followed() -> None:
    for marker in (b"\xff", b"\xff\xd0", b"\xff\xe0\x00\x02"):
        with pytest.raises(PictureError, match="damaged"):
            decode_jpeg(b"\xff\xd8\xff" + marker * 100_000)


def test_turning_and_masking_leave_the_picture_as_it_was_sent_as_it_is() -> None:
    sent = pixels()
    for rotation in (0, 90, 180):
        view = ViewSettings(rotation=rotation, masks=((0.0, 0.0, 0.5, 0.5),))
        assert (viewed(sent, view) == 0).all(axis=2).any()
        assert (sent == pixels()).all()
