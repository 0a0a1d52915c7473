"""The wires between the kerbs and the gates: they carry nothing while the power is off."""

from collections.abc import Mapping
from typing import Final

from simulators.world.gate import Gate, Read
from simulators.world.truth import Truth

CONTROLLERS: Final[Mapping[str, tuple[str, ...]]] = {
    "gate-outer": ("outer-entry", "outer-exit"),
    "gate-inner": ("inner-entry", "inner-exit"),
}
LANES: Final = tuple(lane for lanes in CONTROLLERS.values() for lane in lanes)


class Wire:
    """Carries edges and frames to the gates, and keeps in mind what they cannot hear."""

    def __init__(self, gate: Gate, truth: Truth) -> None:
        self.gate = gate
        self._truth = truth
        self._powered = dict.fromkeys(LANES, True)
        self._cameras = dict.fromkeys(LANES, True)
        self._frames = dict.fromkeys(LANES, 0)
        self._loops: dict[tuple[str, str], bool] = {}

    def powered(self, lane: str) -> bool:
        """Whether the lane's controller has power."""
        return self._powered[lane]

    def edge(self, lane: str, sensor: str, on: bool, at: float) -> None:
        """A loop has changed."""
        self._loops[lane, sensor] = on
        loops = self._loops
        free = not (loops.get((lane, "arrival")) or loops.get((lane, "safety")))
        self._truth.occupied(lane, not free, at)
        if self._powered[lane]:
            self.gate.edge(lane, sensor, on, at)

    def looking(self, lane: str) -> bool:
        """Whether a frame would be taken now."""
        return self._powered[lane] and self._cameras[lane] and self.gate.looking(lane)

    def look(self, lane: str, reads: tuple[Read, ...], at: float) -> None:
        """The lane's next frame."""
        self._frames[lane] += 1
        self.gate.look(lane, self._frames[lane], reads, at)

    def camera(self, lane: str, alive: bool, at: float) -> None:
        """A camera dies or comes back."""
        self._cameras[lane] = alive
        self._truth.blind(lane, "camera", not alive, at)
        self.gate.camera(lane, alive, at)

    def power(self, controller: str, on: bool, at: float) -> None:
        """A controller loses its power, or comes back and finds its loops as they are."""
        for lane in CONTROLLERS[controller]:
            self._powered[lane] = on
            self._truth.blind(lane, "power", not on, at)
        self.gate.power(controller, on, at)
        if on:
            self._tell_occupied(controller, at)

    def _tell_occupied(self, controller: str, at: float) -> None:
        for (lane, sensor), occupied in sorted(self._loops.items()):
            if occupied and lane in CONTROLLERS[controller]:
                self.gate.edge(lane, sensor, True, at)
