"""The two controllers, as the simulated world meets them: real ones, in virtual time. Where things
break beneath the rules their links are the real ones, too, and speak to a centre by MQTT; else the
links carry values, which is faster.

Loop edges and what the cameras see go in, openings come out; nothing else passes between them.
"""

import math
from collections.abc import Collection
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random

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
from simulators.simulate.centre import Lists, VirtualCentre, is_of_interest
from simulators.simulate.faults import CENTRE_SILENT, FLOOD, FLOODED, HELD, OVERRUN, Faults, Mend
from simulators.simulate.ledger import Ledger
from simulators.simulate.promises import Promises
from simulators.simulate.site import (
    CONTROLLER_OF,
    INNER,
    VISITOR_ZONE,
    WELL_BUILT,
    ZONE_OF,
    config_of,
    drawn,
)
from simulators.virtual import Broker, Machine, VirtualClock, VirtualLoop
from simulators.virtual.badly import WeakDisk
from simulators.virtual.mqtt import MqttBroker
from simulators.world import Read

_CORNERS = ((0.0, 0.0), (200.0, 0.0), (200.0, 60.0), (0.0, 60.0))
_BEHIND = ((0.0, 0.0), (90.0, 0.0), (90.0, 27.0), (0.0, 27.0))
"""A plate, and the smaller one of the car behind."""

_COUNTED = (PassageEnded, ZoneRecounted)
"""With these events a count may have changed."""

_LINGERS_S, _NAP_S = 0.5, 1800.0
"""How long a machine stays awake after anything has happened, and how long it may sleep."""


