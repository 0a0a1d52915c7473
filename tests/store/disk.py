"""A small disk of its own, which can be filled, made read-only and taken away."""

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

SIZE_KB = 2048


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system in memory, mounted at `folder`."""

    folder: Path

    def mount(self) -> None:
        """Skips the test where this user may mount nothing."""
        self.folder.mkdir(exist_ok=True)
        said = _run("mount", "-t", "tmpfs", "-o", f"size={SIZE_KB}k", "tmpfs", str(self.folder))
        if said.returncode:
            pytest.skip(f"no disk can be mounted here: {said.stderr.strip()}")

    def unmount(self) -> None:
        """Gone, also where files on it are open."""
        _run("umount", "--lazy", str(self.folder))

    def make_read_only(self) -> None:
        """As the kernel does with a disk that has failed."""
        _run("mount", "-o", "remount,ro", str(self.folder)).check_returncode()

    def make_writable(self) -> None:
        """Well again."""
        _run("mount", "-o", "remount,rw", str(self.folder)).check_returncode()

    def fill(self) -> None:
        """Not a byte is left."""
        with (self.folder / "filler").open("ab", buffering=0) as file:
            for size in (4096, 1):
                try:
                    while file.write(bytes(size)):
                        pass
                except OSError:
                    continue

    def empty(self) -> None:
        """There is space again."""
        (self.folder / "filler").unlink()


@contextmanager
def no_file_may_outgrow(file: Path) -> Iterator[None]:
    """Every write beyond the present size of `file` fails, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)
