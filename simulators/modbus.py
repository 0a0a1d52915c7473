"""Modbus TCP: the devices of one line behind one port, as behind a gateway.

A unit that is not there gets no answer, as on a real line.
"""

import asyncio
import struct
from collections.abc import Callable, Sequence
from functools import partial
from typing import cast

from simulators.device import Device, Fault, ask

__all__ = ["Fault", "ModbusServer", "TcpLine"]

_LONGEST = 254  # unit and PDU: the length field's greatest value


class TcpLine:
    """The port, and its connections."""

    def __init__(self, devices: Sequence[Device]) -> None:
        self.devices = devices
        self._listener: asyncio.Server | None = None
        self._links: set[_Link] = set()

    async def listen(self, host: str, port: int) -> int:
        """Begin to listen; says on which port (0 picks one). Raises `OSError`."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(
            lambda: _Link(self.devices, self._links, lambda: self._listener is not None),
            host,
            port,
        )
        return int(self._listener.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Stop listening and drop all connections; `listen` may follow."""
        if self._listener is not None:
            self._listener.close()
            # A connection that was accepted in this moment would fail an assertion of asyncio's and
            # stay open (Server._attach of Python 3.11); so it is made, and dropped.
            self._listener._sockets = []  # type: ignore[attr-defined]
            self._listener = None
        self.drop()

    def drop(self) -> None:
        """Drop all connections, and go on listening."""
        for link in tuple(self._links):
            link.drop()


class ModbusServer(Device):
    """A plain board with a port of its own."""

    def __init__(
        self, *, unit: int, coils: int, inputs: int, wrote: Callable[[int, bool], None]
    ) -> None:
        super().__init__(unit=unit, coils=coils, inputs=inputs, wrote=wrote)
        self._line = TcpLine([self])

    async def listen(self, host: str, port: int) -> int:
        """As `TcpLine.listen`."""
        return await self._line.listen(host, port)

    def close(self) -> None:
        """As `TcpLine.close`."""
        self._line.close()

    def drop(self) -> None:
        """As `TcpLine.drop`."""
        self._line.drop()


class _Link(asyncio.Protocol):
    """One connection: cuts the stream into requests."""

    def __init__(
        self, devices: Sequence[Device], links: set["_Link"], listens: Callable[[], bool]
    ) -> None:
        """`listens` is whether the line still does: one that was accepted last is not served."""
        self._devices = devices
        self._links = links
        self._listens = listens
        self._heard = b""
        self._transport: asyncio.Transport | None = None
        self._counted = 0x4000

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._links.add(self)
        if not self._listens():
            self.drop()

    def connection_lost(self, exc: Exception | None) -> None:
        self._links.discard(self)
        self._transport = None

    def drop(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._heard += data
        while len(self._heard) >= 7:
            ticket, protocol, length, unit = struct.unpack(">HHHB", self._heard[:7])
            if protocol != 0 or not 2 <= length <= _LONGEST:
                return self.drop()  # not Modbus: nothing after this can be trusted
            if len(self._heard) < 6 + length:
                return None
            request, self._heard = self._heard[7 : 6 + length], self._heard[6 + length :]
            if self._has(Fault.MISCOUNTED):
                ticket = self._counted = self._counted + 1
            ask(self._devices, unit, request, partial(_framed, ticket, unit), self._send)
        return None

    def _has(self, fault: Fault) -> bool:
        return any(device.fault is fault for device in self._devices)

    def _send(self, frame: bytes) -> None:
        if self._transport is not None:
            self._transport.write(frame)
            if self._has(Fault.CLOSING):
                self._transport.close()


def _framed(ticket: int, unit: int, pdu: bytes) -> bytes:
    return struct.pack(">HHHB", ticket, 0, len(pdu) + 1, unit) + pdu
