"""What a set is delivered in: a folder, a zip or a tar archive in, single files of it out.

Nothing is ever unpacked as a whole: what is asked for by its name is read, and an archive that
holds a path which would lie outside is refused.
"""

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Protocol

from gatekeeper.errors import NetworkSetError
from gatekeeper.networks.sets import MANIFEST

MOST_BYTES = 64 << 20
"""No file of a set is larger: a forged archive must not fill the memory."""


_DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    RuntimeError,  # what zipfile raises for one with a password
)


class Delivery(Protocol):
    """The files of one set."""

    def file(self, name: str) -> bytes:
        """One file beside the manifest, or the manifest; raises `NetworkSetError`."""
        ...


@contextmanager
def delivered(source: Path) -> Iterator[Delivery]:
    """What lies in a folder or an archive; raises `NetworkSetError` naming what does not fit."""
    if source.is_dir():
        yield _Folder(source)
        return
    try:
        if zipfile.is_zipfile(source):
            with zipfile.ZipFile(source) as archive:
                yield _Zip(source, archive)
        else:
            with tarfile.open(source) as archive:
                yield _Tar(source, archive)
    except OSError as error:
        raise NetworkSetError(f"{source}: cannot be read: {error.strerror or error}") from error
    except _DAMAGED as error:
        raise NetworkSetError(f"{source}: is neither a folder nor a sound archive") from error


class _Folder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def file(self, name: str) -> bytes:
        path = self._folder / name
        if not path.is_file():
            raise NetworkSetError(f"{self._folder}: holds no {name}")
        return _bounded(path, path.stat().st_size, path.read_bytes)


class _Zip:
    def __init__(self, source: Path, archive: zipfile.ZipFile) -> None:
        self._source, self._archive = source, archive
        self._members = _members(source, archive.namelist())

    def file(self, name: str) -> bytes:
        member = _member(self._source, self._members, name)
        size = self._archive.getinfo(member).file_size
        return _bounded(self._source / member, size, lambda: self._archive.read(member))


class _Tar:
    def __init__(self, source: Path, archive: tarfile.TarFile) -> None:
        self._source, self._archive = source, archive
        self._members = _members(source, archive.getnames())

    def file(self, name: str) -> bytes:
        member = _member(self._source, self._members, name)
        info = self._archive.getmember(member)
        file = self._archive.extractfile(info) if info.isfile() else None
        if file is None:
            raise NetworkSetError(f"{self._source}: its {member} is no file")
        with file:
            return _bounded(self._source / member, info.size, file.read)


def _members(source: Path, listed: Iterable[str]) -> dict[str, str]:
    """Name beside the manifest -> name in the archive."""
    paths = {name: PurePosixPath(name.replace("\\", "/")) for name in listed}
    for name, path in paths.items():
        if path.is_absolute() or ".." in path.parts:
            raise NetworkSetError(f"{source}: holds the path {name!r}, which lies outside of it")
    manifests = [path for path in paths.values() if path.name == MANIFEST]
    if len(manifests) != 1:
        raise NetworkSetError(f"{source}: holds {len(manifests)} files {MANIFEST}, not one")
    beside = manifests[0].parent
    return {path.name: name for name, path in paths.items() if path.parent == beside}


def _member(source: Path, members: dict[str, str], name: str) -> str:
    if name not in members:
        raise NetworkSetError(f"{source}: holds no {name}")
    return members[name]


def _bounded(path: Path, size: int, read: Callable[[], bytes]) -> bytes:
    if size > MOST_BYTES:
        raise NetworkSetError(f"{path}: has {size} bytes, more than any network here")
    return read()
