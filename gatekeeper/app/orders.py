"""Carries out what the centre orders, each verb in a few lines; the protocol's side is in `sync`.

What an order changes holds at once, and is posted to the journal with who gave it and why.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Protocol

from gatekeeper.clock import Clock
from gatekeeper.health import Tell
from gatekeeper.journal import Journal
from gatekeeper.model import (
    BlacklistAdded,
    BlacklistRemoved,
    Commit,
    Fact,
    ListName,
    ListRow,
    LockdownOrdered,
    Order,
    OrderAnswer,
    Record,
    RegistryShrinkAllowed,
    RowSource,
)
from gatekeeper.zones import Zones


class Obeys(Protocol):
    """A lane, or who keeps booms up, as far as orders go."""

    async def obey(self, order: Order) -> OrderAnswer:
        """Carry an order out; what became of it."""
        ...


class Orders:
    """The orders of one controller, carried out one by one."""

    def __init__(
        self,
        lanes: Mapping[str, Obeys],
        zones: Zones,
        zone_names: Collection[str],
        *,
        holds: Obeys,
        journal: Journal,
        clock: Clock,
        changed: Tell,
        locked: Callable[[bool], None],
    ) -> None:
        """`changed` is told when waiting vehicles have to be decided again, `locked` when a
        lockdown begins or ends.
        """
        self._lanes = lanes
        self._zones = zones
        self._zone_names = frozenset(zone_names)
        self._holds = holds
        self._journal = journal
        self._clock = clock
        self._changed = changed
        self._locked = locked

    async def obey(self, order: Order) -> OrderAnswer:
        """What became of an order; one that cannot be carried out here is refused."""
        if order.lane is not None and order.lane not in self._lanes:
            return order.answered("refused", f"no lane {order.lane}")
        if order.zone is not None and order.zone not in self._zone_names:
            return order.answered("refused", f"no zone {order.zone}")
        match order:
            case Order(verb="open" | "identify", lane=str() as lane):
                return await self._lanes[lane].obey(order)
            case Order(verb="hold" | "release") | Order(verb="fleet", lane=str()):
                return await self._holds.obey(order)
            case Order(verb="recount", zone=str() as zone, count=int() as count):
                self._zones.recount(zone, count, order.by, order.reason)
            case Order(verb="blacklist_add", zone=str() as zone, plate=str() as plate):
                self._add(order, zone, plate)
            case Order(verb="blacklist_remove", plate=str() as plate):
                return await self._remove(order, plate)
            case Order(verb="lockdown", on=bool() as on):
                self._lock(order, on)
            case Order(verb="list_shrinks", list=str() as name):
                self._let_shrink(order, ListName(name))
            case _:
                return order.answered("refused", f"no order {order.verb} like this")
        return order.answered("done")

    def _add(self, order: Order, zone: str, plate: str) -> None:
        fact = BlacklistAdded(zone=zone, plate=plate, stay="", by=order.by, reason=order.reason)
        row = ListRow(
            list=ListName.BLACKLIST,
            plate=plate,
            zone=zone,
            note=f"{order.reason} ({order.by})",
            source=RowSource.PERSON,
        )
        self._post(fact, listed=(row,))
        self._changed()

    async def _remove(self, order: Order, plate: str) -> OrderAnswer:
        """What still refuses the plate afterwards is said, for that is what the driver will meet.
        Raises `StoreError`: nothing has changed.
        """
        rows = await self._journal.blacklisted(plate)
        gone = [each for each in rows if order.zone in (None, each.row.zone)]
        refusing = [each.row for each in rows if each not in gone and not each.suspended]
        left = ", ".join(row.zone or "every zone" for row in refusing)
        if not gone:
            where = f"; it is refused for {left}" if left else ""
            return order.answered("refused", f"{plate} has no such row on the blacklist{where}")
        fact = BlacklistRemoved(zone=order.zone, plate=plate, by=order.by, reason=order.reason)
        self._post(fact, removed=((order.zone, plate),))
        self._changed()
        return order.answered("done", f"still refused for {left}" if left else "")

    def _lock(self, order: Order, on: bool) -> None:
        fact = LockdownOrdered(on=on, by=order.by, reason=order.reason)
        self._post(fact, lockdown=on)
        self._locked(on)
        self._changed()

    def _let_shrink(self, order: Order, name: ListName) -> None:
        fact = RegistryShrinkAllowed(list=name, by=order.by, reason=order.reason)
        self._post(fact, may_shrink=name)

    def _post(
        self,
        fact: Fact,
        *,
        may_shrink: ListName | None = None,
        listed: tuple[ListRow, ...] = (),
        removed: tuple[tuple[str | None, str], ...] = (),
        lockdown: bool | None = None,
    ) -> None:
        record = Record(fact=fact, at=self._clock.instant())
        self._journal.post(
            Commit(
                records=(record,),
                listed=listed,
                removed=removed,
                lockdown=lockdown,
                may_shrink=may_shrink,
            )
        )
