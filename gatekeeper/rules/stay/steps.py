"""How a stay begins, and what each input does to it."""

from dataclasses import replace

from gatekeeper.model import (
    BlacklistSuspended,
    Decision,
    Doubt,
    Instant,
    Judgement,
    Limit,
    NotedDoubt,
    PassageEnd,
    Stay,
    StayEnd,
    StayEnded,
    StayStarted,
    StayWarning,
    VehicleClass,
    Verdict,
)
from gatekeeper.rules import pauses, plate
from gatekeeper.rules.stay.counting import (
    EARLY_S,
    counted_s,
    is_due,
    is_longer,
    wake_at,
    warning_s,
)
from gatekeeper.rules.stay.doubts import is_watched, with_doubt
from gatekeeper.rules.stay.judgement import before_the_news, judged_if_over
from gatekeeper.rules.stay.values import (
    QUIET,
    Around,
    AwayFromExit,
    Doubted,
    Eased,
    GivenUp,
    Restarted,
    SeenOutside,
    StayInput,
    StayStep,
    Woken,
)


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
    the same: such a passage is counted and has no limit. Class and limit are frozen here.
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
        counted_from=entered,
        entry_lane=lane,
        entry_passage=passage,
        limit=_limit_of(decision),
        list_version=decision.row.version if decision.row else None,
    )
    if not decision.certain:
        doubts = (Doubt.ENTRY_UNCERTAIN, *doubts)
    for doubt in doubts:
        stay = with_doubt(stay, NotedDoubt(doubt=doubt, at=entered, lane=lane, passage=passage))
    return StayStep(stay=stay, facts=(_started(stay),), wake_at=wake_at(stay, entered, QUIET))


def step(stay: Stay, what: StayInput, at: Instant, around: Around = QUIET) -> StayStep:
    """The stay after `what` happened at `at`. An ended stay stays as it is and asks for nothing."""
    if stay.ended is not None:
        return StayStep(stay=stay)
    stay = _unbound_by_now(stay, at)
    if at.boot_id != stay.counted_from.boot_id:
        stay = _restarted(stay, at)
    match what:
        case AwayFromExit(end=end, arrived=arrived):
            after = _away_from_exit(stay, end, arrived, at, around)
        case SeenOutside(at_entry=at_entry):
            if at_entry:
                stay = with_doubt(stay, NotedDoubt(doubt=Doubt.PLATE_CONFLICT, at=at))
            after = _seen_outside(stay, at, around)
        case Doubted(noted=noted):
            after = StayStep(stay=with_doubt(stay, noted))
        case Restarted():
            after = StayStep(stay=_restarted(stay, at))
        case GivenUp():
            after = _given_up(stay, at, around)
        case Eased(limit=limit):
            after = StayStep(stay=_eased(stay, limit))
        case Woken():
            after = _woken(stay, at, around)
    return replace(after, wake_at=wake_at(after.stay, at, around))


def _limit_of(decision: Decision) -> Limit | None:
    if decision.limit is None or decision.vehicle is not VehicleClass.INTERNAL:
        return None
    return replace(decision.limit, until=decision.row.valid_until if decision.row else None)


def _started(stay: Stay) -> StayStarted:
    return StayStarted(
        stay=stay.id,
        zone=stay.zone,
        plate=stay.plate,
        vehicle=stay.vehicle,
        limit_s=stay.limit.limit_s if stay.limit else None,
    )


def _restarted(stay: Stay, at: Instant) -> Stay:
    doubted = with_doubt(stay, NotedDoubt(doubt=Doubt.RESTART, at=at))
    return replace(doubted, counted_from=at)


def _unbound_by_now(stay: Stay, at: Instant) -> Stay:
    """The row that bound it may have ended while it was inside (situations, 39)."""
    until = stay.limit.until if stay.limit else None
    return stay if until is None or at.wall < until else _eased(stay, None)


def _eased(stay: Stay, limit: Limit | None) -> Stay:
    """A later change may lift or lengthen a limit, never create or shorten one."""
    if stay.limit is None or stay.judgement is not None:
        return stay
    if limit is not None and not is_longer(limit, stay.limit):
        return stay
    return replace(stay, limit=limit and replace(limit, until=stay.limit.until))


def _away_from_exit(
    stay: Stay, end: PassageEnd, arrived: Instant, at: Instant, around: Around
) -> StayStep:
    match end:
        case PassageEnd.PASSED:
            return _ended(stay, StayEnd.EXITED, arrived, at, around)
        case PassageEnd.PASSED_PRESUMED:
            presumed = with_doubt(stay, NotedDoubt(doubt=Doubt.EXIT_LANE_UNHEALTHY, at=at))
            return _ended(presumed, StayEnd.EXITED, arrived, at, around)
        case PassageEnd.BACKED_OUT:
            return StayStep(stay=stay)
        case PassageEnd.TIMED_OUT:
            return StayStep(stay=with_doubt(stay, NotedDoubt(doubt=Doubt.EXIT_TIMED_OUT, at=at)))


def _seen_outside(stay: Stay, at: Instant, around: Around) -> StayStep:
    """When it left is unknown: nothing certain comes of it, and what was certain is set aside."""
    doubted = with_doubt(stay, NotedDoubt(doubt=Doubt.SEEN_ELSEWHERE, at=at))
    ended = _ended(doubted, StayEnd.UNOBSERVED, at, at, around)
    if stay.judgement is not Judgement.OVERSTAYED:
        return ended
    suspended = BlacklistSuspended(
        zone=stay.zone, plate=stay.plate, stay=stay.id, reason="seen outside, exit not observed"
    )
    return replace(ended, facts=(*ended.facts, suspended), suspended=((stay.zone, stay.plate),))


def _given_up(stay: Stay, at: Instant, around: Around) -> StayStep:
    """A vehicle that may have left unseen has not overstayed for certain."""
    doubted = with_doubt(stay, NotedDoubt(doubt=Doubt.COULD_HAVE_LEFT, at=at, detail="given up"))
    return _ended(doubted, StayEnd.ABANDONED, at, at, around)


def _ended(stay: Stay, end: StayEnd, moment: Instant, at: Instant, around: Around) -> StayStep:
    """Over since `moment`; judged first, as of then, if it never was and had to be."""
    stayed_s = counted_s(stay, moment, around)
    stay = before_the_news(stay, stayed_s, at, around)
    judged = judged_if_over(stay, stayed_s, 0.0, at, around)
    ended = StayEnded(stay=stay.id, zone=stay.zone, plate=stay.plate, end=end, stayed_s=stayed_s)
    over = replace(judged.stay, ended=moment, end=end)
    return replace(judged, stay=over, facts=(*judged.facts, ended))


def _woken(stay: Stay, at: Instant, around: Around) -> StayStep:
    """The warning and the judgement, each once, when they are due and paused time is settled."""
    limit = stay.limit
    settled_at = pauses.settled_at(around.paused, at.boot_s)
    if limit is None or not is_watched(stay) or settled_at is None:
        return StayStep(stay=stay)
    if settled_at > at.boot_s + EARLY_S:
        return StayStep(stay=stay)
    stayed_s = counted_s(stay, at, around)
    judged = judged_if_over(stay, stayed_s, around.settling_s, at, around)
    if judged.stay.judgement or stay.warned or not is_due(stayed_s, warning_s(limit)):
        return judged
    warning = StayWarning(
        stay=stay.id,
        zone=stay.zone,
        plate=stay.plate,
        left_s=max(0.0, limit.limit_s - stayed_s),
    )
    return StayStep(stay=replace(stay, warned=True), facts=(warning,))
