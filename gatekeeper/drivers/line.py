"""One connection: a TCP endpoint or a serial port, and Modbus over it, one request at a time.

A request goes in, its answer comes out, and nothing is ever sent a second time. `LineLostError` is
the end of the connection, for every board on it; any other error is about this request alone.
pymodbus carries the bytes. It is kept from connecting again by itself and from sending again, and
it is handed only what can be the answer (`receiver`).
"""

import asyncio
import errno
import fcntl
import os
import socket
import struct
import termios
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

import serial
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerType
from pymodbus.pdu import ModbusPDU

from gatekeeper.config import LineSettings, Wire
from gatekeeper.drivers.frames import CoilWrite, fits, is_read
from gatekeeper.drivers.receiver import Receiver, RtuReceiver, TcpReceiver
from gatekeeper.errors import BoardError
from gatekeeper.ownership import denied

Client = AsyncModbusTcpClient | AsyncModbusSerialClient

_CONNECT_S = 1.0

_NEVER_S = 10.0
"""pymodbus's own time limit, which never comes before ours."""

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""struct linger, on with 0 s: what the kernel still holds is thrown away with the connection.
Without it a pulse written into a dead cable is sent again for minutes, and arrives when the cable
is back; also after this process was killed."""


class LineLostError(BoardError):
    """The connection is gone, or cannot be made; no board on it can be reached."""


class Line:
    """Made by `connect`; used by one task."""

    def __init__(self, settings: LineSettings, receiver: Receiver) -> None:
        self._settings = settings
        self._receiver = receiver
        self._client = _client(settings, self._receiver, self._connected)
        self._patience: asyncio.Timeout | None = None
        self._answered = False
        self._spoilt = False

    @classmethod
    async def connect(cls, settings: LineSettings, before: Self | None = None) -> Self:
        """An open connection, perhaps after one that was lost; raises `LineLostError`."""
        line = cls(settings, _receiver(settings) if before is None else before._receiver)
        connected = False
        try:
            async with asyncio.timeout(_CONNECT_S):
                connected = await line._client.connect()
        except TimeoutError as error:
            raise line._fault(f"no connection within {_CONNECT_S:g} s") from error
        except (OSError, UnicodeError, ValueError, termios.error) as error:
            raise line._fault(f"no connection ({error})") from error
        finally:
            # asyncio.wait_for, with which pymodbus connects, may drop a connection that was made
            # in the moment in which it gave up (cpython #86296): it would stay open.
            if not connected:
                line.cut()
        if not connected:
            raise line._fault(f"no connection{_refusal(settings)}")
        if (wire := line._socket()) is not None:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        return line

    @property
    def lost(self) -> bool:
        """Whether the other end has closed the connection, the port is gone, or a late answer may
        come that could not be told from the next one.
        """
        return self._spoilt or not self._client.connected

    @property
    def may_be_opened_again(self) -> bool:
        """Whether a connection that is lost between two requests is no fault: some boards close it
        after a few requests, or when nothing was asked for a while. A serial port does not.
        """
        return self._spoilt or (self._answered and self._settings.wire is not Wire.SERIAL)

    @property
    def active_at(self) -> float:
        """When the last byte came or went, on the boot clock."""
        return self._receiver.active_at

    async def ask(self, request: ModbusPDU, limit_s: float) -> ModbusPDU:
        """The answer, which may be an exception; raises `LineLostError`, or a plain `BoardError`
        when none came that can be believed.
        """
        try:
            async with asyncio.timeout(limit_s) as self._patience:
                answer: ModbusPDU = await self._client.execute(False, request)
        except (TimeoutError, ModbusException) as error:
            raise self._unanswered(request, limit_s) from error
        finally:
            self._patience = None
        if not fits(request, answer):
            raise BoardError(self._receiver.odd or f"answered something else ({answer})")
        self._answered = True
        return answer

    def _unanswered(self, request: ModbusPDU, limit_s: float) -> BoardError:
        """Why no answer came; a connection that was closed over a read is one that is lost."""
        self._receiver.forget()
        if not self._client.connected:
            closed = "the connection was closed before the answer came"
            return self._fault(closed) if is_read(request) else BoardError(closed)
        if not is_read(request) and self._unsent():
            return self._fault(f"no answer within {limit_s:.2f} s, and nothing leaves")
        self._spoilt |= self._settings.any_transaction_number
        return BoardError(self._receiver.odd or f"no answer within {limit_s:.2f} s")

    def _connected(self, connected: bool) -> None:
        """Told by pymodbus, which would wait for an answer all the same."""
        if not connected:
            self.hurry()

    def hurry(self) -> None:
        """Wait no longer for the answer to the present request."""
        if self._patience is not None and not self._patience.expired():
            self._patience.reschedule(asyncio.get_running_loop().time())

    def cut(self) -> None:
        """Drop the connection with all that is still on its way; `close` alone would send it."""
        transport = self._client.ctx.transport
        if (port := self._port()) is not None:
            with suppress(OSError, termios.error):
                port.reset_output_buffer()  # the kernel would wait for that when it closes
        elif isinstance(transport, asyncio.Transport):
            transport.abort()
        with suppress(OSError, termios.error):
            self._client.close()

    def _unsent(self) -> bool:
        """Whether something we wrote has not arrived at the other end, and could still do so late.

        What a TCP peer has acknowledged it has: then it is the board, or one behind a gateway, that
        is silent.
        """
        transport = self._client.ctx.transport
        if not isinstance(transport, asyncio.Transport) or transport.get_write_buffer_size():
            return True
        wire = self._socket() or self._port()
        if wire is None:
            return True
        try:
            left = fcntl.ioctl(wire.fileno(), termios.TIOCOUTQ, struct.pack("i", 0))
        except OSError:
            return True
        return struct.unpack("i", left) != (0,)

    def _socket(self) -> socket.socket | None:
        transport = self._client.ctx.transport
        wire: socket.socket | None = transport.get_extra_info("socket") if transport else None
        return wire

    def _port(self) -> serial.Serial | None:
        return getattr(self._client.ctx.transport, "sync_serial", None)

    def _fault(self, what: str) -> LineLostError:
        return LineLostError(f"{what} at {self._settings.address}")


def _refusal(settings: LineSettings) -> str:
    """What a serial port has against being opened, as far as it shows."""
    if settings.wire is not Wire.SERIAL:
        return ""
    if not os.path.exists(settings.device):
        return " (there is no such port: is the adapter plugged in?)"
    if os.access(settings.device, os.R_OK | os.W_OK, effective_ids=True):
        return ""
    lacking = OSError(errno.EACCES, os.strerror(errno.EACCES))
    return f" ({denied(Path(settings.device), lacking)})"


def _receiver(settings: LineSettings) -> Receiver:
    if settings.wire is Wire.TCP:
        return TcpReceiver(tolerated=settings.any_transaction_number)
    return RtuReceiver()


def _client(
    settings: LineSettings, receiver: Receiver, connected: Callable[[bool], None]
) -> Client:
    """reconnect_delay 0 keeps it from connecting again behind our back."""
    if settings.wire is Wire.SERIAL:
        client: Client = AsyncModbusSerialClient(
            settings.device,
            baudrate=settings.baudrate,
            parity=settings.parity,
            stopbits=settings.stopbits,
            timeout=_NEVER_S,
            retries=0,
            reconnect_delay=0,
            trace_packet=receiver.trace,
            trace_connect=connected,
        )
    else:
        client = AsyncModbusTcpClient(
            settings.host,
            port=settings.port,
            framer=FramerType.SOCKET if settings.wire is Wire.TCP else FramerType.RTU,
            timeout=_NEVER_S,
            retries=0,
            reconnect_delay=0,
            trace_packet=receiver.trace,
            trace_connect=connected,
        )
    client.register(CoilWrite)
    return client
