"""The zones: who is inside, how many, and since when.

Lanes tell it what they saw and how each passage ended, the peers' events come in by the broker;
it asks the rules what that means for everybody inside, and commits the answer together with the
passage, in one transaction. It wakes by itself when a limit comes near. It decides nothing about
a barrier.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from uuid6 import uuid7

from gatekeeper.clock import Clock
from gatekeeper.errors import StoreError
from gatekeeper.health import BLINDING, Health, Tell
from gatekeeper.model import (
    Admits,
    Blemish,
    Commit,
    ControllerStarted,
    Direction,
    Doubt,
    Fact,
    Instant,
    ListChanges,
    ListName,
    ListRow,
    PassageEnd,
    PassageEnded,
    PeerEvent,
    PeerHealth,
    PeerMark,
    Record,
    Sighting,
    Stay,
    ZoneRecounted,
    ZoneState,
    ZoneSummary,
)
from gatekeeper.rules import excuse, journey, plate, stay
from gatekeeper.rules.journey import Ended, Place
from gatekeeper.rules.stay import Around, StayStep
from gatekeeper.store import Store
from gatekeeper.zones import abroad
from gatekeeper.zones import peers as peering
from gatekeeper.zones.abroad import Found
from gatekeeper.zones.peers import Peers
from gatekeeper.zones.places import ZonePlan
from gatekeeper.zones.roll import Roll

WAKE_AT_LEAST_S = 5.0
"""How often the clerk of the zones looks up, wanted or not: its heartbeat."""

CONFLICT_S = 86_400.0
"""So long after the same plate was inside twice nothing of it is certain (situations, 9)."""

AGED_EVERY_S = 600.0
"""How often it is looked whether a stay is too old to be believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """What one step changes besides the stays."""

    records: tuple[Record, ...] = ()
    counts: tuple[ZoneState, ...] = ()
    listed: tuple[ListRow, ...] = ()
    suspended: tuple[tuple[str, str], ...] = ()
    removed: tuple[tuple[str | None, str], ...] = ()
    marks: tuple[PeerMark, ...] = ()
    lane: str | None = None
    passage: str | None = None


_NOTHING = _Change()

Given = ParamSpec("Given")


