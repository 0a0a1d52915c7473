"""What a site has decided about its zones."""

from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum

from gatekeeper.model.decisions import Limit, VehicleClass

EXEMPTIBLE = (
    "police",
    "armed_police",
    "military",
    "emergency",
    "embassy",
    "consulate",
    "civil_aviation",
)
"""The kinds of plate that a site may exempt as a kind: those whose holder the plate itself names.
All are names of `rules.plate.PlateKind`."""


class Admits(StrEnum):
    """Which cars the entries of a zone admit: all (an outer gate) or the registered (an inner)."""

    EVERYBODY = "everybody"
    REGISTERED = "registered"


class Then(StrEnum):
    """What a schedule says of its class of vehicle in its hours: refused, or admitted with the
    zone's limit (where the class has one), or admitted without any limit.
    """

    REFUSE = "refuse"
    ADMIT = "admit"
    FREE = "free"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What holds for one class of vehicle on some weekdays (0 is Monday) between two times of the
    site's own day; `until` itself is outside, and one not after `begins` lies on the next day.
    """

    vehicle: VehicleClass
    weekdays: tuple[int, ...]
    begins: time
    until: time
    then: Then

    def fits(self, local: datetime) -> bool:
        """Whether a moment of the site's own time lies in these hours; the weekday is that of
        their beginning.
        """
        moment, weekday = local.time(), local.weekday()
        begun = weekday in self.weekdays and self.begins <= moment
        if self.begins < self.until:
            return begun and moment < self.until
        return begun or ((weekday - 1) % 7 in self.weekdays and moment < self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class ZonePolicy:
    """What the site has decided about a zone.

    `limit` holds for internal vehicles that a zone of the registered admits, and for no others.
    Of `schedules` the first that fits the vehicle and the hour counts; where none fits, the tables
    of `rules.access` stand alone. `exempt_kinds` are some of `EXEMPTIBLE`. An
    unreadable plate is refused until the vehicle has waited `unreadable_after_s`, and then too,
    unless `unreadable_admit`. `cooldown_s` is how long an internal vehicle has to stay away before
    it may come again, 0.0 for not at all. A binding not older than `binding_fresh_s` may admit a
    waiting vehicle whose read is one confusable character away. Rows this gate puts on the
    blacklist end after `blacklist_days`, None for never. Stays with a limit are given up as
    abandoned after `abandon_limited_s`, others after `abandon_s`.
    """

    zone: str
    admits: Admits
    capacity: int
    limit: Limit
    when_full_admit: bool = False
    unknown_when_offline_admit: bool = True
    offline_after_s: float = 60.0
    when_registry_missing_admit: bool = True
    unreadable_admit: bool = False
    unreadable_after_s: float = 60.0
    exempt_kinds: tuple[str, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    cooldown_s: float = 0.0
    binding_fresh_s: float = 300.0
    blacklist_days: float | None = None
    abandon_limited_s: float = 86_400.0
    abandon_s: float = 30 * 86_400.0
