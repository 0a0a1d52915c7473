from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gatekeeper.errors import PictureError
from gatekeeper.lpr import Recogniser
from gatekeeper.lpr.detect import Found
from gatekeeper.lpr.engine import Engine, Search
from gatekeeper.lpr.session import Floats
from gatekeeper.lpr.strip import StripReader
from gatekeeper.model import Colour, Pixels
from gatekeeper.networks import find
from simulators.plate import Ground, draw

Street = Callable[[str, Ground], Pixels]

CARS = [
    ("闽C12F57", Ground.BLUE, Colour.BLUE),
    ("闽CD37619", Ground.GREEN, Colour.GREEN),
    ("粤B12345", Ground.YELLOW, Colour.YELLOW),
]


@pytest.mark.parametrize(("text", "ground", "colour"), CARS)
def test_a_plate_on_a_car_is_read(
    recogniser: Recogniser, street: Street, text: str, ground: Ground, colour: Colour
) -> None:
    (read,) = recogniser.read(street(text, ground))

    assert (read.text, read.colour, read.rows) == (text, colour, 1)
    assert len(read.confidences) == len(text)
    assert read.confidence > 0.8
    assert (read.frame, read.at) == (0, 0.0)


def test_corners_are_where_the_plate_is(recogniser: Recogniser, street: Street) -> None:
    pixels = street("闽C12F57", Ground.BLUE)
    blue = cv2.inRange(pixels, np.array([150, 60, 0]), np.array([255, 150, 80]))
    left, top, width, height = cv2.boundingRect(blue)

    (read,) = recogniser.read(pixels)

    right, bottom = left + width, top + height
    around = [[left, top], [right, top], [right, bottom], [left, bottom]]
    assert np.abs(np.array(read.corners) - np.array(around)).max() < 12


def test_an_empty_road_has_no_plates(recogniser: Recogniser, empty_road: Pixels) -> None:
    assert recogniser.read(empty_road) == ()


def test_a_far_plate_is_found_in_the_second_larger_pass(
    recogniser: Recogniser, street: Street
) -> None:
    pixels = np.full((1440, 2560, 3), 100, np.uint8)
    pixels[:360, :640] = cv2.resize(
        street("闽C12F57", Ground.BLUE), (640, 360), interpolation=cv2.INTER_AREA
    )

    assert [read.text for read in recogniser.read(pixels)] == ["闽C12F57"]


def in_two_rows(text: str) -> Pixels:
    """A yellow plate of 440 x 220 mm, two pixels each, with the characters of a one-row plate."""
    flat = draw(text, Ground.YELLOW)
    lefts = [31, 145, *range(303, 303 + 5 * 114, 114)]
    cells = [flat[50:230, left : left + 90] for left in lefts]
    plate = np.full((440, 880, 3), flat[20, 440], np.uint8)
    cv2.rectangle(plate, (9, 9), (870, 430), (20, 20, 20), 3)
    for cell, left in zip(cells[:2], (220, 500), strict=True):
        plate[30:150, left : left + 160] = cv2.resize(cell, (160, 120))
    for cell, left in zip(cells[2:], range(54, 54 + 5 * 160, 160), strict=True):
        plate[180:400, left : left + 130] = cv2.resize(cell, (130, 220))
    return plate


def test_both_rows_of_a_two_row_plate_are_read_as_one_text(
    recogniser: Recogniser, street: Street
) -> None:
    pixels = street("闽C12F57", Ground.BLUE).copy()
    cv2.rectangle(pixels, (540, 480), (760, 620), (90, 90, 92), -1)
    pixels[500:590, 560:740] = cv2.resize(
        in_two_rows("粤B12345"), (180, 90), interpolation=cv2.INTER_AREA
    )

    (read,) = recogniser.read(pixels)

    assert (read.text, read.rows, read.colour) == ("粤B12345", 2, Colour.YELLOW)


@pytest.mark.parametrize("size", [(94, 30), (140, 44), (440, 140)])
def test_a_crop_is_read_as_one_plate(recogniser: Recogniser, size: tuple[int, int]) -> None:
    plate = cv2.resize(draw("浙A8K302", Ground.BLUE), size, interpolation=cv2.INTER_AREA)

    (read,) = recogniser.read(np.asarray(plate, np.uint8), crop=True)

    assert read.text == "浙A8K302"
    width, height = size
    assert read.corners == ((0, 0), (width, 0), (width, height), (0, height))


