"""Serves one vehicle after another in one lane, from its arrival edge until the lane is clear.

What happens at the lane comes in, one thing at a time, and is dealt with before the next:
`rules.passage` says what to do, it is done here, and what came of it goes in again. Nothing here
waits for time: `wake_at` says when the state machine wants to be told that it is late.
"""

from collections.abc import Callable

import structlog
from uuid6 import uuid7

from gatekeeper.lane.barrier import Closer, Opened, Opener, Opening
from gatekeeper.lane.context import LaneContext
from gatekeeper.lane.decisions import Decisions
from gatekeeper.lane.holder import Holder
from gatekeeper.lane.inputs import BoomWatch, SafetyWatch
from gatekeeper.lane.turn import Side
from gatekeeper.lane.visit import Look, Ordered, Visit, VisitAlarms, by_order, over
from gatekeeper.model import (
    Doubt,
    Order,
    OrderAnswer,
    Outcome,
    PassageEnd,
    Presence,
    Reason,
    Sensor,
    VehicleArrived,
)
from gatekeeper.rules.passage import (
    ENDS,
    UNANSWERED,
    WITH_THE_BARRIER,
    Input,
    Output,
    Passage,
    State,
    Timing,
    input_of,
    may_have_come_back,
    step,
)

log = structlog.get_logger(__name__)

TOLD_S = 1.0
"""So long after a board has come back its inputs have been told."""


