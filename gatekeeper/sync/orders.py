"""Orders of the centre: judged, carried out and journalled, each once by its id.

An order comes in as often as the broker likes; its one answer goes out. An order that is late,
unknown or lacks something is refused before anything moves.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from gatekeeper.clock import Clock
from gatekeeper.errors import GatekeeperError
from gatekeeper.model import Commit, Instant, Order, OrderAnswer, OrderAnswered, Record
from gatekeeper.store import Store
from gatekeeper.sync import wire
from gatekeeper.sync.pace import Pace

log = structlog.get_logger(__name__)

Obey = Callable[[Order], Awaitable[OrderAnswer]]
"""Carries an order out, at most once, and says what became of it."""

_REMEMBERED = 256
"""Answers kept in memory for orders that the store could not journal; the oldest is dropped."""


class Orders:
    """Used from the loop's thread, one order at a time."""

    def __init__(self, *, store: Store, clock: Clock, pace: Pace, obey: Obey) -> None:
        self._store, self._clock, self._pace, self._obey = store, clock, pace, obey
        self._unjournalled: OrderedDict[str, OrderAnswer] = OrderedDict()

    async def answer(self, order: Order) -> OrderAnswer:
        """What became of the order, now or when it first came. Raises `StoreError`: ask again."""
        return await self._store.answer_of(order.id) or await self._answered(order)

    async def _answered(self, order: Order) -> OrderAnswer:
        """Carry the order out and journal the answer. If the store fails in between, the answer
        is kept in memory, so that the order has no effect when it comes again.
        """
        answer = self._unjournalled.get(order.id) or await self._judged(order)
        self._unjournalled[order.id] = answer
        if len(self._unjournalled) > _REMEMBERED:
            self._unjournalled.popitem(last=False)
        record = record_of(order, answer, self._clock.instant())
        await self._store.commit(Commit(records=(record,)))
        self._unjournalled.pop(order.id, None)
        return answer

    async def _judged(self, order: Order) -> OrderAnswer:
        now = self._clock.instant()
        if not now.trusted:
            log.warning("order.clock_untrusted", order=order.id, expires_at=order.expires_at)
        against = _refusal(order, now.wall)
        if against is not None:
            return order.answered("refused", against)
        try:
            async with asyncio.timeout(self._pace.obey_s):
                return await self._obey(order)
        except GatekeeperError as error:
            unknown = str(error)
        except TimeoutError:
            unknown = f"no outcome within {self._pace.obey_s:g} s"
        log.error("order.failed", order=order.id, error=unknown)
        return order.answered("unknown", unknown)


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


def _refusal(order: Order, now: datetime) -> str | None:
    """Why the protocol itself lets nothing come of an order, None if it may be carried out."""
    if order.verb not in wire.VERBS:
        return f"no such order: {order.verb}"
    if order.expires_at <= now:
        return f"expired at {wire.time(order.expires_at)}"
    missing = [field for field in wire.VERBS[order.verb] if getattr(order, field) is None]
    return f"{order.verb} lacks {', '.join(missing)}" if missing else None
