"""A set's name in, its manifest and verified files out.

A set is a folder with a `manifest.toml`. No byte of a file is handed out before its sum was found
right.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gatekeeper.config.networks import FOLDER
from gatekeeper.config.text import plain
from gatekeeper.errors import ConfigError, NetworkSetError
from gatekeeper.networks.manifest import FileName, Manifest
from gatekeeper.ownership import denied

BUILT_IN = FOLDER
"""Where the sets lie that come with the program; the name of a set is the name of its folder."""

MANIFEST = "manifest.toml"

_REMEDY = (
    "run ./demo or ./test once, they fetch the networks and put them in place; a set that was"
    " installed: install it again"
)


class NetworkSet:
    """A manifest and the folder it stands in."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.manifest = manifest
        self.folder = folder

    def content(self, name: FileName) -> bytes:
        """A file of the set; raises `NetworkSetError` unless it is the right one."""
        path = self.folder / name
        try:
            data = path.read_bytes()
        except FileNotFoundError as error:
            raise NetworkSetError(f"{path}: is missing; {_REMEDY}") from error
        except OSError as error:
            raise NetworkSetError(f"{path}: cannot be read: {denied(path, error)}") from error
        told = hashlib.sha256(data).hexdigest()
        if told != self.manifest.files[name]:
            raise NetworkSetError(
                f"{path}: is not the file the manifest names (its sha256 is {told[:12]}..., not"
                f" {self.manifest.files[name][:12]}...); delete it and {_REMEDY}"
            )
        return data

    def alphabet(self) -> tuple[str, ...]:
        """The characters of the recogniser, in the order of its outputs, without the blank."""
        name = self.manifest.recogniser.alphabet
        try:
            text = plain(self.content(name), self.folder / name, "")
        except ConfigError as error:
            raise NetworkSetError(str(error)) from error
        return tuple(line.strip() for line in text.splitlines() if line.strip())


def find(name: str, *folders: Path) -> NetworkSet:
    """The set called `name` in the first of the folders that has it (with none named: of those that
    come with the program), all of its files verified; raises `NetworkSetError`.
    """
    searched = folders or (BUILT_IN,)
    known = names(*searched)
    if name not in known:
        raise NetworkSetError(
            f'there is no set of networks called "{name}"; known are: {", ".join(known) or "none"}'
        )
    return opened(next(each / name for each in searched if name in names(each)))


def opened(folder: Path) -> NetworkSet:
    """The set in a folder, all of its files verified; raises `NetworkSetError`."""
    found = NetworkSet(folder, _manifest(folder / MANIFEST))
    for file in found.manifest.files:
        found.content(file)
    return found


def names(*folders: Path) -> list[str]:
    """The sets in these folders, whether they are sound or not."""
    return sorted(
        {path.parent.name for folder in folders for path in folder.glob(f"[!.]*/{MANIFEST}")}
    )


def manifest_of(data: bytes, where: Path) -> Manifest:
    """The manifest in these bytes of `where`; raises `NetworkSetError` naming each fault."""
    try:
        raw = tomllib.loads(plain(data, where, ""))
    except ConfigError as error:
        raise NetworkSetError(str(error)) from error
    except tomllib.TOMLDecodeError as error:
        raise NetworkSetError(f"{where}: cannot be read: {error}") from error
    try:
        return Manifest.model_validate(raw)
    except ValidationError as error:
        faults = "; ".join(
            f"{_place(fault['loc'], raw)}: {fault['msg']}" for fault in error.errors()
        )
        raise NetworkSetError(f"{where}: {faults}") from error


def _manifest(path: Path) -> Manifest:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NetworkSetError(f"{path}: cannot be read: {denied(path, error)}") from error
    return manifest_of(data, path)


def _place(loc: tuple[int | str, ...], raw: Mapping[str, Any]) -> str:
    """`detector.side` rather than `detector.clp.side`: the contract is no key of the file."""
    steps = list(loc)
    part = raw.get(str(loc[0])) if loc else None
    if len(steps) > 1 and isinstance(part, dict) and steps[1] == part.get("contract"):
        del steps[1]
    return ".".join(map(str, steps)) or "manifest"
