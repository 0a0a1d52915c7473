"""The two controllers, as the simulated world meets them: real ones, in virtual time.

Loop edges and reads of the world go in, openings come out; nothing else passes between them.
"""

import math
from pathlib import Path

from gatekeeper.model import (
    Colour,
    ListChanges,
    ListName,
    ListRow,
    Order,
    PassageEnded,
    PlateRead,
    Sensor,
    ZoneRecounted,
)
from simulators.simulate.centre import Lists, Mailbox, as_peer, is_of_interest
from simulators.simulate.ledger import Ledger
from simulators.simulate.site import CONTROLLER_OF, INNER, VISITOR_ZONE, ZONE_OF, config_of
from simulators.virtual import Rehearsal, Told, VirtualClock
from simulators.world import Read

_CORNERS = ((0.0, 0.0), (200.0, 0.0), (200.0, 60.0), (0.0, 60.0))
_BEHIND = ((0.0, 0.0), (90.0, 0.0), (90.0, 27.0), (0.0, 27.0))
"""A plate, and the smaller one of the car behind."""

_COUNTED = (PassageEnded, ZoneRecounted)
"""With these events a count may have changed."""

_OFTEN_S = 1800.0
"""So often each controller is woken, wanted or not."""


class _Machine:
    """One controller, its clocks, and what waits for it."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.config = config_of(name, folder)
        self.clock = VirtualClock()
        self.mail = Mailbox()
        self.dead: set[str] = set()
        self.life: Rehearsal | None = None
        self.due = math.inf
        self.begin()

    def begin(self) -> None:
        self.life = Rehearsal(self.config, self.config.store.path, self.clock, hears_lists=False)
        self.life.begin()
        for lane in self.dead:
            self.life.camera(lane, alive=False)

    def end(self) -> None:
        if self.life is not None:
            self.life.end()
        self.life, self.due = None, math.inf


class Gates:
    """Both controllers, the centre and the broker; `ledger` notes what the journals say."""

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        self._machines = {name: _Machine(name, folder) for name in ZONE_OF}
        self._of_lane = {lane: self._machines[name] for lane, name in CONTROLLER_OF.items()}
        self._ledger = ledger
        self._lists = Lists()
        self._broker_up = True
        self._orders = 0
        self._openings: list[str] = []

    def start(self, lists: dict[str, list[str]]) -> None:
        """The lists as they are before the first day."""
        for name in ListName:
            plates = lists.get(name, [])
            rows = [ListRow(list=name, plate=plate) for plate in plates]
            self._send(self._lists.change(name, rows))

    def close(self) -> None:
        """Let go of the databases."""
        for machine in self._machines.values():
            machine.end()

    def counted(self) -> tuple[int, bool] | None:
        """How many the inner gate believes to be in the visitor zone, and whether it is sure."""
        life = self._machines[INNER].life
        if life is None:
            return None
        state = life.zones.state(VISITOR_ZONE)
        return state.count, state.trusted

    # --- what the world does ------------------------------------------------------------------

    def wake_at(self) -> float:
        """When either wants to be woken."""
        return min(machine.due for machine in self._machines.values())

    def wake(self, at: float) -> None:
        """The time for something has come."""
        self._at(at)
        for machine in self._machines.values():
            if machine.life is not None and machine.due <= at:
                machine.life.wake()
                self._after(machine)

    def edge(self, lane: str, sensor: str, on: bool, at: float) -> None:
        """A loop has changed."""
        self._at(at)
        machine = self._of_lane[lane]
        if machine.life is not None:
            machine.life.edge(lane, Sensor(sensor), on)
            self._after(machine)

    def looking(self, lane: str) -> bool:
        """Whether the lane wants frames."""
        machine = self._of_lane[lane]
        return machine.life is not None and lane not in machine.dead and machine.life.looking(lane)

    def look(self, lane: str, frame: int, reads: tuple[Read, ...], at: float) -> None:
        """One frame."""
        self._at(at)
        machine = self._of_lane[lane]
        if machine.life is None or lane in machine.dead:
            return
        boot_s = machine.clock.boot_s()
        seen = tuple(
            PlateRead(
                text=read.text,
                confidences=read.confidences,
                colour=Colour(read.colour),
                rows=1,
                corners=_BEHIND if behind else _CORNERS,
                frame=frame,
                at=boot_s,
            )
            for behind, read in enumerate(reads)
        )
        machine.life.look(lane, frame, seen)
        self._after(machine)

    def openings(self) -> list[str]:
        """The lanes whose barriers were pulsed since this was last asked."""
        if not self._openings:
            return []
        opened, self._openings = self._openings, []
        return opened

    def camera(self, lane: str, alive: bool, at: float) -> None:
        """A camera has died or come back."""
        self._at(at)
        machine = self._of_lane[lane]
        (machine.dead.discard if alive else machine.dead.add)(lane)
        if machine.life is not None:
            machine.life.camera(lane, alive=alive)
            self._after(machine)

    def power(self, controller: str, on: bool, at: float) -> None:
        """A controller has lost its power, or has it again."""
        self._at(at)
        machine = self._machines[controller]
        if on:
            machine.clock.reboot()
            machine.begin()
            self._after(machine)
            self._deliver(machine)
        else:
            machine.end()

    def clock_step(self, controller: str, by_s: float, trusted: bool, at: float) -> None:
        """A wall clock jumps."""
        self._at(at)
        self._machines[controller].clock.step(by_s, trusted=trusted)

    def broker(self, up: bool, at: float) -> None:
        """The broker has gone, or is back."""
        self._at(at)
        self._broker_up = up
        for machine in self._machines.values():
            self._deliver(machine)

    def bind(self, plate: str, at: float) -> None:
        """A visitor binds a plate."""
        self.list_change("visitors", plate, False, at)

    def list_change(self, name: str, plate: str, remove: bool, at: float) -> None:
        """The centre changes a list."""
        self._at(at)
        of = ListName(name)
        zone = VISITOR_ZONE if of is ListName.BLACKLIST else None
        row = ListRow(list=of, plate=plate, zone=zone)
        if of is ListName.BLACKLIST:
            self._ledger.centre_listed(plate, remove=remove, at=at)
        self._send(self._lists.change(of, [row], remove=remove))

    def recount(self, zone: str, count: int, at: float) -> None:
        """A person has counted."""
        self._at(at)
        machine = next(m for m in self._machines.values() if ZONE_OF[m.name] == zone)
        if machine.life is None:
            return
        self._orders += 1
        order = Order(
            id=f"recount-{self._orders}",
            verb="recount",
            by="attendant",
            reason="morning round",
            expires_at=machine.clock.instant().wall,
            zone=zone,
            count=count,
        )
        machine.life.order(order)
        self._after(machine)

    # --- what follows -------------------------------------------------------------------------

    def _at(self, at: float) -> None:
        for machine in self._machines.values():
            machine.clock.true_s = at

    def _send(self, changes: ListChanges) -> None:
        for machine in self._machines.values():
            machine.mail.lists.append(changes)
            self._deliver(machine)

    def _deliver(self, machine: _Machine) -> None:
        """Hand over what waits, if both the broker and the controller are there."""
        life = machine.life
        if life is None:
            return
        away = life.centre_away_since
        life.centre_away_since = None if self._broker_up else away or life.clock.true_s
        while self._broker_up and (machine.mail.lists or machine.mail.events):
            while machine.mail.lists:
                life.lists(machine.mail.lists.popleft())
            while machine.mail.events:
                life.hear(machine.mail.events.popleft())
        self._after(machine)

    def _after(self, machine: _Machine) -> None:
        """Take what the controller has said and done."""
        life = machine.life
        if life is None:
            return
        if life.openings:
            self._openings += life.openings
            life.openings.clear()
        if life.told:
            told, life.told = life.told, []
            self._spread(machine, told)
        now = machine.clock.true_s
        machine.due = min(machine.clock.true(life.wake_at()), now + _OFTEN_S)

    def _spread(self, machine: _Machine, told: list[Told]) -> None:
        for each in told:
            self._ledger.take(machine.name, each)
            if machine.name == INNER and isinstance(each.event.record.fact, _COUNTED):
                count = machine.life.zones.state(VISITOR_ZONE) if machine.life else None
                if count is not None:
                    self._ledger.counts.append((each.true_s, count.count, count.trusted))
        for other in self._machines.values():
            if other is machine:
                continue
            other.mail.events.extend(
                as_peer(machine.name, each) for each in told if is_of_interest(each, other.name)
            )
            if self._broker_up and other.mail.events:
                self._deliver(other)
