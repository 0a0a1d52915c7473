"""What time it is, where that is known: by this controller's own clock where it is trusted, else by
what the centre has said on this connection (situations, 41).
"""

import asyncio
import secrets
from datetime import datetime, timedelta

from gatekeeper.clock import Clock, rest

_LOOK_S = 1.0
"""How often a clock is looked at that was not trusted: nothing tells when it is."""


class CentreTime:
    """Used from the loop's thread. What the centre says goes on by the boot clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told: tuple[float, datetime] | None = None
        self._moved = asyncio.Event()
        self.question = _question()

    def told(self, at: datetime) -> None:
        """The centre's clock shows `at` just now."""
        self._told = (self._clock.boot_s(), at)
        self._moved.set()

    def begin(self) -> None:
        """Another connection: the centre has to tell the time on it, and answers `question`, which
        nothing that waited at the broker can know.
        """
        self._told = None
        self.question = _question()

    async def ahead(self, due: float) -> timedelta | None:
        """How far the time is ahead of this controller's wall clock, as soon as that is known; None
        if it is not by the moment `due` of the boot clock.
        """
        while (ahead := self.ahead_now()) is None and self._clock.boot_s() < due:
            self._moved.clear()
            await rest(self._moved, due, self._clock, at_most_s=_LOOK_S)
        return ahead

    def ahead_now(self) -> timedelta | None:
        """The same, without waiting."""
        own = self._clock.instant()
        if own.trusted:
            return timedelta()
        if self._told is None:
            return None
        since, at = self._told
        return at + timedelta(seconds=own.boot_s - since) - own.wall


def _question() -> str:
    return secrets.token_hex(8)
