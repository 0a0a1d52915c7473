"""All that passes between the world and the code that runs its gates.

All times are true seconds since the world began, at midnight before a Monday.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Read:
    """One plate in one frame, as a reader would give it; it may be wrong.

    `confidences` has one value in 0..1 for each character; `colour` is that of the ground.
    """

    text: str
    confidences: tuple[float, ...]
    colour: str


class Gate(Protocol):
    """The controllers of the site, as the world meets them.

    Lanes are `outer-entry` and `outer-exit` (zone `car_park`, run by the controller `gate-outer`),
    `inner-entry` and `inner-exit` (zone `visitor_zone`, run by `gate-inner`).
    """

    def wake_at(self) -> float:
        """When it wants to be woken by itself; `inf` for never."""
        ...

    def wake(self, at: float) -> None:
        """The time it asked for has come."""
        ...

    def edge(self, lane: str, sensor: str, on: bool, at: float) -> None:
        """A loop, `arrival` or `safety`, or the contact `boom_up` has changed. After a power cut
        all are off until told otherwise: those that are on are told on, at once.
        """
        ...

    def looking(self, lane: str) -> bool:
        """Whether the lane wants frames now."""
        ...

    def look(self, lane: str, frame: int, reads: tuple[Read, ...], at: float) -> None:
        """One frame, with the plates read in it; frames of a lane are numbered upwards."""
        ...

    def openings(self) -> list[str]:
        """The lanes whose barrier was pulsed since this was last asked."""
        ...

    def held(self) -> Collection[str]:
        """The lanes whose booms a relay keeps up now."""
        ...

    def camera(self, lane: str, alive: bool, at: float) -> None:
        """A camera has died or come back; a controller may notice only later, by itself."""
        ...

    def power(self, controller: str, on: bool, at: float) -> None:
        """A controller has lost its power, or has it again. Without it hears and does nothing."""
        ...

    def clock_step(self, controller: str, by_s: float, trusted: bool, at: float) -> None:
        """A controller's wall clock jumps, and says from now on whether it is synchronised."""
        ...

    def broker(self, up: bool, at: float) -> None:
        """The broker has gone, or is back."""
        ...

    def bind(self, plate: str, at: float) -> None:
        """A visitor binds the plate; the list changes at the centre."""
        ...

    def list_change(self, name: str, plate: str, remove: bool, at: float) -> None:
        """The centre changes `visitors`, `internals`, `exempt` or `blacklist` (of the zone
        `visitor_zone`).
        """
        ...

    def recount(self, zone: str, count: int, at: float) -> None:
        """A person has counted a zone. The car park includes the visitor zone inside it."""
        ...
