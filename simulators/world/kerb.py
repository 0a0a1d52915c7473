"""One lane: an arrival loop, a safety loop under a boom, and the cars that queue for them."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Final, Protocol

from simulators.world.agenda import NEVER, Agenda
from simulators.world.boom import Boom
from simulators.world.car import Car
from simulators.world.gate import Read
from simulators.world.plan import Plan
from simulators.world.reading import Reader
from simulators.world.train import ARRIVAL_M, SAFETY_M, Pace, Train, joined
from simulators.world.truth import Way
from simulators.world.wire import Wire

SIGHT_M: Final = 3.5
"""A plate beyond this is out of the picture."""
HIDDEN_M: Final = 2.5
"""The plate of a car that follows closer than this cannot be read."""
STANDS_M: Final = (1.2, 2.6)
"""Where the front of a car comes to stand."""
CLOSE_M: Final = (0.4, 1.0)
GAP_M: Final = (1.55, 6.0)

FIRST_FRAME_S: Final = 0.15
FRAME_S: Final = 0.2
SLOW_FRAME_S: Final = 1.5
QUICK_FRAMES: Final = 12
REVERSING_S: Final = (1.0, 4.0)
ROLL_UP_S: Final = 0.8
"""The next car is on the arrival loop no sooner than this after the one before has left it."""


@dataclass(slots=True, eq=False)
class Halt:
    """One visit of one car to a lane.

    `stands_m` is where its front stands, `opened` whether the barrier was opened while it stood
    there, `shown` in how many frames its plate was, `in_sight_until` when it has driven on.
    """

    car: Car
    reached_at: float
    stands_m: float = 0.0
    stopped_at: float = 0.0
    legible: bool = True
    company: bool = False
    opened: bool = False
    driving: bool = False
    way: Way | None = None
    frames: int = 0
    shown: int = 0
    in_sight_until: float = float("inf")


class Follow(Enum):
    """Whether the next car comes along under the same opening."""

    NOT = "not"
    CLOSE = "close"
    GAP = "gap"


class Drivers(Protocol):
    """Who sits in the cars, as a kerb meets them."""

    def stands(self, kerb: "Kerb", halt: Halt, at: float) -> None:
        """A car has come to the front of the lane."""
        ...

    def turns_back(self, kerb: "Kerb", halt: Halt) -> bool:
        """Whether a driver reverses out though the boom is up."""
        ...

    def follows(self, kerb: "Kerb", car: Car, at: float) -> Follow:
        """Whether the next driver drives on right behind the one ahead."""
        ...

    def crossed(self, kerb: "Kerb", halt: Halt, at: float) -> None:
        """The rear of a car has left the safety loop; `halt.way` says how it got there."""
        ...

    def backed_out(self, kerb: "Kerb", halt: Halt, at: float) -> None:
        """A car has reversed off the arrival loop."""
        ...


class Kerb:
    """The physics of one lane; people decide through `drivers`."""

    def __init__(
        self,
        lane: str,
        plan: Plan,
        *,
        agenda: Agenda,
        wire: Wire,
        reader: Reader,
        drivers: Drivers,
        random: Random,
    ) -> None:
        self.lane = lane
        self.is_exit = lane.endswith("exit")
        self.boom = Boom()
        self.queue: deque[Car] = deque()
        self.halt: Halt | None = None
        self._second_plates = plan.second_plates
        self._agenda = agenda
        self._wire = wire
        self._reader = reader
        self._drivers = drivers
        self._random = random
        self._boom_up = False
        self._taken = False  # a car is on the arrival loop, or on its way there
        self._free_at = 0.0
        self._clear_at = 0.0

    def join(self, car: Car, at: float) -> None:
        """A car comes to the end of the queue."""
        car.joined_at = at
        self.queue.append(car)
        if not self._taken:
            self._taken = True
            self._agenda.plan(max(at, self._free_at + ROLL_UP_S), self._reach)

    def pulse(self, at: float) -> None:
        """The barrier is told to open; a driver who stands there takes the opening as theirs."""
        self.boom.pulse(at)
        if self.halt is not None:
            self.halt.opened = True
        self._boom_moves(at)
        self._set_out(at)

    def press(self, halt: Halt, at: float) -> None:
        """Somebody lets a car that still stands there through, by the button at the barrier."""
        if self.halt is halt and not halt.driving:
            halt.way = Way.BUTTON
            self.boom.pulse(at)
            self._boom_moves(at)
            self._set_out(at)

    def lift(self, at: float) -> None:
        """The boom is lifted by hand, and any car that comes drives through."""
        self.boom.lift(at)
        self._boom_moves(at)
        self._set_out(at)

    def lower(self, at: float) -> None:
        """It is not kept up by hand any more."""
        self.boom.lower(at)
        self._boom_moves(at)

    def held(self, held: bool, at: float) -> None:
        """The relay of the controller keeps the boom up, or does no longer."""
        if held == ("relay" in self.boom.kept_up):
            return
        if held:
            self.boom.hold(at)
        else:
            self.boom.lower(at, "relay")
        self._boom_moves(at)
        self._set_out(at)

    def leave(self, halt: Halt, at: float) -> None:
        """A driver gives up and reverses, if the car still stands there."""
        if self.halt is halt and not halt.driving:
            halt.driving = True
            halt.in_sight_until = at
            self._agenda.plan(at + self._random.uniform(*REVERSING_S), self._reversed, halt)

    # A car comes to stand, and is looked at.

    def _reach(self, at: float, _: None) -> None:
        draw = self._random.uniform
        halt = Halt(self.queue.popleft(), at, draw(*STANDS_M), at + draw(0.6, 1.4))
        halt.legible = self._reader.legible(halt.car, at)
        halt.company = bool(self.queue) and draw(0, 1) < self._second_plates
        if self.boom.inviting(at):  # no car stops before an open boom
            halt.stands_m, halt.stopped_at = ARRIVAL_M[0], at
            self._agenda.plan(max(at, self._clear_at), self._drive, halt)
        self._arrive(at, halt)
        self._drivers.stands(self, halt, at)

    def _arrive(self, at: float, halt: Halt) -> None:
        self.halt = halt
        self._agenda.plan(at + FIRST_FRAME_S, self._look, halt)
        self._wire.edge(self.lane, "arrival", True, at)

    def _look(self, at: float, halt: Halt) -> None:
        if self.halt is not halt or at >= halt.in_sight_until:
            return
        pause = SLOW_FRAME_S
        if self._wire.looking(self.lane):
            halt.frames += 1
            pause = FRAME_S if halt.frames < QUICK_FRAMES else SLOW_FRAME_S
            self._wire.look(self.lane, self._reads(halt, at), at)
        self._agenda.plan(at + pause, self._look, halt)

    def _reads(self, halt: Halt, at: float) -> tuple[Read, ...]:
        if not halt.legible:
            return ()
        read = self._reader.read(halt.car, at)
        if read is None:
            return ()
        halt.shown += 1
        if halt.company and self.queue and self._random.random() < 0.5:
            other = self._reader.read(self.queue[0], at)
            return (read, other) if other is not None else (read,)
        return (read,)

    # It drives, alone or with others close behind.

    def _set_out(self, at: float) -> None:
        halt = self.halt
        if halt is not None and not halt.driving:
            may = max(at, self.boom.up_at, halt.stopped_at, self._clear_at)
            self._agenda.plan(may + self._random.uniform(0.4, 1.5), self._drive, halt)

    def _drive(self, at: float, halt: Halt) -> None:
        if self.halt is not halt or halt.driving or not self.boom.up(at):
            return
        if self._drivers.turns_back(self, halt):
            self.leave(halt, at)
            return
        halt.driving = True
        halt.way = halt.way or self._way(halt)
        self.boom.enter()
        self._boom_moves(at)
        self._depart(halt, at)

    def _way(self, halt: Halt) -> Way:
        if not self._wire.powered(self.lane):
            return Way.POWER_OFF
        if "relay" in self.boom.kept_up:
            return Way.HELD
        return Way.DECIDED if halt.opened else Way.TAKEN_OVER

    def _depart(self, first: Halt, at: float) -> None:
        halts, gaps = self._followers(first, at)
        train = Train(first.stands_m, [halt.car.length_m for halt in halts], gaps)
        pace = Pace(train, self._random)
        first.in_sight_until = at + pace.when(SIGHT_M - first.stands_m)
        self._over_arrival(train, pace, halts, at)
        self._over_safety(train, pace, halts, at)

    def _followers(self, first: Halt, at: float) -> tuple[list[Halt], list[float]]:
        """Those who drive on behind; a plate that was in the picture cannot be a hidden one."""
        halts, gaps = [first], list[float]()
        while self.queue and not first.company:
            follow = self._drivers.follows(self, self.queue[0], at)
            if follow is Follow.NOT:
                break
            gaps.append(self._random.uniform(*(CLOSE_M if follow is Follow.CLOSE else GAP_M)))
            halts.append(self._follower(self.queue.popleft(), follow, gaps[-1], at))
        return halts, gaps

    def _follower(self, car: Car, follow: Follow, gap_m: float, at: float) -> Halt:
        way = Way.BUMPER if follow is Follow.CLOSE else Way.TAILGATED
        legible = gap_m > HIDDEN_M and self._reader.legible(car, at)
        return Halt(car, at, legible=legible, driving=True, way=way)

    def _over_arrival(self, train: Train, pace: Pace, halts: Sequence[Halt], at: float) -> None:
        spans = train.over(ARRIVAL_M)
        seen = joined(spans)
        edges = {start for start, _ in seen}
        for halt, (start, _) in zip(halts[1:], spans[1:], strict=True):
            halt.reached_at = at + pace.when(start)
            halt.in_sight_until = at + pace.when(start + SIGHT_M)
            if start in edges:
                self._agenda.plan(halt.reached_at, self._arrive, halt)
        for _, end in seen:
            self._agenda.plan(at + pace.when(end), self._free, end == seen[-1][1])

    def _over_safety(self, train: Train, pace: Pace, halts: Sequence[Halt], at: float) -> None:
        spans = train.over(SAFETY_M)
        for start, end in joined(spans):
            self._agenda.plan(at + pace.when(start), self._safety, True)
            self._agenda.plan(at + pace.when(end), self._safety, False)
        for halt, (_, end) in zip(halts, spans, strict=True):
            self._agenda.plan(at + pace.when(end), self._cross, halt)
        self._clear_at = at + pace.when(spans[-1][1])

    def _safety(self, at: float, on: bool) -> None:
        if not on and at >= self._clear_at:
            self.boom.clear(at)
            self._boom_moves(at)
        self._wire.edge(self.lane, "safety", on, at)

    def _boom_moves(self, at: float, _: None = None) -> None:
        """The boom is up, or no longer, now or later."""
        up, due = self.boom.up(at), self.boom.changes_at(at)
        if up != self._boom_up:
            self._boom_up = up
            self._wire.edge(self.lane, "boom_up", up, at)
        if due < NEVER:
            self._agenda.plan(due, self._boom_moves)

    def _cross(self, at: float, halt: Halt) -> None:
        self._drivers.crossed(self, halt, at)

    def _reversed(self, at: float, halt: Halt) -> None:
        self._free(at, last=True)
        self._drivers.backed_out(self, halt, at)

    def _free(self, at: float, last: bool) -> None:
        """The arrival loop has cleared; after the last car the next one rolls up."""
        self.halt = None
        self._free_at = at
        self._taken = not last or bool(self.queue)
        if last and self.queue:
            pause = ROLL_UP_S + self._random.expovariate(1 / 1.5)
            self._agenda.plan(at + pause, self._reach)
        self._wire.edge(self.lane, "arrival", False, at)