class Gates:
    """Both controllers, the centre and the broker; `ledger` notes what the journals say."""

    def __init__(
        self,
        folder: Path,
        ledger: Ledger,
        faults: str | None = None,
        only: Collection[int] | None = None,
    ) -> None:
        """With `faults`, a seed, things break as it says, `only` these where that is given; and all
        promises are asked for.
        """
        self.loop = VirtualLoop(breakable=faults is not None)
        self._broker = Broker(is_of_interest) if faults is None else MqttBroker(self.loop)
        self._built = WELL_BUILT if faults is None else drawn(Random(f"{faults} built"))
        self.machines = {name: self._machine(name, folder) for name in ZONE_OF}
        self._of_lane = {lane: self.machines[name] for lane, name in CONTROLLER_OF.items()}
        self._ledger = ledger
        self._lists = Lists()
        self._orders = 0
        self._centre: VirtualCentre | None = None
        self.faults: Faults | None = None
        self.promises: Promises | None = None
        if isinstance(self._broker, MqttBroker):
            self._centre = VirtualCentre(self._broker, self._lists)
            at_site = {
                FLOODED: self._flood_of_changes,
                OVERRUN: self._flood_of_orders,
                CENTRE_SILENT: self._silence,
                HELD: self._order_held,
            }
            self.faults = Faults(self.machines, str(faults), at_site, only)
            self.promises = Promises(self.machines, self.faults, self._centre, self._broker)
        for name, machine in self.machines.items():
            if self.promises is not None:
                machine.kerbs.pulsed = partial(self.promises.opened, name)
            machine.begin()

    def _machine(self, name: str, folder: Path) -> Machine:
        config = config_of(name, folder, self._built)
        return Machine(
            config,
            config.store.path,
            self.loop,
            broker=self._broker,
            clock=VirtualClock(self.loop, lingers_s=_LINGERS_S, nap_s=_NAP_S),
            disk=WeakDisk(),
            hears_lists=False,
        )

    def start(self, lists: dict[str, list[str]]) -> None:
        """The lists as they are before the first day."""
        for name in ListName:
            plates = lists.get(name, [])
            rows = [ListRow(list=name, plate=plate) for plate in plates]
            self._send(self._lists.change(name, rows))

    def close(self) -> None:
        """Let go of the databases."""
        for machine in self.machines.values():
            machine.kill()
        self.loop.close()

    def counted(self) -> tuple[int, bool] | None:
        """How many the inner gate believes to be in the visitor zone, and whether it is sure."""
        machine = self.machines[INNER]
        if machine.life is None:
            return None
        state = machine.controller.zones.state(VISITOR_ZONE)
        return state.count, state.trusted

    # --- what the world does ------------------------------------------------------------------

    def wake_at(self) -> float:
        """When anything is due in the controllers."""
        due = self.loop.next_at()
        soonest = math.inf if due is None else due
        return soonest if self.faults is None else min(soonest, self.faults.next_at())

    def wake(self, at: float) -> None:
        """Let it be that time."""
        self._to(at)
        self._gather()

    def edge(self, lane: str, sensor: str, on: bool, at: float) -> None:
        """A loop, or where the boom is, has changed."""
        machine = self._of_lane[lane]
        if sensor == Sensor.BOOM_UP and not machine.kerbs.wired(lane, Sensor.BOOM_UP):
            return
        self._to(at)
        told = machine.kerbs.wired(lane, Sensor(sensor))
        if self.promises is not None and told and sensor == "arrival" and lane.endswith("exit"):
            self.promises.arrival(machine.name, lane, on, at)
        machine.edge(lane, Sensor(sensor), on)
        self._gather()

    def looking(self, lane: str) -> bool:
        """Whether the lane's camera waits for a picture."""
        return lane in self._of_lane[lane].kerbs.awaited

    def look(self, lane: str, frame: int, reads: tuple[Read, ...], at: float) -> None:
        """One frame."""
        self._to(at)
        machine = self._of_lane[lane]
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
        machine.show(lane, frame, seen)
        self._gather()

    def openings(self) -> list[str]:
        """The lanes whose barriers were pulsed since this was last asked."""
        opened = []
        for machine in self.machines.values():
            opened += machine.kerbs.pulses
            machine.kerbs.pulses.clear()
        return opened

    def held(self) -> frozenset[str]:
        """The lanes whose booms are kept up by a relay."""
        return frozenset().union(*(each.kerbs.held for each in self.machines.values()))

    def camera(self, lane: str, alive: bool, at: float) -> None:
        """A camera has died or come back."""
        self._to(at)
        self._of_lane[lane].camera(lane, alive=alive)
        self._gather()

    def power(self, controller: str, on: bool, at: float) -> None:
        """A controller has lost its power, or has it again."""
        self._to(at)
        machine = self.machines[controller]
        if self.promises is not None:
            self.promises.power(controller)
        if on:
            machine.clock.reboot()
            machine.begin()
        else:
            machine.kill()
            machine.kerbs.clear()
        self._gather()

    def clock_step(self, controller: str, by_s: float, trusted: bool, at: float) -> None:
        """A wall clock jumps."""
        self._to(at)
        self.machines[controller].clock.step(by_s, trusted=trusted)

    def broker(self, up: bool, at: float) -> None:
        """The broker has gone, or is back."""
        self._to(at)
        self._broker.turn(up=up)
        if self.faults is not None:
            self.faults.outage(up=up, at=at)
        elif isinstance(self._broker, Broker):
            for machine in self.machines.values():
                if machine.life is not None:
                    machine.life.link.reached(reached=up)
        self.loop.settle()
        self._gather()

    def bind(self, plate: str, at: float) -> None:
        """A visitor binds a plate."""
        self.list_change("visitors", plate, False, at)

    def list_change(self, name: str, plate: str, remove: bool, at: float) -> None:
        """The centre changes a list."""
        self._to(at)
        of = ListName(name)
        zone = VISITOR_ZONE if of is ListName.BLACKLIST else None
        row = ListRow(list=of, plate=plate, zone=zone)
        if of is ListName.BLACKLIST:
            self._ledger.centre_listed(plate, remove=remove, at=at)
        self._send(self._lists.change(of, [row], remove=remove))

    def recount(self, zone: str, count: int, at: float) -> None:
        """A person has counted, and says so at the gate."""
        self._to(at)
        machine = next(m for m in self.machines.values() if ZONE_OF[m.name] == zone)
        if machine.life is None:
            return
        if self._centre is not None:
            self._centre.order(machine.name, "recount", zone=zone, count=count)
            self.loop.settle()
            return
        self._orders += 1
        machine.order(
            Order(
                id=f"recount-{self._orders}",
                verb="recount",
                by="attendant",
                reason="morning round",
                expires_at=machine.clock.instant().wall + timedelta(minutes=1),
                zone=zone,
                count=count,
            )
        )
        self._gather()

    def _to(self, at: float) -> None:
        """Let it be that time; what breaks until then breaks."""
        while self.faults is not None and self.faults.next_at() <= at:
            self.loop.run_to(max(self.faults.next_at(), self.loop.time()))
            self.faults.act()
        self.loop.run_to(at)
        if self.promises is not None:
            self.promises.ask(at)

    # --- what follows -------------------------------------------------------------------------

    def _flood_of_changes(self, _machine: Machine, _draw: Random) -> None:
        """The centre takes many plates off a list that were never on it, one by one."""
        for number in range(FLOOD):
            row = ListRow(list=ListName.VISITORS, plate=f"闽Z{number:05d}")
            self._send(self._lists.change(ListName.VISITORS, [row], remove=True))

    def _flood_of_orders(self, machine: Machine, _draw: Random) -> None:
        """Many orders that change nothing."""
        if self._centre is not None:
            for number in range(FLOOD):
                self._centre.order(machine.name, "blacklist_remove", plate=f"闽Z{number:05d}")

    def _order_held(self, machine: Machine, draw: Random) -> None:
        """The centre has the boom of a lane kept up for some minutes."""
        if self._centre is not None:
            lane = draw.choice(machine.config.lane).name
            self._centre.order(machine.name, "hold", lane=lane, minutes=draw.randint(1, 5))

    def _silence(self, _machine: Machine, _draw: Random) -> Mend:
        """The centre is down."""
        centre = self._centre
        if centre is not None:
            centre.silence(silent=True)

        def mend() -> None:
            if centre is not None:
                centre.silence(silent=False)

        return mend

    def _send(self, changes: ListChanges) -> None:
        for machine in self.machines.values():
            machine.clock.stir()
            if isinstance(self._broker, Broker):
                self._broker.mail(machine.name).lists.put(changes)
        if self._centre is not None:
            self._centre.change(changes)
        self.loop.settle()
        self._gather()

    def _gather(self) -> None:
        """Note what the controllers have written."""
        for machine in self.machines.values():
            if not machine.told:
                continue
            told, machine.told = machine.told, []
            for each in told:
                if self.promises is not None:
                    self.promises.told(machine.name, each.event, each.true_s)
                self._ledger.take(machine.name, each)
                if machine.name == INNER and isinstance(each.event.record.fact, _COUNTED):
                    count = self.counted()
                    if count is not None:
                        self._ledger.counts.append((each.true_s, *count))
