"""Pictures from files, and the question whether pixels can be read at all."""

from pathlib import Path

import cv2
import numpy as np

from gatekeeper.errors import PictureError
from gatekeeper.model import Pixels

SMALLEST = 8
"""No plate can be told in fewer pixels, either way."""

LARGEST = 32_766
"""OpenCV cannot warp a picture that is wider or higher (SHRT_MAX)."""

MOST_BYTES = 64 << 20
"""No camera sends more for one picture."""


def load(path: Path) -> Pixels:
    """The picture in a file, of any kind OpenCV reads; raises `PictureError` naming the file."""
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for without end
            raise PictureError(f"{path}: is not a file")
        if path.stat().st_size > MOST_BYTES:
            raise PictureError(f"{path}: is larger than a picture can be")
        data = path.read_bytes()
    except OSError as error:
        raise PictureError(f"{path}: cannot be read: {error.strerror}") from error
    if not data:
        raise PictureError(f"{path}: is empty")
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise PictureError(f"{path}: is damaged, or no picture ({error.err})") from error
    if pixels is None:
        raise PictureError(f"{path}: is no picture, or of a kind that is not known here")
    return np.asarray(pixels, np.uint8)


def check(pixels: Pixels) -> None:
    """Raises `PictureError` unless these are `Pixels` a plate could be found in."""
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise PictureError(
            "a picture must have the shape (height, width, 3) and bytes, not"
            f" {pixels.shape} and {pixels.dtype}"
        )
    height, width = pixels.shape[:2]
    if min(height, width) < SMALLEST:
        raise PictureError(f"a picture of {width} x {height} pixels is too small to hold a plate")
    if max(height, width) > LARGEST:
        raise PictureError(f"a picture of {width} x {height} pixels is too large")
