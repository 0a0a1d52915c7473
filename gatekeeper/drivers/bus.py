"""One line with the boards on it, and the one task that owns it.

Requests come in with an urgency and a deadline and are carried one at a time: openings first, then
pulses, then polls, whichever board they are for. A request is never sent twice, and never after its
deadline.

A board that does not answer, or answers something else, is off the bus at once and costs the others
one time limit; it comes back when its owner tries again, with one request. Over TCP that is safe:
every answer bears the number of its request. RTU has no numbers, so that the line is left alone for
a while first: a late answer is heard out and belongs to nobody. There a read may fail once, for
noise is to be expected; a write may not, for then nobody knows how the relay stands.

The connection ends when it is lost, or when no board on it answers any more; then a new one is
made.
"""

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import IntEnum

from pymodbus.pdu import ModbusPDU

from gatekeeper.clock import monotonic
from gatekeeper.config import BoardSettings, LineSettings, Wire
from gatekeeper.drivers.frames import is_read
from gatekeeper.drivers.line import Line, LineLostError
from gatekeeper.errors import BoardError

_MOST_WAITING = 256
"""Room for every coil's pulse and a few reads of many boards. Nothing is dropped: who finds it full
is refused at once."""

_MAY_STILL_HAPPEN = frozenset((0x05, 0x0B))
"""Exception codes that do not say "not done" (Modbus Application Protocol V1.1b3, 7): 05, the
board is still at it; 0B, a gateway passed the request on and heard nothing."""

_BABBLE_S = 1.0
"""A line on which somebody talks for so long without being asked is no line."""


class NotSentError(BoardError):
    """The request was never written: it can have moved nothing."""


class RefusedError(BoardError):
    """The board answered with a Modbus exception; it is sound.

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


class Session:
    """One board on the bus, until it or the line fails; `Bus.carrying` says from when on."""

    def __init__(self, bus: "Bus", settings: BoardSettings) -> None:
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

        Raises `NotSentError`, `RefusedError`, or a plain `BoardError`, after which nobody knows
        whether the request was carried out. `deadline` is a moment on the boot clock: the request
        is written before it, and answered before it, or it has failed.
        """
        if self._fault is not None:
            raise NotSentError(str(self._fault))
        answer: asyncio.Future[ModbusPDU] = asyncio.get_running_loop().create_future()
        self._bus.enqueue(Request(urgency, next(_NUMBERS), deadline, what, request, answer, self))
        return await answer

    async def carry(self, line: Line, request: "Request") -> None:
        """Put one request to the board; raises `LineLostError`."""
        left_s = request.deadline - monotonic()
        if left_s <= 0:
            late = self.error(f"{request.what}: its deadline passed while it waited")
            return request.fail(NotSentError(str(late)))
        try:
            answer = await line.ask(request.pdu, min(left_s, self._timeout_s))
            self._misses, self._answered = 0, True
            request.settle(self._accepted(request, answer))
        except RefusedError as refusal:
            request.fail(refusal)
        except LineLostError as fault:
            request.fail(self.error(f"{request.what}: {fault}"))
            raise
        except BoardError as fault:
            self._missed(request, self.error(f"{request.what}: {fault}"))
        finally:  # cancelled: every wait ends
            request.fail(self.error(f"{request.what}: closed before the answer came"))
        return None

    def _accepted(self, request: "Request", answer: ModbusPDU) -> ModbusPDU:
        if answer.isError():
            code = answer.exception_code
            raise RefusedError(
                str(self.error(f"{request.what}: refused, exception {code}")),
                undone=code not in _MAY_STILL_HAPPEN,
            )
        return answer

    def _missed(self, request: "Request", fault: BoardError) -> None:
        request.fail(fault)
        self._bus.hush()
        self._misses += 1
        if self._misses > self._reads_may_fail or not is_read(request.pdu):
            self.end(fault)

    def error(self, what: str) -> BoardError:
        """What went wrong, with what a technician can look at."""
        return BoardError(
            f"relay board {self._settings.name}: {what}; check power, cable, address"
            f" {self._settings.address} and unit {self._settings.unit}"
        )


