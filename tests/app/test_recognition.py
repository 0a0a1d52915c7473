"""Which set reads from a start on, and what happens where one cannot."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from gatekeeper import config as configuration
from gatekeeper.app.recognition import (
    BlindReader,
    Recognition,
    calibrated,
    open_recognition,
    self_test_of,
    sets_of,
)
from gatekeeper.config import Config
from gatekeeper.errors import NetworkSetError
from gatekeeper.lpr.picture import load
from gatekeeper.lpr.selftest import FOLDER as GOLDEN
from gatekeeper.model import Frame
from gatekeeper.networks import BUILT_IN, names

EXAMPLE = Path(__file__).parents[2] / "config" / "gatekeeper.toml"


def gate(folder: Path, *replaced: tuple[str, str]) -> Config:
    """A gate in a folder, whose file sets no level."""
    text = EXAMPLE.read_text(encoding="utf-8").replace("/var/lib/gatekeeper/", "")
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new)
    (folder / "gate.toml").write_text(text, encoding="utf-8")
    return configuration.load(folder / "gate.toml")


def copied(folder: Path, name: str, **edits: tuple[str, str]) -> Path:
    """The clp set under another name; `file=(old, new)` edits a text file and its sum with it."""
    place = folder / f"delivered-{name}"
    shutil.copytree(BUILT_IN / "clp", place)
    manifest = (place / "manifest.toml").read_text(encoding="utf-8")
    manifest = manifest.replace('name = "clp"', f'name = "{name}"')
    for stem, (old, new) in edits.items():
        if stem == "manifest":
            assert old in manifest
            manifest = manifest.replace(old, new)
            continue
        (file,) = place.glob(f"{stem}.*")
        before = file.read_bytes()
        after = before.decode().replace(old, new).encode()
        assert after != before
        file.write_bytes(after)
        manifest = manifest.replace(
            hashlib.sha256(before).hexdigest(), hashlib.sha256(after).hexdigest()
        )
    (place / "manifest.toml").write_text(manifest, encoding="utf-8")
    return place


@contextmanager
def reading(config: Config) -> Iterator[Recognition]:
    recognition = open_recognition(config)
    try:
        yield recognition
    finally:
        recognition.reader.close()


def frame() -> Frame:
    pixels = load(GOLDEN / "blue.jpg")
    return Frame(camera="in", number=1, at=0.0, pixels=pixels, encoded=b"", suffix=".jpg")


async def test_a_new_gate_reads_with_the_set_of_its_configuration(tmp_path: Path) -> None:
    with reading(gate(tmp_path)) as recognition:
        (read,) = await recognition.reader.read(frame())

    assert read.text == "闽C12F57"
    assert (recognition.certain, recognition.fault) == (0.995, "")


async def test_a_chosen_set_reads_from_the_next_start_on_with_its_own_level(tmp_path: Path) -> None:
    config = gate(tmp_path)
    sets = sets_of(config)
    level = ("certain = 0.98", "certain = 0.997")
    sets.install(copied(tmp_path, "fresh", manifest=level), self_test_of(config))
    sets.use("fresh", self_test_of(config))

    with reading(config) as recognition:
        assert await recognition.reader.read(frame())

    assert (recognition.certain, recognition.fault) == (0.997, "")
    assert calibrated(config, recognition.certain).recognition.certain == 0.997


def test_a_level_that_the_site_sets_itself_is_kept(tmp_path: Path) -> None:
    config = gate(tmp_path, ("window_s = 3.0", "certain = 0.9"))

    assert calibrated(config, 0.997).recognition.certain == 0.9


def test_a_set_that_reads_something_else_fails_its_self_test(tmp_path: Path) -> None:
    config = gate(tmp_path)
    exchanged = copied(tmp_path, "exchanged", clp_dict=("闽", "?"))

    with pytest.raises(NetworkSetError, match=r"in blue\.jpg it reads \?C12F57, not 闽C12F57"):
        sets_of(config).install(exchanged, self_test_of(config))
    assert sets_of(config).names() == names(BUILT_IN)


def test_a_foreign_shape_is_refused_with_file_and_shape(tmp_path: Path) -> None:
    config = gate(tmp_path)
    longer = copied(tmp_path, "longer", clp_dict=("京", "京\n多"))

    with pytest.raises(NetworkSetError, match=r"clp_v2_c_rec\.onnx: gives .*73\) .*not .*74\)"):
        sets_of(config).install(longer, self_test_of(config))


async def test_a_live_set_that_is_damaged_gives_way_to_the_one_before_and_says_so(
    tmp_path: Path,
) -> None:
    config = gate(tmp_path)
    sets = sets_of(config)
    sets.install(copied(tmp_path, "fresh"), self_test_of(config))
    sets.use("fresh", self_test_of(config))
    (sets.folder / "fresh" / "clp_det.onnx").write_bytes(b"damaged")

    with reading(config) as recognition:
        assert await recognition.reader.read(frame())

    assert "clp_det.onnx: is not the file" in recognition.fault
    assert "gk reads instead" in recognition.fault
    assert sets.live == "gk"


async def test_a_way_back_that_cannot_be_written_down_is_taken_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = gate(tmp_path)
    sets = sets_of(config)
    sets.install(copied(tmp_path, "fresh"), self_test_of(config))
    sets.use("fresh", self_test_of(config))
    (sets.folder / "fresh" / "clp_det.onnx").write_bytes(b"damaged")

    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refused)
    with reading(config) as recognition:
        assert await recognition.reader.read(frame())

    assert "cannot be written: Permission denied" in recognition.fault
    assert sets.live == "fresh"


async def test_a_pointer_that_cannot_be_read_is_told_and_the_default_reads(tmp_path: Path) -> None:
    config = gate(tmp_path)
    (tmp_path / "networks" / "live.txt").mkdir(parents=True)

    with reading(config) as recognition:
        assert await recognition.reader.read(frame())

    assert "live.txt: cannot be read: Is a directory" in recognition.fault


async def test_without_any_sound_set_the_gate_reads_nothing_and_says_why(tmp_path: Path) -> None:
    config = gate(tmp_path, ('networks = "gk"', 'networks = "absent"'))

    with reading(config) as recognition:
        assert isinstance(recognition.reader, BlindReader)
        with pytest.raises(NetworkSetError, match='no set of networks called "absent"'):
            await recognition.reader.read(frame())

    assert recognition.fault.endswith("no plate is read")
    assert calibrated(config, recognition.certain).recognition.certain == 1.0


async def test_a_set_that_hyperlpr3_cannot_run_is_run_by_our_own_engine_and_said_to_be(
    tmp_path: Path,
) -> None:
    config = gate(tmp_path, ("window_s = 3.0", 'engine = "hyperlpr3"'))

    with reading(config) as recognition:
        assert await recognition.reader.read(frame())

    assert 'hyperlpr3 runs parts of the contract "hyperlpr3" alone' in recognition.fault
    assert "gk reads instead (own engine)" in recognition.fault


def test_an_engine_that_is_none_is_a_fault_of_the_configuration(tmp_path: Path) -> None:
    from gatekeeper.errors import ConfigError

    with pytest.raises(ConfigError, match=r"recognition\.engine: .*'own' or 'hyperlpr3'"):
        gate(tmp_path, ("window_s = 3.0", 'engine = "hyperlpr2"'))


def test_the_sets_folder_is_beside_the_database_or_where_the_site_says(tmp_path: Path) -> None:
    assert gate(tmp_path).sets_folder == tmp_path / "networks"
    elsewhere = gate(tmp_path, ("window_s = 3.0", 'sets = "elsewhere"'))
    assert elsewhere.sets_folder == tmp_path / "elsewhere"


def test_golden_pictures_are_small_and_of_the_kind_that_cameras_send() -> None:
    for file in GOLDEN.iterdir():
        assert file.stat().st_size < 40_000
        assert load(file).dtype == np.uint8
