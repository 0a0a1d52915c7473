"""One board's requests to a bus, from the first that it answers to its first fault.

A board that does not answer, or answers something else, is down; its owner begins a new
session. Over RTU a read may fail once.
"""

import asyncio
import itertools
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol

from pymodbus.pdu import ModbusPDU

from gatekeeper.clock import monotonic
from gatekeeper.config import BoardSettings, Wire
from gatekeeper.drivers.frames import is_read
from gatekeeper.drivers.line import Line, LineLostError
from gatekeeper.errors import BoardError

_NUMBERS = itertools.count()

_MAY_STILL_HAPPEN = frozenset((0x05, 0x0B))
"""Exception codes that do not say "not done" (Modbus Application Protocol V1.1b3, 7): 05, the
board is still at it; 0B, a gateway passed the request on and got no answer."""

_LATER = frozenset((0x05, 0x06))
"""Exception codes of a board that is busy; a read is put to it again."""

_BUSY_S = 0.1
"""How long a busy board is left alone."""

_EXCEPTIONS = {
    0x01: "it does not know this function; check its profile",
    0x02: "it has no such relay, input or register; check its profile and the numbers",
    0x03: "it does not take this value; check its profile",
    0x04: "it failed while doing it; switch it off and on",
    0x05: "it is still at it",
    0x06: "it is busy; ask it less often (poll_ms), or from fewer places",
    0x08: "its memory is damaged; replace it",
    0x0A: "the gateway has no way to this unit; check the gateway's serial port and routes",
    0x0B: "the gateway got no answer from this unit; check power and wires behind the gateway",
}
"""The codes of the same table in words, each with what to look at."""


class NotSentError(BoardError):
    """The request was never written: it can have moved nothing."""


class RefusedError(BoardError):
    """The board answered with a Modbus exception; it is sound.

    `undone` is whether the exception says that the request was not carried out, `later` whether
    the board asks for patience.
    """

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.undone = code not in _MAY_STILL_HAPPEN
        self.later = code in _LATER


class Urgency(IntEnum):
    """Who goes first when several requests wait; equals go in the order they came."""

    OPEN = 0
    PULSE = 1
    POLL = 2


class Queue(Protocol):
    """What a session needs of the bus that carries its requests."""

    def enqueue(self, request: "Request") -> None:
        """Let a request wait for its turn; raises `NotSentError` if too many wait already."""
        ...

    def drop(self, session: "Session", fault: BoardError) -> None:
        """What waits for this board is refused as not sent."""
        ...

    def keep_silent(self) -> None:
        """Send nothing for a while: a late answer may still come."""
        ...


class Session:
    """One board on the bus, until it or the line fails; `Bus.carrying` says from when on."""

    def __init__(self, bus: Queue, settings: BoardSettings) -> None:
        self._bus = bus
        self._settings = settings
        self._timeout_s = settings.timeout_ms / 1000
        self._reads_may_fail = 0 if settings.line.wire is Wire.TCP else 1
        self._misses = 0
        self._answered = False
        self._fault: BoardError | None = None
        self._down = asyncio.Event()

    @property
    def up(self) -> bool:
        """Whether requests are still sent."""
        return self._fault is None

    @property
    def on_trial(self) -> bool:
        """Whether the board has still to answer for the first time."""
        return not self._answered

    async def lasts(self, seconds: float) -> bool:
        """Wait so long, or until this is down if that comes first; whether it is still up."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._down.wait()
        return self.up

    def end(self, fault: BoardError) -> None:
        """Give the board up because of `fault`; what waits for it is refused as not sent."""
        if self._fault is None:
            self._fault = fault
            self._down.set()
            self._bus.drop(self, fault)

    async def ask(
        self, request: ModbusPDU, what: str, *, urgency: Urgency, deadline: float
    ) -> ModbusPDU:
        """The board's answer.

        Raises `NotSentError`, `RefusedError`, or a plain `BoardError`, after which it is not
        known whether the request was carried out. `deadline` is a moment on the boot clock: the
        request is written before it, and answered before it, or it has failed.
        """
        while True:
            try:
                return await self._asked_once(request, what, urgency, deadline)
            except RefusedError as refusal:
                in_time = monotonic() + _BUSY_S < deadline
                if not (refusal.later and is_read(request) and in_time):
                    raise
            await self.lasts(_BUSY_S)

    async def _asked_once(
        self, request: ModbusPDU, what: str, urgency: Urgency, deadline: float
    ) -> ModbusPDU:
        if self._fault is not None:
            raise NotSentError(str(self._fault))
        answer: asyncio.Future[ModbusPDU] = asyncio.get_running_loop().create_future()
        self._bus.enqueue(Request(urgency, next(_NUMBERS), deadline, what, request, answer, self))
        return await answer

    async def carry(self, line: Line, request: "Request", share: float = 1.0) -> None:
        """Put one request to the board, and wait for a `share` of its time limit; raises
        `LineLostError`, and then the request is still open.
        """
        left_s = request.deadline - monotonic()
        if left_s <= 0:
            late = self.error(f"{request.what}: its deadline passed while it waited")
            return request.fail(NotSentError(str(late)))
        try:
            answer = await line.ask(request.pdu, min(left_s, share * self._timeout_s))
            self._misses, self._answered = 0, True
            request.settle(self._accepted(request, answer))
        except RefusedError as refusal:
            request.fail(refusal)
        except LineLostError:
            raise
        except BoardError as fault:
            self._missed(request, self.error(f"{request.what}: {fault}"))
        except asyncio.CancelledError:  # every wait ends
            request.fail(self.error(f"{request.what}: closed before the answer came"))
            raise
        return None

    def _accepted(self, request: "Request", answer: ModbusPDU) -> ModbusPDU:
        if answer.isError():
            code = answer.exception_code
            words = _EXCEPTIONS.get(code, "a code of its own")
            told = f"{request.what}: refused, exception {code}: {words}"
            raise RefusedError(f"relay board {self._settings.name}: {told}", code)
        return answer

    def _missed(self, request: "Request", fault: BoardError) -> None:
        request.fail(fault)
        self._bus.keep_silent()
        self._misses += 1
        if self._misses > self._reads_may_fail or not is_read(request.pdu):
            self.end(fault)

    def error(self, what: str) -> BoardError:
        """What went wrong, with what a technician can look at."""
        return BoardError(
            f"relay board {self._settings.name}: {what}; check power, cable, address"
            f" {self._settings.address} and unit {self._settings.unit}"
        )


@dataclass(frozen=True, slots=True, order=True)
class Request:
    """A request that waits, or is on its way."""

    urgency: Urgency
    number: int
    deadline: float = field(compare=False)
    what: str = field(compare=False)
    pdu: ModbusPDU = field(compare=False)
    answer: asyncio.Future[ModbusPDU] = field(compare=False)
    session: Session = field(compare=False)

    def settle(self, answer: ModbusPDU) -> None:
        """Hand the answer over, unless its caller has gone."""
        if not self.answer.done():
            self.answer.set_result(answer)

    def fail(self, error: BoardError) -> None:
        """Answer with an error, unless its caller has gone."""
        if not self.answer.done():
            self.answer.set_exception(error)
