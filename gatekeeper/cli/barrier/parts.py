"""The parts of a lane that can be tried: their keys in the configuration, and their wires."""

from collections.abc import Mapping, Sequence

from gatekeeper.config import BarrierSettings, InputSettings, LaneSettings

OPEN, HOLD, CLOSE = "barrier.coil", "barrier.hold_coil", "barrier.close_coil"
BOOM_UP = "boom_up"


def inputs_of(lane: LaneSettings, fire: Sequence[InputSettings]) -> Mapping[str, InputSettings]:
    """The inputs to be tried with a lane: those of the fire controller concern every lane."""
    return {**lane.inputs, **fire_inputs(fire)}


def fire_inputs(fire: Sequence[InputSettings]) -> Mapping[str, InputSettings]:
    """The contacts of the fire controller."""
    return {f"fire.inputs[{number}]": wire for number, wire in enumerate(fire)}


def relays_of(barrier: BarrierSettings) -> Mapping[str, str]:
    """Where each relay is, `BOARD coil N`. A barrier without a `hold_coil` is held up by the relay
    that opens it.
    """
    coils = {OPEN: barrier.coil, HOLD: barrier.held_by, CLOSE: barrier.close_coil}
    return {
        part: f"{barrier.board} coil {coil}" for part, coil in coils.items() if coil is not None
    }


def channels(inputs: Mapping[str, InputSettings]) -> Mapping[str, str]:
    """Where each input is, `BOARD input N`."""
    return {
        part: f"{wire.board} input {wire.input}{' inverted' if wire.inverted else ''}"
        for part, wire in inputs.items()
    }
