"""One vehicle's visit to a lane, as the lane remembers it while it lasts."""

from dataclasses import dataclass, field, replace

from uuid6 import uuid7

from gatekeeper.model import (
    Ack,
    Decision,
    Doubt,
    Frame,
    Grounds,
    Instant,
    Outcome,
    PassageEnd,
    PlateRead,
    Reason,
    Sighting,
    VehicleClass,
    Verdict,
)
from gatekeeper.rules.hold import ADMITS_AS
from gatekeeper.zones import Ended

READS_KEPT = 60
"""Reads of one vehicle that may vote; of a car that stands for an hour, the newest."""


@dataclass(slots=True, kw_only=True)
class Visit:
    """One vehicle's visit, from the arrival edge until it has passed or gone.

    `late` is set when the time for votes is over, so that a lone read may count, `looked_twice`
    when the second look at a look-alike of a blacklisted plate is over, `settled` when more reads
    can change nothing. `command` is the id under which this visit opens the barrier, once, and
    `ack` what became of that. `identified` is the plate that a person at the centre gave; `doubts`
    are what was suspicious, `followers` how many slipped through behind, `unpulsed` whether it was
    let in without a pulse, the boom being kept up.
    """

    passage: str
    arrived: float
    command: str = field(default_factory=lambda: str(uuid7()))
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
        """Whether the barrier was opened for this vehicle."""
        return self.ack is not None and self.ack.outcome is Outcome.DONE

    @property
    def unsure(self) -> bool:
        """Whether more reads could still make the sighting certain."""
        return not self.settled and len(self.reads) < READS_KEPT

    def take(self, frame: Frame, reads: tuple[PlateRead, ...]) -> None:
        """One more look at the vehicle; a frame with a plate is the better picture."""
        if frame.encoded and (reads or self.best is None):
            self.best = frame
        self.reads = [*self.reads, *reads][-READS_KEPT:]


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


def over(visit: Visit, lane: str, end: PassageEnd, arrived: Instant, at: Instant) -> Ended:
    """The visit as a passage that is over."""
    return Ended(
        lane=lane,
        passage=visit.passage,
        end=end,
        sighting=visit.sighting,
        decision=visit.decision,
        arrived=arrived,
        at=at,
        doubts=tuple(dict.fromkeys(visit.doubts)),
    )


def follower(told: Ended) -> Ended:
    """A second vehicle on one opening: a passage of its own, undecided (situations, 15)."""
    return replace(
        told,
        passage=str(uuid7()),
        end=PassageEnd.PASSED,
        sighting=None,
        decision=None,
        arrived=told.at,
    )
