"""A plate inside a zone, from the passed entry to its end: (stay, input, at) -> facts, wake time.

Decisions of the entry and what the lanes saw come in; facts, blacklist rows and the moment to be
asked again go out. Only a certain overstay lists a plate: with any doubt about the window W (from
the entry until limit and grace have run out) it is `suspected`, and a person decides. A stay is
judged once.

Time that a vehicle waits at an exit does not count. Durations come from the boot clock; between
two boots, or two controllers, from wall time that was trusted at both ends, less ten seconds;
otherwise the duration is unknown, and an unknown duration accuses nobody for certain.
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

from gatekeeper.model import (
    BlacklistAdded,
    BlacklistSuspended,
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
from gatekeeper.rules import blacklist, plate

_ACROSS_CLOCKS_S = 10.0
"""Taken off a duration between two wall clocks: each is within 5 s of the truth."""

_EARLY_S = 0.001
"""A timer may fire so much early: less would be rounding, and rounding must not make it spin."""

_ASK_AGAIN_S = 60.0
"""How soon to look whether the wall clock has become trusted, so that a duration is known."""

_SEVERAL = 3
"""So many characters must contradict a plate before a passage cannot have been it."""


@dataclass(frozen=True, slots=True)
class AtExit:
    """The vehicle has arrived at an exit of the zone."""


@dataclass(frozen=True, slots=True)
class AwayFromExit:
    """Its visit to the exit, begun at `arrived`, is over."""

    end: PassageEnd
    arrived: Instant


@dataclass(frozen=True, slots=True)
class SeenOutside:
    """The plate was read outside the zone: its exit was missed."""


@dataclass(frozen=True, slots=True)
class Doubted:
    """Something happened that could explain an overstay."""

    doubt: Doubt


@dataclass(frozen=True, slots=True)
class Restarted:
    """The controller went live again with the stay still open."""


@dataclass(frozen=True, slots=True)
class Woken:
    """The moment asked for by `wake_at` has come, or any other moment."""


StayInput: TypeAlias = AtExit | AwayFromExit | SeenOutside | Doubted | Restarted | Woken


@dataclass(frozen=True, slots=True, kw_only=True)
class StayStep:
    """What a step comes to: the stay as it is now, and what has to be committed with it.

    `listed` are rows for the blacklist, `suspended` the (zone, plate) of rows to set aside;
    `wake_at` is when to step again with `Woken` (boot clock), None if nothing is due by itself.
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
) -> StayStep | None:
    """The stay of a vehicle that has passed an entry.

    None where there is no plate to speak of, a trailer's, or one that was refused and crossed all
    the same: such a passage is counted and limits nobody. Class and limit are frozen here.
    """
    if decision.plate is None or plate.is_trailer(decision.plate):
        return None
    if decision.verdict is not Verdict.ADMIT:
        return None
    stay = Stay(
        id=id,
        zone=zone,
        plate=decision.plate,
        vehicle=decision.vehicle,
        entered=entered,
        entry_lane=lane,
        entry_passage=passage,
        limit=decision.limit if decision.vehicle is VehicleClass.INTERNAL else None,
        list_version=decision.row.version if decision.row else None,
        doubts=() if decision.certain else (Doubt.ENTRY_UNCERTAIN,),
    )
    started = StayStarted(
        stay=stay.id,
        zone=stay.zone,
        plate=stay.plate,
        vehicle=stay.vehicle,
        limit_s=stay.limit.limit_s if stay.limit else None,
    )
    return StayStep(stay=stay, facts=(started,), wake_at=_wake_at(stay, entered))


def step(stay: Stay, what: StayInput, at: Instant) -> StayStep:
    """The stay after `what` happened at `at`. An ended stay stays as it is and asks for nothing."""
    if stay.ended is not None:
        return StayStep(stay=stay)
    match what:
        case AtExit():
            after = StayStep(stay=_paused(stay, at))
        case AwayFromExit(end=end, arrived=arrived):
            after = _away_from_exit(stay, end, arrived, at)
        case SeenOutside():
            after = _seen_outside(stay, at)
        case Doubted(doubt=doubt):
            after = StayStep(stay=_doubted(stay, doubt) if _in_window(stay, at) else stay)
        case Restarted():
            after = StayStep(stay=_doubted(_resumed(stay, at), Doubt.RESTART))
        case Woken():
            after = _woken(stay, at)
    return replace(after, wake_at=_wake_at(after.stay, at))


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


# --- how the inputs work --------------------------------------------------------------------


def _paused(stay: Stay, since: Instant) -> Stay:
    return stay if stay.paused_at is not None else replace(stay, paused_at=since.boot_s)


def _resumed(stay: Stay, at: Instant) -> Stay:
    if stay.paused_at is None:
        return stay
    waited_s = max(0.0, at.boot_s - stay.paused_at)
    return replace(stay, paused_at=None, paused_s=stay.paused_s + waited_s)


def _doubted(stay: Stay, doubt: Doubt) -> Stay:
    """A doubt counts until the judgement: nothing afterwards changes what W was like."""
    if stay.limit is None or stay.judgement is not None or doubt in stay.doubts:
        return stay
    return replace(stay, doubts=(*stay.doubts, doubt))


