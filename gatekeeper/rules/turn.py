"""Whose barrier is it now, where an entry and an exit lane share one (situations, 23)?

The two lanes have an arrival loop each, one on either side of the barrier, and share the safety
loop under it. (turn, what happened, at) -> (turn, what to tell): the barrier has one owner at most,
from the decision until its vehicle is through and out of the way, or the time limit is over; what
the loops say is told to the lane whose vehicle it is, and to no other.

Out of the way means: the passage has ended, the safety loop is clear, and the vehicle that crossed
has left the far arrival loop. The arrival loops need not be free: the queue on
the other side stands on its own, and waits for nothing else.
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

from gatekeeper.model import Direction, Sensor


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnTiming:
    """In seconds: how long one lane may own the barrier (more than a passage that keeps to its own
    limits takes); how long after the safety loop a vehicle still comes onto the far arrival loop;
    and how long it may stand there before it counts as one that wants to come through.

    `in_line`: a vehicle that crosses comes over the far arrival loop, because all loops lie in one
    lane.
    """

    limit_s: float = 120.0
    reaches_s: float = 5.0
    leaves_s: float = 10.0
    in_line: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """From now on the barrier is this lane's."""

    side: Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """This lane has owned the barrier for longer than it may, and has lost it."""

    side: Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneEdge:
    """A loop changed, and it is this lane's vehicle. `known` is False where it may as well be one
    that comes from the other side.
    """

    side: Direction
    sensor: Sensor
    on: bool
    known: bool = True


