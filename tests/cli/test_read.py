import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

from gatekeeper.cli.read import read
from gatekeeper.errors import NetworkSetError
from gatekeeper.networks import BUILT_IN
from simulators.plate import Ground, draw
from simulators.scene import Camera, road, with_car


@pytest.fixture(scope="module")
def car(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photograph of 闽C12F57, in a file whose name is not ASCII."""
    path = tmp_path_factory.mktemp("pictures") / "入口 1.jpg"
    frame = Camera(seed=5).frame(with_car(road(seed=3), "闽C12F57", Ground.BLUE))
    path.write_bytes(cv2.imencode(".jpg", frame)[1].tobytes())
    return path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(read, [str(argument) for argument in arguments])


def told(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_json_is_one_object_a_line_with_the_parts_it_is_known_by(car: Path) -> None:
    result = run("--json", car, car)

    assert result.exit_code == 0
    assert result.stderr == ""
    first, second = told(result)
    assert list(first) == ["picture", "plates", "ms"]
    assert first["picture"] == second["picture"] == str(car)
    assert first["plates"] == second["plates"]
    assert isinstance(first["ms"], float)


def test_a_plate_in_json_has_a_confidence_for_each_character(car: Path) -> None:
    (line,) = told(run("--json", car))
    (plate,) = _plates(line)

    assert list(plate) == ["text", "confidence", "characters", "colour", "rows", "corners"]
    characters = plate["characters"]
    assert plate["text"] == "".join(one["text"] for one in characters) == "闽C12F57"
    assert plate["confidence"] == min(one["confidence"] for one in characters)
    assert (plate["colour"], plate["rows"]) == ("blue", 1)
    assert np.array(plate["corners"]).shape == (4, 2)


def test_people_get_a_line_with_the_plate_and_the_picture(car: Path) -> None:
    result = run(car)

    assert result.exit_code == 0
    assert "闽C12F57" in result.stdout
    assert "blue" in result.stdout
    assert str(car) in result.stdout


def test_a_crop_is_one_plate(tmp_path: Path) -> None:
    plate = cv2.resize(draw("浙A8K302", Ground.BLUE), (140, 44), interpolation=cv2.INTER_AREA)
    path = tmp_path / "crop.png"
    path.write_bytes(cv2.imencode(".png", plate)[1].tobytes())

    (line,) = told(run("--json", "--crop", path))

    assert [one["text"] for one in _plates(line)] == ["浙A8K302"]


def test_a_picture_without_a_plate_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "road.png"
    path.write_bytes(cv2.imencode(".png", road(seed=3))[1].tobytes())

    result = run("--json", path)

    assert result.exit_code == 0
    assert _plates(told(result)[0]) == []
    assert "no plate" in run(path).stdout


def test_what_cannot_be_read_is_one_line_each_and_the_others_are_read(
    car: Path, tmp_path: Path
) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "speck.png").write_bytes(
        cv2.imencode(".png", np.zeros((2, 2, 3), np.uint8))[1].tobytes()
    )
    bad = [tmp_path / "absent.jpg", tmp_path / "text.jpg", tmp_path / "speck.png", tmp_path]

    result = run("--json", *bad[:2], car, *bad[2:])

    assert result.exit_code == 1
    assert [line["picture"] for line in told(result)] == [str(car)]
    faults = result.stderr.splitlines()
    assert len(faults) == len(bad)
    for fault, path in zip(faults, bad, strict=True):
        assert fault.startswith(f"gatekeeper: {path}: ")


def test_no_picture_at_all_is_wrong_usage() -> None:
    assert run("--json").exit_code == 2


def test_an_unknown_set_of_networks_is_named(car: Path) -> None:
    result = run("--networks", "plates", car)

    assert isinstance(result.exception, NetworkSetError)
    assert "clp" in str(result.exception)


def test_a_set_may_be_named_by_its_folder_and_the_engine_beside_it(car: Path) -> None:
    """As a set is looked at that was not installed yet."""
    (line,) = told(run("--json", "--networks", BUILT_IN / "clp", car))
    assert [one["text"] for one in _plates(line)] == ["闽C12F57"]

    refused = run("--networks", BUILT_IN / "clp", "--engine", "hyperlpr3", car)
    assert isinstance(refused.exception, NetworkSetError)
    assert 'its detector is "clp"' in str(refused.exception)


def program(*arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    command: Sequence[str | Path] = [sys.executable, "-m", "gatekeeper", "read", *arguments]
    return subprocess.run(command, capture_output=True, timeout=60, check=False)


def test_the_program_keeps_what_decoders_say_to_itself(car: Path, tmp_path: Path) -> None:
    broken = bytearray(car.read_bytes())
    broken[20_000:20_200] = b"\xff\xd8" * 100
    (tmp_path / "broken.jpg").write_bytes(broken)
    cut = cv2.imencode(".png", road(seed=3))[1].tobytes()[:30_000]
    (tmp_path / "cut.png").write_bytes(cut)

    done = program("--json", tmp_path / "broken.jpg", tmp_path / "cut.png", car)

    assert done.returncode == 1
    assert done.stderr.decode().splitlines() == [
        f"gatekeeper: {tmp_path / 'cut.png'}: is no picture, or of a kind that is not known here"
    ]
    assert json.loads(done.stdout.splitlines()[-1])["plates"][0]["text"] == "闽C12F57"


def test_a_file_name_that_is_no_text_is_told_all_the_same(car: Path, tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff\xfe.jpg"
    with open(path, "wb") as file:
        file.write(car.read_bytes())

    done = program("--json", os.fsdecode(path))

    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["plates"][0]["text"] == "闽C12F57"


def _plates(line: dict[str, object]) -> list[dict[str, Any]]:
    plates = line["plates"]
    assert isinstance(plates, list)
    return plates
