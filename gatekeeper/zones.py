"""The zones: who is inside, how many, and since when.

Lanes tell it what they saw and how each passage ended; it asks `rules.stay` what that means,
and commits the answer together with the passage, in one transaction. It wakes by itself when a
limit comes near. It decides nothing about a barrier.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from uuid6 import uuid7

from gatekeeper.clock import Clock
from gatekeeper.config import Config
from gatekeeper.errors import StoreError
from gatekeeper.health import Health, Tell
from gatekeeper.model import (
    Admits,
    Commit,
    Decision,
    Direction,
    Doubt,
    Instant,
    Limit,
    PassageEnd,
    PassageEnded,
    Record,
    Sighting,
    Stay,
    ZonePolicy,
    ZoneState,
)
from gatekeeper.rules import plate, stay
from gatekeeper.store import Store

WAKE_AT_LEAST_S = 5.0
"""How often the clerk of the zones looks up, wanted or not: its heartbeat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LanePlace:
    """Where a lane leads: its zone, the zone around that, and which way."""

    lane: str
    zone: str
    inside: str | None
    direction: Direction

    def outside_of(self, zone: str) -> bool:
        """Whether a vehicle standing in this lane is outside `zone`."""
        if self.zone == zone:
            return self.direction is Direction.ENTRY
        return self.inside != zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A passage that is over, as the lane tells it."""

    lane: str
    passage: str
    end: PassageEnd
    sighting: Sighting | None
    decision: Decision | None
    arrived: Instant
    at: Instant


def policy_of(config: Config, zone: str) -> ZonePolicy:
    """A zone's policy as the rules want it."""
    settings = next(each for each in config.zone if each.name == zone)
    return ZonePolicy(
        zone=settings.name,
        admits=Admits(settings.admits),
        capacity=settings.capacity,
        limit=Limit(
            limit_s=settings.internal_limit_s,
            warning_s=settings.warning_s,
            grace_s=settings.grace_s,
        ),
        when_full_admit=settings.when_full == "admit",
        unknown_when_offline_admit=settings.unknown_when_offline == "admit",
        offline_after_s=settings.offline_after_s,
        when_registry_missing_admit=settings.when_registry_missing == "admit",
        unreadable_admit=settings.unreadable == "admit",
        unreadable_after_s=settings.unreadable_after_s,
        exempt_kinds=settings.exempt_kinds,
        schedules=tuple(each.schedule for each in settings.schedule),
        cooldown_s=settings.cooldown_s,
        binding_fresh_s=settings.binding_fresh_s,
        blacklist_days=settings.blacklist_days,
        abandon_limited_s=settings.abandon_limited_h * 3600.0,
        abandon_s=settings.abandon_days * 86_400.0,
    )


def places_of(config: Config) -> dict[str, LanePlace]:
    """Where each lane leads."""
    around = {zone.name: zone.inside for zone in config.zone}
    return {
        lane.name: LanePlace(
            lane=lane.name, zone=lane.zone, inside=around[lane.zone], direction=lane.direction
        )
        for lane in config.lane
    }


