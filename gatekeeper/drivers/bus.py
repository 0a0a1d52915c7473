"""One Modbus TCP connection, and the one task that owns it.

Requests come in with an urgency and a deadline; answers go out, each compared with what was asked.
It never sends a request twice, never after its deadline, and never believes a connection again
on which anything went wrong: the first fault ends the bus, and its owner opens a new one, so that
a late answer can fit no later request.
"""

import asyncio
import itertools
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import IntEnum

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import (
    ReadCoilsRequest,
    ReadDiscreteInputsRequest,
    WriteSingleCoilRequest,
)

from gatekeeper.clock import monotonic
from gatekeeper.config import BoardSettings
from gatekeeper.errors import BoardError

_MAY_STILL_HAPPEN = frozenset((0x05, 0x0B))
"""Exception codes that do not say "not done" (Modbus Application Protocol V1.1b3, 7): 05, the
board is still at it; 0B, a gateway passed the request on and heard nothing."""

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""struct linger, on with 0 s: what the kernel still holds is thrown away with the connection.
Without it a pulse written into a dead cable is sent again for minutes, and arrives when the cable
is back; also after this process was killed."""


class NotSentError(BoardError):
    """The request was never written: it can have moved nothing."""


class RefusedError(BoardError):
    """The board answered with a Modbus exception; the connection is sound.

    `undone` is whether the exception says that the request was not carried out.
    """

    def __init__(self, text: str, *, undone: bool) -> None:
        super().__init__(text)
        self.undone = undone


class Urgency(IntEnum):
    """Who goes first when several requests wait; equals go in the order they came."""

    OPEN = 0
    PULSE = 1
    POLL = 2


@dataclass(frozen=True, slots=True, order=True)
class _Request:
    urgency: Urgency
    number: int
    deadline: float = field(compare=False)
    what: str = field(compare=False)
    pdu: ModbusPDU = field(compare=False)
    answer: asyncio.Future[ModbusPDU] = field(compare=False)

    def fail(self, error: BoardError) -> None:
        """Answer with an error, unless nobody waits any more."""
        if not self.answer.done():
            self.answer.set_exception(error)


@asynccontextmanager
async def open_bus(settings: BoardSettings) -> AsyncIterator["Bus"]:
    """A connection to the board for as long as the context lasts. It is made while the first
    request waits, which fails if the board cannot be reached within its time limit.
    """
    bus = Bus(settings)
    owner = asyncio.create_task(bus.serve(), name=f"bus {settings.name}")
    try:
        yield bus
    finally:
        # Down before it is cancelled: pymodbus waits with asyncio.wait_for, which on Python 3.11
        # swallows a cancellation that comes together with the answer (cpython #86296).
        bus.end(_error(settings, "the connection was closed"))
        owner.cancel()
        with suppress(asyncio.CancelledError):
            await owner


class Bus:
    """The requests a relay board understands; made by `open_bus`.

    All of them raise `NotSentError`, `RefusedError`, or a plain `BoardError`, after which the bus
    is down and nobody knows whether the request was carried out. `deadline` is a moment on the
    boot clock: the request is written before it, and answered before it, or it has failed.
    """

    def __init__(self, settings: BoardSettings) -> None:
        self._settings = settings
        self._numbers = itertools.count()
        # Room for every coil's pulse and a few reads. Nothing is dropped: who finds it full is
        # refused at once.
        self._queue: asyncio.PriorityQueue[_Request] = asyncio.PriorityQueue(settings.coils + 8)
        self._fault: BoardError | None = None
        self._down = asyncio.Event()

    @property
    def up(self) -> bool:
        """Whether requests are still sent."""
        return self._fault is None

    async def lasts(self, seconds: float) -> bool:
        """Wait so long, or until the bus is down if that comes first; whether it is still up."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._down.wait()
        return self.up

    async def read_inputs(
        self, count: int, *, urgency: Urgency, deadline: float
    ) -> tuple[bool, ...]:
        """Discrete inputs 0 to `count` - 1 (FC02)."""
        pdu = ReadDiscreteInputsRequest(address=0, count=count, dev_id=self._settings.unit)
        answer = await self._ask(urgency, deadline, f"reading {count} inputs from 0 (FC02)", pdu)
        return tuple(answer.bits[:count])

    async def read_coils(
        self, first: int, count: int, *, urgency: Urgency, deadline: float
    ) -> tuple[bool, ...]:
        """Coils `first` to `first` + `count` - 1 (FC01)."""
        pdu = ReadCoilsRequest(address=first, count=count, dev_id=self._settings.unit)
        what = f"reading {count} coils from {first} (FC01)"
        answer = await self._ask(urgency, deadline, what, pdu)
        return tuple(answer.bits[:count])

    async def write_coil(self, coil: int, on: bool, *, urgency: Urgency, deadline: float) -> None:
        """Switch a coil (FC05); returns when the board has echoed address and value."""
        pdu = WriteSingleCoilRequest(address=coil, bits=[on], dev_id=self._settings.unit)
        what = f"switching coil {coil} {'on' if on else 'off'} (FC05)"
        await self._ask(urgency, deadline, what, pdu)

    def end(self, fault: BoardError) -> None:
        """Give the connection up because of `fault`; what waits is refused as not sent."""
        if self._fault is not None:
            return
        self._fault = fault
        self._down.set()
        while not self._queue.empty():
            self._queue.get_nowait().fail(NotSentError(str(fault)))

    async def serve(self) -> None:
        """Connect, and carry requests one at a time until the first fault; run by `open_bus`."""
        client = _client(self._settings)
        try:
            await _connect(client, self._settings)
            while self.up:
                request = await self._queue.get()
                if not request.answer.done():  # else whoever asked has gone
                    await self._carry(client, request)
        except BoardError as fault:
            self.end(fault)
        finally:
            self.end(self._error("the connection was closed"))
            _cut(client)

    async def _ask(self, urgency: Urgency, deadline: float, what: str, pdu: ModbusPDU) -> ModbusPDU:
        if self._fault is not None:
            raise NotSentError(str(self._fault))
        answer: asyncio.Future[ModbusPDU] = asyncio.get_running_loop().create_future()
        request = _Request(urgency, next(self._numbers), deadline, what, pdu, answer)
        try:
            self._queue.put_nowait(request)
        except asyncio.QueueFull as full:
            raise NotSentError(str(self._error(f"{what}: too many requests wait"))) from full
        return await answer

    async def _carry(self, client: AsyncModbusTcpClient, request: _Request) -> None:
        left_s = request.deadline - monotonic()
        if left_s <= 0:
            late = self._error(f"{request.what}: its deadline passed while it waited")
            return request.fail(NotSentError(str(late)))
        if not client.connected:
            fault = self._error("it closed the connection")
            request.fail(NotSentError(str(fault)))
            return self.end(fault)
        limit_s = min(left_s, self._settings.timeout_ms / 1000)
        try:
            answer = await self._exchange(client, request, limit_s)
            if not request.answer.done():
                request.answer.set_result(answer)
        except RefusedError as refusal:
            request.fail(refusal)
        except BoardError as fault:
            request.fail(fault)
            self.end(fault)
        finally:  # cancelled: every wait ends
            request.fail(self._error(f"{request.what}: closed before the answer came"))
        return None

    async def _exchange(
        self, client: AsyncModbusTcpClient, request: _Request, limit_s: float
    ) -> ModbusPDU:
        try:
            async with asyncio.timeout(limit_s):
                answer: ModbusPDU = await client.execute(False, request.pdu)
        except (TimeoutError, ModbusException) as error:
            raise self._error(f"{request.what}: no answer within {limit_s:.2f} s") from error
        if not _fits(request.pdu, answer):
            raise self._error(f"{request.what}: answered something else ({answer})")
        if answer.isError():
            raise RefusedError(
                str(self._error(f"{request.what}: refused, exception {answer.exception_code}")),
                undone=answer.exception_code not in _MAY_STILL_HAPPEN,
            )
        return answer

    def _error(self, what: str) -> BoardError:
        return _error(self._settings, what)


