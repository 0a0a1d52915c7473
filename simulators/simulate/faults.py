"""What breaks beneath the rules, drawn by a seed: disks, recognisers, devices, clocks, the link and
the program itself; and floods of changes and orders.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush
from random import Random
from typing import Any, Final, TypeAlias

from simulators.virtual import Machine
from simulators.virtual.badly import WeakDisk
from simulators.virtual.mqtt import LATENCY_S, MqttBroker

EVERY_S: Final = 600.0
"""On average something breaks at one of the machines once in so long."""
LASTS_S: Final = (2.0, 300.0)

FLOOD: Final = 300
"""Orders, or changes of a list, of a flood."""

FLOODED: Final = "flood of changes"
OVERRUN: Final = "flood of orders"
CENTRE_SILENT: Final = "centre silent"
HELD: Final = "boom held"
BROKER_AWAY: Final = "broker away"
"""Named here because they happen to the whole site, not to one machine."""

Mend: TypeAlias = Callable[[], None]
Deed: TypeAlias = Callable[[Machine, Random], Mend | None]
"""Breaks something, and returns what mends it."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A fault that was drawn: its number, its moment, and what it was."""

    number: int
    at: float
    what: str


class Faults:
    """Breaks and mends, between the moments at which anything happens. `drawn` is what broke how
    often, `standing` what is broken now, by name and machine, and `ended` when each ended last;
    `log` tells all of it.
    """

    def __init__(
        self,
        machines: Mapping[str, Machine],
        seed: str,
        at_site: Mapping[str, Deed],
        only: Collection[int] | None = None,
    ) -> None:
        """`at_site` are faults of centre and lists. Of all that is drawn, only the numbers `only`
        happen, where that is given.
        """
        self._deeds_by_name = {**DEEDS, **at_site}
        self._seed, self._only, self._number = seed, only, 0
        self.drawn: Counter[str] = Counter()
        self.standing: set[tuple[str, str]] = set()
        self.ended: dict[tuple[str, str], float] = {}
        self.log: list[Drawn] = []
        self._machines = machines
        self._random = Random(f"{seed} faults")
        self._deeds: list[tuple[float, int, Mend]] = []
        self._planned = 0
        self._plan_next(0.0)

    def next_at(self) -> float:
        """When something breaks or is mended next."""
        return self._deeds[0][0]

    def act(self) -> None:
        """Do what is due next; it is that time."""
        heappop(self._deeds)[2]()

    def lately(self, name: str, machine: str, since: float) -> bool:
        """Whether this is broken, or was at that moment or later."""
        key = (name, machine)
        return key in self.standing or self.ended.get(key, -1.0) >= since

    def outage(self, *, up: bool, at: float) -> None:
        """The world's own broker has gone, or is back."""
        for name in self._machines:
            if up:
                self.standing.discard((BROKER_AWAY, name))
                self.ended[BROKER_AWAY, name] = at
            else:
                self.standing.add((BROKER_AWAY, name))

    def _plan(self, at: float, deed: Mend) -> None:
        self._planned += 1
        heappush(self._deeds, (at, self._planned, deed))

    def _plan_next(self, now: float) -> None:
        at = now + self._random.expovariate(1 / EVERY_S)
        self._plan(at, lambda: self._break(at))

    def _break(self, at: float) -> None:
        self._plan_next(at)
        draw = self._random
        name = draw.choice([*self._deeds_by_name])
        machine = draw.choice(list(self._machines.values()))
        lasts_s = LASTS_S[0] * (LASTS_S[1] / LASTS_S[0]) ** draw.random()
        key = (name, machine.name)
        self._number += 1
        if self._only is not None and self._number not in self._only:
            return
        if machine.life is None or key in self.standing:
            return
        machine.clock.stir(10.0)
        self.drawn[name] += 1
        self.standing.add(key)
        self.log.append(
            Drawn(self._number, at, f"{at:.3f} s: {machine.name}: {name}, for {lasts_s:.1f} s")
        )
        mend = self._deeds_by_name[name](machine, Random(f"{self._seed} fault {self._number}"))
        machine.loop.settle()
        self._plan(at + lasts_s, lambda: self._mend(at + lasts_s, key, mend))

    def _mend(self, at: float, key: tuple[str, str], mend: Mend | None) -> None:
        machine = self._machines[key[1]]
        machine.clock.stir(15.0)
        if mend is not None:
            mend()
        machine.loop.settle()
        self.standing.discard(key)
        self.ended[key] = at


def _disk(fault: Any) -> Deed:
    def deed(machine: Machine, draw: Random) -> Callable[[], None] | None:
        disk = machine.disk
        if not isinstance(disk, WeakDisk) or disk.fault is not None:
            return None
        disk.fault = fault
        return disk.heal

    return deed


