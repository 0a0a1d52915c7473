"""How long a stay has lasted, and when to look at it next.

Durations come from the boot clock. Paused time (`rules.pauses`) does not count: the clock of a
vehicle that waits at an exit stands still. The time before a restart does not count either, since
the gate may have been without power for any part of it: a limit begins again then, and never ends
as certain. No step of a wall clock moves anything.
"""

from gatekeeper.model import Instant, Limit, Stay, ZonePolicy
from gatekeeper.rules import pauses
from gatekeeper.rules.stay.doubts import is_watched
from gatekeeper.rules.stay.values import QUIET, Around

EARLY_S = 0.001
"""A timer may fire so much early: less would be rounding, and rounding must not make it spin."""


_ROUNDING_S = 0.0005
"""Sums of moments are not exact: milliseconds count, rounding does not."""


def counted_s(stay: Stay, until: Instant, around: Around = QUIET) -> float:
    """How much of the time inside counts until then; 0.0 across a boot that was not told of."""
    since = stay.counted_from
    if until.boot_id != since.boot_id or until.boot_s <= since.boot_s:
        return 0.0
    paused_s = pauses.paused_s(around.paused, since.boot_s, until.boot_s)
    return max(0.0, until.boot_s - since.boot_s - paused_s)


def wake_at(stay: Stay, at: Instant, around: Around) -> float | None:
    """When a watched stay wants to be stepped next (boot clock), as things stand at `at`."""
    if not is_watched(stay) or stay.limit is None:
        return None
    settled_at = pauses.settled_at(around.paused, at.boot_s)
    if settled_at is None:
        return None
    due_s = window_s(stay.limit) + around.settling_s if stay.warned else warning_s(stay.limit)
    left_s = max(0.0, due_s - counted_s(stay, at, around))
    return max(settled_at, at.boot_s + left_s)


def is_too_old(stay: Stay, policy: ZonePolicy, at: Instant) -> bool:
    """Whether it goes on for longer than its zone's policy believes; never across a boot."""
    longest_s = policy.abandon_s if stay.limit is None else policy.abandon_limited_s
    since = stay.counted_from
    return at.boot_id == since.boot_id and at.boot_s - since.boot_s > longest_s


def is_over(stayed_s: float, limit: Limit) -> bool:
    """Whether it was an overstay: an arrival at the exit at exactly limit and grace is none, to the
    last millisecond (situations, 38).
    """
    return stayed_s > window_s(limit) + _ROUNDING_S


def is_due(stayed_s: float, after_s: float) -> bool:
    """Whether it has lasted so long, to within a timer's rounding."""
    return stayed_s + EARLY_S >= after_s


def warning_s(limit: Limit) -> float:
    """After how long the driver is warned."""
    return limit.limit_s - limit.warning_s


def is_longer(limit: Limit, than: Limit) -> bool:
    """Whether a limit is better for the driver in every way."""
    return limit.limit_s > than.limit_s and window_s(limit) >= window_s(than)


def window_s(limit: Limit) -> float:
    """How long the window W is: no stay is judged before its end."""
    return limit.limit_s + limit.grace_s
