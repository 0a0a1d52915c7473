"""What every relay board has to do, whatever its profile: simulated ones, or the one on a bench.

    pytest tests/drivers --board tcp://192.0.2.7 --profile waveshare8 [--unit 1] [--coil 0]

Nothing but that one relay is switched. Tests that need a fault are skipped on a bench.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import pytest

from gatekeeper.clock import SystemClock, monotonic
from gatekeeper.config import (
    BarrierSettings,
    BoardSettings,
    InputSettings,
    LaneSettings,
    profile_names,
)
from gatekeeper.drivers.board import ALARM, RelayBoard
from gatekeeper.drivers.bus import Bus
from gatekeeper.drivers.device import Device, open_device
from gatekeeper.drivers.session import Urgency
from gatekeeper.health import Health
from gatekeeper.model import BarrierCommand, Direction, Outcome, Presence, Reason
from simulators import device as simulated
from simulators.kinds import KINDS
from simulators.modbus import TcpLine
from simulators.rtu import SerialLine

LIMIT_S = 30

KINDS_OF_LINE = [
    *(("tcp", name) for name in profile_names()),
    ("serial", "plain"),
    ("serial", "waveshare8"),
]


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not what():  # noqa: ASYNC110 - a relay on a bench rings no bell
            await asyncio.sleep(0.01)


@dataclass
class Target:
    """A board, and what it really is where it is simulated."""

    settings: BoardSettings
    coil: int
    moved: list[bool]
    device: simulated.Device | None = None

    @property
    def pulse_ms(self) -> int:
        """A length that the board can give."""
        pulse = self.settings.profile.pulse
        return getattr(pulse, "lasts_ms", 2000)

    def lane(self) -> LaneSettings:
        return LaneSettings(
            name="entry",
            zone="inner",
            direction=Direction.ENTRY,
            barrier=BarrierSettings(board="bench", coil=self.coil, pulse_ms=self.pulse_ms),
            arrival_loop=InputSettings(board="bench", input=0),
        )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "target" in metafunc.fixturenames:
        address = metafunc.config.getoption("--board")
        kinds = [("bench", "bench")] if address else KINDS_OF_LINE
        metafunc.parametrize("kind", kinds, ids="-".join)


@asynccontextmanager
async def plugged(wire: str, device: simulated.Device) -> AsyncIterator[str]:
    """A line with one simulated board, and its address."""
    line = SerialLine([device], None, None) if wire == "serial" else TcpLine([device])
    try:
        if isinstance(line, SerialLine):
            yield f"serial://{line.plug()}"
        else:
            yield f"tcp://127.0.0.1:{await line.listen('127.0.0.1', 0)}"
    finally:
        line.unplug() if isinstance(line, SerialLine) else line.close()
        device.stop()


@asynccontextmanager
async def simulation(wire: str, profile: str, kind: str = "") -> AsyncIterator[Target]:
    """A board of this kind, which is that of the profile unless somebody took it for another."""
    target = Target(BoardSettings(name="bench", address="tcp://x", profile=profile), 1, [])
    target.device = KINDS[kind or profile.rstrip("0123456789")](
        unit=1,
        coils=target.settings.coils,
        inputs=max(1, target.settings.inputs),
        wrote=lambda coil, on: target.moved.append(on) if coil == target.coil else None,
    )
    async with plugged(wire, target.device) as address:
        board = BoardSettings(name="bench", address=address, profile=profile, poll_ms=10)
        target.settings = board.model_copy(update={"timeout_ms": 1000 * LIMIT_S})
        yield target


@pytest.fixture
async def target(kind: tuple[str, str], request: pytest.FixtureRequest) -> AsyncIterator[Target]:
    if kind[0] != "bench":
        async with simulation(*kind) as target:
            yield target
        return
    option = request.config.getoption
    settings = BoardSettings(
        name="bench",
        address=option("--board"),
        profile=option("--profile"),
        unit=option("--unit"),
    )
    yield Target(settings, option("--coil"), [])


@pytest.fixture
def simulated_board(
    request: pytest.FixtureRequest,
) -> Callable[..., AbstractAsyncContextManager[Target]]:
    if request.config.getoption("--board"):
        pytest.skip("needs a fault")
    return simulation


def soon() -> float:
    return monotonic() + 5


async def state_of(device: Device, coil: int) -> bool:
    (on,) = await device.read_coils(coil, 1, urgency=Urgency.POLL, deadline=soon())
    return on


async def falls(device: Device, coil: int) -> None:
    async with asyncio.timeout(LIMIT_S):
        while await state_of(device, coil):  # noqa: ASYNC110 - it has to be asked
            await asyncio.sleep(0.02)


async def test_all_inputs_and_relays_can_be_read(target: Target) -> None:
    async with open_device(Bus(target.settings.line), target.settings) as device:
        inputs = await device.read_inputs(urgency=Urgency.POLL, deadline=soon())
        coils = await device.read_coils(
            0, target.settings.coils, urgency=Urgency.POLL, deadline=soon()
        )
    assert len(inputs) == target.settings.inputs
    assert len(coils) == target.settings.coils


async def test_a_relay_switches_on_and_off_and_reads_back(target: Target) -> None:
    async with open_device(Bus(target.settings.line), target.settings) as device:
        for on in (True, False):
            await device.write_coil(target.coil, on, urgency=Urgency.OPEN, deadline=soon())
            assert await state_of(device, target.coil) is on


async def test_a_pulse_is_on_and_ends_by_itself_where_the_board_times_it(target: Target) -> None:
    async with open_device(Bus(target.settings.line), target.settings) as device:
        await device.pulse(target.coil, target.pulse_ms, urgency=Urgency.OPEN, deadline=soon())
        assert await state_of(device, target.coil)
        if not device.times_pulses:
            await device.write_coil(target.coil, False, urgency=Urgency.OPEN, deadline=soon())
        await falls(device, target.coil)


class Bench:
    """The whole board, as a lane sees it."""

    def __init__(self, target: Target) -> None:
        self.health = Health(SystemClock())
        self.board = RelayBoard(target.settings, [target.lane()], self.health)
        self.barrier = self.board.barrier("entry")
        self.seen: asyncio.Queue[Presence] = asyncio.Queue()
        if target.settings.inputs:
            self.board.loops("entry").watch(self.seen.put_nowait)
        self.task = asyncio.create_task(self.board.run())

    async def until_alive(self, alive: bool = True) -> None:
        await until(lambda: self.board.alive is alive)

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@pytest.fixture
async def bench(target: Target) -> AsyncIterator[Bench]:
    bench = Bench(target)
    await bench.until_alive()
    yield bench
    await bench.stop()


def command() -> BarrierCommand:
    return BarrierCommand(
        id="c1", lane="entry", passage=None, reason=Reason.VISITOR, deadline=monotonic() + 10
    )


async def test_a_barrier_gets_one_pulse_that_reads_back(target: Target, bench: Bench) -> None:
    target.moved.clear()
    ack = await bench.barrier.open(command())
    assert ack.outcome is Outcome.DONE, ack.detail
    await bench.stop()
    if target.device is not None:
        assert target.moved == [True, False]


async def test_a_hold_lasts_until_it_is_released(target: Target, bench: Bench) -> None:
    ack = await bench.barrier.hold(command())
    assert ack.outcome is Outcome.DONE, ack.detail
    assert (await bench.barrier.open(command())).detail == "held open already"
    ack = await bench.barrier.release(command())
    assert ack.outcome is Outcome.DONE, ack.detail
    if target.device is not None:
        assert not target.device.coils[target.coil]


async def test_a_hold_within_a_pulse_is_on_after_it(target: Target, bench: Bench) -> None:
    await bench.barrier.open(command())
    await bench.barrier.hold(command())
    await asyncio.sleep(target.pulse_ms / 1000)
    assert (await bench.barrier.hold(command())).outcome is Outcome.DONE
    if target.device is not None:
        assert target.device.coils[target.coil]
    await bench.barrier.release(command())


async def test_the_inputs_are_told(target: Target, bench: Bench) -> None:
    if target.settings.inputs == 0:
        pytest.skip("a board without inputs")
    async with asyncio.timeout(LIMIT_S):
        first = await bench.seen.get()
        if target.device is not None:
            target.device.inputs[0] = not first.on
            assert (await bench.seen.get()).on is not first.on


@pytest.mark.parametrize(
    "fault", [simulated.Fault.SILENT, simulated.Fault.DROPPED, simulated.Fault.EXCEPTION]
)
@pytest.mark.parametrize("wire", ["tcp", "serial"])
async def test_a_board_that_fails_is_an_alarm_and_comes_back(
    simulated_board: Callable[..., AbstractAsyncContextManager[Target]],
    wire: str,
    fault: simulated.Fault,
) -> None:
    async with simulated_board(wire, "plain") as target:
        target.settings = target.settings.model_copy(update={"timeout_ms": 300})
        bench = Bench(target)
        await bench.until_alive()
        assert target.device is not None
        target.device.fault = fault
        await until(lambda: bench.health.stands(ALARM, "bench"))
        target.device.fault = simulated.Fault.NONE
        async with asyncio.timeout(LIMIT_S):
            while (await bench.barrier.open(command())).outcome is not Outcome.DONE:
                await bench.until_alive()
        await bench.stop()


async def test_a_board_that_takes_the_words_of_a_pulse_the_other_way_round_is_not_left_on(
    simulated_board: Callable[..., AbstractAsyncContextManager[Target]],
) -> None:
    """It goes off for the time of the pulse, and on by itself at its end."""
    async with simulated_board("tcp", "lc8", "juying") as target:
        bench = Bench(target)
        await bench.until_alive()
        target.moved.clear()
        await bench.barrier.open(command())
        await until(lambda: target.moved == [False, True, False])
        await bench.stop()
