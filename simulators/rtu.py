"""Modbus RTU: several devices on one serial line, which is a pseudo-terminal.

With a baud rate the line takes its time: a request is heard, and an answer sent, no sooner than
its last character would have come, with 3.5 characters of silence after each. A client with
the port open at another rate is not understood.
"""

import asyncio
import struct
import termios
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from simulators.adapter import Adapter
from simulators.console import say
from simulators.crc import crc16
from simulators.device import Device, ask

_CRC = 2
_SHORTEST, _FIXED = 4, 8
_COUNTED_HEAD = 7  # unit, function, address, count, number of bytes
_BITS = 10  # of a character: start, eight, stop
_SILENCE = 3.5  # characters; Modbus over Serial Line V1.02, 2.5.1.1
_FORGET_S = 0.5
"""A board starts over after 3.5 characters of silence; a busy computer pauses for longer within
a frame."""


class Requests:
    """Takes bytes as they come, gives unit and PDU of each whole request; noise is passed over."""

    def __init__(self) -> None:
        self._bytes = b""

    def feed(self, chunk: bytes) -> Iterator[tuple[int, bytes]]:
        """All requests that are whole now."""
        self._bytes += chunk
        while (length := self._whole()) is not None:
            frame, self._bytes = self._bytes[:length], self._bytes[length:]
            yield frame[0], frame[1:-_CRC]

    def forget(self) -> None:
        """What came so far is no request: the line was silent in its middle."""
        self._bytes = b""

    def _whole(self) -> int | None:
        while len(self._bytes) >= _SHORTEST:
            length = self._length()
            if length is None or len(self._bytes) < length:
                return None
            if crc16(self._bytes[: length - _CRC]) == self._bytes[length - _CRC : length]:
                return length
            self._bytes = self._bytes[1:]
        return None

    def _length(self) -> int | None:
        """Of the request that the bytes begin with; None while its count has not come."""
        match self._bytes[1]:
            case 0x01 | 0x02 | 0x03 | 0x04 | 0x05 | 0x06:
                return _FIXED
            case 0x0F | 0x10 if len(self._bytes) < _COUNTED_HEAD:
                return None
            case 0x0F | 0x10:
                return _COUNTED_HEAD + self._bytes[6] + _CRC
            case _:
                return len(self._bytes)  # unknown; what came in one piece may be one


class SerialLine:
    """The port and the devices behind it. `baudrate` None: as fast as the computer."""

    def __init__(self, devices: Sequence[Device], link: Path | None, baudrate: int | None) -> None:
        self._devices = devices
        self._adapter = Adapter(link, self._hear)
        self._baudrate = baudrate
        self._requests = Requests()
        self._free_at = 0.0
        self._forgetting: asyncio.TimerHandle | None = None
        self._understood = True

    def plug(self) -> str:
        """Plug the adapter in; the name of its port."""
        self._requests.forget()
        return self._adapter.plug()

    def unplug(self) -> None:
        """Pull it out, if it is in; answers under way are lost."""
        if self._adapter.plugged:
            self._adapter.unplug()
        if self._forgetting is not None:
            self._forgetting.cancel()

    def _hear(self, chunk: bytes) -> None:
        if not self._right_speed():
            return
        loop = asyncio.get_running_loop()
        if self._forgetting is not None:
            self._forgetting.cancel()
        self._forgetting = loop.call_later(_FORGET_S, self._requests.forget)
        for unit, request in self._requests.feed(chunk):
            self._occupy(len(request) + 1 + _CRC + _SILENCE)
            loop.call_at(self._free_at, self._ask, unit, request)

    def _ask(self, unit: int, request: bytes) -> None:
        ask(self._devices, unit, request, partial(_framed, unit), self._send)

    def _send(self, frame: bytes) -> None:
        self._occupy(len(frame) + _SILENCE)
        asyncio.get_running_loop().call_at(self._free_at, self._adapter.write, frame)

    def _occupy(self, characters: float) -> None:
        seconds = characters * _BITS / self._baudrate if self._baudrate else 0.0
        self._free_at = max(self._free_at, asyncio.get_running_loop().time()) + seconds

    def _right_speed(self) -> bool:
        if self._baudrate is None:
            return True
        speed = termios.tcgetattr(self._adapter.ends[0])[5]
        right = bool(speed == getattr(termios, f"B{self._baudrate}"))
        if self._understood and not right:
            say("wrong", detail=f"the port was not opened at {self._baudrate} baud")
        self._understood = right
        return right


def _framed(unit: int, pdu: bytes) -> bytes:
    frame = struct.pack("B", unit) + pdu
    return frame + crc16(frame)
