"""Is the wall clock right? Two clocks are compared; nothing here reads one."""

from gatekeeper.model import Instant

OFF_S = 5.0
"""A wall clock may be off by this much, and no more (GA/T 1742-2020: within 5 s of Beijing)."""


def jumped_s(before: Instant, now: Instant) -> float:
    """By how much the wall clock was set forward between two moments of one boot; 0.0 across a
    boot, where there is nothing to compare it with.
    """
    if before.boot_id != now.boot_id:
        return 0.0
    return (now.wall - before.wall).total_seconds() - (now.boot_s - before.boot_s)
