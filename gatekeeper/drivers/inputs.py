"""The inputs of one board, and who is told of each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gatekeeper.config import InputSettings
from gatekeeper.model import Presence, Sensor

Tell = Callable[[Presence], None]


@dataclass(slots=True, kw_only=True)
class _Watch:
    """One input, who is told of it, and what was told last."""

    lane: str
    sensor: Sensor
    wire: InputSettings
    tell: Tell
    told: bool | None = None

    def see(self, inputs: Sequence[bool], at: float) -> bool:
        on = is_on(self.wire, inputs)
        changed = on != self.told
        if changed:
            self.told = on
            self.tell(Presence(lane=self.lane, sensor=self.sensor, on=on, at=at))
        return on and changed


class Inputs:
    """Tells each input at first as it is, and then each change."""

    def __init__(self) -> None:
        self._watches: list[_Watch] = []

    def watch(self, lane: str, sensor: Sensor, wire: InputSettings, tell: Tell) -> None:
        """From now on tell this input; `tell` must not block."""
        self._watches.append(_Watch(lane=lane, sensor=sensor, wire=wire, tell=tell))

    def see(self, inputs: Sequence[bool], at: float) -> bool:
        """What all inputs of the board were at this moment; whether one of them came on."""
        return any([watch.see(inputs, at) for watch in self._watches])


def is_on(wire: InputSettings, inputs: Sequence[bool]) -> bool:
    """Whether an input says that there is something."""
    return inputs[wire.input] != wire.inverted
