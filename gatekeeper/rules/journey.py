"""What one passage means for everybody who is inside: (stays, what a lane saw) -> stay steps.

Passages of this controller's lanes and of its peers' come in alike; for each stay that is touched
a step goes out. A journey is a plate's way through the lanes of the whole site, so a car that is
seen at one gate cannot have been inside the other all the while.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from gatekeeper.model import (
    Blemish,
    Decision,
    Direction,
    Doubt,
    Instant,
    PassageEnd,
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
    """A passage that is over. `doubts` are what was suspicious in it, whoever drove."""

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
        """Whom the vehicle is taken for."""
        return self.decision.plate if self.decision else None

    @property
    def through(self) -> bool:
        """Whether it has changed its zone."""
        return self.end in THROUGH


def is_outside(place: Place, zone: str, around: Mapping[str, str | None]) -> bool:
    """Whether a vehicle that stands in the lane is outside `zone`. `around` is the zone in which
    each zone lies.
    """
    if place.zone == zone:
        return place.direction is Direction.ENTRY
    enclosing = around.get(place.zone)
    while enclosing is not None:
        if enclosing == zone:
            return False
        enclosing = around.get(enclosing)
    return True


def at_exit(stays: Iterable[Stay], told: Ended, certain: float, around: Around) -> list[StayStep]:
    """A passage at an exit of the zone of `stays`: the car's own stay moves on, for the others it
    may have been they who left.
    """
    away = stay.AwayFromExit(end=told.end, arrived=told.arrived)
    steps = []
    for each in stays:
        if each.plate == told.plate:
            doubtful = _with(each, _blemishes(told.doubts, told))
            steps.append(stay.step(doubtful, away, told.at, around))
        elif stay.is_watched(each):
            doubts = (*told.doubts, *_leaving(told, each, certain))
            steps += doubted([each], doubts, told, around)
    return steps


def doubted(
    stays: Iterable[Stay], doubts: Iterable[Doubt], told: Ended, around: Around
) -> list[StayStep]:
    """What was suspicious in a passage is a blemish on every window that was open."""
    return blemished(stays, _blemishes(doubts, told), told.at, around)


def blemished(
    stays: Iterable[Stay], found: Iterable[Blemish], at: Instant, around: Around
) -> list[StayStep]:
    """The stays whose windows are open and have not got these blemishes yet, with them."""
    found = tuple(found)
    steps = []
    for each in stays:
        after = _with(each, found)
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


def _blemishes(doubts: Iterable[Doubt], told: Ended) -> tuple[Blemish, ...]:
    return tuple(
        Blemish(doubt=doubt, at=told.at, lane=told.lane, passage=told.passage, detail=_read(told))
        for doubt in dict.fromkeys(doubts)
    )


def _with(each: Stay, found: Iterable[Blemish]) -> Stay:
    for blemish in found:
        each = stay.blemished(each, blemish)
    return each


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
