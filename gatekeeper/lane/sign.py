"""The sign of one lane: puts into words what the lane decides, where it has a display."""

from gatekeeper.drivers.ports import Display
from gatekeeper.lane.judge import Held
from gatekeeper.lane.rooms import Rooms
from gatekeeper.model import Decision, DisplayText, ZonePolicy
from gatekeeper.rules import texts


class Sign:
    """Tells the display, which never waits; a lane without one tells nobody."""

    def __init__(
        self, display: Display | None, policy: ZonePolicy, rooms: Rooms, held: Held
    ) -> None:
        self._display = display
        self._zone = policy.zone
        self._capacity = policy.capacity
        self._rooms = rooms
        self._held = held
        self._told: DisplayText | None = None

    def decided(self, decision: Decision) -> None:
        """The driver is told at once, before the journal and the barrier."""
        if self._display is not None:
            self._show(self._display, texts.decided(self._rooms.texts, decision, free=self._free))

    def waits(self) -> None:
        """Admitted, and the opposite lane has the barrier."""
        if self._display is not None:
            self._show(self._display, texts.waits(self._rooms.texts))

    def idle(self) -> None:
        """Nobody stands here; whoever comes next may drive in where the boom is kept up."""
        if self._display is not None:
            idle = texts.idle(self._rooms.texts, free=self._free, held=self._held())
            self._show(self._display, idle)

    def _show(self, display: Display, text: DisplayText) -> None:
        """Only what is new: each look of a second one asks the driver to wait once more."""
        if text != self._told:
            self._told = text
            display.show(text)

    @property
    def _free(self) -> int | None:
        """Spaces nobody has and nobody was promised; None while the count is not trusted."""
        state = self._rooms.zones.state(self._zone)
        return max(0, self._capacity - state.taken) if state.trusted else None
