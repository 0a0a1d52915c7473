"""A gate's own sets: installed whole or not at all, and switched by one rename."""

import contextlib
import hashlib
import os
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatekeeper.errors import NetworkSetError
from gatekeeper.networks import BUILT_IN, NetworkSet, SetsFolder, archive, names

Made = Callable[..., Path]
BUILT = names(BUILT_IN)
FILES = {"det.onnx": b"finds", "rec.onnx": b"reads", "alphabet.txt": b"A\nB\n"}


def good(found: NetworkSet) -> None:
    """A self-test that passes."""


def bad(found: NetworkSet) -> None:
    raise NetworkSetError(f"{found.folder}: fails its self-test")


def everything(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def zipped(folder: Path, inside: str = "") -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for file in sorted(folder.iterdir()):
            target.write(file, f"{inside}{file.name}")
    return path


def tarred(folder: Path) -> Path:
    path = folder.with_suffix(".tar.gz")
    with tarfile.open(path, "w:gz") as target:
        target.add(folder, arcname="a-set")
    return path


@pytest.mark.parametrize(
    "packed",
    [lambda folder: folder, zipped, lambda folder: zipped(folder, "deep/in/"), tarred],
    ids=["folder", "zip", "zip with folders", "tar"],
)
def test_a_set_is_installed_from_a_folder_or_an_archive_and_is_not_live_by_that(
    sets: SetsFolder, made: Made, packed: Callable[[Path], Path]
) -> None:
    installed = sets.install(packed(made()), good)

    assert installed.folder == sets.folder / "fresh"
    assert set(everything(sets.folder)) == {
        f"fresh/{file}" for file in ("det.onnx", "rec.onnx", "alphabet.txt", "manifest.toml")
    }
    assert sets.names() == sorted([*BUILT, "fresh"])
    assert sets.live == "clp"


def test_what_the_manifest_does_not_name_is_not_taken_in(sets: SetsFolder, made: Made) -> None:
    folder = made()
    (folder / "extra.sh").write_text("rm -rf /")

    sets.install(folder, good)

    assert not (sets.folder / "fresh" / "extra.sh").exists()


@pytest.mark.parametrize("packed", [lambda folder: folder, zipped, tarred])
def test_a_wrong_sum_is_named_with_its_file_and_nothing_is_there(
    sets: SetsFolder, made: Made, packed: Callable[[Path], Path]
) -> None:
    wrong = hashlib.sha256(b"writes").hexdigest()[:12]

    with pytest.raises(NetworkSetError, match=rf"its rec\.onnx is not the file .*{wrong}"):
        sets.install(packed(made(rec=b"writes")), good)
    assert sets.names() == BUILT


@pytest.mark.parametrize("packed", [lambda folder: folder, zipped, tarred])
def test_a_missing_file_is_named(
    sets: SetsFolder, made: Made, packed: Callable[[Path], Path]
) -> None:
    folder = made()
    (folder / "det.onnx").unlink()

    with pytest.raises(NetworkSetError, match=r"holds no det\.onnx"):
        sets.install(packed(folder), good)
    assert sets.names() == BUILT


@pytest.mark.parametrize("path", ["../escaped.txt", "/etc/escaped.txt", "a/../../escaped", "..\\x"])
def test_an_archive_with_a_path_outside_is_refused_whole(
    sets: SetsFolder, made: Made, tmp_path: Path, path: str
) -> None:
    source = zipped(made())
    with zipfile.ZipFile(source, "a") as target:
        target.writestr(path, b"not asked for")
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(NetworkSetError, match=r"holds the path .*, which lies outside"):
        sets.install(source, good)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_link_in_a_tar_archive_is_no_file(sets: SetsFolder, made: Made, tmp_path: Path) -> None:
    folder = made()
    (folder / "det.onnx").unlink()
    (folder / "det.onnx").symlink_to("/etc/passwd")

    with pytest.raises(NetworkSetError, match=r"det\.onnx is no file"):
        sets.install(tarred(folder), good)


def test_a_file_larger_than_any_network_is_not_read(
    sets: SetsFolder, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MOST_BYTES", 4)

    with pytest.raises(NetworkSetError, match=r"bytes, more than any network"):
        sets.install(zipped(made()), good)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut off"])
def test_what_is_no_archive_is_named(sets: SetsFolder, tmp_path: Path, content: bytes) -> None:
    source = tmp_path / "set.zip"
    source.write_bytes(content)

    with pytest.raises(NetworkSetError, match=r"set\.zip: is neither a folder nor a sound archive"):
        sets.install(source, good)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), kind=st.sampled_from([zipped, tarred]))
def test_a_damaged_archive_is_always_one_clear_error_or_a_good_set(
    sets: SetsFolder, made: Made, data: st.DataObject, kind: Callable[[Path], Path]
) -> None:
    folder = sets.folder.parent / "delivered-fresh"
    whole = kind(folder if folder.exists() else made()).read_bytes()
    source = sets.folder.parent / "damaged"
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    source.write_bytes(damaged[: data.draw(st.integers(0, len(whole)))] or damaged)

    with contextlib.suppress(NetworkSetError):
        installed = sets.install(source, good)
        assert [installed.content(file) for file in FILES] == list(FILES.values())
    shutil.rmtree(sets.folder, ignore_errors=True)


