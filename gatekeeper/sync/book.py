"""Which orders were answered, and how: what the link asks of the controller's memory."""

from typing import Protocol

from gatekeeper.clock import Clock
from gatekeeper.errors import StoreError
from gatekeeper.journal import Journal
from gatekeeper.model import Commit, Instant, Order, OrderAnswer, OrderAnswered, Record


class OrderBook(Protocol):
    """Remembers the one answer to each order by its id."""

    async def answer_of(self, order: str) -> OrderAnswer | None:
        """What became of an order, also where that is not written yet. Raises `StoreError` where
        it cannot be known.
        """
        ...

    def note(self, order: Order, answer: OrderAnswer) -> None:
        """From now on this is the answer to that order. Never waits and never fails."""
        ...

    async def kept(self, order: str) -> None:
        """Wait until what was noted of an order is written, or known to be kept; at once where
        nothing waits to be. Raises `StoreError`: it is not, ask again.
        """
        ...


class JournalBook:
    """The order book of a controller: an answer is known from the moment it is posted."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal, self._clock = journal, clock

    async def answer_of(self, order: str) -> OrderAnswer | None:
        """As `OrderBook`."""
        return await self._journal.answer_of(order)

    def note(self, order: Order, answer: OrderAnswer) -> None:
        """As `OrderBook`."""
        record = record_of(order, answer, self._clock.instant())
        self._journal.post(Commit(records=(record,)))

    async def kept(self, order: str) -> None:
        """As `OrderBook`."""
        if not await self._journal.written(self._journal.posted):
            raise StoreError(f"the answer to order {order} is not written yet")


def record_of(order: Order, answer: OrderAnswer, at: Instant) -> Record:
    """What the journal says of an order that was answered."""
    fact = OrderAnswered(
        order=order.id,
        verb=order.verb,
        by=order.by,
        reason=order.reason,
        outcome=answer.outcome,
        detail=answer.detail,
    )
    return Record(fact=fact, at=at, lane=order.lane, passage=order.passage)
