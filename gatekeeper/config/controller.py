"""The controller as a whole, with its store, its networks, the centre and its peers."""

import re
import zoneinfo
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field

from gatekeeper.config.boards import BoardSettings
from gatekeeper.config.displays import DisplaySettings, TextsSettings
from gatekeeper.config.fire import FireSettings
from gatekeeper.config.lanes import LaneSettings
from gatekeeper.config.networks import calibrated
from gatekeeper.config.settings import File, Name, Settings, guess
from gatekeeper.config.zones import ZoneSettings
from gatekeeper.model import PROVINCES, Direction

Port = Annotated[int, Field(ge=1, le=65535)]

Province = Annotated[str, Field(pattern=f"^[{PROVINCES}]$")]
"""The first character of a plate (GA 36-2018, annex on the codes of the issuing authorities)."""


def _time_zone(name: object) -> ZoneInfo:
    if isinstance(name, ZoneInfo):
        return name
    if not isinstance(name, str):
        raise ValueError('must be a name like "Asia/Shanghai"')
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f'no time zone is called "{name}" here{_cure(name)}') from error


_NO_PLACE = re.compile(r".*\d.*|[A-Z]{2,4}|/.*", re.DOTALL)
"""An offset, an abbreviation, a file. The nearest name to `GMT+8` would be `Etc/GMT+8`, which is
eight hours behind Greenwich.
"""


def _cure(name: str) -> str:
    nearest = "" if _NO_PLACE.fullmatch(name) else guess(name, zoneinfo.available_timezones())
    return nearest or '; name a place: "Asia/Shanghai" is the time of all China'


TimeZone = Annotated[ZoneInfo, BeforeValidator(_time_zone)]
"""The name of a time zone as the operating system knows it (IANA)."""


def _is_free(name: str) -> str:
    if name in TAKEN:
        raise ValueError(f'"{name}" is not a controller by the protocol: choose another name')
    return name


TAKEN = ("centre", "registry")
"""Names that others bear in the topics of a site (docs/protocol.md)."""

ControllerName = Annotated[Name, AfterValidator(_is_free)]


class StoreSettings(Settings):
    """Where the journal and the pictures lie, how long they stay, and how much space they get.

    Events that the centre has confirmed stay `events_days`, and no more than `events_most`; while
    the clock is not trusted only number and space count. Pictures that a person may need to judge
    a stay go by space only, and last.
    """

    path: File
    pictures: File
    pictures_days: Annotated[int, Field(ge=1, le=3650)] = 30
    pictures_mb: Annotated[int, Field(ge=10, le=10_000_000)] = 10_000
    events_days: Annotated[int, Field(ge=31, le=36_500)] = 365
    events_most: Annotated[int, Field(ge=10_000, le=100_000_000)] = 2_000_000
    database_mb: Annotated[int, Field(ge=64, le=1_000_000)] = 4000
    min_free_mb: Annotated[int, Field(ge=16)] = 500


class RecognitionSettings(Settings):
    """Which set of networks reads plates, and what a sighting needs.

    `networks` is the set a gate begins with; `gatekeeper networks use` chooses another, of those
    that were installed in the folder `sets` (beside the database, if the site names none). `engine`
    runs it: ours, or the classes of hyperlpr3, which take sets of its own contract alone.

    `certain` is the smallest character confidence that may ever count against a driver: the level
    calibrated for the set that reads, if the site does not set another; `lone` what a single frame
    needs to be believed when time runs out; `province` is the one most plates here come from, and
    may break a tie between reads, no more.
    """

    networks: Name = "gk"
    sets: File | None = None
    engine: Literal["own", "hyperlpr3"] = "own"
    threads: Annotated[int, Field(ge=1, le=16)] = 1
    window_s: Annotated[float, Field(gt=0, le=30)] = 3.0
    exit_window_s: Annotated[float, Field(gt=0, le=30)] = 1.5
    slow_interval_s: Annotated[float, Field(gt=0, le=60)] = 1.0
    certain: Annotated[float, Field(gt=0.5, le=1)] = Field(
        default_factory=lambda told: calibrated(told["networks"])
    )
    lone: Annotated[float, Field(gt=0.5, le=1)] = 0.98
    province: Province | None = None


class CentreSettings(Settings):
    """The broker through which the centre is reached. Without `ca` the link is not encrypted."""

    host: Annotated[str, Field(pattern=r"^[\w.:-]+$")]
    port: Port = 8883
    username: str | None = None
    password_file: File | None = None
    ca: File | None = None
    certificate: File | None = None
    key: File | None = None
    keepalive_s: Annotated[int, Field(ge=5, le=300)] = 30


class PeerSettings(Settings):
    """Another controller of the site; `exits_of` are the zones whose exit lanes it runs.

    `exits_measured` says that each of these lanes has a camera and the places of its loops: only
    then do the limits of these zones count against anybody.
    """

    controller: ControllerName
    exits_of: tuple[Name, ...] = ()
    exits_measured: bool = False


class Config(Settings):
    """A whole gate controller. Schedules are told in the time of `timezone`."""

    site: Name
    controller: ControllerName
    timezone: TimeZone = Field(default="Asia/Shanghai", validate_default=True)
    store: StoreSettings
    centre: CentreSettings | None = None
    recognition: RecognitionSettings = RecognitionSettings()
    zone: Annotated[tuple[ZoneSettings, ...], Field(min_length=1)]
    board: Annotated[tuple[BoardSettings, ...], Field(min_length=1)]
    lane: Annotated[tuple[LaneSettings, ...], Field(min_length=1)]
    peer: tuple[PeerSettings, ...] = ()
    display: tuple[DisplaySettings, ...] = ()
    texts: TextsSettings = TextsSettings()
    fire: FireSettings = FireSettings()

    @property
    def sets_folder(self) -> Path:
        """Where sets of networks are installed, and which one is live is kept."""
        return self.recognition.sets or self.store.path.parent / "networks"

    def zone_of(self, name: str) -> ZoneSettings:
        """The zone of this name, of which there has to be one."""
        return next(zone for zone in self.zone if zone.name == name)

    def exits_of(self, zone: str) -> list[LaneSettings]:
        """The lanes of this controller that lead out of a zone."""
        return [
            lane for lane in self.lane if lane.zone == zone and lane.direction is Direction.EXIT
        ]
