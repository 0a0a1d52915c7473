"""How many vehicles are inside a zone: (count, a passage that is over) -> the count from then on.

Vehicles that passed are counted, never open stays (situations, 29).
"""

from dataclasses import dataclass

from gatekeeper.model import Direction, Doubt, ZoneState
from gatekeeper.rules.journey import Ended

MISCOUNTS = frozenset(
    {
        Doubt.TAILGATING,
        Doubt.SAFETY_LOOP_LONG,
        Doubt.SAFETY_LOOP_GAP,
        Doubt.DIRECTION_UNKNOWN,
    }
)
"""With these it is unknown how many vehicles crossed."""

_STEP = {Direction.ENTRY: 1, Direction.EXIT: -1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What holds from now on, and what makes the number doubtful, if anything does."""

    state: ZoneState
    doubtful: str | None = None


def counted(before: ZoneState, direction: Direction, told: Ended) -> Counted | None:
    """One more, or one less; None for a passage that changes nothing. The count never goes below
    zero, and where it is doubtful how many passed, it is not trusted until a person counts.
    """
    count = before.count + (_STEP[direction] if told.through else 0)
    doubtful = _doubtful(count, told)
    if not told.through and doubtful is None:
        return None
    trusted = before.trusted and doubtful is None
    state = ZoneState(zone=before.zone, count=max(count, 0), trusted=trusted)
    return Counted(state=state, doubtful=doubtful)


def _doubtful(count: int, told: Ended) -> str | None:
    if count < 0:
        return "more have left than had come"
    return "a passage in doubt" if MISCOUNTS & set(told.doubts) else None
