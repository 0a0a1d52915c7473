"""The sets of one gate: those that come with the program and those that were installed, and which
one is live.

The pointer is a small file in the sets folder: first line the live set, second line the one before.
It is written beside, flushed and renamed, so that it says one or the other, whenever the power
goes. A set appears in the same way: whole, or not at all.
"""

import hashlib
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from gatekeeper import flushed
from gatekeeper.errors import NetworkSetError
from gatekeeper.networks.archive import Delivery, delivered
from gatekeeper.networks.sets import (
    BUILT_IN,
    MANIFEST,
    NetworkSet,
    find,
    manifest_of,
    names,
    opened,
)
from gatekeeper.ownership import denied, give_to_owner

POINTER = "live.txt"
"""No set has a dot in its name."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")

_DRAFT = ".draft-"
"""How a set or a pointer is called until it is whole; no set has a name that begins with a dot."""

SelfTest: TypeAlias = Callable[[NetworkSet], None]
"""Loads a set and has it read pictures; raises `NetworkSetError` where it is not fit to be used."""


class SetsFolder:
    """`folder` is made when something is installed or chosen; `default` is live until then."""

    def __init__(self, folder: Path, default: str) -> None:
        self.folder = folder
        self._default = default

    def names(self) -> list[str]:
        """All sets there are, sound or not."""
        return names(self.folder, BUILT_IN)

    def find(self, name: str) -> NetworkSet:
        """The set of this name, its files verified; raises `NetworkSetError`."""
        return find(name, self.folder, BUILT_IN)

    @property
    def live(self) -> str:
        """The set that reads, or will from the next start on. A pointer that says nothing that
        could be a name counts as none: the gate begins with its default. Raises `NetworkSetError`
        where it cannot be read.
        """
        return self._pointed()[0]

    @property
    def ways_back(self) -> list[str]:
        """The live set, the one that was live before, the default: each once, in this order."""
        return list(dict.fromkeys([*self._pointed(), self._default]))

    def use(self, name: str, self_test: SelfTest) -> None:
        """From the next start on this set reads. It is tried first; raises `NetworkSetError`, and
        then the one that was live still is.
        """
        self_test(self.find(name))
        self._point(name)

    def fell_back(self, name: str) -> None:
        """The live set could not be used, and this one is."""
        self._point(name)

    def install(self, source: Path, self_test: SelfTest) -> NetworkSet:
        """Take in a set from a folder or an archive; raises `NetworkSetError` naming file and
        value, and then nothing is there that was not before. It is not live by that.
        """
        with delivered(source) as delivery:
            manifest = manifest_of(delivery.file(MANIFEST), source / MANIFEST)
            name = manifest.name
            if self._is_sound(name):
                raise NetworkSetError(
                    f'{source}: a set called "{name}" is here already; a new version needs a name'
                    " of its own"
                )
            files = {
                each: _right(delivery, source, each, manifest.files[each])
                for each in manifest.files
            }
            files[MANIFEST] = delivery.file(MANIFEST)
        try:
            return self._placed(name, files, self_test)
        except OSError as error:
            raise NetworkSetError(
                f"{self.folder}: cannot be written: {denied(self.folder, error)}"
            ) from error

    def _placed(self, name: str, files: dict[str, bytes], self_test: SelfTest) -> NetworkSet:
        flushed.make(self.folder, 0o755)
        self._sweep()
        draft = Path(tempfile.mkdtemp(dir=self.folder, prefix=_DRAFT))
        give_to_owner(draft)
        try:
            for each, data in files.items():
                flushed.write(draft / each, data, 0o644)
            draft.chmod(0o755)  # mkdtemp's 0700 would hide it from the service's user
            flushed.flush(draft)
            self_test(opened(draft))
            self._set_aside(name)
            draft.rename(self.folder / name)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        flushed.flush(self.folder)
        return opened(self.folder / name)

    def _is_sound(self, name: str) -> bool:
        """Whether there is such a set that need not be installed again."""
        try:
            self.find(name)
        except NetworkSetError:
            return (BUILT_IN / name).exists()
        return True

    def _set_aside(self, name: str) -> None:
        """Make room for a set whose files are damaged; the next installation sweeps it away."""
        if (self.folder / name).exists():
            (self.folder / name).rename(tempfile.mkdtemp(dir=self.folder, prefix=_DRAFT))

    def _sweep(self) -> None:
        """What an installation that was killed has left."""
        for draft in self.folder.glob(f"{_DRAFT}*"):
            if draft.is_dir():
                shutil.rmtree(draft, ignore_errors=True)

    def _pointed(self) -> list[str]:
        try:
            told = (self.folder / POINTER).read_text(encoding="utf-8").split()
        except (FileNotFoundError, UnicodeDecodeError):
            told = []
        except OSError as error:
            raise NetworkSetError(
                f"{self.folder / POINTER}: cannot be read: {denied(self.folder / POINTER, error)}"
            ) from error
        return [name for name in told[:2] if _NAME.fullmatch(name)] or [self._default]

    def _point(self, name: str) -> None:
        before = self.live
        if name == before:
            return
        try:
            flushed.make(self.folder, 0o755)
            flushed.replace(self.folder / POINTER, f"{name}\n{before}\n".encode(), 0o644)
        except OSError as error:
            raise NetworkSetError(
                f"{self.folder}: cannot be written: {denied(self.folder, error)}"
            ) from error


def _right(delivery: Delivery, source: Path, name: str, digest: str) -> bytes:
    data = delivery.file(name)
    told = hashlib.sha256(data).hexdigest()
    if told != digest:
        raise NetworkSetError(
            f"{source}: its {name} is not the file its manifest names: the sha256 is"
            f" {told[:12]}..., not {digest[:12]}..."
        )
    return data
