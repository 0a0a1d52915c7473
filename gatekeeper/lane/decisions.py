"""Decides about the vehicle that stands in one lane, and tells its driver.

The reads of its visit come in; the lists and the rules are asked, and display, zones, journal and
bindings are told. What the lane's state machine is to be told of it goes out. The network is never
asked.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from gatekeeper.errors import StoreError
from gatekeeper.lane.context import LaneContext, LaneDisplay
from gatekeeper.lane.visit import Visit, same
from gatekeeper.model import (
    AssistanceWanted,
    Decision,
    Doubt,
    Fact,
    Frame,
    Grounds,
    ListRow,
    Order,
    Reason,
    Sighting,
    SiteState,
    VehicleDecided,
    VehicleIdentified,
    Verdict,
)
from gatekeeper.rules import access, blind
from gatekeeper.rules.hold import ADMITS_AS
from gatekeeper.rules.passage import Input
from gatekeeper.rules.votes import tally

log = structlog.get_logger(__name__)

PICTURES_WAITING = 8
"""Pictures that may wait for a disk that does not take them; one more is not kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A decision and what it rests on; no grounds where the lists could not be asked."""

    decision: Decision
    grounds: Grounds | None


class Decisions:
    """The decisions of one lane. `display` is what its drivers read."""

    def __init__(
        self,
        context: LaneContext,
        *,
        held: Callable[[], Reason | None],
        may_open: Callable[[], bool],
    ) -> None:
        """`held` is why the boom is kept up, so that every vehicle is admitted, None if it is not;
        `may_open` whether a shared barrier is this lane's, which is told later if it is not.
        """
        self.display = LaneDisplay(context, held)
        self._context = context
        self._rooms = context.rooms
        self._held = held
        self._may_open = may_open
        self._keeping: set[asyncio.Task[None]] = set()

    async def decide(self, visit: Visit, *, refused: bool) -> Input | None:
        """Ask votes, lists and rules. What the machine is to be told of an answer that is new; one
        that was `refused` before has been looked at long enough.

        From the answer of the lists on nothing is waited for: a space that an admitted vehicle
        takes is taken before another lane can count it as free.
        """
        quorum = self._rooms.quorum
        if len(visit.reads) < quorum.agreeing and not visit.late:
            return None
        sighting = tally(visit.reads, quorum, last_call=visit.late)
        if sighting is None and not visit.late:
            return None
        judged = await self._judged(sighting, visit)
        if judged.decision.verdict is Verdict.LOOK_AGAIN:
            if not refused:
                self.display.decided(judged.decision)
                return Input.LOOK_AGAIN
            visit.looked_twice = True
            judged = await self._judged(sighting, visit)
        return self._decided(visit, sighting, judged)

    def _decided(self, visit: Visit, sighting: Sighting | None, judged: Judged) -> Input | None:
        before, decision = visit.decision, judged.decision
        visit.sighting, visit.decision, visit.grounds = sighting, decision, judged.grounds
        visit.settled = sighting is not None and sighting.certain
        if before is not None and same(before, decision):
            return None
        self._place(visit)
        if decision.verdict is Verdict.REFUSE:
            self.display.decided(decision)
            self._refuse(visit, decision)
            return Input.REFUSED
        if not (decision.reason in ADMITS_AS or self._may_open()):
            self.display.waits()
            return Input.WAITS
        return self.admit(visit, decision)

    def admit(self, visit: Visit, decision: Decision) -> Input:
        """It is let in, by the rules or by a person, and its space is taken at once."""
        visit.decision = decision
        self.display.decided(decision)
        self._rooms.zones.admitted(self._context.name, visit.passage)
        return Input.ADMITTED

    def _refuse(self, visit: Visit, decision: Decision) -> None:
        facts: list[Fact] = [self.told(visit, decision)]
        if decision.reason in (Reason.UNREADABLE, Reason.LOOKS_BLACKLISTED):
            facts.append(AssistanceWanted(reason=decision.reason, picture=visit.picture))
        self._context.tell(*facts, passage=visit.passage)
        self._rooms.bindings.waits(self._context.name, decision.plate)

    def _place(self, visit: Visit) -> None:
        """Tell the zones where this plate is now."""
        if visit.sighting is None or visit.decision is None or visit.decision.plate is None:
            return
        known = replace(visit.sighting, plate=visit.decision.plate)
        arrived = self._rooms.clock.instant(visit.arrived)
        self._rooms.zones.arrived(self._context.name, known, arrived)

    # --- after the decision -------------------------------------------------------------------

    async def make_sure(self, visit: Visit) -> None:
        """The barrier opens on two reads that agree, an exit even unread; before anything may
        count against a driver there must be more, and these come while the car rolls in.
        """
        before = visit.decision
        sighting = tally(visit.reads, self._rooms.quorum, last_call=visit.late)
        if sighting is None or before is None or before.reason is Reason.ORDERED:
            return  # whom a person let in, no read accuses
        if before.plate is None or visit.sighting is None:
            self._name(visit, sighting, (await self._judged(sighting, visit)).decision)
            return
        if sighting.plate != visit.sighting.plate:
            visit.decision = replace(before, certain=False)
            return
        visit.sighting = sighting
        if sighting.certain:
            again = self._judged_again(sighting, visit)
            certain = again is not None and again.plate == before.plate and again.certain
            visit.decision = replace(before, certain=certain)
            visit.settled = True

    def _name(self, visit: Visit, sighting: Sighting, again: Decision) -> None:
        """A vehicle that was let through unread was read after all."""
        if visit.decision is None or again.verdict is not Verdict.ADMIT:
            return
        visit.sighting, visit.settled = sighting, sighting.certain
        visit.decision = replace(again, reason=visit.decision.reason, rule=visit.decision.rule)
        self._place(visit)

    def identified(self, visit: Visit, order: Order) -> None:
        """A person says which plate the vehicle bears."""
        visit.identified = order.plate
        told = VehicleIdentified(plate=order.plate or "", by=order.by, reason=order.reason)
        self._context.tell(told, passage=visit.passage)

    def conclude(self, visit: Visit) -> None:
        """The visit is over: what was read in it counts, also where it was never decided."""
        if visit.decision is None and visit.sighting is None:
            visit.sighting = tally(visit.reads, self._rooms.quorum, last_call=True)
        if visit.sighting is not None and visit.sighting.company:
            visit.doubts.append(Doubt.SECOND_PLATE)

    # --- lists and rules ----------------------------------------------------------------------

    async def _judged(self, sighting: Sighting | None, visit: Visit) -> Judged:
        """Verdict and reason as of now, for a vehicle read as `sighting`, or not read at all."""
        keys = access.keys(sighting, visit.identified, accusing=not self._context.is_exit)
        try:
            listing = await self._rooms.journal.listing(keys)
        except StoreError:  # an alarm of the journal; what needs no list is decided all the same
            decision = blind.decide(
                sighting,
                self._context.settings.direction,
                self._site(visit),
                entries_admit=self._context.store_failure_admits,
            )
            return Judged(decision=decision, grounds=None)
        grounds = self._grounds(sighting, visit, keys, listing.rows)
        question = access.Question(
            sighting=sighting,
            policy=self._context.policy,
            grounds=grounds,
            versions=listing.versions,
        )
        return Judged(decision=access.decide(question), grounds=grounds)

    def _grounds(
        self,
        sighting: Sighting | None,
        visit: Visit,
        keys: frozenset[str],
        rows: tuple[ListRow, ...],
    ) -> Grounds:
        rooms, policy = self._rooms, self._context.policy
        now = rooms.clock.instant()
        of_plate = visit.identified or (sighting.plate if sighting else None)
        fresh = rooms.bindings.fresh(self._context.name, keys, now.boot_s, policy.binding_fresh_s)
        return Grounds(
            direction=self._context.settings.direction,
            rows=rows,
            zone=rooms.zones.state(policy.zone),
            site=self._site(visit),
            now=now.wall.astimezone(rooms.timezone),
            certain=rooms.quorum.certain,
            fresh=fresh,
            away_s=rooms.zones.away_s(policy.zone, of_plate),
            waited_s=max(0.0, now.boot_s - visit.arrived),
            identified=visit.identified,
            looked_twice=visit.looked_twice,
        )

    def _judged_again(self, sighting: Sighting, visit: Visit) -> Decision | None:
        """What more reads of the same plate make of the decision, on the grounds it rested on;
        None where there were none. The lists need not be asked: they said all of this plate.
        """
        if visit.grounds is None or visit.decision is None:
            return None
        return access.decide(
            access.Question(
                sighting=sighting,
                policy=self._context.policy,
                grounds=visit.grounds,
                versions=visit.decision.versions,
            )
        )

    def _site(self, visit: Visit) -> SiteState:
        """What holds around this lane. A vehicle that was let in under a boom that was kept up
        remains so, whatever more reads tell.
        """
        held = visit.held or self._held()
        fire, held_open = held is Reason.FIRE, held is Reason.HELD_OPEN
        return replace(self._rooms.site(), fire=fire, held_open=held_open)

    # --- what is written down -----------------------------------------------------------------

    def told(self, visit: Visit, decision: Decision) -> VehicleDecided:
        """The decision for the journal, with the picture and all that it rests on."""
        if visit.best is not None:
            visit.picture = self._picture(visit.best, visit.passage)
        log.info(
            "vehicle.decided",
            lane=self._context.name,
            verdict=decision.verdict.value,
            reason=decision.reason.value,
        )
        return VehicleDecided(
            decision=decision,
            sighting=visit.sighting,
            picture=visit.picture,
            zone=self._context.settings.zone,
            grounds=visit.grounds,
        )

    def _picture(self, frame: Frame, passage: str) -> str | None:
        """Start keeping a picture, and say by which name: nothing waits for the disk."""
        if len(self._keeping) >= PICTURES_WAITING:
            log.warning("picture.lost", lane=self._context.name, error="the disk is too slow")
            return None
        name = f"{passage}{frame.suffix}"
        task = asyncio.create_task(self._keep(name, frame.encoded))
        self._keeping.add(task)  # the loop itself holds tasks only weakly
        task.add_done_callback(self._keeping.discard)
        return name

    async def _keep(self, name: str, encoded: bytes) -> None:
        try:
            await self._rooms.pictures.keep(name, encoded)
        except StoreError as error:
            log.warning("picture.lost", lane=self._context.name, picture=name, error=str(error))
