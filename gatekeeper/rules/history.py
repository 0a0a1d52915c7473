"""What has to be remembered of a plate after its stay has ended, and for how long.

Two rules look back: a cooldown asks when an internal vehicle left the zone, and after the same
plate was inside twice nothing of it is certain for a day. Stays that have ended come in, what is
known of their plates goes out, and whether it can still matter. Moments are seconds on the boot
clock.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from gatekeeper.model import Doubt, Instant, Stay, ZonePolicy

CONFLICT_S = 86_400.0
"""So long after the same plate was inside twice nothing of it is certain (situations, 9)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of one plate in one zone: when it left last, and when it was last found to be
    inside twice; None for never, or for longer ago than it matters.
    """

    left_at: float | None = None
    twice_at: float | None = None


NOTHING = Known()
"""The plate was never here, or not for long."""


def look_back_s(policies: Iterable[ZonePolicy]) -> float:
    """How far back ended stays can still matter in any of these zones: at a start those that ended
    since then have to be recalled.
    """
    return max((CONFLICT_S, *(policy.cooldown_s for policy in policies)))


def recalled(ended: Stay, at: Instant) -> Known:
    """What a stay that ended before a start at `at` says of its plate.

    Within one boot the boot clock says how long ago that was, across boots the wall clock, if it
    was trusted then and is now; if neither can say, it was just now.
    """
    left_at = at.boot_s if ended.ended is None else _on_clock_of(ended.ended, at)
    twice = Doubt.PLATE_CONFLICT in ended.doubts
    return Known(left_at=left_at, twice_at=left_at if twice else None)


def later(one: Known, other: Known) -> Known:
    """Both together: the later moment of each kind."""
    return Known(
        left_at=_later(one.left_at, other.left_at), twice_at=_later(one.twice_at, other.twice_at)
    )


def is_in_conflict(known: Known, at: float) -> bool:
    """Whether the plate was inside twice less than a day ago."""
    return known.twice_at is not None and at < known.twice_at + CONFLICT_S


def matters(known: Known, policy: ZonePolicy | None, at: float) -> bool:
    """Whether anything can still come of it at `at` or later; if not, it may be forgotten. `policy`
    is the zone's, None where that is no longer in the configuration.
    """
    cooldown_s = 0.0 if policy is None else policy.cooldown_s
    cools = known.left_at is not None and at < known.left_at + cooldown_s
    return cools or is_in_conflict(known, at)


def _on_clock_of(moment: Instant, now: Instant) -> float:
    if moment.boot_id == now.boot_id:
        return moment.boot_s
    known = moment.trusted and now.trusted
    ago_s = (now.wall - moment.wall).total_seconds() if known else 0.0
    return now.boot_s - max(0.0, ago_s)


def _later(one: float | None, other: float | None) -> float | None:
    known = [moment for moment in (one, other) if moment is not None]
    return max(known, default=None)