def _reader(fault: Any) -> Deed:
    def deed(machine: Machine, draw: Random) -> Callable[[], None]:
        reader = machine.kerbs.reader
        reader.fault = fault
        one, other = draw.sample("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ", 2)
        reader.taken_for = one, other

        def mend() -> None:
            reader.fault = None

        return mend

    return deed


def _camera(machine: Machine, draw: Random) -> Callable[[], None] | None:
    lane = draw.choice(machine.config.lane).name
    if lane in machine.kerbs.dead:
        return None
    machine.kerbs.dead.add(lane)
    return lambda: machine.kerbs.dead.discard(lane)


def _hanging(machine: Machine, draw: Random) -> Mend:
    lane = draw.choice(machine.config.lane).name
    machine.kerbs.hanging.add(lane)
    return lambda: machine.kerbs.hanging.discard(lane)


def _display(machine: Machine, draw: Random) -> Mend | None:
    if not machine.config.display:
        return None
    name = draw.choice(machine.config.display).name
    machine.kerbs.dark.add(name)
    return lambda: machine.kerbs.dark.discard(name)


def _late(machine: Machine, draw: Random) -> Mend:
    machine.kerbs.late_s = draw.uniform(0.05, 3.0)

    def mend() -> None:
        machine.kerbs.late_s = 0.0

    return mend


def _board(machine: Machine, draw: Random) -> Callable[[], None]:
    board = machine.config.board[0].name
    machine.kerbs.board(board, away=True)
    return lambda: machine.kerbs.board(board, away=False)


def _relay(machine: Machine, draw: Random) -> Callable[[], None]:
    lane = draw.choice(machine.config.lane).name
    machine.kerbs.broken.add(lane)
    return lambda: machine.kerbs.broken.discard(lane)


def _clock(machine: Machine, draw: Random) -> Callable[[], None]:
    by_s, trusted = draw.choice((-7200.0, -30.0, 30.0, 7200.0)), draw.random() < 0.5
    machine.clock.step(by_s, trusted=trusted)
    return lambda: machine.clock.step(-by_s, trusted=True)


def _broker(begin: Callable[[MqttBroker], None], end: Callable[[MqttBroker], None]) -> Deed:
    def deed(machine: Machine, draw: Random) -> Mend | None:
        broker = machine.broker
        if not isinstance(broker, MqttBroker):
            return None
        begin(broker)
        return lambda: end(broker)

    return deed


def _cable(machine: Machine, draw: Random) -> Mend | None:
    broker, client = machine.broker, machine.client_id
    if not isinstance(broker, MqttBroker):
        return None
    broker.cut(client, off=True)
    return lambda: broker.cut(client, off=False)


def _slow(broker: MqttBroker) -> None:
    broker.latency_s = 2.0


def _quick(broker: MqttBroker) -> None:
    broker.latency_s = LATENCY_S


def _doubling(broker: MqttBroker) -> None:
    broker.doubles = True


def _not_doubling(broker: MqttBroker) -> None:
    broker.doubles = False


def _task(fault: BaseException | None) -> Deed:
    def deed(machine: Machine, draw: Random) -> None:
        tasks = machine.loop.tasks
        names = [name for name, task in machine.controller.supervisor.tasks.items()]
        leaves = tasks.leaves(machine.controller.supervisor.tasks[draw.choice(names)])
        if not leaves:
            return
        leaf = draw.choice(leaves)
        if fault is None and leaf not in machine.controller.supervisor.tasks.values():
            leaf.cancel()
        else:
            tasks.fail(leaf, RuntimeError("a fault of the program"))

    return deed


def _kill(machine: Machine, draw: Random) -> None:
    """The daemon dies, and is started again on what is on the disk."""
    machine.kill()
    machine.begin()


DEEDS: Final[dict[str, Deed]] = {
    "disk raising": _disk("raising"),
    "disk slow": _disk("slow"),
    "disk uneven": _disk("uneven"),
    "disk hung": _disk("hung"),
    "disk locked": _disk("locked"),
    "disk full": _disk("full"),
    "disk read only": _disk("read_only"),
    "killed": _kill,
    "reader raising": _reader("raising"),
    "reader slow": _reader("slow"),
    "reader wrong": _reader("wrong"),
    "camera dead": _camera,
    "camera hangs": _hanging,
    "display dark": _display,
    "board away": _board,
    "board late": _late,
    "relay broken": _relay,
    "clock steps": _clock,
    "link cut": _cable,
    "link slow": _broker(_slow, _quick),
    "broker frozen": _broker(lambda to: to.freeze(frozen=True), lambda to: to.freeze(frozen=False)),
    "broker restarted": _broker(lambda to: to.forget(), lambda to: None),
    "messages doubled": _broker(_doubling, _not_doubling),
    "task fails": _task(RuntimeError()),
    "task cancelled": _task(None),
}

EXIT_EXCUSED: Final = ("board away", "killed")
"""With these an exit may stay shut: its boom cannot be moved, or the controller has just begun."""
