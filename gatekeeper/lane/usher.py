"""Ushers one vehicle through the lane: does what the machine says, and says what came of it.

What comes in is an output of the table, a look, or an order; what goes back is the input that the
machine is to be told, if any. The machine itself is the corridor's.
"""

from collections.abc import Callable

from uuid6 import uuid7

from gatekeeper.config import LaneSettings
from gatekeeper.drivers.ports import Barrier, Display
from gatekeeper.lane.alarms import Alarms
from gatekeeper.lane.boom import Boom
from gatekeeper.lane.closer import Closer
from gatekeeper.lane.decider import Decider
from gatekeeper.lane.eye import Look
from gatekeeper.lane.holder import Holder
from gatekeeper.lane.opener import Opener
from gatekeeper.lane.rooms import Rooms
from gatekeeper.lane.safety import Safety
from gatekeeper.lane.scribe import Scribe
from gatekeeper.lane.sign import Sign
from gatekeeper.lane.turn import Side
from gatekeeper.lane.visit import Visit, by_order, follower, over
from gatekeeper.model import (
    Ack,
    Doubt,
    Order,
    Outcome,
    PassageEnd,
    Reason,
    VehicleArrived,
    VehicleIdentified,
    ZonePolicy,
)
from gatekeeper.rules.passage import ENDS, UNANSWERED, Input, Output, Passage, State

_COMES_BACK_S = 3.0
"""So soon after a passage a vehicle that reverses would be on the arrival loop again."""


