"""What the journals said, and how it compares with what really happened."""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from gatekeeper.model import (
    BlacklistAdded,
    BlacklistSuspended,
    Limit,
    StayOverstayed,
    StaySuspected,
)
from simulators.simulate.site import VISITOR_ZONE
from simulators.virtual import Told
from simulators.world import Approach, Truth, Vehicle, Visit, Way

_EXIT = "inner-exit"

BREAK_S = 20.0
"""Time in which the zone's exit is occupied without a longer break counts for no stay (the site's
own rule: docs/situations.md, 2)."""

_LATE_S = 600.0
"""A judgement may be told so long after the car has gone: it was read leaving, or what pauses
had to settle first."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A plate judged at a true moment, and why it was not certain."""

    plate: str
    at: float
    doubts: tuple[str, ...] = ()


class Ledger:
    """Keeps what is needed of the events, in the order they were written. `counts` are what the
    inner gate believed to be in the visitor zone after each passage: moment, number, and whether
    it was sure.
    """

    def __init__(self) -> None:
        self.overstayed: list[Judged] = []
        self.suspected: list[Judged] = []
        self.blacklisted: list[Judged] = []
        self.suspended: list[Judged] = []
        self.counts: list[tuple[float, int, bool]] = []
        self.kinds: Counter[str] = Counter()
        self._banned: dict[str, list[tuple[float, bool]]] = defaultdict(list)

    def take(self, controller: str, told: Told) -> None:
        """One event of a controller."""
        fact, at = told.event.record.fact, told.true_s
        self.kinds[fact.kind] += 1
        match fact:
            case StayOverstayed(plate=plate):
                self.overstayed.append(Judged(plate, at))
            case StaySuspected(plate=plate, doubts=doubts):
                said = tuple(doubt.value for doubt in doubts)
                self.suspected.append(Judged(plate, at, said))
            case BlacklistAdded(plate=plate):
                self.blacklisted.append(Judged(plate, at))
                self._banned[plate].append((at, True))
            case BlacklistSuspended(plate=plate):
                self.suspended.append(Judged(plate, at))
                self._banned[plate].append((at, False))
            case _:
                return

    def centre_listed(self, plate: str, *, remove: bool, at: float) -> None:
        """The centre puts a plate on the blacklist, or takes it off."""
        self._banned[plate].append((at, not remove))

    def banned(self, plate: str, at: float) -> bool:
        """Whether a plate was on the blacklist at a moment."""
        steps = self._banned.get(plate)
        if not steps:
            return False
        place = bisect_right(steps, (at, True))
        return place > 0 and steps[place - 1][1]


@dataclass(slots=True)
class Verdicts:
    """The comparison: sums over one site, which can be added up over several."""

    journeys: int = 0
    stays: int = 0
    internal_stays: int = 0
    overstays_true: int = 0
    overstays_certain: int = 0
    overstays_suspected: int = 0
    overstays_missed: int = 0
    innocent_stays: int = 0
    innocent_suspected: int = 0
    wrong_blacklistings: int = 0
    blacklistings: int = 0
    suspended: int = 0
    occupancy_error_max: int = 0
    occupancy_error_max_trusted: int = 0
    admitted: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    ways_out: Counter[str] = field(default_factory=Counter)
    doubts: Counter[str] = field(default_factory=Counter)
    victims: list[str] = field(default_factory=list)
    promises_broken: int = 0
    faults_drawn: int = 0
    broken: list[str] = field(default_factory=list)

    def saw_count(self, count: int, trusted: bool, really: int) -> None:
        """What the gate believed to be inside at a moment, and how many there were."""
        error = abs(count - really)
        self.occupancy_error_max = max(self.occupancy_error_max, error)
        if trusted:
            self.occupancy_error_max_trusted = max(self.occupancy_error_max_trusted, error)

    def add(self, other: "Verdicts") -> None:
        """The sums of both; the largest errors."""
        for name in self.__slots__:
            mine, theirs = getattr(self, name), getattr(other, name)
            largest = name.startswith("occupancy_error_max")
            setattr(self, name, max(mine, theirs) if largest else mine + theirs)


class Law:
    """What an overstay really is: longer inside than limit and grace, without the time in which
    the zone's exit was occupied, could not be watched, or had no power.
    """

    def __init__(self, truth: Truth, limit: Limit) -> None:
        self._truth = truth
        self._longest_s = limit.limit_s + limit.grace_s

    def is_over(self, visit: Visit) -> bool:
        """Whether a stay that has ended was an overstay."""
        return visit.left_at is not None and self.has_overstayed(visit, visit.left_at)

    def has_overstayed(self, visit: Visit, at: float) -> bool:
        """Whether a stay was one already at a moment."""
        inside_s = at - visit.entered_at
        if inside_s <= self._longest_s:
            return False
        unfair_s = self._truth.unfair_s(_EXIT, visit.entered_at, at, BREAK_S)
        return inside_s - unfair_s > self._longest_s


