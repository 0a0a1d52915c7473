"""Makes up the lane's mind about the vehicle that stands there, and says so.

The reads of its visit come in; the lists and the rules are asked, and zones, journal and bindings
are told. What the machine is to be told goes back to the corridor, which alone moves it.
"""

from dataclasses import replace

import structlog

from gatekeeper.config import LaneSettings
from gatekeeper.lane.judge import Held, Judge, Judged
from gatekeeper.lane.rooms import Rooms
from gatekeeper.lane.scribe import Scribe
from gatekeeper.lane.sign import Sign
from gatekeeper.lane.turn import Side
from gatekeeper.lane.visit import Visit, same
from gatekeeper.model import (
    AssistanceWanted,
    Decision,
    Doubt,
    Fact,
    Reason,
    Sighting,
    VehicleDecided,
    Verdict,
    ZonePolicy,
)
from gatekeeper.rules.hold import ADMITS_AS
from gatekeeper.rules.passage import Input
from gatekeeper.rules.votes import tally

log = structlog.get_logger(__name__)


class Decider:
    """The decisions of one lane."""

    def __init__(
        self,
        settings: LaneSettings,
        policy: ZonePolicy,
        *,
        rooms: Rooms,
        scribe: Scribe,
        sign: Sign,
        store_failure_admits: bool,
        held: Held,
        turn: Side | None = None,
    ) -> None:
        self._lane = settings.name
        self._zone = settings.zone
        self._rooms = rooms
        self._scribe = scribe
        self._sign = sign
        self._turn = turn
        self._judge = Judge(
            settings, policy, rooms=rooms, store_failure_admits=store_failure_admits, held=held
        )

    async def decide(self, visit: Visit, *, refused: bool) -> Input | None:
        """Ask votes, lists and rules. What the machine is to be told of an answer that is new; one
        that was `refused` before has been looked at long enough.
        """
        quorum = self._rooms.quorum
        if len(visit.reads) < quorum.agreeing and not visit.late:
            return None
        sighting = tally(visit.reads, quorum, last_call=visit.late)
        if sighting is None and not visit.late:
            return None
        judged = await self._judge.decide(sighting, visit)
        if judged.decision.verdict is Verdict.LOOK_AGAIN:
            if not refused:
                self._sign.decided(judged.decision)
                return Input.LOOK_AGAIN
            visit.looked_twice = True
            judged = await self._judge.decide(sighting, visit)
        return await self._decided(visit, sighting, judged)

    async def _decided(
        self, visit: Visit, sighting: Sighting | None, judged: Judged
    ) -> Input | None:
        before, decision = visit.decision, judged.decision
        visit.sighting, visit.decision, visit.grounds = sighting, decision, judged.grounds
        visit.settled = sighting is not None and sighting.certain
        if before is not None and same(before, decision):
            return None
        waits = decision.verdict is Verdict.ADMIT and not self._may_open(decision)
        self._sign.waits() if waits else self._sign.decided(decision)
        await self._place(visit)
        if decision.verdict is Verdict.REFUSE:
            await self._refuse(visit, decision)
            return Input.REFUSED
        return Input.WAITS if waits else Input.ADMITTED

    def _may_open(self, decision: Decision) -> bool:
        """Whether the barrier is this lane's, or up in any case; if it is to be the lane's, it will
        be told when.
        """
        return self._turn is None or decision.reason in ADMITS_AS or self._turn.ask()

    async def make_sure(self, visit: Visit) -> None:
        """The barrier opens on two reads that agree, an exit even unread; before anything may
        count against a driver there must be more, and these come while the car rolls in.
        """
        sighting = tally(visit.reads, self._rooms.quorum, last_call=visit.late)
        before = visit.decision
        if sighting is None or before is None or before.reason is Reason.ORDERED:
            return  # whom a person let in, no read accuses
        if before.plate is None or visit.sighting is None:
            await self._name(visit, sighting, (await self._judge.decide(sighting, visit)).decision)
            return
        if sighting.plate != visit.sighting.plate:
            visit.decision = replace(before, certain=False)
            return
        visit.sighting = sighting
        if sighting.certain:
            again = self._judge.decide_again(sighting, visit)
            certain = again is not None and again.plate == before.plate and again.certain
            visit.decision = replace(before, certain=certain)
            visit.settled = True

    def conclude(self, visit: Visit) -> None:
        """The visit is over: what was read in it counts, also where it was never decided."""
        if visit.decision is None and visit.sighting is None:
            visit.sighting = tally(visit.reads, self._rooms.quorum, last_call=True)
        if visit.sighting is not None and visit.sighting.company:
            visit.doubts.append(Doubt.SECOND_PLATE)

    async def _name(self, visit: Visit, sighting: Sighting, again: Decision) -> None:
        """A vehicle that was let through unread was read after all."""
        if visit.decision is None or again.verdict is not Verdict.ADMIT:
            return
        visit.sighting, visit.settled = sighting, sighting.certain
        visit.decision = replace(again, reason=visit.decision.reason, rule=visit.decision.rule)
        await self._place(visit)

    async def _place(self, visit: Visit) -> None:
        """Tell the zones where this plate is now."""
        if visit.sighting is None or visit.decision is None or visit.decision.plate is None:
            return
        known = replace(visit.sighting, plate=visit.decision.plate)
        arrived = self._rooms.clock.instant(visit.arrived)
        self._rooms.zones.arrived(self._lane, known, arrived)

    async def _refuse(self, visit: Visit, decision: Decision) -> None:
        facts: list[Fact] = [self.told(visit, decision)]
        if decision.reason in (Reason.UNREADABLE, Reason.LOOKS_BLACKLISTED):
            facts.append(AssistanceWanted(reason=decision.reason, picture=visit.picture))
        self._scribe.tell(*facts, passage=visit.passage)
        self._rooms.bindings.waits(self._lane, decision.plate)

    def told(self, visit: Visit, decision: Decision) -> VehicleDecided:
        """The decision for the journal, with the picture and all that it rests on."""
        if visit.best is not None:
            visit.picture = self._scribe.picture(visit.best, visit.passage)
        log.info(
            "vehicle.decided",
            lane=self._lane,
            verdict=decision.verdict.value,
            reason=decision.reason.value,
        )
        return VehicleDecided(
            decision=decision,
            sighting=visit.sighting,
            picture=visit.picture,
            zone=self._zone,
            grounds=visit.grounds,
        )
