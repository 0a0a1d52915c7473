"""Draws what happens at a site: who comes, whereto and how, and what breaks meanwhile.

A seed and a layout come in, the plan goes out, the same each time. It starts nothing and knows no
clock: all times are seconds from the beginning.
"""

from dataclasses import dataclass
from enum import StrEnum
from random import Random

from simulators.site.layout import INNER, OUTER, Layout

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


class Kind(StrEnum):
    """What the lists say of a car."""

    VISITOR = "visitor"
    INTERNAL = "internal"
    UNKNOWN = "unknown"
    BANNED = "banned"
    EXEMPT = "exempt"


_SHARES = {
    Kind.VISITOR: 0.55,
    Kind.INTERNAL: 0.25,
    Kind.UNKNOWN: 0.14,
    Kind.BANNED: 0.04,
    Kind.EXEMPT: 0.02,
}
_INTO_THE_ZONE, _BINDS, _DIRTY, _CHANGES_ITS_MIND, _FOLLOWED = 0.6, 0.6, 0.04, 0.04, 0.03
_STAYS_S = 60.0
_BREAKS_S, _LASTS_S = 60.0, (5.0, 30.0)
"""On average something breaks once in so long, for so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A car comes to a lane, so long after it was through the one before.

    `backs_out`: it turns back though it may pass. `followed`: another passes on its opening.
    """

    lane: str
    after_s: float
    backs_out: bool = False
    followed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """One car from the street and back to it; `readable` is whether its plate is, and `binds_s`
    after how long a refusal makes its driver bind the plate, None if never.
    """

    at_s: float
    plate: str
    kind: Kind
    readable: bool
    binds_s: float | None
    stops: tuple[Stop, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something breaks: what a simulator is told then, and when it is whole again."""

    at_s: float
    lasts_s: float
    simulator: str
    begins: str
    ends: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that is to happen, in order."""

    journeys: tuple[Journey, ...]
    troubles: tuple[Trouble, ...]


def drawn(seed: int, layout: Layout, *, minutes: float, rate: float, faults: bool) -> Plan:
    """`rate` cars an hour come from the street, and now and then something breaks."""
    chance = Random(seed)
    lasts_s = minutes * 60
    arrivals = _moments(chance, 3600 / rate, lasts_s)
    journeys = tuple(_journey(chance, layout, at_s) for at_s in arrivals)
    breaks = _moments(chance, _BREAKS_S, lasts_s) if faults else []
    return Plan(
        journeys=journeys, troubles=tuple(_trouble(chance, layout, at_s) for at_s in breaks)
    )


def _moments(chance: Random, every_s: float, until_s: float) -> list[float]:
    moments, at_s = [], chance.expovariate(1 / every_s)
    while at_s < until_s:
        moments.append(at_s)
        at_s += chance.expovariate(1 / every_s)
    return moments


def _journey(chance: Random, layout: Layout, at_s: float) -> Journey:
    kind = chance.choices(list(_SHARES), list(_SHARES.values()))[0]
    gates = [(OUTER, "entry"), (INNER, "entry"), (INNER, "exit"), (OUTER, "exit")]
    if chance.random() > _INTO_THE_ZONE:
        gates = [gate for gate in gates if gate[0] == OUTER]
    stops = [_stop(chance, layout, *gate) for gate in gates]
    return Journey(
        at_s=at_s,
        plate=_plate(chance),
        kind=kind,
        readable=chance.random() > _DIRTY,
        binds_s=chance.uniform(2.0, 15.0) if chance.random() < _BINDS else None,
        stops=tuple(stop for stop in stops if stop is not None),
    )


def _stop(chance: Random, layout: Layout, zone: str, direction: str) -> Stop | None:
    """At one of the lanes that lead this way, if there is any."""
    lanes = [
        lane.name for lane in layout.lanes_there if (lane.zone, lane.direction) == (zone, direction)
    ]
    if not lanes:
        return None
    return Stop(
        lane=chance.choice(lanes),
        after_s=chance.expovariate(1 / _STAYS_S) if direction == "exit" else chance.uniform(5, 20),
        backs_out=chance.random() < _CHANGES_ITS_MIND,
        followed=chance.random() < _FOLLOWED,
    )


def _plate(chance: Random) -> str:
    """GA 36-2018: a letter of the province's, and five places of which the last four are digits."""
    area, first = chance.choice("ABCDEFGHJ"), chance.choice(_LETTERS)
    return f"闽{area}{first}{chance.randrange(10_000):04d}"


def _trouble(chance: Random, layout: Layout, at_s: float) -> Trouble:
    lane = chance.choice(layout.lanes_there)
    camera = "rtsp" if lane.name in layout.streamed else "camera"
    unit = lane.unit
    choices = [
        (camera, f"fault {lane.name} hang", f"fault {lane.name} none"),
        (camera, f"fault {lane.name} black", f"fault {lane.name} none"),
        (camera, f"fault {lane.name} 401", f"fault {lane.name} none"),
        ("board", f"fault {unit}.silent", f"fault {unit}.none"),
        ("board", f"fault {unit}.exception", f"fault {unit}.none"),
        ("board", f"fault {unit}.wrong_echo", f"fault {unit}.none"),
        ("board", f"boom {lane.name} stuck", f"boom {lane.name} free"),
    ]
    if layout.displays:
        sign = f"sign-{lane.name}"
        choices += [(sign, "wedge", "unwedge"), (sign, "unplug", "plug")]
    simulator, begins, ends = chance.choice(choices)
    lasts_s = chance.uniform(*_LASTS_S)
    return Trouble(at_s=at_s, lasts_s=lasts_s, simulator=simulator, begins=begins, ends=ends)
