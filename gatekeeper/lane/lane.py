"""One lane: its inbox, its eye, and the corridor through which one vehicle after another goes.

Loops, looks, orders and the clock come in through one inbox, one at a time.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from gatekeeper.config import LaneSettings
from gatekeeper.drivers.ports import Barrier, Camera, Display, Loops, Motion
from gatekeeper.lane.arrivals import Arrivals
from gatekeeper.lane.closer import Closer
from gatekeeper.lane.corridor import Corridor, Happening, ItsTurn, Reconsider
from gatekeeper.lane.eye import Eye
from gatekeeper.lane.holder import Holder
from gatekeeper.lane.rooms import Rooms
from gatekeeper.lane.turn import Side
from gatekeeper.model import Direction, Order, OrderAnswer, Presence, ZonePolicy
from gatekeeper.rules.loops import USUAL, Limits
from gatekeeper.rules.passage import State, Timing

INBOX = 256
"""Happenings that may wait for the lane. What does not fit is dropped, with an alarm: a loop that
chatters faster than this says nothing that could be trusted."""

BEAT_S = 10.0
"""A quiet lane says this often that it lives."""

LOOKED_AFTER_S = 1.0
"""How often it is asked whether the arrival loop and the camera can still be believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """An order for this lane, and where its answer is awaited."""

    order: Order
    answer: "asyncio.Future[OrderAnswer]"


_Letter: TypeAlias = Happening | Ordered


@dataclass(frozen=True, slots=True, kw_only=True)
class Kerb:
    """What stands at one lane; `turn` where it shares the barrier with the opposite lane. `motion`
    says what moves in the view of the camera; None: its pixels do.
    """

    camera: Camera | None
    barrier: Barrier
    loops: Loops
    display: Display | None = None
    turn: Side | None = None
    motion: Motion | None = None


