import numpy as np
import pytest

from gatekeeper.lpr.detect import ClpFinder, apart, candidates, fitted, priors
from gatekeeper.lpr.session import Floats
from gatekeeper.networks.manifest import ClpDetector

MEAN = (104.0, 117.0, 123.0)
CONTRACT = ClpDetector(
    contract="clp",
    file="net.onnx",
    mean=MEAN,
    scale=1.0,
    side=64,
    second_side=96,
    steps=(8, 16),
    sizes=((10.0, 20.0), (40.0,)),
    variances=(0.1, 0.2),
    corners=(2, 3, 0, 1),
)


def grey(height: int, width: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.full((height, width, 3), 200, np.uint8)


def test_a_picture_keeps_its_shape_and_is_padded_with_the_mean() -> None:
    batch, ratio = fitted(grey(1000, 1920), 640, 8, MEAN, 1.0)

    assert batch.shape == (1, 3, 336, 640)
    assert ratio == pytest.approx(1 / 3)
    assert batch[0, :, 332, 5] == pytest.approx([200 - mean for mean in MEAN])
    assert not batch[0, :, 333:].any()


@pytest.mark.parametrize("shape", [(8, 32_000), (32_000, 8), (9, 9), (1080, 1920)])
def test_no_shape_of_a_picture_gives_an_empty_or_a_larger_input(shape: tuple[int, int]) -> None:
    batch, _ = fitted(grey(*shape), 640, 8, MEAN, 1.0)

    assert max(batch.shape[2:]) == 640
    assert min(batch.shape[2:]) >= 8


def test_priors_stand_in_the_middle_of_their_cells_row_by_row() -> None:
    places = priors(16, 24, (8, 16), ((10.0, 20.0), (40.0,)))

    assert places.shape == (3 * 2 * 2 + 2 * 1, 3)
    assert places[:3].tolist() == [[4, 4, 10], [4, 4, 20], [12, 4, 10]]
    assert places[-1].tolist() == [24, 8, 40]


def outputs(count: int, sure: dict[int, float]) -> list[Floats]:
    boxes = np.zeros((1, count, 4), np.float32)
    classes = np.zeros((1, count, 2), np.float32)
    points = np.zeros((1, count, 8), np.float32)
    for place, score in sure.items():
        classes[0, place] = 1 - score, score
        points[0, place] = [5, 5, -5, 5, -5, -5, 5, -5]
    return [boxes, classes, points]


def test_a_box_and_its_points_are_told_relative_to_the_prior() -> None:
    places = np.array([[50, 40, 20], [10, 10, 20]], np.float32)
    told = outputs(2, {0: 0.9})
    told[0][0, 0] = [1, -1, np.log(2) / 0.2, 0]

    boxes, points, scores = candidates(told, places, (0.1, 0.2))

    assert boxes.tolist() == [pytest.approx([32, 28, 72, 48])]
    assert points[0].tolist() == [[60, 50], [40, 50], [40, 30], [60, 30]]
    assert scores.tolist() == pytest.approx([0.9])


def test_candidates_come_best_first_and_none_below_the_least_score() -> None:
    places = np.tile(np.array([50, 40, 20], np.float32), (4, 1))

    _, _, scores = candidates(outputs(4, {0: 0.4, 1: 0.2, 3: 0.8}), places, (0.1, 0.2))

    assert scores.tolist() == pytest.approx([0.8, 0.4])


def test_of_boxes_over_each_other_the_best_is_kept() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [30, 0, 40, 10], [0, 9, 10, 19]], np.float32)

    assert apart(boxes) == [0, 2, 3]


def test_nothing_found_is_nothing_kept() -> None:
    assert apart(np.zeros((0, 4), np.float32)) == []


def test_the_detector_names_corners_in_the_order_of_the_picture_and_in_its_pixels() -> None:
    seen: list[tuple[int, ...]] = []

    def network(batch: Floats) -> list[Floats]:
        seen.append(batch.shape)
        return outputs(8 * 4 * 2 + 4 * 2, {0: 0.9})

    (found,) = ClpFinder(network, CONTRACT).find(grey(64, 128), side=64)

    assert seen == [(1, 3, 32, 64)]
    assert found.score == pytest.approx(0.9)
    # the prior is 10 large at (4, 4), the points are half of it away, the picture twice as large
    assert found.quad.tolist() == [[-2, -2], [18, -2], [18, 18], [-2, 18]]