def test_of_two_cars_both_are_read_the_surer_first(recogniser: Recogniser, street: Street) -> None:
    pair = [street("闽C12F57", Ground.BLUE), street("闽CD37619", Ground.GREEN)]
    reads = recogniser.read(np.concatenate(pair, axis=1))

    assert {read.text for read in reads} == {"闽C12F57", "闽CD37619"}
    assert reads[0].confidence >= reads[1].confidence


def test_the_same_pixels_are_read_the_same_each_time(
    recogniser: Recogniser, street: Street
) -> None:
    pixels = street("闽C12F57", Ground.BLUE)
    before = pixels.copy()

    assert recogniser.read(pixels) == recogniser.read(pixels)
    assert np.array_equal(pixels, before)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((0, 0, 3), np.uint8),
        np.zeros((0, 640, 3), np.uint8),
        np.zeros((480, 640), np.uint8),
        np.zeros((480, 640, 1), np.uint8),
        np.zeros((480, 640, 4), np.uint8),
        np.zeros((1, 480, 640, 3), np.uint8),
        np.zeros((), np.uint8),
        np.zeros((480, 640, 3), np.float32),
        np.zeros((1, 1, 3), np.uint8),
        np.zeros((7, 640, 3), np.uint8),
        np.zeros((8, 40_000, 3), np.uint8),
    ],
)
@pytest.mark.parametrize("crop", [False, True])
def test_what_is_no_picture_is_refused_and_said_to_be(
    recogniser: Recogniser, pixels: Pixels, crop: bool
) -> None:
    with pytest.raises(PictureError, match="a picture"):
        recogniser.read(pixels, crop=crop)


@pytest.mark.parametrize("shape", [(8, 8), (8, 32_766), (32_766, 8), (9, 700), (700, 9), (31, 17)])
@pytest.mark.parametrize("crop", [False, True])
def test_no_shape_of_a_picture_is_too_odd(
    recogniser: Recogniser, shape: tuple[int, int], crop: bool
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)

    assert isinstance(recogniser.read(noise, crop=crop), tuple)


def test_pixels_that_lie_scattered_in_memory_are_read(
    recogniser: Recogniser, street: Street
) -> None:
    pixels = street("闽C12F57", Ground.BLUE)
    scattered = np.asfortranarray(np.repeat(pixels, 2, axis=1))[:, ::2]

    assert [read.text for read in recogniser.read(scattered)] == ["闽C12F57"]


CHARACTERS = arrays.arrays(np.float32, (40, 73), elements=st.floats(0, 1, width=32))
CORNERS = arrays.arrays(np.float32, (4, 2), elements=st.floats(-5000, 5000, width=32))


class _Pretended:
    """Finds what it is told to find."""

    def __init__(self, quads: list[Floats], rows: int | None) -> None:
        self._found = [Found(quad=quad, score=0.9, rows=rows) for quad in quads]

    def find(self, pixels: Pixels, side: int) -> list[Found]:
        return self._found


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(quads=st.lists(CORNERS, max_size=8), shares=CHARACTERS, rows=st.sampled_from([None, 1, 2]))
def test_whatever_the_networks_say_the_answer_is_sound(
    quads: list[Floats], shares: Floats, rows: int | None
) -> None:
    """Corners far outside, crossed or all in one place, and characters of chance."""
    known = find("clp")
    strips = StripReader(lambda _: [shares[None]], known.manifest.recogniser, known.alphabet())
    search = Search(sides=(640, 960), rim=(0.14, -0.02))
    engine = Engine(_Pretended(quads, rows), strips, search)
    pixels = np.random.default_rng(0).integers(0, 256, (90, 160, 3), np.uint8)

    for read in engine.read(pixels):
        assert len(read.text) == len(read.confidences) == len(read.others) >= 5
        assert all(0 <= confidence <= 1 for confidence in read.confidences)
        assert read.rows in (1, 2)
