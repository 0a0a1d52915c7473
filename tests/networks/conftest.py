"""Sets whose networks are a few bytes each: here files are handled, and nothing is loaded."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from gatekeeper.networks import SetsFolder

MANIFEST = """
name = "{name}"
version = "2"
licence = "Apache-2.0"
origin = "a test"
certain = 0.99
[files]
{sums}
[detector]
contract = "hyperlpr3"
file = "det.onnx"
[recogniser]
contract = "hyperlpr3"
file = "rec.onnx"
alphabet = "alphabet.txt"
"""

FILES = {"det.onnx": b"finds", "rec.onnx": b"reads", "alphabet.txt": b"A\nB\n"}

Made = Callable[..., Path]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """A set as it is delivered, in a folder; files may be other ones than its manifest says."""

    def one(name: str = "fresh", **instead: bytes) -> Path:
        folder = tmp_path / f"delivered-{name}"
        folder.mkdir()
        sums = "\n".join(
            f'"{file}" = "{hashlib.sha256(data).hexdigest()}"' for file, data in FILES.items()
        )
        (folder / "manifest.toml").write_text(MANIFEST.format(name=name, sums=sums))
        for file, data in FILES.items():
            (folder / file).write_bytes(instead.get(file.partition(".")[0], data))
        return folder

    return one


@pytest.fixture
def sets(tmp_path: Path) -> SetsFolder:
    """The sets folder of a gate that begins with clp."""
    return SetsFolder(tmp_path / "sets", "clp")
