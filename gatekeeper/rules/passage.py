"""The lane's state machine, as one table: (state, input, at) -> (state, outputs, wake_at).

In come edges of the loops, verdicts, the failure of a command, and the time it asked to be woken
at. Out go the few things a lane can do. It opens nothing, reads no clock and knows no plate.
All that moves the machine stands in `TABLE`: what a state does not name there changes nothing,
so a verdict that comes after its car has left opens nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from gatekeeper.model import PassageEnd
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
    DECIDE_ANEW = "decide_anew"
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
class Step:
    """What comes of one input."""

    passage: Passage
    outputs: tuple[Output, ...]


@dataclass(frozen=True, slots=True)
class Move:
    """One cell of the table."""

    to: State
    outputs: tuple[Output, ...] = ()


_NOBODY_KNOWS_WHOSE = (Output.UNDECIDED, Output.DIRECTION_UNKNOWN)

TABLE: Mapping[State, Mapping[Input, Move]] = {
    State.CLEAR: {
        Input.ARRIVED: Move(State.READING, (Output.BEGIN,)),
        # Onto the safety loop from nowhere: out by the way in, or over a loop that is dead.
        Input.SAFETY_ON: Move(State.CROSSING, (Output.BEGIN, *_NOBODY_KNOWS_WHOSE)),
        Input.UNCLEAR: Move(State.CROSSING, (Output.BEGIN, *_NOBODY_KNOWS_WHOSE)),
    },
    State.READING: {
        Input.ADMITTED: Move(State.OPENING, (Output.OPEN,)),
        Input.WAITS: Move(State.WAITING),
        Input.REFUSED: Move(State.REFUSED),
        Input.LOOK_AGAIN: Move(State.LOOKING_AGAIN),
        Input.TIME: Move(State.READING, (Output.LAST_CALL,)),
        Input.LEFT: Move(State.CLEAR, (Output.BACKED_OUT,)),
        Input.SAFETY_ON: Move(State.CROSSING, (Output.UNDECIDED,)),
        Input.UNCLEAR: Move(State.CROSSING, _NOBODY_KNOWS_WHOSE),
    },
    State.LOOKING_AGAIN: {
        Input.ADMITTED: Move(State.OPENING, (Output.OPEN,)),
        Input.WAITS: Move(State.WAITING),
        Input.REFUSED: Move(State.REFUSED),
        Input.TIME: Move(State.LOOKING_AGAIN, (Output.LAST_LOOK,)),
        Input.LEFT: Move(State.CLEAR, (Output.BACKED_OUT,)),
        Input.SAFETY_ON: Move(State.CROSSING, (Output.UNDECIDED,)),
        Input.UNCLEAR: Move(State.CROSSING, _NOBODY_KNOWS_WHOSE),
    },
    State.REFUSED: {
        Input.ADMITTED: Move(State.OPENING, (Output.OPEN,)),
        Input.WAITS: Move(State.WAITING),
        Input.RECONSIDERED: Move(State.REFUSED, (Output.DECIDE_AGAIN,)),
        Input.TIME: Move(State.REFUSED, (Output.DECIDE_AGAIN, Output.LOITERING)),
        Input.OVERDUE: Move(State.REFUSED, (Output.DECIDE_AGAIN, Output.LANE_BLOCKED)),
        Input.LEFT: Move(State.CLEAR, (Output.BACKED_OUT,)),
        Input.SAFETY_ON: Move(State.CROSSING, (Output.UNDECIDED,)),
        Input.UNCLEAR: Move(State.CROSSING, _NOBODY_KNOWS_WHOSE),
    },
    State.WAITING: {
        # Lists may have changed in the meantime: what was decided holds no longer.
        Input.ITS_TURN: Move(State.READING, (Output.DECIDE_ANEW,)),
        Input.RECONSIDERED: Move(State.READING, (Output.DECIDE_ANEW,)),
        Input.TIME: Move(State.READING, (Output.DECIDE_ANEW,)),
        Input.LEFT: Move(State.CLEAR, (Output.BACKED_OUT,)),
        Input.SAFETY_ON: Move(State.CROSSING, (Output.UNDECIDED,)),
        Input.UNCLEAR: Move(State.CROSSING, _NOBODY_KNOWS_WHOSE),
    },
    State.OPENING: {
        Input.SAFETY_ON: Move(State.CROSSING),
        Input.UNCLEAR: Move(State.CROSSING, _NOBODY_KNOWS_WHOSE),
        Input.LEFT: Move(State.APPROACHING),
        Input.FAILED: Move(State.RETRYING),
        # The boom it was let in under is kept up no longer, and it is not yet below.
        Input.RELEASED: Move(State.CLEAR, (Output.TIMED_OUT,)),
        Input.TIME: Move(State.CLEAR, (Output.TIMED_OUT,)),
        Input.EXHAUSTED: Move(State.STUCK, (Output.LANE_BLOCKED,)),
    },
    State.RETRYING: {
        Input.SAFETY_ON: Move(State.CROSSING),
        Input.UNCLEAR: Move(State.CROSSING, _NOBODY_KNOWS_WHOSE),
        Input.LEFT: Move(State.CLEAR, (Output.BACKED_OUT,)),
        Input.TIME: Move(State.CLEAR, (Output.TIMED_OUT,)),
        Input.EXHAUSTED: Move(State.STUCK, (Output.LANE_BLOCKED,)),
    },
    State.APPROACHING: {
        Input.SAFETY_ON: Move(State.CROSSING),
        Input.UNCLEAR: Move(State.CROSSING, _NOBODY_KNOWS_WHOSE),
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
        # A lorry with a gap, or somebody very close behind (situations, 15).
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
        Input.UNCLEAR: Move(State.CROSSING, _NOBODY_KNOWS_WHOSE),
        Input.LEFT: Move(State.CLEAR, (Output.BACKED_OUT,)),
        Input.RECONSIDERED: Move(State.CLEAR, (Output.TIMED_OUT,)),
    },
}


def step(passage: Passage, what: Input, at: float, timing: Timing) -> Step:
    """What `what` at the moment `at` makes of the lane.

    A vehicle that still stands on the arrival loop when a passage ends begins the next one.
    """
    seen = _with_loops(passage, what, at)
    move = TABLE[seen.state].get(_meaning(seen, what, timing))
    if move is None:
        return Step(passage=seen, outputs=())
    said = _suspicious(seen, what, move, at, timing)
    outputs = move.outputs + said if Output.UNDECIDED in move.outputs else said + move.outputs
    after = _entered(seen, what, move, at, timing)
    if move.to is State.CLEAR and after.arrival:
        again = step(after, Input.ARRIVED, at, timing)
        return Step(passage=again.passage, outputs=outputs + again.outputs)
    return Step(passage=after, outputs=outputs)


def _with_loops(passage: Passage, what: Input, at: float) -> Passage:
    crossing_now = passage.state is State.CROSSING
    match what:
        case Input.ARRIVED:
            return replace(passage, arrival=True, follower=passage.follower or crossing_now)
        case Input.LEFT:
            second = passage.second or (crossing_now and passage.follower)
            return replace(
                passage, arrival=False, follower=False, second=second, attempts=0, left_at=at
            )
        case Input.SAFETY_ON | Input.UNCLEAR:
            return replace(passage, safety=True, on_at=at)
        case Input.SAFETY_OFF:
            return replace(passage, safety=False)
        case _:
            return passage


def _meaning(passage: Passage, what: Input, timing: Timing) -> Input:
    """The input as the table names it, with what the machine remembers."""
    if what is Input.SAFETY_OFF and passage.follower:
        return Input.FOLLOWED
    blind = passage.safety or not timing.safety_loop
    if passage.state is State.APPROACHING and blind:
        return Input.PRESUMED if what in (Input.TIME, Input.ARRIVED) else what
    if what is not Input.TIME:
        return what
    if passage.state in (State.OPENING, State.RETRYING) and passage.attempts >= timing.attempts:
        return Input.EXHAUSTED
    if passage.state is State.CLOSING and passage.arrival:
        return Input.ROLLED_BACK
    if passage.state is State.REFUSED and passage.asked:
        return Input.OVERDUE
    return what


def _suspicious(
    passage: Passage, what: Input, move: Move, at: float, timing: Timing
) -> tuple[Output, ...]:
    """What the edges tell beside where they lead: two vehicles where one was decided."""
    through_at = passage.through_at
    if Output.UNDECIDED in move.outputs and through_at is not None:
        return (Output.TAILGATED,) if at - through_at <= timing.tailgate_s else ()
    stands = passage.state is State.CROSSING and what is Input.TIME
    if passage.on_at is None or not (stands or what is Input.SAFETY_OFF):
        return ()
    said = (Output.TAILGATED,) if passage.second else ()
    two = crossing.seems_two(
        passage.left_at, passage.on_at, at, long_s=timing.long_s, geometry=timing.geometry
    )
    return (*said, Output.TOO_LONG) if two else said


def _entered(passage: Passage, what: Input, move: Move, at: float, timing: Timing) -> Passage:
    stays = move.to is passage.state and what in (Input.RECONSIDERED, Input.REFUSED)
    lasts = _lasts(move.to, passage.arrival, timing)
    begins = Output.BEGIN in move.outputs or move.to is State.CLEAR
    return replace(
        passage,
        state=move.to,
        wake_at=passage.wake_at if stays else None if lasts is None else at + lasts,
        decided=not begins and (passage.decided or Output.OPEN in move.outputs),
        follower=passage.follower and move.to is not State.CLEAR,
        second=passage.second and not begins,
        asked=move.to is State.REFUSED and (passage.asked or what is Input.TIME),
        attempts=_attempts(passage, move),
        left_at=None if begins else passage.left_at,
        through_at=at if Output.PASSED in move.outputs else passage.through_at,
    )


def _attempts(passage: Passage, move: Move) -> int:
    if Output.OPEN in move.outputs:
        return passage.attempts + 1
    moved_on = move.to is State.CROSSING or passage.state is State.STUCK
    return 0 if moved_on else passage.attempts


def _lasts(state: State, arrival: bool, timing: Timing) -> float | None:
    """Seconds until the state asks for `TIME`; None where it may last for ever."""
    lasts = _LASTS.get(state)
    if lasts is None:
        return None
    lag_s = timing.arrival_lag_s if state is State.CLOSING and arrival else 0.0
    return lasts(timing) + lag_s


_LASTS: Mapping[State, Callable[[Timing], float]] = {
    State.READING: lambda timing: timing.reading_s,
    State.LOOKING_AGAIN: lambda timing: timing.second_look_s,
    State.REFUSED: lambda timing: timing.refused_s,
    State.WAITING: lambda timing: timing.waiting_s,
    State.OPENING: lambda timing: timing.opening_s,
    State.RETRYING: lambda timing: timing.retrying_s,
    State.APPROACHING: lambda timing: timing.approaching_s,
    State.CROSSING: lambda timing: timing.crossing_s,
    State.CLOSING: lambda timing: timing.closing_s,
}
"""How long each state may last, by the settings of its lane."""
