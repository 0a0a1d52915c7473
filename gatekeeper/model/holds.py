"""Why the boom of a lane is kept up, and the standing orders that do so."""

from dataclasses import dataclass
from enum import StrEnum

from gatekeeper.model.time import Instant


class HoldReason(StrEnum):
    """What keeps a boom up, the strongest first.

    `fire`: the fire input is latched. `order`: a person said so. `fleet`: a person let so many
    vehicles, or all that come within some time, pass. `stale_camera`: an exit that has nothing
    but its camera to see by, and the camera is stale. `lane_failed`: an exit whose lane has failed,
    and does not run again yet.
    """

    FIRE = "fire"
    ORDER = "order"
    FLEET = "fleet"
    STALE_CAMERA = "stale_camera"
    LANE_FAILED = "lane_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A standing order to keep up the boom of a lane, by `order` (its id), for `order` or `fleet`.

    It ends by itself `lasts_s` after `begun` (None: not by time), or when `vehicles` more have
    passed (None: however many).
    """

    lane: str
    reason: HoldReason
    order: str
    by: str
    why: str
    begun: Instant
    lasts_s: float | None = None
    vehicles: int | None = None
