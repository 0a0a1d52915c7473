"""Why the boom of a lane is kept up, and until when.

Pure: what may keep it up comes in as a value, the reasons that stand go out, the strongest first.
The boom is up as long as one stands, and each ends by itself. A lockdown is not
among the questions: it closes no boom (docs/situations.md, 22).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gatekeeper.model import Hold, HoldReason, Instant, Reason

ADMITS_AS = (Reason.FIRE, Reason.HELD_OPEN)
"""For these reasons every vehicle is admitted without a pulse: the boom is kept up."""

FLEET_LASTS_S = 3600.0
"""A fleet of which fewer vehicles come than were ordered for is over after this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What may keep up the boom of one lane."""

    fire: bool = False
    holds: tuple[Hold, ...] = ()
    stale_camera: bool = False
    lane_failed: bool = False


def reasons(standing: Standing) -> tuple[HoldReason, ...]:
    """Why the boom is kept up now, the strongest reason first; empty if it need not be."""
    kept = {hold.reason for hold in standing.holds}
    kept |= {HoldReason.FIRE} if standing.fire else set()
    kept |= {HoldReason.STALE_CAMERA} if standing.stale_camera else set()
    kept |= {HoldReason.LANE_FAILED} if standing.lane_failed else set()
    return tuple(reason for reason in HoldReason if reason in kept)


def admits_as(found: Iterable[HoldReason]) -> Reason | None:
    """The reason for which every vehicle is admitted; None where the rules decide."""
    first = next(iter(found), None)
    if first is None:
        return None
    return Reason.FIRE if first is HoldReason.FIRE else Reason.HELD_OPEN


def passed(holds: Iterable[Hold], vehicles: int) -> tuple[Hold, ...]:
    """The holds after so many vehicles more have passed."""
    return tuple(
        hold if hold.vehicles is None else replace(hold, vehicles=max(0, hold.vehicles - vehicles))
        for hold in holds
    )


def is_over(hold: Hold, now: Instant) -> bool:
    """Whether a hold has ended by itself. For one from before a reboot this is known only where
    the wall clock was trusted then and is now; until then it goes on.
    """
    if hold.vehicles is not None and hold.vehicles <= 0:
        return True
    ends = ends_at(hold, now)
    return ends is not None and ends <= now.boot_s


def ends_at(hold: Hold, now: Instant) -> float | None:
    """When a hold is over by time, on the boot clock of `now`; None if never, or not known."""
    if hold.lasts_s is None:
        return None
    if hold.begun.boot_id == now.boot_id:
        return hold.begun.boot_s + hold.lasts_s
    if not (hold.begun.trusted and now.trusted):
        return None
    return now.boot_s + hold.lasts_s - (now.wall - hold.begun.wall).total_seconds()


def until(hold: Hold) -> datetime | None:
    """When a hold is over by the wall clock, for people to read."""
    return None if hold.lasts_s is None else hold.begun.wall + timedelta(seconds=hold.lasts_s)
