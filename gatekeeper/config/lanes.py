"""Lanes, and how they are wired to relay boards."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gatekeeper.config.cameras import CameraSettings
from gatekeeper.config.settings import Name, Settings
from gatekeeper.model import Direction, Sensor


class InputSettings(Settings):
    """One discrete input of a board; `inverted` for a contact that opens on presence."""

    board: Name
    input: Annotated[int, Field(ge=0, le=63)]
    inverted: bool = False


class BarrierSettings(Settings):
    """The relays of a barrier. `coil` opens by one pulse, given before the deadline or never.

    `hold_coil` keeps the boom up as long as it is on; without one of its own that is `coil`, held
    on. `close_coil` closes by one pulse, where a close relay is wired at all, and then only
    `close_after_s` after a passage, if that is told. A barrier that is `self_reversing` looks after
    its closing itself, and one whose `open_input` toggles closes on a second "open".
    """

    board: Name
    coil: Annotated[int, Field(ge=0, le=63)]
    pulse_ms: Annotated[int, Field(ge=50, le=5000)] = 500
    hold_coil: Annotated[int, Field(ge=0, le=63)] | None = None
    close_coil: Annotated[int, Field(ge=0, le=63)] | None = None
    close_pulse_ms: Annotated[int, Field(ge=50, le=5000)] = 500
    deadline_ms: Annotated[int, Field(ge=100, le=10_000)] = 2000
    close_after_s: Annotated[float, Field(ge=0, le=60)] | None = None
    self_reversing: bool = False
    open_input: Literal["open", "toggle"] = "open"

    @model_validator(mode="after")
    def _no_wiring_that_may_hit_somebody(self) -> Self:
        if self.open_input == "toggle":
            raise ValueError(
                'open_input = "toggle": a second "open" would close the boom onto somebody; wire'
                " an input that only opens"
            )
        if self.close_coil is not None and self.self_reversing:
            raise ValueError(
                "close_coil: a self_reversing barrier closes by itself; take the close relay off"
            )
        if self.close_after_s is not None and self.close_coil is None:
            raise ValueError("close_after_s: there is no close_coil to close with")
        return self

    @property
    def coils(self) -> dict[str, int]:
        """The relays of their own, by key."""
        relays = {"coil": self.coil, "hold_coil": self.hold_coil, "close_coil": self.close_coil}
        return {key: coil for key, coil in relays.items() if coil is not None}

    @property
    def deadline_s(self) -> float:
        """So long an opening is good, in seconds."""
        return self.deadline_ms / 1000

    @property
    def held_by(self) -> int:
        """The relay that keeps the boom up."""
        return self.coil if self.hold_coil is None else self.hold_coil


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

    Without an `arrival_loop` the camera alone says when a vehicle is there, and it does so while
    the loop has been occupied for `loop_stuck_s` with nothing in view. A safety loop occupied for
    longer than `safety_long_s` within one passage may have seen two vehicles pass. A boom that is
    not up `boom_up_s` after its pulse has not moved.
    """

    name: Name
    zone: Name
    direction: Direction
    barrier: BarrierSettings
    camera: CameraSettings | None = None
    arrival_loop: InputSettings | None = None
    safety_loop: InputSettings | None = None
    boom_up: InputSettings | None = None
    photocell: InputSettings | None = None
    open_timeout_s: Annotated[float, Field(ge=3, le=600)] = 30.0
    safety_long_s: Annotated[float, Field(ge=1, le=60)] = 6.0
    loop_stuck_s: Annotated[float, Field(ge=30, le=86_400)] = 600.0
    boom_up_s: Annotated[float, Field(ge=2, le=60)] = 10.0
    geometry: GeometrySettings | None = None
    display: Name | None = None
    opposite: Name | None = None
    arrival_loops: Literal["in_line", "apart"] = "in_line"

    @model_validator(mode="after")
    def _somebody_sees_who_arrives(self) -> Self:
        if self.arrival_loop is None and self.camera is None:
            raise ValueError("a lane needs an arrival_loop or a camera")
        return self

    @model_validator(mode="after")
    def _geometry_has_its_loops(self) -> Self:
        for key in ("arrival_loop", "safety_loop"):
            if self.geometry is not None and getattr(self, key) is None:
                raise ValueError(f"geometry lies between two loops: the lane has no {key}")
        return self

    @model_validator(mode="after")
    def _nothing_closes_blindly(self) -> Self:
        if self.barrier.close_coil is not None and self.safety_loop is None:
            raise ValueError(
                "barrier.close_coil: a close relay needs a safety_loop, or the boom comes down on"
                " what is under it"
            )
        return self

    @property
    def inputs(self) -> dict[str, InputSettings]:
        """The inputs wired to this lane, by key."""
        wires = {
            "arrival_loop": self.arrival_loop,
            "safety_loop": self.safety_loop,
            "boom_up": self.boom_up,
            "photocell": self.photocell,
        }
        return {key: wire for key, wire in wires.items() if wire is not None}

    @property
    def sensors(self) -> tuple[Sensor, ...]:
        """What tells of this lane: its inputs, and what its camera has in view."""
        wired = tuple(Sensor(key.removesuffix("_loop")) for key in self.inputs)
        return wired if self.camera is None else (*wired, Sensor.VIEW)
