"""A small Modbus TCP server: coils and discrete inputs of one unit, faults included.

Bytes come in, bytes go out, and each coil written is told; it knows nothing of barriers.
Function codes 01, 02, 05 and 0F; errors as in the Modbus Application Protocol V1.1b3: 01 for
another function, 03 for a wrong count or value, 02 for an address that is not there. Another
unit gets no answer, as behind a real gateway.
"""

import asyncio
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

_ILLEGAL_FUNCTION, _ILLEGAL_ADDRESS, _ILLEGAL_VALUE, _DEVICE_FAILURE = 1, 2, 3, 4
_READ_COILS = 0x01
_MOST_READ, _MOST_WRITTEN = 2000, 1968  # V1.1b3, 6.1 and 6.11
_LONGEST = 254  # unit and PDU: the length field's greatest value


class Fault(StrEnum):
    """What is wrong with the board."""

    NONE = "none"
    SILENT = "silent"
    """It hears nothing: no request is done, none is answered."""
    EXCEPTION = "exception"
    """Each request is answered with exception 4, and not done."""
    WRONG_ECHO = "wrong_echo"
    """A write is done, but its echo names the coil after it."""
    LATE = "late"
    """Each request is done at once and answered late."""
    REFUSE = "refuse"
    """Nothing listens, and all connections are dropped."""


@dataclass(slots=True)
class _RefusalError(Exception):
    code: int


class ModbusServer:
    """The board's end of the wire; `wrote(coil, on)` is told each coil of each write.

    `coils` and `inputs` are the truth; whoever owns the server may set inputs at any time.
    """

    def __init__(
        self, *, unit: int, coils: int, inputs: int, wrote: Callable[[int, bool], None]
    ) -> None:
        self.coils = [False] * coils
        self.inputs = [False] * inputs
        self.unit = unit
        self.fault = Fault.NONE
        self.late_s = 0.0
        self._wrote = wrote
        self._listener: asyncio.Server | None = None
        self._links: set[_Link] = set()

    async def listen(self, host: str, port: int) -> int:
        """Begin to listen; says on which port (0 picks one). Raises `OSError`."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(lambda: _Link(self, self._links), host, port)
        return int(self._listener.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Stop listening and drop all connections; `listen` may follow."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for link in tuple(self._links):
            link.drop()

    def answer(self, request: bytes) -> bytes | None:
        """The answering PDU to one request PDU, or None where the board stays silent."""
        if self.fault is Fault.SILENT:
            return None
        try:
            if self.fault is Fault.EXCEPTION:
                raise _RefusalError(_DEVICE_FAILURE)
            return self._done(request[0], request[1:])
        except _RefusalError as refusal:
            return bytes((request[0] | 0x80, refusal.code))

    def _done(self, function: int, body: bytes) -> bytes:
        match function:
            case 0x01 | 0x02:
                return bytes((function,)) + self._read(function, body)
            case 0x05:
                return bytes((function,)) + self._write_one(body)
            case 0x0F:
                return bytes((function,)) + self._write_many(body)
            case _:
                raise _RefusalError(_ILLEGAL_FUNCTION)

    def _read(self, function: int, body: bytes) -> bytes:
        bits = self.coils if function == _READ_COILS else self.inputs
        if len(body) != 4:
            raise _RefusalError(_ILLEGAL_VALUE)
        first, count = struct.unpack(">HH", body)
        if not 1 <= count <= _MOST_READ:
            raise _RefusalError(_ILLEGAL_VALUE)
        _check(first, count, bits)
        packed = _packed(bits[first : first + count])
        return bytes((len(packed),)) + packed

    def _write_one(self, body: bytes) -> bytes:
        if len(body) != 4:
            raise _RefusalError(_ILLEGAL_VALUE)
        coil, value = struct.unpack(">HH", body)
        if value not in (0x0000, 0xFF00):
            raise _RefusalError(_ILLEGAL_VALUE)
        _check(coil, 1, self.coils)
        self._set(coil, value != 0)
        return struct.pack(">HH", coil + (self.fault is Fault.WRONG_ECHO), value)

    def _write_many(self, body: bytes) -> bytes:
        if len(body) < 5:
            raise _RefusalError(_ILLEGAL_VALUE)
        first, count, size = struct.unpack(">HHB", body[:5])
        if not 1 <= count <= _MOST_WRITTEN or not size == len(body) - 5 == (count + 7) // 8:
            raise _RefusalError(_ILLEGAL_VALUE)
        _check(first, count, self.coils)
        for at in range(count):
            self._set(first + at, bool(body[5 + at // 8] >> at % 8 & 1))
        return struct.pack(">HH", first + (self.fault is Fault.WRONG_ECHO), count)

    def _set(self, coil: int, on: bool) -> None:
        self.coils[coil] = on
        self._wrote(coil, on)


class _Link(asyncio.Protocol):
    """One connection: cuts the stream into requests."""

    def __init__(self, server: ModbusServer, links: set["_Link"]) -> None:
        self._server = server
        self._links = links
        self._heard = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._links.add(self)

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
            if unit == self._server.unit:
                self._reply(ticket, request)
        return None

    def _reply(self, ticket: int, request: bytes) -> None:
        pdu = self._server.answer(request)
        if pdu is None:
            return
        frame = struct.pack(">HHHB", ticket, 0, len(pdu) + 1, self._server.unit) + pdu
        if self._server.fault is Fault.LATE:
            asyncio.get_running_loop().call_later(self._server.late_s, self._send, frame)
        else:
            self._send(frame)

    def _send(self, frame: bytes) -> None:
        if self._transport is not None:
            self._transport.write(frame)


def _check(first: int, count: int, bits: list[bool]) -> None:
    if first + count > len(bits):
        raise _RefusalError(_ILLEGAL_ADDRESS)


def _packed(bits: list[bool]) -> bytes:
    """Eight bits a byte, the first in the lowest place."""
    return bytes(
        sum(on << place for place, on in enumerate(bits[at : at + 8]))
        for at in range(0, len(bits), 8)
    )