def compare(ledger: Ledger, truth: Truth, limit: Limit, until: float = 0.0) -> Verdicts:
    """What the gates got right and wrong, up to the moment `until` at which the site ended."""
    judged = Verdicts(journeys=truth.journeys)
    inside = [visit for visit in truth.visits if visit.zone == VISITOR_ZONE]
    by_plate: dict[str, list[Visit]] = defaultdict(list)
    for visit in inside:
        by_plate[visit.plate].append(visit)
    law = Law(truth, limit)
    _stays(judged, ledger, by_plate, law, until)
    _blacklistings(judged, ledger, by_plate, law)
    for approach in truth.approaches:
        if approach.lane == "inner-entry":
            _admission(judged, ledger, approach)
    return judged


def _stays(
    judged: Verdicts, ledger: Ledger, by_plate: dict[str, list[Visit]], law: Law, until: float
) -> None:
    certain, _ = _of_visits(ledger.overstayed, by_plate)
    suspected, strangers = _of_visits(ledger.suspected, by_plate)
    judged.innocent_suspected += strangers
    for visit in (visit for visits in by_plate.values() for visit in visits):
        judged.stays += 1
        judged.ways_out[visit.way_out.value if visit.way_out else "inside"] += 1
        found, doubted = certain.get(visit), suspected.get(visit)
        if visit.vehicle is Vehicle.INTERNAL:
            _internal_stay(judged, visit, found, doubted, law, until)
        else:
            judged.innocent_suspected += doubted is not None


def _internal_stay(
    judged: Verdicts,
    visit: Visit,
    found: Judged | None,
    doubted: Judged | None,
    law: Law,
    until: float,
) -> None:
    """A stay that goes on when the site ends counts if it was judged, or should have been."""
    over = law.has_overstayed(visit, _settled_at(visit, found or doubted, until))
    if visit.left_at is None and not (over or found or doubted):
        return
    judged.internal_stays += 1
    if not over:
        judged.innocent_stays += 1
        judged.innocent_suspected += doubted is not None
        return
    judged.overstays_true += 1
    judged.overstays_certain += found is not None
    judged.overstays_suspected += found is None and doubted is not None
    judged.overstays_missed += found is None and doubted is None
    if found is None and doubted is not None:
        judged.doubts.update(doubted.doubts)


def _settled_at(visit: Visit, told: Judged | None, until: float) -> float:
    """The moment as of which a stay is an overstay or none: its end, its judgement, or the last
    one of which a judgement would have been told by now.
    """
    if visit.left_at is not None:
        return visit.left_at
    return until - _LATE_S if told is None else told.at


def _blacklistings(
    judged: Verdicts, ledger: Ledger, by_plate: dict[str, list[Visit]], law: Law
) -> None:
    judged.blacklistings = len(ledger.blacklisted)
    judged.suspended = len(ledger.suspended)
    for one in ledger.blacklisted:
        visits = by_plate.get(one.plate, [])
        if not any(_explains(visit, one, law) for visit in visits):
            judged.wrong_blacklistings += 1
            judged.victims.append(f"{one.plate} at {one.at:.1f} s")


def _explains(visit: Visit, one: Judged, law: Law) -> bool:
    """Whether this visit is an overstay that was not over long before the judgement."""
    if visit.vehicle is not Vehicle.INTERNAL or visit.entered_at > one.at:
        return False
    if visit.left_at is None:
        return law.has_overstayed(visit, one.at)
    return law.is_over(visit) and one.at <= visit.left_at + _LATE_S


def _of_visits(
    judgements: list[Judged], by_plate: dict[str, list[Visit]]
) -> tuple[dict[Visit, Judged], int]:
    """The judgement of each visit, which is the last one that the plate had begun; and how many
    there are of plates that were never inside.
    """
    found: dict[Visit, Judged] = {}
    strangers = 0
    for one in judgements:
        visits = by_plate.get(one.plate, [])
        place = bisect_left(visits, one.at, key=lambda visit: visit.entered_at)
        if place:
            found.setdefault(visits[place - 1], one)
        else:
            strangers += 1
    return found, strangers


def _admission(judged: Verdicts, ledger: Ledger, approach: Approach) -> None:
    """Whether the entry did to this car what its lists and its record ask for. Who slipped in
    behind another was neither admitted nor refused.
    """
    if approach.way not in (None, Way.DECIDED, Way.UNREAD):
        return
    banned = ledger.banned(approach.plate, approach.at)
    vehicle = approach.vehicle.value
    welcome = not banned and (
        approach.bound or approach.vehicle in (Vehicle.INTERNAL, Vehicle.VISITOR)
    )
    welcome = welcome or approach.vehicle is Vehicle.EXEMPT
    (judged.admitted if approach.opened else judged.refused)[vehicle] += 1
    if approach.opened != welcome:
        said = "admitted" if approach.opened else "refused"
        judged.wrong[f"{vehicle} {said}{' unread' if approach.unreadable else ''}"] += 1
