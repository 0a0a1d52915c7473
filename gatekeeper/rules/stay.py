"""A plate inside a zone, from the passed entry to its end: (stay, input, at) -> facts, wake time.

Decisions of the entry and what the lanes saw come in; facts, blacklist rows and the moment to be
asked again go out. Only a certain overstay lists a plate: with any blemish on the window W (from
the entry until the judgement) it is `suspected`, and a person decides. A stay is judged once.

Durations come from the boot clock. Time that is excused (`rules.excuse`) does not count, which
pauses the clock of a vehicle that waits at an exit; nor does the time before a restart, since
nobody can tell how much of it the gate was without power: a limit begins anew then, and never
ends as certain. No step of a wall clock moves anything.
"""

from dataclasses import dataclass, field, replace
from typing import TypeAlias

from gatekeeper.model import (
    BlacklistAdded,
    BlacklistSuspended,
    Blemish,
    Decision,
    Doubt,
    Fact,
    Instant,
    Judgement,
    Limit,
    ListRow,
    PassageEnd,
    Sighting,
    Stay,
    StayEnd,
    StayEnded,
    StayOverstayed,
    StayStarted,
    StaySuspected,
    StayWarning,
    VehicleClass,
    Verdict,
)
from gatekeeper.rules import blacklist, excuse, plate
from gatekeeper.rules.excuse import Excuses

SETTLING_S = 10.0
"""News of what spoils a window may be late by this much: a dead camera is noticed within 5 s, a
silent relay board within 2 s. Nobody is judged by the clock before it has come."""

EARLY_S = 0.001
"""A timer may fire so much early: less would be rounding, and rounding must not make it spin."""

_SEVERAL = 3
"""So many characters must contradict a plate before a passage cannot have been it."""


@dataclass(frozen=True, slots=True)
class AwayFromExit:
    """The vehicle's visit to an exit, begun at `arrived`, is over."""

    end: PassageEnd
    arrived: Instant


@dataclass(frozen=True, slots=True)
class SeenOutside:
    """The plate was read outside the zone: its exit was missed; or, where it came to an entry of
    the zone (`at_entry`), there are two of it (situations, 9).
    """

    at_entry: bool = False


@dataclass(frozen=True, slots=True)
class Blemished:
    """Something happened that could explain an overstay."""

    blemish: Blemish


@dataclass(frozen=True, slots=True)
class Restarted:
    """The controller went live again with the stay still open."""


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Nobody believes any longer that the vehicle is inside: too old, or a person counted."""


@dataclass(frozen=True, slots=True)
class Eased:
    """The list has changed: the limit is this one now, None for no limit. Only ever longer."""

    limit: Limit | None


@dataclass(frozen=True, slots=True)
class Woken:
    """The moment asked for by `wake_at` has come, or any other moment."""


StayInput: TypeAlias = AwayFromExit | SeenOutside | Blemished | Restarted | GivenUp | Eased | Woken


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What holds in the stay's zone: what time is excused, how late news may be, how long a row
    this gate puts on the blacklist lasts (None: for ever), and whether limits are only advisory.
    `unproven` is an exit lane whose safety loop has said nothing since a vehicle seemed to back
    out there: if the loop is dead, that vehicle has left.
    """

    excuses: Excuses = field(default=excuse.NONE)
    settling_s: float = SETTLING_S
    blacklist_days: float | None = None
    advisory: bool = False
    unproven: str | None = None


