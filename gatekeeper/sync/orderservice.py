"""Orders as they come in: sorted, served in order, acknowledged and answered.

What is refused at the first look waits apart from what may be carried out: ten thousand orders that
expired while this controller was away keep no fresh one waiting (situations, 43).
"""

import asyncio
from functools import partial

from gatekeeper.health import Health
from gatekeeper.model import OrderAnswer
from gatekeeper.parts import Parts
from gatekeeper.sync.book import OrderBook
from gatekeeper.sync.inbox import Inbox, Item, stored
from gatekeeper.sync.orders import Orders
from gatekeeper.sync.pace import Pace
from gatekeeper.sync.replies import Replies
from gatekeeper.sync.unforeseen import Unforeseen

_ANSWERS = "answers"
"""What failed where it was not the order itself that did."""

_ANSWERING = 20
"""Orders of each inbox that may wait at once for their answer to be written."""


class OrderService:
    """Used from the loop's thread. One order after the other is carried out; that the answers are
    written is awaited side by side.
    """

    def __init__(
        self, orders: Orders, book: OrderBook, replies: Replies, *, health: Health, pace: Pace
    ) -> None:
        self._orders, self._book, self._replies = orders, book, replies
        self._health, self._pace = health, pace
        self._acting = Inbox(may_lose=False)
        self._refused = Inbox(may_lose=False)

    def put(self, item: Item) -> None:
        """Take an order; where there is no room, the connection ends and all orders come again."""
        _, why = self._orders.refusal(item.place.name, item.message)
        if not (self._acting if why is None else self._refused).put(item):
            item.message.connection.fail("too many orders wait here")

    async def run(self) -> None:
        """Serve what comes until cancelled."""
        async with Parts() as parts:
            parts.part(self._serve(self._acting), "orders that act")
            parts.part(self._serve(self._refused), "orders that are refused")

    async def _serve(self, inbox: Inbox) -> None:
        answering = asyncio.Semaphore(_ANSWERING)
        async with Parts() as parts:
            while True:
                item = await inbox.get()
                await answering.acquire()
                answer = await self._answered(item, inbox)
                task = parts.part(self._finish(item, answer), "answer", ends=True)
                task.add_done_callback(lambda _: answering.release())

    async def _answered(self, item: Item, inbox: Inbox) -> OrderAnswer | None:
        mishap = Unforeseen(_ANSWERS, self._health)
        with mishap:
            return await stored(item, partial(self._answer, item, inbox), self._pace)
        return OrderAnswer(order="", outcome="refused", detail=mishap.error or "")

    async def _answer(self, item: Item, inbox: Inbox) -> OrderAnswer | None:
        order, why = self._orders.refusal(item.place.name, item.message)
        if why is not None:
            return await self._orders.refuse(order, why)
        if inbox is self._refused:  # by a clock that was set back since
            self._acting.put(item)
            return None
        return await self._orders.answer(order, item.message)

    async def _finish(self, item: Item, answer: OrderAnswer | None) -> None:
        """The reply goes out when the order is acknowledged, and that when its answer is kept."""
        if answer is None:
            return
        with Unforeseen(_ANSWERS, self._health):
            await stored(item, partial(self._book.kept, answer.order), self._pace)
        item.acknowledge()
        with Unforeseen(_ANSWERS, self._health):
            await self._replies.send(answer, item.message)
