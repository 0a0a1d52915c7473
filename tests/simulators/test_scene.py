from pathlib import Path

import cv2
import numpy as np
import pytest

from simulators import plate, scene
from simulators.plate import Ground


@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("闽C12345", Ground.BLUE),
        ("闽CD12345", Ground.GREEN),
        ("粤B1234学", Ground.YELLOW),
        ("京A1234警", Ground.WHITE),
        ("粤Z1234港", Ground.BLACK),
    ],
)
def test_the_ground_goes_by_the_text(text: str, ground: Ground) -> None:
    assert plate.ground_of(text) is ground


@pytest.mark.parametrize("ground", Ground)
def test_a_plate_has_the_proportions_of_the_standard(ground: Ground) -> None:
    text, width = ("闽CD12345", 480) if ground is Ground.GREEN else ("闽C12345", 440)
    assert plate.draw(text, ground).shape == (140 * plate.PER_MM, width * plate.PER_MM, 3)


@pytest.mark.parametrize("text", ["", "闽C1234", "闽C12345 ", "闽CI2345", "龙C12345", "闽CD12345"])
def test_a_text_that_no_blue_plate_bears_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="no blue plate"):
        plate.draw(text, Ground.BLUE)


def test_no_two_characters_look_the_same() -> None:
    seen = {plate.draw(f"闽C1234{char}", Ground.BLUE).tobytes() for char in plate.LETTERS}
    assert len(seen) == len(plate.LETTERS)
    seen = {plate.draw(f"{char}C12345", Ground.BLUE).tobytes() for char in plate.HAN}
    assert len(seen) == len(plate.HAN)


def test_each_frame_is_another_picture_and_a_seed_makes_them_the_same_again() -> None:
    car = scene.with_car(scene.road(1), "闽C12345", Ground.BLUE)
    one, again = scene.Camera(7), scene.Camera(7)
    frames = [one.frame(car) for _ in range(4)]

    assert len({frame.tobytes() for frame in frames}) == 4
    assert all(np.array_equal(frame, again.frame(car)) for frame in frames)
    assert all(frame.shape == (scene.HEIGHT, scene.WIDTH, 3) for frame in frames)


def test_the_plate_is_where_the_car_is() -> None:
    road = scene.road(1)
    blue = scene.with_car(road, "闽C12345", Ground.BLUE).astype(int)
    assert np.count_nonzero((blue[..., 0] > 180) & (blue[..., 2] < 80)) > 2000


def test_a_photograph_is_scaled_down_to_what_a_camera_gives(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "large.png"), np.zeros((1000, 2400, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "small.png"), np.zeros((100, 130, 3), np.uint8))

    assert scene.photograph(tmp_path / "large.png").shape == (800, 1920, 3)
    assert scene.photograph(tmp_path / "small.png").shape == (100, 130, 3)
    assert scene.Camera(1).frame(np.zeros((800, 1920, 3), np.uint8)).shape == (800, 1920, 3)


def test_what_is_no_photograph_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    with pytest.raises(ValueError, match="is no picture"):
        scene.photograph(tmp_path / "text.jpg")
