import json
from collections.abc import Sequence
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest

from gatekeeper.lpr.detect import Found
from gatekeeper.model import Pixels
from training import detector
from training.config import DetectorConfig, load_detector
from training.detector import scenes
from training.detector.compose import SIDE, Composer
from training.detector.decoys import any_decoy
from training.detector.evaluate import measured
from training.detector.scenes import Place, Scene, overlap
from training.detector.targets import targets
from training.render.flat import Points, flat
from training.render.glyphs import Glyphs
from training.render.texts import Kind
from training.split import Part, part_of

STEPS = (8, 16, 32)
CONFIG = Path(detector.__file__).parent / "detector.toml"
GLYPHS = Glyphs(None, None, lambda _name: True)
FLATS = [flat(kind, GLYPHS, Random(1)) for kind in Kind]


def box(left: float, top: float, wide: float, tall: float) -> Points:
    right, bottom = left + wide, top + tall
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def place(corners: Points, *, rows: int = 1, sure: bool = True) -> Place:
    return Place(corners=corners, rows=rows, sure=sure)


def scene(*places: Place, part: Part = Part.TRAIN) -> Scene:
    picture = np.full((480, 640, 3), 90, np.uint8)
    return Scene(path="scenes/a", part=part, texts=(), picture=picture, places=places)


@pytest.fixture
def config() -> DetectorConfig:
    return load_detector(CONFIG)


def text_on(side: Part, salt: str) -> str:
    texts = (f"京A{number:05}" for number in range(99999))
    return next(text for text in texts if part_of(text, salt) is side)


def loaded(
    config: DetectorConfig, folder: Path, texts: Sequence[str], read: Sequence[str], plates: int
) -> Scene:
    """A scene with these labels, in which the teachers saw so many plates and read these texts."""
    (folder / "scenes_unlabelled").mkdir()
    cv2.imwrite(str(folder / "scenes_unlabelled" / "a.png"), np.zeros((90, 160, 3), np.uint8))
    path = "scenes_unlabelled/a.png"
    row = {"path": path, "kind": "scene", "texts": texts, "corners": None}
    (folder / "manifest.jsonl").write_text(json.dumps(row) if texts else "", encoding="utf-8")
    places = [[box(20 * at, 30, 15, 5).tolist(), 1, True] for at in range(plates)]
    seen = {path: {"places": places, "texts": read}}
    (folder / scenes.NAME).write_text(json.dumps(seen), encoding="utf-8")
    return scenes.load(config, folder, folder)[0]


def test_the_config_that_is_kept_is_sound_and_names_every_licence(config: DetectorConfig) -> None:
    assert all(one.licence for one in config.sets)
    assert config.set_of("scenes_road/a.jpg") is not None
    assert config.set_of("scenes_rare/a.jpg") is None


def test_one_plate_that_measures_keeps_the_whole_scene_from_training(
    config: DetectorConfig, tmp_path: Path
) -> None:
    trains, measures = (text_on(part, config.salt) for part in (Part.TRAIN, Part.TEST))

    found = loaded(config, tmp_path, [], [trains, measures], plates=2)

    assert found.part is Part.TEST
    assert scenes.trained_on(config, [found]) == []


def test_a_scene_with_a_plate_that_was_not_read_is_not_used(
    config: DetectorConfig, tmp_path: Path
) -> None:
    found = loaded(config, tmp_path, [], [text_on(Part.TRAIN, config.salt)], plates=2)

    assert found.part is None


def test_a_scene_whose_plates_all_train_is_trained_on(
    config: DetectorConfig, tmp_path: Path
) -> None:
    found = loaded(config, tmp_path, [], [text_on(Part.TRAIN, config.salt)], plates=1)

    assert scenes.trained_on(config, [found]) == [found]


def test_overlap_is_what_two_boxes_share_by_their_union() -> None:
    assert overlap(box(0, 0, 30, 10), box(0, 0, 30, 10)) == 1
    assert overlap(box(0, 0, 30, 10), box(15, 0, 30, 10)) == pytest.approx(1 / 3)
    assert overlap(box(0, 0, 30, 10), box(30, 0, 30, 10)) == 0


def test_the_same_seed_composes_the_same_samples() -> None:
    given = scene(place(box(200, 200, 90, 30)))
    one, other = (Composer(list(FLATS), 3).sample(given) for _ in range(2))

    assert (one.picture == other.picture).all()
    assert len(one.places) == len(other.places)


