"""The link to the centre, kept up for as long as the controller runs.

It makes a connection, greets the centre, lets the uplink and the downlink work on it, reports the
controller's health, and begins again when the connection is gone, whatever the cause: no broker,
a wrong password, an unknown certificate. What is wrong it says in an alarm. Nothing else in
the controller waits for it, and it never gives up.
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Collection, Coroutine
from datetime import datetime
from typing import Any
from uuid import uuid4

import structlog

from gatekeeper import __version__
from gatekeeper.backoff import jittered
from gatekeeper.clock import Clock
from gatekeeper.config import CentreSettings
from gatekeeper.errors import GatekeeperError, StoreError
from gatekeeper.health import Health
from gatekeeper.model import HealthReport, ListChanges, PeerEvent, PeerHealth
from gatekeeper.parts import Parts
from gatekeeper.store import Store
from gatekeeper.sync import wire
from gatekeeper.sync.book import OrderBook
from gatekeeper.sync.client import Connection
from gatekeeper.sync.credentials import LinkError
from gatekeeper.sync.downlink import Downlink, Listeners
from gatekeeper.sync.message import Broker, PublishError
from gatekeeper.sync.orders import Obey
from gatekeeper.sync.pace import Pace
from gatekeeper.sync.pahothread import MakeClient, PahoThread, Will
from gatekeeper.sync.topics import Topics, client_id
from gatekeeper.sync.uplink import Uplink

log = structlog.get_logger(__name__)

_BEAT_WITHIN_S = 10.0
_FAREWELL_S = 2.0


class Link:
    """Used from the loop's thread.

    `obey` carries an order out and answers it; `report` is asked for the controller's health every
    half minute. `changed` is called after a list has changed, with the changes, or None after a
    whole list. `heard` is told what the controllers named in `peers` say, in order of arrival; it
    may raise `StoreError` and is then told the same again, as it is after a lost connection.
    `time_told` is called with what the centre's clock shows, as the centre has just said. `book`
    remembers which orders were answered. `make_client` begins a connection, and `chance` draws the
    pauses between them, from 0 to 1: only a simulation gives its own.
    """

    def __init__(
        self,
        settings: CentreSettings,
        site: str,
        controller: str,
        *,
        store: Store,
        clock: Clock,
        health: Health,
        obey: Obey,
        changed: Callable[[ListChanges | None], None],
        report: Callable[[], Awaitable[HealthReport]],
        book: OrderBook,
        peers: Collection[str] = (),
        zones: Collection[str] = (),
        heard: Callable[[PeerEvent | PeerHealth], Awaitable[None]] | None = None,
        time_told: Callable[[datetime], None] | None = None,
        pace: Pace | None = None,
        make_client: MakeClient = PahoThread,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._settings, self._clock, self._health = settings, clock, health
        self._report, self._make_client, self._chance = report, make_client, chance
        self._pace = pace or Pace()
        others = frozenset(peers) - {controller} if heard is not None else frozenset()
        self._topics = Topics(site=site, controller=controller, peers=others)
        self._client_id = client_id(site, controller)
        self._uplink = Uplink(
            self._topics, store=store, clock=clock, health=health, pace=self._pace
        )
        self._downlink = Downlink(
            self._topics,
            self._uplink,
            store=store,
            book=book,
            clock=clock,
            health=health,
            pace=self._pace,
            listeners=Listeners(
                obey=obey,
                changed=changed,
                heard=heard or _unheard,
                time_told=time_told or _untold,
                spoken=self._spoken,
                zones=zones,
            ),
        )
        self._connection: Connection | None = None
        self._broker = Broker()
        self._away_since: float | None = clock.boot_s()
        self._why = ""
        self._up_since = 0.0
        self._run, self._connections = uuid4().hex, 0
        self._retry_s = self._pace.retry.first_s

    @property
    def away_s(self) -> float:
        """Seconds since the centre was last in reach, 0.0 while it is. A broker that is there
        does not make up for a centre that confirms nothing.
        """
        unconnected = 0.0 if self._away_since is None else self._clock.boot_s() - self._away_since
        return max(unconnected, self._uplink.silent_s)

    async def run(self) -> None:
        """Keep the link up until cancelled; then say `offline` and leave nothing behind."""
        try:
            async with Parts() as parts:
                parts.part(self._downlink.run(), "downlink")
                parts.part(self._tick(), "tick")
                parts.part(self._keep(), "connection")
        finally:
            self._health.forget("link")

    async def _tick(self) -> None:
        """The heartbeat, and what no callback tells."""
        while True:
            self._health.beat("link", _BEAT_WITHIN_S)
            since = self._away_since
            away = since is not None and self._clock.boot_s() - since > self._pace.away_after_s
            if away and self._why:  # the first attempt may still be under way
                self._health.raise_alarm("centre_away", "centre", self._why)
            if since is None and self._clock.boot_s() - self._up_since > self._pace.alone_s:
                self._health.clear_alarm("name_taken", "centre")
            if self._connection is not None and self._connection.thread_ended:
                self._connection.fail("the client's thread has ended")
            await self._clock.idle(self._pace.tick_s)

    async def _keep(self) -> None:
        while True:
            began = self._clock.boot_s()
            try:
                await self._attempt()
            except* GatekeeperError as group:
                self._lost(_first(group))
            if self._clock.boot_s() - began >= self._pace.steady_s:
                self._retry_s = self._pace.retry.first_s
            await asyncio.sleep(jittered(self._retry_s, self._chance()))
            self._retry_s = self._pace.retry.after(self._retry_s)

    async def _attempt(self) -> None:
        """`_connect` in a task of its own. A task group of Python 3.11 that is cancelled while one
        of its tasks fails tells only of the failure (cpython #116720): a stop in that moment would
        be taken for a lost connection, and another one made.
        """
        task = asyncio.create_task(self._connect())
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            raise

    async def _connect(self) -> None:
        """One connection, from beginning to end; raises what ended it."""
        self._downlink.time.begin()
        connection = self._connection = Connection(
            self._settings,
            self._client_id,
            Will(
                topic=self._topics.status,
                body=self._status("offline"),
                limits=self._broker.limits,
            ),
            deliver=self._downlink.deliver,
            clock=self._clock,
            health=self._health,
            pace=self._pace,
            broker=self._broker,
            make_client=self._make_client,
        )
        try:
            await connection.open(self._topics.subscriptions)
            await connection.listen((self._topics.status,))
            if self._topics.of_peers:
                self._peers_refused(await connection.listen(self._topics.of_peers))
            self._connections += 1
            await self._work(connection)
        except asyncio.CancelledError:
            await self._say_farewell(connection)
            raise
        finally:
            self._connection = None
            await _to_the_end(connection.close())

    async def _work(self, connection: Connection) -> None:
        await connection.say(self._topics.status, self._status("online"), retain=True)
        self._reached()
        async with Parts() as parts:
            parts.part(connection.until_lost(), "loss")
            parts.part(self._report_on(connection), "health")
            parts.part(self._ask_on(connection), "lists")
            parts.part(self._uplink.run(connection), "uplink")

    async def _ask_on(self, connection: Connection) -> None:
        """A change that a broker dropped, or a centre that came up later than this gate, is found
        out by asking again: a centre that has nothing newer does not answer.
        """
        while True:
            try:
                await self._downlink.ask_for_all(connection)
            except StoreError as error:
                log.error("link.not_asked", error=str(error))
            await self._clock.idle(self._pace.ask_all_s)

    async def _report_on(self, connection: Connection) -> None:
        while True:
            try:
                report = await self._report()
            except GatekeeperError as error:
                log.error("link.no_report", error=str(error))
            else:
                since = (self._clock.instant(alarm.since).wall for alarm in report.alarms)
                topic, asked = self._topics.health, self._downlink.time.question
                await connection.say(
                    topic,
                    wire.health(report, since, asked=asked, at_most=connection.room(topic)),
                    good_for_s=self._pace.report_good_for_s,
                )
            await asyncio.sleep(self._pace.report_s)

    async def _say_farewell(self, connection: Connection) -> None:
        """The last will is for those who cannot say it themselves."""
        with contextlib.suppress(LinkError, PublishError, TimeoutError):
            async with asyncio.timeout(_FAREWELL_S):
                await connection.publish(self._topics.status, self._status("offline"), retain=True)

    def _peers_refused(self, why: str | None) -> None:
        if why is None:
            self._health.clear_alarm("peers_refused", "peers")
        else:
            self._health.raise_alarm("peers_refused", "peers", why)

    def _spoken(self, run: str) -> None:
        """Heard at each connection, before anything is said on it: what stands there since the one
        before was said by this program, or by another of this name (situations, 45).
        """
        if run not in ("", self._run) and self._connections:
            detail = f"another program speaks as {self._topics.controller} of {self._topics.site}"
            self._health.raise_alarm("name_taken", "centre", detail)

    def _status(self, state: str) -> bytes:
        return wire.status(state, __version__, self._clock.instant().wall, self._run)

    def _reached(self) -> None:
        log.info("link.up", host=self._settings.host)
        self._away_since, self._why, self._up_since = None, "", self._clock.boot_s()
        self._health.clear_alarm("centre_away", "centre")

    def _lost(self, why: str) -> None:
        if self._away_since is None:
            self._away_since = self._clock.boot_s()
        if why != self._why:
            log.warning("link.down", why=why)
        self._why = why


async def _unheard(_said: PeerEvent | PeerHealth) -> None:
    """For a controller that hears no others."""


def _untold(_at: datetime) -> None:
    """For a controller that compares no clocks."""


async def _to_the_end(closing: Coroutine[Any, Any, None]) -> None:
    """Tidy up first, also where that is cancelled, even twice."""
    task = asyncio.create_task(closing)
    cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError
    task.result()


def _first(group: BaseExceptionGroup[GatekeeperError]) -> str:
    """The first cause in a group of groups; a lost connection ends all its tasks alike."""
    cause: BaseException = group
    while isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[0]
    return str(cause)
