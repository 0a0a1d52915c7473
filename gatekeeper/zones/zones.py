"""The zones: who is inside, how many, and since when.

Lanes tell it what they saw and how each passage ended, the peers' events come in by the broker;
it asks the rules what that means for everybody inside, and commits the answer together with the
passage, in one transaction. It wakes by itself when a limit comes near. It decides nothing about
a barrier.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from gatekeeper.clock import Clock, rest
from gatekeeper.errors import StoreError
from gatekeeper.health import Health, Tell
from gatekeeper.model import (
    Admits,
    Blemish,
    Direction,
    Doubt,
    Instant,
    ListChanges,
    PeerEvent,
    PeerHealth,
    Record,
    Sighting,
    Stay,
    ZoneRecounted,
    ZoneState,
    ZoneSummary,
)
from gatekeeper.rules import identity, journey, occupancy, stay
from gatekeeper.rules.journey import Ended, Place
from gatekeeper.rules.stay import StayInput, StayStep
from gatekeeper.store import Store
from gatekeeper.zones.book import Book, Change
from gatekeeper.zones.exits import Exits
from gatekeeper.zones.hearing import Hearing
from gatekeeper.zones.passages import Passages
from gatekeeper.zones.past import CONFLICT_S
from gatekeeper.zones.peers import Peers
from gatekeeper.zones.places import ZonePlan, exits_of

WAKE_AT_LEAST_S = 5.0
"""How often the clerk of the zones looks up, wanted or not: its heartbeat."""

AGED_EVERY_S = 600.0
"""How often it is looked whether a stay is too old to be believed."""

Given = ParamSpec("Given")


def _in_turn(
    step: Callable[Concatenate["Zones", Given], Awaitable[None]],
) -> Callable[Concatenate["Zones", Given], Coroutine[Any, Any, None]]:
    """One step at a time: what a step rests on may not change while it is written down."""

    @wraps(step)
    async def taken(self: "Zones", /, *args: Given.args, **kwargs: Given.kwargs) -> None:
        async with self._turn:
            await step(self, *args, **kwargs)

    return taken


class Zones:
    """Keeps every zone's open stays and its count; the only writer of both."""

    def __init__(
        self,
        places: Mapping[str, Place],
        plans: Iterable[ZonePlan],
        *,
        store: Store,
        clock: Clock,
        health: Health,
        certain: float,
        peers: Iterable[str] = (),
        changed: Tell = lambda: None,
    ) -> None:
        """`peers` are the other controllers of the site; `changed` is told when a list or a count
        has changed, so that waiting vehicles are decided again.
        """
        self._places = dict(places)
        self._plans = {plan.policy.zone: plan for plan in plans}
        self._store = store
        self._clock = clock
        self._health = health
        self._changed = changed
        exits = Exits(
            self._places.values(), {zone: plan.peers for zone, plan in self._plans.items()}
        )
        self._book = Book(self._plans, exits, store=store, clock=clock, changed=changed)
        self._peers = Peers(exits_of(peers, self._plans.values()))
        lies_in = {zone: plan.inside for zone, plan in self._plans.items()}
        self._passages = Passages(self._book, self._peers, lies_in, certain)
        self._hearing = Hearing(self._book, self._peers, self._passages, clock)
        self._aged_at = 0.0
        self._turn = asyncio.Lock()

    @_in_turn
    async def start(self) -> None:
        """Take up what was stored. No stay that ran through a restart can end as certain, and no
        count is trusted: who passed meanwhile nobody knows. Stays in a zone that is no longer in
        the configuration are given up; a policy that is kinder than the one they began with holds
        for them, too.
        """
        at = self._clock.instant()
        counts = [replace(state, trusted=False) for state in await self._store.counts()]
        self._book.roll.counted(counts)
        self._peers.take_up(await self._store.peer_marks())
        since = at.wall - timedelta(seconds=CONFLICT_S)
        self._book.past.recall(await self._store.ended_stays(since), at)
        steps = []
        for each in await self._store.open_stays():
            plan = self._plans.get(each.zone)
            if plan is None:
                steps.append(self._step(each, stay.GivenUp(), at))
                continue
            again = self._step(each, stay.Restarted(), at)
            steps.append(self._step(again.stay, stay.Eased(limit=plan.policy.limit), at))
        await self._book.write(steps, Change(counts=tuple(counts)))
        await self._ease([each.stay for each in steps])

    def _step(self, each: Stay, what: StayInput, at: Instant) -> StayStep:
        return stay.step(each, what, at, self._book.around(each.zone))

    # --- what the lanes ask -------------------------------------------------------------------

    def state(self, zone: str) -> ZoneState:
        """The count of a zone; one never counted is empty, and not trusted."""
        return self._book.roll.state(zone)

    def away_s(self, zone: str, of_plate: str | None) -> float | None:
        """How long ago a plate left a zone, None if that is not known."""
        left_at = self._book.past.left_at(zone, of_plate or "")
        return None if left_at is None else self._clock.boot_s() - left_at

    # --- what the lanes tell ------------------------------------------------------------------

    def admitted(self, lane: str, passage: str) -> None:
        """A vehicle is about to come through an entry: its space is taken."""
        place = self._places[lane]
        if place.direction is Direction.ENTRY:
            self._book.roll.comes(place.zone, passage)

    def occupied(self, lane: str, occupied: bool, at: float) -> None:
        """A vehicle stands in a lane, or has gone: a queue at an exit is nobody's fault."""
        place = self._places[lane]
        if place.direction is Direction.EXIT:
            self._book.excuse(place.zone, lane, occupied, at)

    async def watched(self, lane: str, watched: bool) -> None:
        """Whether a lane can be watched; an exit that cannot spoils every open window."""
        place = self._places[lane]
        if watched == self._book.exits.is_watched(lane):
            return
        self._book.exits.watch(lane, watched)
        if place.direction is Direction.EXIT:
            self._book.excuse(place.zone, f"{lane} unwatched", not watched, self._clock.boot_s())
            await self.doubt(lane, Doubt.EXIT_LANE_UNHEALTHY)

    async def held(self, lane: str, up: bool) -> None:
        """The boom of a lane is kept up from now on, or no longer: anybody may leave unproven,
        against the way of an entry, too.
        """
        self._book.exits.hold(lane, up)
        await self.doubt(lane, Doubt.HELD_OPEN)

    @_in_turn
    async def arrived(self, lane: str, sighting: Sighting, at: Instant) -> None:
        """A vehicle that arrived at `at` was read: every stay in a zone it is now seen to be
        outside of has ended.
        """
        place = self._places[lane]
        steps = [
            journey.seen_outside(each, place, at, self._book.around(each.zone))
            for each in self._passages.outside(place, sighting.plate, at)
        ]
        await self._book.write(steps, Change(lane=lane))

    @_in_turn
    async def ended(self, told: Ended) -> None:
        """A passage is over: commit that, and whatever stays and counts make of it, at once."""
        place = self._places[told.lane]
        kept = self._book.roll.came(place.zone, told.passage)
        steps = self._passages.over(place, told)
        if told.through and place.direction is Direction.ENTRY:
            steps += self._passages.begun(place, told)
        fact = journey.fact_of(place, told)
        change = Change(
            records=(Record(fact=fact, at=told.at, lane=told.lane, passage=told.passage),),
            counts=self._counted(place, told),
            lane=told.lane,
            passage=told.passage,
        )
        await self._book.write(steps, change)
        # a list may have changed between the decision and now (situations, 39)
        await self._ease([each.stay for each in steps if each.stay.entry_passage == told.passage])
        if kept and not told.through:
            self._changed()  # its space is free again

    def _counted(self, place: Place, told: Ended) -> tuple[ZoneState, ...]:
        before = self.state(place.zone)
        counted = occupancy.counted(before, place.direction, told)
        if counted is None:
            return ()
        if counted.doubtful is not None and before.trusted:
            self._health.raise_alarm("count_untrusted", place.zone, counted.doubtful)
        return (counted.state,)

    @_in_turn
    async def doubt(self, lane: str, doubt: Doubt, passage: str | None = None) -> None:
        """Something happened in `lane` that could hide an exit: no overstay that runs now in its
        zone can end as certain.
        """
        place = self._places[lane]
        if place.direction is Direction.ENTRY and doubt not in journey.HIDES_EXIT_AT_ENTRY:
            return
        blemish = Blemish(doubt=doubt, at=self._clock.instant(), lane=lane, passage=passage)
        await self._book.blemish(place.zone, blemish, Change(lane=lane))

    # --- what the centre and the peers tell ---------------------------------------------------

    @_in_turn
    async def recount(self, zone: str, count: int, by: str, reason: str) -> None:
        """A person counted: the number is trusted again. None inside: every stay is given up."""
        at = self._clock.instant()
        fact = ZoneRecounted(
            zone=zone, count=count, before=self.state(zone).count, by=by, reason=reason
        )
        gone = [each for each in self._book.roll.inside if each.zone == zone and count == 0]
        steps = [self._step(each, stay.GivenUp(), at) for each in gone]
        self._health.clear_alarm("count_untrusted", zone)
        change = Change(
            records=(Record(fact=fact, at=at),),
            counts=(ZoneState(zone=zone, count=count, trusted=True),),
        )
        await self._book.write(steps, change)

    @_in_turn
    async def summarise(self, since: datetime) -> None:
        """Tell of each zone whose limits are advisory which stays seemed too long since then."""
        at = self._clock.instant()
        stays = [*await self._store.ended_stays(since), *self._book.roll.inside]
        facts = [
            _summary(zone, [each for each in stays if each.zone == zone])
            for zone, plan in self._plans.items()
            if plan.advisory and plan.policy.admits is Admits.REGISTERED
        ]
        records = tuple(Record(fact=fact, at=at) for fact in facts)
        await self._book.write((), Change(records=records))

    @_in_turn
    async def lists_changed(self, changes: ListChanges | None) -> None:
        """A later change of list may lift a limit (situations, 8); None: a whole list is new."""
        told = None if changes is None else {change.row.plate for change in changes.changes}
        await self._ease(
            [each for each in self._book.roll.inside if told is None or each.plate in told]
        )

    async def _ease(self, stays: Iterable[Stay]) -> None:
        """Lift the limits of those that the lists, as they are now, no longer bind."""
        concerned = [each for each in stays if stay.is_watched(each)]
        if not concerned:
            return
        at = self._clock.instant()
        listing = await self._store.listing({each.plate for each in concerned})
        bound = identity.bound_by_limits(listing.rows, at.wall)
        steps = [
            self._step(each, stay.Eased(limit=None), at)
            for each in concerned
            if each.plate not in bound
        ]
        await self._book.write(steps)

    @_in_turn
    async def heard(self, told: PeerEvent | PeerHealth) -> None:
        """Another controller of the site told of itself."""
        await self._hearing.hear(told)

    # --- waking -------------------------------------------------------------------------------

    async def run(self) -> None:
        """Wake when a limit comes near, for ever."""
        while True:
            self._health.beat("zones", within_s=3 * WAKE_AT_LEAST_S)
            try:
                await self.wake()
            except StoreError as error:
                self._health.raise_alarm("store_failed", "store", str(error))
                await asyncio.sleep(1.0)
            self._book.moved.clear()
            await rest(self._book.moved, self.wake_at, self._clock, at_most_s=WAKE_AT_LEAST_S)

    @property
    def wake_at(self) -> float | None:
        """When `wake` is due next (boot clock), None if no limit runs."""
        return self._book.roll.wake_at()

    @_in_turn
    async def wake(self) -> None:
        """Warn and judge whoever is due, and look after peers and stays that grow old."""
        await self._hearing.doubt_the_silent()
        at = self._clock.instant()
        due = self._book.roll.due(at.boot_s + stay.EARLY_S)
        await self._book.write([self._step(each, stay.Woken(), at) for each in due])
        await self._book.write(self._aged(at))

    def _aged(self, at: Instant) -> list[StayStep]:
        if at.boot_s - self._aged_at < AGED_EVERY_S:
            return []
        self._aged_at = at.boot_s
        return [
            self._step(each, stay.GivenUp(), at)
            for each in self._book.roll.inside
            if stay.is_too_old(each, self._plans[each.zone].policy, at)
        ]


def _summary(zone: str, stays: Iterable[Stay]) -> ZoneSummary:
    limited = [each for each in stays if each.limit is not None]
    long = sorted({each.plate for each in limited if each.judgement is not None})
    return ZoneSummary(zone=zone, stays=len(limited), seemed_long=tuple(long))
