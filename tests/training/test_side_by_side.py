"""What `benchmarks.recognition` counts."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.contenders import Said, Stages
from benchmarks.recognition import Outcome, Shown, figures, kind_of, pictures
from training import config as configs
from training import real
from training.split import Part, part_of

SALT = configs.load(Path(real.__file__).parent / "recogniser.toml").salt
TEXTS = [f"京A{number:05}" for number in range(40)]


def outcome(*reads: tuple[str, float], labels: tuple[str, ...] = ("京A12345",)) -> Outcome:
    picture = np.zeros((4, 4, 3), np.uint8)
    shown = Shown(kind="crops", labels=labels, crop=True, photograph=True, content=lambda: picture)
    return Outcome(shown=shown, said=Said(reads=reads, whole_ms=3.0, stages_ms={"read": 2.0}))


def test_one_of_the_labels_is_enough_and_an_o_in_a_serial_is_a_0() -> None:
    assert outcome(("京A1234O", 0.9), labels=("京A12340", "京A99999")).exact
    assert not outcome(("京A1234", 0.9)).exact
    assert not outcome().exact


def test_plates_beyond_the_labels_are_extra_and_a_missed_one_is_not_less() -> None:
    assert outcome(("京A12345", 0.9), ("沪A11111", 0.5)).extra == 1
    assert outcome().extra == 0


def test_wrong_counts_where_a_read_is_sure() -> None:
    told = figures([outcome(("京A12345", 0.98)), outcome(("沪A12345", 0.99), ("沪B12345", 0.97))])

    assert (told["kinds"]["crops"]["sure"], told["kinds"]["crops"]["sure_wrong"]) == (2, 1)
    assert told["kinds"]["crops"]["exact"] == told["provinces"]["京"]["exact"] == 1
    assert told["kinds"]["all photographs"]["read_ms"] == {"p50": 2.0, "p95": 2.0}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [
        {
            "path": f"crops/{text}.png",
            "kind": "crop",
            "texts": [text],
            "doubtful": text in TEXTS[:9],
        }
        for text in TEXTS
    ]
    (tmp_path / "manifest.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (tmp_path / "crops").mkdir()
    for text in TEXTS:
        data = cv2.imencode(".png", np.zeros((24, 94, 3), np.uint8))[1]
        (tmp_path / "crops" / f"{text}.png").write_bytes(data.tobytes())
    return tmp_path


def test_only_plates_of_the_half_held_out_measure_and_none_with_a_doubtful_label(
    folder: Path,
) -> None:
    shown = list(pictures(folder, frames=0))

    held = [text for text in TEXTS[9:] if part_of(text, SALT) is Part.TEST]
    assert [one.labels for one in shown] == [(text,) for text in held]
    assert shown[0].content().shape == (24, 94, 3)


def test_a_kind_is_a_folder_and_of_mixed_scenes_where_they_are_from() -> None:
    assert kind_of("crops/京A12345.jpg") == "crops"
    assert kind_of("scenes/easypr_1.jpg") == "scenes/easypr"


def test_a_stage_is_what_a_step_of_its_owner_takes() -> None:
    class Owner:
        def step(self, number: int) -> int:
            return number + 1

    owner, stages = Owner(), Stages()
    stages.watch(owner, "step", "read")

    assert owner.step(1) == 2
    assert stages.took["read"] >= 0
