"""Heartbeats, alarms that stand, and the question a watchdog asks: did everything move?

Rooms tell it what is wrong and what is right again; it remembers, and passes news on to those
who watch (the journal, the log). It writes nothing itself and never fails.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from gatekeeper.clock import Clock
from gatekeeper.model import Alarm, AlarmCleared, AlarmRaised

BLINDING = ("camera_stale", "relay_unreachable", "relay_stray", "lane_overrun")
"""With these alarms it is not known who has passed a lane: it is not seen, or its boom was not
opened here."""

HELD_OPEN = "held_open"
"""The alarm of a lane whose boom is kept up: who passes there is not proven to have done so."""

UNSTEADY = frozenset(
    (
        *("camera_stale", "relay_unreachable", "relay_stray", "display_failed", "hold_failed"),
        *("close_failed", "loop_chattering", "lane_overrun", "task_failed"),
        *("clock_untrusted", "clock_off", "disk_low", "store_failed", "store_slow"),
        *("centre_away", "centre_silent", "publish_refused", "peers_refused"),
        *("registry_malformed", "reply_refused", "message_failed"),
    )
)
"""Alarms of devices, disks and links, which may come and go with a loose plug. Those of visits are
not among them: each is about another vehicle; nor are those that stand until somebody acts.
"""

MOST_TIMES = 3
WITHIN_S = 600.0
"""An alarm that comes more often than this in so long is told as one, until it has stayed away for
as long."""

Tell: TypeAlias = Callable[[], None]
"""Told that something changed, without saying what: the receiver looks for itself."""

Watcher: TypeAlias = Callable[[AlarmRaised | AlarmCleared], None]
"""Told each alarm once when it is raised, and once when it is cleared; must not block or raise."""


@dataclass(slots=True)
class Flapping:
    """How often one alarm has come lately, and when it went. Pure."""

    _came: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_TIMES + 1))
    _went_at: float | None = None
    unsteady: bool = False

    def come(self, at: float) -> None:
        """It is raised at this moment."""
        self._came.append(at)
        self._went_at = None
        self.unsteady |= len(self._came) > MOST_TIMES and at - self._came[0] <= WITHIN_S

    def gone(self, at: float) -> None:
        """It is cleared at this moment."""
        self._went_at = at

    def is_over(self, at: float) -> bool:
        """Whether it has stayed away for so long that it need not be remembered."""
        return self._went_at is not None and at - self._went_at >= WITHIN_S


class Health:
    """The ledger of alarms and heartbeats, used from the loop's thread only.

    What is told, and `alarms`, may lag behind: one of `UNSTEADY` that comes and goes is told as one
    that stands. `stands` says how it is now.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._alarms: dict[tuple[str, str], Alarm] = {}
        self._standing: set[tuple[str, str]] = set()
        self._relieved_at: dict[tuple[str, str], float] = {}
        self._flapping: dict[tuple[str, str], Flapping] = {}
        self._beats: dict[str, tuple[float, float]] = {}
        self._watchers: list[Watcher] = []
        self._relieved: list[Tell] = []

    def watch(self, watcher: Watcher) -> None:
        """Tell `watcher` all news from now on."""
        self._watchers.append(watcher)

    def watch_relief(self, tell: Tell) -> None:
        """Tell each time that an alarm stands no longer, also where an unsteady one is told to."""
        self._relieved.append(tell)

    def raise_alarm(self, alarm: str, subject: str, detail: str) -> None:
        """`alarm` (one word, such as `camera_stale`) stands for `subject` until it is cleared.

        Raising it again changes nothing and is not news.
        """
        key, since = (alarm, subject), self._clock.boot_s()
        if key in self._standing:
            return
        self._standing.add(key)
        if self._comes(key, since):
            detail = f"unsteady, came and went {MOST_TIMES} times in ten minutes: {detail}"
        if key not in self._alarms:
            self._alarms[key] = Alarm(alarm=alarm, subject=subject, detail=detail, since=since)
            self._tell(AlarmRaised(alarm=alarm, subject=subject, detail=detail))

    def clear_alarm(self, alarm: str, subject: str) -> None:
        """The alarm no longer stands; clearing one that does not stand is no news."""
        key = (alarm, subject)
        if key not in self._standing:
            return
        self._standing.discard(key)
        self._relieved_at[key] = self._clock.boot_s()
        flapping = self._flapping.get(key)
        if flapping is not None:
            flapping.gone(self._clock.boot_s())
        if flapping is None or not flapping.unsteady:
            self._clear(key)
        for tell in self._relieved:
            tell()

    def stands(self, alarm: str, subject: str) -> bool:
        """Whether this alarm stands now."""
        return (alarm, subject) in self._standing

    def relieved_at(self, alarm: str, subject: str) -> float | None:
        """When this alarm last ceased to stand (boot clock), None if it never stood."""
        return self._relieved_at.get((alarm, subject))

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """All alarms that stand, or are told to, oldest first."""
        return tuple(self._alarms.values())

    def _comes(self, key: tuple[str, str], at: float) -> bool:
        """Whether this alarm is unsteady, now that it comes once more."""
        if key[0] not in UNSTEADY:
            return False
        flapping = self._flapping.setdefault(key, Flapping())
        flapping.come(at)
        return flapping.unsteady

    def _settle(self, now: float) -> None:
        """Clear what was unsteady and has stayed away."""
        for key in [key for key, each in self._flapping.items() if each.is_over(now)]:
            del self._flapping[key]
            self._clear(key)

    def _clear(self, key: tuple[str, str]) -> None:
        if self._alarms.pop(key, None) is not None:
            self._tell(AlarmCleared(alarm=key[0], subject=key[1]))

    def beat(self, name: str, within_s: float) -> None:
        """`name` is alive, and will say so again within `within_s` seconds."""
        self._beats[name] = (self._clock.awake_s(), within_s)
        self._settle(self._clock.boot_s())

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
