"""Moves the boom of one lane by pulses: opens it for a vehicle, and closes it where the site wants.

Opening comes first. An opening is posted to the journal before its pulse; after a crash an intent
without an outcome is known to be unknown, and is never pulsed again. Most barriers close by
themselves, by their own loop and photocell.
"""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from gatekeeper.clock import rest
from gatekeeper.journal import OPENING_S, PATIENCE_S
from gatekeeper.lane.context import LaneContext
from gatekeeper.lane.visit import Ordered
from gatekeeper.model import (
    Ack,
    BarrierClosed,
    BarrierCommand,
    BarrierCommanded,
    BarrierIntended,
    Fact,
    Outcome,
    Presence,
    Reason,
    Sensor,
)
from gatekeeper.rules import guard, hold

log = structlog.get_logger(__name__)

KEPT_UP = "the boom is kept up"
"""What is said of an opening that needs no pulse."""

UP = "the boom is up"
"""Likewise where the input of the boom says so (situations, 40)."""

WITHIN_S = 0.2
"""What was clear a moment ago may not be in a moment: a closing is written now or never."""

BEAT_S = 5.0
"""The longest that the closer rests."""


@dataclass(frozen=True, slots=True)
class Opening:
    """One opening that is asked for. `because` are the facts that led to it, posted together with
    the intent. One by `order` is good no longer than that.
    """

    command: str
    reason: Reason
    passage: str | None
    because: tuple[Fact, ...] = ()
    order: Ordered | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """What became of an opening; `unpulsed`: it is done without a pulse, for the boom is up."""

    ack: Ack
    unpulsed: bool = False


class Opener:
    """The opening pulses of one lane."""

    def __init__(
        self, context: LaneContext, *, kept_up: Callable[[], bool], is_up: Callable[[], bool]
    ) -> None:
        """`kept_up` is whether the boom is known to be kept up, `is_up` whether an input says that
        it is up, and no vehicle has used that yet.
        """
        self._context = context
        self._clock = context.rooms.clock
        self._last_pulse = context.last_pulse
        self._kept_up = kept_up
        self._is_up = is_up

    async def open(self, opening: Opening) -> Opened:
        """Open once. The lane's deadline begins when the intent has been written, or has been
        waited for long enough; a boom that is up needs no pulse.
        """
        if self._kept_up():
            self._context.tell(*opening.because, passage=opening.passage)
            return Opened(self._ack(opening, Outcome.DONE, KEPT_UP), unpulsed=True)
        intent = BarrierIntended(command=opening.command, reason=opening.reason)
        posted = self._context.tell(*opening.because, intent, passage=opening.passage)
        must = self._must_open(opening.reason)
        patience_s = OPENING_S if must else PATIENCE_S
        written = False
        opened = Opened(self._ack(opening, Outcome.UNKNOWN, "the lane failed meanwhile"))
        try:
            written = await self._context.rooms.journal.written(posted, within_s=patience_s)
            may = written or must or self._context.store_failure_admits
            opened = await self._pulse(opening, may=may)
        finally:
            self._report(opening, opened.ack, behind=not written)
        return opened

    async def _pulse(self, opening: Opening, *, may: bool) -> Opened:
        """Whether it may open unwritten is asked before whether it is late."""
        if self._is_up():
            return Opened(self._ack(opening, Outcome.DONE, UP), unpulsed=True)
        asked, now = self._command(opening), self._clock.boot_s()
        objection = self._objection(opening, may=may) or guard.objection(
            asked, now, self._last_pulse.at, locked=self._locked
        )
        if objection is not None:
            return Opened(self._ack(opening, Outcome.FAILED, objection))
        self._last_pulse.at, self._last_pulse.used = now, False
        return Opened(await self._context.barrier.open(asked))

    def _objection(self, opening: Opening, *, may: bool) -> str | None:
        if not may:
            return "the database cannot be written"
        given_up = opening.order is not None and not opening.order.stands
        return "the order is no longer waited for" if given_up else None

    @property
    def _locked(self) -> bool:
        return not self._context.is_exit and self._context.rooms.site().lockdown

    def _command(self, opening: Opening) -> BarrierCommand:
        lasts_s = self._context.settings.barrier.deadline_s
        if opening.order is not None:
            lasts_s = min(lasts_s, opening.order.until - self._clock.boot_s())
        return self._context.command(
            lasts_s, reason=opening.reason, passage=opening.passage, known_as=opening.command
        )

    def _must_open(self, reason: Reason) -> bool:
        """Exits and exempt vehicles open also when nothing can be written, and so does a boom that
        is to be kept up.
        """
        return self._context.is_exit or reason in (Reason.EXEMPT, *hold.ADMITS_AS)

    def _report(self, opening: Opening, ack: Ack, *, behind: bool) -> None:
        log.info(
            "barrier.commanded",
            lane=self._context.name,
            reason=opening.reason.value,
            outcome=ack.outcome.value,
            detail=ack.detail,
        )
        outcome = BarrierCommanded(
            command=opening.command, outcome=ack.outcome, detail=ack.detail, behind=behind
        )
        self._context.tell(outcome, passage=opening.passage)

    def _ack(self, opening: Opening, outcome: Outcome, detail: str) -> Ack:
        at = self._clock.boot_s()
        return Ack(command=opening.command, outcome=outcome, detail=detail, at=at)


