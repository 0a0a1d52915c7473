"""One vehicle's visit to a lane, as the lane remembers it while it lasts: what was seen, what was
decided or ordered, and what is wrong with it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum

from uuid6 import uuid7

from gatekeeper.health import Health
from gatekeeper.model import (
    Ack,
    Decision,
    Doubt,
    Frame,
    Grounds,
    Instant,
    Order,
    OrderAnswer,
    Outcome,
    PassageEnd,
    PlateRead,
    Reason,
    Sighting,
    VehicleClass,
    Verdict,
)
from gatekeeper.rules.hold import ADMITS_AS
from gatekeeper.rules.passage import DOUBTS, Output, State
from gatekeeper.zones import Ended

_OUTCOMES = {Outcome.DONE: "done", Outcome.FAILED: "refused", Outcome.UNKNOWN: "unknown"}
"""What is answered to an order, by what became of the barrier command."""

READS_KEPT = 60
"""Reads of one vehicle that may vote; of a car that stands for an hour, the newest."""


class LookRate(Enum):
    """How often the lane wants the camera to look."""

    IDLE = "idle"
    SLOWLY = "slowly"
    QUICKLY = "quickly"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the camera gave: a frame and the plates in it."""

    frame: Frame
    reads: tuple[PlateRead, ...]


@dataclass(slots=True, kw_only=True, eq=False)
class Ordered:
    """An order for this lane, good until the moment `until` of the boot clock. `answer` is done as
    soon as the order has been answered; from then on nothing may come of it. `begun`: the lane
    is carrying it out.
    """

    order: Order
    until: float
    answer: "asyncio.Future[OrderAnswer]"
    begun: bool = False

    @property
    def stands(self) -> bool:
        """Whether something may still come of it, but for its deadline."""
        return not self.answer.done()

    def answered_by(self, ack: Ack) -> OrderAnswer:
        """The answer, from what became of the barrier command."""
        return self.order.answered(_OUTCOMES[ack.outcome], ack.detail)


@dataclass(slots=True, kw_only=True)
class Visit:
    """One vehicle's visit, from the arrival edge until it has passed or gone.

    `late` is set when the time for votes is over, so that a lone read may count, `looked_twice`
    when the second look at a look-alike of a blacklisted plate is over, `settled` when more reads
    can change nothing. `command` is the id under which this visit opens the barrier, once, `order`
    the one by which it does, if any, and `ack` what became of that. `identified` is the plate that
    a person at the centre gave; `doubts` are what was suspicious, `followers` how many slipped
    through behind, `unpulsed` whether it was let in without a pulse, the boom being up.
    """

    passage: str
    arrived: float
    command: str = field(default_factory=lambda: str(uuid7()))
    order: Ordered | None = None
    ack: Ack | None = None
    reads: list[PlateRead] = field(default_factory=list)
    best: Frame | None = None
    sighting: Sighting | None = None
    decision: Decision | None = None
    grounds: Grounds | None = None
    picture: str | None = None
    identified: str | None = None
    late: bool = False
    looked_twice: bool = False
    settled: bool = False
    doubts: list[Doubt] = field(default_factory=list)
    followers: int = 0
    unpulsed: bool = False

    @property
    def held(self) -> Reason | None:
        """Why the boom was kept up when this vehicle was let in under it; None if it was not."""
        reason = self.decision.reason if self.decision is not None else None
        return reason if reason in ADMITS_AS else None

    @property
    def opened(self) -> bool:
        """Whether the barrier was opened for this vehicle, or was open already."""
        return self.ack is not None and self.ack.outcome is Outcome.DONE

    @property
    def unsure(self) -> bool:
        """Whether more reads could still make the sighting certain."""
        return not self.settled and len(self.reads) < READS_KEPT

    def forget_decision(self) -> None:
        """It is decided as if for the first time, and opens, if so, under an id of its own."""
        self.decision = self.grounds = self.ack = self.order = None
        self.command, self.unpulsed = str(uuid7()), False

    def take(self, look: Look) -> None:
        """One more look at the vehicle; a frame with a plate is the better picture."""
        if look.frame.encoded and (look.reads or self.best is None):
            self.best = look.frame
        self.reads = [*self.reads, *look.reads][-READS_KEPT:]


