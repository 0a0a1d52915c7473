"""The barrier that two opposite lanes share, and each lane's side of it.

`rules.turn` says whose it is and to whom the loops speak; this file remembers it for both lanes,
and tells them. It decides at once, in the order in which things happen, and waits for nothing.
"""

import asyncio
from collections.abc import Callable

import structlog

from gatekeeper.clock import Clock, rest
from gatekeeper.health import Health
from gatekeeper.lane.context import LastPulse
from gatekeeper.model import Direction, Presence, Sensor
from gatekeeper.rules import turn
from gatekeeper.rules.turn import Granted, LaneEdge, Overdue, TurnStep, TurnTiming

log = structlog.get_logger(__name__)

OVERDUE = "turn_overdue"
"""The alarm of a lane that has kept the barrier from the opposite one for too long."""

BEAT_S = 10.0
"""How often a quiet turn says that it lives."""


class SharedBarrier:
    """The one barrier of a reversible lane."""

    def __init__(self, *, clock: Clock, health: Health, timing: TurnTiming) -> None:
        self._clock = clock
        self._health = health
        self._timing = timing
        self._turn = turn.Turn()
        self._sides: dict[Direction, Side] = {}
        self._changed = asyncio.Event()
        self.last_pulse = LastPulse()
        self.keepers: list[Callable[[], bool]] = []

    def side(self, lane: str, direction: Direction) -> "Side":
        """The side of the barrier that a lane leads to it from; each may be asked for once."""
        self._sides[direction] = Side(lane, direction, self)
        return self._sides[direction]

    @property
    def name(self) -> str:
        """Both lanes, as the log and the watchdog call them."""
        return " and ".join(side.lane for side in self._sides.values())

    @property
    def kept_up(self) -> bool:
        """Whether either lane may be keeping the boom up."""
        return any(keeps_up() for keeps_up in self.keepers)

    @property
    def wake_at(self) -> float | None:
        """When `late` wants to be called (boot clock)."""
        return turn.wake_at(self._turn, self._timing)

    def late(self) -> None:
        """The moment that was asked for may have come."""
        self._follow(turn.time(self._turn, self._clock.boot_s(), self._timing))

    async def run(self) -> None:
        """Look after the time limits, until cancelled."""
        task = f"turn of {self.name}"
        try:
            while True:
                self.late()
                self._changed.clear()
                self._health.beat(task, within_s=3 * BEAT_S)
                await rest(self._changed, self.wake_at, self._clock, at_most_s=BEAT_S)
        finally:
            self._health.forget(task)

    # --- what the sides ask and tell ----------------------------------------------------------

    def ask(self, side: Direction) -> bool:
        """Whether the barrier is this side's now; if it is not, it will be told when it is."""
        step = turn.asks(self._turn, side, self._clock.boot_s())
        self._follow(step, asking=side)
        return Granted(side=side) in step.outputs

    def over(self, side: Direction) -> None:
        """This side needs the barrier no longer."""
        self._follow(turn.gives_back(self._turn, side, self._clock.boot_s()))

    def taken(self, side: Direction) -> bool:
        """Whether this side would have to wait."""
        return Granted(side=side) not in turn.asks(self._turn, side, self._clock.boot_s()).outputs

    def sensed(self, side: Direction, presence: Presence) -> None:
        """An input of one of the lanes, as the board tells it: what it says goes to whom it is
        about. Both lanes see where the boom is, and what guards it.
        """
        match presence.sensor:
            case Sensor.ARRIVAL:
                step = turn.arrival(self._turn, side, presence.on, presence.at, self._timing)
            case Sensor.SAFETY:
                step = turn.safety(self._turn, presence.on, presence.at)
            case _:
                self._sides[side].tell(presence)
                return
        if step.turn == self._turn and not presence.on:
            self._sides[side].tell(presence)  # a loop that is clear, read for the first time
        self._follow(step, presence)

    def _follow(
        self, step: TurnStep, presence: Presence | None = None, *, asking: Direction | None = None
    ) -> None:
        before, self._turn = self._turn, step.turn
        if (before.owner, before.since) != (step.turn.owner, step.turn.since):
            self._report(step)
        self._changed.set()
        for output in step.outputs:
            match output:
                case LaneEdge():
                    self._tell(output, presence)
                case Granted(side=side) if side is not asking:
                    self._sides[side].granted()
                case _:
                    pass

    def _tell(self, told: LaneEdge, presence: Presence | None) -> None:
        side = self._sides[told.side]
        at = self._clock.boot_s() if presence is None else presence.at
        side.tell(Presence(lane=side.lane, sensor=told.sensor, on=told.on, at=at, known=told.known))

    def _report(self, step: TurnStep) -> None:
        owner = None if step.turn.owner is None else self._sides[step.turn.owner].lane
        log.info("turn.owner", turn=self.name, owner=owner)
        late = {output.side for output in step.outputs if isinstance(output, Overdue)}
        for direction, side in self._sides.items():
            if direction in late:
                detail = "its vehicle has not cleared the barrier; the opposite lane opens now"
                self._health.raise_alarm(OVERDUE, side.lane, detail)
            else:
                self._health.clear_alarm(OVERDUE, side.lane)


class Side:
    """One lane's side of the shared barrier `turn`: what its inputs say goes in by `sensed`, and
    comes out for what watches the lane whose vehicle it is about.
    """

    def __init__(self, lane: str, direction: Direction, shared: SharedBarrier) -> None:
        self.lane = lane
        self._direction = direction
        self.turn = shared
        self._watchers: list[Callable[[Presence], None]] = []
        self._callers: list[Callable[[], None]] = []

    @property
    def last_pulse(self) -> LastPulse:
        """When the barrier was last commanded, by either lane."""
        return self.turn.last_pulse

    @property
    def taken(self) -> bool:
        """Whether this lane would have to wait for the barrier now."""
        return self.turn.taken(self._direction)

    def ask(self) -> bool:
        """Whether the barrier is this lane's now; if not, `granted` calls it when it is."""
        return self.turn.ask(self._direction)

    def over(self) -> None:
        """This lane needs the barrier no longer, or not yet; saying so again changes nothing."""
        self.turn.over(self._direction)

    def sensed(self, presence: Presence) -> None:
        """An input wired to this lane changed, or was read for the first time."""
        self.turn.sensed(self._direction, presence)

    @property
    def kept_up(self) -> bool:
        """Whether either lane may be keeping the boom up."""
        return self.turn.kept_up

    def explain(self, keeps_up: Callable[[], bool]) -> None:
        """`keeps_up` tells whether this lane may be keeping the boom up."""
        self.turn.keepers.append(keeps_up)

    def watch(self, tell: Callable[[Presence], None]) -> None:
        """From now on tell what the loops say of this lane's vehicles; `tell` must not block."""
        self._watchers.append(tell)

    def on_turn(self, call: Callable[[], None]) -> None:
        """From now on call when it is this lane's turn; `call` must not block."""
        self._callers.append(call)

    def tell(self, presence: Presence) -> None:
        """Pass on what a loop says."""
        for tell in self._watchers:
            tell(presence)

    def granted(self) -> None:
        """It is this lane's turn."""
        for call in self._callers:
            call()
