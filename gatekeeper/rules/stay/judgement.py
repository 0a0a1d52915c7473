"""What is made of a stay that has outlasted its limit and grace: certain, or only suspected."""

from dataclasses import replace

from gatekeeper.model import (
    BlacklistAdded,
    Doubt,
    Instant,
    Judgement,
    NotedDoubt,
    Stay,
    StayOverstayed,
    StaySuspected,
)
from gatekeeper.rules import blacklist
from gatekeeper.rules.stay.counting import is_due, is_over, window_s
from gatekeeper.rules.stay.doubts import is_watched, with_doubt
from gatekeeper.rules.stay.values import SETTLING_S, Around, StayStep


def judged_if_over(
    stay: Stay, stayed_s: float, settling_s: float, at: Instant, around: Around
) -> StayStep:
    """The stay, judged if it has to be by now and never was; `settling_s` is how much longer news
    that could explain it may take.
    """
    if stay.limit is None or not is_watched(stay):
        return StayStep(stay=stay)
    due = is_due(stayed_s, window_s(stay.limit) + settling_s)
    if not (due and is_over(stayed_s, stay.limit)):
        return StayStep(stay=stay)
    return _judged(stay, stayed_s, at, around)


def before_the_news(stay: Stay, stayed_s: float, at: Instant, around: Around) -> Stay:
    """The stay of a vehicle that leaves. Where other controllers run exits of the zone, their news
    may not have come yet of a stay that was over its limit only just now.
    """
    if stay.limit is None or around.settling_s <= SETTLING_S:
        return stay
    if is_due(stayed_s, window_s(stay.limit) + around.settling_s):
        return stay
    return with_doubt(
        stay, NotedDoubt(doubt=Doubt.PEER_AWAY, at=at, detail="its news was still due")
    )


def _judged(stay: Stay, stayed_s: float, at: Instant, around: Around) -> StayStep:
    stay = _as_the_zone_is(stay, at, around)
    if blacklist.objections(stay):
        return _suspected(stay, stayed_s, around)
    return _overstayed(stay, stayed_s, at, around)


def _as_the_zone_is(stay: Stay, at: Instant, around: Around) -> Stay:
    """With what speaks against every judgement in this zone now."""
    if stay.limit is not None and stay.limit.until is not None and not at.trusted:
        unsure = "whether its list row had ended is unknown"
        stay = with_doubt(stay, NotedDoubt(doubt=Doubt.CLOCK_UNTRUSTED, at=at, detail=unsure))
    if around.advisory:
        stay = with_doubt(stay, NotedDoubt(doubt=Doubt.ADVISORY_ZONE, at=at))
    if around.doubtful_exit is None:
        return stay
    silent = NotedDoubt(
        doubt=Doubt.EXIT_LANE_UNHEALTHY,
        at=at,
        lane=around.doubtful_exit,
        detail="the safety loop is silent since a vehicle backed out",
    )
    return with_doubt(stay, silent)


def _overstayed(stay: Stay, stayed_s: float, at: Instant, around: Around) -> StayStep:
    overstayed = StayOverstayed(stay=stay.id, zone=stay.zone, plate=stay.plate, stayed_s=stayed_s)
    row = blacklist.row_for(stay, at, around.blacklist_days, around.local)
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
    """A person is told of each, except in a zone where limits are advisory: there, once a day."""
    over = replace(stay, judgement=Judgement.SUSPECTED)
    if around.advisory:
        return StayStep(stay=over)
    suspected = StaySuspected(
        stay=stay.id,
        zone=stay.zone,
        plate=stay.plate,
        stayed_s=stayed_s,
        doubts=stay.doubts,
        because=stay.noted,
    )
    return StayStep(stay=over, facts=(suspected,))
