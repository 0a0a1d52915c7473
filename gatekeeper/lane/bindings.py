"""Plates bound in the last minutes, and who waits at the gates: what a driver has just done.

A visitor who is refused binds the plate by phone, and the camera may have misread one character.
The fresh binding then tells whose car it is, if no other waiting car could be meant by it.
"""

from gatekeeper.model import ListChanges, ListName
from gatekeeper.rules import plate

_KEPT = 1000
"""Fresh bindings remembered, the newest; a whole list that comes at once holds no fresh ones."""


class Bindings:
    """What all lanes share; in memory only, for it is worth nothing after a restart."""

    def __init__(self) -> None:
        self._bound_at: dict[str, float] = {}
        self._waiting: dict[str, str] = {}

    def changed(self, changes: ListChanges | None, at: float) -> None:
        """A list has changed; None stands for a whole list."""
        if changes is None or changes.list is not ListName.VISITORS:
            return
        for change in changes.changes:
            self._bound_at.pop(change.row.plate, None)
            if not change.remove:
                self._bound_at[change.row.plate] = at
        while len(self._bound_at) > _KEPT:
            del self._bound_at[next(iter(self._bound_at))]

    def waits(self, lane: str, of_plate: str | None) -> None:
        """A vehicle read as `of_plate` waits in a lane; None: nobody waits there."""
        if of_plate is None:
            self._waiting.pop(lane, None)
        else:
            self._waiting[lane] = of_plate

    def fresh(self, lane: str, keys: frozenset[str], at: float, fresh_s: float) -> tuple[str, ...]:
        """Which of these plates were bound no longer than `fresh_s` ago and can be meant by no
        other waiting vehicle than the one in `lane`.
        """
        others = [read for name, read in self._waiting.items() if name != lane]
        return tuple(
            bound
            for bound in sorted(keys & self._bound_at.keys())
            if at - self._bound_at[bound] <= fresh_s
            and not any(bound == read or bound in plate.look_alikes(read) for read in others)
        )
