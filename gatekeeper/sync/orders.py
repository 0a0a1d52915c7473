"""Orders of the centre: judged, carried out and answered, each once by its id.

An order comes in as often as the broker likes; its one answer goes out. One that is malformed,
late, too old, unknown or lacks something is refused before anything moves.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from gatekeeper.clock import Clock
from gatekeeper.errors import GatekeeperError
from gatekeeper.health import Health
from gatekeeper.model import Order, OrderAnswer
from gatekeeper.sync import wire
from gatekeeper.sync.book import OrderBook
from gatekeeper.sync.centretime import CentreTime
from gatekeeper.sync.message import Message
from gatekeeper.sync.pace import Pace
from gatekeeper.sync.topics import Heard
from gatekeeper.sync.unforeseen import Unforeseen

log = structlog.get_logger(__name__)

Obey = Callable[[Order], Awaitable[OrderAnswer]]
"""Carries an order out, at most once and not after its `deadline`, and says what became of it."""

OPEN_S = 30.0
"""An `open` older than this opens for somebody else (situations, 41)."""

TIMELESS = (
    "what time it is cannot be known: this controller's clock is not synchronised, and the centre"
    " has not told the time on this connection"
)


class Orders:
    """Used from the loop's thread, one order at a time."""

    def __init__(
        self,
        *,
        book: OrderBook,
        time: CentreTime,
        clock: Clock,
        health: Health,
        pace: Pace,
        obey: Obey,
    ) -> None:
        self._book, self._time, self._clock = book, time, clock
        self._health, self._pace, self._obey = health, pace, obey

    def refusal(self, verb: str, message: Message) -> tuple[Order, str | None]:
        """The order that came, and why it is refused, if that is known already; None: it may be
        carried out, or it has to be waited for what time it is. Never waits.
        """
        try:
            order = wire.order(verb, message.body)
        except wire.NoOrderError as error:
            return error.order, str(error)
        ahead = self._time.ahead_now()
        late = None if ahead is None else self._late(order, message, ahead)[1]
        return order, wire.lacks(order) or late

    async def refuse(self, order: Order, why: str) -> OrderAnswer:
        """The answer to an order that is not carried out: the one that it had before, if it had.
        One without an id is only answered. Raises `StoreError`: ask again.
        """
        log.warning("order.refused", order=order.id, verb=order.verb, why=why)
        refused = order.answered("refused", why)
        if not order.id:
            return refused
        before = await self._book.answer_of(order.id)
        if before is None:
            self._book.note(order, refused)
        return before or refused

    async def answer(self, order: Order, message: Message) -> OrderAnswer:
        """What became of the order, now or when it first came; the book knows it from now on.
        Raises `StoreError`: ask again.
        """
        answer = await self._book.answer_of(order.id)
        if answer is None:
            answer = await self._judged(order, message)
            self._book.note(order, answer)
        return answer

    async def _judged(self, order: Order, message: Message) -> OrderAnswer:
        ahead = await self._time.ahead(message.came_at + self._pace.time_s)
        if ahead is None:
            return order.answered("refused", TIMELESS)
        deadline, why = self._late(order, message, ahead)
        if why is not None:
            return order.answered("refused", why)
        until = None if order.until is None else order.until - ahead
        ready = replace(order, deadline=deadline, until=until)
        return await carried_out(ready, self._obey, self._pace.obey_s, self._health)

    def _late(self, order: Order, message: Message, ahead: timedelta) -> tuple[float, str | None]:
        """Until when an order may be carried out (boot clock), and why no longer, if that is over;
        `ahead` is how far the time is ahead of this controller's wall clock.
        """
        at = self._clock.instant()
        deadline, why = min(_limits(order, message, at.wall + ahead, at.boot_s))
        return deadline, why if deadline <= at.boot_s else None


async def carried_out(order: Order, obey: Obey, within_s: float, health: Health) -> OrderAnswer:
    """What became of an order, whatever happens: `unknown` where it fails or takes too long, for
    something may have moved.
    """
    mishap = Unforeseen(Heard.ORDER, health)
    try:
        async with asyncio.timeout(within_s):
            with mishap:
                return await obey(order)
    except GatekeeperError as error:
        unknown = str(error)
    except TimeoutError:
        unknown = f"no outcome within {within_s:g} s"
    else:
        unknown = mishap.error or ""
    log.error("order.failed", order=order.id, error=unknown)
    return order.answered("unknown", unknown)


def _limits(
    order: Order, message: Message, now: datetime, boot_s: float
) -> Iterator[tuple[float, str]]:
    """Until when (boot clock) an order may be carried out, and why not later; `now` is `boot_s`."""

    def there(moment: datetime) -> float:
        return boot_s + (moment - now).total_seconds()

    yield there(order.expires_at), f"expired at {wire.time(order.expires_at)}"
    if message.good_for_s is not None:
        yield message.came_at + message.good_for_s, "its message has expired"
    if order.verb == "open":
        yield message.came_at + OPEN_S, f"waited here for more than {OPEN_S:g} s"
        if order.at is not None:
            yield there(order.at) + OPEN_S, f"given at {wire.time(order.at)}, too long ago"
        elif message.may_have_waited:
            yield -math.inf, "may have waited at the broker: it does not say when it was given"
