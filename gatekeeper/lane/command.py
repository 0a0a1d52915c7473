"""What a lane asks of its barrier, and until when it may be carried out."""

from uuid6 import uuid7

from gatekeeper.clock import Clock
from gatekeeper.model import BarrierCommand, Reason


def command(
    lane: str,
    clock: Clock,
    within_s: float,
    *,
    reason: Reason | None = None,
    passage: str | None = None,
    known_as: str | None = None,
) -> BarrierCommand:
    """A command that is good from now on for so long; `known_as` is its id, where it has one."""
    return BarrierCommand(
        id=known_as or str(uuid7()),
        lane=lane,
        passage=passage,
        reason=reason,
        deadline=clock.boot_s() + within_s,
    )
