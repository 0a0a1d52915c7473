"""The fire inputs of this controller: what they say is judged, latched, told and posted.

The lanes are told first. A latch outlives a restart; only a person lets it go (`rules.fire`).
"""

import asyncio
from collections.abc import Callable, Sequence

from gatekeeper.clock import Clock, rest
from gatekeeper.config import InputSettings
from gatekeeper.health import Health
from gatekeeper.journal import Journal
from gatekeeper.model import Commit, Fact, FireGlitch, FireLatched, FireReleased, Presence, Record
from gatekeeper.rules import fire
from gatekeeper.rules.fire import Glitch, Latched, Long, News

BEAT_S = 5.0
"""How often the inputs say that they are looked after, though nothing changes."""

SITE = "site"
"""The subject of the alarm `fire`."""


class FireInputs:
    """Used from the loop's thread. `latched` is told at once when a fire begins or is over."""

    def __init__(
        self,
        wires: Sequence[InputSettings],
        *,
        journal: Journal,
        clock: Clock,
        health: Health,
        latched: Callable[[bool], None],
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._health = health
        self._tell = latched
        self._boards = {name_of(wire): wire.board for wire in wires}
        self._fire = fire.begin(self._boards, latched=False)
        self._moved = asyncio.Event()

    @property
    def latched(self) -> bool:
        """Whether there is a fire, or one that has not yet been declared over."""
        return self._fire.latched

    def restore(self, latched: bool) -> None:
        """Go on from what was stored: a fire that was latched is, whatever the inputs say now."""
        if latched and not self.latched:
            self._fire = fire.begin(self._boards, latched=True)
            self._burns("it was latched before the controller started")

    def sensed(self, name: str, presence: Presence) -> None:
        """An input says whether there is a fire."""
        self._take(fire.sensed(self._fire, name, presence.on, presence.at))
        self._moved.set()

    # --- time ---------------------------------------------------------------------------------

    async def run(self) -> None:
        """Look after the inputs until cancelled."""
        while True:
            self._health.beat("fire", within_s=3 * BEAT_S)
            self._moved.clear()
            await self.wake()
            await rest(self._moved, self.wake_at, self._clock, at_most_s=BEAT_S)

    @property
    def wake_at(self) -> float | None:
        """When `wake` is due next (boot clock), None if nothing is."""
        return fire.wake_at(self._fire)

    async def wake(self) -> None:
        """Judge inputs that have been on for a while."""
        self._take(fire.late(self._fire, self._clock.boot_s()))

    def release(self, by: str, reason: str) -> str | None:
        """A person says that the fire is over; why that cannot be, None if it is done."""
        if not self.latched:
            return None
        objection = self._objection()
        if objection is not None:
            return objection
        self._fire = fire.released(self._fire)
        self._post(FireReleased(by=by, reason=reason), latched=False)
        self._health.clear_alarm("fire", SITE)
        self._tell(False)
        return None

    def _objection(self) -> str | None:
        for board in self._boards.values():
            if self._health.stands("relay_unreachable", board):
                return f"board {board} cannot be reached: what its fire input says is not known"
        return fire.objection(self._fire, self._clock.boot_s())

    # --- what is said -------------------------------------------------------------------------

    def _take(self, step: fire.FireStep) -> None:
        self._fire = step.fire
        for news in step.news:
            self._hear(news)

    def _hear(self, news: News) -> None:
        match news:
            case Latched(line=line):
                self._burns(f"the fire input {line} is on")
                self._post(FireLatched(input=line), latched=True)
            case Glitch(line=line, lasted_s=lasted_s):
                self._journal.tell(FireGlitch(input=line, lasted_s=lasted_s))
            case Long(on=True, line=line):
                detail = f"{line} has been on for half an hour: is it stuck, or its wire broken?"
                self._health.raise_alarm("fire_long", SITE, detail)
            case Long(on=False):
                self._health.clear_alarm("fire_long", SITE)

    def _burns(self, detail: str) -> None:
        self._tell(True)
        self._health.raise_alarm("fire", SITE, f"{detail}: every lane is kept open")

    def _post(self, fact: Fact, *, latched: bool) -> None:
        record = Record(fact=fact, at=self._clock.instant())
        self._journal.post(Commit(records=(record,), fire=latched))


def name_of(wire: InputSettings) -> str:
    """A fire input as events and answers call it."""
    return f"{wire.board}/{wire.input}"