class Lane:
    """One lane. `run` serves it until cancelled, and may be called again after it failed; `holder`
    keeps its boom up, in a task of its own.
    """

    def __init__(
        self,
        settings: LaneSettings,
        policy: ZonePolicy,
        *,
        kerb: Kerb,
        rooms: Rooms,
        timing: Timing,
        slow_look_s: float,
        store_failure_admits: bool,
        limits: Limits = USUAL,
    ) -> None:
        self.name = settings.name
        self._rooms = rooms
        self._inbox: asyncio.Queue[_Letter] = asyncio.Queue(INBOX)
        self._filled = asyncio.Event()
        self._edge = self._put if kerb.turn is None else self._shared(kerb.turn)
        self._arrivals = Arrivals(settings, limits, health=rooms.health, tell=self._sensed)
        self.holder = Holder(settings, barrier=kerb.barrier, rooms=rooms, changed=self.reconsider)
        self._closer = self._built_closer(settings, kerb)
        self._eye = (
            None if kerb.camera is None else self._opened_eye(kerb.camera, kerb.motion, slow_look_s)
        )
        self._corridor = Corridor(
            settings,
            policy,
            barrier=kerb.barrier,
            rooms=rooms,
            timing=timing,
            store_failure_admits=store_failure_admits,
            wake_eye=None if self._eye is None else self._eye.wake,
            holder=self.holder,
            closer=self._closer,
            display=kerb.display,
            by_camera=lambda: self._arrivals.by_camera,
            turn=kerb.turn,
        )
        self._never_shuts_in = settings.direction is Direction.EXIT and kerb.camera is not None
        kerb.loops.watch(self._arrivals.sensed)

    @property
    def state(self) -> State:
        """Where the visit of the vehicle at this lane stands."""
        return self._corridor.state

    @property
    def waiting_since(self) -> float | None:
        """Since when a refused vehicle has been standing here, None if there is none."""
        return self._corridor.waiting_since

    def reconsider(self) -> None:
        """A list, a policy or a count changed."""
        self._put(Reconsider())

    async def obey(self, order: Order) -> OrderAnswer:
        """Carry out an order of the centre for this lane; what became of it."""
        answer: asyncio.Future[OrderAnswer] = asyncio.get_running_loop().create_future()
        self._put(Ordered(order=order, answer=answer))
        return await answer

    async def run(self) -> None:
        """Serve the lane, until cancelled; a vehicle that stands there already is decided anew."""
        for presence in await self._corridor.begin_anew():
            self._put(presence)
        async with asyncio.TaskGroup() as tasks:
            if self._eye is not None:
                tasks.create_task(self._eye.run())
            if self._closer is not None:
                tasks.create_task(self._closer.run())
            tasks.create_task(self._look_after_arrivals())
            tasks.create_task(self._serve())

    def _built_closer(self, settings: LaneSettings, kerb: Kerb) -> Closer | None:
        if settings.barrier.close_after_s is None:
            return None
        closer = Closer(
            settings,
            barrier=kerb.barrier,
            rooms=self._rooms,
            kept_up=lambda: self.holder.explains,
            opening=lambda: self.state is not State.CLEAR,
        )
        kerb.loops.watch(closer.sensed)
        return closer

    def _opened_eye(self, kerb: Kerb, slow_look_s: float) -> Eye | None:
        if kerb.camera is None:
            return None
        return Eye(
            self.name,
            kerb.camera,
            self._rooms.reader,
            clock=self._rooms.clock,
            health=self._rooms.health,
            pace=lambda: self._corridor.pace,
            see=self._put,
            arrivals=self._arrivals,
            view=None if self._closer is None else self._closer.sensed,
            slow_pause_s=slow_look_s,
            motion=kerb.motion,
        )

    def _sensed(self, presence: Presence) -> None:
        """Told to the holder at once: the lane may be busy."""
        self.holder.sensed(presence)
        self._edge(presence)

    def _shared(self, turn: Side) -> Callable[[Presence], None]:
        """Whoever is to be told what the inputs say where the barrier is shared: the turn tells
        this lane what is about its own vehicles.
        """
        turn.on_turn(lambda: self._put(ItsTurn()))
        turn.watch(self._put)
        return turn.feel

    def _put(self, letter: _Letter) -> None:
        try:
            self._inbox.put_nowait(letter)
            self._filled.set()
        except asyncio.QueueFull:
            self._rooms.health.raise_alarm("lane_overrun", self.name, "its inputs change too fast")

    async def _look_after_arrivals(self) -> None:
        """A loop may have become stuck; an exit that would notice nobody is held open."""
        held = False
        while True:
            self._arrivals.look_after(self._rooms.clock.boot_s())
            if self._never_shuts_in and self._arrivals.blind is not held:
                held = self._arrivals.blind
                self.holder.stale_camera(held)
            await self._rooms.clock.idle(LOOKED_AFTER_S)

    async def _serve(self) -> None:
        while True:
            match await self._next():
                case None:
                    await self._corridor.late()
                case Ordered() as ordered:
                    await self._carry_out(ordered)
                case happening:
                    await self._corridor.take(happening)

    async def _next(self) -> _Letter | None:
        """The next letter, or None when the machine wants to be woken."""
        clock = self._rooms.clock
        if self._inbox.empty():
            self._rooms.health.clear_alarm("lane_overrun", self.name)
        while True:
            self._rooms.health.beat(f"lane {self.name}", within_s=3 * BEAT_S)
            now, wake_at = clock.boot_s(), self._corridor.wake_at
            if wake_at is not None and wake_at <= now:
                return None
            if not self._inbox.empty():
                return self._inbox.get_nowait()
            self._filled.clear()
            await clock.idle(BEAT_S, moved=self._filled, due=wake_at)

    async def _carry_out(self, ordered: Ordered) -> None:
        answer = await self._corridor.obey(ordered.order)
        if not ordered.answer.done():
            ordered.answer.set_result(answer)
