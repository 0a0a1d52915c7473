"""What is to happen next, in virtual time."""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any, Final, TypeAlias

Deed: TypeAlias = Callable[[float, Any], None]
"""Called with its time and the one thing it was planned with."""


NEVER: Final = float("inf")
MINUTE_S: Final = 60.0
HOUR_S: Final = 3_600.0
DAY_S: Final = 24 * HOUR_S
WEEK_S: Final = 7 * DAY_S


class Agenda:
    """Deeds in the order of their times; those of one time in the order they were planned."""

    __slots__ = ("_deeds", "_planned")

    def __init__(self) -> None:
        self._deeds: list[tuple[float, int, Deed, Any]] = []
        self._planned = 0

    def plan(self, at: float, deed: Deed, about: object = None) -> None:
        """Have `deed(at, about)` happen."""
        self._planned += 1
        heappush(self._deeds, (at, self._planned, deed, about))

    def next_at(self) -> float:
        """When the next deed is due; `inf` if there is none."""
        return self._deeds[0][0] if self._deeds else NEVER

    def act(self) -> None:
        """Do the next deed."""
        at, _, deed, about = heappop(self._deeds)
        deed(at, about)
