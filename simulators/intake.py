"""Takes events in: keeps each once, makes them safe in groups, and only then says so.

Events come from the wire; what goes out is the broker's acknowledgement after the commit, and
at most every 100 ms a confirmation of how far a journal is complete.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from simulators.journal import Journals
from simulators.link import Message

_COMMIT_S = 0.005
"""Events that arrive together are made safe together."""
_CONFIRM_S = 0.1


class Intake:
    """`taken(message)` tells the broker, `confirm(controller, journal, upto)` the controller."""

    def __init__(
        self,
        journals: Journals,
        taken: Callable[[Message], None],
        confirm: Callable[[str, str, int], None],
    ) -> None:
        self._journals = journals
        self._taken = taken
        self._confirm = confirm
        self._waiting: list[Message] = []  # the broker's window of unacknowledged messages is
        self._confirming: set[tuple[str, str]] = set()  # the bound of both
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def take(self, controller: str, message: Message, event: dict[str, Any]) -> bool:
        """Whether the event is new. Raises `ValueError` and `KeyError` for what is no event."""
        new = self._journals.keep(controller, event)
        if not self._waiting:
            self._after("commit", _COMMIT_S, self.commit)
        self._waiting.append(message)
        if not self._confirming:
            self._after("confirm", _CONFIRM_S, self._confirm_all)
        self._confirming.add((controller, event["journal"]))
        return new

    def commit(self) -> None:
        """Make safe what has arrived."""
        self._journals.commit()
        for message in self._waiting:
            self._taken(message)
        self._waiting.clear()

    def stop(self) -> None:
        """Make safe what has arrived, and do no more."""
        for timer in self._timers.values():
            timer.cancel()
        self.commit()

    def _after(self, name: str, seconds: float, then: Callable[[], None]) -> None:
        self._timers[name] = asyncio.get_running_loop().call_later(seconds, then)

    def _confirm_all(self) -> None:
        """Confirm nothing that a power cut could take away again."""
        self.commit()
        for controller, journal in sorted(self._confirming):
            if upto := self._journals.complete(journal):
                self._confirm(controller, journal, upto)
        self._confirming.clear()
