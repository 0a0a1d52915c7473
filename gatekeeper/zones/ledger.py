"""What holds in the zones: stays, counts and what is known of the exits.

Stay steps and counts come in, hold from that moment and are posted to the journal, which writes
them behind. Nothing here waits.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gatekeeper.clock import Clock
from gatekeeper.health import Tell
from gatekeeper.journal import Journal, Posted
from gatekeeper.model import Commit, ListRow, NotedDoubt, PeerMark, Record, Stay, ZoneState
from gatekeeper.rules import journey, pauses, stay
from gatekeeper.rules.pauses import PausedTime
from gatekeeper.rules.stay import Around, StayStep
from gatekeeper.zones import peers
from gatekeeper.zones.exits import Exits
from gatekeeper.zones.history import History
from gatekeeper.zones.open_stays import OpenStays
from gatekeeper.zones.places import ZonePlan


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


class Ledger:
    """Who is inside (`open`), who was (`history`), and what is known of the `exits`; `moved` is set
    whenever a stay may have to be judged at another moment than before.
    """

    def __init__(
        self,
        plans: Mapping[str, ZonePlan],
        exits: Exits,
        *,
        journal: Journal,
        clock: Clock,
        changed: Tell,
    ) -> None:
        self.plans = plans
        self.exits = exits
        self.open = OpenStays()
        self.history = History({zone: plan.policy for zone, plan in plans.items()})
        self.moved = asyncio.Event()
        self.journal = journal
        self._clock = clock
        self._changed = changed

    def around(self, zone: str) -> Around:
        """What holds in a zone; one that is no longer in the configuration is quiet."""
        plan = self.plans.get(zone)
        if plan is None:
            return stay.QUIET
        return Around(
            paused=self.open.paused(zone),
            settling_s=peers.SETTLING_S if plan.peers else stay.SETTLING_S,
            blacklist_days=plan.policy.blacklist_days,
            advisory=plan.advisory,
            doubtful_exit=self.exits.doubtful_exit(zone),
            local=plan.local,
        )

    # --- time that does not count ---------------------------------------------------------------

    def pause(self, zone: str, cause: str, begins: bool, at: float) -> None:
        """From `at` on no time counts in a zone, or it counts again."""
        change = pauses.began if begins else pauses.ended
        self._reschedule(zone, change(self.open.paused(zone), cause, at))

    def pause_span(self, zone: str, cause: str, since: float, until: float) -> None:
        """No time counted from `since` to `until`; that it began may have been told, or not."""
        before = pauses.ended(self.open.paused(zone), cause, until)
        self._reschedule(zone, pauses.lasted(before, cause, since, until))

    def _reschedule(self, zone: str, paused: PausedTime) -> None:
        at = self._clock.instant()
        self.open.keep_paused(zone, paused, at.boot_s)
        around = self.around(zone)
        self.open.rescheduled(
            zone, {each.id: stay.wake_at(each, at, around) for each in self.open.watched(zone)}
        )
        self.moved.set()

    # --- what holds from now on ---------------------------------------------------------------

    def doubt(self, zone: str, noted: NotedDoubt, change: Change = NOTHING) -> None:
        """Something was found against every window that is open in a zone."""
        around = self.around(zone)
        steps = journey.with_doubts(self.open.watched(zone), [noted], noted.at, around)
        self.take(steps, change)

    def take(self, steps: Sequence[StayStep], change: Change = NOTHING) -> Posted:
        """All of it holds from now on, and is posted as one commit."""
        if not steps and change.is_nothing:
            return self.journal.posted
        commit = self._commit_of(steps, change)
        self.open.take(self._timed(each.stay) for each in steps)
        self.open.counted(change.counts)
        for each in steps:
            if each.stay.ended is not None:
                self.history.left(each.stay.zone, each.stay.plate, each.stay.ended.boot_s)
        self.moved.set()
        posted = self.journal.post(commit)
        if commit.listed or commit.suspended or commit.removed or commit.counts:
            self._changed()
        return posted

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

    def _timed(self, each: Stay) -> StayStep:
        """When it wants to be woken, as exits are by now: they may have changed meanwhile."""
        at, around = self._clock.instant(), self.around(each.zone)
        return StayStep(stay=each, wake_at=stay.wake_at(each, at, around))
