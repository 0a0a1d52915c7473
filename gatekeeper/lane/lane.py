"""One lane: its tasks, its mailbox, and what each of them tells the others.

Loops, looks, orders and the clock come in through one mailbox, one at a time, and are served there.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import structlog

from gatekeeper.clock import rest
from gatekeeper.config import LaneSettings
from gatekeeper.drivers.motion import PixelMotion
from gatekeeper.drivers.ports import Barrier, Camera, Display, Loops, Motion
from gatekeeper.errors import PartEndedError
from gatekeeper.lane.barrier import Closer
from gatekeeper.lane.camera import CameraLoop
from gatekeeper.lane.context import LaneContext, LastPulse, Rooms
from gatekeeper.lane.holder import Holder
from gatekeeper.lane.inputs import Arrivals
from gatekeeper.lane.mailbox import ItsTurn, Letter, Mailbox, Reconsider
from gatekeeper.lane.service import Service
from gatekeeper.lane.turn import Side
from gatekeeper.lane.visit import Look, Ordered, look_rate
from gatekeeper.model import Doubt, Order, OrderAnswer, Presence, ZonePolicy
from gatekeeper.rules.loops import USUAL, Limits
from gatekeeper.rules.passage import Input, State, Timing

log = structlog.get_logger(__name__)

BEAT_S = 10.0
"""A quiet lane says this often that it lives."""

ENDS_S = 1.0
"""A part of the lane that has not ended by then is told once more to end."""


Part: TypeAlias = tuple[str, Callable[[], Coroutine[Any, Any, None]]]
"""The name of a part of the lane, and what it runs until cancelled."""


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
        store_failure_admits: bool,
        limits: Limits = USUAL,
    ) -> None:
        self.name = settings.name
        self._task = f"lane {settings.name}"
        self._rooms = rooms
        self._turn = kerb.turn
        self._context = context = LaneContext(
            settings=settings,
            policy=policy,
            timing=timing,
            rooms=rooms,
            barrier=kerb.barrier,
            motion=kerb.motion or PixelMotion(),
            last_pulse=LastPulse() if kerb.turn is None else kerb.turn.last_pulse,
            display=kerb.display,
            store_failure_admits=store_failure_admits,
        )
        self._lives = 0
        self._holds_blind = False
        self._mailbox = Mailbox(rooms.clock, overrun=self._overrun)
        self._arrivals = Arrivals(settings, limits, health=rooms.health, tell=self._noticed)
        self.holder = Holder(context, changed=self.reconsider, let_go=self._let_go)
        self._closer = self._built_closer(settings.barrier.close_after_s)
        self._camera = None
        if kerb.camera is not None:
            self._camera = self._built_camera(kerb.camera)
        self._to_look_after = asyncio.Event() if self._camera is None else self._camera.moved
        self._service = Service(
            context,
            holder=self.holder,
            closer=self._closer,
            turn=kerb.turn,
            wake_camera=None if self._camera is None else self._camera.wake,
            by_camera=lambda: self._arrivals.by_camera,
            is_on=self._mailbox.is_on,
        )
        self._edge = self._mailbox.sense if kerb.turn is None else self._shared(kerb.turn)
        kerb.loops.watch(self._sensed)
        rooms.journal.watch(lambda _: self.reconsider())

    def _built_closer(self, after_s: float | None) -> Closer | None:
        if after_s is None:
            return None
        turn = self._turn  # while the opposite lane has the barrier, opening it beats closing it
        return Closer(
            self._context,
            after_s=after_s,
            kept_up=lambda: turn.taken or turn.kept_up if turn else self.holder.explains,
            opening=lambda: self.state is not State.CLEAR,
        )

    def _built_camera(self, camera: Camera) -> CameraLoop:
        return CameraLoop(
            self._context,
            camera,
            self._arrivals,
            rate=lambda: look_rate(self.state, self._service.visit),
            see=self._mailbox.look,
            view=None if self._closer is None else self._closer.sensed,
        )

    def _shared(self, turn: Side) -> Callable[[Presence], None]:
        """What is to be told what the inputs say where the barrier is shared: the turn tells this
        lane what is about its own vehicles.
        """
        turn.explain(lambda: self.holder.explains)
        turn.on_turn(self._mailbox.its_turn)
        turn.watch(self._mailbox.sense)
        return turn.sensed

    @property
    def state(self) -> State:
        """Where the visit of the vehicle at this lane stands."""
        return self._service.state

    @property
    def waiting_since(self) -> float | None:
        """Since when a refused vehicle has been standing here, None if there is none."""
        visit = self._service.visit
        return visit.arrived if visit is not None and self.state is State.REFUSED else None

    @property
    def behind(self) -> int:
        """How much waits in its mailbox."""
        return len(self._mailbox)

    def reconsider(self) -> None:
        """A list, a policy or a count changed."""
        self._mailbox.reconsider()

    async def obey(self, order: Order) -> OrderAnswer:
        """Carry out an order of the centre for this lane; what became of it, always and in time."""
        return await self._mailbox.ask(order)

    async def run(self) -> None:
        """Serve the lane, until cancelled; a vehicle that stands there already is decided again.
        Raises `PartEndedError` when a part of it has ended, in whatever way.
        """
        self._begin_again()
        parts: list[Part] = [("service", self._serve), ("inputs", self._look_after)]
        if self._camera is not None:
            parts.append(("camera", self._camera.run))
        if self._closer is not None:
            parts.append(("closer", self._closer.run))
        try:
            await _together(self.name, parts)
        except PartEndedError:
            self.holder.lane_failed(self._context.is_exit)
            raise
        finally:
            self._rooms.health.forget(self._task)

    def _begin_again(self) -> None:
        """In each life but the first something may have passed unseen."""
        if self._lives:
            self._context.doubt(Doubt.EXIT_LANE_UNHEALTHY)
        self._lives += 1
        self._service.begin_again()
        self._mailbox.begin_again()
        self.holder.lane_failed(False)

    async def _serve(self) -> None:
        while True:
            self._rooms.health.beat(self._task, within_s=3 * BEAT_S)
            self._mailbox.moved.clear()
            if not await self._serve_next():
                due, clock = self._service.wake_at, self._rooms.clock
                await rest(self._mailbox.moved, due, clock, at_most_s=BEAT_S)

    async def _serve_next(self) -> bool:
        """Deal with what comes next; False if nothing waits. What happened before the moment at
        which the state machine is late comes before that.
        """
        wake_at = self._service.wake_at
        if wake_at is not None and wake_at <= self._rooms.clock.boot_s():
            change = self._mailbox.take_change(until=wake_at)
            await (self._service.late() if change is None else self._service.sensed(change))
            return True
        if (letter := self._mailbox.take()) is None:
            self._rooms.health.clear_alarm("lane_overrun", self.name)
            return False
        await self._deal_with(letter)
        return True

    async def _deal_with(self, letter: Letter) -> None:
        match letter:
            case Presence():
                await self._service.sensed(letter)
            case Look():
                await self._service.looked(letter)
            case Reconsider():
                await self._service.reconsider()
            case ItsTurn():
                await self._service.feed(Input.ITS_TURN)
            case Ordered():
                await self._carry_out(letter)

    async def _carry_out(self, ordered: Ordered) -> None:
        if self._rooms.clock.boot_s() >= ordered.until:
            return  # who waits for its answer is about to say so
        ordered.begun = True
        answer = ordered.order.answered("unknown", "the lane failed meanwhile")
        try:
            answer = await self._service.obey(ordered)
        finally:
            if ordered.stands:
                ordered.answer.set_result(answer)

    async def _look_after(self) -> None:
        """A camera may be stale, a loop stuck; an exit that would notice nothing is held open."""
        while True:
            self._to_look_after.clear()
            self._look_after_inputs(self._rooms.clock.boot_s())
            due, clock = self._arrivals.wake_at, self._rooms.clock
            await rest(self._to_look_after, due, clock, at_most_s=BEAT_S)

    def _look_after_inputs(self, at: float) -> None:
        trouble = None if self._camera is None else self._camera.trouble(at)
        if trouble is None:
            self._rooms.health.clear_alarm("camera_stale", self.name)
        else:
            self._rooms.health.raise_alarm("camera_stale", self.name, trouble)
        self._arrivals.look_after(at)
        blind = self._context.is_exit and self._camera is not None and self._arrivals.blind
        if blind is not self._holds_blind:
            self._holds_blind = blind
            self.holder.stale_camera(blind)

    def _sensed(self, presence: Presence) -> None:
        """An input, as the board tells it."""
        if self._closer is not None:
            self._closer.sensed(presence)
        self._arrivals.sensed(presence)
        self._to_look_after.set()

    def _noticed(self, presence: Presence) -> None:
        """A change that counts. Told to the holder at once: the lane may be busy."""
        self.holder.sensed(presence)
        self._edge(presence)

    def _let_go(self) -> None:
        if self._closer is not None:
            self._closer.let_go()

    def _overrun(self) -> None:
        self._rooms.health.raise_alarm("lane_overrun", self.name, "its inputs change too fast")


async def _together(lane: str, parts: Iterable[Part]) -> None:
    """Run all parts until one ends, however it ends: then end the others, and fail."""
    tasks = [asyncio.create_task(run(), name=f"lane {lane}: {name}") for name, run in parts]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        raise _failure(next(task for task in tasks if task.done()))
    finally:
        await _ended(tasks)


def _failure(task: "asyncio.Task[None]") -> PartEndedError:
    if task.cancelled():
        return PartEndedError(f"{task.get_name()} was cancelled")
    error = task.exception()
    return PartEndedError(f"{task.get_name()} ended" + ("" if error is None else f": {error!r}"))


async def _ended(tasks: Iterable["asyncio.Task[None]"]) -> None:
    """Cancel tasks, and wait until all have ended; one that swallows it is told again. The lane is
    silent meanwhile, which the watchdog sees.
    """
    waiting = set(tasks)
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=ENDS_S)
    for task in tasks:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("lane.part_failed", part=task.get_name(), exc_info=error)