def test_corners_stay_in_order_and_plates_apart_however_a_scene_is_shown() -> None:
    composer = Composer(list(FLATS), 5)
    for _ in range(60):
        told = composer.sample(scene(place(box(200, 200, 90, 30)), place(box(400, 90, 80, 28))))

        assert told.picture.shape == (SIDE, SIDE, 3)
        for one in told.places:
            first, second, third, fourth = one.corners
            assert first[0] < second[0]
            assert fourth[0] < third[0]
            assert first[1] < fourth[1]
            assert second[1] < third[1]
        sure = [one.corners for one in told.places if one.sure]
        assert all(overlap(a, b) < 0.05 for at, a in enumerate(sure) for b in sure[:at])


def test_a_plate_is_where_its_sample_says() -> None:
    """A bright plate on a dark street, which the composer shows but does not cover."""
    given = scene(place(box(200, 200, 120, 40), sure=False))
    given.picture[:] = 10
    given.picture[200:240, 200:320] = 250
    composer = Composer(list(FLATS), 11)
    seen = 0
    for _ in range(80):
        told = composer.sample(given)
        shown = [one.corners for one in told.places if not one.sure]
        if len(shown) != 1 or shown[0].min() < 2 or shown[0].max() > SIDE - 2:
            continue
        grey = told.picture.mean(axis=2)
        bright = np.argwhere(grey > (grey.min() + grey.max()) / 2)[:, ::-1].mean(axis=0)
        far = np.abs(bright - shown[0].mean(axis=0)).max()
        seen += bool(far < 2 + 0.06 * np.ptp(shown[0][:, 0]))

    assert seen >= 5


def test_a_plate_that_the_edge_cuts_off_is_not_judged() -> None:
    composer = Composer(list(FLATS), 7)
    cut = [
        one
        for _ in range(80)
        for one in composer.sample(scene(place(box(200, 200, 90, 30)))).places
        if one.corners[:, 0].min() < -0.2 * np.ptp(one.corners[:, 0])
    ]

    assert cut
    assert not any(one.sure for one in cut)


def test_decoys_are_of_many_kinds_and_drawn_by_the_seed() -> None:
    one, other = (
        [any_decoy(chance).picture.shape for _ in range(40)] for chance in (Random(4), Random(4))
    )

    assert one == other
    assert len(set(one)) > 10


def test_the_place_next_to_a_plates_middle_says_that_it_is_one() -> None:
    corners = box(80, 96, 60, 20)

    told = targets((place(corners, rows=2),), SIDE, STEPS)

    at = int(told.score[: (SIDE // 8) ** 2].argmax())
    x, y = (at % (SIDE // 8) + 0.5) * 8, (at // (SIDE // 8) + 0.5) * 8
    assert told.score[at] == 1
    assert abs(x - 110) <= 4
    assert abs(y - 106) <= 4
    assert told.corners[at] == pytest.approx(corners.reshape(8))
    assert told.size[at] == 60
    assert told.two[at] == 1
    assert told.judged.all()


@pytest.mark.parametrize(("wide", "levels"), [(20, [0]), (60, [0, 1]), (150, [1, 2]), (250, [2])])
def test_a_plate_is_found_on_the_levels_of_its_width(wide: float, levels: list[int]) -> None:
    told = targets((place(box(20, 150, wide, wide / 3)),), SIDE, STEPS)

    ends = np.cumsum([(SIDE // step) ** 2 for step in STEPS])[:-1]
    assert [at for at, level in enumerate(np.split(told.score, ends)) if level.any()] == levels


def test_around_a_place_that_one_teacher_alone_sees_nothing_is_judged() -> None:
    told = targets((place(box(80, 80, 80, 32), sure=False),), SIDE, STEPS)

    assert not told.score.any()
    finest = told.judged[: (SIDE // 8) ** 2].reshape(SIDE // 8, SIDE // 8)
    assert not finest[10:14, 10:20].any()
    assert finest[:8].all()


class Seen:
    """A detector that sees the same in every picture."""

    def __init__(self, *quads: Points, rows: int = 1) -> None:
        self._found = [Found(quad=quad, score=0.9, rows=rows) for quad in quads]

    def find(self, pixels: Pixels, side: int) -> list[Found]:
        return self._found


def test_a_detector_is_measured_by_what_it_finds_misses_and_makes_up() -> None:
    held = [scene(place(box(100, 100, 100, 30)), place(box(300, 300, 100, 30)))]

    told = measured(held, Seen(box(102, 100, 100, 30), box(500, 50, 90, 30), rows=2), 640)

    assert told.plates == 2
    assert len(told.missed) == 1
    assert told.off == pytest.approx([0.02])
    assert len(told.rows_wrong) == 1
    assert len(told.none) == 1


def test_what_one_teacher_alone_sees_counts_neither_as_found_nor_as_made_up() -> None:
    told = measured(
        [scene(place(box(100, 100, 100, 30), sure=False))], Seen(box(100, 100, 100, 30)), 640
    )

    assert (told.plates, told.missed, told.none) == (0, [], [])
