"""Whether the loops of a lane can be believed (situations, 27).

An arrival loop that is occupied for minutes while the camera sees neither a plate nor motion is
stuck; one that changes many times a second says nothing. A safety loop over which admitted
vehicles leave untold, or that never clears, is dead. Moments are seconds on the boot clock.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from gatekeeper.model import PassageEnd


class Fault(StrEnum):
    """Why an arrival loop is not believed; also the alarm that says so."""

    STUCK = "loop_stuck"
    CHATTERING = "loop_chattering"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`stuck_s`: occupied so long with nothing in view, an arrival loop is stuck. `edges` within
    `edges_s` are more than vehicles can make; `quiet_s` without one, and it is believed again.
    """

    stuck_s: float = 600.0
    edges: int = 8
    edges_s: float = 2.0
    quiet_s: float = 10.0


USUAL = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalLoop:
    """An arrival loop as last told: since when it has been so, its last edges, and when the
    camera last saw a plate or motion.
    """

    on: bool = False
    since: float = 0.0
    edges: tuple[float, ...] = ()
    seen_at: float = 0.0
    fault: Fault | None = None


def changed(loop: ArrivalLoop, on: bool, at: float, limits: Limits) -> ArrivalLoop:
    """The board said that the loop is occupied, or free."""
    if on == loop.on:
        return loop
    edges = (*loop.edges, at)[-limits.edges :]
    fault = None if loop.fault is Fault.STUCK else loop.fault
    return judged(replace(loop, on=on, since=at, edges=edges, fault=fault), at, limits)


def seen(loop: ArrivalLoop, at: float) -> ArrivalLoop:
    """The camera saw a plate or motion."""
    return replace(loop, seen_at=max(at, loop.seen_at))


def judged(loop: ArrivalLoop, at: float, limits: Limits) -> ArrivalLoop:
    """The loop with the fault it has by now, if any.

    One that is stuck stays so until it falls, whatever comes into view.
    """
    if loop.fault is Fault.STUCK:
        return loop
    return replace(loop, fault=_fault(loop, at, limits))


def _fault(loop: ArrivalLoop, at: float, limits: Limits) -> Fault | None:
    full = len(loop.edges) == limits.edges
    fast = full and loop.edges[-1] - loop.edges[0] <= limits.edges_s
    if (fast or loop.fault is Fault.CHATTERING) and at - loop.since < limits.quiet_s:
        return Fault.CHATTERING
    if loop.on and at - max(loop.since, loop.seen_at) >= limits.stuck_s:
        return Fault.STUCK
    return None


MISSED = 3
"""So many admitted vehicles in a row that left the arrival loop for good were not all turned back:
the safety loop did not tell of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyLoop:
    """A safety loop: how many admitted vehicles in a row it may have missed, and whether it is
    dead. Any edge of it makes it new again: `SafetyLoop()`.
    """

    missed: int = 0
    dead: bool = False


def after(loop: SafetyLoop, end: PassageEnd, *, opened: bool, occupied: bool) -> SafetyLoop:
    """What the end of a passage tells of the safety loop; `opened` is whether its barrier was
    opened, `occupied` what the loop says.
    """
    if end is PassageEnd.PASSED_PRESUMED and occupied:
        return replace(loop, dead=True)
    if end is PassageEnd.BACKED_OUT and opened:
        missed = loop.missed + 1
        return replace(loop, missed=missed, dead=loop.dead or missed >= MISSED)
    return loop