_NUMBERS = itertools.count()


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
        """Hand the answer over, unless nobody waits any more."""
        if not self.answer.done():
            self.answer.set_result(answer)

    def fail(self, error: BoardError) -> None:
        """Answer with an error, unless nobody waits any more."""
        if not self.answer.done():
            self.answer.set_exception(error)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """A board that is asked whether it is there."""

    line: Line
    session: Session

    def hurry_for(self, other: Session) -> None:
        """Wait no longer: another board has something more urgent to do."""
        if other is not self.session:
            self.line.hurry()


class Bus:
    """A line shared by boards. It is connected while a board wants it, and at no other time."""

    def __init__(self, settings: LineSettings) -> None:
        self._settings = settings
        self._sessions: set[Session] = set()
        self._owner: asyncio.Task[None] | None = None
        self._waiting: list[Request] = []
        self._asked = asyncio.Event()
        self._quiet_until = 0.0
        self._trial: _Trial | None = None

    @asynccontextmanager
    async def carrying(self, session: Session) -> AsyncIterator[None]:
        """Carry a board's requests for as long as the context lasts. A connection is made while the
        first of them waits, which fails if the line cannot be reached.
        """
        self._sessions.add(session)
        if self._owner is None or self._owner.done():
            self._owner = asyncio.create_task(self._serve(), name=f"bus {self._settings.address}")
        try:
            yield
        finally:
            session.end(session.error("the connection was closed"))
            self._sessions.discard(session)
            if not self._sessions:
                await self._close()

    def enqueue(self, request: Request) -> None:
        """Let a request wait for its turn; raises `NotSentError` if too many wait already."""
        if len(self._waiting) >= _MOST_WAITING:
            full = request.session.error(f"{request.what}: too many requests wait")
            raise NotSentError(str(full))
        heapq.heappush(self._waiting, request)
        self._asked.set()
        if self._trial is not None and request.urgency is Urgency.OPEN:
            self._trial.hurry_for(request.session)

    def drop(self, session: Session, fault: BoardError) -> None:
        """What waits for this board is refused as not sent."""
        dropped = [request for request in self._waiting if request.session is session]
        self._waiting = [request for request in self._waiting if request.session is not session]
        heapq.heapify(self._waiting)
        for request in dropped:
            request.fail(NotSentError(str(fault)))

    def hush(self) -> None:
        """Leave the line alone for a while: somebody may still answer late."""
        self._quiet_until = monotonic() + self._settings.silence_s

    async def _serve(self) -> None:
        """Connect, and carry requests until the line is lost; run by `carrying`."""
        line: Line | None = None
        me = asyncio.current_task()
        fault: BoardError = BoardError("the connection was closed")
        try:
            line = await Line.connect(self._settings)
            # pymodbus waits with asyncio.wait_for, which on Python 3.11 swallows a cancellation
            # that comes together with the answer (cpython #86296).
            while self._owner is me:
                await self._carry_next(line)
        except LineLostError as error:
            fault = error
        finally:
            if self._owner is me:
                for session in self._sessions:
                    session.end(session.error(str(fault)))
            if line is not None:
                line.cut()

    async def _carry_next(self, line: Line) -> None:
        await self._asked.wait()
        await self._settle(line)
        while self._waiting:
            request = heapq.heappop(self._waiting)
            if not request.answer.done():  # else whoever asked has gone
                await self._carry(line, request)
                break
        if not self._waiting:
            self._asked.clear()
        if not any(session.up for session in self._sessions):
            raise LineLostError(f"nobody answers at {self._settings.address}")

    async def _carry(self, line: Line, request: Request) -> None:
        """Over TCP nobody waits for a board on trial while another's barrier is to open."""
        if self._settings.wire is Wire.TCP and request.session.on_trial:
            self._trial = _Trial(line=line, session=request.session)
        try:
            await request.session.carry(line, request)
        finally:
            self._trial = None

    async def _settle(self, line: Line) -> None:
        """Over RTU, wait out a silence that is due, and the gap after the last byte."""
        patience = max(self._quiet_until, monotonic()) + _BABBLE_S
        while True:
            wait_s = max(self._quiet_until, line.heard_at + self._settings.gap_s) - monotonic()
            if wait_s <= 0:
                return
            if monotonic() > patience:
                raise LineLostError(
                    f"somebody talks without being asked at {self._settings.address}"
                )
            await asyncio.sleep(wait_s)

    async def _close(self) -> None:
        owner, self._owner = self._owner, None
        if owner is not None:
            owner.cancel()
            with suppress(asyncio.CancelledError):
                await owner
