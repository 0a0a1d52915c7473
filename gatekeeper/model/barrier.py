"""Orders to a barrier, what became of them, and what the inputs of a lane say."""

from dataclasses import dataclass
from enum import StrEnum

from gatekeeper.model.decisions import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class BarrierCommand:
    """One order to a barrier, good until `deadline` on the boot clock and never after it. `reason`
    is why it opens or is kept up, None where it is to come down.
    """

    id: str
    lane: str
    passage: str | None
    reason: Reason | None
    deadline: float


class Outcome(StrEnum):
    """What is known of a command; unknown is said to be unknown."""

    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """What became of a command: `done` means the coil was written and read back."""

    command: str
    outcome: Outcome
    detail: str
    at: float


class Sensor(StrEnum):
    """The inputs of a lane, the fire inputs, and what a camera sees move."""

    ARRIVAL = "arrival"
    SAFETY = "safety"
    BOOM_UP = "boom_up"
    PHOTOCELL = "photocell"
    VIEW = "view"
    FIRE = "fire"


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """An input of a lane changed, or was read for the first time. `known` is False where two lanes
    share a barrier, and the loops do not tell from which side the vehicle comes.
    """

    lane: str
    sensor: Sensor
    on: bool
    at: float
    known: bool = True


class PartResult(StrEnum):
    """What a technician's test found of one part of a lane; `not_seen`: nothing came in time."""

    OK = "ok"
    NOT_SEEN = "not_seen"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartTested:
    """A relay or input of a lane, by its key in the configuration, and where it is wired to."""

    part: str
    channel: str
    result: PartResult
    detail: str
