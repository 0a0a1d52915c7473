"""One controller: every room built once, every task supervised, everything let go at the end.

A task that fails is restarted alone, with backoff; the others do not notice. systemd's watchdog is
fed only while every task keeps the promise of its last heartbeat.
"""

import asyncio
import math
import signal
from collections.abc import Awaitable, Callable, Collection
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import structlog

from gatekeeper import __version__
from gatekeeper.app.devices import Devices, Task
from gatekeeper.app.fire import FireInputs
from gatekeeper.app.holds import Holds
from gatekeeper.app.housekeeping import Housekeeping
from gatekeeper.app.lists import Lists
from gatekeeper.app.news import News
from gatekeeper.app.notify import feed_watchdog, notify
from gatekeeper.app.orders import Orders
from gatekeeper.app.tidying import Tidying
from gatekeeper.app.timekeeper import Timekeeper
from gatekeeper.app.wiring import (
    limits_of,
    open_store,
    quorum_of,
    take_up,
    texts_of,
    timing_of,
)
from gatekeeper.clock import SystemClock
from gatekeeper.config import CentreSettings, Config, LaneSettings, warnings
from gatekeeper.health import Health
from gatekeeper.lane import Bindings, Holder, Kerb, Lane, Rooms
from gatekeeper.lpr import ReadingThread, open_recogniser
from gatekeeper.model import ControllerStopped, HealthReport, SiteState
from gatekeeper.store import Store, alone
from gatekeeper.store.pictures import Pictures
from gatekeeper.sync import Link
from gatekeeper.zones import Zones, places_of, plans_of, policy_of

log = structlog.get_logger(__name__)

RESTART_S = (0.5, 30.0)
"""Backoff of a task that failed: first pause, longest pause."""

STOPS_S = 10.0
"""How long a task may take to end as it should: a relay that pulses goes off first."""

NEIGHBOURS_S = 1.0
"""How often it is looked whether a technician's command has written to the database: a plate taken
off the blacklist must not wait for the next car."""


def run(config: Config) -> None:
    """Serve the gates until SIGTERM or SIGINT. Raises what keeps the controller from starting."""
    with alone(config.store.path, "the controller"):
        asyncio.run(_serve(config))


async def _serve(config: Config) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        controller = await Controller.build(config, stack)
        await controller.serve(stop)


