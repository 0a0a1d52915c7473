"""What stands between pymodbus and a line: sees all bytes, and lets only an answer through that can
be the one to the last request. Pure but for the moment of the last byte.
"""

from collections import deque
from typing import Protocol

from gatekeeper.clock import monotonic
from gatekeeper.drivers.frames import READS, after_echo, answer_in

_MBAP = 7
"""Bytes before the function code: transaction, protocol, length, unit."""

_LATE = 64
"""Requests without an answer that are remembered; the oldest is forgotten."""


class Receiver(Protocol):
    """One connection's."""

    active_at: float
    """When the last byte came or went, on the boot clock."""

    @property
    def odd(self) -> str:
        """What is wrong with the answers on this line, in words; empty if nothing is."""
        ...

    def trace(self, sending: bool, packet: bytes) -> bytes:
        """The packet sent, or all bytes received that were not used yet."""
        ...

    def forget(self) -> None:
        """Nothing that comes from now on is an answer to the last request."""
        ...


class RtuReceiver:
    """On RTU a two-wire adapter may give back what we send.

    An echo of a write looks like its answer, so the line is known by what it does to a read, whose
    answer never looks like its request: every connection begins with one.
    """

    odd = ""

    def __init__(self) -> None:
        self.active_at = monotonic()
        self._asked = b""
        self._echoes = False

    def trace(self, sending: bool, packet: bytes) -> bytes:
        """The frame sent, or the one frame in what was received that can be its answer."""
        self.active_at = monotonic()
        if sending:
            self._asked = packet
            return packet
        if not self._asked:
            return b""  # late: its request has failed already
        self._echoes |= self._asked[1] in READS and self._asked in packet
        received = after_echo(self._asked, packet) if self._echoes else packet
        answer = answer_in(self._asked, received)
        if answer:
            self.forget()
        return answer

    def forget(self) -> None:
        """As `Receiver` has it."""
        self._asked = b""


class TcpReceiver:
    """Over TCP an answer bears the number of its request; some gateways count their own way.

    Where that is `tolerated`, an answer to a read may bear a number that no request of ours had.
    An answer to a write never may: it could be that to another opening.
    """

    def __init__(self, *, tolerated: bool) -> None:
        self.active_at = monotonic()
        self._tolerated = tolerated
        self._asked = b""
        self._late: deque[bytes] = deque(maxlen=_LATE)
        self._odd: tuple[int, int] | None = None

    @property
    def odd(self) -> str:
        """As `Receiver` has it."""
        if self._odd is None:
            return ""
        asked, came = self._odd
        return (
            f"an answer bore transaction number {came} instead of {asked}: the gateway counts its"
            " own way; make it give back the number of each request, or reach it by rtu+tcp"
            " (any_transaction_number = true takes such answers to reads, never to writes)"
        )

    def trace(self, sending: bool, packet: bytes) -> bytes:
        """The packet sent; or what was received, with the number of its request."""
        self.active_at = monotonic()
        if sending:
            self._asked, self._odd = packet, None
        elif self._is_odd(packet):
            self._odd = int.from_bytes(self._asked[:2], "big"), int.from_bytes(packet[:2], "big")
            if self._tolerated and self._asked[_MBAP] in READS:
                return self._asked[:2] + packet[2:]
        return packet

    def forget(self) -> None:
        """As `Receiver` has it."""
        self._late.append(self._asked[:2])
        self._asked = b""

    def _is_odd(self, packet: bytes) -> bool:
        """Whether this would be the answer, but for a number that none of our requests had."""
        asked = self._asked
        if len(packet) <= _MBAP or not asked or packet[:2] in (asked[:2], *self._late):
            return False
        return packet[_MBAP - 1] == asked[_MBAP - 1] and packet[_MBAP] & 0x7F == asked[_MBAP]
