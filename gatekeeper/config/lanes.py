"""Lanes, and the boards they are wired to."""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from gatekeeper.config.cameras import CameraSettings
from gatekeeper.config.settings import Name, Settings
from gatekeeper.model import Direction


class BoardSettings(Settings):
    """A relay board on Modbus TCP. The pulse is timed by this controller: on, wait, off.

    The bounds of `poll_ms` and `timeout_ms` let a silent board be noticed within two seconds.
    """

    name: Name
    address: str
    unit: Annotated[int, Field(ge=0, le=255)] = 1
    inputs: Annotated[int, Field(ge=1, le=64)] = 8
    coils: Annotated[int, Field(ge=1, le=64)] = 8
    poll_ms: Annotated[int, Field(ge=10, le=500)] = 50
    timeout_ms: Annotated[int, Field(ge=50, le=1000)] = 500

    @model_validator(mode="after")
    def _address_is_tcp(self) -> Self:
        parts = urlsplit(self.address)
        if parts.scheme != "tcp" or not parts.hostname or parts.path:
            raise ValueError(f'address must look like "tcp://192.0.2.7:502", not "{self.address}"')
        return self

    @property
    def host(self) -> str:
        """The board's host name or address."""
        return urlsplit(self.address).hostname or ""

    @property
    def port(self) -> int:
        """The board's port, 502 where none is given (Modbus TCP's own)."""
        return urlsplit(self.address).port or 502


class InputSettings(Settings):
    """One discrete input of a board; `inverted` for a contact that opens on presence."""

    board: Name
    input: Annotated[int, Field(ge=0, le=63)]
    inverted: bool = False


class BarrierSettings(Settings):
    """The relay that opens a barrier: one pulse, given before the deadline or never."""

    board: Name
    coil: Annotated[int, Field(ge=0, le=63)]
    pulse_ms: Annotated[int, Field(ge=50, le=5000)] = 500
    deadline_ms: Annotated[int, Field(ge=100, le=10_000)] = 2000


class GeometrySettings(Settings):
    """How the loops of a lane lie, in metres along the lane.

    `arrival_to_safety_m` lies between the far edge of the arrival loop and the near edge of the
    safety loop; a vehicle longer than `longest_m` was two.
    """

    arrival_to_safety_m: Annotated[float, Field(ge=0, le=50)]
    safety_loop_m: Annotated[float, Field(gt=0, le=20)]
    longest_m: Annotated[float, Field(gt=0, le=30)] = 6.5


class LaneSettings(Settings):
    """One direction of a gate. `zone` is the zone that the lane leads into (entry) or out of.

    `opposite` is the lane on the other side of the same barrier, where one lane of the road serves
    both ways; its `arrival_loops` lie `in_line` where a vehicle that crosses drives over both, and
    `apart` where there is a place to wait on either side.

    A safety loop occupied for longer than `safety_long_s` within one passage may have seen two
    vehicles pass.
    """

    name: Name
    zone: Name
    direction: Direction
    barrier: BarrierSettings
    camera: CameraSettings | None = None
    arrival_loop: InputSettings
    safety_loop: InputSettings | None = None
    boom_up: InputSettings | None = None
    open_timeout_s: Annotated[float, Field(ge=3, le=600)] = 30.0
    safety_long_s: Annotated[float, Field(ge=1, le=60)] = 6.0
    geometry: GeometrySettings | None = None
    display: Name | None = None
    opposite: Name | None = None
    arrival_loops: Literal["in_line", "apart"] = "in_line"

    @model_validator(mode="after")
    def _geometry_has_its_loops(self) -> Self:
        if self.geometry is not None and self.safety_loop is None:
            raise ValueError("geometry lies between two loops: the lane needs a safety_loop")
        return self

    @property
    def inputs(self) -> dict[str, InputSettings]:
        """The inputs wired to this lane, by key."""
        wires = {
            "arrival_loop": self.arrival_loop,
            "safety_loop": self.safety_loop,
            "boom_up": self.boom_up,
        }
        return {key: wire for key, wire in wires.items() if wire is not None}
