"""A relay board with the barriers and loops of some lanes: connected, made safe, polled, for ever.

Commands come in, acks and changes of inputs go out. Nothing opens before all inputs were read and
every coil of our lanes was written off and read back, after each connection anew. A board that
cannot be reached is an alarm, and answers commands `failed` at once.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from gatekeeper.clock import monotonic
from gatekeeper.config import BarrierSettings, BoardSettings, InputSettings, LaneSettings
from gatekeeper.drivers.bus import Bus, Urgency, open_bus
from gatekeeper.drivers.ports import Barrier, Loops
from gatekeeper.drivers.pulse import Pulse
from gatekeeper.errors import BoardError, ConfigError
from gatekeeper.health import Health
from gatekeeper.model import Ack, BarrierCommand, Outcome, Presence, Sensor

log = structlog.get_logger(__name__)

ALARM = "relay_unreachable"
"""The alarm of a board that is not live; its subject is the board's name."""

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 1.0
"""Between two connections; a board that has come back works again well within 5 s."""

_BLIND_S = 1.0
"""A board that answers, but tells no inputs for so long, is as bad as a silent one."""


@dataclass(slots=True, kw_only=True)
class _Wire:
    """One input as a lane knows it, and what whoever watches it was last told."""

    lane: str
    sensor: Sensor
    input: InputSettings
    tell: Callable[[Presence], None]
    told: bool | None = None

    def see(self, inputs: Sequence[bool], at: float) -> None:
        on = inputs[self.input.input] != self.input.inverted
        if on != self.told:
            self.told = on
            self.tell(Presence(lane=self.lane, sensor=self.sensor, on=on, at=at))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Live:
    """A connection on which barriers may be opened, and the coils that pulse now."""

    bus: Bus
    pulses: asyncio.TaskGroup
    pulsing: set[int] = field(default_factory=set)


