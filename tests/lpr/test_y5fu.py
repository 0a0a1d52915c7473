"""Detectors of HyperLPR3's contract, without a network."""

import numpy as np
import pytest

from gatekeeper.lpr.session import Floats
from gatekeeper.lpr.y5fu import Y5fuFinder, boxed, told
from gatekeeper.model import Pixels
from gatekeeper.networks.manifest import Hyperlpr3Detector, Thresholds


def coloured(height: int, width: int) -> Pixels:
    return np.full((height, width, 3), (255, 128, 0), np.uint8)


def test_a_picture_lies_in_the_middle_of_black_in_red_green_blue() -> None:
    batch, ratio, (left, top) = boxed(coloured(480, 640), 320, square=True)

    assert batch.shape == (1, 3, 320, 320)
    assert (ratio, left, top) == (0.5, 0, 40)
    assert batch[0, :, 160, 160] == pytest.approx([0, 128 / 255, 1])
    assert not batch[0, :, :40].any()
    assert not batch[0, :, 280:].any()


def test_where_any_size_is_taken_only_a_multiple_of_32_is_filled_up() -> None:
    batch, ratio, (left, top) = boxed(coloured(1080, 1920), 640, square=False)

    assert batch.shape == (1, 3, 384, 640)
    assert ratio == pytest.approx(1 / 3)
    assert (left, top) == (0, 12)


@pytest.mark.parametrize("shape", [(8, 32_000), (32_000, 8), (9, 9), (1080, 1920)])
@pytest.mark.parametrize("square", [False, True])
def test_no_shape_of_a_picture_gives_an_empty_or_a_larger_input(
    shape: tuple[int, int], square: bool
) -> None:
    batch, *_ = boxed(coloured(*shape), 320, square=square)

    assert max(batch.shape[2:]) == 320
    assert min(batch.shape[2:]) >= 32


def rows(*each: tuple[float, float, float, float]) -> Floats:
    """Boxes of 40 x 20 at (x, y), with objectness and the share of one row; the rest is two."""
    output = np.zeros((1, len(each), 15), np.float32)
    for row, (x, y, sure, single) in zip(output[0], each, strict=True):
        row[:5] = x, y, 40, 20, sure
        row[5:13] = x - 20, y - 10, x + 20, y - 10, x + 20, y + 10, x - 20, y + 10
        row[13:] = single, 1 - single
    return output


def test_plates_come_best_first_with_their_rows() -> None:
    found = told(rows((50, 50, 0.6, 1.0), (150, 50, 0.9, 0.1)), Thresholds())

    assert [score for _, score, _ in found] == pytest.approx([0.81, 0.6])
    assert [count for _, _, count in found] == [2, 1]
    assert found[1][0].tolist() == [[30, 40], [70, 40], [70, 60], [30, 60]]


def test_nothing_likely_is_nothing_found() -> None:
    assert told(rows((50, 50, 0.2, 1.0)), Thresholds()) == []
    assert told(np.zeros((1, 0, 15), np.float32), Thresholds()) == []


def test_corners_are_in_pixels_of_the_picture() -> None:
    contract = Hyperlpr3Detector(contract="hyperlpr3", file="det.onnx")
    finder = Y5fuFinder(lambda _: [rows((160, 160, 0.9, 1.0))], contract)

    (found,) = finder.find(coloured(480, 640), 320)

    assert found.quad.tolist() == [[280, 220], [360, 220], [360, 260], [280, 260]]
    assert found.rows == 1


def test_a_picture_is_searched_at_each_side_that_is_named_in_their_order() -> None:
    told = Hyperlpr3Detector(
        contract="hyperlpr3",
        file="a.onnx",
        side=640,
        second_side=320,
        third_side=960,
        square=False,
    )

    assert told.sides == (640, 320, 960)


@pytest.mark.parametrize("more", [{"second_side": 640}, {"third_side": 640}])
def test_a_network_of_one_size_has_one_side(more: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="a square network has one side"):
        Hyperlpr3Detector.model_validate({"contract": "hyperlpr3", "file": "a.onnx", **more})


def test_sides_are_multiples_of_the_networks_step() -> None:
    with pytest.raises(ValueError, match="multiples of 32"):
        Hyperlpr3Detector(contract="hyperlpr3", file="a.onnx", third_side=330, square=False)
