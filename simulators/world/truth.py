"""What really happened: who was where, since when, and how they got there."""

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum


class Vehicle(StrEnum):
    """What a car is to the centre. `blacklisted` are those a person at the centre has banned; whom
    the gates put on the blacklist by themselves stays what it was.
    """

    VISITOR = "visitor"
    INTERNAL = "internal"
    UNKNOWN = "unknown"
    EXEMPT = "exempt"
    BLACKLISTED = "blacklisted"


class Way(StrEnum):
    """How a car crossed a lane.

    With an opening of its own: `decided` at an entry, `read` at an exit, `unread` at either if no
    frame showed its plate. `bumper`: close behind another, `tailgated`: behind another with a gap,
    `taken_over`: by an opening meant for one that had backed out, `power_off`: unheard by a
    controller without power, `button`: let out by a person because nothing happened.
    """

    DECIDED = "decided"
    READ = "read"
    UNREAD = "unread"
    BUMPER = "bumper"
    TAILGATED = "tailgated"
    TAKEN_OVER = "taken_over"
    POWER_OFF = "power_off"
    BUTTON = "button"


class Outcome(StrEnum):
    """How an approach to a lane ended."""

    PASSED = "passed"
    BACKED_OUT = "backed_out"


@dataclass(slots=True, eq=False)
class Visit:
    """One presence of a car in a zone; the car park includes the visitor zone inside it.

    `vehicle` is what it was when it entered. It is inside from when its rear has left the entry's
    safety loop until its rear has left the exit's. `waited_s` is the time it stood at exits or in
    their queues, which is not the driver's fault.
    """

    plate: str
    vehicle: Vehicle
    zone: str
    lane_in: str
    entered_at: float
    way_in: Way
    left_at: float | None = None
    waited_s: float = 0.0
    way_out: Way | None = None

    @property
    def counted_s(self) -> float | None:
        """The time that counts against a limit; None while the car is inside."""
        return None if self.left_at is None else self.left_at - self.entered_at - self.waited_s


@dataclass(frozen=True, slots=True, eq=False)
class Approach:
    """One car's visit to a lane, `at` the moment it reached the arrival loop.

    `way` is how it crossed, None if it backed out. `bound`: its plate was on the visitors' list
    when the approach ended. `unreadable`: no frame showed its plate, for whatever reason.
    `opened`: the barrier was opened while it was the first in the lane.
    """

    lane: str
    plate: str
    vehicle: Vehicle
    at: float
    outcome: Outcome
    way: Way | None
    bound: bool
    unreadable: bool
    opened: bool


class Truth:
    """All visits and approaches, in the order they began and ended; `journeys` is the number of
    cars that have come to the site and left it again.
    """

    def __init__(self) -> None:
        self.visits: list[Visit] = []
        self.approaches: list[Approach] = []
        self.journeys = 0
        self._entered: dict[str, list[float]] = defaultdict(list)
        self._left: dict[str, list[float]] = defaultdict(list)

    def enter(self, visit: Visit) -> None:
        """A car is in a zone from now on; told in the order of time."""
        self.visits.append(visit)
        self._entered[visit.zone].append(visit.entered_at)

    def leave(self, visit: Visit, way: Way, at: float) -> None:
        """A car has left a zone; told in the order of time."""
        visit.left_at, visit.way_out = at, way
        self._left[visit.zone].append(at)

    def inside(self, zone: str, at: float) -> int:
        """How many cars were in a zone at a moment."""
        return bisect_right(self._entered[zone], at) - bisect_right(self._left[zone], at)
