"""Moves one barrier: write the intent, pulse once, write the outcome.

After a crash an intent without an outcome is known to be unknown, and is never pulsed again.
"""

import structlog

from gatekeeper.config import LaneSettings
from gatekeeper.drivers.ports import Barrier
from gatekeeper.journal import OPENING_S, PATIENCE_S
from gatekeeper.lane.boom import Boom
from gatekeeper.lane.closer import Closer
from gatekeeper.lane.command import command
from gatekeeper.lane.holder import Holder
from gatekeeper.lane.rooms import Rooms
from gatekeeper.lane.scribe import Scribe
from gatekeeper.model import (
    Ack,
    BarrierCommand,
    BarrierCommanded,
    BarrierIntended,
    Direction,
    Fact,
    Outcome,
    Reason,
)
from gatekeeper.rules import guard, hold

log = structlog.get_logger(__name__)

KEPT_UP = "the boom is kept up"
"""What is said of an opening that needs no pulse."""


class Opener:
    """The barrier of one lane, as the lane may use it."""

    def __init__(
        self,
        settings: LaneSettings,
        *,
        barrier: Barrier,
        rooms: Rooms,
        scribe: Scribe,
        boom: Boom,
        holder: Holder,
        closer: Closer | None,
        store_failure_admits: bool,
    ) -> None:
        self._settings = settings
        self._barrier = barrier
        self._rooms = rooms
        self._scribe = scribe
        self._boom = boom
        self._holder = holder
        self._closer = closer
        self._store_failure_admits = store_failure_admits

    async def open(
        self, command_id: str, reason: Reason, passage: str | None, *because: Fact
    ) -> Ack:
        """One opening, good for the lane's deadline from now; a boom that is kept up needs none.
        `because` are the facts that led to it, committed together with the intent.
        """
        if self._closer is not None:
            self._closer.opens()
        if self._holder.keeps_up:
            self._scribe.tell(*because, passage=passage)
            now = self._rooms.clock.boot_s()
            ack = Ack(command=command_id, outcome=Outcome.DONE, detail=KEPT_UP, at=now)
        else:
            ack = await self._command(command_id, reason, passage, because)
        self._boom.commanded(ack)
        return ack

    async def _command(
        self, command_id: str, reason: Reason, passage: str | None, because: tuple[Fact, ...]
    ) -> Ack:
        """The deadline begins when the intent has been written, or is not waited for any longer."""
        intent = BarrierIntended(command=command_id, reason=reason)
        posted = self._scribe.tell(*because, intent, passage=passage)
        opens = self._opens_unwritten(reason)
        written = await self._rooms.journal.written(posted, OPENING_S if opens else PATIENCE_S)
        asked = command(
            self._settings.name,
            self._rooms.clock,
            self._settings.barrier.deadline_s,
            reason=reason,
            passage=passage,
            known_as=command_id,
        )
        ack = await self._pulse(asked, written=written or opens)
        log.info(
            "barrier.commanded",
            lane=asked.lane,
            reason=reason.value,
            outcome=ack.outcome.value,
            detail=ack.detail,
        )
        outcome = BarrierCommanded(
            command=command_id, outcome=ack.outcome, detail=ack.detail, behind=not written
        )
        self._scribe.tell(outcome, passage=passage)
        return ack

    async def _pulse(self, asked: BarrierCommand, *, written: bool) -> Ack:
        now = self._rooms.clock.boot_s()
        entry = self._settings.direction is Direction.ENTRY
        locked = entry and self._rooms.site().lockdown
        objection = guard.objection(asked, now, self._boom.last_pulse.at, locked=locked)
        if objection is None and not written:
            objection = "the database cannot be written"
        if objection is not None:
            return Ack(command=asked.id, outcome=Outcome.FAILED, detail=objection, at=now)
        self._boom.last_pulse.at = now
        return await self._barrier.open(asked)

    def _opens_unwritten(self, reason: Reason) -> bool:
        """Exits and exempt vehicles open also when nothing can be written; the site says whether
        entries do.
        """
        return (
            self._settings.direction is Direction.EXIT
            or reason in (Reason.EXEMPT, *hold.ADMITS_AS)
            or self._store_failure_admits
        )
