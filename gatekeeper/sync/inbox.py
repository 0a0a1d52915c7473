"""Messages that wait to be served, one kind in each inbox, in the order in which they came."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog

from gatekeeper.errors import StoreError
from gatekeeper.sync.message import Message
from gatekeeper.sync.pace import Pace
from gatekeeper.sync.topics import Place

log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")

MESSAGES = 20_000
"""Messages that may wait in one inbox. The broker should send no more than `HEARD` before
they are acknowledged, but mosquitto 2.0.11 sends all that it kept for a session (measured).
"""

BYTES = 32 * 2**20
"""Bytes of them that may wait, but for one of any length."""

LATE = 100
"""Messages of one kind that may wait without having been acknowledged, where it does no harm to
lose the others with this controller's life. More would use up what the broker sends at all
(`pahothread.HEARD`), and a list that cannot be stored would keep the orders away.
"""


@dataclass(slots=True, kw_only=True, eq=False)
class Item:
    """A message, and whether the broker has been told that it is safe."""

    place: Place
    message: Message
    acknowledged: bool = False

    @property
    def wanted(self) -> bool:
        """Whether it has to be served; else it comes again by another connection."""
        return self.acknowledged or self.message.connection.alive

    def acknowledge(self) -> None:
        """Tell the broker, once."""
        if not self.acknowledged:
            self.acknowledged = True
            self.message.connection.ack(self.message)


class Inbox:
    """Used from the loop's thread. `may_lose` is for a kind that is asked for again, or missed in
    an orderly way: all but the newest `LATE` are acknowledged before they have been served.
    """

    def __init__(self, *, may_lose: bool) -> None:
        self._may_lose = may_lose
        self._waiting: deque[Item] = deque()
        self._late: deque[Item] = deque()
        self._bytes = 0
        self._came = asyncio.Event()

    def put(self, item: Item) -> bool:
        """Take a message. False: there is no room for it, and nothing was done."""
        size = len(item.message.body)
        full = len(self._waiting) >= MESSAGES or self._bytes + size > BYTES
        if full and self._waiting:
            return False
        self._waiting.append(item)
        if self._may_lose:
            self._acknowledge_late(item)
        self._bytes += size
        self._came.set()
        return True

    def _acknowledge_late(self, item: Item) -> None:
        """The oldest first, also where it is being served: PUBACKs have to go out in order."""
        self._late.append(item)
        while self._late and (self._late[0].acknowledged or len(self._late) > LATE):
            self._late.popleft().acknowledge()

    async def get(self) -> Item:
        """The next one, as soon as there is one. The loop gets its turn each time."""
        await asyncio.sleep(0)
        while not self._waiting:
            self._came.clear()
            await self._came.wait()
        item = self._waiting.popleft()
        self._bytes -= len(item.message.body)
        return item


async def stored(item: Item, work: Callable[[], Awaitable[Answer]], pace: Pace) -> Answer | None:
    """What comes of `work`, done again and again as long as the store fails; None where the message
    comes again by another connection.
    """
    while item.wanted:
        try:
            return await work()
        except StoreError as error:
            log.error("downlink.store_failed", topic=item.message.topic, error=str(error))
            await asyncio.sleep(pace.store_retry_s)
    return None
