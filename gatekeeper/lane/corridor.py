"""The corridor of one lane: walks one vehicle after another through the rooms.

What happens at the lane comes in, one thing at a time, and is dealt with before the next;
`rules.passage` says what to do, and this file does it. It has no inbox and never waits for time:
`wake_at` says when the machine wants to be told that it is late.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import structlog
from uuid6 import uuid7

from gatekeeper.config import LaneSettings
from gatekeeper.drivers.ports import Barrier, Display
from gatekeeper.lane.boom import Boom
from gatekeeper.lane.closer import Closer
from gatekeeper.lane.decider import Decider
from gatekeeper.lane.eye import Look, Pace
from gatekeeper.lane.holder import Holder
from gatekeeper.lane.opener import LastPulse, Opener
from gatekeeper.lane.rooms import Rooms
from gatekeeper.lane.scribe import Scribe
from gatekeeper.lane.sign import Sign
from gatekeeper.lane.turn import Side
from gatekeeper.lane.visit import Visit, by_order, follower, over
from gatekeeper.model import (
    Ack,
    Doubt,
    Order,
    OrderAnswer,
    Outcome,
    PassageEnd,
    Presence,
    Reason,
    Sensor,
    VehicleArrived,
    VehicleIdentified,
    ZonePolicy,
)
from gatekeeper.rules import loops, passage
from gatekeeper.rules.loops import SafetyLoop
from gatekeeper.rules.passage import Input, Output, State

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reconsider:
    """A list, a policy or a count changed: a waiting vehicle is decided again."""


@dataclass(frozen=True, slots=True)
class ItsTurn:
    """The barrier that the lane shares with the opposite one is its own now."""


Happening: TypeAlias = Presence | Look | Reconsider | ItsTurn


class Corridor:
    """One lane's vehicle, from the arrival edge until the lane is clear again."""

    def __init__(
        self,
        settings: LaneSettings,
        policy: ZonePolicy,
        *,
        barrier: Barrier,
        rooms: Rooms,
        timing: passage.Timing,
        store_failure_admits: bool,
        wake_eye: Callable[[float], None] | None,
        holder: Holder,
        closer: Closer | None = None,
        display: Display | None = None,
        by_camera: Callable[[], bool] = lambda: False,
        turn: Side | None = None,
    ) -> None:
        """`wake_eye` is called when a vehicle arrives; None for a lane without a camera.
        `by_camera` is whether the camera tells who arrives and leaves, not the loop; `turn` is
        this lane's side of a barrier that it shares with the opposite lane.
        """
        self.name = settings.name
        self._rooms = rooms
        self._timing = timing
        self._wake_eye = wake_eye
        self._turn = turn
        if turn is not None:
            turn.explain(lambda: holder.explains)
        self._holder = holder
        self._closer = closer
        self._machine = passage.Passage()
        self._visit: Visit | None = None
        self._levels: dict[Sensor, Presence] = {}
        self._by_camera = by_camera
        self._safety_loop = SafetyLoop()
        self._boom = Boom(settings, rooms.health)
        self._scribe = Scribe(settings.name, rooms)
        self._sign = Sign(display, policy, rooms, holder.admits_as)
        self._decider = Decider(
            settings,
            policy,
            rooms=rooms,
            scribe=self._scribe,
            sign=self._sign,
            store_failure_admits=store_failure_admits,
            turn=turn,
            held=holder.admits_as,
        )
        self._opener = Opener(
            settings,
            barrier=barrier,
            scribe=self._scribe,
            clock=rooms.clock,
            store_failure_admits=store_failure_admits,
            last_pulse=LastPulse() if turn is None else turn.last_pulse,
            holder=holder,
            closer=closer,
            locked=lambda: rooms.site().lockdown,
        )

    @property
    def state(self) -> State:
        """Where the visit of the vehicle at this lane stands."""
        return self._machine.state

    @property
    def wake_at(self) -> float | None:
        """When `late` wants to be called (boot clock)."""
        moments = (self._machine.wake_at, self._boom.wake_at)
        return min((moment for moment in moments if moment is not None), default=None)

    @property
    def waiting_since(self) -> float | None:
        """Since when a refused vehicle has been standing here, None if there is none."""
        visit = self._visit
        return visit.arrived if visit is not None and self.state is State.REFUSED else None

    @property
    def pace(self) -> Pace:
        """How eagerly the lane wants to see."""
        match self.state:
            case State.READING | State.LOOKING_AGAIN:
                return Pace.QUICKLY
            case State.WAITING | State.OPENING | State.APPROACHING if (
                self._visit and self._visit.unsure
            ):
                return Pace.QUICKLY
            case State.REFUSED if self._visit and not self._visit.settled:
                return Pace.SLOWLY
            case _:
                return Pace.IDLE

    async def begin_anew(self) -> tuple[Presence, ...]:
        """Forget the vehicle: how its visit ended nobody will know. What the inputs said last is
        to be told again, so that one that stands there already is decided anew.
        """
        self._machine = passage.Passage()
        if self._visit is not None:
            self._visit.doubts.append(Doubt.EXIT_LANE_UNHEALTHY)
            await self._end(Output.TIMED_OUT, self._rooms.clock.boot_s())
        self._yield_turn()
        self._sign.idle()
        levels, self._levels = self._levels, {}
        return tuple(levels.values())

    # --- what happens -------------------------------------------------------------------------

    async def take(self, happening: Happening) -> None:
        """Deal with one thing that happened."""
        match happening:
            case Presence():
                await self._sensed(happening)
            case Look():
                await self._looked(happening)
            case ItsTurn():
                await self._feed(Input.ITS_TURN)
            case Reconsider():
                await self._reconsider()

    async def _reconsider(self) -> None:
        """Who comes to a boom that goes up drives on, and is not read first."""
        visit = self._visit
        if visit is None:
            self._sign.idle()  # the free spaces may be others, or the boom kept up
        elif visit.unpulsed and not self._holder.explains:
            await self._feed(Input.RELEASED)
        elif self.state in _UNANSWERED and self._holder.admits_as() is not None:
            visit.late = True
            await self._decide(visit)
        await self._feed(Input.RECONSIDERED)

    async def late(self) -> None:
        """The moment `wake_at` has come."""
        if self._boom.wake_at is not None and self._boom.wake_at == self.wake_at:
            self._boom.late()
            await self._feed(Input.FAILED)  # a pulse without effect (situations, 13)
        else:
            await self._feed(Input.TIME)

    async def obey(self, order: Order) -> OrderAnswer:
        """Carry out an order of the centre for this lane; what became of it."""
        return await (self._identify(order) if order.verb == "identify" else self._open_by(order))

    async def _open_by(self, order: Order) -> OrderAnswer:
        """Open for the vehicle that waits, or for whoever is about to come."""
        visit = self._visit
        if self._turn is not None and (self._turn.taken or not self._turn.ask()):
            detail = "the opposite lane has the barrier; order again when its vehicle is through"
            return OrderAnswer(order=order.id, outcome="refused", detail=detail)
        with self._scribe.alarmed():
            await self._rooms.zones.doubt(self.name, Doubt.ORDERED_OPENING)
        ack: Ack | None
        if visit is not None and self.state in _UNANSWERED:
            visit.decision, visit.grounds = by_order(visit), None
            visit.command = order.id
            self._sign.decided(visit.decision)
            await self._feed(Input.ADMITTED)
            ack = visit.ack
        else:
            passage_id = visit.passage if visit else None
            ack = await self._opener.open(order.id, Reason.ORDERED, passage_id)
            self._boom.commanded(ack, self._rooms.clock.boot_s())
            self._yield_turn()
        if ack is None:
            return OrderAnswer(order=order.id, outcome="unknown", detail="the lane began anew")
        return _answer(order, ack)

    async def _identify(self, order: Order) -> OrderAnswer:
        """A person says which plate the waiting vehicle bears; then it is decided as usual."""
        visit = self._visit
        if visit is None or self.state is not State.REFUSED or visit.passage != order.passage:
            return OrderAnswer(
                order=order.id, outcome="refused", detail="that vehicle does not wait here"
            )
        visit.identified = order.plate
        told = VehicleIdentified(plate=order.plate or "", by=order.by, reason=order.reason)
        await self._scribe.tell(told, passage=visit.passage)
        await self._decide(visit)
        decided = visit.decision
        detail = f"{decided.verdict.value}: {decided.reason.value}" if decided else ""
        return OrderAnswer(order=order.id, outcome="done", detail=detail)

    async def _sensed(self, presence: Presence) -> None:
        """Only a change is news; a first "nobody there" is none."""
        before = self._levels.get(presence.sensor)
        self._levels[presence.sensor] = presence
        if presence.on == (before is not None and before.on):
            return
        if presence.sensor is Sensor.BOOM_UP:
            await self._boom_moved(presence)
            return
        if presence.sensor is Sensor.SAFETY:
            self._believe(SafetyLoop())
        await self._moved(presence)

    def _believe(self, loop: SafetyLoop) -> None:
        """A safety loop that is dead has passages presumed, until it moves again."""
        self._safety_loop = loop
        if loop.dead:
            detail = "vehicles pass, and the safety loop does not tell of them"
            self._rooms.health.raise_alarm("safety_loop_dead", self.name, detail)
        else:
            self._rooms.health.clear_alarm("safety_loop_dead", self.name)

    async def _moved(self, presence: Presence) -> None:
        edge = _EDGES.get((presence.sensor, presence.on))
        if edge is None:
            return  # a photocell, which only guards
        unclear = edge is Input.SAFETY_ON and not presence.known
        await self._feed(Input.UNCLEAR if unclear else edge, presence.at)
        if edge is Input.ARRIVED and not presence.known and self._visit is not None:
            await self._suspect(self._visit, Doubt.DIRECTION_UNKNOWN)

    async def _boom_moved(self, presence: Presence) -> None:
        """By hand, or by a button that is not ours, anybody may have left."""
        self._boom.moved(presence.on)
        alarm = Doubt.BOOM_WITHOUT_COMMAND
        if not presence.on:
            self._rooms.health.clear_alarm(alarm.value, self.name)
        elif not self._opener.explains(presence.at) and not self._kept_up_for_the_opposite:
            detail = "the boom is up, and nothing here has opened it"
            self._rooms.health.raise_alarm(alarm.value, self.name, detail)
            with self._scribe.alarmed():
                await self._rooms.zones.doubt(self.name, alarm)

    @property
    def _kept_up_for_the_opposite(self) -> bool:
        return self._turn is not None and self._turn.kept_up

    async def _looked(self, look: Look) -> None:
        """Reads vote only for the vehicle that stood there when the frame was taken."""
        visit = self._visit
        if visit is None or look.frame.at < visit.arrived or visit.settled:
            return
        visit.take(look.frame, look.reads)
        if self.state in _UNANSWERED:
            await self._decide(visit)
        else:
            await self._decider.make_sure(visit)

    # --- the machine --------------------------------------------------------------------------

    async def _feed(self, what: Input, at: float | None = None) -> None:
        """Tell the machine, and do what it says."""
        at = self._rooms.clock.boot_s() if at is None else at
        before = self._machine
        after = passage.step(before, what, at, self._timing_now)
        self._machine = after.passage
        if before.state is not after.passage.state:
            log.info("lane.state", lane=self.name, state=after.passage.state.value)
        for output in after.outputs:
            await self._do(output, at)
        self._yield_turn()

    def _yield_turn(self) -> None:
        """A shared barrier is kept for one vehicle's opening and passage, and no longer."""
        if self._turn is not None and self.state not in _WITH_THE_BARRIER:
            self._turn.over()

    @property
    def _timing_now(self) -> passage.Timing:
        """A safety loop that is dead is none, and an arrival loop that is told of is prompt."""
        timing = self._timing
        return replace(
            timing,
            safety_loop=timing.safety_loop and not self._safety_loop.dead,
            arrival_lag_s=timing.arrival_lag_s if self._by_camera() else 0.0,
        )

    async def _do(self, output: Output, at: float) -> None:
        visit, alarms = self._visit, self._rooms.health
        match output:
            case Output.BEGIN:
                await self._begin(at)
            case Output.LAST_CALL | Output.LAST_LOOK | Output.DECIDE_AGAIN if visit is not None:
                visit.late = True
                visit.looked_twice = visit.looked_twice or output is Output.LAST_LOOK
                await self._decide(visit)
            case Output.DECIDE_ANEW if visit is not None:
                visit.decision = visit.grounds = None
                visit.late = True
                await self._decide(visit)
            case Output.OPEN if visit is not None:
                self._rooms.zones.admitted(self.name, visit.passage)
                await self._open(visit)
            case Output.LOITERING | Output.LANE_BLOCKED:
                alarms.raise_alarm(output.value, self.name, "a vehicle does not move on")
            case Output.UNDECIDED if visit is not None:
                visit.decision = None
                detail = "a vehicle crossed without a decision of its own"
                alarms.raise_alarm("undecided_passage", self.name, detail)
                await self._suspect(visit, Doubt.UNDECIDED_PASSAGE)
            case _ if output in _DOUBTS and visit is not None:
                detail = "more than one vehicle may have crossed"
                alarms.raise_alarm(_DOUBTS[output].value, self.name, detail)
                visit.followers += output is Output.TAILGATED and visit.decision is not None
                await self._suspect(visit, _DOUBTS[output])
            case _ if output in passage.ENDS:
                await self._end(output, at)
            case _:
                return

    async def _suspect(self, visit: Visit, doubt: Doubt) -> None:
        """Told at once, and with the passage again: a limit may end in between."""
        visit.doubts.append(doubt)
        with self._scribe.alarmed():
            await self._rooms.zones.doubt(self.name, doubt, visit.passage)

    async def _begin(self, at: float) -> None:
        self._visit = Visit(passage=str(uuid7()), arrived=at)
        self._rooms.zones.occupied(self.name, True, at)
        self._scribe.note(VehicleArrived(), passage=self._visit.passage, at=at)
        if self._wake_eye is not None:
            self._wake_eye(at)
        if self._wake_eye is None or self._holder.admits_as() is not None:
            self._visit.late = True
            await self._decide(self._visit)

    async def _end(self, output: Output, at: float) -> None:
        visit, self._visit = self._visit, None
        if self._turn is not None:
            self._turn.over()
        for alarm in _CLEARED_AT_THE_END:
            self._rooms.health.clear_alarm(alarm, self.name)
        self._rooms.bindings.waits(self.name, None)
        if visit is None:
            return
        self._learn_from(visit, passage.ENDS[output])
        self._decider.conclude(visit)
        if output is Output.BACKED_OUT and self._may_have_come_back(visit):
            await self._suspect(visit, Doubt.DIRECTION_UNKNOWN)
        if visit.held is not None or self._holder.explains:
            visit.doubts.append(Doubt.HELD_OPEN)
        instant = self._rooms.clock.instant
        ended = over(visit, self.name, passage.ENDS[output], instant(visit.arrived), instant(at))
        await self._scribe.tell(passage=visit.passage)
        with self._scribe.alarmed():
            await self._rooms.zones.ended(ended)
            for _ in range(visit.followers):
                await self._rooms.zones.ended(follower(ended))
        if ended.through:
            self._holder.passed(1 + visit.followers)
        if self._closer is not None:
            self._closer.over()
        self._rooms.zones.occupied(self.name, False, at)
        self._sign.idle()

    def _learn_from(self, visit: Visit, end: PassageEnd) -> None:
        """What the end of a visit tells of its driver and of the safety loop."""
        opened = visit.ack is not None and visit.ack.outcome is Outcome.DONE
        if opened and end is PassageEnd.BACKED_OUT:
            detail = "the barrier was opened for a vehicle, and it did not drive in"
            self._rooms.health.raise_alarm("turn_back", self.name, detail)
        else:
            self._rooms.health.clear_alarm("turn_back", self.name)
        if self._timing.safety_loop:
            occupied = self._machine.safety
            self._believe(loops.after(self._safety_loop, end, opened=opened, occupied=occupied))

    def _may_have_come_back(self, visit: Visit) -> bool:
        """Whether an unread vehicle that backs out may be the one that has just passed: the loops
        saw it come from inside, or saw a second one follow, and cannot tell which.
        """
        through_at = self._machine.through_at
        followed = through_at is not None and visit.arrived - through_at <= _COMES_BACK_S
        return followed and visit.sighting is None

    # --- deciding and opening -----------------------------------------------------------------

    async def _decide(self, visit: Visit) -> None:
        told = await self._decider.decide(visit, refused=self.state is State.REFUSED)
        if told is not None:
            await self._feed(told)

    async def _open(self, visit: Visit) -> None:
        decision = visit.decision or by_order(visit)
        visit.unpulsed = self._holder.keeps_up
        visit.ack = await self._opener.open(
            visit.command, decision.reason, visit.passage, self._decider.told(visit, decision)
        )
        self._boom.commanded(visit.ack, self._rooms.clock.boot_s())
        if visit.ack.outcome is not Outcome.DONE:
            await self._feed(Input.FAILED)


