"""One machine of a virtual site: its clocks, its disk, what stands at its lanes, and the controller
that runs on it, which is the real one on virtual ports.

Each call from outside is over when all that follows from it at this moment has been done; time
passes only on the loop.
"""

import asyncio
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from gatekeeper.app.controller import Controller
from gatekeeper.app.ports import Link, LinkListeners, Ports
from gatekeeper.app.wiring import link_of
from gatekeeper.clock import Clock
from gatekeeper.config import Config
from gatekeeper.health import Health
from gatekeeper.model import (
    Event,
    ListChanges,
    Order,
    OrderAnswer,
    PeerEvent,
    PeerHealth,
    PlateRead,
    Sensor,
)
from gatekeeper.store.pictures import Pictures
from gatekeeper.sync.topics import client_id
from simulators.virtual.broker import Broker, VirtualLink
from simulators.virtual.clock import VirtualClock
from simulators.virtual.devices import VirtualDevices, VirtualReader
from simulators.virtual.kerbs import Kerbs, Picture, Shown
from simulators.virtual.loop import VirtualLoop
from simulators.virtual.mqtt import ControllerLine, MqttBroker
from simulators.virtual.store import Disk, GoodDisk, VirtualStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An event of a journal, and the true second in which it was written."""

    event: Event
    true_s: float


class _Pictures(Pictures):
    """Pictures that are named and not kept."""

    def _keep(self, name: str, data: bytes) -> str:
        return name


class Life:
    """A controller from its start until it ends or is killed."""

    link: VirtualLink
    """Where the broker carries values; else the link is the real one."""

    def __init__(self, machine: "Machine") -> None:
        self._machine = machine
        self._stop = asyncio.Event()
        self.health = Health(machine.clock)
        self.store = VirtualStore.on(
            machine.path, machine.disk, machine.written, hears_lists=machine.hears_lists
        )
        self.devices: VirtualDevices
        self.controller = Controller(machine.config, self._ports())
        self.task = machine.loop.create_task(self.controller.serve(self._stop))

    def _ports(self) -> Ports:
        return Ports(
            clock=self._machine.clock,
            health=self.health,
            store=self.store,
            pictures=_Pictures(self._machine.config.store.pictures),
            reader=VirtualReader(self._machine.kerbs),
            devices=self._make_devices,
            link=self._make_link,
        )

    def _make_devices(self, config: Config, clock: Clock, health: Health) -> VirtualDevices:
        self.devices = VirtualDevices(config, clock, health, kerbs=self._machine.kerbs)
        return self.devices

    def _make_link(self, config: Config, ports: Ports, listeners: LinkListeners) -> Link | None:
        broker, clock = self._machine.broker, self._machine.clock
        if isinstance(broker, MqttBroker):
            line = partial(ControllerLine, broker, clock.stir)
            chance = Random(f"{config.controller} {clock.true_s}").random
            return link_of(config, ports, listeners, make_client=line, chance=chance)
        self.link = VirtualLink(ports, listeners, broker.mail(config.controller), broker)
        return self.link

    def kill(self) -> None:
        """Nothing happens any more; what was committed is on the disk."""
        loop, broker = self._machine.loop, self._machine.broker
        self.devices.unplug()
        if isinstance(broker, MqttBroker):
            broker.drop(self._machine.client_id)
        self.store.cut()
        for _ in range(_STUBBORN):
            tasks = [self.task, *self.controller.supervisor.tasks.values()]
            waiting = [task for task in tasks if not task.done()]
            if not waiting:
                break
            for task in waiting:
                task.cancel()
            loop.settle()

    def stop(self) -> None:
        """End as by SIGTERM."""
        self._stop.set()
        self._machine.loop.finish(_ended(self.task))
        self.kill()


_STUBBORN = 20
"""So often a task that does not end is cancelled; then it is left where it is."""


class Machine:
    """`told` are the events that were written, emptied by their reader. Without `hears_lists`
    the events of followed lists are written and not told, which is faster.
    """

    def __init__(
        self,
        config: Config,
        path: Path,
        loop: VirtualLoop,
        *,
        broker: Broker | MqttBroker,
        clock: VirtualClock | None = None,
        kerbs: Kerbs | None = None,
        disk: Disk | None = None,
        hears_lists: bool = True,
    ) -> None:
        self.name = config.controller
        self.config = config
        self.path = path
        self.loop = loop
        self.broker = broker
        self.clock = clock or VirtualClock(loop)
        self.kerbs = kerbs or Kerbs(config)
        self.disk = disk or GoodDisk()
        self.hears_lists = hears_lists
        self.told: list[Told] = []
        self.life: Life | None = None
        if isinstance(broker, Broker):
            broker.mail(self.name)

    # --- its life -----------------------------------------------------------------------------

    def begin(self) -> None:
        """The controller starts."""
        self.clock.stir()
        self.life = Life(self)
        self.loop.settle()
        if self.life.task.done():
            self.life.task.result()

    def kill(self) -> None:
        """The controller dies where it stands."""
        if self.life is not None:
            self.life.kill()
        self.life = None

    def stop(self) -> None:
        """The controller ends as by SIGTERM."""
        if self.life is not None:
            self.life.stop()
        self.life = None

    @property
    def client_id(self) -> str:
        """By which its controller is known to an MQTT broker."""
        return client_id(self.config.site, self.name)

    @property
    def now(self) -> Life:
        """The life it lives; RuntimeError if there is none."""
        if self.life is None:
            raise RuntimeError(f"{self.name} does not run")
        return self.life

    @property
    def health(self) -> Health:
        """The alarms and heartbeats of its controller."""
        return self.now.health

    @property
    def store(self) -> VirtualStore:
        """The database, while its controller runs."""
        return self.now.store

    @property
    def controller(self) -> Controller:
        """Its controller, while it runs."""
        return self.now.controller

    def written(self, event: Event) -> None:
        """An event was written: told to the others."""
        self.told.append(Told(event=event, true_s=self.clock.true_s))
        if isinstance(self.broker, Broker):
            self.broker.tell(self.name, event)

    def fail(self, task: str, part: str = "") -> None:
        """A task of its controller fails, or a part of it, as by a fault of the program; nothing
        happens to one that has failed already and is not run again yet.
        """
        tasks = self.loop.tasks
        leaves = tasks.leaves(self.now.controller.supervisor.tasks[task])
        for leaf in [each for each in leaves if part in each.get_name()][:1]:
            tasks.fail(leaf, RuntimeError("a fault of the program"))
        self.loop.settle()

    # --- what happens to it -------------------------------------------------------------------

    def edge(self, lane: str, sensor: Sensor, on: bool) -> None:
        """A loop has changed; where it is not wired, the camera may see why."""
        self.clock.stir(None if self.kerbs.wired(lane, sensor) else _NOTICES_S)
        self.kerbs.edge(lane, sensor, on)
        self.loop.settle()

    def fire_input(self, name: str, on: bool) -> None:
        """A fire input (`board/number`) has changed."""
        self.clock.stir()
        self.kerbs.fire(name, on)
        self.loop.settle()

    def show(
        self, lane: str, number: int, reads: tuple[PlateRead, ...], at: float | None = None
    ) -> None:
        """A picture was taken just now, or at `at`, and these plates were read in it."""
        at = self.clock.boot_s() if at is None else at
        sight = Shown(reads, changed=bool(reads) or self.kerbs.occupied(lane))
        self.kerbs.show(lane, Picture(number=number, at=at, sight=sight))
        self.loop.settle()

    def camera(self, lane: str, *, alive: bool) -> None:
        """A camera has died, which will be noticed, or lives again."""
        self.clock.stir(_NOTICES_S)
        (self.kerbs.dead.discard if alive else self.kerbs.dead.add)(lane)
        self.loop.settle()

    def relay(self, lane: str, *, works: bool) -> None:
        """The relay of a barrier fails from now on, or works again."""
        (self.kerbs.broken.discard if works else self.kerbs.broken.add)(lane)

    def board(self, name: str, *, away: bool) -> None:
        """A board does not answer from now on, or does again."""
        self.clock.stir(_NOTICES_S)
        self.kerbs.board(name, away=away)
        self.loop.settle()

    def lists(self, changes: ListChanges) -> bool:
        """The centre changes a list. False: there is a gap."""
        self.clock.stir()
        return self.loop.finish(self.now.link.follow(changes))

    def order(self, order: Order) -> OrderAnswer:
        """The centre orders."""
        self.clock.stir()
        return self.loop.finish(self.now.link.obey(order))

    def hear(self, told: PeerEvent | PeerHealth) -> None:
        """Another controller tells of itself."""
        self.loop.finish(self.now.link.hear(told))


_NOTICES_S = 10.0
"""A machine stays awake for so long after a device has failed."""


async def _ended(task: asyncio.Task[None]) -> None:
    await task
