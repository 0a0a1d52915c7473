"""What pymodbus would do by itself, and does not do here; real connections at both ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from pymodbus.client import AsyncModbusTcpClient

from gatekeeper.config import BoardSettings
from gatekeeper.drivers.line import Line

LIMIT_S = 30

LONG_ENOUGH_S = 0.5
"""pymodbus connects again after 0.1 s unless it is told otherwise."""


class Listener:
    """Counts who connects, and hangs up on everybody at once."""

    def __init__(self) -> None:
        self.port = 0
        self.connected = 0

    async def serve(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connected += 1
        writer.close()

    async def heard_of(self, times: int) -> None:
        async with asyncio.timeout(LIMIT_S):
            while self.connected < times:  # noqa: ASYNC110 - it sets no event
                await asyncio.sleep(0.01)


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    listener = Listener()
    async with await asyncio.start_server(listener.serve, "127.0.0.1", 0) as server:
        listener.port = server.sockets[0].getsockname()[1]
        yield listener


async def test_it_connects_again_by_itself_unless_told_otherwise(listener: Listener) -> None:
    """Else the next test would prove nothing."""
    client = AsyncModbusTcpClient("127.0.0.1", port=listener.port)
    with suppress(OSError):
        await client.connect()
    await listener.heard_of(2)
    client.close()


@pytest.mark.parametrize("scheme", ["tcp", "rtu+tcp"])
async def test_a_lost_connection_is_not_made_again_behind_our_back(
    listener: Listener, scheme: str
) -> None:
    settings = BoardSettings(name="gate", address=f"{scheme}://127.0.0.1:{listener.port}")
    line = await Line.connect(settings.line)
    async with asyncio.timeout(LIMIT_S):
        while not line.lost:  # noqa: ASYNC110 - it sets no event
            await asyncio.sleep(0.01)
    await asyncio.sleep(LONG_ENOUGH_S)
    assert listener.connected == 1
    line.cut()
