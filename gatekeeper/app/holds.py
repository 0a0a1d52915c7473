"""Carries out the orders that keep booms up and let them go: stored first, then told to the lanes.

Each is in the journal with who gave it and why, and takes effect once, by its id.
"""

from collections.abc import Iterable, Mapping

from gatekeeper.app.fire import FireInputs
from gatekeeper.clock import Clock
from gatekeeper.lane import Holder
from gatekeeper.model import (
    BarrierHeld,
    BarrierReleased,
    Commit,
    Hold,
    HoldReason,
    Instant,
    Order,
    OrderAnswer,
    Record,
)
from gatekeeper.rules import hold
from gatekeeper.store import Store


class Holds:
    """What keeps up the booms of all lanes."""

    def __init__(
        self, holders: Mapping[str, Holder], fire: FireInputs, *, store: Store, clock: Clock
    ) -> None:
        self._holders = holders
        self._fire = fire
        self._store = store
        self._clock = clock

    async def take_up(self) -> None:
        """Go on from what was stored, and tell the barriers before their boards are written to."""
        stored = await self._store.holds()
        for name, holder in self._holders.items():
            holder.ordered(each for each in stored if each.lane == name)
        self._fire.take_up(await self._store.fire())
        for holder in self._holders.values():
            await holder.wake()

    async def obey(self, order: Order) -> OrderAnswer:
        """What became of such an order. Raises `StoreError`: it does not hold, then."""
        match order.verb:
            case "hold":
                refusal = await self._keep_up(order, HoldReason.ORDER)
            case "fleet" if order.vehicles is None and order.minutes is None:
                refusal = "fleet lacks vehicles or minutes"
            case "fleet":
                refusal = await self._keep_up(order, HoldReason.FLEET)
            case _:
                refusal = await self._release(order)
        if refusal is not None:
            return order.answered("refused", refusal)
        return order.answered("done", self._what_stays(order))

    async def _keep_up(self, order: Order, reason: HoldReason) -> str | None:
        now = self._clock.instant()
        lasts_s = _lasts_s(order, reason, now)
        if (lasts_s is not None and lasts_s <= 0) or order.vehicles == 0:
            return "it would be over at once"
        held = [
            Hold(
                lane=name,
                reason=reason,
                order=order.id,
                by=order.by,
                why=order.reason,
                begun=now,
                lasts_s=lasts_s,
                vehicles=order.vehicles,
            )
            for name, holder in self._concerned(order)
            if not any(each.order == order.id for each in holder.holds)
        ]
        before = [
            each for one in held for each in self._holders[one.lane].holds if each.reason is reason
        ]
        records = [Record(fact=_held(each), at=now, lane=each.lane) for each in held]
        await self._change(held, before, records)
        return None

    async def _release(self, order: Order) -> str | None:
        if order.lane is None:
            objection = await self._fire.release(order.by, order.reason)
            if objection is not None:
                return objection
        now = self._clock.instant()
        gone = [each for _, holder in self._concerned(order) for each in holder.holds]
        records = [
            Record(
                fact=BarrierReleased(reason=each.reason, by=order.by, why=order.reason),
                at=now,
                lane=each.lane,
            )
            for each in gone
        ]
        await self._change((), gone, records)
        return None

    async def _change(
        self, held: Iterable[Hold], gone: Iterable[Hold], records: Iterable[Record]
    ) -> None:
        """Store what holds and what does not, then tell the lanes."""
        held, ids = tuple(held), tuple((each.lane, each.order) for each in gone)
        if not held and not ids:
            return
        await self._store.commit(Commit(records=tuple(records), held=held, released=ids))
        for name, holder in self._holders.items():
            left = [each for each in holder.holds if (name, each.order) not in ids]
            new = [each for each in held if each.lane == name]
            if new or len(left) < len(holder.holds):
                holder.ordered((*left, *new))

    def _concerned(self, order: Order) -> list[tuple[str, Holder]]:
        return [
            (name, holder) for name, holder in self._holders.items() if order.lane in (None, name)
        ]

    def _what_stays(self, order: Order) -> str:
        if order.verb == "release" and self._fire.latched:
            return "the boom stays up: the fire input is latched"
        return ""


def _lasts_s(order: Order, reason: HoldReason, now: Instant) -> float | None:
    """For how long an order keeps a boom up: the shorter of what it says; None for ever."""
    said = [hold.FLEET_LASTS_S] if reason is HoldReason.FLEET and order.minutes is None else []
    if order.minutes is not None:
        said.append(60.0 * order.minutes)
    if order.until is not None:
        said.append((order.until - now.wall).total_seconds())
    return min(said, default=None)


def _held(each: Hold) -> BarrierHeld:
    return BarrierHeld(
        reason=each.reason,
        by=each.by,
        why=each.why,
        until=hold.until(each),
        vehicles=each.vehicles,
    )
