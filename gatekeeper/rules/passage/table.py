"""The table itself: what each state makes of each input that it heeds."""

from collections.abc import Mapping
from dataclasses import dataclass

from gatekeeper.rules.passage.values import Input, Output, State


@dataclass(frozen=True, slots=True)
class Move:
    """One cell of the table."""

    to: State
    outputs: tuple[Output, ...] = ()


_UNKNOWN_VEHICLE = (Output.UNDECIDED, Output.DIRECTION_UNKNOWN)

TABLE: Mapping[State, Mapping[Input, Move]] = {
    State.CLEAR: {
        Input.ARRIVED: Move(State.READING, (Output.BEGIN,)),
        # Onto the safety loop from nowhere: out by the way in, or over a loop that is dead.
        Input.SAFETY_ON: Move(State.CROSSING, (Output.BEGIN, *_UNKNOWN_VEHICLE)),
        Input.UNCLEAR: Move(State.CROSSING, (Output.BEGIN, *_UNKNOWN_VEHICLE)),
    },
    State.READING: {
        Input.ADMITTED: Move(State.OPENING, (Output.OPEN,)),
        Input.WAITS: Move(State.WAITING),
        Input.REFUSED: Move(State.REFUSED),
        Input.LOOK_AGAIN: Move(State.LOOKING_AGAIN),
        Input.TIME: Move(State.READING, (Output.LAST_CALL,)),
        Input.LEFT: Move(State.CLEAR, (Output.BACKED_OUT,)),
        Input.SAFETY_ON: Move(State.CROSSING, (Output.UNDECIDED,)),
        Input.UNCLEAR: Move(State.CROSSING, _UNKNOWN_VEHICLE),
    },
    State.LOOKING_AGAIN: {
        Input.ADMITTED: Move(State.OPENING, (Output.OPEN,)),
        Input.WAITS: Move(State.WAITING),
        Input.REFUSED: Move(State.REFUSED),
        Input.TIME: Move(State.LOOKING_AGAIN, (Output.LAST_LOOK,)),
        Input.LEFT: Move(State.CLEAR, (Output.BACKED_OUT,)),
        Input.SAFETY_ON: Move(State.CROSSING, (Output.UNDECIDED,)),
        Input.UNCLEAR: Move(State.CROSSING, _UNKNOWN_VEHICLE),
    },
    State.REFUSED: {
        Input.ADMITTED: Move(State.OPENING, (Output.OPEN,)),
        Input.WAITS: Move(State.WAITING),
        Input.RECONSIDERED: Move(State.REFUSED, (Output.DECIDE_AGAIN,)),
        Input.TIME: Move(State.REFUSED, (Output.DECIDE_AGAIN, Output.LOITERING)),
        Input.OVERDUE: Move(State.REFUSED, (Output.DECIDE_AGAIN, Output.LANE_BLOCKED)),
        Input.LEFT: Move(State.CLEAR, (Output.BACKED_OUT,)),
        Input.SAFETY_ON: Move(State.CROSSING, (Output.UNDECIDED,)),
        Input.UNCLEAR: Move(State.CROSSING, _UNKNOWN_VEHICLE),
    },
    State.WAITING: {
        # Lists may have changed in the meantime: what was decided holds no longer.
        Input.ITS_TURN: Move(State.READING, (Output.DECIDE_AFRESH,)),
        Input.RECONSIDERED: Move(State.READING, (Output.DECIDE_AFRESH,)),
        Input.TIME: Move(State.READING, (Output.DECIDE_AFRESH,)),
        Input.LEFT: Move(State.CLEAR, (Output.BACKED_OUT,)),
        Input.SAFETY_ON: Move(State.CROSSING, (Output.UNDECIDED,)),
        Input.UNCLEAR: Move(State.CROSSING, _UNKNOWN_VEHICLE),
    },
    State.OPENING: {
        Input.SAFETY_ON: Move(State.CROSSING),
        Input.UNCLEAR: Move(State.CROSSING, _UNKNOWN_VEHICLE),
        Input.LEFT: Move(State.APPROACHING),
        Input.FAILED: Move(State.RETRYING),
        # The boom it was let in under is up no longer, and it is not yet below.
        Input.RELEASED: Move(State.READING, (Output.DECIDE_AFRESH,)),
        Input.DEAF: Move(State.CLEAR, (Output.TIMED_OUT,)),
        Input.TIME: Move(State.CLEAR, (Output.TIMED_OUT,)),
        Input.EXHAUSTED: Move(State.STUCK, (Output.LANE_BLOCKED,)),
    },
    State.RETRYING: {
        Input.SAFETY_ON: Move(State.CROSSING),
        Input.UNCLEAR: Move(State.CROSSING, _UNKNOWN_VEHICLE),
        Input.LEFT: Move(State.CLEAR, (Output.BACKED_OUT,)),
        Input.TIME: Move(State.CLEAR, (Output.TIMED_OUT,)),
        Input.EXHAUSTED: Move(State.STUCK, (Output.LANE_BLOCKED,)),
    },
    State.APPROACHING: {
        Input.SAFETY_ON: Move(State.CROSSING),
        Input.UNCLEAR: Move(State.CROSSING, _UNKNOWN_VEHICLE),
        # A new edge is a new vehicle until it has been read (situations, 14).
        Input.ARRIVED: Move(State.CLEAR, (Output.BACKED_OUT,)),
        Input.TIME: Move(State.CLEAR, (Output.BACKED_OUT,)),
        Input.PRESUMED: Move(State.CLEAR, (Output.PASSED_PRESUMED,)),
    },
    State.CROSSING: {
        Input.SAFETY_OFF: Move(State.CLOSING),
        Input.FOLLOWED: Move(State.CLEAR, (Output.PASSED,)),
        Input.TIME: Move(State.CLEAR, (Output.PASSED_PRESUMED,)),
    },
    State.CLOSING: {
        # A lorry with a gap, or a second vehicle very close behind (situations, 15).
        Input.SAFETY_ON: Move(State.CROSSING, (Output.GAP,)),
        Input.UNCLEAR: Move(State.CROSSING, (Output.GAP, Output.DIRECTION_UNKNOWN)),
        Input.LEFT: Move(State.CLOSING),  # a camera tells so later than a loop
        Input.ARRIVED: Move(State.CLEAR, (Output.PASSED,)),
        Input.TIME: Move(State.CLEAR, (Output.PASSED,)),
        # Or it has left, and the next one rolled up so close that the arrival loop saw no gap.
        Input.ROLLED_BACK: Move(State.CLEAR, (Output.DIRECTION_UNKNOWN, Output.BACKED_OUT)),
    },
    State.STUCK: {
        Input.SAFETY_ON: Move(State.CROSSING),
        Input.UNCLEAR: Move(State.CROSSING, _UNKNOWN_VEHICLE),
        Input.LEFT: Move(State.CLEAR, (Output.BACKED_OUT,)),
        Input.RECONSIDERED: Move(State.CLEAR, (Output.TIMED_OUT,)),
        Input.RELEASED: Move(State.READING, (Output.DECIDE_AFRESH,)),
    },
}
