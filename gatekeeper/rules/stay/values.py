"""What can happen to a stay, what holds around it, and what a step of it comes to."""

from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import TypeAlias

from gatekeeper.model import Fact, Instant, Limit, ListRow, NotedDoubt, PassageEnd, Stay
from gatekeeper.rules import pauses
from gatekeeper.rules.pauses import PausedTime

SETTLING_S = 10.0
"""News of what spoils a window may be late by this much: a dead camera is noticed within 5 s, a
silent relay board within 2 s. No stay is judged by the clock before it has come."""


@dataclass(frozen=True, slots=True)
class AwayFromExit:
    """The vehicle's visit to an exit, begun at `arrived`, is over."""

    end: PassageEnd
    arrived: Instant


@dataclass(frozen=True, slots=True)
class SeenOutside:
    """The plate was read outside the zone: its exit was missed; or, where it came to an entry of
    the zone (`at_entry`), there are two of it (situations, 9).
    """

    at_entry: bool = False


@dataclass(frozen=True, slots=True)
class Doubted:
    """Something happened that could explain an overstay."""

    noted: NotedDoubt


@dataclass(frozen=True, slots=True)
class Restarted:
    """The controller went live again with the stay still open."""


@dataclass(frozen=True, slots=True)
class GivenUp:
    """The vehicle is no longer believed to be inside: the stay is too old, or a person counted."""


@dataclass(frozen=True, slots=True)
class Eased:
    """The list has changed: the limit is this one now, None for no limit. Only ever longer."""

    limit: Limit | None


@dataclass(frozen=True, slots=True)
class Woken:
    """The moment asked for by `wake_at` has come, or any other moment."""


StayInput: TypeAlias = AwayFromExit | SeenOutside | Doubted | Restarted | GivenUp | Eased | Woken


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What holds in the stay's zone: what time is paused, how late news may be, how long a row
    this gate puts on the blacklist lasts (None: no end), and whether limits are only advisory.
    `doubtful_exit` is an exit lane whose safety loop has been silent since a vehicle seemed to back
    out there: if the loop is dead, that vehicle has left. `local` is the site's time.
    """

    paused: PausedTime = field(default=pauses.NONE)
    settling_s: float = SETTLING_S
    blacklist_days: float | None = None
    advisory: bool = False
    doubtful_exit: str | None = None
    local: tzinfo = UTC


QUIET = Around()
"""No vehicle at the exits, and no news outstanding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StayStep:
    """What a step comes to: the stay as it is now, and what has to be committed with it.

    `listed` are rows for the blacklist, `suspended` the (zone, plate) of rows to set aside;
    `wake_at` is when to step again with `Woken` (boot clock), None if nothing is due by itself:
    a pause without an end is asked about again when it has ended.
    """

    stay: Stay
    facts: tuple[Fact, ...] = ()
    listed: tuple[ListRow, ...] = ()
    suspended: tuple[tuple[str, str], ...] = ()
    wake_at: float | None = None
