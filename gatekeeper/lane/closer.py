"""Closes a barrier after a passage, where the site has asked for it; opening always comes first.

Most barriers close by themselves, by their own loop and photocell. Where this one has to be told,
it is told once, and only when nobody is, or was a moment ago, where the boom comes down.
"""

import asyncio
from collections.abc import Callable

import structlog

from gatekeeper.clock import rest
from gatekeeper.config import LaneSettings
from gatekeeper.drivers.ports import Barrier
from gatekeeper.lane.command import command
from gatekeeper.lane.rooms import Rooms
from gatekeeper.lane.scribe import Scribe
from gatekeeper.model import (
    Ack,
    BarrierClosed,
    Outcome,
    Presence,
    Sensor,
)
from gatekeeper.rules import guard

log = structlog.get_logger(__name__)

WITHIN_S = 0.2
"""What was clear a moment ago may not be in a moment: a closing is written now or never."""

BEAT_S = 5.0
"""How often it is looked whether there is something to close, wanted or not."""


class Closer:
    """The close relay of one lane."""

    def __init__(
        self,
        settings: LaneSettings,
        *,
        barrier: Barrier,
        rooms: Rooms,
        kept_up: Callable[[], bool],
        opening: Callable[[], bool],
    ) -> None:
        """`kept_up` is whether the boom is held, `opening` whether a vehicle is in the lane."""
        self.name = settings.name
        self._after_s = settings.barrier.close_after_s
        self._barrier = barrier
        self._rooms = rooms
        self._scribe = Scribe(settings.name, rooms)
        self._kept_up = kept_up
        self._in_the_lane = opening
        self._around = guard.around(settings.sensors)
        self._due_at: float | None = None
        self._opened_at: float | None = None
        self._moved = asyncio.Event()

    def opens(self) -> None:
        """An opening is asked for: what was to be closed is not."""
        self._due_at = None
        self._opened_at = self._rooms.clock.boot_s()

    def over(self) -> None:
        """The passage for which it was opened is over."""
        if self._after_s is not None and self._opened_at is not None:
            self._due_at = self._rooms.clock.boot_s() + self._after_s
            self._moved.set()

    def sensed(self, presence: Presence) -> None:
        """A sensor of the lane says something."""
        self._around = self._around.after(presence)
        if presence.sensor is Sensor.BOOM_UP and not presence.on:
            self._due_at = self._opened_at = None
        self._moved.set()

    async def run(self) -> None:
        """Close when it is time, until cancelled."""
        while True:
            self._moved.clear()
            await self.wake()
            await rest(self._moved, self.wake_at, self._rooms.clock, at_most_s=BEAT_S)

    def _opening(self) -> bool:
        """Whether somebody is in the lane; without its camera nobody knows."""
        return self._in_the_lane() or self._rooms.health.stands("camera_stale", self.name)

    @property
    def wake_at(self) -> float | None:
        """When `wake` is due next (boot clock); None while nothing is to be closed, or somebody is
        in the way and will be heard of.
        """
        clear_at = self._around.clear_at
        if self._due_at is None or clear_at is None or self._opening():
            return None
        gap_at = 0.0 if self._opened_at is None else self._opened_at + guard.MIN_GAP_S
        return max(self._due_at, clear_at, gap_at)

    async def wake(self) -> None:
        """Close, if it is time and nothing speaks against it. One pulse, never repeated."""
        now = self._rooms.clock.boot_s()
        if self._kept_up():
            self._due_at = None
        if self._due_at is None or now < self._due_at:
            return
        objection = guard.against_closing(
            self._around,
            now,
            kept_up=self._kept_up(),
            opening=self._opening(),
            last_at=self._opened_at,
        )
        if objection is None:
            self._due_at = self._opened_at = None
            await self._close()

    async def _close(self) -> None:
        asked = command(self.name, self._rooms.clock, WITHIN_S)
        ack = await self._barrier.close(asked)
        log.info("barrier.closed", lane=self.name, outcome=ack.outcome.value, detail=ack.detail)
        self._report(ack)
        closed = BarrierClosed(command=asked.id, outcome=ack.outcome, detail=ack.detail)
        self._scribe.tell(closed, passage=None)

    def _report(self, ack: Ack) -> None:
        if ack.outcome is Outcome.DONE:
            self._rooms.health.clear_alarm("close_failed", self.name)
        else:
            self._rooms.health.raise_alarm("close_failed", self.name, ack.detail)
