"""The frames of the common LED and voice boards on RS-485: texts in, bytes out.

Both frames are DA VR PN PN CMD DL body CRC, the protocol that many Chinese display controllers
share: 0x6E shows up to four lines and speaks, 0x30 speaks only. Text is GBK; what GBK cannot hold
becomes `?`, what does not fit is cut after a whole character. By these limits a body never exceeds
its 255 bytes.
"""

import struct

from pymodbus.framer.rtu import FramerRTU

from gatekeeper.model import DisplayText

LINES, LINE_BYTES, VOICE_BYTES, ALONE_BYTES = 4, 32, 64, 254
"""How much a board takes: lines, bytes in each, bytes of voice with them, bytes of voice alone."""

_VERSION, _PACKET = 0x64, b"\xff\xff"
_SHOW, _SPEAK = 0x6E, 0x30
_TEMPORARY = 0x00  # not into its flash, which wears out
_SPEAK_NOW = b"\x01"
_AT_ONCE, _SPEED, _STAY_S, _FOR_EVER = 0x00, 0x01, 0x00, 0x00  # until the next text
_RED = b"\xff\x00\x00\x00"
_MORE, _LAST, _VOICE, _END = b"\x0d", b"\x00", b"\x0a", b"\x00"


def frame_of(text: DisplayText, address: int = 0) -> bytes:
    """The frame that makes the board at `address` show and say this; empty where there is nothing
    to show or to say.
    """
    if text.lines:
        return show_frame(text, address)
    return voice_frame(text.voice, address) if text.voice else b""


def show_frame(text: DisplayText, address: int = 0) -> bytes:
    """Command 0x6E: lines from the top down, and voice. Lines beyond the fourth are left out."""
    lines = [_encoded(line, LINE_BYTES) for line in text.lines[:LINES]]
    voice = _encoded(text.voice, VOICE_BYTES)
    body = bytes((_TEMPORARY, len(lines)))
    for number, line in enumerate(lines):
        body += bytes((number, _AT_ONCE, _SPEED, _STAY_S, _FOR_EVER)) + _RED
        body += bytes((len(line),)) + line + (_LAST if number == len(lines) - 1 else _MORE)
    return _framed(_SHOW, body + _VOICE + bytes((len(voice),)) + voice + _END, address)


def voice_frame(voice: str, address: int = 0) -> bytes:
    """Command 0x30: say this, and go on showing what is shown."""
    return _framed(_SPEAK, _SPEAK_NOW + _encoded(voice, ALONE_BYTES), address)


def crc16(frame: bytes) -> int:
    """The CRC of Modbus RTU (Modbus over serial line V1.02, 6.2.2); sent low byte first."""
    sent = FramerRTU.compute_CRC(frame)  # in the order in which it is sent
    return int.from_bytes(sent.to_bytes(2, "big"), "little")


def _framed(command: int, body: bytes, address: int) -> bytes:
    frame = bytes((address, _VERSION)) + _PACKET + bytes((command, len(body))) + body
    return frame + struct.pack("<H", crc16(frame))


def _encoded(text: str, limit: int) -> bytes:
    """GBK, whole characters only. A control character would end the line for the board."""
    printable = "".join(each if each.isprintable() else " " for each in text)
    return printable.encode("gbk", "replace")[:limit].decode("gbk", "ignore").encode("gbk")
