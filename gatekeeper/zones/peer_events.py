"""What another controller's event says to this one, in this one's own words and on its clock."""

from dataclasses import dataclass

from gatekeeper.health import BLINDING, HELD_OPEN
from gatekeeper.model import (
    AlarmCleared,
    AlarmRaised,
    BarrierIntended,
    BlacklistAdded,
    BlacklistRemoved,
    BlacklistSuspended,
    ControllerStarted,
    ControllerStopped,
    Decision,
    Direction,
    Doubt,
    Instant,
    ListName,
    ListRow,
    PassageEnded,
    PeerEvent,
    Reason,
    RowSource,
    VehicleClass,
    VehicleDecided,
    Verdict,
)
from gatekeeper.rules import journey
from gatekeeper.rules.journey import Ended, Place

DOUBT_ALARMS = (*BLINDING, HELD_OPEN)
"""With these alarms of a peer it is not certain who has left by its exits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A vehicle stood in the lane at `place`, `seen` is its plate, `ended` its passage there;
    `doubt` is on every window of the zones whose exits the peer runs, `blind` a device there that
    fails, and `sees` one that works again; the rest is what the event does to the blacklist.
    """

    place: Place | None = None
    seen: str | None = None
    ended: Ended | None = None
    doubt: Doubt | None = None
    blind: str | None = None
    sees: str | None = None
    listed: tuple[ListRow, ...] = ()
    suspended: tuple[tuple[str, str], ...] = ()
    removed: tuple[tuple[str | None, str], ...] = ()


def read(told: PeerEvent, at: Instant) -> Found:
    """What an event that has come in at `at` says."""
    match told.fact:
        case VehicleDecided(decision=decision, grounds=grounds) as fact:
            if grounds is None or fact.zone is None:
                return Found()
            place = _place(told, fact.zone, grounds.direction)
            return Found(place=place, seen=decision.plate)
        case PassageEnded(zone=str() as zone, direction=Direction() as direction) as fact:
            place = _place(told, zone, direction)
            return Found(place=place, seen=fact.plate, ended=_ended(told, fact, at))
        case ControllerStarted() | ControllerStopped():
            return Found(doubt=Doubt.RESTART)
        case BarrierIntended(reason=reason) if reason in _BY_HAND:
            return Found(doubt=_BY_HAND[reason])
        case AlarmRaised(alarm=Doubt.BOOM_WITHOUT_COMMAND.value):
            return Found(doubt=Doubt.BOOM_WITHOUT_COMMAND)
        case AlarmRaised(alarm=alarm, subject=subject) if alarm in DOUBT_ALARMS:
            return Found(doubt=Doubt.EXIT_LANE_UNHEALTHY, blind=subject)
        case AlarmCleared(alarm=alarm, subject=subject) if alarm in DOUBT_ALARMS:
            return Found(doubt=Doubt.EXIT_LANE_UNHEALTHY, sees=subject)
        case _:
            return _of_the_blacklist(told)


def _of_the_blacklist(told: PeerEvent) -> Found:
    match told.fact:
        case BlacklistAdded() as fact:
            return Found(listed=(_row(told, fact),))
        case BlacklistSuspended(zone=zone, plate=plate):
            return Found(suspended=((zone, plate),))
        case BlacklistRemoved(zone=of, plate=plate):
            return Found(removed=((of, plate),))
        case _:
            return Found()


_BY_HAND = {
    Reason.ORDERED: Doubt.ORDERED_OPENING,
    Reason.HELD_OPEN: Doubt.HELD_OPEN,
    Reason.FIRE: Doubt.HELD_OPEN,
}
"""Openings for any vehicle that comes, not for one that was read."""


def _place(told: PeerEvent, zone: str, direction: Direction) -> Place:
    return Place(lane=f"{told.controller}/{told.lane}", zone=zone, direction=direction)


def _ended(told: PeerEvent, fact: PassageEnded, at: Instant) -> Ended:
    """The passage on this controller's clock. A trusted wall clock is within 5 s of the truth, and
    so is ours: the arrival may have been ten seconds earlier than it seems. Without trust it
    happened now at the latest; how long ago is unknown.
    """
    known = told.clock_trusted and at.trusted
    ago_s = max(0.0, (at.wall - told.occurred_at).total_seconds()) if known else 0.0
    slack_s = journey.ACROSS_CLOCKS_S if known else 0.0
    doubts = fact.doubts if known else (*fact.doubts, Doubt.CLOCK_UNTRUSTED)
    return Ended(
        lane=f"{told.controller}/{told.lane}",
        passage=told.passage or "",
        end=fact.end,
        sighting=fact.sighting,
        decision=_decision(fact) if fact.decided else None,
        arrived=journey.local(ago_s + fact.lasted_s + slack_s, at),
        at=journey.local(ago_s, at),
        doubts=doubts,
    )


def _decision(fact: PassageEnded) -> Decision:
    """Of a peer's decision only the plate and its certainty matter here."""
    return Decision(
        verdict=Verdict.ADMIT,
        reason=Reason.EXIT,
        rule="peer",
        plate=fact.plate,
        vehicle=VehicleClass.UNKNOWN,
        certain=fact.certain,
    )


def _row(told: PeerEvent, fact: BlacklistAdded) -> ListRow:
    return ListRow(
        list=ListName.BLACKLIST,
        plate=fact.plate,
        zone=fact.zone,
        valid_until=fact.until,
        note=f"{fact.reason}, told by {told.controller}, stay {fact.stay}",
        source=RowSource.PEER if fact.stay else RowSource.PERSON,
    )
