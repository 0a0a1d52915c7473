"""What a lane can be in, be told and be asked to do; its times, and its memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gatekeeper.model import Doubt, PassageEnd
from gatekeeper.rules import crossing


class State(StrEnum):
    """Where the visit of one vehicle to a lane stands."""

    CLEAR = "clear"
    READING = "reading"
    LOOKING_AGAIN = "looking_again"
    REFUSED = "refused"
    WAITING = "waiting"
    OPENING = "opening"
    RETRYING = "retrying"
    APPROACHING = "approaching"
    CROSSING = "crossing"
    CLOSING = "closing"
    STUCK = "stuck"


UNANSWERED = (State.READING, State.LOOKING_AGAIN, State.REFUSED)
"""The states in which a vehicle waits for an answer."""

WITH_THE_BARRIER = (
    State.WAITING,
    State.OPENING,
    State.RETRYING,
    State.APPROACHING,
    State.CROSSING,
    State.CLOSING,
)
"""The states in which a lane has the barrier it shares, or waits for it."""


class Input(StrEnum):
    """What can happen to a lane."""

    ARRIVED = "arrived"
    LEFT = "left"
    SAFETY_ON = "safety_on"
    SAFETY_OFF = "safety_off"
    UNCLEAR = "unclear"  # onto the safety loop, from this side or from the opposite one
    ADMITTED = "admitted"
    WAITS = "waits"  # admitted, and the barrier is the opposite lane's
    ITS_TURN = "its_turn"
    REFUSED = "refused"
    LOOK_AGAIN = "look_again"
    FAILED = "failed"
    RECONSIDERED = "reconsidered"
    RELEASED = "released"
    DEAF = (
        "deaf"  # the loops were not heard for a while: it may be another vehicle that stands there
    )
    TIME = "time"
    # What the machine makes of the above, from what it remembers:
    EXHAUSTED = "exhausted"  # time, and the last attempt is spent
    OVERDUE = "overdue"  # time, and a refused vehicle has been asked to leave before
    PRESUMED = "presumed"  # time or the next arrival, in a lane without a safety loop
    FOLLOWED = "followed"  # off the safety loop, and the next vehicle has arrived
    ROLLED_BACK = "rolled_back"  # time, and the vehicle never left the arrival loop


class Output(StrEnum):
    """What the lane is to do."""

    BEGIN = "begin"
    LAST_CALL = "last_call"
    LAST_LOOK = "last_look"
    OPEN = "open"
    DECIDE_AGAIN = "decide_again"
    DECIDE_AFRESH = "decide_afresh"
    LOITERING = "loitering"
    UNDECIDED = "undecided"
    DIRECTION_UNKNOWN = "direction_unknown"
    GAP = "gap"
    TOO_LONG = "too_long"
    TAILGATED = "tailgated"
    LANE_BLOCKED = "lane_blocked"
    PASSED = "passed"
    PASSED_PRESUMED = "passed_presumed"
    BACKED_OUT = "backed_out"
    TIMED_OUT = "timed_out"


ENDS: Mapping[Output, PassageEnd] = {
    Output.PASSED: PassageEnd.PASSED,
    Output.PASSED_PRESUMED: PassageEnd.PASSED_PRESUMED,
    Output.BACKED_OUT: PassageEnd.BACKED_OUT,
    Output.TIMED_OUT: PassageEnd.TIMED_OUT,
}
"""The outputs that end a passage."""

DOUBTS: Mapping[Output, Doubt] = {
    Output.UNDECIDED: Doubt.UNDECIDED_PASSAGE,
    Output.GAP: Doubt.SAFETY_LOOP_GAP,
    Output.TAILGATED: Doubt.TAILGATING,
    Output.TOO_LONG: Doubt.SAFETY_LOOP_LONG,
    Output.DIRECTION_UNKNOWN: Doubt.DIRECTION_UNKNOWN,
}
"""What the edges of the loops tell of a vehicle that was never decided, of more than one, or of one
that came from behind; each is an alarm of the same name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long each state may last in seconds, and how the lane is built.

    `waiting_s` is how long a vehicle waits for its turn before the lane asks for it again.
    `long_s`: longer on the safety loop is too long for one vehicle, and so is what `geometry`
    makes of the edges of both loops, where it is known. `tailgate_s`: who crosses undecided so
    soon after another has followed it through. `arrival_lag_s`: so much later than a loop the
    camera tells that a vehicle has left, where it stands in for the loop.
    """

    reading_s: float = 3.0
    second_look_s: float = 3.0
    refused_s: float = 60.0
    waiting_s: float = 10.0
    opening_s: float = 30.0
    retrying_s: float = 3.0
    approaching_s: float = 3.0
    crossing_s: float = 60.0
    closing_s: float = 1.5
    long_s: float = 6.0
    tailgate_s: float = 10.0
    arrival_lag_s: float = 0.0
    attempts: int = 3
    safety_loop: bool = True
    geometry: crossing.Geometry | None = None

    @property
    def longest_s(self) -> float:
        """No vehicle that is let through takes longer, from the opening until it has passed."""
        closing_s = self.closing_s + self.arrival_lag_s
        return self.opening_s + self.approaching_s + self.crossing_s + closing_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """The machine's memory. `arrival` and `safety` are the loops as last told; `decided` is
    whether this vehicle has a decision of its own; `attempts` counts the openings for a vehicle
    that does not move; `follower` is whether a next one arrived while this one crosses, `second`
    whether it left the arrival loop again in the meantime: then two have crossed. `asked` is
    whether a refused vehicle has been asked to leave. `left_at`, `on_at` and `through_at` are
    when the arrival loop became free, the safety loop occupied, and the last vehicle was through.
    """

    state: State = State.CLEAR
    arrival: bool = False
    safety: bool = False
    decided: bool = False
    follower: bool = False
    second: bool = False
    asked: bool = False
    attempts: int = 0
    left_at: float | None = None
    on_at: float | None = None
    through_at: float | None = None
    wake_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageStep:
    """What comes of one input."""

    passage: Passage
    outputs: tuple[Output, ...]
