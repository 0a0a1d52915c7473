"""The book of the zones: what holds there, in memory and in the store, which change together.

Stay steps and counts come in and are committed in one transaction; only then are they what holds.
Its owner lets one step at a time write.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gatekeeper.clock import Clock
from gatekeeper.health import Tell
from gatekeeper.model import Blemish, Commit, ListRow, PeerMark, Record, Stay, ZoneState
from gatekeeper.rules import excuse, journey, stay
from gatekeeper.rules.excuse import Excuses
from gatekeeper.rules.stay import Around, StayStep
from gatekeeper.store import Store
from gatekeeper.zones import peers
from gatekeeper.zones.exits import Exits
from gatekeeper.zones.past import Past
from gatekeeper.zones.places import ZonePlan
from gatekeeper.zones.roll import Roll


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one step changes besides the stays; `lane` and `passage` are where that comes from."""

    records: tuple[Record, ...] = ()
    counts: tuple[ZoneState, ...] = ()
    listed: tuple[ListRow, ...] = ()
    suspended: tuple[tuple[str, str], ...] = ()
    removed: tuple[tuple[str | None, str], ...] = ()
    marks: tuple[PeerMark, ...] = ()
    lane: str | None = None
    passage: str | None = None

    @property
    def is_nothing(self) -> bool:
        """Whether only the stays change."""
        blacklist = self.listed or self.suspended or self.removed
        return not (self.records or self.counts or self.marks or blacklist)


NOTHING = Change()


class Book:
    """Who is inside (`roll`), who was (`past`), and what is known of the `exits`; `moved` is set
    whenever somebody may have to be woken at another moment than before.
    """

    def __init__(
        self,
        plans: Mapping[str, ZonePlan],
        exits: Exits,
        *,
        store: Store,
        clock: Clock,
        changed: Tell,
    ) -> None:
        self.plans = plans
        self.exits = exits
        self.roll = Roll()
        self.past = Past()
        self.moved = asyncio.Event()
        self._store = store
        self._clock = clock
        self._changed = changed

    def around(self, zone: str) -> Around:
        """What holds in a zone; one that is no longer in the configuration is quiet."""
        plan = self.plans.get(zone)
        if plan is None:
            return stay.QUIET
        return Around(
            excuses=self.roll.excuses(zone),
            settling_s=peers.SETTLING_S if plan.peers else stay.SETTLING_S,
            blacklist_days=plan.policy.blacklist_days,
            advisory=plan.advisory,
            unproven=self.exits.unproven(zone),
        )

    # --- excuses ------------------------------------------------------------------------------

    def excuse(self, zone: str, cause: str, begins: bool, at: float) -> None:
        """From `at` on no time counts in a zone, or it counts again."""
        change = excuse.began if begins else excuse.ended
        self._reschedule(zone, change(self.roll.excuses(zone), cause, at))

    def excuse_span(self, zone: str, cause: str, since: float, until: float) -> None:
        """No time counted from `since` to `until`; that it began may have been told, or not."""
        before = excuse.ended(self.roll.excuses(zone), cause, until)
        self._reschedule(zone, excuse.lasted(before, cause, since, until))

    def _reschedule(self, zone: str, excuses: Excuses) -> None:
        at = self._clock.instant()
        self.roll.excused(zone, excuses, at.boot_s)
        around = self.around(zone)
        self.roll.rescheduled(
            zone, {each.id: stay.wake_at(each, at, around) for each in self.roll.watched(zone)}
        )
        self.moved.set()

    # --- writing it down ----------------------------------------------------------------------

    async def blemish(self, zone: str, blemish: Blemish, change: Change = NOTHING) -> None:
        """Something was found against every window that is open in a zone."""
        around = self.around(zone)
        steps = journey.blemished(self.roll.watched(zone), [blemish], blemish.at, around)
        await self.write(steps, change)

    async def write(self, steps: Sequence[StayStep], change: Change = NOTHING) -> None:
        """Commit all of it or nothing. Raises `StoreError`; then what held before holds still."""
        if not steps and change.is_nothing:
            return
        commit = self._commit_of(steps, change)
        await self._store.commit(commit)
        self._take(steps, change)
        if commit.listed or commit.suspended or commit.removed or commit.counts:
            self._changed()

    def _commit_of(self, steps: Sequence[StayStep], change: Change) -> Commit:
        at = self._clock.instant()
        told = tuple(
            Record(fact=fact, at=at, lane=change.lane, passage=change.passage)
            for each in steps
            for fact in each.facts
        )
        return Commit(
            records=change.records + told,
            stays=tuple(each.stay for each in steps),
            listed=change.listed + tuple(row for each in steps for row in each.listed),
            suspended=change.suspended + tuple(key for each in steps for key in each.suspended),
            removed=change.removed,
            counts=change.counts,
            marks=change.marks,
        )

    def _take(self, steps: Sequence[StayStep], change: Change) -> None:
        self.roll.take(self._timed(each.stay) for each in steps)
        self.roll.counted(change.counts)
        for each in steps:
            if each.stay.ended is not None:
                self.past.left(each.stay.zone, each.stay.plate, each.stay.ended.boot_s)
        self.moved.set()

    def _timed(self, each: Stay) -> StayStep:
        """When it wants to be woken, as exits are by now: they may have changed meanwhile."""
        at, around = self._clock.instant(), self.around(each.zone)
        return StayStep(stay=each, wake_at=stay.wake_at(each, at, around))