class Usher:
    """Whoever stands in one lane, as `visit`, from the arrival edge until the lane is clear."""

    def __init__(
        self,
        settings: LaneSettings,
        policy: ZonePolicy,
        *,
        barrier: Barrier,
        rooms: Rooms,
        scribe: Scribe,
        boom: Boom,
        safety: Safety,
        holder: Holder,
        closer: Closer | None,
        display: Display | None,
        turn: Side | None,
        wake_eye: Callable[[float], None] | None,
        store_failure_admits: bool,
    ) -> None:
        """`wake_eye` is called when a vehicle arrives; None for a lane without a camera."""
        self.visit: Visit | None = None
        self._lane = settings.name
        self._rooms = rooms
        self._scribe = scribe
        self._safety = safety
        self._holder = holder
        self._closer = closer
        self._turn = turn
        self._wake_eye = wake_eye
        self._alarms = Alarms(settings.name, health=rooms.health, scribe=scribe)
        self._sign = Sign(display, policy, rooms, holder.admits_as)
        self._decider = Decider(
            settings,
            policy,
            rooms=rooms,
            scribe=scribe,
            sign=self._sign,
            store_failure_admits=store_failure_admits,
            turn=turn,
            held=holder.admits_as,
        )
        self._opener = Opener(
            settings,
            barrier=barrier,
            rooms=rooms,
            scribe=scribe,
            boom=boom,
            holder=holder,
            closer=closer,
            store_failure_admits=store_failure_admits,
        )

    async def abandon(self, machine: Passage, at: float) -> None:
        """The lane begins anew: how the visit ended nobody will know."""
        if self.visit is not None:
            self.visit.doubts.append(Doubt.EXIT_LANE_UNHEALTHY)
            await self._end(self.visit, PassageEnd.TIMED_OUT, machine, at)
        self._sign.idle()

    # --- what the machine says ----------------------------------------------------------------

    async def do(self, output: Output, machine: Passage, at: float) -> Input | None:
        """Carry out an output that came of what happened at the moment `at` (boot clock)."""
        if output is Output.BEGIN:
            return await self._begin(machine, at)
        visit = self.visit
        if visit is None:
            return None
        match output:
            case Output.LAST_CALL | Output.LAST_LOOK | Output.DECIDE_AGAIN:
                visit.looked_twice = visit.looked_twice or output is Output.LAST_LOOK
                return await self._decide_late(visit, machine.state)
            case Output.DECIDE_ANEW:
                visit.decision = visit.grounds = None
                return await self._decide_late(visit, machine.state)
            case Output.OPEN:
                return await self._open(visit)
            case _ if output in ENDS:
                await self._end(visit, ENDS[output], machine, at)
            case _:
                await self._suspect(visit, output)
        return None

    async def _begin(self, machine: Passage, at: float) -> Input | None:
        visit = self.visit = Visit(passage=str(uuid7()), arrived=at)
        self._rooms.zones.occupied(self._lane, True, at)
        self._scribe.note(VehicleArrived(), passage=visit.passage, at=at)
        if self._wake_eye is not None:
            self._wake_eye(at)
        if self._wake_eye is None or self._holder.admits_as() is not None:
            return await self._decide_late(visit, machine.state)
        return None

    async def _decide_late(self, visit: Visit, state: State) -> Input | None:
        visit.late = True
        return await self._decide(visit, state)

    async def _decide(self, visit: Visit, state: State) -> Input | None:
        return await self._decider.decide(visit, refused=state is State.REFUSED)

    async def _open(self, visit: Visit) -> Input | None:
        self._rooms.zones.admitted(self._lane, visit.passage)
        decision = visit.decision or by_order(visit)
        visit.unpulsed = self._holder.keeps_up
        visit.ack = await self._opener.open(
            visit.command, decision.reason, visit.passage, self._decider.told(visit, decision)
        )
        return None if visit.ack.outcome is Outcome.DONE else Input.FAILED

    async def _suspect(self, visit: Visit, output: Output) -> None:
        if output is Output.UNDECIDED:
            visit.decision = None
        visit.followers += output is Output.TAILGATED and visit.decision is not None
        await self._alarms.sound(output, visit)

    async def _end(self, visit: Visit, end: PassageEnd, machine: Passage, at: float) -> None:
        self.visit = None
        if self._turn is not None:
            self._turn.over()
        self._rooms.bindings.waits(self._lane, None)
        self._alarms.over(visit, end)
        self._safety.ended(end, opened=visit.opened, occupied=machine.safety)
        self._decider.conclude(visit)
        if end is PassageEnd.BACKED_OUT and _may_have_come_back(visit, machine):
            await self._alarms.suspect(visit, Doubt.DIRECTION_UNKNOWN)
        if visit.held is not None or self._holder.explains:
            visit.doubts.append(Doubt.HELD_OPEN)
        await self._tell_zones(visit, end, at)
        if self._closer is not None:
            self._closer.over()
        self._rooms.zones.occupied(self._lane, False, at)
        self._sign.idle()

    async def _tell_zones(self, visit: Visit, end: PassageEnd, at: float) -> None:
        """Of the passage, and of each that slipped through behind it."""
        instant = self._rooms.clock.instant
        ended = over(visit, self._lane, end, instant(visit.arrived), instant(at))
        self._scribe.tell(passage=visit.passage)
        self._rooms.zones.ended(ended)
        for _ in range(visit.followers):
            self._rooms.zones.ended(follower(ended))
        if ended.through:
            self._holder.passed(1 + visit.followers)

    # --- what else happens --------------------------------------------------------------------

    async def looked(self, look: Look, state: State) -> Input | None:
        """Reads vote only for the vehicle that stood there when the frame was taken."""
        visit = self.visit
        if visit is None or look.frame.at < visit.arrived or visit.settled:
            return None
        visit.take(look.frame, look.reads)
        if state in UNANSWERED:
            return await self._decide(visit, state)
        await self._decider.make_sure(visit)
        return None

    async def reconsider(self, state: State) -> Input | None:
        """Who comes to a boom that goes up drives on, and is not read first."""
        visit = self.visit
        if visit is None:
            self._sign.idle()  # the free spaces may be others, or the boom kept up
        elif visit.unpulsed and not self._holder.explains:
            return Input.RELEASED
        elif state in UNANSWERED and self._holder.admits_as() is not None:
            return await self._decide_late(visit, state)
        return None

    async def direction_unknown(self) -> None:
        """It may as well have come from the other side."""
        if self.visit is not None:
            await self._alarms.suspect(self.visit, Doubt.DIRECTION_UNKNOWN)

    # --- what a person orders -----------------------------------------------------------------

    def admit(self, visit: Visit, order: Order) -> Input:
        """The vehicle that waits is let in, whatever was decided."""
        visit.decision, visit.grounds = by_order(visit), None
        visit.command = order.id
        self._sign.decided(visit.decision)
        return Input.ADMITTED

    async def open_anyway(self, order: Order) -> Ack:
        """Open for whoever is about to come, or has been admitted already."""
        passage_id = self.visit.passage if self.visit else None
        return await self._opener.open(order.id, Reason.ORDERED, passage_id)

    async def identify(self, visit: Visit, order: Order, state: State) -> Input | None:
        """A person says which plate the vehicle bears; it is decided as usual."""
        visit.identified = order.plate
        told = VehicleIdentified(plate=order.plate or "", by=order.by, reason=order.reason)
        self._scribe.tell(told, passage=visit.passage)
        return await self._decide(visit, state)


def _may_have_come_back(visit: Visit, machine: Passage) -> bool:
    """Whether an unread vehicle that backs out may be the one that has just passed: the loops
    saw it come from inside, or saw a second one follow, and cannot tell which.
    """
    through_at = machine.through_at
    followed = through_at is not None and visit.arrived - through_at <= _COMES_BACK_S
    return followed and visit.sighting is None
