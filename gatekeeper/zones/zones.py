"""The zones: who is inside, how many, and since when.

Lanes tell it what they saw and how each passage ended, the peers' events come in by the broker; it
asks the rules what that means for everybody inside. The answer holds at once, and is posted to the
journal together with the passage, as one commit. It wakes by itself when a limit comes near. It
decides nothing about a barrier, and what lanes tell it never waits for the disk.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from gatekeeper.clock import Clock, rest
from gatekeeper.health import Health, Tell
from gatekeeper.journal import Journal, PastLife, Posted
from gatekeeper.model import (
    Admits,
    Direction,
    Doubt,
    Instant,
    NotedDoubt,
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
from gatekeeper.zones.exchanged import ExchangedCameras
from gatekeeper.zones.exits import Exits
from gatekeeper.zones.ledger import Change, Ledger
from gatekeeper.zones.passages import Passages
from gatekeeper.zones.peer_listener import PeerListener
from gatekeeper.zones.peers import Peers
from gatekeeper.zones.places import ZonePlan, exits_of

BEAT_S = 5.0
"""How often the zones say that they live, though no limit is near."""

AGED_EVERY_S = 600.0
"""How often stays that are too old to be believed are looked for."""


class Zones:
    """Keeps every zone's open stays and its count; the only writer of both."""

    def __init__(
        self,
        places: Mapping[str, Place],
        plans: Iterable[ZonePlan],
        *,
        journal: Journal,
        clock: Clock,
        health: Health,
        certain: float,
        peers: Iterable[str] = (),
        changed: Tell = lambda: None,
        began: Callable[[str], None] = lambda _plate: None,
    ) -> None:
        """`peers` are the other controllers of the site; `changed` is told when a list or a count
        has changed, so that waiting vehicles are decided again, and `began` the plate of each stay
        that begins, so that the lists are asked of it once more.
        """
        self._began = began
        self._places = dict(places)
        self._plans = {plan.policy.zone: plan for plan in plans}
        self._journal = journal
        self._clock = clock
        self._health = health
        self._changed = changed
        exits = Exits(
            self._places.values(), {zone: plan.peers for zone, plan in self._plans.items()}
        )
        self._ledger = Ledger(self._plans, exits, journal=journal, clock=clock, changed=changed)
        self._peers = Peers(exits_of(peers, self._plans.values()))
        lies_in = {zone: plan.inside for zone, plan in self._plans.items()}
        self._exchanged = ExchangedCameras(self._places.values(), health)
        self._passages = Passages(self._ledger, self._peers, lies_in, certain, self._exchanged)
        self._listener = PeerListener(self._ledger, self._peers, self._passages, clock)
        self._aged_at = 0.0
        journal.watch(self._store_failed)

    def restore(self, past: PastLife) -> None:
        """Take up what the store knows of the life before this one.

        No stay that ran through a restart can end as certain, and no count is trusted: who passed
        meanwhile is not known. Stays in a zone that is no longer in the configuration are given
        up; a policy that is kinder than the one they began with holds for them, too. What was seen
        since the start, where the store was opened later, is kept beside it.
        """
        at = self._clock.instant()
        self._peers.restore(past.marks)
        self._ledger.history.recall(past.ended, at)
        steps = [step for each in past.inside for step in self._restored(each, at)]
        counts = tuple(self._recounted(state) for state in past.counts)
        self._ledger.take(steps, Change(counts=counts))

    @property
    def remembered_s(self) -> float:
        """How far back anything may be asked of a plate that has left."""
        return self._ledger.history.look_back_s

    def _restored(self, each: Stay, at: Instant) -> list[StayStep]:
        plan = self._plans.get(each.zone)
        if plan is None:
            return [self._step(each, stay.GivenUp(), at)]
        again = self._step(each, stay.Restarted(), at)
        return [self._step(again.stay, stay.Eased(limit=plan.policy.limit), at)]

    def _recounted(self, stored: ZoneState) -> ZoneState:
        """With those who were counted since the start, where the store was opened later."""
        since = self._ledger.open.state(stored.zone).count
        return ZoneState(zone=stored.zone, count=stored.count + since, trusted=False)

    def _step(self, each: Stay, what: StayInput, at: Instant) -> StayStep:
        return stay.step(each, what, at, self._ledger.around(each.zone))

    # --- what the lanes ask -------------------------------------------------------------------

    def state(self, zone: str) -> ZoneState:
        """The count of a zone; one never counted is empty, and not trusted. Nor is any while the
        store fails: what is counted meanwhile might be forgotten.
        """
        state = self._ledger.open.state(zone)
        return state if self._journal.writes else replace(state, trusted=False)

    @property
    def inside(self) -> tuple[Stay, ...]:
        """The stays that have not ended, in all zones."""
        return self._ledger.open.inside

    def away_s(self, zone: str, of_plate: str | None) -> float | None:
        """How long ago a plate left a zone, None if that is not known."""
        left_at = self._ledger.history.left_at(zone, of_plate or "")
        return None if left_at is None else self._clock.boot_s() - left_at

    # --- what the lanes tell ------------------------------------------------------------------

    def admitted(self, lane: str, passage: str) -> None:
        """A vehicle is about to come through an entry: its space is taken."""
        place = self._places[lane]
        if place.direction is Direction.ENTRY:
            self._ledger.open.comes(place.zone, passage)

    def occupied(self, lane: str, occupied: bool, at: float) -> None:
        """A vehicle stands in a lane, or has gone: a queue at an exit is no driver's fault."""
        place = self._places[lane]
        if place.direction is Direction.EXIT:
            self._ledger.pause(place.zone, lane, occupied, at)

    def watched(self, lane: str, watched: bool) -> None:
        """Whether a lane can be watched; an exit that cannot spoils every open window."""
        place = self._places[lane]
        if watched == self._ledger.exits.is_watched(lane):
            return
        self._ledger.exits.watch(lane, watched)
        if place.direction is Direction.EXIT:
            self._ledger.pause(place.zone, f"{lane} unwatched", not watched, self._clock.boot_s())
            self.doubt(lane, Doubt.EXIT_LANE_UNHEALTHY)

    def held(self, lane: str, up: bool) -> None:
        """The boom of a lane is kept up from now on, or no longer: anybody may leave doubtful_exit,
        against the way of an entry, too.
        """
        self._ledger.exits.hold(lane, up)
        self.doubt(lane, Doubt.HELD_OPEN)

    def arrived(self, lane: str, sighting: Sighting, at: Instant) -> None:
        """A vehicle that arrived at `at` was read: every stay in a zone it is now seen to be
        outside of has ended.
        """
        place = self._places[lane]
        steps = [
            journey.seen_outside(each, place, at, self._ledger.around(each.zone))
            for each in self._passages.outside(place, sighting.plate, at)
        ]
        self._ledger.take(steps, Change(lane=lane))

    def ended(self, told: Ended) -> None:
        """A passage is over: commit that, and whatever stays and counts make of it, at once."""
        place = self._places[told.lane]
        kept = self._ledger.open.came(place.zone, told.passage)
        if self._exchanged.crossed(place, told, inside=self._passages.was_inside(place, told)):
            noted = NotedDoubt(doubt=Doubt.CAMERAS_EXCHANGED, at=told.at, lane=told.lane)
            self._ledger.doubt(place.zone, noted)
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
        self._ledger.take(steps, change)
        for each in steps:
            if each.stay.entry_passage == told.passage:
                # a list may have changed between the decision and now (situations, 39)
                self._began(each.stay.plate)
        if kept and not told.through:
            self._changed()  # its space is free again

    def _counted(self, place: Place, told: Ended) -> tuple[ZoneState, ...]:
        before = self._ledger.open.state(place.zone)
        counted = occupancy.counted(before, place.direction, told)
        if counted is None:
            return ()
        if counted.doubtful is not None and before.trusted:
            self._health.raise_alarm("count_untrusted", place.zone, counted.doubtful)
        return (counted.state,)

    def doubt(self, lane: str, doubt: Doubt, passage: str | None = None) -> None:
        """Something happened in `lane` that could hide an exit: no overstay that runs now in its
        zone can end as certain.
        """
        place = self._places[lane]
        if place.direction is Direction.ENTRY and doubt not in journey.HIDES_EXIT_AT_ENTRY:
            return
        noted = NotedDoubt(doubt=doubt, at=self._clock.instant(), lane=lane, passage=passage)
        self._ledger.doubt(place.zone, noted, Change(lane=lane))

    # --- what the centre and the peers tell ---------------------------------------------------

    def recount(self, zone: str, count: int, by: str, reason: str) -> None:
        """A person counted: the number is trusted again. None inside: every stay is given up."""
        at = self._clock.instant()
        fact = ZoneRecounted(
            zone=zone, count=count, before=self.state(zone).count, by=by, reason=reason
        )
        gone = [each for each in self._ledger.open.inside if each.zone == zone and count == 0]
        steps = [self._step(each, stay.GivenUp(), at) for each in gone]
        self._health.clear_alarm("count_untrusted", zone)
        change = Change(
            records=(Record(fact=fact, at=at),),
            counts=(ZoneState(zone=zone, count=count, trusted=True),),
        )
        self._ledger.take(steps, change)

    async def summarise(self, since: datetime) -> None:
        """Tell of each zone whose limits are advisory which stays seemed too long since then.
        Raises `StoreError`; then nothing was told.
        """
        ended = await self._journal.asked(self._journal.store.ended_stays(since))
        stays = [*ended, *self._ledger.open.inside]
        facts = [
            _summary(zone, [each for each in stays if each.zone == zone])
            for zone, plan in self._plans.items()
            if plan.advisory and plan.policy.admits is Admits.REGISTERED
        ]
        self._journal.tell(*facts)

    async def ask_lists(self, of: frozenset[str] | None) -> None:
        """Lift the limits that the lists, as they are now, no longer set for these plates, or for
        any if None (situations, 8). Raises `StoreError`: they are still to be asked, then.
        """
        plates = {each.plate for each in self._limited if of is None or each.plate in of}
        if not plates:
            return
        listing = await self._journal.listing(plates)
        at = self._clock.instant()
        bound = identity.bound_by_limits(listing.rows, at.wall)
        steps = [
            self._step(each, stay.Eased(limit=None), at)
            for each in self._limited  # as they are now, after the store was asked
            if each.plate in plates and each.plate not in bound
        ]
        self._ledger.take(steps)

    @property
    def _limited(self) -> list[Stay]:
        return [each for each in self._ledger.open.inside if stay.is_watched(each)]

    def heard(self, told: PeerEvent | PeerHealth) -> Posted:
        """Another controller of the site told of itself; what it means is written when all is that
        was posted so far.
        """
        self._listener.hear(told)
        return self._journal.posted

    def _store_failed(self, _writes: bool) -> None:
        """While the store fails or is slow a passage may be forgotten: no overstay that runs now
        can end as certain (situations, 31).
        """
        noted = NotedDoubt(doubt=Doubt.STORE_FAILED, at=self._clock.instant())
        for zone in self._plans:
            self._ledger.doubt(zone, noted)
        self._changed()

    # --- waking -------------------------------------------------------------------------------

    async def run(self) -> None:
        """Wake when a limit comes near, until cancelled."""
        while True:
            self._health.beat("zones", within_s=3 * BEAT_S)
            self._ledger.moved.clear()
            self.wake()
            await rest(self._ledger.moved, self.wake_at, self._clock, at_most_s=BEAT_S)

    @property
    def wake_at(self) -> float | None:
        """When `wake` is due next (boot clock), None if no limit runs."""
        return self._ledger.open.wake_at()

    def wake(self) -> None:
        """Warn and judge the stays that are due, and look after peers and stays that grow old."""
        self._listener.doubt_the_silent()
        at = self._clock.instant()
        due = self._ledger.open.due(at.boot_s + stay.EARLY_S)
        self._ledger.take([self._step(each, stay.Woken(), at) for each in due])
        self._ledger.take(self._aged(at))

    def _aged(self, at: Instant) -> list[StayStep]:
        if at.boot_s - self._aged_at < AGED_EVERY_S:
            return []
        self._aged_at = at.boot_s
        self._ledger.history.forget(at.boot_s)
        return [
            self._step(each, stay.GivenUp(), at)
            for each in self._ledger.open.inside
            if stay.is_too_old(each, self._plans[each.zone].policy, at)
        ]


def _summary(zone: str, stays: Iterable[Stay]) -> ZoneSummary:
    limited = [each for each in stays if each.limit is not None]
    long = sorted({each.plate for each in limited if each.judgement is not None})
    return ZoneSummary(zone=zone, stays=len(limited), seemed_long=tuple(long))