def _away_from_exit(stay: Stay, end: PassageEnd, arrived: Instant, at: Instant) -> StayStep:
    match end:
        case PassageEnd.PASSED:
            return _ended(stay, StayEnd.EXITED, arrived, at)
        case PassageEnd.PASSED_PRESUMED:
            presumed = _doubted(stay, Doubt.EXIT_LANE_UNHEALTHY)
            return _ended(presumed, StayEnd.EXITED, arrived, at)
        case PassageEnd.BACKED_OUT:
            return StayStep(stay=_resumed(_paused(stay, arrived), at))
        case PassageEnd.TIMED_OUT:
            back = _resumed(_paused(stay, arrived), at)
            return StayStep(stay=_doubted(back, Doubt.EXIT_TIMED_OUT))


def _seen_outside(stay: Stay, at: Instant) -> StayStep:
    """When it left nobody knows: nothing certain comes of it, and what was certain is set aside."""
    ended = _ended(_doubted(stay, Doubt.COULD_HAVE_LEFT), StayEnd.UNOBSERVED, at, at)
    if stay.judgement is not Judgement.OVERSTAYED:
        return ended
    suspended = BlacklistSuspended(
        zone=stay.zone, plate=stay.plate, stay=stay.id, reason="seen outside, exit not observed"
    )
    return replace(ended, facts=(*ended.facts, suspended), suspended=((stay.zone, stay.plate),))


def _ended(stay: Stay, end: StayEnd, moment: Instant, at: Instant) -> StayStep:
    """Over since `moment`; judged first, as of then, if it never was and had to be."""
    judged = _judged_if_over(stay, moment, at)
    if stay.limit is not None and stay.judgement is None and _stayed_s(stay, moment) is None:
        judged = _judged(_doubted(stay, Doubt.RESTART), 0.0, at)
    ended = StayEnded(
        stay=stay.id,
        zone=stay.zone,
        plate=stay.plate,
        end=end,
        stayed_s=_stayed_s(stay, moment) or 0.0,
    )
    over = replace(_resumed(judged.stay, moment), ended=moment, end=end)
    return replace(judged, stay=over, facts=(*judged.facts, ended))


def _woken(stay: Stay, at: Instant) -> StayStep:
    """The warning and the judgement, each once, when they are due."""
    limit, stayed_s = stay.limit, _stayed_s(stay, at)
    if limit is None or stayed_s is None or stay.paused_at is not None:
        return StayStep(stay=stay)
    if at.boot_id != stay.entered.boot_id:
        stay = _doubted(stay, Doubt.RESTART)
    judged = _judged_if_over(stay, at, at)
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


def _judged_if_over(stay: Stay, moment: Instant, at: Instant) -> StayStep:
    stayed_s = _stayed_s(stay, moment)
    if stay.limit is None or stay.judgement is not None or stayed_s is None:
        return StayStep(stay=stay)
    if not _due(stayed_s, _window(stay.limit)):
        return StayStep(stay=stay)
    return _judged(stay, stayed_s, at)


def _judged(stay: Stay, stayed_s: float, at: Instant) -> StayStep:
    if blacklist.objections(stay):
        suspected = StaySuspected(
            stay=stay.id,
            zone=stay.zone,
            plate=stay.plate,
            stayed_s=stayed_s,
            doubts=stay.doubts,
        )
        return StayStep(stay=replace(stay, judgement=Judgement.SUSPECTED), facts=(suspected,))
    overstayed = StayOverstayed(stay=stay.id, zone=stay.zone, plate=stay.plate, stayed_s=stayed_s)
    added = BlacklistAdded(
        zone=stay.zone, plate=stay.plate, stay=stay.id, by="gate", reason="overstay"
    )
    return StayStep(
        stay=replace(stay, judgement=Judgement.OVERSTAYED),
        facts=(overstayed, added),
        listed=(blacklist.row_for(stay, at),),
    )


# --- time -----------------------------------------------------------------------------------


def _elapsed_s(since: Instant, until: Instant) -> float | None:
    """How long between two moments for certain, or None if no clock can tell."""
    if since.boot_id == until.boot_id:
        return max(0.0, until.boot_s - since.boot_s)
    if since.trusted and until.trusted:
        return max(0.0, (until.wall - since.wall).total_seconds() - _ACROSS_CLOCKS_S)
    return None


def _stayed_s(stay: Stay, until: Instant) -> float | None:
    """Time inside without the waiting at exits, or None if no clock can tell."""
    elapsed_s = _elapsed_s(stay.entered, until)
    if elapsed_s is None:
        return None
    return max(0.0, elapsed_s - _resumed(stay, until).paused_s)


def _due(stayed_s: float, after_s: float) -> bool:
    return stayed_s + _EARLY_S >= after_s


def _warning(limit: Limit) -> float:
    return limit.limit_s - limit.warning_s


def _window(limit: Limit) -> float:
    return limit.limit_s + limit.grace_s


def _in_window(stay: Stay, at: Instant) -> bool:
    if stay.limit is None:
        return False
    stayed_s = _stayed_s(stay, at)
    return stayed_s is None or not _due(stayed_s, _window(stay.limit))


def _wake_at(stay: Stay, at: Instant) -> float | None:
    if stay.limit is None or stay.ended or stay.judgement or stay.paused_at is not None:
        return None
    stayed_s = _stayed_s(stay, at)
    if stayed_s is None:
        return at.boot_s + _ASK_AGAIN_S
    due_s = _window(stay.limit) if stay.warned else _warning(stay.limit)
    return at.boot_s + max(0.0, due_s - stayed_s)
