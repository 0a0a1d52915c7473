"""Heartbeats, alarms that stand, and the question a watchdog asks: did everything move?

Rooms tell it what is wrong and what is right again; it remembers, and passes news on to those
who watch (the journal, the log). It writes nothing itself and never fails.
"""

from collections.abc import Callable
from typing import TypeAlias

from gatekeeper.clock import Clock
from gatekeeper.model import Alarm, AlarmCleared, AlarmRaised

BLINDING = ("camera_stale", "relay_unreachable", "relay_stray", "lane_overrun")
"""With these alarms it is not known who has passed a lane: it is not seen, or its boom was not
opened here."""

HELD_OPEN = "held_open"
"""The alarm of a lane whose boom is kept up: who passes there is not proven to have done so."""

Tell: TypeAlias = Callable[[], None]
"""Told that something changed, without saying what: the receiver looks for itself."""

Watcher: TypeAlias = Callable[[AlarmRaised | AlarmCleared], None]
"""Told each alarm once when it is raised, and once when it is cleared; must not block or raise."""


class Health:
    """The ledger of alarms and heartbeats, used from the loop's thread only."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._alarms: dict[tuple[str, str], Alarm] = {}
        self._beats: dict[str, tuple[float, float]] = {}
        self._watchers: list[Watcher] = []

    def watch(self, watcher: Watcher) -> None:
        """Tell `watcher` all news from now on."""
        self._watchers.append(watcher)

    def raise_alarm(self, alarm: str, subject: str, detail: str) -> None:
        """`alarm` (one word, such as `camera_stale`) stands for `subject` until it is cleared.

        Raising it again changes nothing and is not news.
        """
        if (alarm, subject) in self._alarms:
            return
        since = self._clock.boot_s()
        self._alarms[alarm, subject] = Alarm(
            alarm=alarm, subject=subject, detail=detail, since=since
        )
        self._tell(AlarmRaised(alarm=alarm, subject=subject, detail=detail))

    def clear_alarm(self, alarm: str, subject: str) -> None:
        """The alarm no longer stands; clearing one that does not stand is no news."""
        if self._alarms.pop((alarm, subject), None) is not None:
            self._tell(AlarmCleared(alarm=alarm, subject=subject))

    def stands(self, alarm: str, subject: str) -> bool:
        """Whether this alarm stands now."""
        return (alarm, subject) in self._alarms

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """All alarms that stand, oldest first."""
        return tuple(self._alarms.values())

    def beat(self, name: str, within_s: float) -> None:
        """`name` is alive, and will say so again within `within_s` seconds."""
        self._beats[name] = (self._clock.awake_s(), within_s)

    def forget(self, name: str) -> None:
        """`name` has ended as it should; its silence means nothing."""
        self._beats.pop(name, None)

    def silent(self) -> tuple[str, ...]:
        """Who has not kept the promise of its last heartbeat."""
        now = self._clock.awake_s()
        return tuple(name for name, (at, within) in self._beats.items() if now - at > within)

    def _tell(self, news: AlarmRaised | AlarmCleared) -> None:
        for watcher in self._watchers:
            watcher(news)
