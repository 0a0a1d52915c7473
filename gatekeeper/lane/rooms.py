"""What all lanes share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from gatekeeper.clock import Clock
from gatekeeper.drivers.ports import Reader
from gatekeeper.health import Health
from gatekeeper.journal import Journal
from gatekeeper.lane.bindings import Bindings
from gatekeeper.model import SiteState
from gatekeeper.rules.texts import Texts
from gatekeeper.rules.votes import Quorum
from gatekeeper.store.pictures import Pictures
from gatekeeper.zones import Zones


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """The rooms a lane walks its vehicles through, and what holds at the whole site."""

    reader: Reader
    journal: Journal
    zones: Zones
    pictures: Pictures
    bindings: Bindings
    clock: Clock
    health: Health
    site: Callable[[], SiteState]
    timezone: ZoneInfo
    quorum: Quorum
    texts: Texts = field(default_factory=Texts)
