"""How the command line describes boards, and which lane is wired to which relay and input."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Self

from simulators.device import Device
from simulators.kinds import KINDS


@dataclass(frozen=True, slots=True, order=True)
class Channel:
    """One relay or input of one board on the line."""

    unit: int
    number: int

    @classmethod
    def parse(cls, text: str, unit: int) -> Self:
        """`3`, of the board `unit`, or `2.3`, of board 2; raises `ValueError`."""
        before, dot, number = text.rpartition(".")
        return cls(int(before) if dot else unit, int(number))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """Which relays and inputs belong to a lane; what is None is not wired.

    Two lanes with the same `coil` are the two directions of one reversible lane.
    """

    lane: str
    coil: Channel
    hold: Channel | None = None
    close: Channel | None = None
    arrival: Channel | None = None
    safety: Channel | None = None
    photocell: Channel | None = None
    boom_up: Channel | None = None

    @classmethod
    def parse(cls, text: str, unit: int) -> Self:
        """`NAME:coil=0,arrival=0,safety=1,...`; raises `ValueError`."""
        lane, _, wires = text.partition(":")
        try:
            pairs = dict(wire.split("=") for wire in wires.split(","))
            channels = {key: Channel.parse(value, unit) for key, value in pairs.items()}
            return cls(lane=lane, **channels)
        except (TypeError, ValueError):
            raise ValueError(f"{text}: must look like {USAGE}") from None

    @property
    def relays(self) -> tuple[Channel, ...]:
        """Those that are wired."""
        return tuple(c for c in (self.coil, self.hold, self.close) if c is not None)

    @property
    def under(self) -> tuple[Channel | None, ...]:
        """What belongs to the barrier, and so to both lanes that lead under it."""
        return (self.hold, self.close, self.safety, self.photocell, self.boom_up)

    @property
    def inputs(self) -> tuple[Channel, ...]:
        """Those that are wired."""
        ends = (self.arrival, self.safety, self.photocell, self.boom_up)
        return tuple(channel for channel in ends if channel is not None)


USAGE = f"NAME:coil=0[,{','.join(f'{f.name}=N' for f in fields(Wiring)[2:])}]"

USAGE_UNIT = "N[:KIND][,coils=8][,inputs=8]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One board as the command line describes it."""

    unit: int
    kind: type[Device]
    coils: int
    inputs: int

    @classmethod
    def parse(cls, text: str, options: argparse.Namespace) -> Self:
        """`1`, `2:zlan`, `2:zlan,coils=4,inputs=4`; raises `ValueError`."""
        unit, _, rest = text.partition(":")
        kind, _, counts = rest.partition(",")
        try:
            given = {"coils": options.coils, "inputs": options.inputs}
            for name, count in (pair.split("=") for pair in counts.split(",") if pair):
                given[{"coils": "coils", "inputs": "inputs"}[name]] = int(count)
            return cls(unit=int(unit), kind=KINDS[kind or options.kind], **given)
        except (KeyError, ValueError):
            raise ValueError(f"{text}: must look like {USAGE_UNIT}") from None


def check(models: Sequence[Model], wirings: Sequence[Wiring]) -> None:
    """Raises `ValueError` for channels that no board has, and lanes that cannot be."""
    known = {model.unit: model for model in models}
    for wiring in wirings:
        relays = all(_has(known, channel, "coils") for channel in wiring.relays)
        if not relays or not all(_has(known, channel, "inputs") for channel in wiring.inputs):
            raise ValueError(f"lane {wiring.lane}: the board has no such channel")
        sharers = [other for other in wirings if other.coil == wiring.coil]
        if len(sharers) > 2 or any(other.under != wiring.under for other in sharers):
            raise ValueError(
                f"lane {wiring.lane}: the two lanes of a barrier share all but arrival"
            )
    if len({wiring.lane for wiring in wirings}) < len(wirings):
        raise ValueError("two lanes have the same name")


def _has(models: Mapping[int, Model], channel: Channel, what: str) -> bool:
    model = models.get(channel.unit)
    return model is not None and 0 <= channel.number < getattr(model, what)
