"""One lane: its inbox, the visit of the vehicle that stands there, and what the machine orders.

Loops, looks, orders and the clock come in through one inbox, one at a time; `rules.passage` says
what to do, and this file does it.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import structlog
from uuid6 import uuid7

from gatekeeper.clock import Clock
from gatekeeper.config import LaneSettings
from gatekeeper.drivers.ports import Barrier, Camera, Loops, Reader
from gatekeeper.health import Health
from gatekeeper.lane.eye import Eye, Look, Pace
from gatekeeper.lane.judge import Judge
from gatekeeper.lane.opener import Opener
from gatekeeper.lane.scribe import Scribe
from gatekeeper.lane.visit import Visit, by_order, same
from gatekeeper.model import (
    Ack,
    AssistanceWanted,
    Decision,
    Doubt,
    Fact,
    Order,
    OrderAnswer,
    Outcome,
    Presence,
    Reason,
    Sensor,
    SiteState,
    VehicleArrived,
    VehicleDecided,
    Verdict,
    ZonePolicy,
)
from gatekeeper.rules import passage
from gatekeeper.rules.passage import Input, Output, State
from gatekeeper.rules.votes import Quorum, tally
from gatekeeper.store import Store
from gatekeeper.store.pictures import Pictures
from gatekeeper.zones import Ended, Zones

log = structlog.get_logger(__name__)

INBOX = 256
"""Happenings that may wait for the lane. What does not fit is dropped, with an alarm: a loop that
chatters faster than this says nothing that could be trusted."""

BEAT_S = 10.0
"""A quiet lane says this often that it lives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """An order for this lane, and where its answer is awaited."""

    order: Order
    answer: "asyncio.Future[OrderAnswer]"


@dataclass(frozen=True, slots=True)
class Reconsider:
    """A list, a policy or a count changed: a waiting vehicle is decided again."""


Happening: TypeAlias = Presence | Look | Ordered | Reconsider


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """What all lanes share."""

    reader: Reader
    store: Store
    zones: Zones
    pictures: Pictures
    clock: Clock
    health: Health
    site: Callable[[], SiteState]
    quorum: Quorum


@dataclass(frozen=True, slots=True, kw_only=True)
class Kerb:
    """What stands at one lane."""

    camera: Camera | None
    barrier: Barrier
    loops: Loops


