"""The inner gate with its two lanes, and the cars that drive there: the truth beside a rehearsal.

Cars have a length and a speed, loops are where they are, and no car drives through a boom that is
down. What a car really does is written into a `Truth`; the controller is told of edges and frames.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pytest

from gatekeeper.config import Config
from gatekeeper.errors import StoreError
from gatekeeper.model import (
    Colour,
    Commit,
    Event,
    Fact,
    ListChange,
    ListChanges,
    ListName,
    ListRow,
    Order,
    OrderAnswer,
    PlateRead,
    Sensor,
)
from gatekeeper.store.facts import fact_of
from simulators.virtual import EPOCH, Broker, Machine, VirtualLoop, at_once
from simulators.virtual.machine import Life
from simulators.world import Truth, Vehicle, Visit, Way

ZONE, ENTRY, EXIT = "visitor_zone", "inner-entry", "inner-exit"
LANES = (ENTRY, EXIT)

ARRIVAL_M, SAFETY_M, LOOP_M = -1.5, 1.0, 1.5
"""Where each loop begins along the way, and its length; a car stands with its front at 0."""

CORNERS = ((0.0, 0.0), (120.0, 0.0), (120.0, 40.0), (0.0, 40.0))

FRAME_S = 0.2
FALLS_S = 10.0
"""A boom under which no car drives falls after so long."""

OPENS_S = 8.0
"""A car that stands at an exit so long has seen the boom go up."""

MANY = 100_000


Seen: TypeAlias = Literal["right", "unsure", "misread", "flickering", "unread"]
"""What the frames of one halt show of a plate; `flickering`: right and wrong in turn."""


@dataclass(slots=True, kw_only=True, eq=False)
class Car:
    """A car, the plate it bears, what a reader may take that for, and where it is."""

    plate: str
    taken_for: str
    length_m: float = 4.4
    visit: Visit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An event of the journal, and the true second in which it was written."""

    seq: int
    lane: str | None
    passage: str | None
    fact: Fact
    true_s: float


class PowerCut(BaseException):
    """The controller's machine has stopped, whatever it was about to do."""


