"""One device on a Modbus line: a request comes in, the answer goes out, and relays move.

It knows nothing of lines and frames, nor of barriers: each coil that changes hands is told. The
device itself is the plainest relay board there is; `simulators.kinds` has those with ways of
their own. Errors as in the Modbus Application Protocol V1.1b3: exception 01 for another function,
02 for an address that is not there, 03 for a wrong count or value.
"""

import asyncio
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, DEVICE_FAILURE = 1, 2, 3, 4
OFF, ON = 0x0000, 0xFF00
_READS = range(1, 5)
_BROADCAST = 0
_MOST_READ, _MOST_WRITTEN = 2000, 1968  # V1.1b3, 6.1 and 6.11
_MOST_REGISTERS = 125  # 6.3
_NOISE = b"\x00\xff\x55"


class Fault(StrEnum):
    """What is wrong with a device, or with its line."""

    NONE = "none"
    SILENT = "silent"
    """It hears nothing: no request is done, none is answered."""
    EXCEPTION = "exception"
    """Each request is answered with exception 4, and not done."""
    WRONG_ECHO = "wrong_echo"
    """A write is done, but its echo names the address after it."""
    LATE = "late"
    """Each request is done at once and answered late."""
    DROPPED = "dropped"
    """Of each answer one byte is lost, each time another one."""
    GARBAGE = "garbage"
    """Noise comes before each answer."""
    BUSY = "busy"
    """Every other request is answered with exception 6, and not done."""
    ACKNOWLEDGE = "acknowledge"
    """Every other request is answered with exception 5, and not done."""
    NO_PATH = "no_path"
    """Each request is answered as by a gateway without a way to the device: exception 10."""
    NO_TARGET = "no_target"
    """Each request is answered as by a gateway that the device does not answer: exception 11."""
    CLOSING = "closing"
    """After each answer the connection is closed (a line over TCP)."""
    MISCOUNTED = "miscounted"
    """Each answer bears a number of the gateway's own (a line over TCP)."""
    REFUSE = "refuse"
    """Nothing listens, and all connections are dropped (a line over TCP)."""
    UNPLUGGED = "unplugged"
    """The adapter is pulled out, and its port is gone (a serial line)."""


_REFUSED_WITH = {
    Fault.EXCEPTION: DEVICE_FAILURE,
    Fault.ACKNOWLEDGE: 5,
    Fault.BUSY: 6,
    Fault.NO_PATH: 10,
    Fault.NO_TARGET: 11,
}
_EVERY_OTHER = (Fault.BUSY, Fault.ACKNOWLEDGE)


@dataclass(slots=True)
class RefusalError(Exception):
    """The request is answered with an exception, and nothing of it was done."""

    code: int