async def ended(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel tasks, and wait until all have ended. What was swallowed is said again: libraries
    that use asyncio.wait_for on Python 3.11 lose a cancellation that comes together with an answer
    (cpython #86296), and so do task groups of which a task fails.
    """
    waiting = set(tasks)
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=STOPS_S)


class Controller:
    """The rooms of one controller, wired together."""

    def __init__(self, config: Config, *, store: Store, clock: SystemClock, health: Health) -> None:
        self._config = config
        self._store = store
        self._clock = clock
        self._health = health
        self._lanes: dict[str, Lane] = {}
        self._devices = Devices(config, clock, health)
        self._link: Link | None = None
        self._stopping = False
        self._pictures = Pictures(config.store.pictures)
        self._zones = Zones(
            places_of(config),
            plans_of(config),
            store=store,
            clock=clock,
            health=health,
            certain=config.recognition.certain,
            peers=[peer.controller for peer in config.peer],
            changed=self._reconsider,
        )
        self._bindings = Bindings()
        self._lists = Lists(self._bindings, self._zones, clock=clock, changed=self._reconsider)
        self._timekeeper = Timekeeper(clock, health)
        self._tidying = Tidying(
            config.store,
            store=store,
            pictures=self._pictures,
            health=health,
            sends=config.centre is not None,
        )
        self._housekeeping = Housekeeping(
            config.timezone, tidying=self._tidying, zones=self._zones, clock=clock
        )
        self._lockdown = False
        self._holders: dict[str, Holder] = {}
        self._fire = FireInputs(
            config.fire.inputs, store=store, clock=clock, health=health, latched=self._burns
        )
        self._holds = Holds(self._holders, self._fire, store=store, clock=clock)
        self._orders = Orders(
            self._lanes,
            self._zones,
            [zone.name for zone in config.zone],
            holds=self._holds,
            store=store,
            clock=clock,
            changed=self._reconsider,
            locked=self._locked,
        )
        self._news = News(
            config,
            store=store,
            zones=self._zones,
            clock=clock,
            health=health,
            changed=self._reconsider,
        )

    @classmethod
    async def build(cls, config: Config, stack: AsyncExitStack) -> "Controller":
        """Open everything a controller needs; `stack` lets go of it, last opened first."""
        clock = SystemClock()
        store, aside = await open_store(config.store.path)
        stack.push_async_callback(store.close)
        self = cls(config, store=store, clock=clock, health=Health(clock))
        if aside is not None:
            self._health.raise_alarm("store_set_aside", "store", f"was damaged, kept as {aside}")
        for warning in warnings(config):
            log.warning("config.warning", detail=warning)
        await self._build_lanes(stack)
        if config.centre is not None:
            self._link = self._built_link(config.centre)
        return self

    async def serve(self, stop: asyncio.Event) -> None:
        """Go live, and serve until `stop`."""
        self._lockdown = await take_up(self._config, self._store, self._zones, self._clock)
        await self._holds.take_up()
        watcher = asyncio.create_task(stop.wait())
        tasks = [watcher, *self._started()]
        notify("READY=1")
        log.info("controller.live", version=__version__, lanes=list(self._lanes))
        await watcher
        notify("STOPPING=1")
        self._stopping = True
        await ended(tasks)
        await self._news.tell(ControllerStopped())
        log.info("controller.stopped")

    async def _build_lanes(self, stack: AsyncExitStack) -> None:
        config = self._config
        recogniser = await asyncio.to_thread(
            open_recogniser, config.recognition.networks, config.recognition.threads
        )
        reader = ReadingThread(recogniser)
        stack.callback(reader.close)
        stack.push_async_callback(self._devices.close)
        rooms = Rooms(
            reader=reader,
            store=self._store,
            zones=self._zones,
            pictures=self._pictures,
            bindings=self._bindings,
            clock=self._clock,
            health=self._health,
            site=self._site,
            timezone=config.timezone,
            quorum=quorum_of(config),
            texts=texts_of(config),
        )
        for settings in config.lane:
            lane = self._built_lane(settings, rooms, self._devices.kerb(settings))
            self._lanes[settings.name] = lane
            self._holders[settings.name] = lane.holder
        self._devices.watch_fire(config.fire.inputs, self._fire)

    def _built_lane(self, settings: LaneSettings, rooms: Rooms, kerb: Kerb) -> Lane:
        return Lane(
            settings,
            policy_of(self._config, settings.zone),
            kerb=kerb,
            rooms=rooms,
            timing=timing_of(self._config, settings),
            limits=limits_of(settings),
            slow_look_s=self._config.recognition.slow_interval_s,
            store_failure_admits=self._config.zone_of(settings.zone).when_store_fails == "admit",
        )

    def _built_link(self, centre: CentreSettings) -> Link:
        return Link(
            centre,
            self._config.site,
            self._config.controller,
            store=self._store,
            clock=self._clock,
            health=self._health,
            obey=self._orders.obey,
            changed=self._lists.changed,
            report=self._report,
            peers=[peer.controller for peer in self._config.peer],
            heard=self._zones.heard,
            time_told=self._timekeeper.told,
        )

    # --- tasks --------------------------------------------------------------------------------

    def _started(self) -> list[asyncio.Task[None]]:
        work: list[Task] = [
            ("fire", self._fire.run),
            ("zones", self._zones.run),
            ("news", self._news.run),
            ("lists", self._lists.run),
            ("housekeeping", self._housekeeping.run),
            ("clock", self._timekeeper.run),
            ("neighbours", self._notice_neighbours),
            ("watchdog", partial(feed_watchdog, self._health)),
        ]
        work += self._devices.tasks
        work += [(f"hold {name}", holder.run) for name, holder in self._holders.items()]
        work += [(f"lane {name}", lane.run) for name, lane in self._lanes.items()]
        if self._link is not None:
            work.append(("link", self._link.run))
        return [asyncio.create_task(self._kept(name, task), name=name) for name, task in work]

    async def _kept(self, name: str, task: Callable[[], Awaitable[None]]) -> None:
        """Run a task for ever, alone: when it fails, say so, wait, and run it again."""
        pause, longest = RESTART_S
        loop = asyncio.get_running_loop()
        # A task group of Python 3.11 may swallow a cancellation while one of its tasks fails.
        while not self._stopping:
            begun = self._clock.boot_s()
            well = loop.call_later(longest, self._health.clear_alarm, "task_failed", name)
            try:
                await task()
            except Exception as error:
                log.error("task.failed", task=name, exc_info=error)
                self._health.raise_alarm("task_failed", name, repr(error))
            finally:
                well.cancel()
            if self._clock.boot_s() - begun > longest:
                pause = RESTART_S[0]
            if not self._stopping:
                await asyncio.sleep(pause)
            pause = min(2 * pause, longest)

    async def _notice_neighbours(self) -> None:
        """A technician's command writes to the database beside this controller."""
        while True:
            if await self._store.disturbed():
                self._reconsider()
            await asyncio.sleep(NEIGHBOURS_S)

    # --- what the rooms ask of each other -------------------------------------------------------

    def _reconsider(self) -> None:
        """Who has waited longest is decided first: there may be one space only."""
        waiting = sorted(self._lanes.values(), key=lambda lane: lane.waiting_since or math.inf)
        for lane in waiting:
            lane.reconsider()

    def _site(self) -> SiteState:
        away_s = None if self._link is None else self._link.away_s
        return SiteState(lockdown=self._lockdown, centre_away_s=away_s)

    def _burns(self, latched: bool) -> None:
        for holder in self._holders.values():
            holder.fire(latched)

    def _locked(self, on: bool) -> None:
        self._lockdown = on

    async def _report(self) -> HealthReport:
        at = self._clock.instant()
        return HealthReport(
            at=at.wall,
            clock_trusted=at.trusted,
            lanes={name: lane.state.value for name, lane in self._lanes.items()},
            alarms=self._health.alarms,
            journal=self._store.journal,
            seq=await self._store.last_seq(),
            outbox=await self._store.outbox_depth(),
            free_disk_mb=self._tidying.free_mb,
            list_versions=await self._store.versions(),
        )
