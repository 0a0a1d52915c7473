"""Files and folders that are still there after a power cut: what was written has been flushed, and
so has the folder that bears its name (fsync(2)). Modes are as given, whatever the umask; what root
makes belongs to the owner of its folder.
"""

import os
from pathlib import Path

from gatekeeper.ownership import give_to_owner


def write(path: Path, data: bytes, mode: int) -> None:
    """Write a file; its name lasts when its folder has been `flush`ed."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    give_to_owner(path)


def replace(path: Path, data: bytes, mode: int) -> None:
    """Have this file there whole, or what was there before; one at a time for each path."""
    draft = path.with_name(f".draft-{path.name}")
    write(draft, data, mode)
    draft.replace(path)
    flush(path.parent)


def make(folder: Path, mode: int) -> None:
    """Make a folder, and those above it, where there are none."""
    if not folder.is_dir():
        make(folder.parent, mode)
        folder.mkdir(mode=mode, exist_ok=True)
        folder.chmod(mode)
        give_to_owner(folder)
        flush(folder.parent)


def flush(folder: Path) -> None:
    """The names that came and went in a folder last from now on."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
