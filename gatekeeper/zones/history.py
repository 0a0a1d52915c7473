"""What is remembered of plates beyond their open stays, for as long as it can matter.

`rules.history` says what that is; moments are seconds on the boot clock.
"""

from collections.abc import Iterable, Mapping

from gatekeeper.model import Instant, Stay, ZonePolicy
from gatekeeper.rules import history
from gatekeeper.rules.history import NOTHING, Known


class History:
    """What each plate did in each zone before; `policies` are those of the zones, by name."""

    def __init__(self, policies: Mapping[str, ZonePolicy]) -> None:
        self._policies = policies
        self._known: dict[tuple[str, str], Known] = {}

    def __len__(self) -> int:
        return len(self._known)

    @property
    def look_back_s(self) -> float:
        """How far back ended stays have to be recalled at a start."""
        return history.look_back_s(self._policies.values())

    def recall(self, ended: Iterable[Stay], at: Instant) -> None:
        """Take up the stays that ended before this start."""
        for each in ended:
            self._learn(each.zone, each.plate, history.recalled(each, at))
        self.forget(at.boot_s)

    def left(self, zone: str, plate: str, at: float) -> None:
        """A stay has ended."""
        self._learn(zone, plate, Known(left_at=at))

    def left_at(self, zone: str, plate: str) -> float | None:
        """When the plate left the zone last, None if that is not known or cannot matter."""
        return self._of(zone, plate).left_at

    def was_inside_twice(self, zone: str, plate: str, at: float) -> None:
        """A clone, or a missed exit: for a day it cannot be said which."""
        self._learn(zone, plate, Known(twice_at=at))

    def is_in_conflict(self, zone: str, plate: str, at: float) -> bool:
        """Whether the plate was inside twice less than a day ago."""
        return history.is_in_conflict(self._of(zone, plate), at)

    def forget(self, at: float) -> None:
        """Let go of all that cannot matter any more."""
        self._known = {
            (zone, plate): known
            for (zone, plate), known in self._known.items()
            if history.matters(known, self._policies.get(zone), at)
        }

    def _of(self, zone: str, plate: str) -> Known:
        return self._known.get((zone, plate), NOTHING)

    def _learn(self, zone: str, plate: str, known: Known) -> None:
        self._known[zone, plate] = history.later(self._of(zone, plate), known)
