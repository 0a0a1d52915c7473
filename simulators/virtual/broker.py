"""The broker of a virtual site and the links to it: what the controllers tell each other, and what
the centre tells them. It carries values, not bytes.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from gatekeeper.app.ports import LinkListeners, Ports
from gatekeeper.errors import GatekeeperError, StoreError
from gatekeeper.model import (
    Event,
    ListChanges,
    Order,
    OrderAnswer,
    PeerEvent,
    PeerHealth,
)
from simulators.virtual.clock import VirtualClock

AGAIN_S = 1.0
"""What a store could not take is told again after this."""

Letter = TypeVar("Letter")


class Box(Generic[Letter]):
    """Letters for one controller, in order; they wait while it has no power."""

    def __init__(self) -> None:
        self.letters: deque[Letter] = deque()
        self.filled = asyncio.Event()

    def put(self, letter: Letter) -> None:
        """One more."""
        self.letters.append(letter)
        self.filled.set()

    async def serve(self, broker: "Broker", take: Callable[[Letter], Awaitable[object]]) -> None:
        """Take one after the other until cancelled; one that the store cannot take comes again."""
        while True:
            await broker.reached.wait()
            if not self.letters:
                self.filled.clear()
                await self.filled.wait()
                continue
            try:
                await take(self.letters[0])
            except StoreError:
                await asyncio.sleep(AGAIN_S)
            else:
                self.letters.popleft()


@dataclass(frozen=True, slots=True)
class Mail:
    """What waits for one controller."""

    lists: Box[ListChanges] = field(default_factory=Box)
    orders: Box[Order] = field(default_factory=Box)
    peers: Box[PeerEvent | PeerHealth] = field(default_factory=Box)


class Broker:
    """`up` or not; `interests` says of which events of one controller another one is told."""

    def __init__(
        self, interests: Callable[[str, str, Event], bool] = lambda of, to, event: True
    ) -> None:
        self.reached = asyncio.Event()
        self.reached.set()
        self.answers: dict[str, OrderAnswer] = {}
        self._mail: dict[str, Mail] = {}
        self._interests = interests

    @property
    def up(self) -> bool:
        """Whether it can be reached."""
        return self.reached.is_set()

    def turn(self, *, up: bool) -> None:
        """It has gone, or is back."""
        (self.reached.set if up else self.reached.clear)()

    def mail(self, controller: str) -> Mail:
        """What waits for a controller."""
        return self._mail.setdefault(controller, Mail())

    def tell(self, controller: str, event: Event) -> None:
        """A controller tells all others of an event."""
        for other, mail in self._mail.items():
            if other != controller and self._interests(controller, other, event):
                mail.peers.put(as_peer(controller, event))

    def speak(self, health: PeerHealth) -> None:
        """A controller tells all others of its health."""
        for other, mail in self._mail.items():
            if other != health.controller:
                mail.peers.put(health)


class VirtualLink:
    """The link of one controller's life."""

    def __init__(self, ports: Ports, listeners: LinkListeners, mail: Mail, broker: Broker) -> None:
        self.listeners, self._mail, self._broker = listeners, mail, broker
        self._store, self._clock = ports.store, ports.clock
        self.away_since: float | None = None

    @property
    def away_s(self) -> float:
        """Since when the centre has not been there."""
        since = self.away_since
        return 0.0 if since is None else max(0.0, self._clock.boot_s() - since)

    def reached(self, *, reached: bool) -> None:
        """Whether the centre is there from now on."""
        if reached:
            self.away_since = None
        elif self.away_since is None:
            self.away_since = self._clock.boot_s()

    async def run(self) -> None:
        """Take what waits until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._mail.lists.serve(self._broker, self.follow))
            tasks.create_task(self._mail.orders.serve(self._broker, self.obey))
            tasks.create_task(self._mail.peers.serve(self._broker, self.hear))

    async def follow(self, changes: ListChanges) -> bool:
        """The centre changes a list; False: there is a gap."""
        followed = await self._store.follow(changes, self._clock.instant())
        self.listeners.changed(changes)
        return followed

    async def obey(self, order: Order) -> OrderAnswer:
        """The centre orders; the answer is journalled."""
        self._stir()
        book = self.listeners.orders
        answer = await book.answer_of(order.id)
        if answer is None:
            answer = await self._carried_out(order)
            book.note(order, answer)
        await book.kept(order.id)
        self._broker.answers[order.id] = answer
        return answer

    async def _carried_out(self, order: Order) -> OrderAnswer:
        now = self._clock.instant()
        left_s = (order.expires_at - now.wall).total_seconds()
        if left_s <= 0:
            return order.answered("refused", "expired")
        try:
            return await self.listeners.obey(replace(order, deadline=now.boot_s + left_s))
        except GatekeeperError as error:
            return order.answered("unknown", str(error))

    async def hear(self, told: PeerEvent | PeerHealth) -> None:
        """Another controller tells of itself."""
        await self.listeners.heard(told)

    def _stir(self) -> None:
        if isinstance(self._clock, VirtualClock):
            self._clock.stir()


def as_peer(controller: str, event: Event) -> PeerEvent:
    """An event of a controller as its peers hear it."""
    record = event.record
    return PeerEvent(
        controller=controller,
        journal=event.journal,
        seq=event.seq,
        lane=record.lane,
        passage=record.passage,
        occurred_at=record.at.wall,
        clock_trusted=record.at.trusted,
        fact=record.fact,
    )
