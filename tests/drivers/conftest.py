"""A relay board under test, and the simulated one at the other end of the wire."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from gatekeeper.clock import SystemClock, monotonic
from gatekeeper.config import BoardSettings, LaneSettings
from gatekeeper.drivers.board import RelayBoard
from gatekeeper.drivers.ports import Barrier
from gatekeeper.health import Health
from gatekeeper.model import (
    Ack,
    AlarmCleared,
    AlarmRaised,
    BarrierCommand,
    Presence,
    Reason,
    Sensor,
)
from simulators.modbus import ModbusServer

POLL_MS = 10


class Server(ModbusServer):
    """What the board heard; `instead` may answer in its place, or keep silent."""

    def __init__(self) -> None:
        super().__init__(unit=1, coils=8, inputs=8, wrote=lambda coil, on: None)
        self.heard: list[bytes] = []
        self.moved = asyncio.Event()
        self.instead: Callable[[bytes], bytes | None] | None = None
        self.port = 0

    def answer(self, request: bytes) -> bytes | None:
        self.heard.append(request)
        self.moved.set()
        return super().answer(request) if self.instead is None else self.instead(request)

    def honest(self, request: bytes) -> bytes | None:
        return super().answer(request)

    @property
    def writes(self) -> list[bytes]:
        return [request for request in self.heard if request[0] == 5]

    async def plug(self) -> None:
        self.port = await self.listen("127.0.0.1", self.port)


class Bench:
    """A board under test, running, and all that was seen of it."""

    def __init__(
        self, server: Server, lanes: Sequence[LaneSettings], timeout_ms: int = 1000
    ) -> None:
        self.server = server
        self.news: list[AlarmRaised | AlarmCleared] = []
        self.told: list[tuple[str, Sensor, bool]] = []
        self.clock = SystemClock()
        self.health = Health(self.clock)
        self.health.watch(self._hear)
        settings = BoardSettings(
            name="gate",
            address=f"tcp://127.0.0.1:{server.port}",
            poll_ms=POLL_MS,
            timeout_ms=timeout_ms,
        )
        self.board = RelayBoard(settings, lanes, self.health)
        self.task = asyncio.create_task(self.board.run())

    def watch(self, name: str) -> None:
        self.board.loops(name).watch(self._see)

    async def until(self, what: Callable[[], object]) -> None:
        async with asyncio.timeout(30):
            while not what():
                self.server.moved.clear()
                await self.server.moved.wait()

    async def live(self) -> None:
        await self.until(lambda: self.board.alive)

    def barrier(self, name: str = "entry") -> Barrier:
        return self.board.barrier(name)

    async def open(self, name: str = "entry", within_s: float = 2.0) -> Ack:
        return await self.barrier(name).open(command(name, within_s))

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    def _hear(self, news: AlarmRaised | AlarmCleared) -> None:
        self.news.append(news)
        self.server.moved.set()

    def _see(self, presence: Presence) -> None:
        self.told.append((presence.lane, presence.sensor, presence.on))
        self.server.moved.set()


def command(name: str, within_s: float = 2.0) -> BarrierCommand:
    return BarrierCommand(
        id="c1",
        lane=name,
        passage=None,
        reason=Reason.VISITOR,
        deadline=monotonic() + within_s,
    )


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    await server.plug()
    yield server
    server.close()


@pytest.fixture
async def bench_of(server: Server) -> AsyncIterator[Callable[[Sequence[LaneSettings]], Bench]]:
    """Builds a board with these lanes, which is stopped at the end."""
    benches: list[Bench] = []

    def build(lanes: Sequence[LaneSettings]) -> Bench:
        benches.append(Bench(server, lanes))
        return benches[-1]

    yield build
    for bench in benches:
        await bench.stop()


@pytest.fixture(scope="session")
def build_alone() -> Callable[[Sequence[LaneSettings]], AbstractAsyncContextManager[Bench]]:
    """For tests that have a loop for each of their examples: a board with these lanes."""

    @asynccontextmanager
    async def build(lanes: Sequence[LaneSettings]) -> AsyncIterator[Bench]:
        server = Server()
        await server.plug()
        bench = Bench(server, lanes, timeout_ms=150)
        yield bench
        await bench.stop()
        server.close()
        await asyncio.sleep(0.02)  # a connection that was accepted last is made, and dropped

    return build
