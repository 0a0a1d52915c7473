"""One controller in virtual time, wired like the real one (`app.controller`), on fakes at the kerb.

What the daemon has tasks for happens here when `settle` is called, after each call from outside:
waiting vehicles are decided again, alarms are journalled, limits are looked after.
"""

import asyncio
import atexit
import math
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from gatekeeper.app.fire import FireInputs, name_of
from gatekeeper.app.holds import Holds
from gatekeeper.app.orders import Orders
from gatekeeper.app.timekeeper import Timekeeper
from gatekeeper.app.wiring import (
    begun,
    quorum_of,
    sides_of,
    tell_unknown,
    tell_watched,
    timing_of,
)
from gatekeeper.config import Config, LaneSettings
from gatekeeper.health import Health
from gatekeeper.journal import PATIENCE_S, Journal, Posted, read_past_life
from gatekeeper.lane import Bindings, Holder, Rooms, Side
from gatekeeper.lane.context import LaneContext, LastPulse
from gatekeeper.lane.mailbox import ItsTurn, Reconsider
from gatekeeper.lane.service import Service
from gatekeeper.lane.visit import Look, LookRate, Ordered, look_rate
from gatekeeper.model import (
    Ack,
    AlarmCleared,
    AlarmRaised,
    BarrierCommand,
    Commit,
    Event,
    Frame,
    Instant,
    ListChanges,
    Order,
    OrderAnswer,
    Outcome,
    PeerEvent,
    PeerHealth,
    PlateRead,
    Presence,
    Record,
    Sensor,
    SiteState,
)
from gatekeeper.rehearsal.clock import VirtualClock
from gatekeeper.rules.passage import Input, State
from gatekeeper.store import Store
from gatekeeper.store.facts import fact_of
from gatekeeper.store.pictures import Pictures
from gatekeeper.sync.book import record_of
from gatekeeper.zones import Zones, places_of, plans_of, policy_of

CAMERA_STALE_S = 5.0
"""How long a dead camera goes unnoticed, at most."""

Answer = TypeVar("Answer")