class Closer:
    """The close relay of one lane: told once, and only when nothing is, or was a moment ago, where
    the boom comes down.
    """

    def __init__(
        self,
        context: LaneContext,
        *,
        after_s: float,
        kept_up: Callable[[], bool],
        opening: Callable[[], bool],
    ) -> None:
        """It closes `after_s` after a passage. `kept_up` is whether the boom is held, `opening`
        whether a vehicle is in the lane, or in the opposite one that shares its barrier.
        """
        self._context = context
        self._lane = context.name
        self._clock = context.rooms.clock
        self._after_s = after_s
        self._last_pulse = context.last_pulse
        self._kept_up = kept_up
        self._in_the_lane = opening
        self._around = guard.around(context.settings.sensors)
        self._due_at: float | None = None
        self._opened_at: float | None = None
        self._down = False
        self._moved = asyncio.Event()

    def opens(self, used_within_s: float | None = None) -> None:
        """An opening is asked for: what was to be closed is not. If no vehicle is there yet for
        which it is opened, the boom is to be closed so long afterwards, unless one comes.
        """
        self._opened_at = now = self._clock.boot_s()
        self._due_at = None if used_within_s is None else now + used_within_s
        self._moved.set()

    def over(self) -> None:
        """The passage for which it was opened is over."""
        if self._opened_at is not None:
            self._due_at = self._clock.boot_s() + self._after_s
            self._moved.set()

    def let_go(self) -> None:
        """The boom was kept up, and is no longer."""
        if not self._down:
            self._due_at = self._clock.boot_s() + self._after_s
            self._moved.set()

    def sensed(self, presence: Presence) -> None:
        """A sensor of the lane says something."""
        self._around = self._around.after(presence)
        if presence.sensor is Sensor.BOOM_UP:
            self._down = not presence.on
            if self._down:
                self._due_at = self._opened_at = None
        self._moved.set()

    async def run(self) -> None:
        """Close when it is time, until cancelled."""
        while True:
            self._moved.clear()
            await self.wake()
            await rest(self._moved, self.wake_at, self._clock, at_most_s=BEAT_S)

    @property
    def wake_at(self) -> float | None:
        """When `wake` is due next (boot clock); None while nothing is to be closed, or something
        is in the way, of which a sensor will tell.
        """
        clear_at = self._around.clear_at
        if self._due_at is None or clear_at is None or self._opening():
            return None
        return max(self._due_at, clear_at, self._last_at + guard.MIN_GAP_S)

    async def wake(self) -> None:
        """Close, if it is time and nothing speaks against it. One pulse, never repeated."""
        now = self._clock.boot_s()
        if self._kept_up():
            self._due_at = None
        if self._due_at is None or now < self._due_at:
            return
        objection = guard.against_closing(
            self._around,
            now,
            kept_up=self._kept_up(),
            opening=self._opening(),
            last_at=self._last_at,
        )
        if objection is None:
            self._due_at = self._opened_at = None
            await self._close()

    def _opening(self) -> bool:
        """Whether a vehicle is in the lane; without its camera that is not known."""
        stale = self._context.rooms.health.stands("camera_stale", self._lane)
        return self._in_the_lane() or stale

    @property
    def _last_at(self) -> float:
        moments = (self._opened_at, self._last_pulse.at)
        return max((moment for moment in moments if moment is not None), default=-math.inf)

    async def _close(self) -> None:
        asked = self._context.command(WITHIN_S)
        ack = await self._context.barrier.close(asked)
        log.info("barrier.closed", lane=self._lane, outcome=ack.outcome.value, detail=ack.detail)
        if ack.outcome is Outcome.DONE:
            self._context.rooms.health.clear_alarm("close_failed", self._lane)
        else:
            self._context.rooms.health.raise_alarm("close_failed", self._lane, ack.detail)
        self._context.tell(BarrierClosed(command=asked.id, outcome=ack.outcome, detail=ack.detail))
