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
    controller without power, `button`: let out by a person because nothing happened, `held`: while
    the controller kept the boom up for everybody.
    """

    DECIDED = "decided"
    READ = "read"
    UNREAD = "unread"
    BUMPER = "bumper"
    TAILGATED = "tailgated"
    TAKEN_OVER = "taken_over"
    POWER_OFF = "power_off"
    BUTTON = "button"
    HELD = "held"


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


class Spans:
    """When something lasted, from when to when, in the order of time."""

    def __init__(self) -> None:
        self._begins: list[float] = []
        self._ends: list[float] = []

    def tell(self, on: bool, at: float) -> None:
        """It begins or ends; told of what holds already, nothing changes."""
        lasts = len(self._begins) > len(self._ends)
        if on and not lasts:
            self._begins.append(at)
        elif not on and lasts:
            self._ends.append(at)

    def within(self, since: float, until: float, break_s: float) -> list[tuple[float, float]]:
        """The spans between two moments; those with a break of `break_s` at most are one."""
        found: list[tuple[float, float]] = []
        for place in range(max(0, bisect_right(self._begins, since) - 1), len(self._begins)):
            begin = self._begins[place]
            if begin > until:
                break
            end = self._ends[place] if place < len(self._ends) else until
            if found and begin - found[-1][1] <= break_s:
                begin = found.pop()[0]
            found.append((begin, end))
        clipped = ((max(begin, since), min(end, until)) for begin, end in found)
        return [(begin, end) for begin, end in clipped if begin < end]


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
        self._occupied: dict[str, Spans] = defaultdict(Spans)
        self._blind: dict[tuple[str, str], Spans] = defaultdict(Spans)

    def enter(self, visit: Visit) -> None:
        """A car is in a zone from now on; told in the order of time."""
        self.visits.append(visit)
        self._entered[visit.zone].append(visit.entered_at)

    def leave(self, visit: Visit, way: Way, at: float) -> None:
        """A car has left a zone; told in the order of time."""
        visit.left_at, visit.way_out = at, way
        self._left[visit.zone].append(at)

    def occupied(self, lane: str, on: bool, at: float) -> None:
        """A lane has a car on one of its loops from now on, or none any more."""
        self._occupied[lane].tell(on, at)

    def blind(self, lane: str, cause: str, on: bool, at: float) -> None:
        """A lane cannot be watched from now on, for want of `camera` or `power`, or can again."""
        self._blind[lane, cause].tell(on, at)

    def unfair_s(self, lane: str, since: float, until: float, break_s: float) -> float:
        """How long between two moments a lane was occupied without a break longer than `break_s`,
        or could not be watched; what overlaps counts once.
        """
        spans = self._occupied[lane].within(since, until, break_s)
        for (blinded, _), blind in self._blind.items():
            if blinded == lane:
                spans += blind.within(since, until, 0.0)
        total, reached = 0.0, since
        for begin, end in sorted(spans):
            total += max(0.0, end - max(begin, reached))
            reached = max(reached, end)
        return total

    def inside(self, zone: str, at: float) -> int:
        """How many cars were in a zone at a moment."""
        return bisect_right(self._entered[zone], at) - bisect_right(self._left[zone], at)