class Zones:
    """Keeps every zone's open stays and its count; the only writer of both."""

    def __init__(
        self,
        places: Mapping[str, LanePlace],
        *,
        store: Store,
        clock: Clock,
        health: Health,
        certain: float,
        advisory: Iterable[str] = (),
        unhealthy: Callable[[str], bool] = lambda lane: False,
        changed: Tell = lambda: None,
    ) -> None:
        """`advisory` are zones in which nobody is blacklisted; `unhealthy` says of a lane whether
        it cannot be watched now; `changed` is told when a list or a count has changed, so that
        waiting vehicles are decided again.
        """
        self._places = dict(places)
        self._store = store
        self._clock = clock
        self._health = health
        self._certain = certain
        self._advisory = frozenset(advisory)
        self._unhealthy = unhealthy
        self._changed = changed
        self._open: dict[str, Stay] = {}
        self._wake_at: dict[str, float] = {}
        self._counts: dict[str, ZoneState] = {}
        self._moved = asyncio.Event()

    async def start(self) -> None:
        """Take up what was stored: no stay that ran through a restart can end as certain."""
        self._counts = {state.zone: state for state in await self._store.counts()}
        self._open = {each.id: each for each in await self._store.open_stays()}
        at = self._clock.instant()
        await self._commit((), [stay.step(each, stay.Restarted(), at) for each in self._inside()])

    def state(self, zone: str) -> ZoneState:
        """The count of a zone; one never counted is empty, and not trusted."""
        return self._counts.get(zone, ZoneState(zone=zone, count=0, trusted=False))

    async def arrived(self, lane: str, sighting: Sighting, at: Instant) -> None:
        """A vehicle that arrived at `at` was read: at an exit its clock stands still, and every
        stay in a zone it is now seen to be outside of has ended.
        """
        place = self._places[lane]
        steps = []
        for each in self._inside():
            if each.plate != sighting.plate:
                continue
            if place.outside_of(each.zone):
                steps.append(stay.step(each, stay.SeenOutside(), at))
            elif place.zone == each.zone and place.direction is Direction.EXIT:
                steps.append(stay.step(each, stay.AtExit(), at))
        await self._commit((), steps, lane=lane)

    async def ended(self, told: Ended) -> None:
        """A passage is over: commit that, and whatever stays and counts make of it, at once."""
        place = self._places[told.lane]
        fact = PassageEnded(
            end=told.end,
            plate=told.decision.plate if told.decision else None,
            decided=told.decision is not None,
            certain=told.decision is not None and told.decision.certain,
        )
        through = told.end in (PassageEnd.PASSED, PassageEnd.PASSED_PRESUMED)
        steps = self._at_exit(place, told, through)
        if through and place.direction is Direction.ENTRY:
            steps += self._begun(place, told)
        await self._commit(
            (Record(fact=fact, at=told.at, lane=told.lane, passage=told.passage),),
            steps,
            counts=self._counted(place) if through else (),
            lane=told.lane,
            passage=told.passage,
        )

    async def doubt(self, lane: str, doubt: Doubt) -> None:
        """Something happened in `lane` that could hide an exit: no overstay in its zone is certain
        until it has begun anew. Entry lanes hide no exit.
        """
        place = self._places[lane]
        if place.direction is not Direction.EXIT:
            return
        at = self._clock.instant()
        await self._commit(
            (),
            [
                stay.step(each, stay.Doubted(doubt=doubt), at)
                for each in self._inside()
                if each.zone == place.zone and doubt not in each.doubts
            ],
            lane=lane,
        )

    async def run(self) -> None:
        """Wake when a limit comes near, for ever."""
        while True:
            self._health.beat("zones", within_s=3 * WAKE_AT_LEAST_S)
            now = self._clock.boot_s()
            due = [key for key, wake_at in self._wake_at.items() if wake_at <= now]
            try:
                at = self._clock.instant()
                await self._commit(
                    (), [stay.step(self._open[key], stay.Woken(), at) for key in due]
                )
            except StoreError as error:
                self._health.raise_alarm("store_failed", "store", str(error))
                await asyncio.sleep(1.0)
            await self._sleep()

    async def _sleep(self) -> None:
        now = self._clock.boot_s()
        wake_at = min(self._wake_at.values(), default=now + WAKE_AT_LEAST_S)
        self._moved.clear()
        try:
            async with asyncio.timeout(max(0.0, min(wake_at - now, WAKE_AT_LEAST_S))):
                await self._moved.wait()
        except TimeoutError:
            return

    def _inside(self) -> list[Stay]:
        return list(self._open.values())

    def _at_exit(self, place: LanePlace, told: Ended, through: bool) -> list[stay.StayStep]:
        """What a passage through an exit means for those inside: the car's own stay moves on;
        for the others it may have been they who left.
        """
        if place.direction is not Direction.EXIT:
            return []
        away = stay.AwayFromExit(end=told.end, arrived=told.arrived)
        own = told.decision.plate if told.decision else None
        steps = []
        for each in self._inside():
            if each.zone != place.zone:
                continue
            if each.plate == own:
                steps.append(stay.step(each, away, told.at))
            elif through and (doubt := self._doubt_of(told, each)):
                steps.append(stay.step(each, stay.Doubted(doubt=doubt), told.at))
        return steps

    def _doubt_of(self, told: Ended, inside: Stay) -> Doubt | None:
        if told.decision is None:
            return Doubt.UNDECIDED_PASSAGE
        if stay.could_have_been(told.sighting, inside.plate, self._certain):
            return Doubt.COULD_HAVE_LEFT
        return None

    def _begun(self, place: LanePlace, told: Ended) -> list[stay.StayStep]:
        if told.decision is None or told.decision.plate is None:
            return []
        if plate.is_trailer(told.decision.plate):
            return []
        begun = stay.begin(
            str(uuid7()), place.zone, told.decision, told.at, told.lane, told.passage
        )
        if begun is None:
            return []
        doubts = []
        if told.end is PassageEnd.PASSED_PRESUMED:
            doubts.append(Doubt.ENTRY_UNCERTAIN)
        if place.zone in self._advisory:
            doubts.append(Doubt.ADVISORY_ZONE)
        if self._blind(place.zone):
            doubts.append(Doubt.EXIT_LANE_UNHEALTHY)
        steps = [begun]
        for doubt in doubts:
            after = stay.step(steps[-1].stay, stay.Doubted(doubt=doubt), told.at)
            steps[-1] = replace(after, facts=steps[-1].facts + after.facts)
        return steps

    def _blind(self, zone: str) -> bool:
        """Whether an exit of the zone cannot be watched now."""
        return any(
            self._unhealthy(place.lane)
            for place in self._places.values()
            if place.zone == zone and place.direction is Direction.EXIT
        )

    def _counted(self, place: LanePlace) -> tuple[ZoneState, ...]:
        """One more, or one less; below nobody there is nothing to count, so trust is lost."""
        before = self.state(place.zone)
        count = before.count + (1 if place.direction is Direction.ENTRY else -1)
        return (replace(before, count=max(count, 0), trusted=before.trusted and count >= 0),)

    async def _commit(
        self,
        records: tuple[Record, ...],
        steps: Sequence[stay.StayStep],
        *,
        counts: tuple[ZoneState, ...] = (),
        lane: str | None = None,
        passage: str | None = None,
    ) -> None:
        if not records and not steps:
            return
        at = self._clock.instant()
        told = tuple(
            Record(fact=fact, at=at, lane=lane, passage=passage)
            for each in steps
            for fact in each.facts
        )
        commit = Commit(
            records=records + told,
            stays=tuple(each.stay for each in steps),
            listed=tuple(row for each in steps for row in each.listed),
            suspended=tuple(entry for each in steps for entry in each.suspended),
            counts=counts,
        )
        await self._store.commit(commit)
        self._take(steps, counts)
        if commit.listed or commit.suspended or counts:
            self._changed()

    def _take(self, steps: Sequence[stay.StayStep], counts: tuple[ZoneState, ...]) -> None:
        self._counts.update({state.zone: state for state in counts})
        for each in steps:
            self._wake_at.pop(each.stay.id, None)
            if each.stay.ended is not None:
                self._open.pop(each.stay.id, None)
                continue
            self._open[each.stay.id] = each.stay
            if each.wake_at is not None:
                self._wake_at[each.stay.id] = each.wake_at
        self._moved.set()
