"""What waits for a lane: changes of its inputs, looks, orders, and what else there is to deal with.

Each of them has one place in one line, first come, first served, so that no kind can crowd out
another. Only who gives an order waits here, for its answer.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from gatekeeper.clock import Clock
from gatekeeper.lane.visit import Look, Ordered
from gatekeeper.model import Order, OrderAnswer, Presence, Sensor

EDGES_KEPT = 16
"""Changes of one sensor that may wait, an even number. Of more, the oldest two are dropped, on and
off again or off and on: what the sensor says last stays true, and that it has changed is told."""

ORDERS_KEPT = 16
"""Orders that may wait; one more is refused."""

ORDER_S = 5.0
"""So long an order is good, however long it may still be fresh by its own account: the lane may be
busy, or begin again."""

ORDER_ENDS_S = 4.0
"""So long the end of an order is waited for that was begun in time: longer than lists, journal and
barrier may take together."""

_OF_ONE_VEHICLE = (Sensor.ARRIVAL, Sensor.SAFETY)


@dataclass(frozen=True, slots=True)
class Reconsider:
    """A list, a policy or a count changed: a waiting vehicle is decided again."""


@dataclass(frozen=True, slots=True)
class ItsTurn:
    """The barrier that the lane shares with the opposite one is its own now."""


Letter: TypeAlias = Presence | Look | Reconsider | ItsTurn | Ordered

_Place: TypeAlias = type[Look | Reconsider | ItsTurn] | tuple[str, int]


@dataclass(slots=True)
class _Waiting:
    """The changes of one sensor that wait, by their places in the line, and what it said last."""

    level: Presence | None = None
    places: deque[_Place] = field(default_factory=deque)


class Mailbox:
    """The line of one lane. `moved` is set whenever something is put in; `overrun` is called when
    the changes of a sensor are more than may wait.
    """

    def __init__(self, clock: Clock, *, overrun: Callable[[], None]) -> None:
        self.moved = asyncio.Event()
        self._clock = clock
        self._overrun = overrun
        self._line: dict[_Place, Letter] = {}
        self._sensors = {sensor: _Waiting() for sensor in Sensor}
        self._numbered = 0

    def __len__(self) -> int:
        return len(self._line)

    # --- putting in ---------------------------------------------------------------------------

    def sense(self, presence: Presence) -> None:
        """A sensor says this. Only a change is news; that nothing is there at first is none."""
        waiting = self._sensors[presence.sensor]
        before, waiting.level = waiting.level, presence
        if presence.on == (before is not None and before.on):
            return
        if len(waiting.places) >= EDGES_KEPT:
            for _ in range(2):
                del self._line[waiting.places.popleft()]
            self._overrun()
        waiting.places.append(self._append(presence.sensor, presence))

    def look(self, look: Look) -> None:
        """The camera has looked; only its newest look waits."""
        self._put(Look, look)

    def reconsider(self) -> None:
        """What was decided has to be asked again; that it waits already is enough."""
        self._put(Reconsider, Reconsider())

    def its_turn(self) -> None:
        """The shared barrier is this lane's now."""
        self._put(ItsTurn, ItsTurn())

    async def ask(self, order: Order) -> OrderAnswer:
        """An order has come: its answer, which always comes. Nothing comes of an order once it is
        answered, or if the caller stops waiting.
        """
        answer: asyncio.Future[OrderAnswer] = asyncio.get_running_loop().create_future()
        ordered = Ordered(order=order, until=self._good_until(order), answer=answer)
        if sum(isinstance(letter, Ordered) for letter in self._line.values()) >= ORDERS_KEPT:
            return order.answered("refused", "too many orders wait for this lane")
        place = self._append("order", ordered)
        try:
            await asyncio.wait({answer}, timeout=ordered.until - self._clock.boot_s())
            if ordered.begun:
                await asyncio.wait({answer}, timeout=ORDER_ENDS_S)
            return _ended(ordered)
        finally:
            answer.cancel()
            self._line.pop(place, None)

    def _good_until(self, order: Order) -> float:
        """On the boot clock; no longer than it may be carried out at all."""
        until = self._clock.boot_s() + ORDER_S
        return until if order.deadline is None else min(until, order.deadline)

    def begin_again(self) -> None:
        """The lane has forgotten its vehicle: how that came here means nothing any more. What is
        there now is told as if it came now.
        """
        for sensor in _OF_ONE_VEHICLE:
            waiting = self._sensors[sensor]
            for place in waiting.places:
                del self._line[place]
            waiting.places.clear()
            if waiting.level is not None and waiting.level.on:
                waiting.places.append(self._append(sensor, waiting.level))

    # --- asking and taking out ----------------------------------------------------------------

    def is_on(self, sensor: Sensor) -> bool:
        """Whether a sensor said so last, dealt with or not."""
        level = self._sensors[sensor].level
        return level is not None and level.on

    def take(self) -> Letter | None:
        """What has waited longest, None if nothing waits."""
        for place in self._line:
            return self._taken(place)
        return None

    def take_change(self, until: float) -> Presence | None:
        """The oldest change of a sensor, if it happened by then (boot clock)."""
        for place, letter in self._line.items():
            if isinstance(letter, Presence):
                if letter.at <= until:
                    self._taken(place)
                    return letter
                return None
        return None

    def _taken(self, place: _Place) -> Letter:
        letter = self._line.pop(place)
        if isinstance(letter, Presence):
            self._sensors[letter.sensor].places.popleft()
        return letter

    def _put(self, place: _Place, letter: Letter) -> None:
        """What waits in this place already is replaced, and keeps its place."""
        self._line[place] = letter
        self.moved.set()

    def _append(self, kind: str, letter: Letter) -> _Place:
        self._numbered += 1
        place = (kind, self._numbered)
        self._put(place, letter)
        return place


def _ended(ordered: Ordered) -> OrderAnswer:
    """The answer of the lane, or what is said where there is none in time."""
    if ordered.answer.done():
        return ordered.answer.result()
    if ordered.begun:
        return ordered.order.answered("unknown", "the lane has not told what came of it")
    return ordered.order.answered("refused", "the lane did not come to it in time")
