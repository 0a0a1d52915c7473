"""The parts of a lane that can be tried: their keys in the configuration, and their wires."""

from collections.abc import Mapping

from gatekeeper.config import LaneSettings
from gatekeeper.model import Sensor

OPEN, HOLD, CLOSE = "barrier.coil", "barrier.hold_coil", "barrier.close_coil"
BOOM_UP = "boom_up"


def channels(lane: LaneSettings) -> Mapping[str, str]:
    """Where each part is wired to, `BOARD coil N` or `BOARD input N`. A barrier without a
    `hold_coil` is held up by the relay that opens it.
    """
    barrier = lane.barrier
    coils = {OPEN: barrier.coil, HOLD: barrier.held_by, CLOSE: barrier.close_coil}
    inputs = {
        part: f"{wire.board} input {wire.input}{' inverted' if wire.inverted else ''}"
        for part, wire in lane.inputs.items()
    }
    relays = {part: f"{barrier.board} coil {coil}" for part, coil in coils.items()}
    return inputs | {part: relays[part] for part, coil in coils.items() if coil is not None}


def sensor_of(part: str) -> Sensor:
    """What the board calls an input."""
    return Sensor(part.removesuffix("_loop"))


def part_of(sensor: Sensor) -> str:
    """The input that a board calls so."""
    loop = sensor in (Sensor.ARRIVAL, Sensor.SAFETY)
    return f"{sensor.value}_loop" if loop else sensor.value
