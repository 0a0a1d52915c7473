"""A relay board with the barriers and loops of some lanes: reached, made safe, kept polled.

Commands come in, acks and changes of inputs go out. Nothing opens before all inputs were read and
all relays of our lanes were brought to where they belong and read back, after each connection.
A board that cannot be reached is an alarm, and answers commands `failed` at once; the others on its
line go on.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from gatekeeper.backoff import Backoff
from gatekeeper.clock import monotonic
from gatekeeper.config import (
    BarrierSettings,
    BoardSettings,
    InputSettings,
    LaneSettings,
    UnusableProfile,
)
from gatekeeper.drivers.bus import Bus
from gatekeeper.drivers.device import Device, open_device
from gatekeeper.drivers.inputs import Inputs, Tell
from gatekeeper.drivers.ports import Barrier, Loops
from gatekeeper.drivers.relay import ANSWER_S
from gatekeeper.drivers.relays import SAFE_S, Relays
from gatekeeper.drivers.session import Urgency
from gatekeeper.errors import BoardError, ConfigError
from gatekeeper.health import Health
from gatekeeper.model import Ack, BarrierCommand, Sensor
from gatekeeper.parts import Parts

log = structlog.get_logger(__name__)

ALARM = "relay_unreachable"
"""The alarm of a board that is not live; its subject is the board's name."""

_RETRY = Backoff(first_s=0.1, last_s=3.0)
"""Between two attempts: a silent board costs the others on its line little, and one that has come
back works again within 5 s."""

_BLIND_S = 1.5
"""A board that answers, but tells no inputs for so long, is as bad as a silent one."""


class RelayBoard:
    """One board; `lanes` are those of the whole controller, wired to this board or not.

    `bus` is that of its line, if other boards stand there too.
    """

    def __init__(
        self,
        settings: BoardSettings,
        lanes: Sequence[LaneSettings],
        health: Health,
        bus: Bus | None = None,
    ) -> None:
        self._settings = settings
        self._health = health
        self._lanes = {lane.name: lane for lane in lanes}
        self._bus = bus or Bus(settings.line)
        self._inputs = Inputs()
        self._relays = Relays(settings, lanes, health)
        self._pause_s = _RETRY.first_s
        self._trouble = ""

    @property
    def alive(self) -> bool:
        """Whether the board answers, was made safe, and takes commands."""
        return self._relays.alive

    def barrier(self, lane: str) -> Barrier:
        """The barrier of a lane; raises `ConfigError` if its relay is on another board."""
        relay = self._lanes[lane].barrier
        if relay.board != self._settings.name:
            raise ConfigError(f'lane "{lane}": its barrier is not on board {self._settings.name}')
        return _Barrier(self._relays, relay)

    def loops(self, lane: str) -> Loops:
        """Those inputs of a lane that are on this board; told once the board is live."""
        return _Loops(self, self._lanes[lane])

    def watch(self, lane: str, sensor: Sensor, wire: InputSettings, tell: Tell) -> None:
        """From now on tell one input of this board, under this name: at first as it is, then each
        change. `tell` must not block. Raises `ConfigError` if it is on another board.
        """
        if wire.board != self._settings.name:
            raise ConfigError(f"{lane}: its {sensor} is not on board {self._settings.name}")
        self._inputs.watch(lane, sensor, wire, tell)

    def watch_lane(self, lane: LaneSettings, tell: Tell) -> None:
        """Tell those inputs of a lane that are on this board, as `ports.Loops` has it."""
        for key, wire in lane.inputs.items():
            if wire.board == self._settings.name:
                self.watch(lane.name, Sensor(key.removesuffix("_loop")), wire, tell)

    async def run(self) -> None:
        """Keep the board live, until cancelled; a pulse that runs then is ended first."""
        try:
            while True:
                self._beat()
                self._report(await self._session())
                await asyncio.sleep(self._pause_s)
                await self._bus.let_openings_pass()
                self._pause_s = _RETRY.after(self._pause_s)
        finally:
            self._health.forget(self._task_name)

    async def _session(self) -> BoardError:
        """From the first request to what ended it."""
        if isinstance(self._settings.profile, UnusableProfile):
            return BoardError(f"relay board {self._settings.name}: {self._settings.profile.fault}")
        try:
            async with open_device(self._bus, self._settings) as device:
                inputs = await self._read_inputs(device)
                await self._relays.make_safe(device)
                async with Parts() as parts:
                    self._relays.go_live(device, parts)
                    return await self._stay_live(device, inputs)
        except BoardError as fault:
            return fault

    async def _stay_live(self, device: Device, inputs: Sequence[bool]) -> BoardError:
        self._pause_s = _RETRY.first_s
        self._trouble = ""
        self._health.clear_alarm(ALARM, self._settings.name)
        log.info("board.live", board=self._settings.name)
        try:
            return await self._poll(device, inputs)
        finally:
            self._relays.go_down()

    async def _poll(self, device: Device, inputs: Sequence[bool]) -> BoardError:
        """Tell the inputs again and again; says why that came to an end."""
        seen = monotonic()
        while True:
            if self._inputs.see(inputs, seen):
                self._bus.expect_opening()
            self._relays.see(inputs, seen)
            await device.lasts(self._settings.poll_ms / 1000)
            self._beat()
            try:
                inputs = await self._read_inputs(device)
                seen = monotonic()
            except BoardError as fault:
                if not device.up or monotonic() - seen > _BLIND_S:
                    device.end(fault)
                    return fault

    async def _read_inputs(self, device: Device) -> tuple[bool, ...]:
        return await device.read_inputs(urgency=Urgency.POLL, deadline=monotonic() + ANSWER_S)

    def _report(self, fault: BoardError) -> None:
        self._health.raise_alarm(ALARM, self._settings.name, str(fault))
        if str(fault) != self._trouble:
            self._trouble = str(fault)
            log.warning("board.lost", board=self._settings.name, error=str(fault))

    @property
    def _task_name(self) -> str:
        return f"board {self._settings.name}"

    def _beat(self) -> None:
        """At the latest again after a poll, or a pause and what begins a session."""
        self._health.beat(self._task_name, 2 * (ANSWER_S + SAFE_S + _RETRY.last_s))


@dataclass(frozen=True, slots=True)
class _Barrier:
    """A `ports.Barrier`."""

    relays: Relays
    relay: BarrierSettings

    async def open(self, command: BarrierCommand) -> Ack:
        return await self.relays.open(self.relay, command)

    async def hold(self, command: BarrierCommand) -> Ack:
        return await self.relays.hold(self.relay, command)

    async def release(self, command: BarrierCommand) -> Ack:
        return await self.relays.release(self.relay, command)

    async def close(self, command: BarrierCommand) -> Ack:
        return await self.relays.close(self.relay, command)


@dataclass(frozen=True, slots=True)
class _Loops:
    """A `ports.Loops`."""

    board: RelayBoard
    lane: LaneSettings

    def watch(self, tell: Tell) -> None:
        self.board.watch_lane(self.lane, tell)