def at_once(coroutine: Coroutine[Any, Any, Answer]) -> Answer:
    """Run a coroutine that never waits; RuntimeError if it does."""
    return _loop().run_until_complete(coroutine)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    atexit.register(loop.close)
    return loop


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An event of the journal, and the true second in which it was written."""

    event: Event
    true_s: float


class _Overheard(Store):
    """A store that also remembers what was just written, for whoever listens at the broker; what
    lists have become only if `hears_lists`.
    """

    written: list[Event]
    hears_lists: bool

    async def commit_all(self, commits: Sequence[Commit]) -> tuple[Event, ...]:
        """As the store does."""
        events = await super().commit_all(commits)
        self.written.extend(events)
        return events

    async def follow(self, changes: ListChanges, at: Instant) -> bool:
        """As the store does."""
        if not self.hears_lists:
            return await super().follow(changes, at)
        before = await self.last_seq()
        followed = await super().follow(changes, at)
        for each in await self.pending(before, limit=1):
            record = Record(fact=fact_of(each.kind, each.body), at=at)
            event = Event(id=each.id, journal=each.journal, seq=each.seq, record=record)
            self.written.append(event)
        return followed


class _PromptJournal(Journal):
    """A journal that needs no task: what is waited for is written at once."""

    async def written(self, posted: Posted, within_s: float = PATIENCE_S) -> bool:
        """Write it now."""
        await self.flush()
        return await super().written(posted, within_s)


class _Barrier:
    """A barrier whose relay closes, unless its lane is among the `broken`."""

    def __init__(
        self,
        lane: str,
        openings: list[str],
        broken: set[str],
        held: set[str],
        clock: VirtualClock,
    ) -> None:
        self._lane, self._openings, self._broken = lane, openings, broken
        self._held, self._clock = held, clock

    async def open(self, command: BarrierCommand) -> Ack:
        """Pulse."""
        return self._done(command, lambda: self._openings.append(self._lane))

    async def hold(self, command: BarrierCommand) -> Ack:
        """Keep the boom up."""
        return self._done(command, lambda: self._held.add(self._lane))

    async def release(self, command: BarrierCommand) -> Ack:
        """Keep it up no longer."""
        return self._done(command, lambda: self._held.discard(self._lane))

    async def close(self, command: BarrierCommand) -> Ack:
        """No close relay is wired here."""
        at = self._clock.boot_s()
        return Ack(command=command.id, outcome=Outcome.FAILED, detail="no close relay", at=at)

    def _done(self, command: BarrierCommand, switch: Callable[[], None]) -> Ack:
        at = self._clock.boot_s()
        if self._lane in self._broken:
            return Ack(command=command.id, outcome=Outcome.FAILED, detail="no answer", at=at)
        switch()
        return Ack(command=command.id, outcome=Outcome.DONE, detail="switched", at=at)


class _NoReader:
    """Frames come with their reads here."""

    async def read(self, frame: Frame) -> tuple[PlateRead, ...]:
        """Nothing."""
        return ()


class Rehearsal:
    """One controller, from `begin` to `end`; `path` is its database, which outlives it.

    `openings` are the lanes whose barriers were pulsed, and `told` the events that were written:
    both are emptied by whoever reads them. `held` are the lanes whose booms are kept up now.
    Without `hears_lists` the events of followed lists are written and not told, which is faster.
    """

    def __init__(
        self, config: Config, path: Path, clock: VirtualClock, *, hears_lists: bool = True
    ) -> None:
        self.config = config
        self.clock = clock
        self.openings: list[str] = []
        self.held: set[str] = set()
        self._broken: set[str] = set()
        self.told: list[Told] = []
        self.health = Health(clock)
        self.store = _Overheard.rehearsal(path)
        self.store.written = []
        self.store.hears_lists = hears_lists
        self.journal_log = _PromptJournal(self.store, clock=clock, health=self.health)
        self.bindings = Bindings()
        self.zones = Zones(
            places_of(config),
            plans_of(config),
            journal=self.journal_log,
            clock=clock,
            health=self.health,
            certain=config.recognition.certain,
            peers=[peer.controller for peer in config.peer],
            changed=self._to_reconsider,
        )
        self._sides = sides_of(config, clock, self.health)
        self._turns = dict.fromkeys(side.turn for side in self._sides.values())
        self._letters: deque[tuple[str, Presence | ItsTurn]] = deque()
        self.holders: dict[str, Holder] = {}
        self.lanes = {lane.name: self._lane(lane) for lane in config.lane}
        self.fire = FireInputs(
            config.fire.inputs,
            journal=self.journal_log,
            clock=clock,
            health=self.health,
            latched=self._burns,
        )
        self._holds = Holds(self.holders, self.fire, journal=self.journal_log, clock=clock)
        self.timekeeper = Timekeeper(clock, self.health)
        self.centre_away_since: float | None = None
        self._orders = Orders(
            self.lanes,
            self.zones,
            [zone.name for zone in config.zone],
            holds=self._holds,
            journal=self.journal_log,
            clock=clock,
            changed=self._to_reconsider,
            locked=self._locked,
        )
        self._lockdown = False
        self._reconsider = False
        self._news: list[AlarmRaised | AlarmCleared] = []
        self._dead_since: dict[str, float] = {}
        self.health.watch(self._news.append)

    # --- its life -----------------------------------------------------------------------------

    def begin(self) -> None:
        """Go live."""
        at_once(self._restore())
        at_once(self._holds.wake())
        self._read_inputs()
        self.settle()

    async def _restore(self) -> None:
        since = self.clock.instant().wall - timedelta(seconds=self.zones.remembered_s)
        past = await read_past_life(self.store, since)
        self.journal_log.tell(*begun(self.config, past, self.clock.instant()))
        tell_unknown(self.journal_log, past)
        self._lockdown = past.lockdown
        self.zones.restore(past)
        self._holds.restore(past)

    def end(self) -> None:
        """Stop, as by a power cut: what was committed is on the disk, and nothing else happens."""
        at_once(self.store.close())

    @property
    def journal(self) -> str:
        """The id of its journal."""
        return self.store.journal

    # --- what happens to it -------------------------------------------------------------------

    def edge(self, lane: str, sensor: Sensor, on: bool) -> None:
        """A loop has changed."""
        presence = Presence(lane=lane, sensor=sensor, on=on, at=self.clock.boot_s())
        self.holders[lane].sensed(presence)
        if lane in self._sides:
            self._sides[lane].feel(presence)
        else:
            self._letters.append((lane, presence))
        self.settle()

    def fire_input(self, name: str, on: bool) -> None:
        """A fire input (`board/number`) has changed."""
        presence = Presence(lane="", sensor=Sensor.FIRE, on=on, at=self.clock.boot_s())
        self.fire.sensed(name, presence)
        self.settle()

    def look(
        self, lane: str, frame: int, reads: tuple[PlateRead, ...], at: float | None = None
    ) -> None:
        """A frame was taken just now, or at `at`, and these plates were read in it."""
        seen = Frame(
            camera=lane,
            number=frame,
            at=self.clock.boot_s() if at is None else at,
            pixels=_NO_PIXELS,
            encoded=b"",
            suffix="",
        )
        at_once(self.lanes[lane].take(Look(frame=seen, reads=reads)))
        self.settle()

    def looking(self, lane: str) -> bool:
        """Whether a lane wants frames."""
        return self.lanes[lane].rate is not LookRate.IDLE

    def camera(self, lane: str, *, alive: bool) -> None:
        """A camera has died, which will be noticed, or lives again."""
        if alive:
            self._dead_since.pop(lane, None)
            self.health.clear_alarm("camera_stale", lane)
        else:
            self._dead_since.setdefault(lane, self.clock.boot_s())
        self.settle()

    def relay(self, lane: str, *, works: bool) -> None:
        """The relay of a barrier fails from now on, or works again."""
        (self._broken.discard if works else self._broken.add)(lane)

    def lists(self, changes: ListChanges) -> bool:
        """The centre changes a list. False: there is a gap."""
        followed = at_once(self.store.follow(changes, self.clock.instant()))
        self.bindings.changed(changes, self.clock.boot_s())
        at_once(self.zones.lists_changed(changes))
        self._reconsider = True
        self.settle()
        return followed

    def order(self, order: Order) -> OrderAnswer:
        """The centre orders; the answer is journalled, as the downlink does."""
        answer = at_once(self._orders.obey(order))
        record = record_of(order, answer, self.clock.instant())
        self.journal_log.post(Commit(records=(record,)))
        self.settle()
        return answer

    def hear(self, told: PeerEvent | PeerHealth) -> None:
        """Another controller of the site told of itself."""
        self.zones.heard(told)
        self.settle()

    def wake_at(self) -> float:
        """When `wake` is due next (boot clock); `inf` if nothing runs."""
        first = self.zones.wake_at
        soonest = math.inf if first is None else first
        moments = [turn.wake_at for turn in self._turns]
        for moment in (*moments, *(lane.wake_at for lane in self.lanes.values())):
            if moment is not None and moment < soonest:
                soonest = moment
        for moment in (self.fire.wake_at, *(each.wake_at for each in self.holders.values())):
            if moment is not None and moment < soonest:
                soonest = moment
        for since in self._dead_since.values():
            soonest = min(soonest, since + CAMERA_STALE_S)
        return soonest

    def wake(self) -> None:
        """The time for something has come."""
        now = self.clock.boot_s()
        for lane in self.lanes.values():
            if lane.wake_at is not None and lane.wake_at <= now + _EARLY_S:
                at_once(lane.late())
        for turn in self._turns:
            turn.late()
        for name, since in list(self._dead_since.items()):
            if since + CAMERA_STALE_S <= now + _EARLY_S:
                del self._dead_since[name]
                self.health.raise_alarm("camera_stale", name, "no frame")
        due = self.zones.wake_at
        if due is None or due <= now + _EARLY_S:
            self.zones.wake()
        self.settle()

    # --- what follows -------------------------------------------------------------------------

    def settle(self) -> None:
        """Do what the daemon's other tasks would do now."""
        self._deliver()
        if self.config.fire.inputs:
            at_once(self.fire.wake())
        for holder in self.holders.values():
            if not holder.is_idle:
                at_once(holder.wake())
        while self._news or self._reconsider:
            news, self._news[:] = tuple(self._news), ()
            for each in news:
                self._journal(each)
            if self._reconsider:
                self._reconsider = False
                self._decide_again()
            self._deliver()
        at_once(self.journal_log.flush())
        if self.store.written:
            now = self.clock.true_s
            self.told += [Told(event=event, true_s=now) for event in self.store.written]
            self.store.written.clear()

    def _deliver(self) -> None:
        """What the inputs and the turns say reaches the lanes, one thing at a time."""
        while self._letters:
            lane, happening = self._letters.popleft()
            at_once(self.lanes[lane].take(happening))

    def _decide_again(self) -> None:
        """Who has waited longest is decided first."""
        waiting = [lane for lane in self.lanes.values() if lane.state in _WAITING]
        for lane in sorted(waiting, key=lambda lane: lane.waiting_since or math.inf):
            at_once(lane.take(Reconsider()))

    def _journal(self, news: AlarmRaised | AlarmCleared) -> None:
        lane = news.subject if news.subject in self.lanes else None
        record = Record(fact=news, at=self.clock.instant(), lane=lane)
        self.journal_log.post(Commit(records=(record,)))
        tell_watched(news, self.config, self.health, self.zones)

    def _read_inputs(self) -> None:
        """The boards say that nobody is there, before anybody is."""
        at = self.clock.boot_s()
        for lane in self.config.lane:
            for sensor in (Sensor.ARRIVAL, Sensor.SAFETY, Sensor.PHOTOCELL):
                presence = Presence(lane=lane.name, sensor=sensor, on=False, at=at)
                self.holders[lane.name].sensed(presence)
        for wire in self.config.fire.inputs:
            presence = Presence(lane="", sensor=Sensor.FIRE, on=False, at=at)
            self.fire.sensed(name_of(wire), presence)

    def _burns(self, latched: bool) -> None:
        for holder in self.holders.values():
            holder.fire(latched)

    def _lane(self, lane: LaneSettings) -> "_Lane":
        config = self.config
        side = self._sides.get(lane.name)
        if side is not None:
            side.watch(lambda presence: self._letters.append((lane.name, presence)))
            side.on_turn(lambda: self._letters.append((lane.name, ItsTurn())))
        context = LaneContext(
            settings=lane,
            policy=policy_of(config, lane.zone),
            timing=timing_of(config, lane),
            rooms=self._rooms(),
            barrier=_Barrier(lane.name, self.openings, self._broken, self.held, self.clock),
            last_pulse=LastPulse() if side is None else side.last_pulse,
            display=None,
            store_failure_admits=config.zone_of(lane.zone).when_store_fails == "admit",
        )
        holder = Holder(context, changed=self._to_reconsider, let_go=_nothing)
        self.holders[lane.name] = holder
        return _Lane(context, holder, side, looks=lane.camera is not None)

    def _rooms(self) -> Rooms:
        return Rooms(
            reader=_NoReader(),
            journal=self.journal_log,
            zones=self.zones,
            pictures=Pictures(self.config.store.pictures),
            bindings=self.bindings,
            clock=self.clock,
            health=self.health,
            site=self._site,
            timezone=self.config.timezone,
            quorum=quorum_of(self.config),
        )

    def _site(self) -> SiteState:
        since = self.centre_away_since
        away_s = 0.0 if since is None else max(0.0, self.clock.true_s - since)
        return SiteState(lockdown=self._lockdown, centre_away_s=away_s)

    def _locked(self, on: bool) -> None:
        self._lockdown = on

    def _to_reconsider(self) -> None:
        self._reconsider = True