Output: TypeAlias = Granted | Overdue | LaneEdge


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What is remembered of a reversible lane.

    `owner` has the barrier `since` then; `ended` is whether its passage is over and only its
    vehicle not yet out of the way; `asking` are lanes with an admitted vehicle. `arrivals` are the
    arrival loops on which a vehicle has come to go through, `last` where the latest one came.
    `crosser` is the lane whose vehicle was on the safety loop last and may still be near, `off_at`
    when it left that loop (None while it is `safety`, occupied), and `far_at` since when it has
    been on the arrival loop of the other side.
    """

    owner: Direction | None = None
    since: float = 0.0
    ended: bool = False
    asking: frozenset[Direction] = frozenset()
    arrivals: frozenset[Direction] = frozenset()
    last: Direction = Direction.EXIT
    safety: bool = False
    crosser: Direction | None = None
    off_at: float | None = None
    far_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnStep:
    """What comes of one thing that happened."""

    turn: Turn
    outputs: tuple[Output, ...] = ()


def other_side(side: Direction) -> Direction:
    """The other side of the barrier."""
    return Direction.EXIT if side is Direction.ENTRY else Direction.ENTRY


def asks(turn: Turn, side: Direction, at: float) -> TurnStep:
    """A lane has admitted its vehicle and wants to open. The lane that has the barrier keeps it; so
    does one whose vehicle stands on the safety loop: no other vehicle could go.
    """
    on_safety = turn.safety and turn.crosser is side
    if turn.owner is side and (on_safety or not turn.ended):
        return TurnStep(turn=replace(turn, ended=False), outputs=(Granted(side=side),))
    return _settled(replace(turn, asking=turn.asking | {side}), at)


def gives_back(turn: Turn, side: Direction, at: float) -> TurnStep:
    """A lane needs the barrier no longer: its passage has ended, or it does not open."""
    ended = turn.ended or turn.owner is side
    return _settled(replace(turn, asking=turn.asking - {side}, ended=ended), at)


def arrival(turn: Turn, side: Direction, on: bool, at: float, timing: TurnTiming) -> TurnStep:
    """The arrival loop of one side changed: somebody came, or the vehicle that crossed goes on."""
    far = turn.far_at is not None and turn.crosser is other_side(side)
    if on == (far or side in turn.arrivals):
        return TurnStep(turn=turn)
    if on:
        if _comes_through(turn, side, at, timing):
            return TurnStep(turn=replace(turn, far_at=at))
        return _came(turn, side, known=True)
    if far:
        crosser = turn.crosser if turn.safety else None
        return _settled(replace(turn, far_at=None, crosser=crosser), at)
    gone = replace(turn, arrivals=turn.arrivals - {side})
    return TurnStep(turn=gone, outputs=(LaneEdge(side=side, sensor=Sensor.ARRIVAL, on=False),))


def safety(turn: Turn, on: bool, at: float) -> TurnStep:
    """The safety loop changed. The lane that was told of the on is told of the off."""
    if on == turn.safety:
        return TurnStep(turn=turn)
    if on:
        return _onto_safety(turn, at)
    settled = _settled(replace(turn, safety=False, off_at=at), at)
    told = [LaneEdge(side=turn.crosser, sensor=Sensor.SAFETY, on=False)] if turn.crosser else []
    return TurnStep(turn=settled.turn, outputs=(*told, *settled.outputs))


def time(turn: Turn, at: float, timing: TurnTiming) -> TurnStep:
    """Time has passed. A lane owns the barrier for a limited time; a vehicle that stands on the
    far arrival loop for long has come back, or is another one that rolled up without a gap.
    """
    outputs: list[Output] = []
    overdue = turn.owner if at >= turn.since + timing.limit_s else None
    stands_until = _stands_until(turn, timing)
    if overdue is not None or (stands_until is not None and at >= stands_until):
        came = _counts_as_arrival(turn)
        turn, outputs = came.turn, [*came.outputs]
    if overdue is not None:
        outputs.append(Overdue(side=overdue))
        turn = replace(turn, owner=None, ended=False)
    settled = _settled(turn, at)
    return TurnStep(turn=settled.turn, outputs=(*outputs, *settled.outputs))


def wake_at(turn: Turn, timing: TurnTiming) -> float | None:
    """When `time` is due next, None if nothing runs."""
    limit = None if turn.owner is None else turn.since + timing.limit_s
    return min((at for at in (limit, _stands_until(turn, timing)) if at is not None), default=None)


def _settled(turn: Turn, at: float) -> TurnStep:
    """The barrier goes from the lane that needs it no longer to the next one: exits first."""
    if turn.ended and not turn.safety and turn.far_at is None:
        turn = replace(turn, owner=None, ended=False)
    if turn.owner is not None or not turn.asking:
        return TurnStep(turn=turn)
    side = Direction.EXIT if Direction.EXIT in turn.asking else Direction.ENTRY
    granted = replace(turn, owner=side, since=at, asking=turn.asking - {side})
    return TurnStep(turn=granted, outputs=(Granted(side=side),))


def _came(turn: Turn, side: Direction, *, known: bool) -> TurnStep:
    """Somebody stands on the arrival loop of this side and has not just crossed."""
    here = replace(turn, arrivals=turn.arrivals | {side}, last=side)
    told = LaneEdge(side=side, sensor=Sensor.ARRIVAL, on=True, known=known)
    return TurnStep(turn=here, outputs=(told,))


def _counts_as_arrival(turn: Turn) -> TurnStep:
    """The vehicle on the far arrival loop counts no longer as the one that crossed."""
    if turn.far_at is None or turn.crosser is None:
        return TurnStep(turn=turn)
    crosser = turn.crosser if turn.safety else None
    return _came(replace(turn, far_at=None, crosser=crosser), other_side(turn.crosser), known=False)


def _comes_through(turn: Turn, side: Direction, at: float, timing: TurnTiming) -> bool:
    """Whether the vehicle that comes onto this arrival loop has crossed from the other side."""
    if turn.crosser is not other_side(side) or not timing.in_line:
        return False
    if turn.off_at is None:
        return turn.owner is turn.crosser
    return at - turn.off_at <= timing.reaches_s


def _onto_safety(turn: Turn, at: float) -> TurnStep:
    """The vehicle on the safety loop has the barrier, unasked too: no other can use it."""
    side, known = _whose(turn)
    told: list[Output] = [LaneEdge(side=side, sensor=Sensor.SAFETY, on=True, known=known)]
    if turn.crosser is other_side(side):
        came = _counts_as_arrival(turn)
        turn, told = came.turn, [*came.outputs, *told]
    if turn.owner is None:
        turn = replace(turn, owner=side, since=at)
    on_it = replace(turn, safety=True, crosser=side, off_at=None, ended=False)
    return TurnStep(turn=on_it, outputs=tuple(told))


def _whose(turn: Turn) -> tuple[Direction, bool]:
    """Whose vehicle comes onto the safety loop, and whether the order of the loops bears it out.

    It is the owner's, unless no vehicle stands on its side and one stands on the other.
    """
    side = turn.owner or (turn.crosser if turn.far_at is not None else None)
    if side is None:
        lone = len(turn.arrivals) == 1
        return (next(iter(turn.arrivals)) if lone else turn.last), lone
    again = turn.crosser is side and turn.off_at is not None and turn.off_at >= turn.since
    other_there = other_side(side) in turn.arrivals or turn.far_at is not None
    return side, side in turn.arrivals or (again and not turn.ended) or not other_there


def _stands_until(turn: Turn, timing: TurnTiming) -> float | None:
    """Until when the vehicle on the far arrival loop is taken for the one that crossed."""
    if turn.far_at is None or turn.off_at is None:
        return None
    return max(turn.far_at, turn.off_at) + timing.leaves_s
