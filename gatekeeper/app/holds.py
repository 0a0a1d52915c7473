"""Carries out the orders that keep booms up and let them go.

Each is posted to the journal with who gave it and why, told to the lanes at once, and takes effect
once, by its id.
"""

from collections.abc import Iterable, Mapping

from gatekeeper.app.fire import FireInputs
from gatekeeper.clock import Clock
from gatekeeper.journal import Journal, PastLife
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


class Holds:
    """What keeps up the booms of all lanes."""

    def __init__(
        self, holders: Mapping[str, Holder], fire: FireInputs, *, journal: Journal, clock: Clock
    ) -> None:
        self._holders = holders
        self._fire = fire
        self._journal = journal
        self._clock = clock

    def restore(self, past: PastLife) -> None:
        """Go on from what was stored; orders of this life stand beside it."""
        for name, holder in self._holders.items():
            new = [each.order for each in holder.holds]
            before = (each for each in past.holds if each.lane == name and each.order not in new)
            holder.ordered((*before, *holder.holds))
        self._fire.restore(past.fire)

    async def wake(self) -> None:
        """Tell the barriers, before their boards are written to for the first time."""
        for holder in self._holders.values():
            await holder.wake()

    async def obey(self, order: Order) -> OrderAnswer:
        """What became of such an order."""
        match order.verb:
            case "hold":
                refusal = self._keep_up(order, HoldReason.ORDER)
            case "fleet" if order.vehicles is None and order.minutes is None:
                refusal = "fleet lacks vehicles or minutes"
            case "fleet":
                refusal = self._keep_up(order, HoldReason.FLEET)
            case _:
                refusal = self._release(order)
        if refusal is not None:
            return order.answered("refused", refusal)
        return order.answered("done", self._what_stays(order))

    def _keep_up(self, order: Order, reason: HoldReason) -> str | None:
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
        self._change(held, before, records)
        return None

    def _release(self, order: Order) -> str | None:
        if order.lane is None:
            objection = self._fire.release(order.by, order.reason)
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
        self._change((), gone, records)
        return None

    def _change(
        self, held: Iterable[Hold], gone: Iterable[Hold], records: Iterable[Record]
    ) -> None:
        """Post what holds and what does not, and tell the lanes."""
        held, ids = tuple(held), tuple((each.lane, each.order) for each in gone)
        if not held and not ids:
            return
        self._journal.post(Commit(records=tuple(records), held=held, released=ids))
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
    """For how long an order keeps a boom up: the shorter of what it says; None: no limit."""
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