_EARLY_S = 1e-6

_WAITING = (
    State.READING,
    State.LOOKING_AGAIN,
    State.REFUSED,
    State.WAITING,
    State.STUCK,
    State.OPENING,
)

_NO_PIXELS = np.zeros((1, 1, 3), np.uint8)


def _nothing(*_: object) -> None:
    return


class _Lane:
    """The service of one lane, without its tasks."""

    def __init__(
        self, context: LaneContext, holder: Holder, side: Side | None, *, looks: bool
    ) -> None:
        self._clock = context.rooms.clock
        self._levels: dict[Sensor, Presence] = {}
        if side is not None:
            side.explain(lambda: holder.explains)
        self._service = Service(
            context,
            holder=holder,
            closer=None,
            turn=side,
            wake_camera=_nothing if looks else None,
            by_camera=lambda: False,
            is_on=self._is_on,
        )

    @property
    def state(self) -> State:
        return self._service.state

    @property
    def rate(self) -> LookRate:
        return look_rate(self.state, self._service.visit)

    @property
    def wake_at(self) -> float | None:
        return self._service.wake_at

    @property
    def waiting_since(self) -> float | None:
        visit = self._service.visit
        return visit.arrived if visit is not None and self.state is State.REFUSED else None

    async def late(self) -> None:
        await self._service.late()

    async def begin_anew(self) -> tuple[Presence, ...]:
        self._service.begin_again()
        levels, self._levels = self._levels, {}
        return tuple(levels.values())

    def _is_on(self, sensor: Sensor) -> bool:
        return sensor in self._levels and self._levels[sensor].on

    async def take(self, letter: Presence | Look | Reconsider | ItsTurn) -> None:
        match letter:
            case Presence():
                before = self._is_on(letter.sensor)
                self._levels[letter.sensor] = letter
                if letter.on != before:
                    await self._service.sensed(letter)
            case Look():
                await self._service.looked(letter)
            case Reconsider():
                await self._service.reconsider()
            case ItsTurn():
                await self._service.feed(Input.ITS_TURN)

    async def obey(self, order: Order) -> OrderAnswer:
        answer: asyncio.Future[OrderAnswer] = asyncio.get_running_loop().create_future()
        until = self._clock.boot_s() + 5.0
        return await self._service.obey(Ordered(order=order, until=until, answer=answer))
