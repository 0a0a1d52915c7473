"""The watch over cameras that are exchanged, for zones whose entries and exits are both run here.

The rules of `rules.exchanged`.
"""

from collections.abc import Iterable

from gatekeeper.health import Health
from gatekeeper.model import Direction
from gatekeeper.rules.exchanged import Seen, crossed
from gatekeeper.rules.journey import Ended, Place

ALARM = "cameras_exchanged"


class ExchangedCameras:
    """What was seen of each zone."""

    def __init__(self, places: Iterable[Place], health: Health) -> None:
        ways = {(place.zone, place.direction) for place in places}
        both = {zone for zone, _ in ways if {(zone, each) for each in Direction} <= ways}
        self._seen = {zone: Seen() for zone in both}
        self._health = health

    def is_suspected(self, zone: str) -> bool:
        """Whether no stay in this zone is to be believed."""
        return zone in self._seen and self._seen[zone].suspected

    def crossed(self, place: Place, told: Ended, *, inside: bool) -> bool:
        """A passage is over; `inside` is whether its plate was in the zone before it came. Whether
        stays are to be doubted from now on.
        """
        zone, sighting = place.zone, told.sighting
        is_sure = told.through and sighting is not None and sighting.certain
        if zone not in self._seen or not is_sure:
            return False
        before = self._seen[zone]
        seen = self._seen[zone] = crossed(before, place.direction, inside=inside)
        if seen.exchanged:
            detail = f"{seen.entries} came in that were inside, {seen.exits} left that were not"
            self._health.raise_alarm(ALARM, zone, detail)
        elif not seen.suspected:
            self._health.clear_alarm(ALARM, zone)
        return seen.suspected and not before.suspected
