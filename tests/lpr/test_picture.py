import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from gatekeeper.errors import PictureError
from gatekeeper.lpr.picture import load


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp"])
def test_a_picture_is_loaded_from_a_path_with_any_characters(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"入口 闽C12F57 'ü'{suffix}"
    path.write_bytes(cv2.imencode(suffix, np.zeros((20, 30, 3), np.uint8))[1].tobytes())

    assert load(path).shape == (20, 30, 3)


def test_a_grey_file_is_loaded_with_three_channels(tmp_path: Path) -> None:
    path = tmp_path / "grey.png"
    path.write_bytes(cv2.imencode(".png", np.full((20, 30), 77, np.uint8))[1].tobytes())

    assert load(path).shape == (20, 30, 3)


def test_what_is_no_picture_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("no picture at all")
    (tmp_path / "folder.jpg").mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")
    for name, fault in {
        "empty.jpg": "is empty",
        "text.jpg": "is no picture",
        "folder.jpg": "is not a file",
        "pipe.jpg": "is not a file",
        "absent.jpg": "No such file",
    }.items():
        with pytest.raises(PictureError, match=rf"{name}: .*{fault}"):
            load(tmp_path / name)


def test_a_file_larger_than_any_picture_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    with path.open("wb") as file:
        file.truncate(1 << 40)

    with pytest.raises(PictureError, match="larger than a picture"):
        load(path)