@dataclass(slots=True)
class _Left:
    """When plates left a zone, and until when nothing of a plate is certain; boot clock."""

    at: dict[tuple[str, str], float] = field(default_factory=dict)
    conflict_until: dict[tuple[str, str], float] = field(default_factory=dict)


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
        self._around = {zone: plan.inside for zone, plan in self._plans.items()}
        self._store = store
        self._clock = clock
        self._health = health
        self._certain = certain
        self._changed = changed
        self._roll = Roll()
        self._left = _Left()
        self._unwatched: set[str] = set()
        self._occupied_abroad: set[str] = set()
        self._unproven: set[Place] = set()
        self._peers = Peers(_exits_of(peers, self._plans.values()))
        self._aged_at = 0.0
        self._moved = asyncio.Event()
        self._turn = asyncio.Lock()

    @_in_turn
    async def start(self) -> None:
        """Take up what was stored. No stay that ran through a restart can end as certain, and no
        count is trusted: who passed meanwhile nobody knows. Stays in a zone that is no longer in
        the configuration are given up.
        """
        at = self._clock.instant()
        counts = [replace(state, trusted=False) for state in await self._store.counts()]
        self._roll.counted(counts)
        self._peers.take_up(await self._store.peer_marks())
        await self._remember_conflicts(at)
        steps = []
        for each in await self._store.open_stays():
            what = stay.Restarted() if each.zone in self._plans else stay.GivenUp()
            steps.append(stay.step(each, what, at, self._around_of(each.zone)))
        await self._commit(steps, _Change(counts=tuple(counts)))

    async def _remember_conflicts(self, at: Instant) -> None:
        """Only by a wall clock that is trusted can it be said how long ago a stay ended."""
        for each in await self._store.ended_stays(at.wall - timedelta(seconds=CONFLICT_S)):
            ago_s = (at.wall - each.ended.wall).total_seconds() if each.ended else 0.0
            left_at = at.boot_s - (ago_s if at.trusted else 0.0)
            key = (each.zone, each.plate)
            self._left.at[key] = left_at
            if Doubt.PLATE_CONFLICT in each.doubts:
                self._left.conflict_until[key] = left_at + CONFLICT_S

    # --- what the lanes ask -------------------------------------------------------------------

    def state(self, zone: str) -> ZoneState:
        """The count of a zone; one never counted is empty, and not trusted."""
        return self._roll.state(zone)

    def away_s(self, zone: str, of_plate: str | None) -> float | None:
        """How long ago a plate left a zone, None if that is not known."""
        left_at = self._left.at.get((zone, of_plate or ""))
        return None if left_at is None else self._clock.boot_s() - left_at

    # --- what the lanes tell ------------------------------------------------------------------

    def admitted(self, lane: str, passage: str) -> None:
        """A vehicle is about to come through an entry: its space is taken."""
        place = self._places[lane]
        if place.direction is Direction.ENTRY:
            self._roll.comes(place.zone, passage)

    def occupied(self, lane: str, occupied: bool, at: float) -> None:
        """A vehicle stands in a lane, or has gone: a queue at an exit is nobody's fault."""
        place = self._places[lane]
        if place.direction is Direction.EXIT:
            self._excuse(place.zone, lane, occupied, at)

    async def watched(self, lane: str, watched: bool) -> None:
        """Whether a lane can be watched; an exit that cannot spoils every open window."""
        place = self._places[lane]
        if watched == (lane not in self._unwatched):
            return
        (self._unwatched.discard if watched else self._unwatched.add)(lane)
        if place.direction is Direction.EXIT:
            self._excuse(place.zone, f"{lane} unwatched", not watched, self._clock.boot_s())
            await self.doubt(lane, Doubt.EXIT_LANE_UNHEALTHY)

    @_in_turn
    async def arrived(self, lane: str, sighting: Sighting, at: Instant) -> None:
        """A vehicle that arrived at `at` was read: every stay in a zone it is now seen to be
        outside of has ended.
        """
        await self._commit(self._seen(self._places[lane], sighting.plate, at), _Change(lane=lane))

    @_in_turn
    async def ended(self, told: Ended) -> None:
        """A passage is over: commit that, and whatever stays and counts make of it, at once."""
        place = self._places[told.lane]
        kept = self._roll.came(place.zone, told.passage)
        fact = PassageEnded(
            end=told.end,
            plate=told.plate,
            decided=told.decision is not None,
            certain=told.decision is not None and told.decision.certain,
            zone=place.zone,
            direction=place.direction,
            sighting=told.sighting,
            lasted_s=max(0.0, told.at.boot_s - told.arrived.boot_s),
            doubts=told.doubts,
        )
        self._prove(place, told)
        steps = self._passed(place, told)
        if told.through and place.direction is Direction.ENTRY:
            steps += self._begun(place, told)
        change = _Change(
            records=(Record(fact=fact, at=told.at, lane=told.lane, passage=told.passage),),
            counts=self._counted(place, told),
            lane=told.lane,
            passage=told.passage,
        )
        await self._commit(steps, change)
        if kept and not told.through:
            self._changed()  # its space is free again

    @_in_turn
    async def doubt(self, lane: str, doubt: Doubt, passage: str | None = None) -> None:
        """Something happened in `lane` that could hide an exit: no overstay that runs now in its
        zone can end as certain.
        """
        place = self._places[lane]
        if place.direction is Direction.ENTRY and doubt not in journey.HIDES_EXIT_AT_ENTRY:
            return
        at = self._clock.instant()
        blemish = Blemish(doubt=doubt, at=at, lane=lane, passage=passage)
        await self._blemish(place.zone, blemish, lane)

    # --- what the centre and the peers tell ---------------------------------------------------

    @_in_turn
    async def recount(self, zone: str, count: int, by: str, reason: str) -> None:
        """A person counted: the number is trusted again. None inside: every stay is given up."""
        at = self._clock.instant()
        fact = ZoneRecounted(
            zone=zone, count=count, before=self.state(zone).count, by=by, reason=reason
        )
        gone = [each for each in self._roll.inside if each.zone == zone and count == 0]
        steps = [stay.step(each, stay.GivenUp(), at, self._around_of(zone)) for each in gone]
        self._health.clear_alarm("count_untrusted", zone)
        change = _Change(
            records=(Record(fact=fact, at=at),),
            counts=(ZoneState(zone=zone, count=count, trusted=True),),
        )
        await self._commit(steps, change)

    @_in_turn
    async def summarise(self, since: datetime) -> None:
        """Tell of each zone whose limits are advisory which stays seemed too long since then."""
        at = self._clock.instant()
        stays = [*await self._store.ended_stays(since), *self._roll.inside]
        facts = [
            _summary(zone, [each for each in stays if each.zone == zone])
            for zone, plan in self._plans.items()
            if plan.advisory and plan.policy.admits is Admits.REGISTERED
        ]
        await self._commit((), _Change(records=tuple(Record(fact=f, at=at) for f in facts)))

    @_in_turn
    async def lists_changed(self, changes: ListChanges | None) -> None:
        """A later change of list may lift a limit (situations, 8); None: a whole list is new."""
        told = None if changes is None else {change.row.plate for change in changes.changes}
        watched = [each for each in self._roll.inside if stay.is_watched(each)]
        concerned = [each for each in watched if told is None or each.plate in told]
        at = self._clock.instant()
        bound = await self._bound_by_limits({each.plate for each in concerned}, at)
        steps = [
            stay.step(each, stay.Eased(limit=None), at, self._around_of(each.zone))
            for each in concerned
            if each.plate not in bound
        ]
        await self._commit(steps, _NOTHING)

    @_in_turn
    async def heard(self, told: PeerEvent | PeerHealth) -> None:
        """Another controller of the site told of itself."""
        await self._doubt_the_silent()  # or one that speaks again would never have been silent
        if isinstance(told, PeerHealth):
            await self._heard_health(told)
        elif self._peers.is_news(told):
            await self._heard_event(told)

    async def _heard_health(self, told: PeerHealth) -> None:
        """What was taken in is written down now and then only: what comes again after a restart
        says nothing new.
        """
        if not self._peers.hear(told, self._clock.boot_s()):
            doubt = Doubt.JOURNAL_GAP if told.online else Doubt.PEER_AWAY
            await self._doubt_peer(told.controller, doubt)
        if told.online and told.clock_trusted and self._is_off(told):
            await self._doubt_peer(told.controller, Doubt.CLOCK_UNTRUSTED)
        if any(alarm in BLINDING for alarm in told.alarms):
            await self._doubt_peer(told.controller, Doubt.EXIT_LANE_UNHEALTHY)
        await self._commit((), _Change(marks=self._peers.marks))

    def _is_off(self, told: PeerHealth) -> bool:
        """Whether a peer that trusts its clock is plainly wrong, or this controller is: a report
        cannot come before it was made, nor does the broker keep one for longer than it counts.
        """
        now = self._clock.instant()
        late_s = (now.wall - told.at).total_seconds()
        fresh = -journey.ACROSS_CLOCKS_S <= late_s <= peering.SETTLING_S + journey.ACROSS_CLOCKS_S
        return now.trusted and not fresh

    async def _heard_event(self, told: PeerEvent) -> None:
        at = self._clock.instant()
        if told.fact is None and not self._peers.begins_anew(told):
            self._peers.took(told, at.boot_s)
            return
        if self._peers.begins_anew(told):
            await self._doubt_peer(told.controller, Doubt.JOURNAL_GAP)
        found = abroad.read(told, at)
        self._watched_abroad(told, found)
        if found.doubt is not None:
            await self._doubt_peer(told.controller, found.doubt)
        steps: list[StayStep] = []
        if found.place is not None and found.seen is not None:
            steps += self._seen_abroad(found.place, found.seen, told, at)
        if found.place is not None and (found.ended is not None or self._peers.is_latest(told)):
            self._excuse_abroad(found.place, found.ended, at)
        if found.place is not None and found.ended is not None:
            self._prove(found.place, found.ended)
            moved = {each.stay.id for each in steps}
            passed = self._passed(found.place, found.ended)
            steps += [each for each in passed if each.stay.id not in moved]
        change = _Change(listed=found.listed, suspended=found.suspended, removed=found.removed)
        await self._commit(steps, change)
        self._peers.took(told, at.boot_s)

    def _watched_abroad(self, told: PeerEvent, found: Found) -> None:
        """A device of a peer fails, or works again; a peer that starts tells of all anew."""
        peer, at = f"{told.controller}/", self._clock.boot_s()
        zones = self._peers.zones(told.controller)
        if isinstance(told.fact, ControllerStarted):
            self._unwatched = {each for each in self._unwatched if not each.startswith(peer)}
            for zone in zones:
                self._reschedule(zone, excuse.ended_of(self._roll.excuses(zone), peer, at))
        elif found.blind or found.sees:
            device, fails = f"{peer}{found.blind or found.sees}", found.blind is not None
            (self._unwatched.add if fails else self._unwatched.discard)(device)
            for zone in zones:
                self._excuse(zone, f"{device} unwatched", fails, at)

    async def _doubt_peer(self, controller: str, doubt: Doubt) -> None:
        """Nor is it known any longer whether a vehicle still stands in one of its lanes."""
        at = self._clock.instant()
        lanes = {each for each in self._occupied_abroad if each.startswith(f"{controller}/")}
        self._occupied_abroad -= lanes
        for zone in self._peers.zones(controller):
            await self._blemish(zone, Blemish(doubt=doubt, at=at, detail=controller), None)
            for lane in sorted(lanes):
                self._excuse(zone, lane, begins=False, at=at.boot_s)

    def _seen_abroad(
        self, place: Place, of_plate: str, told: PeerEvent, at: Instant
    ) -> list[StayStep]:
        """Only what happened after the entry for certain ends a stay; the rest is a doubt."""
        steps = []
        if place.direction is Direction.ENTRY:
            self._conflicting(place.zone, of_plate, at)
        for each in self._roll.of_plate(of_plate):
            if not journey.is_outside(place, each.zone, self._around):
                continue
            after = (told.occurred_at - each.entered.wall).total_seconds()
            known = told.clock_trusted and each.entered.trusted
            if known and after > journey.ACROSS_CLOCKS_S:
                around = self._around_of(each.zone)
                steps.append(stay.step(each, _outside(each, place), at, around))
            elif not known or after > -journey.ACROSS_CLOCKS_S:
                found = Blemish(doubt=Doubt.SEEN_ELSEWHERE, at=at, detail=told.controller)
                steps += journey.blemished([each], [found], at, self._around_of(each.zone))
        return steps

    def _excuse_abroad(self, place: Place, ended: Ended | None, at: Instant) -> None:
        """A peer's exit is occupied from a decision there until a passage there is over."""
        if place.direction is not Direction.EXIT or place.zone not in self._plans:
            return
        if ended is None:
            self._occupied_abroad.add(place.lane)
            self._excuse(place.zone, place.lane, begins=True, at=at.boot_s)
            return
        self._occupied_abroad.discard(place.lane)
        before = excuse.ended(self._roll.excuses(place.zone), place.lane, ended.at.boot_s)
        since, until = ended.arrived.boot_s, ended.at.boot_s
        self._reschedule(place.zone, excuse.lasted(before, place.lane, since, until))

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
            await self._sleep()

    @property
    def wake_at(self) -> float | None:
        """When `wake` is due next (boot clock), None if no limit runs."""
        return self._roll.wake_at()

    @_in_turn
    async def wake(self) -> None:
        """Warn and judge whoever is due, and look after peers and stays that grow old."""
        await self._doubt_the_silent()
        at = self._clock.instant()
        steps = [
            stay.step(each, stay.Woken(), at, self._around_of(each.zone))
            for each in self._roll.due(at.boot_s + stay.EARLY_S)
        ]
        await self._commit(steps, _NOTHING)
        await self._commit(self._aged(at), _NOTHING)

    async def _doubt_the_silent(self) -> None:
        for name in self._peers.away(self._clock.boot_s()):
            await self._doubt_peer(name, Doubt.PEER_AWAY)

    def _aged(self, at: Instant) -> list[StayStep]:
        if at.boot_s - self._aged_at < AGED_EVERY_S:
            return []
        self._aged_at = at.boot_s
        return [
            stay.step(each, stay.GivenUp(), at, self._around_of(each.zone))
            for each in self._roll.inside
            if at.boot_s - each.counted_from.boot_s > self._age_limit_s(each)
            and at.boot_id == each.counted_from.boot_id
        ]

    def _age_limit_s(self, each: Stay) -> float:
        policy = self._plans[each.zone].policy
        return policy.abandon_s if each.limit is None else policy.abandon_limited_s

    async def _sleep(self) -> None:
        now = self._clock.boot_s()
        wake_at = self._roll.wake_at()
        until = now + WAKE_AT_LEAST_S if wake_at is None else wake_at
        self._moved.clear()
        try:
            async with asyncio.timeout(max(0.0, min(until - now, WAKE_AT_LEAST_S))):
                await self._moved.wait()
        except TimeoutError:
            return

    # --- what it means ------------------------------------------------------------------------

    def _around_of(self, zone: str) -> Around:
        """A zone that is no longer in the configuration is quiet."""
        plan = self._plans.get(zone)
        if plan is None:
            return stay.QUIET
        return Around(
            excuses=self._roll.excuses(zone),
            settling_s=peering.SETTLING_S if plan.peers else stay.SETTLING_S,
            blacklist_days=plan.policy.blacklist_days,
            advisory=plan.advisory,
            unproven=next((each.lane for each in self._unproven if each.zone == zone), None),
        )

    def _prove(self, place: Place, told: Ended) -> None:
        """Who backs out of an open exit may have left over a safety loop that is dead; the next
        vehicle that crosses shows that it is not.
        """
        if place.direction is not Direction.EXIT:
            return
        if told.end is PassageEnd.PASSED:
            self._unproven.discard(place)
        elif told.end is PassageEnd.BACKED_OUT and told.decision is not None:
            self._unproven.add(place)

    def _excuse(self, zone: str, cause: str, begins: bool, at: float) -> None:
        change = excuse.began if begins else excuse.ended
        self._reschedule(zone, change(self._roll.excuses(zone), cause, at))

    def _reschedule(self, zone: str, excuses: excuse.Excuses) -> None:
        at = self._clock.instant()
        self._roll.excused(zone, excuses, at.boot_s)
        around = self._around_of(zone)
        self._roll.rescheduled(
            zone, {each.id: stay.wake_at(each, at, around) for each in self._roll.watched(zone)}
        )
        self._moved.set()

    def _seen(self, place: Place, of_plate: str, at: Instant) -> list[StayStep]:
        if place.direction is Direction.ENTRY:
            self._conflicting(place.zone, of_plate, at)
        return [
            stay.step(each, _outside(each, place), at, self._around_of(each.zone))
            for each in self._roll.of_plate(of_plate)
            if journey.is_outside(place, each.zone, self._around)
        ]

    def _passed(self, place: Place, told: Ended) -> list[StayStep]:
        """What a passage of one of the zone's lanes, here or abroad, means for those inside."""
        if place.zone not in self._plans:
            return []
        around, watched = self._around_of(place.zone), self._roll.watched(place.zone)
        if place.direction is Direction.EXIT:
            own = [s for s in self._roll.of_plate(told.plate or "") if s.zone == place.zone]
            others = [each for each in watched if each.plate != told.plate]
            return journey.at_exit([*own, *others], told, self._certain, around)
        hiding = [doubt for doubt in told.doubts if doubt in journey.HIDES_EXIT_AT_ENTRY]
        return journey.doubted(watched, hiding, told, around)

    def _begun(self, place: Place, told: Ended) -> list[StayStep]:
        if told.decision is None or told.decision.plate is None:
            return []
        if plate.is_trailer(told.decision.plate):
            return []
        known = self._conflicting(place.zone, told.decision.plate, told.at)
        doubts = (*self._doubts_at_entry(place, told), *((Doubt.PLATE_CONFLICT,) if known else ()))
        begun = stay.begin(
            str(uuid7()), place.zone, told.decision, told.at, told.lane, told.passage, doubts
        )
        if begun is None:
            return []
        found = Blemish(doubt=Doubt.PLATE_CONFLICT, at=told.at, lane=told.lane)
        around = self._around_of(place.zone)
        return [begun, *journey.blemished(known, [found], told.at, around)]

    def _doubts_at_entry(self, place: Place, told: Ended) -> list[Doubt]:
        doubts = []
        if told.end is PassageEnd.PASSED_PRESUMED:
            doubts.append(Doubt.ENTRY_UNCERTAIN)
        if self._blind(place.zone):
            doubts.append(Doubt.EXIT_LANE_UNHEALTHY)
        if set(self._plans[place.zone].peers) & set(self._peers.away(told.at.boot_s)):
            doubts.append(Doubt.PEER_AWAY)
        until = self._left.conflict_until.get((place.zone, told.plate or ""), 0.0)
        if until > told.at.boot_s:
            doubts.append(Doubt.PLATE_CONFLICT)
        return doubts

    def _conflicting(self, zone: str, of_plate: str, at: Instant) -> list[Stay]:
        """The same plate inside already, in this zone: a clone, or a missed exit."""
        known = [each for each in self._roll.of_plate(of_plate) if each.zone == zone]
        if known:
            self._left.conflict_until[zone, of_plate] = at.boot_s + CONFLICT_S
        return known

    def _blind(self, zone: str) -> bool:
        """Whether an exit of the zone, here or at a peer, cannot be watched now."""
        abroad = tuple(f"{peer}/" for peer in self._plans[zone].peers)
        return any(each.startswith(abroad) for each in self._unwatched) or any(
            place.lane in self._unwatched
            for place in self._places.values()
            if place.zone == zone and place.direction is Direction.EXIT
        )

    def _counted(self, place: Place, told: Ended) -> tuple[ZoneState, ...]:
        """One more, or one less. Below nobody there is nothing to count, and where it is doubtful
        how many passed, the number is not trusted until somebody counts.
        """
        before = self.state(place.zone)
        step = 1 if place.direction is Direction.ENTRY else -1
        count = before.count + (step if told.through else 0)
        doubtful = count < 0 or bool(_MISCOUNTS & set(told.doubts))
        if not told.through and not doubtful:
            return ()
        if doubtful and before.trusted:
            detail = "a passage in doubt" if count >= 0 else "more have left than had come"
            self._health.raise_alarm("count_untrusted", place.zone, detail)
        counted = ZoneState(
            zone=place.zone, count=max(count, 0), trusted=before.trusted and not doubtful
        )
        return (counted,)

    async def _bound_by_limits(self, plates: set[str], at: Instant) -> set[str]:
        """Those that are internal, and not exempt, as the lists are now."""
        if not plates:
            return set()
        listing = await self._store.listing(plates)
        valid = [row for row in listing.rows if row.valid_at(at.wall)]
        exempt = {row.plate for row in valid if row.list is ListName.EXEMPT}
        return {row.plate for row in valid if row.list is ListName.INTERNALS} - exempt

    # --- writing it down ----------------------------------------------------------------------

    async def _blemish(self, zone: str, blemish: Blemish, lane: str | None) -> None:
        around = self._around_of(zone)
        steps = journey.blemished(self._roll.watched(zone), [blemish], blemish.at, around)
        await self._commit(steps, _Change(lane=lane))

    async def _commit(self, steps: Sequence[StayStep], change: _Change) -> None:
        if not steps and change == _Change(lane=change.lane, passage=change.passage):
            return
        at = self._clock.instant()
        told = tuple(
            Record(fact=fact, at=at, lane=change.lane, passage=change.passage)
            for fact in _facts(steps)
        )
        commit = Commit(
            records=change.records + told,
            stays=tuple(each.stay for each in steps),
            listed=change.listed + tuple(row for each in steps for row in each.listed),
            suspended=change.suspended + tuple(key for each in steps for key in each.suspended),
            removed=change.removed,
            counts=change.counts,
            marks=change.marks,
        )
        await self._store.commit(commit)
        self._take(steps, change)
        if commit.listed or commit.suspended or commit.removed or commit.counts:
            self._changed()

    def _take(self, steps: Sequence[StayStep], change: _Change) -> None:
        self._roll.take(self._timed(each.stay) for each in steps)
        self._roll.counted(change.counts)
        for each in steps:
            if each.stay.ended is not None:
                self._left.at[each.stay.zone, each.stay.plate] = each.stay.ended.boot_s
        self._moved.set()

    def _timed(self, each: Stay) -> StayStep:
        """When it wants to be woken, as exits are by now."""
        at, around = self._clock.instant(), self._around_of(each.zone)
        return StayStep(stay=each, wake_at=stay.wake_at(each, at, around))


_MISCOUNTS = frozenset(
    {
        Doubt.TAILGATING,
        Doubt.SAFETY_LOOP_LONG,
        Doubt.SAFETY_LOOP_GAP,
        Doubt.DIRECTION_UNKNOWN,
    }
)
"""With these nobody can say how many vehicles crossed."""


def _outside(each: Stay, place: Place) -> stay.SeenOutside:
    """How a plate with an open stay was seen at a place outside its zone."""
    return stay.SeenOutside(at_entry=each.zone == place.zone)


def _summary(zone: str, stays: Iterable[Stay]) -> ZoneSummary:
    limited = [each for each in stays if each.limit is not None]
    long = sorted({each.plate for each in limited if each.judgement is not None})
    return ZoneSummary(zone=zone, stays=len(limited), seemed_long=tuple(long))


def _facts(steps: Iterable[StayStep]) -> Iterable[Fact]:
    for each in steps:
        yield from each.facts


def _exits_of(peers: Iterable[str], plans: Iterable[ZonePlan]) -> dict[str, list[str]]:
    exits: dict[str, list[str]] = {name: [] for name in peers}
    for plan in plans:
        for controller in plan.peers:
            exits.setdefault(controller, []).append(plan.policy.zone)
    return exits
