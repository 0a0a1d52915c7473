"""One line with the boards on it, and the one task that owns it.

Requests come in with an urgency and a deadline and are carried one at a time: openings first, then
pulses, then polls, whichever board they are for. A request is never sent twice, and never after its
deadline.

A board that does not answer, or answers something else, is off the bus at once and costs the others
one time limit; it comes back when its owner tries again, with one request. Over TCP that is safe:
every answer bears the number of its request. RTU has no numbers, so that the line is left alone for
a while first, so that a late answer is not taken for the next one. There a read may fail once, for
noise is to be expected; a write may not, for then it is not known how the relay stands.

The connection ends when it is lost, or when no board on it answers any more; then a new one is
made.
"""

import asyncio
import heapq
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from gatekeeper.clock import monotonic
from gatekeeper.config import LineSettings, Wire
from gatekeeper.drivers.frames import is_read
from gatekeeper.drivers.line import Line, LineLostError
from gatekeeper.drivers.session import NotSentError, Request, Session, Urgency
from gatekeeper.errors import BoardError

_MOST_WAITING = 256
"""Room for every coil's pulse and a few reads of many boards. Nothing is dropped: one that finds it
full is refused at once."""

_OPENING_EXPECTED_S = 1.2
"""Most openings come within this after an arrival."""

_TRIAL_SHARE = 0.25
"""Over TCP, a board on trial beside others that live is waited for so large a share of its time
limit: their inputs are not polled meanwhile, and a car may be noticed so much later."""

_CLOSES_S = 0.02
"""So soon after an answer a board that closes its connection has done so: a write that follows
would be lost with it, and is never sent twice."""

_UNASKED_S = 1.0
"""A line that carries bytes for so long without a request of ours cannot be used."""


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
        self._arrival_at = -math.inf
        self._closes = False
        """Whether the other end has closed a connection that was in order."""

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

    def keep_silent(self) -> None:
        """Send nothing for a while: a late answer may still come."""
        self._quiet_until = monotonic() + self._settings.silence_s

    def expect_opening(self) -> None:
        """An input came on: a vehicle has arrived, and an opening may follow soon."""
        self._arrival_at = monotonic()

    async def let_openings_pass(self) -> None:
        """Over RTU, wait a little while an opening may follow: the line is deaf to it as long as a
        board is waited for that may be away.
        """
        if self._settings.wire is not Wire.TCP:
            await asyncio.sleep(max(0.0, self._arrival_at + _OPENING_EXPECTED_S - monotonic()))

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
                await self._asked.wait()
                await self._wait_for_silence(line)
                if line.lost:
                    line = await self._opened_again(line)
                await self._carry_next(line)
        except LineLostError as error:
            fault = error
        finally:
            if self._owner is me:
                for session in self._sessions:
                    session.end(session.error(str(fault)))
            if line is not None:
                line.cut()

    async def _opened_again(self, lost: Line) -> Line:
        """In place of one that was lost between two requests; raises `LineLostError`."""
        if not lost.may_be_opened_again:
            raise LineLostError(f"the connection was closed at {self._settings.address}")
        lost.cut()
        self._closes = True
        return await Line.connect(self._settings, before=lost)

    async def _carry_next(self, line: Line) -> None:
        while self._waiting:
            request = heapq.heappop(self._waiting)
            if not request.answer.done():  # else its caller has been cancelled
                await self._carry(line, request)
                break
        if not self._waiting:
            self._asked.clear()
        if not any(session.up for session in self._sessions):
            raise LineLostError(f"no board answers at {self._settings.address}")

    async def _carry(self, line: Line, request: Request) -> None:
        """Over TCP no board waits long for one on trial, nor at all while another's barrier is to
        open. Over RTU that would only make more answers late.
        """
        share = 1.0
        if self._settings.wire is Wire.TCP and request.session.on_trial:
            self._trial = _Trial(line=line, session=request.session)
            share = _TRIAL_SHARE if self._another_lives else 1.0
        try:
            await request.session.carry(line, request, share)
        except LineLostError as fault:
            if not (is_read(request.pdu) and line.may_be_opened_again):
                request.fail(request.session.error(f"{request.what}: {fault}"))
                raise
            heapq.heappush(self._waiting, request)
        finally:
            self._trial = None

    @property
    def _another_lives(self) -> bool:
        return any(session.up and not session.on_trial for session in self._sessions)

    async def _wait_for_silence(self, line: Line) -> None:
        """Over RTU, wait out a silence that is due, and the gap after the last byte; and where the
        other end is known to close connections, the moment in which it does.
        """
        gap_s = max(self._settings.gap_s, _CLOSES_S if self._closes else 0.0)
        patience = max(self._quiet_until, monotonic()) + _UNASKED_S
        while True:
            wait_s = max(self._quiet_until, line.active_at + gap_s) - monotonic()
            if wait_s <= 0:
                return
            if monotonic() > patience:
                raise LineLostError(
                    f"bytes come without being asked for at {self._settings.address}"
                )
            await asyncio.sleep(wait_s)

    async def _close(self) -> None:
        owner, self._owner = self._owner, None
        if owner is not None:
            owner.cancel()
            with suppress(asyncio.CancelledError):
                await owner
