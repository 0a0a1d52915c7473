"""One step through the table: (passage, input, at) -> (passage, outputs)."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from gatekeeper.model import Presence, Sensor
from gatekeeper.rules import crossing
from gatekeeper.rules.passage.table import TABLE, Move
from gatekeeper.rules.passage.values import Input, Output, Passage, PassageStep, State, Timing

_COMES_BACK_S = 3.0
"""So soon after a passage a vehicle that reverses would be on the arrival loop again."""

_EDGES = {
    (Sensor.ARRIVAL, True): Input.ARRIVED,
    (Sensor.ARRIVAL, False): Input.LEFT,
    (Sensor.SAFETY, True): Input.SAFETY_ON,
    (Sensor.SAFETY, False): Input.SAFETY_OFF,
}


def input_of(presence: Presence) -> Input | None:
    """What a change of a sensor is to the machine, None if it moves nothing."""
    edge = _EDGES.get((presence.sensor, presence.on))
    return Input.UNCLEAR if edge is Input.SAFETY_ON and not presence.known else edge


def may_have_come_back(passage: Passage, arrived: float) -> bool:
    """Whether an unread vehicle that arrived then and backs out may be the one that has just
    passed: the loops saw it come from inside, or saw a second one follow, and cannot tell which.
    """
    through_at = passage.through_at
    return through_at is not None and arrived - through_at <= _COMES_BACK_S


def step(passage: Passage, what: Input, at: float, timing: Timing) -> PassageStep:
    """What `what` at the moment `at` makes of the lane.

    A vehicle that still stands on the arrival loop when a passage ends begins the next one.
    """
    seen = _with_loops(passage, what, at)
    move = TABLE[seen.state].get(_meaning(seen, what, timing))
    if move is None:
        return PassageStep(passage=seen, outputs=())
    said = _doubts(seen, what, move, at, timing)
    outputs = move.outputs + said if Output.UNDECIDED in move.outputs else said + move.outputs
    after = _entered(seen, what, move, at, timing)
    if move.to is State.CLEAR and after.arrival:
        again = step(after, Input.ARRIVED, at, timing)
        return PassageStep(passage=again.passage, outputs=outputs + again.outputs)
    return PassageStep(passage=after, outputs=outputs)


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


def _doubts(
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
    """Seconds until the state asks for `TIME`; None where it has no time limit."""
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
