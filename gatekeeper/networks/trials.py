"""What a trial found: a small file in the sets folder for each set that was tried in the shadow of
another, replaced as a whole, so that a report can be read while the trial goes on.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from gatekeeper import flushed
from gatekeeper.errors import NetworkSetError
from gatekeeper.ownership import denied

MOST_DIFFERENCES = 1000
"""The first so many are kept, for a person looks at each; the others are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One plate in one picture."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A picture in which two sets read something else."""

    picture: str
    lane: str
    live: tuple[Said, ...]
    tried: tuple[Said, ...]


@dataclass(slots=True, kw_only=True)
class Trial:
    """Moments are wall time, ISO 8601 with its zone; `seq` is the last event of the journal that
    was looked at, `last` the picture it named.
    """

    live: str
    tried: str
    begun: str
    until: str
    seq: int
    last: str = ""
    pictures: int = 0
    differing: int = 0
    differences: list[Difference] = field(default_factory=list)

    def add(self, picture: str, lane: str, live: tuple[Said, ...], tried: tuple[Said, ...]) -> None:
        """Both sets have read a picture."""
        self.pictures += 1
        if {said.text for said in live} == {said.text for said in tried}:
            return
        self.differing += 1
        if len(self.differences) < MOST_DIFFERENCES:
            self.differences.append(Difference(picture=picture, lane=lane, live=live, tried=tried))


def write(folder: Path, trial: Trial) -> None:
    """Raises `NetworkSetError` where the folder cannot be written."""
    path = _path(folder, trial.tried)
    text = json.dumps(asdict(trial), ensure_ascii=False, indent=1)
    try:
        flushed.make(folder, 0o755)
        flushed.replace(path, text.encode(), 0o644)
    except OSError as error:
        raise NetworkSetError(f"{path}: cannot be written: {denied(path, error)}") from error


def read(folder: Path, name: str) -> Trial:
    """The trial of a set; raises `NetworkSetError` where there is none."""
    path = _path(folder, name)
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        raw["differences"] = [_difference(each) for each in raw["differences"]]
        return Trial(**raw)
    except FileNotFoundError as error:
        raise NetworkSetError(
            f"{path}: no trial of {name}; begin one with: gatekeeper networks try {name}"
        ) from error
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise NetworkSetError(f"{path}: cannot be read: {error!r}") from error


def tried(folder: Path) -> list[str]:
    """The sets of which there is a trial."""
    found = folder.glob("trial-*.json")
    return sorted(path.name.removeprefix("trial-").removesuffix(".json") for path in found)


def _difference(raw: dict[str, object]) -> Difference:
    live, other = (
        tuple(Said(**said) for said in told) if isinstance(told, list) else ()
        for told in (raw["live"], raw["tried"])
    )
    return Difference(picture=str(raw["picture"]), lane=str(raw["lane"]), live=live, tried=other)


def _path(folder: Path, name: str) -> Path:
    return folder / f"trial-{name}.json"