def test_a_stream_that_cannot_be_unpacked_is_a_damaged_archive(
    sets: SetsFolder, made: Made
) -> None:
    source = zipped(made())
    raw = bytearray(source.read_bytes())
    begins = raw.find(b"manifest.toml") + len("manifest.toml")
    raw[begins : begins + 8] = b"\xff" * 8
    source.write_bytes(raw)

    with pytest.raises(NetworkSetError, match="neither a folder nor a sound archive"):
        sets.install(source, good)


def test_an_archive_with_a_password_is_none(sets: SetsFolder, made: Made) -> None:
    source = zipped(made())
    raw = bytearray(source.read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = raw.find(mark)
        while at >= 0:
            raw[at + place] |= 1
            at = raw.find(mark, at + 1)
    source.write_bytes(raw)

    with pytest.raises(NetworkSetError, match="neither a folder nor a sound archive"):
        sets.install(source, good)


def test_a_source_that_is_not_there_is_named(sets: SetsFolder, tmp_path: Path) -> None:
    with pytest.raises(NetworkSetError, match=r"absent\.zip: cannot be read: No such file"):
        sets.install(tmp_path / "absent.zip", good)


@pytest.mark.parametrize("name", ["clp", "fresh"])
def test_a_name_that_is_taken_is_refused(sets: SetsFolder, made: Made, name: str) -> None:
    sets.install(made("fresh"), good)
    shutil.rmtree(sets.folder.parent / "delivered-fresh")

    with pytest.raises(NetworkSetError, match=rf'a set called "{name}" is here already'):
        sets.install(made(name), good)


def test_a_damaged_set_is_installed_again_in_its_place(sets: SetsFolder, made: Made) -> None:
    source = made()
    sets.install(source, good)
    (sets.folder / "fresh" / "rec.onnx").write_bytes(b"cut o")

    sets.install(source, good)

    assert sets.find("fresh").content("rec.onnx") == b"reads"


def test_a_set_that_fails_its_self_test_is_not_installed(sets: SetsFolder, made: Made) -> None:
    with pytest.raises(NetworkSetError, match="fails its self-test"):
        sets.install(made(), bad)

    assert everything(sets.folder) == {}
    assert sets.names() == BUILT


def test_the_self_test_sees_the_very_files_that_are_installed(sets: SetsFolder, made: Made) -> None:
    seen: list[tuple[bytes, ...]] = []

    def watched(found: NetworkSet) -> None:
        seen.append(tuple(found.content(file) for file in found.manifest.files))

    sets.install(made(), watched)

    assert seen == [(b"finds", b"reads", b"A\nB\n")]


def test_a_full_disk_is_an_error_and_leaves_nothing(
    sets: SetsFolder, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(NetworkSetError, match="cannot be written: No space left"):
        sets.install(made(), good)
    assert everything(sets.folder) == {}


def test_what_an_installation_left_that_was_killed_is_no_set_and_is_swept(
    sets: SetsFolder, made: Made
) -> None:
    (sets.folder / ".draft-killed").mkdir(parents=True)
    shutil.copy(made("half") / "manifest.toml", sets.folder / ".draft-killed")
    assert sets.names() == BUILT

    sets.install(made(), good)

    assert [path.name for path in sets.folder.iterdir()] == ["fresh"]


def test_the_chosen_set_is_live_and_the_one_before_is_the_way_back(
    sets: SetsFolder, made: Made
) -> None:
    sets.install(made(), good)

    sets.use("fresh", good)

    assert sets.live == SetsFolder(sets.folder, "clp").live == "fresh"
    assert sets.ways_back == ["fresh", "clp"]


def test_choosing_the_live_set_once_more_keeps_the_way_back(sets: SetsFolder, made: Made) -> None:
    sets.install(made(), good)
    sets.use("fresh", good)
    sets.use("fresh", good)

    assert sets.ways_back == ["fresh", "clp"]


@pytest.mark.parametrize("name", ["absent", "../delivered-fresh", ""])
def test_a_set_that_is_not_there_cannot_be_chosen(sets: SetsFolder, made: Made, name: str) -> None:
    made()
    with pytest.raises(NetworkSetError, match="there is no set of networks"):
        sets.use(name, good)
    assert sets.live == "clp"


def test_a_damaged_set_or_one_that_fails_its_self_test_is_not_chosen(
    sets: SetsFolder, made: Made
) -> None:
    sets.install(made(), good)
    with pytest.raises(NetworkSetError, match="fails its self-test"):
        sets.use("fresh", bad)
    (sets.folder / "fresh" / "rec.onnx").write_bytes(b"damaged")
    with pytest.raises(NetworkSetError, match=r"rec\.onnx: is not the file"):
        sets.use("fresh", good)

    assert sets.live == "clp"


def test_a_switch_that_is_cut_short_leaves_the_old_set_live(
    sets: SetsFolder, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    sets.install(made(), good)
    sets.install(made("next"), good)
    sets.use("fresh", good)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        sets.use("next", good)

    assert sets.live == "fresh"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"../../etc\n", b"\n\n"])
def test_a_pointer_that_names_nothing_is_none(sets: SetsFolder, content: bytes) -> None:
    sets.folder.mkdir()
    (sets.folder / "live.txt").write_bytes(content)

    assert sets.live == "clp"


def test_a_set_that_has_vanished_is_still_the_live_one_so_that_its_loss_is_noticed(
    sets: SetsFolder, made: Made
) -> None:
    sets.install(made(), good)
    sets.use("fresh", good)
    shutil.rmtree(sets.folder / "fresh")

    assert sets.live == "fresh"
    with pytest.raises(NetworkSetError, match='no set of networks called "fresh"'):
        sets.find(sets.live)
