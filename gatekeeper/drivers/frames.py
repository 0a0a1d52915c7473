"""What goes over the wire, and what may be believed of what comes back. Nothing here waits or reads
a clock.

pymodbus knows the requests and their answers; it believes more than a barrier can afford, and its
FC05 knows only on and off. On a line that carries RTU an answer is told by its unit, function,
length and sum alone: no frame there says which request it answers.
"""

import struct

from pymodbus.framer.rtu import FramerRTU
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

READS = frozenset((1, 2, 3))
"""The functions we use that switch nothing."""

_ERROR = 0x80
_CRC = 2
_EXCEPTION_SIZE, _ECHO_SIZE = 5, 8


class CoilWrite(ModbusPDU):
    """FC05 with any value: Waveshare's flash puts its time there. Request and echo are alike."""

    function_code = 5
    rtu_frame_size = _ECHO_SIZE

    def __init__(self, address: int = 0, value: int = 0, dev_id: int = 0) -> None:
        super().__init__(dev_id=dev_id, address=address)
        self.value = value

    def encode(self) -> bytes:
        """Address and value."""
        return struct.pack(">HH", self.address, self.value)

    def decode(self, data: bytes) -> None:
        """Address and value; raises `struct.error`, which pymodbus knows to mean noise."""
        self.address, self.value = struct.unpack(">HH", data)


def fits(asked: ModbusPDU, answer: ModbusPDU) -> bool:
    """Whether an answer, or an exception, can be that to this request; pymodbus lets more pass."""
    if answer.transaction_id != asked.transaction_id:
        return False
    if answer.isError():
        return answer.function_code == asked.function_code | _ERROR
    return answer.function_code == asked.function_code and _body(answer) == _echo_of(asked)


def _echo_of(asked: ModbusPDU) -> object:
    match asked:
        case CoilWrite():
            return asked.address, asked.value
        case WriteSingleRegisterRequest():
            return asked.address, *asked.registers
        case WriteMultipleRegistersRequest():
            return asked.address, asked.count
        case ReadHoldingRegistersRequest():
            return asked.count
        case _:
            return -(-asked.count // 8) * 8  # whole bytes


def _body(answer: ModbusPDU) -> object:
    match answer.function_code:
        case 5:
            return answer.address, getattr(answer, "value", None)
        case 6:
            return answer.address, *answer.registers
        case 16:
            return answer.address, answer.count
        case 3:
            return len(answer.registers)
        case _:
            return len(answer.bits)


def is_read(request: ModbusPDU) -> bool:
    """Whether a request switches nothing."""
    return request.function_code in READS


def answer_in(asked: bytes, received: bytes) -> bytes:
    """The frame in what was received that can be the answer to a request frame of RTU; empty if it
    has not come, or not whole. Noise before it is passed over.
    """
    for start in range(len(received) - _EXCEPTION_SIZE + 1):
        unit, function = received[start : start + 2]
        if unit == asked[0] and function & ~_ERROR == asked[1]:
            size = _EXCEPTION_SIZE if function & _ERROR else _size_of_answer(asked)
            frame = received[start : start + size]
            if len(frame) == size and _sum_is_right(frame):
                return frame
    return b""


def after_echo(asked: bytes, received: bytes) -> bytes:
    """What was received after our own request, on a line that gives back what we send."""
    _, ours, rest = received.partition(asked)
    return rest if ours else b""


def _size_of_answer(asked: bytes) -> int:
    if asked[1] not in READS:
        return _ECHO_SIZE
    count = int.from_bytes(asked[4:6], "big")
    return _EXCEPTION_SIZE + (2 * count if asked[1] == 3 else -(-count // 8))


def _sum_is_right(frame: bytes) -> bool:
    return FramerRTU.check_CRC(frame[:-_CRC], int.from_bytes(frame[-_CRC:], "big"))
