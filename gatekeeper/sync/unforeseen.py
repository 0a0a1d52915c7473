"""What becomes of an error that nothing foresaw: the one place of this room that hears of any."""

from types import TracebackType
from typing import Self

import structlog

from gatekeeper.errors import GatekeeperError
from gatekeeper.health import Health

log = structlog.get_logger(__name__)

_SHOWN = 200
"""Characters of an error that are told: its text may quote what came in."""


class Unforeseen:
    """Used as `with`, around what is done with one message of a kind. An error of the program ends
    that, and nothing else: it is in the log with its traceback, it is the alarm `message_failed`
    until another message of the kind went well, and `error` says what it was. The errors of
    `gatekeeper.errors` have meanings and go through, and so does a cancellation.
    """

    def __init__(self, kind: str, health: Health) -> None:
        self._kind, self._health = kind, health
        self.error: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        of: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if error is None:
            self._health.clear_alarm("message_failed", self._kind)
        if not isinstance(error, Exception) or isinstance(error, GatekeeperError):
            return False
        self.error = f"a fault of the program: {error!r}"[:_SHOWN]
        log.error("downlink.unforeseen", kind=self._kind, exc_info=error)
        self._health.raise_alarm("message_failed", self._kind, self.error)
        return True
