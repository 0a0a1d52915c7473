"""A decision, and what it rests on."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from gatekeeper.model.lists import ListRow, ListVersion


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
    """What a decision comes to; `look_again`: more reads first, for the time of a second look."""

    ADMIT = "admit"
    REFUSE = "refuse"
    LOOK_AGAIN = "look_again"


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
    OUTSIDE_HOURS = "outside_hours"
    COOLDOWN = "cooldown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneState:
    """What a decision has to know of the zone behind the gate.

    `count` is of vehicles that passed, never of open stays; it refuses no car unless `trusted`.
    `coming` are those admitted and not yet through: a space is given away once.
    """

    zone: str
    count: int
    trusted: bool
    coming: int = 0

    @property
    def taken(self) -> int:
        """The spaces that are taken or promised."""
        return self.count + self.coming


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteState:
    """What holds around a lane: `fire` and `lockdown` everywhere, `held_open` for its own boom.

    `centre_away_s` is how long the centre has been out of reach, 0.0 while it is there, and None
    where none is configured.
    """

    fire: bool = False
    held_open: bool = False
    lockdown: bool = False
    centre_away_s: float | None = 0.0


def _is_none(value: object) -> bool:
    return value is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How long a stay may last; frozen when the vehicle has passed. `until` is when the list row
    ends that binds the plate to it, None if never; that is not written where it is stored or sent.
    """

    limit_s: float
    warning_s: float
    grace_s: float
    until: datetime | None = field(default=None, metadata={"exclude_if": _is_none})


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What a decision rested on besides the sighting and the zone's policy: with these it can be
    decided again, and must come out the same.

    `now` is the site's own time; `certain` the calibrated character confidence; `rows` what the
    lists said of the plate and its look-alikes. `fresh` are plates among these that were bound
    so recently, with no other waiting vehicle near to them, that a driver at this gate may have
    bound them; `away_s` is how long the plate has been out of the zone, None if unknown; `waited_s`
    how long the vehicle has been standing here. `identified` is the plate a person at the centre
    gave to a vehicle whose own could not be read; `looked_twice` is whether the second look
    at a look-alike of a blacklisted plate is over.
    """

    direction: Direction
    rows: tuple[ListRow, ...]
    zone: ZoneState
    site: SiteState
    now: datetime
    certain: float
    fresh: tuple[str, ...] = ()
    away_s: float | None = None
    waited_s: float = 0.0
    identified: str | None = None
    looked_twice: bool = False
