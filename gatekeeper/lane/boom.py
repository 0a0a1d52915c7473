"""The boom of one lane, where an input tells of it: whether it came up after its pulse, and whether
it came up because of one.
"""

from collections.abc import Callable
from dataclasses import dataclass

from gatekeeper.config import LaneSettings
from gatekeeper.lane.rooms import Rooms
from gatekeeper.lane.scribe import Scribe
from gatekeeper.model import Ack, Doubt, Outcome, Presence

NOT_UP = "boom_not_up"
"""The alarm of a boom that a pulse did not raise; its subject is the lane."""

WITHOUT_COMMAND = Doubt.BOOM_WITHOUT_COMMAND
"""The doubt on those inside, and the alarm, of a boom that nothing here has raised."""

RISES_S = 10.0
"""How long after a pulse a boom may rise because of it."""


@dataclass(slots=True)
class LastPulse:
    """When a barrier was last commanded (boot clock), None if never; lanes that share one share
    this.
    """

    at: float | None = None


class Boom:
    """What is known of one boom. `wake_at` is when `late` wants to be called (boot clock), None
    while no pulse is waited for, and always where no input tells of the boom.
    """

    def __init__(
        self,
        settings: LaneSettings,
        *,
        rooms: Rooms,
        scribe: Scribe,
        last_pulse: LastPulse,
        kept_up: Callable[[], bool],
    ) -> None:
        """`kept_up` is whether a boom that is up now may be so because it is kept up."""
        self.wake_at: float | None = None
        self.last_pulse = last_pulse
        self._lane = settings.name
        self._wired = settings.boom_up is not None
        self._rises_s = settings.boom_up_s
        self._up = False
        self._rooms = rooms
        self._scribe = scribe
        self._kept_up = kept_up

    def commanded(self, ack: Ack) -> None:
        """The barrier was opened, if it was; a boom that is up has nothing to do."""
        if self._wired and not self._up and ack.outcome is Outcome.DONE:
            self.wake_at = self._rooms.clock.boot_s() + self._rises_s

    async def moved(self, presence: Presence) -> None:
        """The boom is up, or no longer. If by hand, or by a button that is not ours, anybody may
        have left.
        """
        health, self._up = self._rooms.health, presence.on
        if not self._up:
            health.clear_alarm(WITHOUT_COMMAND.value, self._lane)
            return
        self.wake_at = None
        health.clear_alarm(NOT_UP, self._lane)
        if not self._explains(presence.at):
            detail = "the boom is up, and nothing here has opened it"
            health.raise_alarm(WITHOUT_COMMAND.value, self._lane, detail)
            self._scribe.doubt(WITHOUT_COMMAND)

    def late(self) -> None:
        """It has not come up in time."""
        self.wake_at = None
        detail = f"the boom is not up {self._rises_s:g} s after its relay closed"
        self._rooms.health.raise_alarm(NOT_UP, self._lane, detail)

    def _explains(self, rise_at: float) -> bool:
        """Whether what was commanded explains that the boom rose then (boot clock)."""
        pulsed_at = self.last_pulse.at
        pulsed = pulsed_at is not None and rise_at - pulsed_at <= RISES_S
        return pulsed or self._kept_up()
