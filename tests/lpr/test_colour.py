import cv2
import numpy as np
import pytest

from gatekeeper.lpr.colour import ground
from gatekeeper.model import Colour, Pixels
from simulators.plate import Ground, draw


def small(text: str, colour: Ground) -> Pixels:
    plate = cv2.resize(draw(text, colour), (110, 34), interpolation=cv2.INTER_AREA)
    return np.asarray(plate, np.uint8)


PLATES = [
    (small("闽C12F57", Ground.BLUE), Colour.BLUE),
    (small("粤B12345", Ground.YELLOW), Colour.YELLOW),
    (small("沪AD12345", Ground.GREEN), Colour.GREEN),
    (small("京A1234警", Ground.WHITE), Colour.WHITE),
    (small("粤Z1234港", Ground.BLACK), Colour.BLACK),
]


@pytest.mark.parametrize(("plate", "colour"), PLATES)
def test_the_ground_of_each_kind_of_plate_is_told(plate: Pixels, colour: Colour) -> None:
    assert ground(plate) is colour


@pytest.mark.parametrize(("plate", "colour"), PLATES)
def test_dusk_does_not_change_the_ground(plate: Pixels, colour: Colour) -> None:
    assert ground(np.asarray(plate * 0.35, np.uint8)) is colour


@pytest.mark.parametrize("light", [(0.75, 0.9, 1.0), (0.8, 1.0, 0.9)])
def test_a_blue_plate_is_blue_in_yellow_and_in_green_light(light: tuple[float, ...]) -> None:
    plate = small("闽C12F57", Ground.BLUE) * np.array(light)

    assert ground(np.asarray(plate, np.uint8)) is Colour.BLUE


def test_yellow_before_green_is_the_large_new_energy_plate() -> None:
    plate = draw("沪AD12345", Ground.GREEN)
    ground_before = plate[:, : plate.shape[1] // 4]
    ground_before[ground_before[:, :, 1] > 150] = (30, 180, 240)

    assert ground(np.ascontiguousarray(plate[::8, ::8])) is Colour.YELLOW_GREEN


@pytest.mark.parametrize("shape", [(8, 8, 3), (32, 100, 3), (1, 1, 3), (2, 300, 3)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_where_there_is_nothing_there_is_no_colour(shape: tuple[int, ...], level: int) -> None:
    assert ground(np.full(shape, level, np.uint8)) is Colour.UNKNOWN
