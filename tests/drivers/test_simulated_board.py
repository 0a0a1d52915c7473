"""The relay board, the simulated one over the wire, and a barrier that moves."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator

import pytest

from gatekeeper.clock import SystemClock, monotonic
from gatekeeper.config import BarrierSettings, BoardSettings, InputSettings, LaneSettings
from gatekeeper.drivers.board import RelayBoard
from gatekeeper.health import Health
from gatekeeper.model import BarrierCommand, Direction, Outcome, Presence, Reason, Sensor

LANE = LaneSettings(
    name="entry",
    zone="inner",
    direction=Direction.ENTRY,
    barrier=BarrierSettings(board="gate", coil=0, pulse_ms=300),
    arrival_loop=InputSettings(board="gate", input=0),
    safety_loop=InputSettings(board="gate", input=1),
    boom_up=InputSettings(board="gate", input=2),
)


class Simulator:
    """`python -m simulators.board` at the other end of two pipes."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self.port = port

    async def tell(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n".encode())
        await self._process.stdin.drain()


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "simulators.board", "--port", "0", "--speed", "20"),
        *("--lane", "entry:coil=0,arrival=0,safety=1,boom_up=2"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    first = json.loads(await process.stdout.readline())
    drain = asyncio.create_task(process.stdout.read())
    yield Simulator(process, first["port"])
    assert process.stdin is not None
    process.stdin.close()
    await drain
    await process.wait()


async def test_a_car_arrives_is_let_in_and_drives_through(simulator: Simulator) -> None:
    settings = BoardSettings(name="gate", address=f"tcp://127.0.0.1:{simulator.port}", poll_ms=10)
    board = RelayBoard(settings, [LANE], Health(SystemClock()))
    seen: asyncio.Queue[Presence] = asyncio.Queue()
    board.loops("entry").watch(seen.put_nowait)
    running = asyncio.create_task(board.run())
    async with asyncio.timeout(60):
        assert {(await seen.get()).on for _ in range(3)} == {False}
        await simulator.tell("arrive entry")
        arrived = await seen.get()
        command = BarrierCommand(
            id="c1", lane="entry", passage=None, reason=Reason.VISITOR, deadline=monotonic() + 30
        )
        ack = await board.barrier("entry").open(command)
        await simulator.tell("cross entry")
        met = {((news := await seen.get()).sensor, news.on) for _ in range(5)}
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert (arrived.sensor, arrived.on) == (Sensor.ARRIVAL, True)
    assert ack.outcome is Outcome.DONE
    assert met == {
        (Sensor.BOOM_UP, True),
        (Sensor.SAFETY, True),
        (Sensor.ARRIVAL, False),
        (Sensor.SAFETY, False),
        (Sensor.BOOM_UP, False),
    }