_UNANSWERED = (State.READING, State.LOOKING_AGAIN, State.REFUSED)
"""The states in which a vehicle waits for an answer."""

_WITH_THE_BARRIER = (
    State.WAITING,
    State.OPENING,
    State.RETRYING,
    State.APPROACHING,
    State.CROSSING,
    State.CLOSING,
)
"""The states in which a lane has the barrier it shares, or waits for it."""

_EDGES = {
    (Sensor.ARRIVAL, True): Input.ARRIVED,
    (Sensor.ARRIVAL, False): Input.LEFT,
    (Sensor.SAFETY, True): Input.SAFETY_ON,
    (Sensor.SAFETY, False): Input.SAFETY_OFF,
}

_COMES_BACK_S = 3.0
"""So soon after a passage a vehicle that reverses would be on the arrival loop again."""

_DOUBTS = {
    Output.GAP: Doubt.SAFETY_LOOP_GAP,
    Output.TAILGATED: Doubt.TAILGATING,
    Output.TOO_LONG: Doubt.SAFETY_LOOP_LONG,
    Output.DIRECTION_UNKNOWN: Doubt.DIRECTION_UNKNOWN,
}
"""What the edges of the loops tell of more than one vehicle, or of one that came from behind."""

_CLEARED_AT_THE_END = (
    "loitering",
    "lane_blocked",
    "undecided_passage",
    *dict.fromkeys(doubt.value for doubt in _DOUBTS.values()),
)


def _answer(order: Order, ack: Ack) -> OrderAnswer:
    outcomes = {Outcome.DONE: "done", Outcome.FAILED: "refused", Outcome.UNKNOWN: "unknown"}
    return OrderAnswer(order=order.id, outcome=outcomes[ack.outcome], detail=ack.detail)
