"""One controller: every room built once from its ports, every task supervised.

The same in the daemon and in virtual time. systemd's watchdog is fed only while every task keeps
the promise of its last heartbeat.
"""

import asyncio
import contextlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog

from gatekeeper import __version__
from gatekeeper.app.fire import FireInputs
from gatekeeper.app.holds import Holds
from gatekeeper.app.housekeeping import Housekeeping
from gatekeeper.app.lists import Lists
from gatekeeper.app.news import News
from gatekeeper.app.notify import feed_watchdog, notify
from gatekeeper.app.orders import Orders
from gatekeeper.app.ports import LinkListeners, Ports, Task
from gatekeeper.app.supervisor import Supervisor
from gatekeeper.app.tidying import Tidying
from gatekeeper.app.timekeeper import Timekeeper
from gatekeeper.app.wiring import (
    begun,
    limits_of,
    quorum_of,
    tell_unknown,
    texts_of,
    timing_of,
)
from gatekeeper.config import Config, LaneSettings
from gatekeeper.errors import StoreError
from gatekeeper.journal import Journal, PastLife, read_past_life
from gatekeeper.lane import Bindings, Holder, Lane, Rooms
from gatekeeper.model import (
    ControllerStopped,
    HealthReport,
    ListVersion,
    Order,
    OrderAnswer,
    PeerEvent,
    PeerHealth,
    SiteState,
)
from gatekeeper.sync import JournalBook
from gatekeeper.zones import Zones, places_of, plans_of, policy_of

log = structlog.get_logger(__name__)

START_S = 2.0
"""How long a start waits for the store; a gate whose disk does not answer goes live without it."""

LAST_WORDS_S = 5.0
"""How long a stop waits for the disk to take what was posted last."""

