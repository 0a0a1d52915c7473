"""What is installed at a gate, and what is not."""

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest

from gatekeeper.lpr.selftest import GOLDEN

ROOT = Path(__file__).parents[1]

PLAYTHINGS = ("matplotlib", "pillow")


def built(source: Path, folder: Path) -> zipfile.ZipFile:
    """The wheel that pip makes of a source folder."""
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "-w", folder, source], check=True, timeout=120)
    (wheel,) = folder.glob("*.whl")
    return zipfile.ZipFile(wheel)


def about(wheel: zipfile.ZipFile, name: str) -> str:
    (path,) = (each for each in wheel.namelist() if each.endswith(f".dist-info/{name}"))
    return wheel.read(path).decode()


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    folder = tmp_path_factory.mktemp("gate")
    networks = shutil.ignore_patterns("__pycache__", "*.onnx")
    for name in ("gatekeeper", "simulators"):
        shutil.copytree(ROOT / name, folder / name, ignore=networks)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "wheel").mkdir()
    with built(folder, folder / "wheel") as wheel:
        yield wheel


def test_the_gate_carries_no_simulator(gate: zipfile.ZipFile) -> None:
    packages = {path.split("/")[0] for path in gate.namelist()}
    assert {name for name in packages if not name.endswith(".dist-info")} == {"gatekeeper"}


def test_the_gate_carries_the_pictures_by_which_sets_of_networks_are_tried(
    gate: zipfile.ZipFile,
) -> None:
    golden = {path for path in gate.namelist() if path.startswith("gatekeeper/lpr/golden/")}
    assert golden == {f"gatekeeper/lpr/golden/{file}" for file in GOLDEN}


def test_the_gate_needs_nothing_that_only_draws(gate: zipfile.ZipFile) -> None:
    wanted = message_from_bytes(about(gate, "METADATA").encode()).get_all("Requires-Dist") or []
    needed = [each for each in wanted if "extra ==" not in each]
    assert needed
    assert not [each for each in needed if each.lower().startswith(PLAYTHINGS)]


def test_neither_does_its_lock() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    assert not [line for line in lock if line.startswith(PLAYTHINGS)]
    assert any(line.startswith("tzdata==") for line in lock)


def test_the_simulators_bring_every_package_of_theirs_and_the_two_commands(tmp_path: Path) -> None:
    source = tmp_path / "simulators"
    shutil.copytree(ROOT / "simulators", source, ignore=shutil.ignore_patterns("__pycache__"))
    with built(source, tmp_path) as wheel:
        folders = {str(Path(path).parent) for path in wheel.namelist() if path.endswith(".py")}
        points = about(wheel, "entry_points.txt")
    there = {str(path.parent.relative_to(ROOT)) for path in ROOT.glob("simulators/**/*.py")}
    assert folders == there
    assert "[gatekeeper.commands]\ndemo = simulators.demo:demo\nsimulate = " in points
