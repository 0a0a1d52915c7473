"""The corridor of one lane: walks one vehicle after another through the rooms.

What happens at the lane comes in, one thing at a time, and is dealt with before the next:
`rules.passage` says what to do, the usher does it, and what came of it goes in again. There is no
inbox here, and no waiting for time: `wake_at` says when the machine wants to be told that it is
late.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import structlog

from gatekeeper.config import LaneSettings
from gatekeeper.drivers.ports import Barrier, Display
from gatekeeper.lane.boom import Boom, LastPulse
from gatekeeper.lane.closer import Closer
from gatekeeper.lane.eye import Look, Pace
from gatekeeper.lane.holder import Holder
from gatekeeper.lane.rooms import Rooms
from gatekeeper.lane.safety import Safety
from gatekeeper.lane.scribe import Scribe
from gatekeeper.lane.turn import Side
from gatekeeper.lane.usher import Usher
from gatekeeper.model import Doubt, Order, OrderAnswer, Outcome, Presence, Sensor, ZonePolicy
from gatekeeper.rules.passage import (
    UNANSWERED,
    WITH_THE_BARRIER,
    Input,
    Passage,
    State,
    Timing,
    step,
)

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
        timing: Timing,
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
        self._clock = rooms.clock
        self._timings = {
            (tells, seen): replace(
                timing, safety_loop=tells, arrival_lag_s=timing.arrival_lag_s if seen else 0.0
            )
            for tells in (False, True)
            for seen in (False, True)
        }
        self._by_camera = by_camera
        self._turn = turn
        self._machine = Passage()
        self._levels: dict[Sensor, Presence] = {}
        self._scribe = Scribe(settings.name, rooms)
        if turn is not None:
            turn.explain(lambda: holder.explains)
        self._boom = Boom(
            settings,
            rooms=rooms,
            scribe=self._scribe,
            last_pulse=LastPulse() if turn is None else turn.last_pulse,
            kept_up=lambda: holder.explains if turn is None else turn.kept_up,
        )
        self._safety = Safety(settings.name, wired=timing.safety_loop, health=rooms.health)
        self._usher = Usher(
            settings,
            policy,
            barrier=barrier,
            rooms=rooms,
            scribe=self._scribe,
            boom=self._boom,
            safety=self._safety,
            holder=holder,
            closer=closer,
            display=display,
            turn=turn,
            wake_eye=wake_eye,
            store_failure_admits=store_failure_admits,
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
        visit = self._usher.visit
        return visit.arrived if visit is not None and self.state is State.REFUSED else None

    @property
    def pace(self) -> Pace:
        """How eagerly the lane wants to see."""
        visit = self._usher.visit
        match self.state:
            case State.READING | State.LOOKING_AGAIN:
                return Pace.QUICKLY
            case State.WAITING | State.OPENING | State.APPROACHING if visit and visit.unsure:
                return Pace.QUICKLY
            case State.REFUSED if visit and not visit.settled:
                return Pace.SLOWLY
            case _:
                return Pace.IDLE

    async def begin_anew(self) -> tuple[Presence, ...]:
        """Forget the vehicle: how its visit ended nobody will know. What the inputs said last is
        to be told again, so that one that stands there already is decided anew.
        """
        self._machine = Passage()
        await self._usher.abandon(self._machine, self._clock.boot_s())
        self._yield_turn()
        levels, self._levels = self._levels, {}
        return tuple(levels.values())

    # --- what happens -------------------------------------------------------------------------

    async def take(self, happening: Happening) -> None:
        """Deal with one thing that happened."""
        match happening:
            case Presence():
                await self._sensed(happening)
            case Look():
                await self._follow(await self._usher.looked(happening, self.state))
            case ItsTurn():
                await self._feed(Input.ITS_TURN)
            case Reconsider():
                await self._follow(await self._usher.reconsider(self.state))
                await self._feed(Input.RECONSIDERED)

    async def late(self) -> None:
        """The moment `wake_at` has come."""
        if self._boom.wake_at is not None and self._boom.wake_at == self.wake_at:
            self._boom.late()
            await self._feed(Input.FAILED)  # a pulse without effect (situations, 13)
        else:
            await self._feed(Input.TIME)

    async def _sensed(self, presence: Presence) -> None:
        """Only a change is news; a first "nobody there" is none."""
        before = self._levels.get(presence.sensor)
        self._levels[presence.sensor] = presence
        if presence.on == (before is not None and before.on):
            return
        if presence.sensor is Sensor.BOOM_UP:
            await self._boom.moved(presence)
            return
        if presence.sensor is Sensor.SAFETY:
            self._safety.moved()
        await self._moved(presence)

    async def _moved(self, presence: Presence) -> None:
        edge = _EDGES.get((presence.sensor, presence.on))
        if edge is None:
            return  # a photocell, which only guards
        unclear = edge is Input.SAFETY_ON and not presence.known
        await self._feed(Input.UNCLEAR if unclear else edge, presence.at)
        if edge is Input.ARRIVED and not presence.known:
            await self._usher.direction_unknown()

    # --- what a person orders -----------------------------------------------------------------

    async def obey(self, order: Order) -> OrderAnswer:
        """Carry out an order of the centre for this lane; what became of it."""
        return await (self._identify(order) if order.verb == "identify" else self._open_by(order))

    async def _open_by(self, order: Order) -> OrderAnswer:
        """Open for the vehicle that waits, or for whoever is about to come."""
        if self._turn is not None and (self._turn.taken or not self._turn.ask()):
            detail = "the opposite lane has the barrier; order again when its vehicle is through"
            return order.answered("refused", detail)
        self._scribe.doubt(Doubt.ORDERED_OPENING)
        visit = self._usher.visit
        if visit is None or self.state not in UNANSWERED:
            ack = await self._usher.open_anyway(order)
            self._yield_turn()
            return order.answered(_OUTCOMES[ack.outcome], ack.detail)
        await self._feed(self._usher.admit(visit, order))
        if visit.ack is None:
            return order.answered("unknown", "the lane began anew")
        return order.answered(_OUTCOMES[visit.ack.outcome], visit.ack.detail)

    async def _identify(self, order: Order) -> OrderAnswer:
        """A person says which plate the waiting vehicle bears; then it is decided as usual."""
        visit = self._usher.visit
        if visit is None or self.state is not State.REFUSED or visit.passage != order.passage:
            return order.answered("refused", "that vehicle does not wait here")
        await self._follow(await self._usher.identify(visit, order, self.state))
        decided = visit.decision
        detail = f"{decided.verdict.value}: {decided.reason.value}" if decided else ""
        return order.answered("done", detail)

    # --- the machine --------------------------------------------------------------------------

    async def _follow(self, what: Input | None) -> None:
        """What came of it, if anything, goes into the machine."""
        if what is not None:
            await self._feed(what)

    async def _feed(self, what: Input, at: float | None = None) -> None:
        """Tell the machine, and have done what it says."""
        at = self._clock.boot_s() if at is None else at
        before = self._machine
        after = step(before, what, at, self._timing_now)
        self._machine = after.passage
        if before.state is not after.passage.state:
            log.info("lane.state", lane=self.name, state=after.passage.state.value)
        for output in after.outputs:
            await self._follow(await self._usher.do(output, self._machine, at))
        self._yield_turn()

    def _yield_turn(self) -> None:
        """A shared barrier is kept for one vehicle's opening and passage, and no longer."""
        if self._turn is not None and self.state not in WITH_THE_BARRIER:
            self._turn.over()

    @property
    def _timing_now(self) -> Timing:
        """A safety loop that is dead is none, and an arrival loop that is told of is prompt."""
        return self._timings[self._safety.tells, self._by_camera()]


_EDGES = {
    (Sensor.ARRIVAL, True): Input.ARRIVED,
    (Sensor.ARRIVAL, False): Input.LEFT,
    (Sensor.SAFETY, True): Input.SAFETY_ON,
    (Sensor.SAFETY, False): Input.SAFETY_OFF,
}

_OUTCOMES = {Outcome.DONE: "done", Outcome.FAILED: "refused", Outcome.UNKNOWN: "unknown"}
"""What is answered to an order, by what became of the barrier command."""
