"""What stands, and what the controller says of itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gatekeeper.model.lists import ListVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An alarm that stands, since when (boot clock)."""

    alarm: str
    subject: str
    detail: str
    since: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """What the controller says of itself every half minute; the last of `journal` was `seq`."""

    at: datetime
    clock_trusted: bool
    lanes: Mapping[str, str]
    alarms: tuple[Alarm, ...]
    outbox: int
    free_disk_mb: int
    list_versions: tuple[ListVersion, ...] = field(default=())
    journal: str = ""
    seq: int = 0
