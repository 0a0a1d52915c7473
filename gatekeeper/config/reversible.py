"""Reversible lanes: an entry and an exit lane on the two sides of one barrier.

The two are tables of their own, and one names the other as its `opposite`, or each the other. Only
then may they share a relay and inputs; each keeps its arrival loop for itself.
"""

from collections.abc import Iterator

from gatekeeper.config.controller import Config
from gatekeeper.config.lanes import LaneSettings

_OWN = "arrival_loop"
"""The one input that tells from which side a vehicle comes."""


def reversible_lanes(config: Config) -> list[tuple[LaneSettings, LaneSettings]]:
    """The pairs of lanes that share a barrier: each once, as it is first named."""
    lanes = {lane.name: lane for lane in config.lane}
    named = [(lane, lanes[lane.opposite]) for lane in config.lane if lane.opposite in lanes]
    return [
        (lane, other) for n, (lane, other) in enumerate(named) if (other, lane) not in named[:n]
    ]


def shared_with(config: Config, lane: LaneSettings) -> frozenset[str]:
    """The keys of those wires of a lane that its opposite, further up in the file, names too."""
    for pair in reversible_lanes(config):
        if lane in pair and lane is max(pair, key=config.lane.index):
            return frozenset({"barrier", *lane.inputs} - {_OWN})
    return frozenset()


def reversible_faults(config: Config) -> list[str]:
    """Pairs that are none: one line for each fault."""
    known = {lane.name for lane in config.lane}
    unknown = [
        f'lane "{lane.name}".opposite: no lane is called "{lane.opposite}"'
        for lane in config.lane
        if lane.opposite is not None and lane.opposite not in known
    ]
    return [
        *unknown,
        *_third_lanes(config),
        *(
            f'lane "{lane.name}".{fault}'
            for lane, other in reversible_lanes(config)
            for fault in _faults_of(lane, other)
        ),
    ]


def _third_lanes(config: Config) -> Iterator[str]:
    pairs = [{lane.name, other.name} for lane, other in reversible_lanes(config)]
    for lane in config.lane:
        others = [f'"{name}"' for pair in pairs for name in pair - {lane.name} if lane.name in pair]
        if len(others) > 1:
            yield f'lane "{lane.name}".opposite: is that of {" and ".join(others)}; one only can be'


def _faults_of(lane: LaneSettings, other: LaneSettings) -> Iterator[str]:
    """What the two have to differ in, and what has to be the same."""
    if lane.direction is other.direction:
        yield f'opposite: "{other.name}" is an {other.direction} too; one has to lead back'
    if lane.zone != other.zone:
        yield f'opposite: "{other.name}" belongs to another zone, "{other.zone}"'
    if lane.safety_loop is None:
        yield "safety_loop: missing; without it, it is not known when a shared barrier is clear"
    if lane.barrier.close_coil is not None:
        yield "barrier.close_coil: neither of two lanes sees all who may be under a shared boom"
    wires, others = ({"barrier": each.barrier, **each.inputs} for each in (lane, other))
    for key in sorted((wires.keys() | others.keys()) - {_OWN}):
        if wires.get(key) != others.get(key):
            yield f'{key}: has to be the same as that of its opposite "{other.name}"'