class Lane:
    """One lane. `run` serves it until cancelled, and may be called again after it failed."""

    def __init__(
        self,
        settings: LaneSettings,
        policy: ZonePolicy,
        *,
        kerb: Kerb,
        rooms: Rooms,
        timing: passage.Timing,
        slow_look_s: float,
        store_failure_admits: bool,
    ) -> None:
        self.name = settings.name
        self._rooms = rooms
        self._timing = timing
        self._inbox: asyncio.Queue[Happening] = asyncio.Queue(INBOX)
        self._machine = passage.Passage()
        self._visit: Visit | None = None
        self._levels: dict[Sensor, Presence] = {}
        self._scribe = Scribe(
            settings.name,
            store=rooms.store,
            pictures=rooms.pictures,
            clock=rooms.clock,
            health=rooms.health,
        )
        self._judge = Judge(
            settings.direction,
            policy,
            store=rooms.store,
            zones=rooms.zones,
            clock=rooms.clock,
            health=rooms.health,
            site=rooms.site,
            certain=rooms.quorum.certain,
            store_failure_admits=store_failure_admits,
        )
        self._opener = Opener(
            settings,
            barrier=kerb.barrier,
            scribe=self._scribe,
            clock=rooms.clock,
            store_failure_admits=store_failure_admits,
        )
        self._eye = None if kerb.camera is None else self._opened_eye(kerb.camera, slow_look_s)
        kerb.loops.watch(self._put)

    @property
    def state(self) -> State:
        """Where the visit of the vehicle at this lane stands."""
        return self._machine.state

    def reconsider(self) -> None:
        """A list, a policy or a count changed."""
        self._put(Reconsider())

    async def obey(self, order: Order) -> OrderAnswer:
        """Open because the centre orders it; what became of it."""
        answer: asyncio.Future[OrderAnswer] = asyncio.get_running_loop().create_future()
        self._put(Ordered(order=order, answer=answer))
        return await answer

    async def run(self) -> None:
        """Serve the lane, until cancelled; a vehicle that stands there already is decided anew."""
        self._machine, self._visit = passage.Passage(), None
        levels, self._levels = self._levels, {}
        for presence in levels.values():
            self._put(presence)
        async with asyncio.TaskGroup() as tasks:
            if self._eye is not None:
                tasks.create_task(self._eye.run())
            tasks.create_task(self._serve())

    def _opened_eye(self, camera: Camera, slow_look_s: float) -> Eye:
        return Eye(
            self.name,
            camera,
            self._rooms.reader,
            clock=self._rooms.clock,
            health=self._rooms.health,
            pace=self._pace,
            see=self._put,
            slow_pause_s=slow_look_s,
        )

    def _pace(self) -> Pace:
        match self.state:
            case State.READING:
                return Pace.QUICKLY
            case State.OPENING | State.APPROACHING if self._visit and self._visit.unsure:
                return Pace.QUICKLY
            case State.REFUSED:
                return Pace.SLOWLY
            case _:
                return Pace.IDLE

    # --- the inbox ----------------------------------------------------------------------------

    def _put(self, happening: Happening) -> None:
        try:
            self._inbox.put_nowait(happening)
        except asyncio.QueueFull:
            self._rooms.health.raise_alarm("lane_overrun", self.name, "its inputs change too fast")

    async def _serve(self) -> None:
        while True:
            match await self._next():
                case None:
                    await self._feed(Input.TIME)
                case Presence() as presence:
                    await self._sensed(presence)
                case Look() as look:
                    await self._looked(look)
                case Reconsider():
                    await self._feed(Input.RECONSIDERED)
                case Ordered() as ordered:
                    await self._ordered(ordered)

    async def _next(self) -> Happening | None:
        """The next happening, or None when the machine wants to be woken."""
        clock = self._rooms.clock
        while True:
            self._rooms.health.beat(f"lane {self.name}", within_s=3 * BEAT_S)
            now, wake_at = clock.boot_s(), self._machine.wake_at
            if wake_at is not None and wake_at <= now:
                return None
            until = BEAT_S if wake_at is None else min(BEAT_S, wake_at - now)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(until):
                    return await self._inbox.get()

    async def _sensed(self, presence: Presence) -> None:
        """Only a change is news; a first "nobody there" is none."""
        before = self._levels.get(presence.sensor)
        self._levels[presence.sensor] = presence
        if presence.on == (before is not None and before.on):
            return
        edge = _EDGES.get((presence.sensor, presence.on))
        if edge is not None:
            await self._feed(edge, presence.at)

    async def _looked(self, look: Look) -> None:
        """Reads vote only for the vehicle that stood there when the frame was taken."""
        visit = self._visit
        if visit is None or look.frame.at < visit.arrived:
            return
        visit.take(look.frame, look.reads)
        if self.state in (State.READING, State.REFUSED):
            await self._decide(visit)
        else:
            await self._make_sure(visit)

    async def _ordered(self, ordered: Ordered) -> None:
        """Open for the vehicle that waits, or for whoever is about to come."""
        order, visit = ordered.order, self._visit
        with self._scribe.alarmed():
            await self._rooms.zones.doubt(self.name, Doubt.ORDERED_OPENING)
        if visit is not None and self.state in (State.READING, State.REFUSED):
            visit.decision = by_order(visit)
            visit.command = order.id
            await self._feed(Input.ADMITTED)
            ack = visit.ack
        else:
            passage_id = visit.passage if visit else None
            ack = await self._opener.open(order.id, Reason.ORDERED, passage_id)
        if ack is not None and not ordered.answer.done():
            ordered.answer.set_result(_answer(order, ack))

    # --- the machine --------------------------------------------------------------------------

    async def _feed(self, what: Input, at: float | None = None) -> None:
        """Tell the machine, and do what it says."""
        at = self._rooms.clock.boot_s() if at is None else at
        before = self._machine
        after = passage.step(before, what, at, self._timing)
        self._machine = after.passage
        if before.state is not after.passage.state:
            log.info("lane.state", lane=self.name, state=after.passage.state.value)
        for output in after.outputs:
            await self._do(output, at)

    async def _do(self, output: Output, at: float) -> None:
        match output:
            case Output.BEGIN:
                await self._begin(at)
            case Output.LAST_CALL | Output.DECIDE_AGAIN if self._visit is not None:
                self._visit.late = True
                await self._decide(self._visit)
            case Output.OPEN if self._visit is not None:
                await self._open(self._visit)
            case Output.LOITERING | Output.LANE_BLOCKED:
                self._rooms.health.raise_alarm(
                    output.value, self.name, "a vehicle does not move on"
                )
            case Output.UNDECIDED:
                await self._undecided()
            case _ if output in passage.ENDS:
                await self._end(output, at)
            case _:
                return

    async def _begin(self, at: float) -> None:
        self._visit = Visit(passage=str(uuid7()), arrived=at)
        await self._scribe.tell(VehicleArrived(), passage=self._visit.passage, at=at)
        if self._eye is not None:
            self._eye.wake()
        else:
            self._visit.late = True
            await self._decide(self._visit)

    async def _undecided(self) -> None:
        if self._visit is not None:
            self._visit.decision = None
        self._rooms.health.raise_alarm(
            "undecided_passage", self.name, "a vehicle crossed without a decision of its own"
        )
        with self._scribe.alarmed():
            await self._rooms.zones.doubt(self.name, Doubt.UNDECIDED_PASSAGE)

    async def _end(self, output: Output, at: float) -> None:
        visit, self._visit = self._visit, None
        for alarm in ("loitering", "lane_blocked", "undecided_passage"):
            self._rooms.health.clear_alarm(alarm, self.name)
        if visit is None:
            return
        clock = self._rooms.clock
        ended = Ended(
            lane=self.name,
            passage=visit.passage,
            end=passage.ENDS[output],
            sighting=visit.sighting,
            decision=visit.decision,
            arrived=clock.instant(visit.arrived),
            at=clock.instant(at),
        )
        with self._scribe.alarmed():
            await self._rooms.zones.ended(ended)

    # --- deciding -----------------------------------------------------------------------------

    async def _decide(self, visit: Visit) -> None:
        """Ask votes, lists and rules; act on an answer that is new."""
        sighting = tally(visit.reads, self._rooms.quorum, last_call=visit.late)
        if sighting is None and not visit.late:
            return
        decision = await self._judge.decide(sighting)
        if visit.decision is not None and same(visit.decision, decision):
            return
        visit.sighting, visit.decision = sighting, decision
        await self._place(visit)
        if decision.verdict is Verdict.REFUSE:
            await self._refuse(visit, decision)
            return
        await self._feed(Input.ADMITTED)

    async def _make_sure(self, visit: Visit) -> None:
        """The barrier opens on two reads that agree; before anything may count against a driver
        there must be more, and these come while the car rolls in.
        """
        sighting = tally(visit.reads, self._rooms.quorum, last_call=visit.late)
        before = visit.decision
        if sighting is None or before is None or before.plate is None:
            return
        if before.reason is Reason.ORDERED:
            return  # whom a person let in, no read accuses
        again = await self._judge.decide(sighting)
        if again.plate == before.plate:
            visit.sighting = sighting
        visit.decision = replace(before, certain=again.plate == before.plate and again.certain)

    async def _place(self, visit: Visit) -> None:
        """Tell the zones where this plate is now."""
        if visit.sighting is None or visit.decision is None or visit.decision.plate is None:
            return
        known = replace(visit.sighting, plate=visit.decision.plate)
        with self._scribe.alarmed():
            await self._rooms.zones.arrived(
                self.name, known, self._rooms.clock.instant(visit.arrived)
            )

    async def _refuse(self, visit: Visit, decision: Decision) -> None:
        facts: list[Fact] = [self._told(visit, decision)]
        if decision.reason in (Reason.UNREADABLE, Reason.LOOKS_BLACKLISTED):
            facts.append(AssistanceWanted(reason=decision.reason, picture=visit.picture))
        await self._scribe.tell(*facts, passage=visit.passage)
        await self._feed(Input.REFUSED)

    async def _open(self, visit: Visit) -> None:
        decision = visit.decision or by_order(visit)
        visit.ack = await self._opener.open(
            visit.command, decision.reason, visit.passage, self._told(visit, decision)
        )
        if visit.ack.outcome is not Outcome.DONE:
            await self._feed(Input.FAILED)

    def _told(self, visit: Visit, decision: Decision) -> VehicleDecided:
        if visit.best is not None:
            visit.picture = self._scribe.picture(visit.best, visit.passage)
        log.info(
            "vehicle.decided",
            lane=self.name,
            verdict=decision.verdict.value,
            reason=decision.reason.value,
        )
        return VehicleDecided(decision=decision, sighting=visit.sighting, picture=visit.picture)


_EDGES = {
    (Sensor.ARRIVAL, True): Input.ARRIVED,
    (Sensor.ARRIVAL, False): Input.LEFT,
    (Sensor.SAFETY, True): Input.SAFETY_ON,
    (Sensor.SAFETY, False): Input.SAFETY_OFF,
}


def _answer(order: Order, ack: Ack) -> OrderAnswer:
    outcomes = {Outcome.DONE: "done", Outcome.FAILED: "refused", Outcome.UNKNOWN: "unknown"}
    return OrderAnswer(order=order.id, outcome=outcomes[ack.outcome], detail=ack.detail)
