"""Every value that crosses a wall between two rooms: frozen, slotted, keyword-only.

They are told in the order a car meets them: frame -> plate read -> sighting -> decision ->
barrier command -> passage -> stay -> event. Units stand in the names: `_s` seconds, `_ms`
milliseconds. `at` is always a moment on the boot clock, in seconds (see `clock`); a moment
that has to outlive this boot is an `Instant`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Pixels: TypeAlias = "npt.NDArray[np.uint8]"
"""A picture: shape (H, W, 3), dtype uint8, channels in the order B, G, R."""

Point: TypeAlias = tuple[float, float]
"""x to the right, y down, in pixels of the frame."""

Corners: TypeAlias = tuple[Point, Point, Point, Point]
"""Top left, top right, bottom right, bottom left, as the driver of the car would name them
after the plate is turned upright."""


# --- time -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Instant:
    """One moment on both clocks, stamped once, by whoever saw the thing happen.

    `boot_s` counts from the boot named by `boot_id` and never jumps; `wall` (aware, UTC) may be
    wrong unless `trusted` says that the operating system had it synchronised.
    """

    boot_id: str
    boot_s: float
    wall: datetime
    trusted: bool


# --- what the camera saw --------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """One picture of one camera, with the moment it was taken.

    `number` counts the frames of this camera since the controller started: two frames are
    different pictures when their numbers differ. `encoded` is the picture as the camera sent it.
    """

    camera: str
    number: int
    at: float
    pixels: Pixels
    encoded: bytes
    suffix: str


class Colour(StrEnum):
    """Ground colours of plates (GA 36-2018, table 1)."""

    BLUE = "blue"
    YELLOW = "yellow"
    GREEN = "green"
    YELLOW_GREEN = "yellow_green"
    WHITE = "white"
    BLACK = "black"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateRead:
    """One frame's opinion about one plate.

    `confidences` has one value in 0..1 for each character of `text`, in its order.
    """

    text: str
    confidences: tuple[float, ...]
    colour: Colour
    rows: int
    corners: Corners
    frame: int
    at: float

    @property
    def confidence(self) -> float:
        """The weakest character: a mean would hide a blurred province (HyperLPR #262)."""
        return min(self.confidences, default=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """Several reads of one visit agree: this car is here.

    `agreeing` counts the frames that read exactly `plate`; `alternatives` are the other texts
    that were read, with their share of the evidence, best first. `certain` speaks of the reads
    alone: whether a list holds a look-alike is asked in `rules.access`.
    """

    plate: str
    confidences: tuple[float, ...]
    colour: Colour
    rows: int
    agreeing: int
    frames: tuple[int, ...]
    alternatives: tuple[tuple[str, float], ...]
    certain: bool
    first_at: float
    last_at: float

    @property
    def confidence(self) -> float:
        """The weakest character of the merged read, 0..1."""
        return min(self.confidences, default=0.0)


# --- the lists the centre keeps -------------------------------------------------------------


class ListName(StrEnum):
    """The lists of the registry."""

    VISITORS = "visitors"
    INTERNALS = "internals"
    BLACKLIST = "blacklist"
    EXEMPT = "exempt"


class RowSource(StrEnum):
    """Who put a row on a list: the centre, or this gate (an overstay it saw itself)."""

    CENTRE = "centre"
    GATE = "gate"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRow:
    """One plate on one list.

    `zone` is set where the row holds for one zone only (blacklist); the row counts from
    `valid_from` until just before `valid_until`, each open-ended if None.
    """

    list: ListName
    plate: str
    zone: str | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    note: str = ""
    source: RowSource = RowSource.CENTRE
    version: int = 0

    def valid_at(self, now: datetime) -> bool:
        """Whether the row counts at `now` (aware)."""
        begun = self.valid_from is None or self.valid_from <= now
        return begun and (self.valid_until is None or now < self.valid_until)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListVersion:
    """How far this gate has followed one list; a list never received is absent, not version 0."""

    list: ListName
    version: int
    as_of: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What the lists say about a handful of plates: the question's half of the registry."""

    rows: tuple[ListRow, ...] = ()
    versions: tuple[ListVersion, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListChange:
    """One row added (or replaced), or one plate taken off (`row.note` and dates are then idle)."""

    remove: bool
    row: ListRow


@dataclass(frozen=True, slots=True, kw_only=True)
class ListChanges:
    """A step from version `since` of a list to version `version`, applied whole or not at all."""

    list: ListName
    since: int
    version: int
    changes: tuple[ListChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSnapshot:
    """A whole list at one version; it replaces what the centre sent before."""

    list: ListName
    version: int
    rows: tuple[ListRow, ...]


# --- decisions ------------------------------------------------------------------------------


class Direction(StrEnum):
    """Which way a lane leads, seen from the zone it belongs to."""

    ENTRY = "entry"
    EXIT = "exit"


class VehicleClass(StrEnum):
    """What the lists make of a car. A plate both bound and internal is internal."""

    VISITOR = "visitor"
    INTERNAL = "internal"
    EXEMPT = "exempt"
    BLACKLISTED = "blacklisted"
    UNKNOWN = "unknown"
    UNREAD = "unread"


class Verdict(StrEnum):
    """What a decision comes to."""

    ADMIT = "admit"
    REFUSE = "refuse"


class Reason(StrEnum):
    """Why; one word for the display, the journal and the centre alike."""

    EXIT = "exit"
    FIRE = "fire"
    HELD_OPEN = "held_open"
    EXEMPT = "exempt"
    LOCKDOWN = "lockdown"
    UNREADABLE = "unreadable"
    BLACKLISTED = "blacklisted"
    LOOKS_BLACKLISTED = "looks_blacklisted"
    INTERNAL = "internal"
    ZONE_FULL = "zone_full"
    VISITOR = "visitor"
    UNVERIFIED = "unverified"
    REGISTRY_MISSING = "registry_missing"
    NOT_BOUND = "not_bound"
    EVERYBODY = "everybody"
    ORDERED = "ordered"
    STORE_FAILED = "store_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneState:
    """What a decision has to know of the zone behind the gate.

    `count` is of vehicles that passed, never of open stays; it refuses nobody unless `trusted`.
    """

    zone: str
    count: int
    trusted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteState:
    """What holds for every lane at once.

    `centre_away_s` is how long the centre has been out of reach, 0.0 while it is there.
    """

    fire: bool = False
    held_open: bool = False
    lockdown: bool = False
    centre_away_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How long a stay may last; frozen when the vehicle has passed."""

    limit_s: float
    warning_s: float
    grace_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Verdict and reason for one vehicle in one lane, with the evidence behind it.

    `rule` is the name of the table row that decided, `row` the list row it rested on, `versions`
    how old the lists were. `plate` is the listed plate the car is taken for (None if unread);
    `certain` is whether the sighting, with the lists beside it, may ever count against a driver.
    """

    verdict: Verdict
    reason: Reason
    rule: str
    plate: str | None
    vehicle: VehicleClass
    certain: bool
    limit: Limit | None = None
    row: ListRow | None = None
    versions: tuple[ListVersion, ...] = ()


# --- the barrier ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class BarrierCommand:
    """One order to open, good until `deadline` on the boot clock and never after it."""

    id: str
    lane: str
    passage: str | None
    reason: Reason
    deadline: float


class Outcome(StrEnum):
    """What is known of a command; unknown is said to be unknown."""

    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """What became of a command: `done` means the coil was written and read back."""

    command: str
    outcome: Outcome
    detail: str
    at: float


class Sensor(StrEnum):
    """The inputs of a lane."""

    ARRIVAL = "arrival"
    SAFETY = "safety"
    BOOM_UP = "boom_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """An input of a lane changed, or was read for the first time."""

    lane: str
    sensor: Sensor
    on: bool
    at: float


# --- passages and stays ---------------------------------------------------------------------


class PassageEnd(StrEnum):
    """How one vehicle's visit to a lane ended; only `passed` starts or ends a stay.

    `passed_presumed`: the safety loop is dead or absent; counted, never certain.
    """

    PASSED = "passed"
    PASSED_PRESUMED = "passed_presumed"
    BACKED_OUT = "backed_out"
    TIMED_OUT = "timed_out"


class Doubt(StrEnum):
    """What makes the window W of a stay unclean: with any of these an overstay is `suspected`."""

    ENTRY_UNCERTAIN = "entry_uncertain"
    COULD_HAVE_LEFT = "could_have_left"
    UNDECIDED_PASSAGE = "undecided_passage"
    TAILGATING = "tailgating"
    SAFETY_LOOP_LONG = "safety_loop_long"
    EXIT_LANE_UNHEALTHY = "exit_lane_unhealthy"
    EXIT_TIMED_OUT = "exit_timed_out"
    BOOM_WITHOUT_COMMAND = "boom_without_command"
    ORDERED_OPENING = "ordered_opening"
    RESTART = "restart"
    PLATE_CONFLICT = "plate_conflict"
    SEEN_ELSEWHERE = "seen_elsewhere"
    ADVISORY_ZONE = "advisory_zone"


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
    """A plate inside a zone. Class, limit and list version are frozen at entry.

    While `paused_at` is set the vehicle waits at an exit and its clock stands; `paused_s` is
    what has been subtracted so far.
    """

    id: str
    zone: str
    plate: str
    vehicle: VehicleClass
    entered: Instant
    entry_lane: str
    entry_passage: str
    limit: Limit | None
    list_version: int | None = None
    paused_at: float | None = None
    paused_s: float = 0.0
    warned: bool = False
    doubts: tuple[Doubt, ...] = ()
    judgement: Judgement | None = None
    ended: Instant | None = None
    end: StayEnd | None = None


# --- facts and events -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerStarted:
    """The controller went live; `unfinished` are commands whose outcome nobody will know."""

    kind: ClassVar[str] = "controller.started"
    version: str
    boot_id: str
    unfinished: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerStopped:
    """The controller was asked to stop, and did."""

    kind: ClassVar[str] = "controller.stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleArrived:
    """A vehicle is at the lane."""

    kind: ClassVar[str] = "vehicle.arrived"


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleDecided:
    """A decision, the sighting it rests on, and the picture (name in the pictures folder)."""

    kind: ClassVar[str] = "vehicle.decided"
    decision: Decision
    sighting: Sighting | None
    picture: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssistanceWanted:
    """A driver waits and no rule can help: the centre is asked to look at the picture."""

    kind: ClassVar[str] = "vehicle.assistance"
    reason: Reason
    picture: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BarrierIntended:
    """Written before the pulse: what is about to be commanded, and until when it may be."""

    kind: ClassVar[str] = "barrier.intended"
    command: str
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class BarrierCommanded:
    """Written after the pulse: what became of the command."""

    kind: ClassVar[str] = "barrier.commanded"
    command: str
    outcome: Outcome
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageEnded:
    """A vehicle's visit to a lane is over. `decided` is False for one that crossed without a
    decision of its own (a tailgater, a taker-over); such a passage is counted and limits nobody.
    `certain` is whether the plate could stand against its driver.
    """

    kind: ClassVar[str] = "passage.ended"
    end: PassageEnd
    plate: str | None
    decided: bool
    certain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StayStarted:
    """A plate is inside a zone."""

    kind: ClassVar[str] = "stay.started"
    stay: str
    zone: str
    plate: str
    vehicle: VehicleClass
    limit_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StayWarning:
    """The limit is near; the centre may tell the driver."""

    kind: ClassVar[str] = "stay.warning"
    stay: str
    zone: str
    plate: str
    left_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StayOverstayed:
    """A certain overstay: certain entry, clean window."""

    kind: ClassVar[str] = "stay.overstayed"
    stay: str
    zone: str
    plate: str
    stayed_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StaySuspected:
    """The limit has passed, but something could explain it: a person decides."""

    kind: ClassVar[str] = "stay.suspected"
    stay: str
    zone: str
    plate: str
    stayed_s: float
    doubts: tuple[Doubt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StayEnded:
    """A plate is no longer inside. `stayed_s` leaves out the time spent waiting at exits."""

    kind: ClassVar[str] = "stay.ended"
    stay: str
    zone: str
    plate: str
    end: StayEnd
    stayed_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BlacklistAdded:
    """This gate put a plate on a zone's blacklist, and for which stay."""

    kind: ClassVar[str] = "blacklist.added"
    zone: str
    plate: str
    stay: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlacklistSuspended:
    """An automatic entry is set aside until somebody has reviewed it, and why."""

    kind: ClassVar[str] = "blacklist.suspended"
    zone: str
    plate: str
    stay: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryFollowed:
    """A list of the registry reached a new version here; `rows` changed."""

    kind: ClassVar[str] = "registry.followed"
    list: ListName
    version: int
    rows: int
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAnswered:
    """An order of the centre, who gave it and why, and what became of it."""

    kind: ClassVar[str] = "order.answered"
    order: str
    verb: str
    by: str
    reason: str
    outcome: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRaised:
    """Something needs a person; `subject` is the device or lane."""

    kind: ClassVar[str] = "alarm.raised"
    alarm: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmCleared:
    """What was wrong is right again."""

    kind: ClassVar[str] = "alarm.cleared"
    alarm: str
    subject: str


Fact: TypeAlias = (
    ControllerStarted
    | ControllerStopped
    | VehicleArrived
    | VehicleDecided
    | AssistanceWanted
    | BarrierIntended
    | BarrierCommanded
    | PassageEnded
    | StayStarted
    | StayWarning
    | StayOverstayed
    | StaySuspected
    | StayEnded
    | BlacklistAdded
    | BlacklistSuspended
    | RegistryFollowed
    | OrderAnswered
    | AlarmRaised
    | AlarmCleared
)
"""What an event can tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A fact on its way into the journal, with the lane and passage it belongs to."""

    fact: Fact
    at: Instant
    lane: str | None = None
    passage: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact in the journal, never changed. `seq` is gapless within `journal`."""

    id: str
    journal: str
    seq: int
    record: Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """All that one step changes: written in one transaction, or not at all.

    `stays` and `counts` replace what was stored under the same id or zone; `listed` are rows this
    gate adds itself, `suspended` the (zone, plate) of automatic blacklist rows set aside.
    """

    records: tuple[Record, ...]
    stays: tuple[Stay, ...] = ()
    listed: tuple[ListRow, ...] = ()
    suspended: tuple[tuple[str, str], ...] = ()
    counts: tuple[ZoneState, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """An event the centre still has to confirm; `body` is the fact as JSON, ready for the wire."""

    id: str
    journal: str
    seq: int
    kind: str
    lane: str | None
    passage: str | None
    occurred_at: datetime
    clock_trusted: bool
    body: bytes


# --- orders ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the centre asks for. `id` makes it happen once, however often it arrives."""

    id: str
    verb: str
    by: str
    reason: str
    expires_at: datetime
    lane: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAnswer:
    """What became of an order: `done`, `refused` (nothing was moved) or `unknown`."""

    order: str
    outcome: str
    detail: str


# --- health ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An alarm that stands, since when (boot clock)."""

    alarm: str
    subject: str
    detail: str
    since: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """What the controller says of itself every half minute."""

    at: datetime
    clock_trusted: bool
    lanes: Mapping[str, str]
    alarms: tuple[Alarm, ...]
    outbox: int
    free_disk_mb: int
    list_versions: tuple[ListVersion, ...] = field(default=())
