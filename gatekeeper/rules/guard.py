"""Interlocks: the last question before any command may reach a relay.

Pure: it is told the command, the moment and what is known of barrier and lane, and answers with
the reason why not, or None. Opening is what a barrier is for, and little may be said against it;
a boom may come down only where it is sure that nothing is under it.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from gatekeeper.model import BarrierCommand, Presence, Reason, Sensor
from gatekeeper.rules.hold import ADMITS_AS

MIN_GAP_S = 1.0
"""Shortest time between two pulses of one barrier: the coil has to fall, and be seen off."""

CLEAR_S = 2.0
"""So long nothing may be under a boom, or near it, before it comes down (docs/situations.md, 24
and 26)."""

ABOVE_LOCKDOWN = frozenset({*ADMITS_AS, Reason.EXEMPT, Reason.ORDERED})
"""For these an entry opens during a lockdown; exits open for every reason."""

_EARLY_S = 1e-6
"""Sums of moments are not exact: who asked to be woken then must find that it is time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearance:
    """Since when each sensor that guards a boom has been clear (boot clock): None while it is
    occupied, or was never read.
    """

    since: Mapping[Sensor, float | None] = field(default_factory=dict)

    @classmethod
    def of(cls, sensors: Iterable[Sensor]) -> "Clearance":
        """Of a lane with these sensors, before any of them was read."""
        return cls(since=dict.fromkeys(sensors))

    def after(self, presence: Presence) -> "Clearance":
        """With what a sensor says now; one that guards nothing changes nothing."""
        sensor, before = presence.sensor, self.since.get(presence.sensor)
        if sensor not in self.since or (before is not None and not presence.on):
            return self
        return Clearance(since={**self.since, sensor: None if presence.on else presence.at})

    def occupied(self, at: float) -> Sensor | None:
        """A sensor that has not been clear for long enough, None if all have."""
        for sensor, since in self.since.items():
            if since is None or at - since < CLEAR_S - _EARLY_S:
                return sensor
        return None

    @property
    def clear_at(self) -> float | None:
        """When all will have been clear for long enough, None while one is occupied."""
        moments = list(self.since.values())
        known = [moment for moment in moments if moment is not None]
        return max(known, default=0.0) + CLEAR_S if len(known) == len(moments) else None


def under(sensors: Collection[Sensor]) -> Clearance:
    """What guards the boom itself in a lane with these sensors: its safety loop, or else whatever
    tells who arrives, and the photocell.
    """
    loop = Sensor.SAFETY if Sensor.SAFETY in sensors else Sensor.ARRIVAL
    return Clearance.of((loop, *(each for each in sensors if each is Sensor.PHOTOCELL)))


def around(sensors: Collection[Sensor]) -> Clearance:
    """What tells whether somebody is under the boom, or on the way to it."""
    return Clearance.of(each for each in sensors if each is not Sensor.BOOM_UP)


def objection(
    command: BarrierCommand, at: float, last_at: float | None, *, locked: bool = False
) -> str | None:
    """Why an opening may not be carried out at the moment `at`; None if it may.

    `last_at` is when this barrier was last commanded, None if never; `locked` is whether a lockdown
    stops this lane. A pulse that comes late is worse than none: another vehicle may
    stand at the gate by then.
    """
    if locked and command.reason not in ABOVE_LOCKDOWN:
        return "lockdown"
    if at > command.deadline:
        return f"late by {at - command.deadline:.1f} s"
    if last_at is not None and at - last_at < MIN_GAP_S:
        return f"only {at - last_at:.1f} s after the pulse before"
    return None


def against_release(under: Clearance, at: float, *, kept_up: bool) -> str | None:
    """Why the hold output may not be let go at the moment `at`; None if it may.

    `under` is what guards the boom itself. The next vehicle may stand on the arrival loop, as it
    does whenever a boom comes down behind another.
    """
    if kept_up:
        return "the boom is to be kept up"
    occupied = under.occupied(at)
    return None if occupied is None else f"{occupied} has not been clear for {CLEAR_S:g} s"


def against_closing(
    around: Clearance, at: float, *, kept_up: bool, opening: bool, last_at: float | None
) -> str | None:
    """Why the barrier may not be told to close at the moment `at`; None if it may.

    `around` is every sensor of the lane and its view: nothing may be under the boom, nor on its
    way to it. `opening` is whether somebody has been admitted and is not through; `last_at` is when
    this barrier was last commanded. Open always beats close.
    """
    if kept_up:
        return "the boom is to be kept up"
    if opening:
        return "it was opened for somebody"
    if last_at is not None and at - last_at < MIN_GAP_S:
        return f"only {at - last_at:.1f} s after the pulse before"
    if Sensor.SAFETY not in around.since:
        return "there is no safety loop"
    occupied = around.occupied(at)
    return None if occupied is None else f"{occupied} has not been clear for {CLEAR_S:g} s"
