"""One moment, on both clocks."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Instant:
    """One moment on both clocks, stamped once, where the thing was seen to happen.

    `boot_s` counts from the boot named by `boot_id` and never jumps; `wall` (aware, UTC) may be
    wrong unless `trusted` says that the operating system had it synchronised.
    """

    boot_id: str
    boot_s: float
    wall: datetime
    trusted: bool
