"""What the centre says, carried out: confirmations, the registry's lists, orders; and what the
other controllers of the site say, passed on.

Messages come in by `deliver`, as they are heard. They go on to the store (lists), to the uplink
(confirmations), to `obey` (orders) and to `heard` (peers), each kind in a queue of its own, so that
a long list delays no order and a slow barrier no list. A message is acknowledged to the broker
only once the store has what it brought; one that says nothing sensible is acknowledged, logged and
forgotten.

It outlives connections: an order that is being carried out is not cut short when the link is.
It never moves anything twice for one order, and never lets a message end it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import structlog

from gatekeeper.clock import Clock
from gatekeeper.errors import StoreError, WireError
from gatekeeper.health import Health
from gatekeeper.model import (
    ListChanges,
    ListName,
    ListSnapshot,
    OrderAnswer,
    PeerEvent,
    PeerHealth,
)
from gatekeeper.store import Store
from gatekeeper.sync import peers, wire
from gatekeeper.sync.client import Connection, Message, PublishError
from gatekeeper.sync.orders import Obey, Orders
from gatekeeper.sync.pace import Pace
from gatekeeper.sync.pahothread import LinkError
from gatekeeper.sync.topics import Heard, Place, Topics
from gatekeeper.sync.uplink import Uplink
from gatekeeper.sync.wire import Confirmation

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listeners:
    """Who is told. `changed` gets the changes of a list that were applied, None for a whole list;
    `heard` what another controller says, in order of arrival, and again after a `StoreError` or a
    lost connection; `time_told` what the centre's clock shows just now.
    """

    obey: Obey
    changed: Callable[[ListChanges | None], None]
    heard: Callable[[PeerEvent | PeerHealth], Awaitable[None]]
    time_told: Callable[[datetime], None]


_WAITING = 1000
"""Messages that may wait in one queue. The broker should send no more than its receive maximum
(20) before they are acknowledged, but mosquitto 2.0.11 does for a session it restored (measured).
Where a queue is full what comes is dropped and the connection with it: it all comes again.
"""

_LONG = 64 * 1024
"""A body of more bytes than this is read in a thread: a list of 100 000 plates takes 0.7 s."""

_Lists = TypeVar("_Lists", ListChanges, ListSnapshot)
_Queue = asyncio.Queue[tuple[Place, Message]]


class Downlink:
    """Used from the loop's thread."""

    def __init__(
        self,
        topics: Topics,
        uplink: Uplink,
        *,
        store: Store,
        clock: Clock,
        health: Health,
        pace: Pace,
        listeners: Listeners,
    ) -> None:
        self._topics, self._uplink = topics, uplink
        self._store, self._clock, self._health, self._pace = store, clock, health, pace
        self._listeners = listeners
        self._orders = Orders(store=store, clock=clock, pace=pace, obey=listeners.obey)
        self._queues = tuple(_Queue(_WAITING) for _ in range(4))
        self._asked_until: dict[ListName, float] = {}
        self._missed: dict[ListName, int] = {}

    def deliver(self, message: Message) -> None:
        """Take a message; never blocks and never raises."""
        try:
            place = self._topics.place(message.topic)
            if place.heard is Heard.CONFIRMATION:
                self._confirmed(wire.confirmation(message.body))
        except WireError as error:
            log.warning("downlink.refused", topic=message.topic, error=str(error))
            message.connection.ack(message)
            return
        try:
            self._queue_of(place).put_nowait((place, message))
        except asyncio.QueueFull:
            message.connection.fail(f"more than {_WAITING} messages wait here")

    async def run(self) -> None:
        """Carry out what is delivered, for ever."""
        async with asyncio.TaskGroup() as tasks:
            for queue in self._queues:
                tasks.create_task(self._serve(queue))

    async def ask_for_all(self, connection: Connection) -> None:
        """Tell the centre how far each list is followed here. Raises `LinkError`, `StoreError`."""
        for name in ListName:
            await self._ask(connection, name)

    def _queue_of(self, place: Place) -> _Queue:
        confirmations, orders, lists, peers_say = self._queues
        match place.heard:
            case Heard.CONFIRMATION:
                return confirmations
            case Heard.ORDER:
                return orders
            case Heard.CHANGES | Heard.SNAPSHOT:
                return lists
            case Heard.EVENT | Heard.HEALTH | Heard.STATUS:
                return peers_say

    def _confirmed(self, told: Confirmation) -> None:
        if self._uplink.hear(told) and told.at is not None:
            self._listeners.time_told(told.at)

    async def _serve(self, queue: _Queue) -> None:
        while True:
            place, message = await queue.get()
            # What an earlier connection left unacknowledged the broker sends again.
            while message.connection.alive:
                answer = None
                try:
                    answer = await self._carry_out(place, message)
                except WireError as error:
                    log.warning("downlink.refused", topic=message.topic, error=str(error))
                except StoreError as error:
                    log.error("downlink.store_failed", topic=message.topic, error=str(error))
                    await asyncio.sleep(self._pace.store_retry_s)
                    continue
                except LinkError:
                    break
                message.connection.ack(message)
                if answer is not None:
                    await self._reply(answer, message)
                break

    async def _carry_out(self, place: Place, message: Message) -> OrderAnswer | None:
        match place.heard:
            case Heard.CONFIRMATION:
                await self._uplink.settle()
            case Heard.ORDER:
                return await self._orders.answer(wire.order(place.name, message.body))
            case Heard.CHANGES:
                await self._follow(await self._read(wire.changes, place, message), message)
            case Heard.SNAPSHOT:
                await self._replace(await self._read(wire.snapshot, place, message), message)
            case Heard.EVENT:
                event = peers.event(self._topics.site, place.peer, place.name, message.body)
                await self._listeners.heard(event)
            case Heard.HEALTH:
                await self._listeners.heard(peers.health(place.peer, message.body))
            case Heard.STATUS:
                await self._status(place, message)
        return None

    async def _status(self, place: Place, message: Message) -> None:
        gone = peers.farewell(place.peer, message.body, self._clock.instant())
        if gone is not None:
            await self._listeners.heard(gone)

    # --- lists ------------------------------------------------------------------------------

    async def _read(
        self, read: Callable[[ListName, bytes], _Lists], place: Place, message: Message
    ) -> _Lists:
        name = ListName(place.name)
        try:
            if len(message.body) > _LONG:
                return await asyncio.to_thread(read, name, message.body)
            return read(name, message.body)
        except WireError as error:
            self._health.raise_alarm("registry_malformed", name, str(error))
            raise

    async def _follow(self, step: ListChanges, message: Message) -> None:
        if await self._store.follow(step, self._clock.instant()):
            self._applied(step.list, step)
        elif self._clock.boot_s() < self._asked_until.get(step.list, 0.0):
            self._missed[step.list] = step.version  # a snapshot is on its way, perhaps an older one
        else:
            self._asked_until[step.list] = self._clock.boot_s() + self._pace.ask_again_s
            await self._ask(message.connection, step.list)

    async def _replace(self, whole: ListSnapshot, message: Message) -> None:
        if await self._store.replace(whole, self._clock.instant()):
            self._applied(whole.list, None)
        self._asked_until.pop(whole.list, None)
        if self._missed.pop(whole.list, 0) > whole.version:
            await self._ask(message.connection, whole.list)

    def _applied(self, name: ListName, step: ListChanges | None) -> None:
        self._health.clear_alarm("registry_malformed", name)
        self._listeners.changed(step)

    async def _ask(self, connection: Connection, name: ListName) -> None:
        held = {one.list: one.version for one in await self._store.versions()}
        await connection.say(self._topics.wanted(name), wire.wanted(held.get(name)))

    # --- orders -----------------------------------------------------------------------------

    async def _reply(self, answer: OrderAnswer, message: Message) -> None:
        """Only now, when the order itself is acknowledged: a reply that costs the connection must
        not bring the order back for ever. One that is lost the outbox still tells as an event.
        """
        if not message.response_topic:  # an empty one would be against the protocol, too
            return
        try:
            await message.connection.publish(
                message.response_topic, wire.answer(answer), correlation=message.correlation
            )
        except (LinkError, PublishError) as error:
            log.warning("order.answer_not_sent", order=answer.order, error=str(error))
