"""The parts of a lane that can be tried: their keys in the configuration, and their wires."""

from collections.abc import Mapping

from gatekeeper.config import LaneSettings
from gatekeeper.model import Sensor

OPEN = "barrier.coil"

SENSORS: Mapping[str, Sensor] = {
    "arrival_loop": Sensor.ARRIVAL,
    "safety_loop": Sensor.SAFETY,
    "boom_up": Sensor.BOOM_UP,
}
"""What the board calls each input."""


def channels(lane: LaneSettings) -> Mapping[str, str]:
    """Where each part is wired to, `BOARD coil N` or `BOARD input N`."""
    barrier = lane.barrier
    relays = {OPEN: f"{barrier.board} coil {barrier.coil}"}
    inputs = {
        part: f"{wire.board} input {wire.input}{' inverted' if wire.inverted else ''}"
        for part, wire in lane.inputs.items()
    }
    return {**inputs, **relays}
