"""What the configuration has to know of a set of networks: whether there is one of this name, and
the level from which its confidences may count against a driver.

The rest of a manifest, and its files, are those of `gatekeeper.networks`.
"""

import tomllib
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "lpr" / "networks"

NOTHING_CERTAIN = 1.0
"""The level of a set that cannot be asked: nothing it reads counts against a driver."""


def set_names(folder: Path = FOLDER) -> list[str]:
    """The sets that come with the program."""
    return sorted(manifest.parent.name for manifest in folder.glob("*/manifest.toml"))


def calibrated(name: str, folder: Path = FOLDER) -> float:
    """The level that was measured for the set, as its manifest says; a manifest that cannot be read
    is an alarm where the networks are loaded, and here only means that nothing is certain.
    """
    try:
        manifest = tomllib.loads((folder / name / "manifest.toml").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return NOTHING_CERTAIN
    level = manifest.get("certain")
    return level if isinstance(level, float) and 0.5 < level <= 1 else NOTHING_CERTAIN
