"""What an event can tell: a fact, never changed."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, TypeAlias

from gatekeeper.model.barrier import Outcome, PartTested
from gatekeeper.model.decisions import Decision, Direction, Grounds, Reason, VehicleClass
from gatekeeper.model.holds import HoldReason
from gatekeeper.model.lists import ListName, RefusedRow
from gatekeeper.model.policy import ZonePolicy
from gatekeeper.model.seen import Sighting
from gatekeeper.model.stays import Doubt, NotedDoubt, PassageEnd, StayEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerStarted:
    """The controller went live; `unfinished` are commands whose outcome stays unknown."""

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
    """A decision, the sighting and the grounds it rests on (None where the lists could not be
    asked, or a person ordered it), and the picture (name in the pictures folder).
    """

    kind: ClassVar[str] = "vehicle.decided"
    decision: Decision
    sighting: Sighting | None
    picture: str | None
    zone: str | None = None
    grounds: Grounds | None = None


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
    """Written after the pulse: what became of the command. `behind`: the intent was not on the
    disk yet when the barrier was commanded, for an opening waits for no disk (situations, 32).
    """

    kind: ClassVar[str] = "barrier.commanded"
    command: str
    outcome: Outcome
    detail: str
    behind: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BarrierClosed:
    """After a passage the barrier was told to close, once, and what became of that."""

    kind: ClassVar[str] = "barrier.closed"
    command: str
    outcome: Outcome
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BarrierHeld:
    """From now on the boom is to be kept up for this reason, by whom (`gate` itself for fire and
    camera) and why, until then or until so many vehicles have passed, if that is limited.
    """

    kind: ClassVar[str] = "barrier.held"
    reason: HoldReason
    by: str
    why: str
    until: datetime | None = None
    vehicles: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BarrierReleased:
    """This reason no longer keeps the boom up, by whom (`gate` where it ended by itself), why."""

    kind: ClassVar[str] = "barrier.released"
    reason: HoldReason
    by: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FireLatched:
    """A fire input (`board/number`) was on for long enough: every boom goes up and stays up."""

    kind: ClassVar[str] = "fire.latched"
    input: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FireGlitch:
    """A fire input was on for too short a time to mean anything."""

    kind: ClassVar[str] = "fire.glitch"
    input: str
    lasted_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FireReleased:
    """A person says that the fire is over."""

    kind: ClassVar[str] = "fire.released"
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageEnded:
    """A vehicle's visit to a lane is over. `decided` is False for one that crossed without a
    decision of its own (a tailgater, a taker-over); such a passage is counted and has no limit.
    `certain` is whether the plate could stand against its driver. What the other controllers of
    the site have to know comes with it: the zone and the way, what was read, how long before this
    moment the vehicle had arrived, and the doubts of the passage.
    """

    kind: ClassVar[str] = "passage.ended"
    end: PassageEnd
    plate: str | None
    decided: bool
    certain: bool = False
    zone: str | None = None
    direction: Direction | None = None
    sighting: Sighting | None = None
    lasted_s: float = 0.0
    doubts: tuple[Doubt, ...] = ()


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
    because: tuple[NotedDoubt, ...] = ()


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
    """This gate put a plate on a zone's blacklist, for which stay, and until when (None: until it
    is taken off). `stay` is empty where a person ordered it.
    """

    kind: ClassVar[str] = "blacklist.added"
    zone: str
    plate: str
    stay: str
    by: str
    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlacklistSuspended:
    """An automatic entry is set aside until a person has reviewed it, and why."""

    kind: ClassVar[str] = "blacklist.suspended"
    zone: str
    plate: str
    stay: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlacklistRemoved:
    """A plate was taken off a zone's blacklist (all zones if None) by a person, who said why."""

    kind: ClassVar[str] = "blacklist.removed"
    zone: str | None
    plate: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyAdopted:
    """The policy of a zone, as decisions rest on it from now on."""

    kind: ClassVar[str] = "policy.adopted"
    policy: ZonePolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleIdentified:
    """A person at the centre says which plate the waiting vehicle bears."""

    kind: ClassVar[str] = "vehicle.identified"
    plate: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneRecounted:
    """A person has counted: the number inside is `count` now, and was thought to be `before`."""

    kind: ClassVar[str] = "zone.recounted"
    zone: str
    count: int
    before: int
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneSummary:
    """The day of a zone whose limits are advisory: stays that seemed too long, by plate."""

    kind: ClassVar[str] = "zone.summary"
    zone: str
    stays: int
    seemed_long: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LockdownOrdered:
    """Lockdown was ordered, or lifted."""

    kind: ClassVar[str] = "site.lockdown"
    on: bool
    by: str
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
class RegistryRowsRefused:
    """Rows of a list, as far as it has reached now, cannot be rows: they were left out, and the
    others hold.
    """

    kind: ClassVar[str] = "registry.rows_refused"
    list: ListName
    version: int
    count: int
    first: tuple[RefusedRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryShrinkAllowed:
    """A person says that the next whole list is right, however short it is."""

    kind: ClassVar[str] = "registry.shrink_allowed"
    list: ListName
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneTestBegun:
    """A technician begins to try the relays and inputs of a lane: its boom will move."""

    kind: ClassVar[str] = "lane.test_begun"
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneTested:
    """What a technician found, part by part; those never come to are not told."""

    kind: ClassVar[str] = "lane.tested"
    by: str
    parts: tuple[PartTested, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRolledBack:
    """The centre had events of the journal `before` that are not here: the database was restored,
    or copied. From number `first` on this journal tells what the centre had not confirmed.
    """

    kind: ClassVar[str] = "journal.rolled_back"
    before: str
    first: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalGap:
    """So many events since `since` were never written: the store failed for too long."""

    kind: ClassVar[str] = "journal.gap"
    events: int
    since: datetime


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
    | BarrierClosed
    | BarrierHeld
    | BarrierReleased
    | FireLatched
    | FireGlitch
    | FireReleased
    | PassageEnded
    | StayStarted
    | StayWarning
    | StayOverstayed
    | StaySuspected
    | StayEnded
    | BlacklistAdded
    | BlacklistSuspended
    | BlacklistRemoved
    | PolicyAdopted
    | VehicleIdentified
    | ZoneRecounted
    | ZoneSummary
    | LockdownOrdered
    | RegistryFollowed
    | RegistryRowsRefused
    | RegistryShrinkAllowed
    | LaneTestBegun
    | LaneTested
    | JournalGap
    | JournalRolledBack
    | OrderAnswered
    | AlarmRaised
    | AlarmCleared
)
"""What an event can tell."""
