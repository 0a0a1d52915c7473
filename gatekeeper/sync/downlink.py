"""What the centre says, carried out: confirmations, the registry's lists, orders.

Messages come in by `deliver`, as they are heard. They go on to the store (lists), to the uplink
(confirmations) and to `obey` (orders), each kind in a queue of its own, so that a long list delays
no order and a slow barrier no list. A message is acknowledged to the broker only once the store
has what it brought; one that says nothing sensible is acknowledged, logged and forgotten.

It outlives connections: an order that is being carried out is not cut short when the link is.
It never moves anything twice for one order, and never lets a message end it.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

import structlog

from gatekeeper.clock import Clock
from gatekeeper.errors import GatekeeperError, StoreError, WireError
from gatekeeper.health import Health
from gatekeeper.model import (
    Commit,
    ListChanges,
    ListName,
    ListSnapshot,
    Order,
    OrderAnswer,
    OrderAnswered,
    Record,
)
from gatekeeper.store import Store
from gatekeeper.sync import wire
from gatekeeper.sync.client import Connection, Message, PublishError
from gatekeeper.sync.pace import Pace
from gatekeeper.sync.pahothread import LinkError
from gatekeeper.sync.topics import Heard, Place, Topics
from gatekeeper.sync.uplink import Uplink

log = structlog.get_logger(__name__)

Obey = Callable[[Order], Awaitable[OrderAnswer]]
"""Carries an order out, at most once, and says what became of it."""

_WAITING = 1000
"""Messages that may wait in one queue. The broker should send no more than its receive maximum
(20) before they are acknowledged, but mosquitto 2.0.11 does for a session it restored (measured).
Where a queue is full what comes is dropped and the connection with it: it all comes again.
"""

_REMEMBERED = 256
"""Answers kept in memory for orders that the store could not journal; the oldest is dropped."""

_LONG = 64 * 1024
"""A body of more bytes than this is read in a thread: a list of 100 000 plates takes 0.7 s."""

_Lists = TypeVar("_Lists", ListChanges, ListSnapshot)
_Queue = asyncio.Queue[tuple[Place, Message]]


class Downlink:
    """Used from the loop's thread. `changed` is called after a list change that was applied."""

    def __init__(
        self,
        topics: Topics,
        uplink: Uplink,
        *,
        store: Store,
        clock: Clock,
        health: Health,
        pace: Pace,
        obey: Obey,
        changed: Callable[[], None],
    ) -> None:
        self._topics, self._uplink = topics, uplink
        self._store, self._clock, self._health, self._pace = store, clock, health, pace
        self._obey, self._changed = obey, changed
        self._confirmations, self._orders, self._lists = (_Queue(_WAITING) for _ in range(3))
        self._asked_until: dict[ListName, float] = {}
        self._missed: dict[ListName, int] = {}
        self._unjournalled: OrderedDict[str, OrderAnswer] = OrderedDict()

    def deliver(self, message: Message) -> None:
        """Take a message; never blocks and never raises."""
        try:
            place = self._topics.place(message.topic)
            if place.heard is Heard.CONFIRMATION:
                self._uplink.hear(wire.confirmation(message.body))
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
            for queue in (self._confirmations, self._orders, self._lists):
                tasks.create_task(self._serve(queue))

    async def ask_for_all(self, connection: Connection) -> None:
        """Tell the centre how far each list is followed here. Raises `LinkError`, `StoreError`."""
        for name in ListName:
            await self._ask(connection, name)

    def _queue_of(self, place: Place) -> _Queue:
        match place.heard:
            case Heard.CONFIRMATION:
                return self._confirmations
            case Heard.ORDER:
                return self._orders
            case Heard.CHANGES | Heard.SNAPSHOT:
                return self._lists

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
                return await self._order(wire.order(place.name, message.body))
            case Heard.CHANGES:
                await self._follow(await self._read(wire.changes, place, message), message)
            case Heard.SNAPSHOT:
                await self._replace(await self._read(wire.snapshot, place, message), message)
        return None

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
            self._applied(step.list)
        elif self._clock.boot_s() < self._asked_until.get(step.list, 0.0):
            self._missed[step.list] = step.version  # a snapshot is on its way, perhaps an older one
        else:
            self._asked_until[step.list] = self._clock.boot_s() + self._pace.ask_again_s
            await self._ask(message.connection, step.list)

    async def _replace(self, whole: ListSnapshot, message: Message) -> None:
        if await self._store.replace(whole, self._clock.instant()):
            self._applied(whole.list)
        self._asked_until.pop(whole.list, None)
        if self._missed.pop(whole.list, 0) > whole.version:
            await self._ask(message.connection, whole.list)

    def _applied(self, name: ListName) -> None:
        self._health.clear_alarm("registry_malformed", name)
        self._changed()

    async def _ask(self, connection: Connection, name: ListName) -> None:
        held = {one.list: one.version for one in await self._store.versions()}
        await connection.say(self._topics.wanted(name), wire.wanted(held.get(name)))

    # --- orders -----------------------------------------------------------------------------

    async def _order(self, order: Order) -> OrderAnswer:
        return await self._store.answer_of(order.id) or await self._answered(order)

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

    async def _answered(self, order: Order) -> OrderAnswer:
        """Carry the order out and journal the answer. If the store fails in between, the answer
        is kept in memory, so that the order has no effect when it comes again.
        """
        answer = self._unjournalled.get(order.id) or await self._judged(order)
        self._unjournalled[order.id] = answer
        if len(self._unjournalled) > _REMEMBERED:
            self._unjournalled.popitem(last=False)
        fact = OrderAnswered(
            order=order.id,
            verb=order.verb,
            by=order.by,
            reason=order.reason,
            outcome=answer.outcome,
            detail=answer.detail,
        )
        record = Record(fact=fact, at=self._clock.instant(), lane=order.lane)
        await self._store.commit(Commit(records=(record,)))
        self._unjournalled.pop(order.id, None)
        return answer

    async def _judged(self, order: Order) -> OrderAnswer:
        now = self._clock.instant()
        if not now.trusted:
            log.warning("order.clock_untrusted", order=order.id, expires_at=order.expires_at)
        against = _refusal(order, now.wall)
        if against is not None:
            return OrderAnswer(order=order.id, outcome="refused", detail=against)
        try:
            async with asyncio.timeout(self._pace.obey_s):
                return await self._obey(order)
        except GatekeeperError as error:
            unknown = str(error)
        except TimeoutError:
            unknown = f"no outcome within {self._pace.obey_s:g} s"
        log.error("order.failed", order=order.id, error=unknown)
        return OrderAnswer(order=order.id, outcome="unknown", detail=unknown)


def _refusal(order: Order, now: datetime) -> str | None:
    """Why the protocol itself lets nothing come of an order, None if it may be carried out."""
    if order.verb not in wire.VERBS:
        return f"no such order: {order.verb}"
    if order.expires_at <= now:
        return f"expired at {wire.time(order.expires_at)}"
    if order.verb == "open" and order.lane is None:
        return "open needs a lane"
    return None
