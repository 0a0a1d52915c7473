import cv2
import numpy as np
import pytest

from gatekeeper.lpr import rectify
from gatekeeper.model import Pixels

HALVES = np.zeros((40, 120, 3), np.uint8)
HALVES[:20] = 60
HALVES[20:] = 200


def turned(picture: Pixels, quad: list[list[int]]) -> Pixels:
    """The picture, painted into a larger one between these corners."""
    height, width = picture.shape[:2]
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    turn = cv2.getPerspectiveTransform(flat, np.array(quad, np.float32))
    return np.asarray(cv2.warpPerspective(picture, turn, (400, 300)), np.uint8)


def test_a_plate_seen_aslant_comes_out_upright() -> None:
    corners = [[50, 80], [300, 40], [310, 130], [60, 170]]
    scene = turned(HALVES, corners)

    row = rectify.row(scene, np.array(corners, np.float32), rectify.grown(0, 0), 32, 320)

    assert row[4:12, 4:-4].mean() == pytest.approx(60, abs=2)
    assert row[20:28, 4:-4].mean() == pytest.approx(200, abs=2)


def test_a_row_is_as_wide_as_it_is_in_the_picture_and_never_wider_than_the_network() -> None:
    quad = np.array([[0, 0], [120, 0], [120, 40], [0, 40]], np.float32)
    plain = rectify.grown(0, 0)

    assert rectify.row(HALVES, quad, plain, 32, 320).shape == (32, 96, 3)
    assert rectify.row(HALVES, quad, plain, 32, 64).shape == (32, 64, 3)
    assert rectify.row(HALVES, quad, plain, 32, 320, least_shape=5).shape == (32, 160, 3)


def test_a_rim_shows_what_is_beyond_the_corners() -> None:
    scene = np.full((100, 300, 3), 255, np.uint8)
    scene[30:70, 90:210] = 0
    quad = np.array([[90, 30], [210, 30], [210, 70], [90, 70]], np.float32)

    plain = rectify.row(scene, quad, rectify.grown(0, 0), 32, 320)
    wide = rectify.row(scene, quad, rectify.grown(0.2, 0), 32, 320)

    assert plain[16, 1:-1].max() == 0
    assert wide.shape[1] == round(32 * 3 * 1.2)
    assert wide[16, 3].min() > 200


def test_beyond_the_edge_of_the_picture_its_edge_goes_on() -> None:
    quad = np.array([[-60, -20], [180, -20], [180, 60], [-60, 60]], np.float32)

    row = rectify.row(HALVES, quad, rectify.grown(0, 0), 32, 320)

    assert set(np.unique(row[:8])) == {60}


def test_the_upper_row_of_two_comes_left_of_the_lower_one() -> None:
    quad = np.array([[0, 0], [120, 0], [120, 40], [0, 40]], np.float32)

    joined = rectify.rows_joined(HALVES, quad, 32)

    seam = round(32 * rectify.UPPER_SHAPE)
    assert joined.shape == (32, seam + round(32 * rectify.LOWER_SHAPE), 3)
    assert joined[:, : seam - 1].mean() == pytest.approx(60, abs=1)
    assert joined[16:, seam + 1 :].mean() == pytest.approx(200, abs=1)


@pytest.mark.parametrize(
    "corners",
    [
        [[5, 5], [5, 5], [5, 5], [5, 5]],
        [[0, 0], [100, 0], [100, 1], [0, 1]],
        [[0, 0], [100, 0], [100, np.nan], [0, 30]],
    ],
)
def test_a_speck_or_a_line_is_not_legible(corners: list[list[float]]) -> None:
    assert not rectify.legible(np.array(corners, np.float32))


def test_corners_that_cross_over_are_cut_out_all_the_same() -> None:
    bow = np.array([[0, 0], [100, 40], [100, 0], [0, 40]], np.float32)

    assert rectify.row(HALVES, bow, rectify.ROW, 32, 320).shape[0] == 32
