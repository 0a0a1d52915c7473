"""What an LED and voice board makes of the bytes on its line: commands 0x6E and 0x30.

DA VR PN PN CMD DL body CRC, the CRC as in Modbus RTU, low byte first; text is GBK. Bytes that are
no frame are passed over one by one until a frame begins, as a board does that was switched on while
somebody was writing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from simulators.crc import crc16

_HEAD, _CRC = 6, 2
_VERSION_AND_PACKET = b"\x64\xff\xff"
_SHOW, _SPEAK = 0x6E, 0x30
_LINE_HEAD = 10  # id, mode, speed, stay, repeat, colour (4), length
_MOST_LINES, _MOST_LINE, _MOST_VOICE = 4, 32, 64


class FrameError(Exception):
    """A frame came whole, and its body is not what its command takes."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What one frame makes a driver read (None: as before) and hear."""

    address: int
    lines: tuple[str, ...] | None
    voice: str


class Decoder:
    """Takes bytes as they come, gives what they say; `noise` counts the bytes in no frame."""

    def __init__(self) -> None:
        self.noise = 0
        self._bytes = b""

    def feed(self, chunk: bytes) -> Iterator[Shown | FrameError]:
        """All frames that are whole now."""
        self._bytes += chunk
        while (length := self._whole()) is not None:
            frame, self._bytes = self._bytes[:length], self._bytes[length:]
            try:
                yield _decoded(frame)
            except (FrameError, UnicodeDecodeError, IndexError) as error:
                yield FrameError(str(error))

    def _whole(self) -> int | None:
        """How long the frame is that the bytes begin with, once it is whole; noise goes first."""
        while self._bytes:
            head = self._bytes[1:4]
            if head == _VERSION_AND_PACKET[: len(head)]:
                length = _HEAD + self._bytes[5] + _CRC if len(self._bytes) >= _HEAD else None
                if length is None or len(self._bytes) < length:
                    return None
                if crc16(self._bytes[: length - _CRC]) == self._bytes[length - _CRC : length]:
                    return length
            self._bytes = self._bytes[1:]
            self.noise += 1
        return None


def _decoded(frame: bytes) -> Shown:
    address, command, body = frame[0], frame[4], frame[_HEAD:-_CRC]
    if command == _SPEAK:
        _must(body[:1] == b"\x01", "a voice begins with 01")
        return Shown(address, None, body[1:].decode("gbk"))
    _must(command == _SHOW, f"no such command: {command:02X}")
    _must(body[0] in (0, 1) and 1 <= body[1] <= _MOST_LINES, "one to four lines")
    lines, rest = _lines(body[2:], body[1])
    _must(rest[0] == 0x0A, "voice begins with 0A")
    _must(rest[1] <= _MOST_VOICE and len(rest) == rest[1] + 3, "voice is as long as it says")
    _must(rest[-1] == 0, "voice ends with 00")
    return Shown(address, lines, rest[2:-1].decode("gbk"))


def _lines(body: bytes, count: int) -> tuple[tuple[str, ...], bytes]:
    """The texts of so many lines, and the bytes behind them."""
    lines = []
    for number in range(count):
        length = body[_LINE_HEAD - 1]
        end = _LINE_HEAD + length
        _must(body[0] == number and length <= _MOST_LINE, f"line {number} has its id and length")
        _must(body[end] == (0x00 if number == count - 1 else 0x0D), f"line {number} has its end")
        lines.append(body[_LINE_HEAD:end].decode("gbk"))
        body = body[end + 1 :]
    return tuple(lines), body


def _must(holds: bool, what: str) -> None:
    if not holds:
        raise FrameError(what)
