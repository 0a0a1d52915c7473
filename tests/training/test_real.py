import json
from pathlib import Path
from random import Random
from typing import Any

import cv2
import numpy as np
import pytest

from training import config as configs
from training import real, samples
from training.alphabet import encoded
from training.config import Config
from training.render.flat import flat
from training.render.glyphs import Glyphs
from training.render.texts import Kind
from training.split import Part, part_of

CONFIG = Path(real.__file__).parent / "recogniser.toml"
GLYPHS = Glyphs(None, None, lambda _name: True)


@pytest.fixture
def config() -> Config:
    return configs.load(CONFIG)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder of forty drawn crops, two pictures of each plate, and one scene."""
    rows: list[dict[str, Any]] = []
    (tmp_path / "crops").mkdir()
    (tmp_path / "scenes_ccpd").mkdir()
    chance = Random(1)
    for number in range(20):
        plate = flat(Kind.BLUE, GLYPHS, chance)
        for shot in "ab":
            path = f"crops/{number}{shot}.png"
            cv2.imwrite(str(tmp_path / path), plate.picture)
            rows.append({"path": path, "kind": "crop", "texts": [plate.text], "corners": None})
    for row in rows[::5]:
        row["doubtful"] = True
    plate = flat(Kind.BLUE, GLYPHS, chance)
    scene = np.zeros((600, 800, 3), np.uint8)
    scene[100 : 100 + plate.picture.shape[0], 200 : 200 + plate.picture.shape[1]] = plate.picture
    cv2.imwrite(str(tmp_path / "scenes_ccpd/one.png"), scene)
    corners = (plate.corners + np.array([200, 100])).tolist()
    rows.append(
        {
            "path": "scenes_ccpd/one.png",
            "kind": "scene",
            "texts": [plate.text],
            "corners": corners,
        }
    )
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (tmp_path / "manifest.jsonl").write_text(lines, encoding="utf-8")
    (tmp_path / "corners.json").write_text("{}", encoding="utf-8")
    return tmp_path


def test_all_pictures_of_a_plate_are_on_one_side(config: Config, data: Path) -> None:
    sides: dict[str, set[Part]] = {}
    for plate in real.load(config, data, data):
        sides.setdefault(plate.text, set()).add(plate.part)

    assert len(sides) == 21
    assert all(len(parts) == 1 for parts in sides.values())
    assert set.union(*sides.values()) >= {Part.TRAIN, Part.TEST}


def test_nothing_is_learnt_from_a_plate_that_measures(config: Config, data: Path) -> None:
    used = real.trained_on(config, real.load(config, data, data))

    assert used
    assert all(part_of(plate.text, config.salt) is Part.TRAIN for plate in used)
    assert not any(plate.doubtful for plate in used)


def test_a_machines_label_never_lets_a_plate_in_that_measures(config: Config, data: Path) -> None:
    texts = [f"京A{number:05}" for number in range(60)]
    corners = [[10, 10], [90, 10], [90, 40], [10, 40]]
    rows = [["scenes_ccpd/one.png", text, 1, corners] for text in texts]
    (data / "agreed.json").write_text(json.dumps(rows), encoding="utf-8")

    agreed = [plate for plate in real.load(config, data, data) if plate.text in texts]

    assert 10 < len(agreed) < 50
    assert all(part_of(plate.text, config.salt) is Part.TRAIN for plate in agreed)


def test_a_set_that_is_switched_off_teaches_nothing(config: Config, data: Path) -> None:
    off = tuple(one.model_copy(update={"use": one.prefix != "crops/"}) for one in config.sets)
    fewer = config.model_copy(update={"sets": off})

    used = real.trained_on(fewer, real.load(fewer, data, data))

    assert not any(plate.path.startswith("crops/") for plate in used)


def test_the_stream_shows_real_plates_of_the_training_part_alone(
    config: Config, data: Path
) -> None:
    plates = real.load(config, data, data)
    held = {encoded(plate.text) for plate in plates if plate.part is not Part.TRAIN}
    stream = samples.stream(config, GLYPHS, real.trained_on(config, plates), seed=3)

    shown = [next(stream).classes for _ in range(300)]

    assert not held & set(shown)
    assert {encoded(plate.text) for plate in real.trained_on(config, plates)} & set(shown)


def test_the_same_seed_gives_the_same_samples(config: Config) -> None:
    one, other = (samples.stream(config, GLYPHS, [], seed=9) for _ in range(2))

    for _ in range(20):
        first, second = next(one), next(other)
        assert first.classes == second.classes
        assert (first.picture == second.picture).all()
        assert (first.instants == second.instants).all()


def test_a_texture_is_used_only_if_the_plate_it_was_cut_from_trains(
    config: Config, tmp_path: Path
) -> None:
    texts = [f"粤A{number:05}" for number in range(40)]
    (tmp_path / "characters" / "8").mkdir(parents=True)
    for text in texts:
        name = tmp_path / "characters" / "8" / f"2_6_{text}.jpg"
        cv2.imencode(".jpg", np.zeros((32, 16), np.uint8))[1].tofile(name)
    told = config.rendering.model_copy(update={"glyphs": "", "textures": "characters"})

    glyphs = samples.glyphs_of(config.model_copy(update={"rendering": told}), tmp_path)

    kept = {path.stem.rpartition("_")[2] for path in glyphs.textures("8")}
    assert kept == {text for text in texts if part_of(text, config.salt) is Part.TRAIN}


def test_a_plate_cut_from_its_scene_keeps_its_corners(config: Config, data: Path) -> None:
    (plate,) = (one for one in real.load(config, data, data) if one.corners is not None)

    assert plate.corners is not None
    low, high = plate.corners.min(axis=0), plate.corners.max(axis=0)
    inner = plate.picture[int(low[1]) : int(high[1]), int(low[0]) : int(high[0])]
    blue, _green, red = inner.reshape(-1, 3).mean(axis=0)
    assert blue > red + 40
    assert (low > 0).all()
    assert (high < plate.picture.shape[1::-1]).all()


def test_provinces_that_are_seldom_seen_are_shown_more_often(config: Config, data: Path) -> None:
    plates = real.load(config, data, data)
    weights = dict(zip((plate.text[0] for plate in plates), real.weights(plates), strict=True))
    counts = {one: sum(plate.text[0] == one for plate in plates) for one in weights}

    assert weights[min(counts, key=lambda one: counts[one])] >= min(weights.values())
    assert len(set(weights.values())) > 1
