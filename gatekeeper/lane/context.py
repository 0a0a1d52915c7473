"""What one lane has, and what all lanes share: each part of a lane is given it as one thing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from uuid6 import uuid7

from gatekeeper.clock import Clock
from gatekeeper.config import LaneSettings
from gatekeeper.drivers.motion import PixelMotion
from gatekeeper.drivers.ports import Barrier, Display, Motion, Reader
from gatekeeper.health import Health
from gatekeeper.journal import Journal, Posted
from gatekeeper.model import (
    BarrierCommand,
    Decision,
    Direction,
    DisplayText,
    Doubt,
    Fact,
    ListChanges,
    ListName,
    Reason,
    SiteState,
    ZonePolicy,
)
from gatekeeper.rules import plate, texts
from gatekeeper.rules.passage import Timing
from gatekeeper.rules.texts import Texts
from gatekeeper.rules.votes import Quorum
from gatekeeper.store.pictures import Pictures
from gatekeeper.zones import Zones

_KEPT = 1000
"""Fresh bindings remembered, the newest; a whole list that comes at once holds no fresh ones."""


class Bindings:
    """Plates bound in the last minutes, and the vehicles that wait at the gates.

    A visitor who is refused binds the plate by phone, and the camera may have misread one
    character. The fresh binding then tells whose car it is, if no other waiting car could be meant
    by it. In memory only, for it is worth nothing after a restart.
    """

    def __init__(self) -> None:
        self._bound_at: dict[str, float] = {}
        self._waiting: dict[str, str] = {}

    def changed(self, changes: ListChanges | None, at: float) -> None:
        """A list has changed; None stands for a whole list."""
        if changes is None or changes.list is not ListName.VISITORS:
            return
        for change in changes.changes:
            self._bound_at.pop(change.row.plate, None)
            if not change.remove:
                self._bound_at[change.row.plate] = at
        while len(self._bound_at) > _KEPT:
            del self._bound_at[next(iter(self._bound_at))]

    def waits(self, lane: str, of_plate: str | None) -> None:
        """A vehicle read as `of_plate` waits in a lane; None: none waits there."""
        if of_plate is None:
            self._waiting.pop(lane, None)
        else:
            self._waiting[lane] = of_plate

    def fresh(self, lane: str, keys: frozenset[str], at: float, fresh_s: float) -> tuple[str, ...]:
        """Which of these plates were bound no longer than `fresh_s` ago and can be meant by no
        other waiting vehicle than the one in `lane`.
        """
        others = [read for name, read in self._waiting.items() if name != lane]
        return tuple(
            bound
            for bound in sorted(keys & self._bound_at.keys())
            if at - self._bound_at[bound] <= fresh_s
            and not any(bound == read or bound in plate.look_alikes(read) for read in others)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """The rooms that all lanes share, and what holds at the whole site. `slow_look_s` is the pause
    between two looks at a vehicle that was refused.
    """

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
    slow_look_s: float = 1.0


@dataclass(slots=True)
class LastPulse:
    """When a barrier was last commanded (boot clock), None if never, and whether a vehicle has been
    under its boom since it was raised; lanes that share one share this.
    """

    at: float | None = None
    used: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneContext:
    """One lane: its settings, the policy of its zone, and what it works with. `display` is None
    where it has none; `store_failure_admits`: it opens also for what cannot be written down.
    """

    settings: LaneSettings
    policy: ZonePolicy
    timing: Timing
    rooms: Rooms
    barrier: Barrier
    last_pulse: LastPulse
    display: Display | None
    store_failure_admits: bool
    motion: Motion = field(default_factory=PixelMotion)

    @property
    def name(self) -> str:
        """The lane, as alarms and events call it."""
        return self.settings.name

    @property
    def is_exit(self) -> bool:
        """Whether it leads out: exits open for everybody, always."""
        return self.settings.direction is Direction.EXIT

    def tell(self, *facts: Fact, passage: str | None = None, at: float | None = None) -> Posted:
        """Post facts of this lane, in one commit; `at` on the boot clock, now if None."""
        instant = self.rooms.clock.instant(at)
        return self.rooms.journal.tell(*facts, lane=self.name, passage=passage, at=instant)

    def doubt(self, doubt: Doubt, passage: str | None = None) -> None:
        """Something that could have hidden a leaving is held against no driver inside."""
        self.rooms.zones.doubt(self.name, doubt, passage)

    def command(
        self,
        within_s: float,
        *,
        reason: Reason | None = None,
        passage: str | None = None,
        known_as: str | None = None,
    ) -> BarrierCommand:
        """A command that is good for so long from now; `known_as` is its id, if it has one."""
        return BarrierCommand(
            id=known_as or str(uuid7()),
            lane=self.name,
            passage=passage,
            reason=reason,
            deadline=self.rooms.clock.boot_s() + within_s,
        )


class LaneDisplay:
    """Puts into words what the lane decides, where it has a display, which never waits."""

    def __init__(self, context: LaneContext, held: Callable[[], Reason | None]) -> None:
        """`held` is why every vehicle is admitted, None if the rules decide."""
        self._context = context
        self._texts = context.rooms.texts
        self._held = held
        self._told: DisplayText | None = None

    def decided(self, decision: Decision) -> None:
        """The driver is told at once, before the journal and the barrier."""
        self._show(lambda: texts.decided(self._texts, decision, free=self._free))

    def waits(self) -> None:
        """Admitted, and the opposite lane has the barrier."""
        self._show(lambda: texts.waits(self._texts))

    def idle(self) -> None:
        """No vehicle is here; the next may drive in where the boom is kept up."""
        self._show(lambda: texts.idle(self._texts, free=self._free, held=self._held()))

    def _show(self, worded: Callable[[], DisplayText]) -> None:
        """Only what is new: each look of a second one asks the driver to wait once more."""
        if self._context.display is not None and (text := worded()) != self._told:
            self._told = text
            self._context.display.show(text)

    @property
    def _free(self) -> int | None:
        """Spaces that no vehicle has or was promised; None while the count is not trusted."""
        policy = self._context.policy
        state = self._context.rooms.zones.state(policy.zone)
        return max(0, policy.capacity - state.taken) if state.trusted else None
