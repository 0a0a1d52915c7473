"""A boom that is up because its relay was found on, without a reason: when it may come down
again. The inputs of its lanes come in; pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gatekeeper.config import LaneSettings
from gatekeeper.drivers.inputs import is_on

CLEAR_S = 2.0
"""No loop of a lane has seen anything for so long: nothing stands under its boom."""

_UP = "boom_up"
"""The one input that sees the boom itself."""


@dataclass(slots=True, kw_only=True)
class _Due:
    """A vehicle that was let in while the boom was up, and has still to drive under it."""

    until: float
    on_loop: bool = True  # another one may stand there: only who drives onto it from now on counts
    crosses: bool = False

    def see(self, on_loop: bool) -> bool:
        """What its safety loop says now; whether the vehicle has driven over it."""
        crossed = self.crosses and not on_loop
        self.crosses |= on_loop and not self.on_loop
        self.on_loop = on_loop
        return crossed


@dataclass(slots=True, kw_only=True)
class LeftUp:
    """The lanes under one such boom, and what is known of them."""

    lanes: tuple[LaneSettings, ...]
    _clear_since: float | None = None
    _due: _Due | None = None

    @property
    def names(self) -> list[str]:
        """The lanes under this boom."""
        return [lane.name for lane in self.lanes]

    def let_in(self, lane: str, at: float) -> None:
        """A vehicle of this lane was let in at that moment, and nothing else will raise the boom
        for it: the boom waits for it as long as the lane does.
        """
        waits_s = next(one.open_timeout_s for one in self.lanes if one.name == lane)
        self._due = _Due(until=at + waits_s)

    def unseen(self) -> None:
        """The inputs could not be read for a while: how long the lanes are clear is not known."""
        self._clear_since = None

    def may_come_down(self, inputs: Sequence[bool], at: float) -> bool:
        """Whether the lanes have been clear for long enough, and no vehicle is due."""
        if self._due is not None and (self._crossed(self._due, inputs) or at >= self._due.until):
            self._due = None
        wires = [wire for lane in self.lanes for key, wire in lane.inputs.items() if key != _UP]
        if any(is_on(wire, inputs) for wire in wires):
            self._clear_since = None
        elif self._clear_since is None:
            self._clear_since = at
        clear = self._clear_since is not None and at - self._clear_since >= CLEAR_S
        return clear and self._due is None

    def _crossed(self, due: _Due, inputs: Sequence[bool]) -> bool:
        loops = [lane.safety_loop for lane in self.lanes if lane.safety_loop is not None]
        return due.see(any(is_on(loop, inputs) for loop in loops))
