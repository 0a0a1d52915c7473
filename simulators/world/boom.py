"""A barrier's arm: it rises on a pulse, and falls by itself."""

from typing import Final

from simulators.world.agenda import NEVER

RISES_S: Final = 2.0
AFTER_CAR_S: Final = 2.0
"""It falls so long after the safety loop has cleared ..."""
WAITS_S: Final = 10.0
"""... or so long after it was up, if no car came."""


class Boom:
    """Where the arm is follows from a few times; no event is needed when it falls.

    `by_hand` is whether somebody has lifted it, so that it stays up until lowered.
    """

    __slots__ = ("_falls_at", "_occupied", "_waiting", "by_hand", "up_at")

    def __init__(self) -> None:
        self.up_at = NEVER
        self.by_hand = False
        self._falls_at = -NEVER
        self._occupied = False
        self._waiting = -NEVER  # when it was opened for a car that has not come yet

    def up(self, at: float) -> bool:
        """Whether a car may drive at a moment, by what has happened until now."""
        return self.up_at <= at < self._falls_at

    def inviting(self, at: float) -> bool:
        """Whether it is up and not yet taken: the next car will take it."""
        return self.up(at) and (self.by_hand or self._waiting > -NEVER)

    def pulse(self, at: float) -> None:
        """Rise, or stay up for the next car too."""
        if at >= self._falls_at:
            self.up_at = at + RISES_S
        self._waiting = max(at, self.up_at)
        self._falls_at = max(self._falls_at, self._waiting + WAITS_S)

    def enter(self) -> None:
        """A car sets out under it, and it cannot fall."""
        self._occupied, self._waiting = True, -NEVER
        self._falls_at = NEVER

    def clear(self, at: float) -> None:
        """The last car has left the safety loop. A pulse given meanwhile was for the next."""
        self._occupied = False
        if not self.by_hand:
            self._falls_at = max(at + AFTER_CAR_S, self._waiting + WAITS_S)

    def lift(self, at: float) -> None:
        """Somebody lifts it by hand."""
        self.by_hand, self.up_at, self._falls_at = True, at, NEVER

    def lower(self, at: float) -> None:
        """It is no longer held: it falls, unless a car is under it."""
        self.by_hand = False
        if not self._occupied:
            self._falls_at, self._waiting = at, -NEVER