QUIET = Around()
"""Nobody at the exits, and all of it known at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StayStep:
    """What a step comes to: the stay as it is now, and what has to be committed with it.

    `listed` are rows for the blacklist, `suspended` the (zone, plate) of rows to set aside;
    `wake_at` is when to step again with `Woken` (boot clock), None if nothing is due by itself:
    what is excused without an end is asked again when it has ended.
    """

    stay: Stay
    facts: tuple[Fact, ...] = ()
    listed: tuple[ListRow, ...] = ()
    suspended: tuple[tuple[str, str], ...] = ()
    wake_at: float | None = None


def begin(
    id: str,  # noqa: A002 - the stay's own word for it
    zone: str,
    decision: Decision,
    entered: Instant,
    lane: str,
    passage: str,
    doubts: tuple[Doubt, ...] = (),
) -> StayStep | None:
    """The stay of a vehicle that has passed an entry; `doubts` are on its window from the start.

    None where there is no plate to speak of, a trailer's, or one that was refused and crossed all
    the same: such a passage is counted and limits nobody. Class and limit are frozen here.
    """
    if decision.plate is None or plate.is_trailer(decision.plate):
        return None
    if decision.verdict is not Verdict.ADMIT:
        return None
    limit = decision.limit if decision.vehicle is VehicleClass.INTERNAL else None
    if not decision.certain:
        doubts = (Doubt.ENTRY_UNCERTAIN, *doubts)
    stay = Stay(
        id=id,
        zone=zone,
        plate=decision.plate,
        vehicle=decision.vehicle,
        entered=entered,
        counted_from=entered,
        entry_lane=lane,
        entry_passage=passage,
        limit=limit,
        list_version=decision.row.version if decision.row else None,
    )
    for doubt in dict.fromkeys(doubts):
        stay = blemished(stay, Blemish(doubt=doubt, at=entered, lane=lane, passage=passage))
    started = StayStarted(
        stay=stay.id,
        zone=stay.zone,
        plate=stay.plate,
        vehicle=stay.vehicle,
        limit_s=limit.limit_s if limit else None,
    )
    return StayStep(stay=stay, facts=(started,), wake_at=wake_at(stay, entered, QUIET))


def step(stay: Stay, what: StayInput, at: Instant, around: Around = QUIET) -> StayStep:
    """The stay after `what` happened at `at`. An ended stay stays as it is and asks for nothing."""
    if stay.ended is not None:
        return StayStep(stay=stay)
    if at.boot_id != stay.counted_from.boot_id:
        stay = _restarted(stay, at)
    match what:
        case AwayFromExit(end=end, arrived=arrived):
            after = _away_from_exit(stay, end, arrived, at, around)
        case SeenOutside(at_entry=at_entry):
            if at_entry:
                stay = blemished(stay, Blemish(doubt=Doubt.PLATE_CONFLICT, at=at))
            after = _seen_outside(stay, at, around)
        case Blemished(blemish=blemish):
            after = StayStep(stay=blemished(stay, blemish))
        case Restarted():
            after = StayStep(stay=_restarted(stay, at))
        case GivenUp():
            after = _given_up(stay, at, around)
        case Eased(limit=limit):
            after = StayStep(stay=_eased(stay, limit))
        case Woken():
            after = _woken(stay, at, around)
    return replace(after, wake_at=wake_at(after.stay, at, around))


def is_watched(stay: Stay) -> bool:
    """Whether anything can still be found against the window: a limit runs and is not judged."""
    return stay.limit is not None and stay.judgement is None and stay.ended is None


def could_have_been(sighting: Sighting | None, plate_inside: str, certain: float) -> bool:
    """Whether a passage may have been this plate's: if so, it may have left unseen.

    It was unread, a trailer hid it, some frame read it, or fewer than three characters of the read
    contradict it with certainty. A missing or additional character contradicts nothing.
    """
    if sighting is None or plate.is_trailer(sighting.plate):
        return True
    if any(text == plate_inside for text, _ in sighting.alternatives):
        return True
    sure = tuple(confidence >= certain for confidence in sighting.confidences)
    return plate.contradictions(sighting.plate, sure, plate_inside) < _SEVERAL


def blemished(stay: Stay, blemish: Blemish) -> Stay:
    """One kind of doubt is found once, and until the judgement: nothing afterwards changes what
    the window was like.
    """
    if not is_watched(stay) or blemish.doubt in stay.doubts:
        return stay
    return replace(stay, blemishes=(*stay.blemishes, blemish))


def counted_s(stay: Stay, until: Instant, around: Around = QUIET) -> float:
    """How much of the time inside counts until then; 0.0 across a boot that nobody told of."""
    since = stay.counted_from
    if until.boot_id != since.boot_id or until.boot_s <= since.boot_s:
        return 0.0
    excused_s = excuse.excused_s(around.excuses, since.boot_s, until.boot_s)
    return max(0.0, until.boot_s - since.boot_s - excused_s)


def wake_at(stay: Stay, at: Instant, around: Around) -> float | None:
    """When a watched stay wants to be stepped next (boot clock), as things stand at `at`."""
    if not is_watched(stay) or stay.limit is None:
        return None
    settled_at = excuse.settled_at(around.excuses, at.boot_s)
    if settled_at is None:
        return None
    due_s = _window(stay.limit) + around.settling_s if stay.warned else _warning(stay.limit)
    left_s = max(0.0, due_s - counted_s(stay, at, around))
    return max(settled_at, at.boot_s + left_s)


# --- how the inputs work --------------------------------------------------------------------


def _restarted(stay: Stay, at: Instant) -> Stay:
    doubted = blemished(stay, Blemish(doubt=Doubt.RESTART, at=at))
    return replace(doubted, counted_from=at)


def _eased(stay: Stay, limit: Limit | None) -> Stay:
    """A later change may lift or lengthen a limit, never create or shorten one."""
    if stay.limit is None or stay.judgement is not None:
        return stay
    if limit is not None and not _is_longer(limit, stay.limit):
        return stay
    return replace(stay, limit=limit)


def _away_from_exit(
    stay: Stay, end: PassageEnd, arrived: Instant, at: Instant, around: Around
) -> StayStep:
    match end:
        case PassageEnd.PASSED:
            return _ended(stay, StayEnd.EXITED, arrived, at, around)
        case PassageEnd.PASSED_PRESUMED:
            presumed = blemished(stay, Blemish(doubt=Doubt.EXIT_LANE_UNHEALTHY, at=at))
            return _ended(presumed, StayEnd.EXITED, arrived, at, around)
        case PassageEnd.BACKED_OUT:
            return StayStep(stay=stay)
        case PassageEnd.TIMED_OUT:
            return StayStep(stay=blemished(stay, Blemish(doubt=Doubt.EXIT_TIMED_OUT, at=at)))


def _seen_outside(stay: Stay, at: Instant, around: Around) -> StayStep:
    """When it left nobody knows: nothing certain comes of it, and what was certain is set aside."""
    doubted = blemished(stay, Blemish(doubt=Doubt.SEEN_ELSEWHERE, at=at))
    ended = _ended(doubted, StayEnd.UNOBSERVED, at, at, around)
    if stay.judgement is not Judgement.OVERSTAYED:
        return ended
    suspended = BlacklistSuspended(
        zone=stay.zone, plate=stay.plate, stay=stay.id, reason="seen outside, exit not observed"
    )
    return replace(ended, facts=(*ended.facts, suspended), suspended=((stay.zone, stay.plate),))


def _given_up(stay: Stay, at: Instant, around: Around) -> StayStep:
    """Who is believed to have left unseen has not overstayed for certain."""
    doubted = blemished(stay, Blemish(doubt=Doubt.COULD_HAVE_LEFT, at=at, detail="given up"))
    return _ended(doubted, StayEnd.ABANDONED, at, at, around)


def _ended(stay: Stay, end: StayEnd, moment: Instant, at: Instant, around: Around) -> StayStep:
    """Over since `moment`; judged first, as of then, if it never was and had to be."""
    stayed_s = counted_s(stay, moment, around)
    judged = _judged_if_over(
        _before_the_news(stay, stayed_s, at, around), stayed_s, 0.0, at, around
    )
    ended = StayEnded(stay=stay.id, zone=stay.zone, plate=stay.plate, end=end, stayed_s=stayed_s)
    over = replace(judged.stay, ended=moment, end=end)
    return replace(judged, stay=over, facts=(*judged.facts, ended))


def _before_the_news(stay: Stay, stayed_s: float, at: Instant, around: Around) -> Stay:
    """Where other controllers run exits of the zone, their news may not have come yet of a stay
    that was over its limit only just now.
    """
    if stay.limit is None or around.settling_s <= SETTLING_S:
        return stay
    if _due(stayed_s, _window(stay.limit) + around.settling_s):
        return stay
    return blemished(stay, Blemish(doubt=Doubt.PEER_AWAY, at=at, detail="its news was still due"))


def _woken(stay: Stay, at: Instant, around: Around) -> StayStep:
    """The warning and the judgement, each once, when they are due and what excuses is settled."""
    limit = stay.limit
    settled_at = excuse.settled_at(around.excuses, at.boot_s)
    if limit is None or not is_watched(stay) or settled_at is None:
        return StayStep(stay=stay)
    if settled_at > at.boot_s + EARLY_S:
        return StayStep(stay=stay)
    stayed_s = counted_s(stay, at, around)
    judged = _judged_if_over(stay, stayed_s, around.settling_s, at, around)
    if judged.stay.judgement or stay.warned or not _due(stayed_s, _warning(limit)):
        return judged
    warning = StayWarning(
        stay=stay.id,
        zone=stay.zone,
        plate=stay.plate,
        left_s=max(0.0, limit.limit_s - stayed_s),
    )
    return StayStep(stay=replace(stay, warned=True), facts=(warning,))


# --- judgement ------------------------------------------------------------------------------


def _judged_if_over(
    stay: Stay, stayed_s: float, settling_s: float, at: Instant, around: Around
) -> StayStep:
    if stay.limit is None or not is_watched(stay):
        return StayStep(stay=stay)
    if not _due(stayed_s, _window(stay.limit) + settling_s):
        return StayStep(stay=stay)
    return _judged(stay, stayed_s, at, around)


def _judged(stay: Stay, stayed_s: float, at: Instant, around: Around) -> StayStep:
    if around.advisory:
        stay = blemished(stay, Blemish(doubt=Doubt.ADVISORY_ZONE, at=at))
    if around.unproven is not None:
        silent = Blemish(
            doubt=Doubt.EXIT_LANE_UNHEALTHY,
            at=at,
            lane=around.unproven,
            detail="the safety loop is silent since a vehicle backed out",
        )
        stay = blemished(stay, silent)
    if blacklist.objections(stay):
        return _suspected(stay, stayed_s, around)
    overstayed = StayOverstayed(stay=stay.id, zone=stay.zone, plate=stay.plate, stayed_s=stayed_s)
    row = blacklist.row_for(stay, at, around.blacklist_days)
    added = BlacklistAdded(
        zone=stay.zone,
        plate=stay.plate,
        stay=stay.id,
        by="gate",
        reason="overstay",
        until=row.valid_until,
    )
    return StayStep(
        stay=replace(stay, judgement=Judgement.OVERSTAYED), facts=(overstayed, added), listed=(row,)
    )


def _suspected(stay: Stay, stayed_s: float, around: Around) -> StayStep:
    """A person is told of each, but for a zone where limits are advisory: there, once a day."""
    over = replace(stay, judgement=Judgement.SUSPECTED)
    if around.advisory:
        return StayStep(stay=over)
    suspected = StaySuspected(
        stay=stay.id,
        zone=stay.zone,
        plate=stay.plate,
        stayed_s=stayed_s,
        doubts=stay.doubts,
        because=stay.blemishes,
    )
    return StayStep(stay=over, facts=(suspected,))


# --- time -----------------------------------------------------------------------------------


def _due(stayed_s: float, after_s: float) -> bool:
    return stayed_s + EARLY_S >= after_s


def _warning(limit: Limit) -> float:
    return limit.limit_s - limit.warning_s


def _is_longer(limit: Limit, than: Limit) -> bool:
    return limit.limit_s > than.limit_s and _window(limit) >= _window(than)


def _window(limit: Limit) -> float:
    return limit.limit_s + limit.grace_s
