"""The open stays, the counts and the paused time of every zone, in memory, ready to be asked.

What holds from now on comes in; who is inside, how many and who is still watched goes out. It
writes nothing and decides nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from gatekeeper.model import Stay, ZoneState
from gatekeeper.rules import pauses, stay
from gatekeeper.rules.pauses import PausedTime
from gatekeeper.rules.stay import StayStep


class OpenStays:
    """The open stays by id, by plate and, where a limit runs, by zone."""

    def __init__(self) -> None:
        self._open: dict[str, Stay] = {}
        self._of_plate: dict[str, set[str]] = defaultdict(set)
        self._watched: dict[str, dict[str, Stay]] = defaultdict(dict)
        self._wake_at: dict[str, float] = {}
        self._counts: dict[str, ZoneState] = {}
        self._coming: dict[str, set[str]] = defaultdict(set)
        self._paused: dict[str, PausedTime] = {}

    # --- stays --------------------------------------------------------------------------------

    @property
    def inside(self) -> tuple[Stay, ...]:
        """All open stays."""
        return tuple(self._open.values())

    def of_plate(self, plate: str) -> list[Stay]:
        """The open stays of a plate, in whatever zones."""
        return [self._open[key] for key in sorted(self._of_plate.get(plate, ()))]

    def watched(self, zone: str) -> tuple[Stay, ...]:
        """The stays in a zone whose limit still runs."""
        return tuple(self._watched[zone].values())

    def take(self, steps: Iterable[StayStep]) -> None:
        """The stays as they are after these steps."""
        for each in steps:
            self._forget(each.stay.id)
            if each.stay.ended is None:
                self._note(each.stay, each.wake_at)

    def due(self, at: float) -> list[Stay]:
        """The stays that want to be woken by then."""
        return [self._open[key] for key, wake_at in self._wake_at.items() if wake_at <= at]

    def wake_at(self) -> float | None:
        """When the first of them wants to be woken."""
        return min(self._wake_at.values(), default=None)

    def _note(self, each: Stay, wake_at: float | None) -> None:
        self._open[each.id] = each
        self._of_plate[each.plate].add(each.id)
        if stay.is_watched(each):
            self._watched[each.zone][each.id] = each
        if wake_at is not None:
            self._wake_at[each.id] = wake_at

    def _forget(self, key: str) -> None:
        before = self._open.pop(key, None)
        self._wake_at.pop(key, None)
        if before is None:
            return
        self._watched[before.zone].pop(key, None)
        self._of_plate[before.plate].discard(key)
        if not self._of_plate[before.plate]:
            del self._of_plate[before.plate]

    # --- counts -------------------------------------------------------------------------------

    def state(self, zone: str) -> ZoneState:
        """The count of a zone, with those who are coming; one never counted is not trusted."""
        held, coming = self._counts.get(zone), len(self._coming[zone])
        if held is None:
            return ZoneState(zone=zone, count=0, trusted=False, coming=coming)
        return ZoneState(zone=zone, count=held.count, trusted=held.trusted, coming=coming)

    def counted(self, states: Sequence[ZoneState]) -> None:
        """These counts hold from now on."""
        self._counts.update({state.zone: replace(state, coming=0) for state in states})

    def comes(self, zone: str, passage: str) -> None:
        """A vehicle was admitted and is not yet through: its space is taken."""
        self._coming[zone].add(passage)

    def came(self, zone: str, passage: str) -> bool:
        """Its passage is over, however it ended; whether a space had been kept for it."""
        kept = passage in self._coming[zone]
        self._coming[zone].discard(passage)
        return kept

    # --- paused ------------------------------------------------------------------------------

    def paused(self, zone: str) -> PausedTime:
        """What time counts towards no stay in a zone."""
        return self._paused.get(zone, pauses.NONE)

    def keep_paused(self, zone: str, paused: PausedTime, at: float) -> None:
        """The zone's paused time from now on, but for what no watched stay can still ask for."""
        oldest = min((s.counted_from.boot_s for s in self._watched[zone].values()), default=at)
        self._paused[zone] = pauses.since(paused, oldest)

    def rescheduled(self, zone: str, wake_at: dict[str, float | None]) -> None:
        """When the watched stays of a zone want to be woken, after its paused time has changed."""
        for key in self._watched[zone]:
            self._wake_at.pop(key, None)
            moment = wake_at.get(key)
            if moment is not None:
                self._wake_at[key] = moment
