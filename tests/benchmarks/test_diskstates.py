"""Disks as power cuts leave them: what must be there, what may be, and that a loss is noticed."""

import shutil
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from random import Random

import pytest

from benchmarks.diskstates import RECORDED, File, Recording, bytes_of, recorded
from benchmarks.powercuts import bad_pictures, built, cut_often

KEEPS = """
import asyncio, sys
from pathlib import Path
from gatekeeper.store import Store
from gatekeeper.store.pictures import Pictures

async def main():
    pictures = Pictures(Path(sys.argv[1]) / "pictures")
    for number in range(4):
        await pictures.keep(f"picture-{number}.jpg", bytes([number]) * 3000)

asyncio.run(main())
"""

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The recording of a program that keeps four pictures, and the folder it kept them in."""
    folder = tmp_path_factory.mktemp("traced")
    root, trace = folder / "root", folder / "trace"
    root.mkdir()
    strace = ("strace", "-f", "-y", "-qq", "-s", "100000", "-e", f"trace={RECORDED}")
    subprocess.run([*strace, "-o", str(trace), sys.executable, "-c", KEEPS, str(root)], check=True)
    return trace, root


def losses(traced: tuple[Path, Path], tmp_path: Path, unsynced: Collection[str] = ()) -> int:
    trace, root = traced
    recording, chance, bad = Recording(trace, root, unsynced), Random(1), 0
    for number in range(200):
        cut = chance.choice(recording.moments) + 1
        folder = tmp_path / str(number)
        folder.mkdir()
        built(recording.state(cut, chance), root, folder)
        bad += bad_pictures(recording, cut, root, folder)
    return bad


@needs_strace
def test_a_picture_that_was_kept_is_there_whole_after_every_cut(
    traced: tuple[Path, Path], tmp_path: Path
) -> None:
    assert losses(traced, tmp_path) == 0


@needs_strace
def test_pictures_that_are_not_flushed_are_found_damaged(
    traced: tuple[Path, Path], tmp_path: Path
) -> None:
    assert losses(traced, tmp_path, [".draft-"]) > 0


@needs_strace
def test_what_a_program_wrote_is_there_when_all_has_reached_the_disk(
    traced: tuple[Path, Path],
) -> None:
    trace, root = traced
    for path, _, file in Recording(trace, root).pictures():
        assert Path(path).read_bytes() == file.whole()


@needs_strace
def test_a_disk_without_a_database_has_lost_nothing_that_was_told(
    traced: tuple[Path, Path],
) -> None:
    trace, root = traced
    assert cut_often(Recording(trace, root), root, 10, Random(1), None)["lost"] == 0


def test_a_write_before_a_sync_survives_and_one_after_it_may_not() -> None:
    file = File()
    file.put(1, 0, b"a" * 1024)
    file.syncs.append((2, 3))
    file.put(4, 1024, b"b" * 1024)
    found = {file.at(9, Random(seed)) for seed in range(200)}
    assert all(content[:1024] == b"a" * 1024 for content in found)
    assert {1024, 2048} <= {len(content) for content in found}
    assert any(content[1024:].strip(b"b\0") == b"" and b"\0" in content for content in found)


def test_a_sync_that_had_not_ended_guards_nothing() -> None:
    file = File()
    file.put(1, 0, b"a")
    file.syncs.append((2, 8))
    assert b"" in {file.at(5, Random(seed)) for seed in range(50)}


def test_calls_of_several_threads_are_put_together(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    trace.write_text(
        '10    pwrite64(3</d/a>, "x\\"\\0011", 4, 8 <unfinished ...>\n'
        "11    fdatasync(3</d/a>) = 0\n"
        "10    <... pwrite64 resumed>) = 4\n"
        '11    unlink("/d/b") = -1 ENOENT (No such file or directory)\n'
    )
    write, sync = recorded(trace)
    assert (write.name, write.began, write.ended) == ("pwrite64", 0, 2)
    assert (bytes_of(write.arguments[1]), write.arguments[2]) == (b'x"\x011', "8")
    assert (sync.name, sync.arguments) == ("fdatasync", ("/d/a",))
