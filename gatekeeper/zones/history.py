"""What is remembered of plates beyond their open stays: when they left, and who was inside twice.

Moments are seconds on the boot clock.
"""

from collections.abc import Iterable

from gatekeeper.model import Doubt, Instant, Stay

CONFLICT_S = 86_400.0
"""So long after the same plate was inside twice nothing of it is certain (situations, 9)."""


class History:
    """What each plate did in each zone before."""

    def __init__(self) -> None:
        self._left_at: dict[tuple[str, str], float] = {}
        self._conflict_until: dict[tuple[str, str], float] = {}

    def recall(self, ended: Iterable[Stay], at: Instant) -> None:
        """Take up the stays that ended before this start. Only by a wall clock that is trusted can
        it be said how long ago that was; without it, just now.
        """
        for each in ended:
            ago_s = (at.wall - each.ended.wall).total_seconds() if each.ended else 0.0
            left_at = at.boot_s - (ago_s if at.trusted else 0.0)
            self._left_at[each.zone, each.plate] = left_at
            if Doubt.PLATE_CONFLICT in each.doubts:
                self.was_inside_twice(each.zone, each.plate, left_at)

    def left(self, zone: str, plate: str, at: float) -> None:
        """A stay has ended."""
        self._left_at[zone, plate] = at

    def left_at(self, zone: str, plate: str) -> float | None:
        """When the plate left the zone last, None if that is not known."""
        return self._left_at.get((zone, plate))

    def was_inside_twice(self, zone: str, plate: str, at: float) -> None:
        """A clone, or a missed exit: for a day nobody can say which."""
        self._conflict_until[zone, plate] = at + CONFLICT_S

    def is_in_conflict(self, zone: str, plate: str, at: float) -> bool:
        """Whether the plate was inside twice less than a day ago."""
        return self._conflict_until.get((zone, plate), 0.0) > at
