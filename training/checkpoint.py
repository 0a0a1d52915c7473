"""A run's state on disk: written whole or not at all, and found again."""

import os
from pathlib import Path
from typing import Any

import torch

_NAME = "checkpoint.pt"


def write(folder: Path, state: dict[str, Any]) -> None:
    """The state takes the place of the last one in a single step; a cut of power loses nothing."""
    new = folder / (_NAME + ".new")
    with new.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(folder / _NAME)


def read(folder: Path) -> dict[str, Any] | None:
    """The last state, or None before the first."""
    path = folder / _NAME
    if not path.exists():
        return None
    found: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return found
