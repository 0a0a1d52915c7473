"""What the centre says, carried out: confirmations, the registry's lists, orders; and what the
other controllers of the site say, passed on.

Messages come in by `deliver`, as they are heard. They go on to the lists, to the uplink
(confirmations), to `obey` (orders) and to `heard` (peers), each kind in a queue of its own, so that
a long list delays no order and a slow barrier no list. A message is acknowledged to the broker
only once what it brought is kept; one that says nothing sensible is acknowledged, logged and
forgotten.

It outlives connections: an order that is being carried out is not cut short when the link is.
It never moves anything twice for one order, and no message ends it, whatever it holds.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

import structlog

from gatekeeper.clock import Clock
from gatekeeper.errors import StoreError, WireError
from gatekeeper.health import Health
from gatekeeper.model import ListChanges, OrderAnswer, PeerEvent, PeerHealth
from gatekeeper.store import Store
from gatekeeper.sync import peers, wire
from gatekeeper.sync.book import OrderBook
from gatekeeper.sync.centretime import CentreTime
from gatekeeper.sync.credentials import LinkError
from gatekeeper.sync.inbox import Inbox, Item
from gatekeeper.sync.lists import Lists
from gatekeeper.sync.message import Message
from gatekeeper.sync.orders import Obey, Orders
from gatekeeper.sync.pace import Pace
from gatekeeper.sync.replies import Replies
from gatekeeper.sync.topics import Heard, Place, Topics
from gatekeeper.sync.unforeseen import Unforeseen
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


_ANSWERING = 20
"""Orders that may wait at once for their answer to be written."""

_Answer = TypeVar("_Answer")


class Downlink:
    """Used from the loop's thread."""

    def __init__(
        self,
        topics: Topics,
        uplink: Uplink,
        *,
        store: Store,
        book: OrderBook,
        clock: Clock,
        health: Health,
        pace: Pace,
        listeners: Listeners,
    ) -> None:
        self._topics, self._uplink = topics, uplink
        self._health, self._pace, self._clock = health, pace, clock
        self._listeners, self._book = listeners, book
        self.time = CentreTime(clock)
        self._lists = Lists(
            topics, store=store, clock=clock, health=health, pace=pace, changed=listeners.changed
        )
        self.ask_for_all = self._lists.ask_for_all
        self._orders = Orders(
            book=book, time=self.time, clock=clock, health=health, pace=pace, obey=listeners.obey
        )
        self._replies = Replies(topics, health)
        self._answering = asyncio.Semaphore(_ANSWERING)
        self._confirmed = asyncio.Event()
        self._of_orders = Inbox(may_lose=False)
        self._of_lists = Inbox(may_lose=True)  # what is lost is asked for again
        self._of_peers = Inbox(may_lose=True)  # what is lost leaves a gap in their numbers

    def deliver(self, message: Message) -> None:
        """Take a message; never blocks and never raises."""
        with Unforeseen("messages", self._health):
            try:
                place = self._topics.place(message.topic)
                if place.heard is not Heard.CONFIRMATION:
                    self._put(Item(place=place, message=message))
                    return
                self._hear(wire.confirmation(message.body))
            except WireError as error:
                log.warning("downlink.refused", topic=message.topic, error=str(error))
        message.connection.ack(message)

    async def run(self) -> None:
        """Carry out what is delivered, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._settle())
            tasks.create_task(self._serve_orders())
            tasks.create_task(self._serve(self._of_lists))
            tasks.create_task(self._serve(self._of_peers))

    def _put(self, item: Item) -> None:
        match item.place.heard:
            case Heard.ORDER:
                inbox = self._of_orders
            case Heard.CHANGES | Heard.SNAPSHOT:
                inbox = self._of_lists
            case _:
                inbox = self._of_peers
        if inbox.put(item):
            return
        if inbox.may_lose:
            log.error("downlink.dropped", topic=item.message.topic)
            item.acknowledge()
        else:
            item.message.connection.fail("too many orders wait here; they come again")

    # --- confirmations ------------------------------------------------------------------------

    def _hear(self, told: Confirmation) -> None:
        """Acknowledged before it is written: what it frees is sent again at worst."""
        is_fresh = self._uplink.hear(told) or told.asked == self.time.question
        self._confirmed.set()
        if is_fresh and told.at is not None:
            self.time.told(told.at)
            self._listeners.time_told(told.at)

    async def _settle(self) -> None:
        while True:
            await self._confirmed.wait()
            self._confirmed.clear()
            with Unforeseen(Heard.CONFIRMATION, self._health):
                try:
                    await self._uplink.settle()
                except StoreError as error:
                    log.error("downlink.store_failed", kind=Heard.CONFIRMATION, error=str(error))
                    await asyncio.sleep(self._pace.store_retry_s)
                    self._confirmed.set()

    # --- lists and peers ----------------------------------------------------------------------

    async def _serve(self, inbox: Inbox) -> None:
        while True:
            item = await inbox.get()
            with Unforeseen(item.place.heard, self._health):
                try:
                    await self._stored(item, partial(self._carry_out, item.place, item.message))
                except WireError as error:
                    log.warning("downlink.refused", topic=item.message.topic, error=str(error))
                except LinkError as error:
                    log.info("downlink.not_asked", topic=item.message.topic, error=str(error))
            item.acknowledge()

    async def _stored(self, item: Item, work: Callable[[], Awaitable[_Answer]]) -> _Answer | None:
        """What comes of it, as soon as the store allows; None where it comes again by another
        connection.
        """
        while item.wanted:
            try:
                return await work()
            except StoreError as error:
                topic = item.message.topic
                log.error("downlink.store_failed", topic=topic, error=str(error))
                await asyncio.sleep(self._pace.store_retry_s)
        return None

    async def _carry_out(self, place: Place, message: Message) -> None:
        match place.heard:
            case Heard.EVENT:
                event = peers.event(self._topics.site, place.peer, place.name, message.body)
                await self._listeners.heard(event)
            case Heard.HEALTH:
                await self._listeners.heard(peers.health(place.peer, message.body))
            case Heard.STATUS:
                gone = peers.farewell(place.peer, message.body, self._clock.instant())
                if gone is not None:
                    await self._listeners.heard(gone)
            case _:
                await self._lists.take(place, message)

    # --- orders -------------------------------------------------------------------------------

    async def _serve_orders(self) -> None:
        """Carried out one after the other; that the answers are written is awaited side by side."""
        async with asyncio.TaskGroup() as answering:
            while True:
                item = await self._of_orders.get()
                await self._answering.acquire()
                answering.create_task(self._finish(item, await self._answered(item)))

    async def _answered(self, item: Item) -> OrderAnswer | None:
        mishap = Unforeseen(Heard.ORDER, self._health)
        with mishap:
            return await self._stored(
                item, partial(self._orders.answer, item.place.name, item.message)
            )
        return OrderAnswer(order="", outcome="refused", detail=mishap.error or "")

    async def _finish(self, item: Item, answer: OrderAnswer | None) -> None:
        try:
            if answer is None:
                return
            with Unforeseen(Heard.ORDER, self._health):
                await self._stored(item, partial(self._book.kept, answer.order))
            item.acknowledge()
            with Unforeseen(Heard.ORDER, self._health):
                await self._replies.send(answer, item.message)
        finally:
            self._answering.release()
