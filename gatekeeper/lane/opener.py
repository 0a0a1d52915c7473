"""Moves one barrier: commit the intent, pulse once, commit the outcome.

After a crash an intent without an outcome is known to be unknown, and is never pulsed again.
"""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from gatekeeper.clock import Clock
from gatekeeper.config import LaneSettings
from gatekeeper.drivers.ports import Barrier
from gatekeeper.lane.closer import Closer
from gatekeeper.lane.holder import Holder
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
from gatekeeper.rules import guard

log = structlog.get_logger(__name__)

KEPT_UP = "the boom is kept up"
"""What is said of an opening that needs no pulse."""

RISES_S = 10.0
"""How long after a pulse a boom may rise because of it."""


@dataclass(slots=True)
class LastPulse:
    """When a barrier was last commanded (boot clock), None if never; lanes that share one share
    this.
    """

    at: float | None = None


class Opener:
    """The barrier of one lane, as the lane may use it."""

    def __init__(
        self,
        settings: LaneSettings,
        *,
        barrier: Barrier,
        scribe: Scribe,
        clock: Clock,
        store_failure_admits: bool,
        last_pulse: LastPulse,
        holder: Holder,
        closer: Closer | None,
        locked: Callable[[], bool],
    ) -> None:
        """`locked` is whether a lockdown is on."""
        self._settings = settings
        self._barrier = barrier
        self._scribe = scribe
        self._clock = clock
        self._store_failure_admits = store_failure_admits
        self._last_pulse = last_pulse
        self._holder = holder
        self._closer = closer
        self._locked = locked

    def explains(self, rise_at: float) -> bool:
        """Whether a boom that rose then (boot clock) did so because it was commanded."""
        pulsed_at = self._last_pulse.at
        pulsed = pulsed_at is not None and rise_at - pulsed_at <= RISES_S
        return pulsed or self._holder.explains

    async def open(
        self, command_id: str, reason: Reason, passage: str | None, *because: Fact
    ) -> Ack:
        """One opening, good for the lane's deadline from now; a boom that is kept up needs none.
        `because` are the facts that led to it, committed together with the intent.
        """
        if self._closer is not None:
            self._closer.opens()
        if self._holder.keeps_up:
            await self._scribe.tell(*because, passage=passage)
            now = self._clock.boot_s()
            return Ack(command=command_id, outcome=Outcome.DONE, detail=KEPT_UP, at=now)
        command = BarrierCommand(
            id=command_id,
            lane=self._settings.name,
            passage=passage,
            reason=reason,
            deadline=self._clock.boot_s() + self._settings.barrier.deadline_ms / 1000,
        )
        intent = BarrierIntended(command=command_id, reason=reason)
        written = await self._scribe.tell(*because, intent, passage=passage)
        ack = await self._pulse(command, reason, written)
        log.info(
            "barrier.commanded",
            lane=command.lane,
            reason=reason.value,
            outcome=ack.outcome.value,
            detail=ack.detail,
        )
        outcome = BarrierCommanded(command=command_id, outcome=ack.outcome, detail=ack.detail)
        await self._scribe.tell(outcome, passage=passage)
        return ack

    async def _pulse(self, command: BarrierCommand, reason: Reason, written: bool) -> Ack:
        now = self._clock.boot_s()
        entry = self._settings.direction is Direction.ENTRY
        locked = entry and self._locked()
        objection = guard.objection(command, now, self._last_pulse.at, locked=locked)
        if objection is None and not written and not self._opens_unwritten(reason):
            objection = "the database cannot be written"
        if objection is not None:
            return Ack(command=command.id, outcome=Outcome.FAILED, detail=objection, at=now)
        self._last_pulse.at = now
        return await self._barrier.open(command)

    def _opens_unwritten(self, reason: Reason) -> bool:
        """Exits and exempt vehicles open also when nothing can be written; the site says whether
        entries do.
        """
        return (
            self._settings.direction is Direction.EXIT
            or reason in (Reason.EXEMPT, Reason.FIRE, Reason.HELD_OPEN)
            or self._store_failure_admits
        )
