"""Keeps the boom of one lane up as long as there is a reason, and lets it go when there is none.

A task beside the lane, so that a lane that fails or waits keeps no boom down in a fire. What is
asked of the barrier is a level, not a pulse: it is asked again until it is so, and may come late.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import replace

import structlog

from gatekeeper.clock import rest
from gatekeeper.health import HELD_OPEN, Tell
from gatekeeper.lane.context import LaneContext
from gatekeeper.model import (
    Ack,
    BarrierHeld,
    BarrierReleased,
    Commit,
    Fact,
    Hold,
    HoldReason,
    Outcome,
    Presence,
    Reason,
    Record,
)
from gatekeeper.rules import guard, hold
from gatekeeper.rules.hold import Standing

log = structlog.get_logger(__name__)

GATE = "gate"
"""Who keeps a boom up, or lets it go, where no person said so."""

AGAIN_S = 2.0
"""A hold output that does not follow is asked again after this."""

RELEASE_WITHIN_S = 0.5
"""A boom that nothing was under a moment ago is let go now or not yet."""

BEAT_S = 5.0
"""The longest that a holder rests: a clock may have become trusted, and a hold be over by it."""

_WHY = {
    HoldReason.FIRE: "the fire input is latched",
    HoldReason.STALE_CAMERA: "its camera is stale, and it has nothing else to see by",
    HoldReason.LANE_FAILED: "its lane has failed, and does not run again yet",
}


_NOTHING = Standing()


class Holder:
    """The hold output of one lane, with the reasons that stand for it."""

    def __init__(self, context: LaneContext, *, changed: Tell, let_go: Tell) -> None:
        """`changed` is told when a vehicle that waits has to be decided again, `let_go` when the
        boom is kept up no longer.
        """
        self.name = context.name
        self._context = context
        self._rooms = context.rooms
        self._changed = changed
        self._tell_let_go = let_go
        self._standing = _NOTHING
        self._told: tuple[HoldReason, ...] = ()
        self._under = guard.under(context.settings.sensors)
        self._out = False  # the output is on, or may be
        self._done = True  # it is known to be as it was asked for
        self._again_at = 0.0
        self._counted: tuple[Hold, ...] = ()
        self._moved = asyncio.Event()

    # --- what is asked of it ------------------------------------------------------------------

    @property
    def holds(self) -> tuple[Hold, ...]:
        """The orders that keep it up."""
        return self._standing.holds

    def admits_as(self) -> Reason | None:
        """For which reason every vehicle is admitted; None where the rules decide."""
        return hold.admits_as(self.reasons)

    @property
    def keeps_up(self) -> bool:
        """Whether the boom is known to be kept up: it needs no pulse."""
        board = self._context.settings.barrier.board
        away = self._rooms.health.stands("relay_unreachable", board)
        return self._out and self._done and not away

    @property
    def explains(self) -> bool:
        """Whether a boom that is up now may be so because it is kept up."""
        return self._out

    # --- what it is told ----------------------------------------------------------------------

    def fire(self, latched: bool) -> None:
        """There is a fire, or it is over."""
        self._stand(replace(self._standing, fire=latched))

    def stale_camera(self, stale: bool) -> None:
        """An exit that has only its camera to see by has lost it, or has it again."""
        self._stand(replace(self._standing, stale_camera=stale))

    def lane_failed(self, failed: bool) -> None:
        """An exit whose lane has failed notices no vehicle until it runs again."""
        self._stand(replace(self._standing, lane_failed=failed))

    def ordered(self, holds: Iterable[Hold]) -> None:
        """These orders keep it up from now on, and no others. They are stored already."""
        self._stand(replace(self._standing, holds=tuple(holds)))

    def passed(self, vehicles: int) -> None:
        """So many vehicles have passed; a fleet is over after its last."""
        after = hold.passed(self.holds, vehicles)
        if after != self.holds:
            self._stand(replace(self._standing, holds=after))

    def sensed(self, presence: Presence) -> None:
        """A sensor of the lane says something; a boom is not let go onto a vehicle."""
        self._under = self._under.after(presence)
        self._moved.set()

    def _stand(self, standing: Standing) -> None:
        self._standing = standing
        self._again_at = 0.0
        self._moved.set()

    @property
    def reasons(self) -> tuple[HoldReason, ...]:
        """Why the boom is to be up now."""
        if not self.holds:
            return hold.reasons(self._standing)
        now = self._rooms.clock.instant()
        holds = tuple(each for each in self.holds if not hold.is_over(each, now))
        return hold.reasons(replace(self._standing, holds=holds))

    @property
    def is_idle(self) -> bool:
        """Whether nothing keeps the boom up, and nothing is left of what did."""
        return not (self._out or self._told) and self._standing == _NOTHING

    # --- what it does -------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep the output as it should be until cancelled."""
        task = f"hold {self.name}"
        try:
            while True:
                self._rooms.health.beat(task, within_s=3 * BEAT_S)
                self._moved.clear()
                await self.wake()
                await rest(self._moved, self.wake_at, self._rooms.clock, at_most_s=BEAT_S)
        finally:
            self._rooms.health.forget(task)

    @property
    def wake_at(self) -> float | None:
        """When `wake` is due next (boot clock), None if nothing is."""
        if self.is_idle:
            return None
        now = self._rooms.clock.instant()
        ends = [hold.ends_at(each, now) for each in self.holds]
        moments = [moment for moment in (*ends, self._move_at) if moment is not None]
        return min(moments, default=None)

    @property
    def _move_at(self) -> float | None:
        if self.reasons:
            return None if self._out and self._done else self._again_at
        if not self._out:
            return None
        clear_at = self._under.clear_at
        return None if clear_at is None else max(clear_at, self._again_at)

    async def wake(self) -> None:
        """Do what is due: first the barrier, then the journal."""
        if self.is_idle:
            return
        await self._move()
        self._count()
        self._announce()

    async def _move(self) -> None:
        now, wanted = self._rooms.clock.boot_s(), bool(self.reasons)
        if now < self._again_at:
            return
        if wanted and not (self._out and self._done):
            await self._keep_up()
        elif not wanted and self._out:
            await self._let_go(now)

    async def _keep_up(self) -> None:
        self._out = True
        within_s = self._context.settings.barrier.deadline_s
        asked = self._context.command(within_s, reason=self.admits_as())
        self._followed(await self._context.barrier.hold(asked), "is not kept up")

    async def _let_go(self, now: float) -> None:
        if guard.against_release(self._under, now, kept_up=bool(self.reasons)) is not None:
            return
        ack = await self._context.barrier.release(self._context.command(RELEASE_WITHIN_S))
        self._followed(ack, "is not let go")
        self._out = ack.outcome is not Outcome.DONE
        self._changed()  # a vehicle let in under the boom as it was has to be decided again
        if not self._out:
            self._tell_let_go()

    def _followed(self, ack: Ack, fault: str) -> None:
        """Whether the output did as it was asked; one failure may be a connection not yet made."""
        failed_before, self._done = not self._done, ack.outcome is Outcome.DONE
        self._again_at = 0.0 if self._done else self._rooms.clock.boot_s() + AGAIN_S
        log.info("barrier.hold", lane=self.name, outcome=ack.outcome.value, detail=ack.detail)
        if self._done:
            self._rooms.health.clear_alarm("hold_failed", self.name)
        elif failed_before:
            self._rooms.health.raise_alarm("hold_failed", self.name, f"{fault}: {ack.detail}")

    def _count(self) -> None:
        """Holds that are over are let go of, and what is left of the others is kept."""
        now = self._rooms.clock.instant()
        over = [each for each in self.holds if hold.is_over(each, now)]
        if over:
            self._standing = replace(
                self._standing, holds=tuple(each for each in self.holds if each not in over)
            )
        counted = tuple(each for each in self.holds if each.vehicles is not None)
        if not over and counted == self._counted:
            return
        self._counted = counted
        facts = [BarrierReleased(reason=each.reason, by=GATE, why=_ended(each)) for each in over]
        self._rooms.journal.post(
            Commit(
                records=tuple(Record(fact=fact, at=now, lane=self.name) for fact in facts),
                counted=counted,
                released=tuple((each.lane, each.order) for each in over),
            )
        )

    def _announce(self) -> None:
        """What has changed is in the journal and in the windows of those inside."""
        before, now = self._told, self.reasons
        if before == now:
            return
        self._told = now
        self._changed()
        if bool(before) != bool(now):
            self._tell_zones(bool(now))
        facts: list[Fact] = [
            BarrierHeld(reason=each, by=GATE, why=_WHY[each])
            for each in now
            if each in _WHY and each not in before
        ]
        facts += [
            BarrierReleased(reason=each, by=GATE, why="it is so no longer")
            for each in before
            if each in _WHY and each not in now
        ]
        self._context.tell(*facts)

    def _tell_zones(self, up: bool) -> None:
        """Who passes under a boom that is kept up is not proven to have done so."""
        if up:
            self._rooms.health.raise_alarm(HELD_OPEN, self.name, "the boom is kept up")
        else:
            self._rooms.health.clear_alarm(HELD_OPEN, self.name)
        self._rooms.zones.held(self.name, up)


def _ended(each: Hold) -> str:
    return "its vehicles have passed" if each.vehicles == 0 else "its time is over"
