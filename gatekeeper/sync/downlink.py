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
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog

from gatekeeper.clock import Clock
from gatekeeper.errors import StoreError, WireError
from gatekeeper.health import Health
from gatekeeper.model import ListChanges, PeerEvent, PeerHealth
from gatekeeper.parts import Parts
from gatekeeper.store import Store
from gatekeeper.sync import peers, wire
from gatekeeper.sync.book import OrderBook
from gatekeeper.sync.centretime import CentreTime
from gatekeeper.sync.credentials import LinkError
from gatekeeper.sync.inbox import Inbox, Item, stored
from gatekeeper.sync.lists import Lists
from gatekeeper.sync.message import Message
from gatekeeper.sync.orders import Obey, Orders
from gatekeeper.sync.orderservice import OrderService
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
    lost connection; `time_told` what the centre's clock shows just now, `spoken` which program has
    spoken in this controller's name. `zones` are those that rows
    of lists may name, any where there are none.
    """

    obey: Obey
    changed: Callable[[ListChanges | None], None]
    heard: Callable[[PeerEvent | PeerHealth], Awaitable[None]]
    time_told: Callable[[datetime], None]
    spoken: Callable[[str], None]
    zones: Collection[str] = ()


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
        self._listeners = listeners
        self.time = CentreTime(clock)
        self._lists = Lists(
            topics,
            store=store,
            clock=clock,
            health=health,
            pace=pace,
            changed=listeners.changed,
            zones=listeners.zones,
        )
        self.ask_for_all = self._lists.ask_for_all
        self._orders = OrderService(
            Orders(
                book=book,
                time=self.time,
                clock=clock,
                health=health,
                pace=pace,
                obey=listeners.obey,
            ),
            book,
            Replies(topics, health),
            health=health,
            pace=pace,
        )
        self._confirmed = asyncio.Event()
        self._of_lists = Inbox(may_lose=True)  # what is lost is asked for again
        self._of_peers = Inbox(may_lose=True)  # what is lost leaves a gap in their numbers

    def deliver(self, message: Message) -> None:
        """Take a message; never blocks and never raises."""
        with Unforeseen("messages", self._health):
            try:
                place = self._topics.place(message.topic)
                if place.heard is Heard.OWN:
                    self._listeners.spoken(wire.speaker(message.body))
                elif place.heard is Heard.CONFIRMATION:
                    self._hear(wire.confirmation(message.body))
                else:
                    self._put(Item(place=place, message=message))
                    return
            except WireError as error:
                log.warning("downlink.refused", topic=message.topic, error=str(error))
        message.connection.ack(message)

    async def run(self) -> None:
        """Carry out what is delivered until cancelled."""
        async with Parts() as parts:
            parts.part(self._settle(), "confirmations")
            parts.part(self._orders.run(), "orders")
            parts.part(self._serve(self._of_lists), "lists")
            parts.part(self._serve(self._of_peers), "peers")

    def _put(self, item: Item) -> None:
        if item.place.heard is Heard.ORDER:
            self._orders.put(item)
            return
        of_lists = item.place.heard in (Heard.CHANGES, Heard.SNAPSHOT)
        if not (self._of_lists if of_lists else self._of_peers).put(item):
            log.error("downlink.dropped", topic=item.message.topic)
            item.acknowledge()

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
                    await stored(
                        item, partial(self._carry_out, item.place, item.message), self._pace
                    )
                except WireError as error:
                    log.warning("downlink.refused", topic=item.message.topic, error=str(error))
                except LinkError as error:
                    log.info("downlink.not_asked", topic=item.message.topic, error=str(error))
            item.acknowledge()

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
