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

    `kept_up` are those who keep it up until they let it down: "hand" and "relay".
    """

    __slots__ = ("_falls_at", "_occupied", "_waiting", "kept_up", "up_at")

    def __init__(self) -> None:
        self.up_at = NEVER
        self.kept_up: set[str] = set()
        self._falls_at = -NEVER
        self._occupied = False
        self._waiting = -NEVER  # when it was opened for a car that has not come yet

    def up(self, at: float) -> bool:
        """Whether a car may drive at a moment, by what has happened until now."""
        return self.up_at <= at < self._falls_at

    def changes_at(self, at: float) -> float:
        """When it will be up, or no longer, if nothing happens meanwhile; `NEVER` if it stays."""
        due = self.up_at if at < self.up_at else self._falls_at
        return due if due > at else NEVER

    def inviting(self, at: float) -> bool:
        """Whether it is up and not yet taken: the next car will take it."""
        return self.up(at) and (bool(self.kept_up) or self._waiting > -NEVER)

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
        if not self.kept_up:
            self._falls_at = max(at + AFTER_CAR_S, self._waiting + WAITS_S)

    def lift(self, at: float) -> None:
        """Somebody lifts it by hand."""
        self.kept_up.add("hand")
        self.up_at, self._falls_at = at, NEVER

    def hold(self, at: float) -> None:
        """A relay keeps it up: it rises, if it is not up."""
        self.kept_up.add("relay")
        if at >= self._falls_at:
            self.up_at = at + RISES_S
        self._falls_at = NEVER

    def lower(self, at: float, by: str = "hand") -> None:
        """One of those who keep it up does no longer: it falls, unless another does, or a car is
        under it.
        """
        self.kept_up.discard(by)
        if not self.kept_up and not self._occupied:
            self._falls_at, self._waiting = at, -NEVER