class Service:
    """The vehicle that one lane serves, as `visit`, and the state of the lane."""

    def __init__(
        self,
        context: LaneContext,
        *,
        holder: Holder,
        closer: Closer | None,
        turn: Side | None,
        wake_camera: Callable[[float], None] | None,
        by_camera: Callable[[], bool],
        is_on: Callable[[Sensor], bool],
    ) -> None:
        """`wake_camera` is called when a vehicle arrives, None for a lane without a camera;
        `by_camera` is whether the camera tells what arrives and leaves, not the loop; `is_on`
        whether a sensor said so last; `turn` the lane's side of a barrier that it shares.
        """
        self.visit: Visit | None = None
        self._context = context
        self._rooms = context.rooms
        self._holder = holder
        self._closer = closer
        self._turn = turn
        self._wake_camera = wake_camera
        self._by_camera = by_camera
        self._is_on = is_on
        self._machine = Passage()
        self._boom = BoomWatch(context, lambda: turn.kept_up if turn else holder.explains)
        self._safety = SafetyWatch(context)
        self._alarms = VisitAlarms(context.name, context.rooms.health, context.doubt)
        self._decisions = Decisions(
            context, held=holder.admits_as, may_open=lambda: turn is None or turn.ask()
        )
        self._opener = Opener(
            context,
            kept_up=lambda: holder.keeps_up,
            is_up=lambda: is_on(Sensor.BOOM_UP) and not context.last_pulse.used,
        )

    @property
    def state(self) -> State:
        """Where the visit of the vehicle at this lane stands."""
        return self._machine.state

    @property
    def wake_at(self) -> float | None:
        """When `late` wants to be called (boot clock)."""
        moments = (self._machine.wake_at, self._boom.wake_at, self._deaf_at)
        return min((moment for moment in moments if moment is not None), default=None)

    def begin_again(self) -> None:
        """Forget the vehicle: how its visit ends will not be known."""
        self._machine = Passage()
        if self.visit is not None:
            self.visit.doubts.append(Doubt.EXIT_LANE_UNHEALTHY)
            self._end(self.visit, PassageEnd.TIMED_OUT, self._rooms.clock.boot_s())
        self._decisions.display.idle()
        self._yield_turn()

    # --- what happens -------------------------------------------------------------------------

    async def sensed(self, presence: Presence) -> None:
        """A sensor has changed."""
        if presence.sensor is Sensor.BOOM_UP:
            self._boom.moved(presence)
            await self.feed(self._released())
            return
        if presence.sensor is Sensor.SAFETY:
            self._safety.moved()
        edge = input_of(presence)
        if edge is None:
            return  # a photocell, which only guards
        await self.feed(edge, presence.at)
        if edge is Input.ARRIVED and not presence.known and self.visit is not None:
            self._alarms.suspect(self.visit, Doubt.DIRECTION_UNKNOWN)

    async def looked(self, look: Look) -> None:
        """Reads vote only for the vehicle that stood there when the frame was taken."""
        visit = self.visit
        if visit is None or look.frame.at < visit.arrived or visit.settled:
            return
        visit.take(look)
        if self.state in UNANSWERED:
            await self.feed(await self._decide(visit))
        else:
            await self._decisions.make_sure(visit)

    async def reconsider(self) -> None:
        """A list, a policy, a count or what keeps the boom up has changed. A vehicle that comes to
        a boom that goes up drives on, and is not read first.
        """
        if self.visit is None:
            self._decisions.display.idle()  # the free spaces may be others, or the boom kept up
        elif self.state in UNANSWERED and self._holder.admits_as() is not None:
            await self.feed(await self._decide(self.visit, late=True))
        else:
            await self.feed(self._released())
        await self.feed(Input.RECONSIDERED)

    async def late(self) -> None:
        """The moment `wake_at` has come."""
        if self._deaf_at is not None and self._deaf_at == self.wake_at:
            await self.feed(Input.DEAF)
        elif self._boom.wake_at is not None and self._boom.wake_at == self.wake_at:
            self._boom.late()
            await self.feed(Input.FAILED)  # a pulse without effect (situations, 13)
        else:
            await self.feed(Input.TIME)

    @property
    def _deaf_at(self) -> float | None:
        """When the vehicle that was let in is to be taken for another: a board of its loops has
        been away since, and has told what they say now. None where none has.
        """
        if self.visit is None or self.state is not State.OPENING:
            return None
        since = max(self._context.last_pulse.at or 0.0, self.visit.arrived)
        boards = {wire.board for wire in self._context.settings.inputs.values()}
        relieved_at = self._rooms.health.relieved_at
        back = (relieved_at("relay_unreachable", board) for board in boards)
        return max((at + TOLD_S for at in back if at is not None and at > since), default=None)

    def _released(self) -> Input | None:
        """The boom under which the vehicle was let in without a pulse is up no longer."""
        unpulsed = self.visit is not None and self.visit.unpulsed
        up = self._holder.explains or self._is_on(Sensor.BOOM_UP)
        return Input.RELEASED if unpulsed and not up else None

    async def obey(self, ordered: Ordered) -> OrderAnswer:
        """Carry out an order of the centre for this lane; what became of it."""
        identifies = ordered.order.verb == "identify"
        return await (self._identify(ordered.order) if identifies else self._open_by(ordered))

    async def _open_by(self, ordered: Ordered) -> OrderAnswer:
        """Open for the vehicle that waits, or for the one that is about to come."""
        order, visit = ordered.order, self.visit
        if self._turn is not None and (self._turn.taken or not self._turn.ask()):
            detail = "the opposite lane has the barrier; order again when its vehicle is through"
            return order.answered("refused", detail)
        self._context.doubt(Doubt.ORDERED_OPENING)
        if visit is None or self.state not in UNANSWERED:
            passage = None if visit is None else visit.passage
            opened = await self._open(Opening(order.id, Reason.ORDERED, passage, (), ordered))
            self._yield_turn()
            return ordered.answered_by(opened.ack)
        visit.grounds, visit.command, visit.order = None, order.id, ordered
        await self.feed(self._decisions.admit(visit, by_order(visit)))
        if visit.ack is None:
            return order.answered("unknown", "the lane began again")
        return ordered.answered_by(visit.ack)

    async def _identify(self, order: Order) -> OrderAnswer:
        """A person says which plate the waiting vehicle bears; then it is decided as usual."""
        visit = self.visit
        if visit is None or self.state is not State.REFUSED or visit.passage != order.passage:
            return order.answered("refused", "that vehicle does not wait here")
        self._decisions.identified(visit, order)
        await self.feed(await self._decide(visit))
        decided = visit.decision
        detail = f"{decided.verdict.value}: {decided.reason.value}" if decided else ""
        return order.answered("done", detail)

    async def feed(self, what: Input | None, at: float | None = None) -> None:
        """Tell the machine what has happened, None if nothing has, and do what it says."""
        if what is None:
            return
        at = self._rooms.clock.boot_s() if at is None else at
        before = self._machine
        after = step(before, what, at, self._timing)
        self._machine = after.passage
        onto_safety = what in (Input.SAFETY_ON, Input.UNCLEAR)
        if self._turn is not None and onto_safety and self.state is State.CROSSING:
            self._turn.ask()  # where the lane has begun again it had given the barrier back
        if before.state is not after.passage.state:
            log.info("lane.state", lane=self._context.name, state=after.passage.state.value)
        for output in after.outputs:
            await self.feed(await self._do(output, at))
        self._yield_turn()

    def _yield_turn(self) -> None:
        """A shared barrier is kept for one vehicle's opening and passage, and no longer."""
        if self._turn is not None and self.state not in WITH_THE_BARRIER:
            self._turn.over()

    @property
    def _timing(self) -> Timing:
        """A safety loop that is dead is none, and an arrival loop that is told of is prompt."""
        return self._context.timing_now(self._safety.tells, self._by_camera())

    async def _do(self, output: Output, at: float) -> Input | None:
        """Carry out an output that came of what happened at the moment `at` (boot clock)."""
        if output is Output.BEGIN:
            return await self._begin(at)
        if (visit := self.visit) is None:
            return None
        match output:
            case Output.LAST_CALL | Output.LAST_LOOK | Output.DECIDE_AGAIN:
                visit.looked_twice |= output is Output.LAST_LOOK
                return await self._decide(visit, late=True)
            case Output.DECIDE_AFRESH:
                visit.forget_decision()
                return await self._decide(visit, late=True)
            case Output.OPEN:
                return await self._let_in(visit)
            case _ if output in ENDS:
                self._end(visit, ENDS[output], at)
            case _:
                self._alarms.warn(visit, output)
        return None

    async def _begin(self, at: float) -> Input | None:
        visit = self.visit = Visit(passage=str(uuid7()), arrived=at)
        self._rooms.zones.occupied(self._context.name, True, at)
        self._context.tell(VehicleArrived(), passage=visit.passage, at=at)
        if self._wake_camera is not None:
            self._wake_camera(at)
        if self._wake_camera is None or self._holder.admits_as() is not None:
            return await self._decide(visit, late=True)
        return None

    async def _decide(self, visit: Visit, *, late: bool = False) -> Input | None:
        visit.late = visit.late or late
        return await self._decisions.decide(visit, refused=self.state is State.REFUSED)

    async def _let_in(self, visit: Visit) -> Input | None:
        decision = visit.decision or by_order(visit)
        told = (self._decisions.told(visit, decision),)
        opening = Opening(visit.command, decision.reason, visit.passage, told, visit.order)
        opened = await self._open(opening)
        visit.ack, visit.unpulsed = opened.ack, opened.unpulsed
        return None if visit.ack.outcome is Outcome.DONE else Input.FAILED

    async def _open(self, opening: Opening) -> Opened:
        """Where no vehicle is there yet, the boom is closed again if none comes."""
        if self._closer is not None:
            self._closer.opens(None if self.visit else self._context.timing.opening_s)
        opened = await self._opener.open(opening)
        done = opened.ack.outcome is Outcome.DONE and not opened.unpulsed
        if done and not self._is_on(Sensor.BOOM_UP):
            self._boom.pulsed()
        return opened

    def _end(self, visit: Visit, end: PassageEnd, at: float) -> None:
        self.visit = None
        self._yield_turn()
        self._rooms.bindings.waits(self._context.name, None)
        self._alarms.over(visit, end)
        self._safety.ended(end, opened=visit.opened, occupied=self._machine.safety)
        self._decisions.conclude(visit)
        unread = end is PassageEnd.BACKED_OUT and visit.sighting is None
        if unread and may_have_come_back(self._machine, visit.arrived):
            self._alarms.suspect(visit, Doubt.DIRECTION_UNKNOWN)
        if visit.held is not None or self._holder.explains:
            visit.doubts.append(Doubt.HELD_OPEN)
        self._tell(visit, end, at)
        if self._closer is not None:
            self._closer.over()
        self._decisions.display.idle()

    def _tell(self, visit: Visit, end: PassageEnd, at: float) -> None:
        lane, instant, zones = self._context.name, self._rooms.clock.instant, self._rooms.zones
        passages = over(visit, lane, end, instant(visit.arrived), instant(at))
        for passage in passages:
            zones.ended(passage)
        if passages[0].through:
            self._holder.passed(len(passages))
            self._boom.passed()
        zones.occupied(lane, False, at)