class Device:
    """Coils from 0 by functions 01, 05 and 0F, inputs from 0 by 02; `wrote(coil, on)` is told each
    coil of each write, and each that falls by itself.

    `coils` and `inputs` are the truth; the device's owner may set inputs at any time.
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
        self._stuck: dict[int, bool] = {}
        self._flashes: dict[int, asyncio.TimerHandle] = {}
        self._spoiled = 0
        self._asked = 0

    @property
    def functions(self) -> Mapping[int, Callable[[bytes], bytes]]:
        """What does each function code: takes the body of a request, gives that of the answer."""
        return {
            0x01: self._read_coils,
            0x02: self._read_inputs,
            0x05: self._write_one,
            0x0F: self._write_many,
        }

    def answer(self, request: bytes) -> bytes | None:
        """The answering PDU to one request PDU, or None where the device stays silent."""
        if self.fault is Fault.SILENT:
            return None
        try:
            self._refuse()
            if request[0] not in self.functions:
                raise RefusalError(ILLEGAL_FUNCTION)
            return request[:1] + self.functions[request[0]](request[1:])
        except RefusalError as refusal:
            return bytes((request[0] | 0x80, refusal.code))

    def _refuse(self) -> None:
        """Raises the exception that the present fault answers with, if it is its turn."""
        self._asked += 1
        code = _REFUSED_WITH.get(self.fault)
        if code is not None and (self.fault not in _EVERY_OTHER or self._asked % 2):
            raise RefusalError(code)

    def broadcast(self, request: bytes) -> None:
        """Do a write to all devices, which none answers."""
        if request[0] not in _READS:
            self.answer(request)

    def spoiled(self, frame: bytes) -> bytes:
        """The answering frame as it leaves, harmed by `dropped` and `garbage`."""
        if self.fault is Fault.GARBAGE:
            return _NOISE + frame
        if self.fault is Fault.DROPPED:
            lost = self._spoiled % len(frame)
            self._spoiled += 1
            return frame[:lost] + frame[lost + 1 :]
        return frame

    def stick(self, coil: int, on: bool | None) -> None:
        """A relay that stays as it is said here, whatever is written; None mends it."""
        self._stuck.pop(coil, None)
        if on is not None:
            self._set(coil, on)
            self._stuck[coil] = on

    def stop(self) -> None:
        """Let go of all timers."""
        for flash in self._flashes.values():
            flash.cancel()

    def _read_coils(self, body: bytes) -> bytes:
        return read_bits(body, self.coils)

    def _read_inputs(self, body: bytes) -> bytes:
        return read_bits(body, self.inputs)

    def _write_one(self, body: bytes) -> bytes:
        address, value = two_words(body)
        self._switch(address, value)
        return self._echo(address, value)

    def _switch(self, address: int, value: int) -> None:
        """What a write of one coil does."""
        if value not in (OFF, ON):
            raise RefusalError(ILLEGAL_VALUE)
        self._set(within(address, self.coils), value == ON)

    def _write_many(self, body: bytes) -> bytes:
        first, count, values = several(body)
        if not 1 <= count <= _MOST_WRITTEN or len(values) != (count + 7) // 8:
            raise RefusalError(ILLEGAL_VALUE)
        within(first + count - 1, self.coils)
        for at in range(count):
            self._set(first + at, bool(values[at // 8] >> at % 8 & 1))
        return self._echo(first, count)

    def _echo(self, address: int, word: int) -> bytes:
        """What a write is answered with: its address, and its value or count."""
        return struct.pack(">HH", address + (self.fault is Fault.WRONG_ECHO), word)

    def _set(self, coil: int, on: bool) -> None:
        """Switch a relay; a flash that still runs is over."""
        flash = self._flashes.pop(coil, None)
        if flash is not None:
            flash.cancel()
        self.coils[coil] = self._stuck.get(coil, on)
        self._wrote(coil, self.coils[coil])

    def _flash(self, coil: int, on: bool, seconds: float) -> None:
        """Switch a relay, and back again by itself after so many real seconds."""
        if not seconds:
            raise RefusalError(ILLEGAL_VALUE)
        self._set(within(coil, self.coils), on)
        later = asyncio.get_running_loop().call_later
        self._flashes[coil] = later(seconds, self._set, coil, not on)


def ask(
    devices: Sequence[Device],
    unit: int,
    request: bytes,
    framed: Callable[[bytes], bytes],
    send: Callable[[bytes], None],
) -> None:
    """Put a request to the device it is for; its answer is framed, harmed, and sent in its time."""
    named = [device for device in devices if device.unit == unit]
    if not named and unit == _BROADCAST:
        for device in devices:
            device.broadcast(request)
    for device in named:
        pdu = device.answer(request)
        if pdu is None:
            continue
        frame = device.spoiled(framed(pdu))
        if device.fault is Fault.LATE:
            asyncio.get_running_loop().call_later(device.late_s, send, frame)
        else:
            send(frame)


def two_words(body: bytes) -> tuple[int, int]:
    """A body of two words: address and value, or address and count."""
    if len(body) != 4:
        raise RefusalError(ILLEGAL_VALUE)
    first, second = struct.unpack(">HH", body)
    return first, second


def several(body: bytes) -> tuple[int, int, bytes]:
    """The body of functions 0F and 10: first address, count, and the values themselves."""
    if len(body) < 5 or body[4] != len(body) - 5:
        raise RefusalError(ILLEGAL_VALUE)
    return *two_words(body[:4]), body[5:]


def read_bits(body: bytes, bits: Sequence[bool], base: int = 0) -> bytes:
    """The answer of functions 01 and 02; the first bit has the address `base`."""
    first, count = two_words(body)
    if not 1 <= count <= _MOST_READ:
        raise RefusalError(ILLEGAL_VALUE)
    within(first - base, bits)
    within(first - base + count - 1, bits)
    packed = _packed(bits[first - base : first - base + count])
    return bytes((len(packed),)) + packed


def read_registers(body: bytes, registers: Mapping[int, int]) -> bytes:
    """The answer of function 03."""
    first, count = two_words(body)
    if not 1 <= count <= _MOST_REGISTERS:
        raise RefusalError(ILLEGAL_VALUE)
    if any(address not in registers for address in range(first, first + count)):
        raise RefusalError(ILLEGAL_ADDRESS)
    words = [registers[address] for address in range(first, first + count)]
    return struct.pack(f">B{count}H", 2 * count, *words)


def within(at: int, bits: Sequence[bool]) -> int:
    """The place itself, where there is one."""
    if not 0 <= at < len(bits):
        raise RefusalError(ILLEGAL_ADDRESS)
    return at


def _packed(bits: Sequence[bool]) -> bytes:
    """Eight bits a byte, the first in the lowest place."""
    return bytes(
        sum(on << place for place, on in enumerate(bits[at : at + 8]))
        for at in range(0, len(bits), 8)
    )