NEIGHBOURS_S = 1.0
"""How often the database is checked for what a technician's command wrote: a plate taken off the
blacklist must not wait for the next car."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFigures:
    """What a report tells of the store: the last event, how many the centre has not confirmed, and
    how far each list has been followed.
    """

    seq: int
    outbox: int
    versions: tuple[ListVersion, ...]


class Controller:
    """The rooms of one controller, wired together; `health` and `lanes` for those who look at it
    from outside.
    """

    def __init__(self, config: Config, ports: Ports) -> None:
        clock, store, health = ports.clock, ports.store, ports.health
        self.health = health
        self.lanes: dict[str, Lane] = {}
        self.holders: dict[str, Holder] = {}
        self._config = config
        self._store = store
        self.journal = Journal(store, clock=clock, health=health, restore=self._restore)
        self._clock = clock
        self._lockdown = False
        self.supervisor = Supervisor(clock=clock, health=health)
        self.zones = Zones(
            places_of(config),
            plans_of(config),
            journal=self.journal,
            clock=clock,
            health=health,
            certain=config.recognition.certain,
            peers=[peer.controller for peer in config.peer],
            changed=self._reconsider,
            began=lambda plate: self._lists.began(plate),
        )
        self._bindings = Bindings()
        self._lists = Lists(self._bindings, self.zones, clock=clock, changed=self._reconsider)
        self.timekeeper = Timekeeper(clock, health)
        self._tidying = Tidying(
            config.store,
            store=store,
            pictures=ports.pictures,
            health=health,
            sends=config.centre is not None,
        )
        self._housekeeping = Housekeeping(
            config.timezone, tidying=self._tidying, zones=self.zones, clock=clock
        )
        self._fire = FireInputs(
            config.fire.inputs,
            journal=self.journal,
            clock=clock,
            health=health,
            latched=self._burns,
        )
        self._holds = Holds(self.holders, self._fire, journal=self.journal, clock=clock)
        self._orders = Orders(
            self.lanes,
            self.zones,
            [zone.name for zone in config.zone],
            holds=self._holds,
            journal=self.journal,
            clock=clock,
            changed=self._reconsider,
            locked=self._locked,
        )
        self._news = News(
            config,
            journal=self.journal,
            zones=self.zones,
            health=health,
            changed=self._reconsider,
        )
        self._has_begun = False
        self._figures: StoreFigures | None = None
        self._devices = ports.devices(config, clock, health)
        self._build_lanes(ports)
        self._devices.watch_fire(config.fire.inputs, self._fire)
        self._link = ports.link(config, ports, self._listeners())

    @property
    def centre_away_s(self) -> float | None:
        """Since when the centre is out of reach, 0.0 while it is not; None where there is none."""
        return None if self._link is None else self._link.away_s

    async def obey(self, order: Order) -> OrderAnswer:
        """Carry out an order of a person beside the gate; what became of it. Raises
        `GatekeeperError`: whether anything moved is not known.
        """
        return await self._orders.obey(order)

    async def serve(self, stop: asyncio.Event, beside: Sequence[Task] = ()) -> None:
        """Go live, and serve until `stop`, with other tasks `beside` its own. What the store knows
        is taken up first, or later where it does not answer: the gates open all the same
        (situations, 33).
        """
        self.supervisor.start([("journal", self.journal.run)])
        if not await self.journal.restored(START_S):
            log.error("controller.live_without_store", path=str(self._config.store.path))
            self._begin(PastLife())
        await self._holds.wake()
        self.supervisor.start([*self._work(), *beside])
        notify("READY=1")
        log.info("controller.live", version=__version__, lanes=list(self.lanes))
        await stop.wait()
        notify("STOPPING=1")
        await self.supervisor.stop()
        self.journal.tell(ControllerStopped())
        await self.journal.close(LAST_WORDS_S)
        log.info("controller.stopped")

    async def close(self) -> None:
        """Let go of the devices."""
        await self._devices.close()

    async def _restore(self) -> None:
        """Take up what the store knows, and let waiting vehicles be decided by it."""
        since = self._clock.instant().wall - timedelta(seconds=self.zones.remembered_s)
        past = await read_past_life(self._store, since)
        self._begin(past)
        tell_unknown(self.journal, past)
        self._lockdown = self._lockdown or past.lockdown
        self.zones.restore(past)
        self._holds.restore(past)
        self._lists.restored()
        self._reconsider()

    def _begin(self, past: PastLife) -> None:
        """Say once that this life has begun."""
        if not self._has_begun:
            self._has_begun = True
            self.journal.tell(*begun(self._config, past, self._clock.instant()))

    def _build_lanes(self, ports: Ports) -> None:
        config = self._config
        rooms = Rooms(
            reader=ports.reader,
            journal=self.journal,
            zones=self.zones,
            pictures=ports.pictures,
            bindings=self._bindings,
            clock=ports.clock,
            health=ports.health,
            site=self._site,
            timezone=config.timezone,
            quorum=quorum_of(config),
            texts=texts_of(config),
            slow_look_s=config.recognition.slow_interval_s,
        )
        for settings in config.lane:
            lane = self._built_lane(settings, rooms)
            self.lanes[settings.name] = lane
            self.holders[settings.name] = lane.holder

    def _built_lane(self, settings: LaneSettings, rooms: Rooms) -> Lane:
        return Lane(
            settings,
            policy_of(self._config, settings.zone),
            kerb=self._devices.kerb(settings),
            rooms=rooms,
            timing=timing_of(self._config, settings),
            limits=limits_of(settings),
            store_failure_admits=self._config.zone_of(settings.zone).when_store_fails == "admit",
        )

    def _listeners(self) -> LinkListeners:
        return LinkListeners(
            obey=self._orders.obey,
            changed=self._lists.changed,
            heard=self._heard,
            time_told=self.timekeeper.told,
            report=self.report,
            orders=JournalBook(self.journal, self._clock),
        )

    # --- tasks --------------------------------------------------------------------------------

    def _work(self) -> list[Task]:
        work: list[Task] = [
            ("fire", self._fire.run),
            ("zones", self.zones.run),
            ("lists", self._lists.run),
            ("housekeeping", self._housekeeping.run),
            ("clock", self.timekeeper.run),
            ("neighbours", self._notice_neighbours),
            ("watchdog", partial(feed_watchdog, self.health, self._clock)),
        ]
        work += self._devices.tasks
        work += [(f"hold {name}", holder.run) for name, holder in self.holders.items()]
        work += [(f"lane {name}", lane.run) for name, lane in self.lanes.items()]
        if self._link is not None:
            work.append(("link", self._link.run))
        return work

    async def _notice_neighbours(self) -> None:
        """A technician's command writes to the database beside this controller."""
        while True:
            with contextlib.suppress(StoreError):  # the journal says what is wrong with it
                if await self._store.disturbed():
                    self._reconsider()
            await self._clock.idle(NEIGHBOURS_S)

    # --- what the rooms ask of each other -------------------------------------------------------

    def _reconsider(self) -> None:
        """Who has waited longest is decided first: there may be one space only."""
        waiting = sorted(self.lanes.values(), key=lambda lane: lane.waiting_since or math.inf)
        for lane in waiting:
            lane.reconsider()

    def _site(self) -> SiteState:
        return SiteState(lockdown=self._lockdown, centre_away_s=self.centre_away_s)

    async def _heard(self, told: PeerEvent | PeerHealth) -> None:
        """The broker may forget it once it has been written. Raises `StoreError`: not yet."""
        if not await self.journal.written(self.zones.heard(told)):
            raise StoreError(f"{self._config.store.path}: what a peer told is not written yet")

    def _burns(self, latched: bool) -> None:
        for holder in self.holders.values():
            holder.fire(latched)

    def _locked(self, on: bool) -> None:
        self._lockdown = on

    async def report(self) -> HealthReport:
        """How it stands, as the centre hears of it. Raises `StoreError` where the store has never
        answered.
        """
        known, at = await self._known(), self._clock.instant()
        return HealthReport(
            at=at.wall,
            clock_trusted=at.trusted,
            lanes={name: lane.state.value for name, lane in self.lanes.items()},
            alarms=self.health.alarms,
            journal=self._store.journal,
            seq=known.seq,
            outbox=known.outbox,
            free_disk_mb=self._tidying.free_mb,
            list_versions=known.versions,
        )

    async def _known(self) -> StoreFigures:
        """What the store says of itself, or said last: while it does not answer the centre and the
        peers are told all the same that this controller lives. Raises `StoreError` where it has
        never answered.
        """
        asked, store = self.journal.asked, self._store
        try:
            self._figures = StoreFigures(
                seq=await asked(store.last_seq()),
                outbox=await asked(store.outbox_depth()),
                versions=await asked(store.versions()),
            )
        except StoreError:
            if self._figures is None:
                raise
        return self._figures