def look_rate(state: State, visit: Visit | None) -> LookRate:
    """How often the camera is to look at this vehicle; at an empty lane it looks when idle."""
    match state:
        case State.READING | State.LOOKING_AGAIN:
            return LookRate.QUICKLY
        case State.WAITING | State.OPENING | State.APPROACHING if visit and visit.unsure:
            return LookRate.QUICKLY
        case State.REFUSED if visit and not visit.settled:
            return LookRate.SLOWLY
        case _:
            return LookRate.IDLE


def same(before: Decision, after: Decision) -> bool:
    """Whether a second decision says nothing new to the driver or to the centre."""
    return (before.verdict, before.reason, before.plate) == (
        after.verdict,
        after.reason,
        after.plate,
    )


def by_order(visit: Visit) -> Decision:
    """What is decided where a person orders the barrier open for this vehicle."""
    return Decision(
        verdict=Verdict.ADMIT,
        reason=Reason.ORDERED,
        rule="ordered",
        plate=visit.sighting.plate if visit.sighting else None,
        vehicle=visit.decision.vehicle if visit.decision else VehicleClass.UNKNOWN,
        certain=False,
    )


def over(
    visit: Visit, lane: str, end: PassageEnd, arrived: Instant, at: Instant
) -> tuple[Ended, ...]:
    """The visit as a passage that is over, and one for each vehicle that slipped through behind: a
    passage of its own, undecided (situations, 15).
    """
    ended = Ended(
        lane=lane,
        passage=visit.passage,
        end=end,
        sighting=visit.sighting,
        decision=visit.decision,
        arrived=arrived,
        at=at,
        doubts=tuple(dict.fromkeys(visit.doubts)),
    )
    through = replace(ended, end=PassageEnd.PASSED, sighting=None, decision=None, arrived=at)
    behind = (replace(through, passage=str(uuid7())) for _ in range(visit.followers))
    return (ended, *behind)


_DETAILS = {
    Output.LOITERING: "a vehicle does not move on",
    Output.LANE_BLOCKED: "a vehicle does not move on",
    Output.UNDECIDED: "a vehicle crossed without a decision of its own",
}
_OF_TWO = "more than one vehicle may have crossed"

_OF_ONE_VISIT = ("loitering", "lane_blocked", *(doubt.value for doubt in DOUBTS.values()))
"""They stand until the visit is over."""


class VisitAlarms:
    """The alarms of the visits to one lane, and the doubts that they cast on those inside."""

    def __init__(self, lane: str, health: Health, doubt: Callable[[Doubt, str], None]) -> None:
        """`doubt` is told each doubt, and the passage that casts it."""
        self._lane = lane
        self._health = health
        self._doubt = doubt

    def warn(self, visit: Visit, output: Output) -> None:
        """The state machine finds something wrong with this visit."""
        if output is Output.UNDECIDED:
            visit.decision = None
        visit.followers += output is Output.TAILGATED and visit.decision is not None
        doubt = DOUBTS.get(output)
        alarm = output.value if doubt is None else doubt.value
        self._health.raise_alarm(alarm, self._lane, _DETAILS.get(output, _OF_TWO))
        if doubt is not None:
            self.suspect(visit, doubt)

    def suspect(self, visit: Visit, doubt: Doubt) -> None:
        """Told at once, and with the passage again: a limit may end in between."""
        visit.doubts.append(doubt)
        self._doubt(doubt, visit.passage)

    def over(self, visit: Visit, end: PassageEnd) -> None:
        """The visit has ended so."""
        for alarm in _OF_ONE_VISIT:
            self._health.clear_alarm(alarm, self._lane)
        if visit.opened and end is PassageEnd.BACKED_OUT:
            detail = "the barrier was opened for a vehicle, and it did not drive in"
            self._health.raise_alarm("turn_back", self._lane, detail)
        else:
            self._health.clear_alarm("turn_back", self._lane)