class RelayBoard:
    """One board; `lanes` are those of the whole controller, wired to this board or not."""

    def __init__(
        self, settings: BoardSettings, lanes: Sequence[LaneSettings], health: Health
    ) -> None:
        self._settings = settings
        self._health = health
        self._lanes = {lane.name: lane for lane in lanes}
        self._wires: list[_Wire] = []
        self._live: _Live | None = None
        self._timeout_s = settings.timeout_ms / 1000
        self._pause_s = _FIRST_PAUSE_S
        self._trouble = ""

    @property
    def alive(self) -> bool:
        """Whether the board answers, was made safe, and takes commands."""
        return self._live is not None

    def barrier(self, lane: str) -> Barrier:
        """The barrier of a lane; raises `ConfigError` if its relay is on another board."""
        relay = self._lanes[lane].barrier
        if relay.board != self._settings.name:
            raise ConfigError(f'lane "{lane}": its barrier is not on board {self._settings.name}')
        return _Relay(self, relay)

    def loops(self, lane: str) -> Loops:
        """Those inputs of a lane that are on this board; told once the board is live."""
        return _Inputs(self, self._lanes[lane])

    async def run(self) -> None:
        """Keep the board live, until cancelled; a pulse that runs then is ended first."""
        try:
            while True:
                self._beat()
                self._report(await self._connection())
                await asyncio.sleep(self._pause_s)
                self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
        finally:
            self._health.forget(self._task_name)

    async def open(self, relay: BarrierSettings, command: BarrierCommand) -> Ack:
        """One pulse of one relay of this board, as `ports.Barrier` has it.

        While a coil pulses, another command for it fails: it would neither get a pulse of its own
        nor may it lengthen that of somebody else.
        """
        if self._live is None:
            return _failed(command, f"relay board {self._settings.name} is not reachable")
        if relay.coil in self._live.pulsing:
            return _failed(command, f"coil {relay.coil} is pulsing already")
        pulse = Pulse(self._live.bus, relay, command, self._timeout_s)
        self._live.pulsing.add(relay.coil)
        task = self._live.pulses.create_task(pulse.run(), name=f"pulse {command.id}")
        pulsing = self._live.pulsing
        task.add_done_callback(lambda _: pulsing.discard(relay.coil))
        return await asyncio.shield(pulse.answer)

    def watch(self, lane: LaneSettings, tell: Callable[[Presence], None]) -> None:
        """Tell a lane's inputs on this board, as `ports.Loops` has it."""
        inputs = {
            Sensor.ARRIVAL: lane.arrival_loop,
            Sensor.SAFETY: lane.safety_loop,
            Sensor.BOOM_UP: lane.boom_up,
        }
        self._wires += [
            _Wire(lane=lane.name, sensor=sensor, input=wire, tell=tell)
            for sensor, wire in inputs.items()
            if wire is not None and wire.board == self._settings.name
        ]

    async def _connection(self) -> BoardError:
        """One connection, from its opening to what ended it."""
        try:
            async with open_bus(self._settings) as bus:
                inputs = await self._make_safe(bus)
                async with asyncio.TaskGroup() as pulses:
                    return await self._stay_live(_Live(bus=bus, pulses=pulses), inputs)
        except BoardError as fault:
            return fault

    async def _make_safe(self, bus: Bus) -> tuple[bool, ...]:
        """Read first, write then: the inputs as they were, and all our coils off."""
        inputs = await self._read_inputs(bus)
        ours = sorted(
            lane.barrier.coil
            for lane in self._lanes.values()
            if lane.barrier.board == self._settings.name
        )
        for coil in ours:
            self._beat()
            await bus.write_coil(coil, False, urgency=Urgency.PULSE, deadline=self._soon())
        if ours:
            coils = await bus.read_coils(
                0, ours[-1] + 1, urgency=Urgency.PULSE, deadline=self._soon()
            )
            stuck = [coil for coil in ours if coils[coil]]
            if stuck:
                raise BoardError(
                    f"relay board {self._settings.name}: coil {stuck[0]} stays on although it was"
                    " switched off: is something else switching it?"
                )
        return inputs

    async def _stay_live(self, live: _Live, inputs: Sequence[bool]) -> BoardError:
        self._live = live
        self._pause_s = _FIRST_PAUSE_S
        self._trouble = ""
        self._health.clear_alarm(ALARM, self._settings.name)
        log.info("board.live", board=self._settings.name)
        try:
            return await self._poll(live.bus, inputs)
        finally:
            self._live = None

    async def _poll(self, bus: Bus, inputs: Sequence[bool]) -> BoardError:
        """Tell the inputs again and again; says why that came to an end."""
        seen = monotonic()
        while True:
            for wire in self._wires:
                wire.see(inputs, seen)
            await bus.lasts(self._settings.poll_ms / 1000)
            self._beat()
            try:
                inputs = await self._read_inputs(bus)
                seen = monotonic()
            except BoardError as fault:
                if not bus.up or monotonic() - seen > _BLIND_S:
                    bus.end(fault)
                    return fault

    async def _read_inputs(self, bus: Bus) -> tuple[bool, ...]:
        return await bus.read_inputs(
            self._settings.inputs, urgency=Urgency.POLL, deadline=self._soon()
        )

    def _report(self, fault: BoardError) -> None:
        self._health.raise_alarm(ALARM, self._settings.name, str(fault))
        if str(fault) != self._trouble:
            self._trouble = str(fault)
            log.warning("board.lost", board=self._settings.name, error=str(fault))

    def _soon(self) -> float:
        return monotonic() + self._timeout_s

    @property
    def _task_name(self) -> str:
        return f"board {self._settings.name}"

    def _beat(self) -> None:
        """At the latest again after a poll, a time limit, or a pause between connections."""
        longest_s = self._settings.poll_ms / 1000 + 2 * self._timeout_s + _LONGEST_PAUSE_S
        self._health.beat(self._task_name, 2 * longest_s)


@dataclass(frozen=True, slots=True)
class _Relay:
    """A `ports.Barrier`."""

    board: RelayBoard
    relay: BarrierSettings

    async def open(self, command: BarrierCommand) -> Ack:
        return await self.board.open(self.relay, command)


@dataclass(frozen=True, slots=True)
class _Inputs:
    """A `ports.Loops`."""

    board: RelayBoard
    lane: LaneSettings

    def watch(self, tell: Callable[[Presence], None]) -> None:
        self.board.watch(self.lane, tell)


def _failed(command: BarrierCommand, why: str) -> Ack:
    return Ack(command=command.id, outcome=Outcome.FAILED, detail=why, at=monotonic())
