"""Passages and stays."""

from dataclasses import dataclass, field
from enum import StrEnum

from gatekeeper.model.decisions import Limit, VehicleClass
from gatekeeper.model.time import Instant


class PassageEnd(StrEnum):
    """How one vehicle's visit to a lane ended; only `passed` starts or ends a stay.

    `passed_presumed`: the safety loop is dead or absent; counted, never certain.
    """

    PASSED = "passed"
    PASSED_PRESUMED = "passed_presumed"
    BACKED_OUT = "backed_out"
    TIMED_OUT = "timed_out"


class Doubt(StrEnum):
    """What makes an overstay `suspected` at most: the entry was not certain, or the window W of
    the stay is not clean (docs/situations.md, 1).
    """

    ENTRY_UNCERTAIN = "entry_uncertain"
    COULD_HAVE_LEFT = "could_have_left"
    UNDECIDED_PASSAGE = "undecided_passage"
    TAILGATING = "tailgating"
    SAFETY_LOOP_LONG = "safety_loop_long"
    SAFETY_LOOP_GAP = "safety_loop_gap"
    SECOND_PLATE = "second_plate"
    DIRECTION_UNKNOWN = "direction_unknown"
    EXIT_LANE_UNHEALTHY = "exit_lane_unhealthy"
    EXIT_TIMED_OUT = "exit_timed_out"
    BOOM_WITHOUT_COMMAND = "boom_without_command"
    ORDERED_OPENING = "ordered_opening"
    HELD_OPEN = "held_open"
    RESTART = "restart"
    PEER_AWAY = "peer_away"
    JOURNAL_GAP = "journal_gap"
    CLOCK_UNTRUSTED = "clock_untrusted"
    PLATE_CONFLICT = "plate_conflict"
    SEEN_ELSEWHERE = "seen_elsewhere"
    ADVISORY_ZONE = "advisory_zone"
    STORE_FAILED = "store_failed"
    CAMERAS_EXCHANGED = "cameras_exchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedDoubt:
    """One doubt, when it arose, and the lane and passage it came from where there are such."""

    doubt: Doubt
    at: Instant
    lane: str | None = None
    passage: str | None = None
    detail: str = ""


class StayEnd(StrEnum):
    """How a stay ended. `unobserved`: the car was seen outside, its exit was not."""

    EXITED = "exited"
    UNOBSERVED = "unobserved"
    ABANDONED = "abandoned"


class Judgement(StrEnum):
    """What was made of a stay that outlasted its limit and grace."""

    OVERSTAYED = "overstayed"
    SUSPECTED = "suspected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """A plate inside a zone. Class, limit and list version are frozen when it has passed.

    Time counts from `counted_from`, which is the entry, or the last start of the controller;
    `noted` are the doubts about the window W so far, none for a clean one; they are stored as
    `blemishes`.
    """

    id: str
    zone: str
    plate: str
    vehicle: VehicleClass
    entered: Instant
    counted_from: Instant
    entry_lane: str
    entry_passage: str
    limit: Limit | None
    list_version: int | None = None
    warned: bool = False
    noted: tuple[NotedDoubt, ...] = field(default=(), metadata={"alias": "blemishes"})
    judgement: Judgement | None = None
    ended: Instant | None = None
    end: StayEnd | None = None

    @property
    def doubts(self) -> tuple[Doubt, ...]:
        """The kinds of doubt, each once, in the order in which they were noted."""
        return tuple(dict.fromkeys(noted.doubt for noted in self.noted))
