"""The safety loop of one lane, as far as it can be believed."""

from gatekeeper.health import Health
from gatekeeper.model import PassageEnd
from gatekeeper.rules import loops
from gatekeeper.rules.loops import SafetyLoop


class Safety:
    """A safety loop that is dead is none, and has passages presumed, until it moves again."""

    def __init__(self, lane: str, *, wired: bool, health: Health) -> None:
        self._lane = lane
        self._wired = wired
        self._health = health
        self._loop = SafetyLoop()

    @property
    def tells(self) -> bool:
        """Whether there is one that tells who passes."""
        return self._wired and not self._loop.dead

    def moved(self) -> None:
        """It is occupied from now on, or clear: it lives."""
        self._believe(SafetyLoop())

    def ended(self, end: PassageEnd, *, opened: bool, occupied: bool) -> None:
        """A visit is over: `opened` is whether its barrier was opened, `occupied` what it says."""
        if self._wired:
            self._believe(loops.after(self._loop, end, opened=opened, occupied=occupied))

    def _believe(self, loop: SafetyLoop) -> None:
        self._loop = loop
        if loop.dead:
            detail = "vehicles pass, and the safety loop does not tell of them"
            self._health.raise_alarm("safety_loop_dead", self._lane, detail)
        else:
            self._health.clear_alarm("safety_loop_dead", self._lane)
