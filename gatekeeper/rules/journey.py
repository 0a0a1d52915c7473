"""What one passage means for every stay that is open: (stays, what a lane saw) -> stay steps.

Passages of this controller's lanes and of its peers' come in alike; for each stay that is touched
a step goes out. A journey is a plate's way through the lanes of the whole site, so a car that is
seen at one gate cannot have been inside the other all the while.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce

from gatekeeper.model import (
    Decision,
    Direction,
    Doubt,
    Instant,
    NotedDoubt,
    PassageEnd,
    PassageEnded,
    PeerEvent,
    Sighting,
    Stay,
)
from gatekeeper.rules import stay
from gatekeeper.rules.stay import Around, StayStep

THROUGH = (PassageEnd.PASSED, PassageEnd.PASSED_PRESUMED)
"""The ends of a passage with which a vehicle has changed its zone."""

ACROSS_CLOCKS_S = 10.0
"""How far a moment told by another controller may be off: each wall clock that is trusted is
within 5 s of the truth."""

HIDES_EXIT_AT_ENTRY = frozenset(
    {
        Doubt.DIRECTION_UNKNOWN,
        Doubt.BOOM_WITHOUT_COMMAND,
        Doubt.HELD_OPEN,
        Doubt.ORDERED_OPENING,
    }
)
"""What may let a vehicle out by a lane that leads in; the rest can do so at exits only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a lane leads: its zone, and which way. `lane` is unique within the site."""

    lane: str
    zone: str
    direction: Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A passage that is over. `doubts` are what it leaves open, for every vehicle."""

    lane: str
    passage: str
    end: PassageEnd
    sighting: Sighting | None
    decision: Decision | None
    arrived: Instant
    at: Instant
    doubts: tuple[Doubt, ...] = ()

    @property
    def plate(self) -> str | None:
        """The plate the vehicle is taken for."""
        return self.decision.plate if self.decision else None

    @property
    def through(self) -> bool:
        """Whether it has changed its zone."""
        return self.end in THROUGH


def fact_of(place: Place, told: Ended) -> PassageEnded:
    """What the journal says of a passage."""
    return PassageEnded(
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


def is_outside(place: Place, zone: str, lies_in: Mapping[str, str | None]) -> bool:
    """Whether a vehicle that stands in the lane is outside `zone`. `lies_in` is the zone in which
    each zone lies.
    """
    if place.zone == zone:
        return place.direction is Direction.ENTRY
    enclosing = lies_in.get(place.zone)
    while enclosing is not None:
        if enclosing == zone:
            return False
        enclosing = lies_in.get(enclosing)
    return True


def seen_outside(inside: Stay, place: Place, at: Instant, around: Around) -> StayStep:
    """The plate of an open stay was read in a lane outside its zone."""
    return stay.step(inside, stay.SeenOutside(at_entry=inside.zone == place.zone), at, around)


def reported_outside(
    inside: Stay, place: Place, told: PeerEvent, at: Instant, around: Around
) -> list[StayStep]:
    """A peer tells, at `at`, of such a read. Only what happened after the entry for certain ends a
    stay, and what was before it says nothing; the rest is a doubt.
    """
    after_s = (told.occurred_at - inside.entered.wall).total_seconds()
    known = told.clock_trusted and inside.entered.trusted
    if known and after_s > ACROSS_CLOCKS_S:
        return [seen_outside(inside, place, at, around)]
    if known and after_s <= -ACROSS_CLOCKS_S:
        return []
    found = NotedDoubt(doubt=Doubt.SEEN_ELSEWHERE, at=at, detail=told.controller)
    return with_doubts([inside], [found], at, around)


def after_passage(
    stays: Iterable[Stay], place: Place, told: Ended, certain: float, around: Around
) -> list[StayStep]:
    """A passage in a lane of the zone of `stays`: one that leads in may have let somebody out."""
    if place.direction is Direction.EXIT:
        return at_exit(stays, told, certain, around)
    hiding = [doubt for doubt in told.doubts if doubt in HIDES_EXIT_AT_ENTRY]
    return doubted(stays, hiding, told, around)


def doubtful_exits(before: tuple[Place, ...], place: Place, told: Ended) -> tuple[Place, ...]:
    """The exits whose safety loops may be dead, after a passage. A vehicle that seems to back
    out of an open exit may have left over such a loop; the next one that crosses shows that it
    works.
    """
    if place.direction is not Direction.EXIT:
        return before
    others = tuple(each for each in before if each != place)
    if told.end is PassageEnd.PASSED:
        return others
    if told.end is PassageEnd.BACKED_OUT and told.decision is not None:
        return (*others, place)
    return before


def at_exit(stays: Iterable[Stay], told: Ended, certain: float, around: Around) -> list[StayStep]:
    """A passage at an exit of the zone of `stays`: the car's own stay moves on, with the
    doubts of the passage, and each of the others may have left by it. A peer may report late: a
    passage that was over before a stay began says nothing of it.
    """
    away = stay.AwayFromExit(end=told.end, arrived=told.arrived)
    steps: list[StayStep] = []
    for each in stays:
        if _was_before(told.at, each.entered):
            continue
        if each.plate == told.plate:
            seen = reduce(stay.with_doubt, _found(told.doubts, told), each)
            steps.append(stay.step(seen, away, told.at, around))
        elif stay.is_watched(each):
            doubts = (*told.doubts, *_leaving(told, each, certain))
            steps += doubted([each], doubts, told, around)
    return steps


def doubted(
    stays: Iterable[Stay], doubts: Iterable[Doubt], told: Ended, around: Around
) -> list[StayStep]:
    """The doubts of a passage are doubts about every window that was open."""
    return with_doubts(stays, _found(doubts, told), told.at, around)


def with_doubts(
    stays: Iterable[Stay], found: Iterable[NotedDoubt], at: Instant, around: Around
) -> list[StayStep]:
    """The stays whose windows are open and do not have these doubts yet, with them."""
    found = tuple(found)
    steps = []
    for each in stays:
        after = reduce(stay.with_doubt, found, each)
        if after is not each:
            steps.append(StayStep(stay=after, wake_at=stay.wake_at(after, at, around)))
    return steps


def local(wall_s_ago: float, at: Instant) -> Instant:
    """The moment so many seconds before `at`, on its boot clock."""
    return Instant(
        boot_id=at.boot_id,
        boot_s=at.boot_s - wall_s_ago,
        wall=at.wall - timedelta(seconds=wall_s_ago),
        trusted=at.trusted,
    )


def _was_before(one: Instant, other: Instant) -> bool:
    """For certain, whichever controller's clock it was."""
    return one.boot_id == other.boot_id and one.boot_s + ACROSS_CLOCKS_S < other.boot_s


def _found(doubts: Iterable[Doubt], told: Ended) -> list[NotedDoubt]:
    return [
        NotedDoubt(
            doubt=doubt, at=told.at, lane=told.lane, passage=told.passage, detail=_read(told)
        )
        for doubt in dict.fromkeys(doubts)
    ]


def _leaving(told: Ended, inside: Stay, certain: float) -> tuple[Doubt, ...]:
    if not told.through:
        return ()
    if told.decision is None:
        return (Doubt.UNDECIDED_PASSAGE,)
    if stay.could_have_been(told.sighting, inside.plate, certain):
        return (Doubt.COULD_HAVE_LEFT,)
    return ()


def _read(told: Ended) -> str:
    if told.sighting is None:
        return "not read"
    surely = f"{told.sighting.confidence:.2f}"
    return f"read as {told.sighting.plate}, weakest character {surely}"
