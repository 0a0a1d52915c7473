"""The boom of one lane: whether it came up after its pulse, where an input says so."""

from gatekeeper.config import LaneSettings
from gatekeeper.health import Health
from gatekeeper.model import Ack, Outcome

NOT_UP = "boom_not_up"
"""The alarm of a boom that a pulse did not raise; its subject is the lane."""


class Boom:
    """What is known of one boom. `wake_at` is when `late` wants to be called (boot clock), None
    while no pulse is waited for, and always where no input tells of the boom.
    """

    def __init__(self, settings: LaneSettings, health: Health) -> None:
        self.wake_at: float | None = None
        self._lane = settings.name
        self._wired = settings.boom_up is not None
        self._rises_s = settings.boom_up_s
        self._up = False
        self._health = health

    def commanded(self, ack: Ack, at: float) -> None:
        """The barrier was opened, if it was; a boom that is up has nothing to do."""
        if self._wired and not self._up and ack.outcome is Outcome.DONE:
            self.wake_at = at + self._rises_s

    def moved(self, up: bool) -> None:
        """The boom is up, or no longer."""
        self._up = up
        if up:
            self.wake_at = None
            self._health.clear_alarm(NOT_UP, self._lane)

    def late(self) -> None:
        """It has not come up in time."""
        self.wake_at = None
        detail = f"the boom is not up {self._rises_s:g} s after its relay closed"
        self._health.raise_alarm(NOT_UP, self._lane, detail)
