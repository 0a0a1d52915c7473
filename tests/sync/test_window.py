"""How much paho is ever handed: its queue is memory, drops the newest when it is full, and was seen
to go out all at once after a reconnection.
"""

from __future__ import annotations

import asyncio
import contextlib
from enum import IntEnum
from typing import TYPE_CHECKING

from gatekeeper.sync.limits import WINDOW

if TYPE_CHECKING:
    from tests.sync.conftest import Gate


class Packet(IntEnum):
    """MQTT 5, 2.1.2."""

    CONNECT = 1
    PUBLISH = 3
    SUBSCRIBE = 8
    PING = 12


class Mute:
    """A broker that acknowledges the greeting and nothing after it. Some time after a window of
    messages has come it hangs up.
    """

    def __init__(self) -> None:
        self.handed: list[int] = []
        """Messages without acknowledgement, for each connection."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = len(self.handed)
        self.handed.append(-1)  # the greeting is acknowledged
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                kind, body = await packet(reader)
                writer.write(self._answer(number, kind, body))
                if kind == Packet.PUBLISH and self.handed[number] == WINDOW:
                    asyncio.get_running_loop().call_later(0.3, writer.close)
        writer.close()

    @property
    def full(self) -> int:
        """How many connections had a whole window handed over."""
        return sum(handed >= WINDOW for handed in self.handed)

    def _answer(self, number: int, kind: int, body: bytes) -> bytes:
        match kind:
            case Packet.CONNECT:
                return bytes((0x20, 3, 0, 0, 0))
            case Packet.SUBSCRIBE:
                topics = body.count(b"gatekeeper/")
                return bytes((0x90, 3 + topics)) + body[:2] + bytes((0, *[1] * topics))
            case Packet.PUBLISH:
                self.handed[number] += 1
                behind_topic = 2 + int.from_bytes(body[:2], "big")
                mid = body[behind_topic : behind_topic + 2]
                return b"" if self.handed[number] else bytes((0x40, 2)) + mid
            case Packet.PING:
                return bytes((0xD0, 0))
            case _:
                return b""


async def packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The kind of an MQTT packet, and what follows its length (MQTT 5, 2.1)."""
    kind = (await reader.readexactly(1))[0] >> 4
    length = place = 0
    while True:
        (byte,) = await reader.readexactly(1)
        length |= (byte & 0x7F) << place
        place += 7
        if byte < 0x80:
            return kind, await reader.readexactly(length)


async def test_however_much_waits_paho_is_handed_a_window_and_no_more_also_after_a_reconnection(
    gate: Gate,
) -> None:
    mute = Mute()
    await gate.happen(200)
    async with await asyncio.start_server(mute.serve, "127.0.0.1", 0) as server:
        gate.start(server.sockets[0].getsockname()[1])
        await gate.until(lambda: mute.full >= 3)
        await gate.stop()
    assert max(mute.handed) == WINDOW
    assert await gate.store.outbox_depth() == 200