class Gate:
    """Both lanes, the controller that runs them, its lists, and what really happens.

    `standing` are the cars on the arrival loops, `arrivals` who came when to which lane, `pulses`
    how often each boom was opened; `told` is the whole journal, and `hear` is called with what is
    new in it.
    """

    def __init__(self, folder: Path, **zone: Any) -> None:
        """`zone` are settings of the visitor zone."""
        self.truth = Truth()
        self.standing: dict[str, Car] = {}
        self.arrivals: dict[str, list[tuple[float, Car]]] = {lane: [] for lane in LANES}
        self.pulses: Counter[str] = Counter()
        self.told: list[Told] = []
        self.lists: dict[ListName, set[str]] = {name: set() for name in ListName}
        self.hear: Callable[[Told], None] = lambda told: None
        self._versions: Counter[ListName] = Counter()
        self._orders = self._frames = self._lives = 0
        self._up: set[str] = set()
        self._blind: set[str] = set()
        self._clear_since = dict.fromkeys(LANES, 0.0)
        self._opened: set[str] = set()
        self._loops: set[tuple[str, Sensor]] = set()
        self._folder = folder
        self._zone = zone
        self._time = VirtualLoop()
        self.machine = Machine(self._config(), folder / "gate-0.db", self._time, broker=Broker())
        self._begun_s = 0.0
        self._cut = self._ended = False
        self._live()

    @property
    def true_s(self) -> float:
        """Seconds since the beginning."""
        return self._time.time()

    @property
    def path(self) -> Path:
        """The database as it lies there now."""
        return self.machine.path

    @property
    def life(self) -> Life:
        """The controller that runs now."""
        return self.machine.now

    def end(self) -> None:
        """Stop, and let go of the database."""
        if not self._ended:
            self.machine.kill()
            self._time.close()
        self._ended = True

    def adopt(self, **zone: Any) -> None:
        """Somebody has changed the zone's settings, and started the daemon again."""
        self._zone |= zone
        self.machine.config = self._config()
        self.crash()

    # --- time ---------------------------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        """Time passes, and with it whatever the controller waits for."""
        until = self.true_s + seconds
        while (due := self._time.next_at()) is not None and due <= until:
            self._at(due)
        self._at(until)

    def _at(self, true_s: float) -> None:
        self._do(lambda: self._time.run_to(true_s))
        for lane in LANES:
            free = not any(where == lane for where, _ in self._loops)
            if free and self.true_s - self._clear_since[lane] > FALLS_S:
                self._up.discard(lane)
        self._exit_is_open()

    def _exit_is_open(self) -> None:
        """Exits open for everybody, always."""
        if EXIT not in self.standing or EXIT in self._opened:
            return
        since = max(self.arrivals[EXIT][-1][0], self._begun_s)
        assert self.true_s - since < OPENS_S, f"the exit stays closed at {self.true_s} s"

    # --- at the kerb --------------------------------------------------------------------------

    def car(self, plate: str, taken_for: str) -> Car:
        """A car that stands outside."""
        return Car(plate=plate, taken_for=taken_for)

    def may_drive(self, lane: str) -> bool:
        """Whether somebody stands in front of an open boom."""
        return lane in self.standing and lane in self._up

    def arrive(self, lane: str, car: Car, seen: Seen) -> None:
        """A car rolls up, and stands there until its plate could have been read."""
        self.standing[lane] = car
        self._roll_up(lane, car)
        self.look(lane, seen)
        self.wait(4.0)

    def look(self, lane: str, seen: Seen) -> None:
        """Some more frames of the car that stands in a lane, if they are wanted."""
        for number in range(4):
            self.wait(FRAME_S)
            if lane in self.machine.kerbs.awaited and lane not in self._blind:
                self._frame(lane, self.standing[lane], seen, number)

    def drive(self, lane: str, *behind: Car, speed: float = 1.5, gap_m: float = 0.5) -> None:
        """The car that stands in a lane drives on, and with it, each `gap_m` behind the one
        before, those who pass under the same boom. Closer than a loop is long they are one to it.
        """
        train = [self.standing.pop(lane), *behind]
        begun = self.true_s
        for at_m, deed in sorted(self._ways(lane, train, gap_m), key=lambda way: way[0]):
            self.wait(max(0.0, begun + at_m / speed - self.true_s))
            deed()
        self._up.discard(lane)

    def back_out(self, lane: str) -> None:
        """The car reverses."""
        del self.standing[lane]
        self._edge(lane, Sensor.ARRIVAL, on=False)

    def _ways(
        self, lane: str, train: Sequence[Car], gap_m: float
    ) -> Iterator[tuple[float, Callable[[], None]]]:
        """How far the first front has come when each thing happens."""
        begins, edge = 0.0, self._edge
        apart = gap_m > LOOP_M
        for number, car in enumerate(train):
            ends, first, last = begins + car.length_m, number == 0, car is train[-1]
            if apart and not first:
                yield ARRIVAL_M + begins, partial(self._roll_up, lane, car)
            if apart or first:
                yield SAFETY_M + begins, partial(edge, lane, Sensor.SAFETY, on=True)
            if apart or last:
                yield ARRIVAL_M + LOOP_M + ends, partial(edge, lane, Sensor.ARRIVAL, on=False)
                yield SAFETY_M + LOOP_M + ends, partial(edge, lane, Sensor.SAFETY, on=False)
            yield SAFETY_M + LOOP_M + ends, partial(self._through, lane, car)
            begins = ends + gap_m

    def _roll_up(self, lane: str, car: Car) -> None:
        self.arrivals[lane].append((self.true_s, car))
        self._opened.discard(lane)
        self._edge(lane, Sensor.ARRIVAL, on=True)

    def _through(self, lane: str, car: Car) -> None:
        if lane == EXIT:
            assert car.visit is not None
            self.truth.leave(car.visit, Way.READ, self.true_s)
            car.visit = None
            return
        internal = car.plate in self.lists[ListName.INTERNALS]
        car.visit = Visit(
            plate=car.plate,
            vehicle=Vehicle.INTERNAL if internal else Vehicle.VISITOR,
            zone=ZONE,
            lane_in=ENTRY,
            entered_at=self.true_s,
            way_in=Way.DECIDED,
        )
        self.truth.enter(car.visit)

    def _edge(self, lane: str, sensor: Sensor, *, on: bool) -> None:
        (self._loops.add if on else self._loops.discard)((lane, sensor))
        occupied = any(where == lane for where, _ in self._loops)
        self._clear_since[lane] = self.true_s
        self.truth.occupied(lane, occupied, self.true_s)
        self._do(lambda: self.machine.edge(lane, sensor, on))

    def _frame(self, lane: str, car: Car, seen: Seen, number: int) -> None:
        self._frames += 1
        wrong = seen == "misread" or (seen == "flickering" and number % 2 == 1)
        text = car.taken_for if wrong else car.plate
        sure = 0.9 if seen == "unsure" else 0.995
        read = PlateRead(
            text=text,
            confidences=(sure,) * len(text),
            colour=Colour.BLUE,
            rows=1,
            corners=CORNERS,
            frame=self._frames,
            at=self.machine.clock.boot_s(),
        )
        reads = () if seen == "unread" else (read,)
        self._do(lambda: self.machine.show(lane, self._frames, reads))

    # --- the centre ---------------------------------------------------------------------------

    def put(self, name: ListName, plate: str) -> None:
        """The centre puts a plate on a list."""
        self.lists[name].add(plate)
        self._change(name, ListChange(remove=False, row=ListRow(list=name, plate=plate)))

    def take_off(self, name: ListName, plate: str) -> None:
        """The centre takes a plate off a list."""
        self.lists[name].discard(plate)
        self._change(name, ListChange(remove=True, row=ListRow(list=name, plate=plate)))

    def order(self, verb: str, **more: Any) -> OrderAnswer | None:
        """A person at the centre gives an order; None if the controller died over it."""
        self._orders += 1
        order = Order(
            id=f"order-{self._orders}",
            verb=verb,
            by="Lin",
            reason="because",
            expires_at=EPOCH + timedelta(days=99),
            **more,
        )
        answers: list[OrderAnswer] = []
        self._do(lambda: answers.append(self.machine.order(order)))
        return answers[0] if answers else None

    def _change(self, name: ListName, *changes: ListChange) -> None:
        """Told again, as by the centre, if the controller died before it had followed."""
        since = self._versions[name]
        self._versions[name] += 1
        step = ListChanges(list=name, since=since, version=since + 1, changes=changes)
        followed: list[bool] = []
        while not followed:
            self._do(lambda: followed.append(self.machine.lists(step)))
        assert followed == [True]

    # --- what breaks --------------------------------------------------------------------------

    def camera(self, lane: str, *, alive: bool) -> None:
        """A camera dies, or lives again."""
        (self._blind.discard if alive else self._blind.add)(lane)
        self.truth.blind(lane, "camera", not alive, self.true_s)
        self._do(lambda: self.machine.camera(lane, alive=alive))

    def relay(self, lane: str, *, works: bool) -> None:
        """The relay of a barrier fails, or works again; nothing is promised meanwhile."""
        self._opened.add(lane)
        self.machine.relay(lane, works=works)

    def step_clock(self, by_s: float, *, trusted: bool) -> None:
        """The wall clock jumps."""
        self.machine.clock.step(by_s, trusted=trusted)
        self._do(self.life.controller.timekeeper.look)
        self._do(self._time.settle)

    def power_cut(self, off_s: float, *moving: Car) -> None:
        """No power for a while; meanwhile the booms are lifted by hand, and some move unseen."""
        for lane in LANES:
            self.truth.blind(lane, "power", True, self.true_s)
        self._gather()
        self.machine.kill()
        self._time.run_to(self.true_s + off_s / 2)
        for car in moving:
            self._through(ENTRY if car.visit is None else EXIT, car)
        self._time.run_to(self.true_s + off_s / 2)
        for lane in LANES:
            self.truth.blind(lane, "power", False, self.true_s)
        self._start_again(power=True)

    def crash(self) -> None:
        """The daemon dies, and is started again at once."""
        self._start_again(power=False)

    def crash_after(self, commits: int) -> None:
        """The daemon will die when it is about to commit once more than so often."""
        written, left = self.life.store.commit_all, commits

        async def until_the_last(commits: Sequence[Commit]) -> tuple[Event, ...]:
            nonlocal left
            if left == 0:
                self._cut = True
                raise PowerCut
            left -= 1
            return await written(commits)

        self.life.store.commit_all = until_the_last  # type: ignore[method-assign]

    def _do(self, deed: Callable[[], object]) -> None:
        """Tell the controller, which may die of it; see what it has done and written."""
        try:
            deed()
        except PowerCut:
            self._cut = True
        except StoreError:
            if not self._cut:
                raise
        if self._cut:
            self._start_again(power=False)
        self._gather()

    def _start_again(self, *, power: bool) -> None:
        """A new life on the files as they lie there; what was committed is on the disk."""
        self._cut = False
        if self.machine.life is not None:
            self._gather()
            self.machine.kill()
        left = self.path
        self._lives += 1
        self.machine.path = self._folder / f"gate-{self._lives}.db"
        for end in ("", "-wal"):
            with suppress(FileNotFoundError):
                shutil.copy(f"{left}{end}", f"{self.path}{end}")
        if power:
            self.machine.clock.reboot()
        self._live()

    def _live(self) -> None:
        """Begin, and find the loops as they are; the last life's store is this one's."""
        self._begun_s = self.true_s
        self._opened = set(self.machine.kerbs.broken)
        self.machine.told.clear()
        self._do(self.machine.begin)

    def _gather(self) -> None:
        kerbs = self.machine.kerbs
        for lane in kerbs.pulses:
            self.pulses[lane] += 1
            self._up.add(lane)
            self._opened.add(lane)
        kerbs.pulses.clear()
        if not self.machine.told:
            return
        self.machine.told.clear()
        for each in at_once(self.life.store.pending(len(self.told), limit=MANY)):
            assert each.seq == len(self.told) + 1, "the journal has a gap"
            told = Told(
                seq=each.seq,
                lane=each.lane,
                passage=each.passage,
                fact=fact_of(each.kind, each.body),
                true_s=self.true_s,
            )
            self.told.append(told)
            self.hear(told)

    def _config(self) -> Config:
        return Config.model_validate(
            {
                "site": "hall",
                "recognition": {"certain": 0.98},
                "controller": "gate-inner",
                "store": {"path": "gate.db", "pictures": "pictures"},
                "zone": [
                    {"name": "car_park", "capacity": 400, "admits": "everybody"},
                    {
                        "name": ZONE,
                        "inside": "car_park",
                        "capacity": 60,
                        "admits": "registered",
                        **self._zone,
                    },
                ],
                "board": [{"name": "board", "address": "tcp://192.0.2.7:502"}],
                "lane": [_lane(name, coil) for coil, name in enumerate(LANES)],
            }
        )


def _lane(name: str, coil: int) -> dict[str, Any]:
    return {
        "name": name,
        "zone": ZONE,
        "direction": name.split("-")[1],
        "barrier": {"board": "board", "coil": coil},
        "camera": {"kind": "folder", "path": "pictures"},
        "arrival_loop": {"board": "board", "input": 2 * coil},
        "safety_loop": {"board": "board", "input": 2 * coil + 1},
        "geometry": {"arrival_to_safety_m": 1.0, "safety_loop_m": 1.5, "longest_m": 6.5},
    }


Build: TypeAlias = Callable[..., Gate]


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    """Makes gates, each with files of its own; takes settings of the visitor zone."""
    made: list[Gate] = []

    def make(**zone: Any) -> Gate:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(Gate(folder, **zone))
        return made[-1]

    yield make
    for gate in made:
        gate.end()