def _error(settings: BoardSettings, what: str) -> BoardError:
    return BoardError(
        f"relay board {settings.name}: {what}; check power, cable, address {settings.address}"
        f" and unit {settings.unit}"
    )


def _fits(asked: ModbusPDU, answer: ModbusPDU) -> bool:
    """Whether an answer, or an exception, can be that to this request; pymodbus lets more pass."""
    if answer.transaction_id != asked.transaction_id:
        return False
    if answer.isError():
        return answer.function_code == asked.function_code | 0x80
    if answer.function_code != asked.function_code:
        return False
    if isinstance(asked, WriteSingleCoilRequest):
        return (answer.address, list(answer.bits)) == (asked.address, list(asked.bits))
    return len(answer.bits) == -(-asked.count // 8) * 8  # whole bytes


def _client(settings: BoardSettings) -> AsyncModbusTcpClient:
    """Its own time limit never comes before ours; reconnect_delay 0 keeps it from connecting
    again behind our back.
    """
    return AsyncModbusTcpClient(
        settings.host,
        port=settings.port,
        timeout=2 * settings.timeout_ms / 1000,
        retries=0,
        reconnect_delay=0,
    )


async def _connect(client: AsyncModbusTcpClient, settings: BoardSettings) -> None:
    limit_s = settings.timeout_ms / 1000
    try:
        async with asyncio.timeout(limit_s):
            connected = await client.connect()
        if connected:
            wire: socket.socket = client.ctx.transport.get_extra_info("socket")
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            return
    except TimeoutError as error:
        raise _error(settings, f"no connection within {limit_s:.2f} s") from error
    except (OSError, UnicodeError) as error:  # closed again at once; or no name of a host
        raise _error(settings, f"no connection ({error})") from error
    raise _error(settings, "no connection")


def _cut(client: AsyncModbusTcpClient) -> None:
    """Drop the connection with all that is still on its way; `close` alone would send it first."""
    transport = client.ctx.transport
    if isinstance(transport, asyncio.Transport):
        transport.abort()
    client.close()
