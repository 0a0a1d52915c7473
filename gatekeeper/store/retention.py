"""What the journal forgets: events, and with them what they say of commands, orders and stays.

Limits come in, and pieces of the journal's beginning go, each in a transaction so short that no
decision waits for it. The numbers of events that are gone stay taken. What the centre has not
confirmed stays, and so does a stay whose case is open (`evidence`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    delete,
    func,
    select,
    text,
    update,
)

from gatekeeper.model import BarrierCommanded, BarrierIntended, Fact, OrderAnswered, StayEnded
from gatekeeper.store import outbox
from gatekeeper.store.schema import (
    commands,
    events,
    evidence,
    journal,
    orders,
    stays,
)

PIECE = 250
"""Events that go in one transaction: some milliseconds, and one flush."""

_AHEAD = 10_000
"""Among so many events one with a trusted time is looked for, which says how old those before are;
where there is none, only number and space count.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What may stay: what is younger than so many days, so many events at most, so many megabytes
    of the file. `now` is aware; None while the clock is not trusted, when no date counts.
    `unconfirmed` is whether events may go that no centre has confirmed: only where there is none.
    """

    now: datetime | None
    days: int
    events: int
    megabytes: int
    unconfirmed: bool = False

    @property
    def before(self) -> datetime | None:
        """What came before this moment is too old."""
        return None if self.now is None else self.now - timedelta(days=self.days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """How much went. `too_large`: the file is beyond its limit, and no more may go."""

    events: int = 0
    stays: int = 0
    orders: int = 0
    commands: int = 0
    too_large: bool = False

    def __add__(self, other: "Pruned") -> "Pruned":
        """Both together."""
        return Pruned(
            events=self.events + other.events,
            stays=self.stays + other.stays,
            orders=self.orders + other.orders,
            commands=self.commands + other.commands,
            too_large=self.too_large or other.too_large,
        )


_UNTIL: ColumnElement[int] = bindparam("until")


def _said(field: str, *facts: type[Fact]) -> Select[tuple[str]]:
    """What the events that are to go say in this field."""
    kinds = [fact.kind for fact in facts]
    return select(func.json_extract(events.c.body, f"$.{field}")).where(
        events.c.seq <= _UNTIL, events.c.kind.in_(kinds)
    )


_COMMANDS = delete(commands).where(
    commands.c.finished, commands.c.id.in_(_said("command", BarrierIntended, BarrierCommanded))
)
_ORDERS = delete(orders).where(orders.c.id.in_(_said("order", OrderAnswered)))
_STAYS = delete(stays).where(
    stays.c.ended_at.is_not(None),
    stays.c.id.not_in(select(evidence.c.stay)),
    stays.c.id.in_(_said("stay", StayEnded)),
)
_EVENTS = delete(events).where(events.c.seq <= _UNTIL)
_SPACE = text(
    "SELECT (pages.page_count - free.freelist_count) * size.page_size"
    " FROM pragma_page_count pages, pragma_freelist_count free, pragma_page_size size"
)


def due(connection: Connection, limits: Limits, last: int) -> int | None:
    """The number up to which the next piece of events is to go; None: nothing more. `last` is the
    number of the last event when this was begun: what comes meanwhile is left for the next time.
    """
    first = connection.scalar(select(func.min(events.c.seq)))
    top = last if limits.unconfirmed else min(last, outbox.confirmed(connection))
    if first is None or first > top:
        return None
    until = min(int(first) + PIECE - 1, top)
    if _is_old(connection, until, limits.before) or is_too_large(connection, limits):
        return until
    surplus = last - int(first) + 1 - limits.events
    return min(until, int(first) + surplus - 1) if surplus > 0 else None


def forget(connection: Connection, until: int) -> Pruned:
    """Delete the events up to this number, and what they say of what is over."""
    upto = {"until": until}
    gone = Pruned(
        commands=connection.execute(_COMMANDS, upto).rowcount,
        orders=connection.execute(_ORDERS, upto).rowcount,
        stays=connection.execute(_STAYS, upto).rowcount,
        events=connection.execute(_EVENTS, upto).rowcount,  # the last: the others ask it
    )
    taken = update(journal).where(journal.c.confirmed < until).values(confirmed=until)
    connection.execute(taken)  # where there is no centre, nothing else says which numbers are taken
    return gone


def forget_stays(connection: Connection, before: datetime) -> Pruned:
    """Delete some stays that ended before this moment and are no case: whose events went earlier,
    while their case was still open.
    """
    old = (
        select(stays.c.id)
        .where(stays.c.ended_at < before, stays.c.id.not_in(select(evidence.c.stay)))
        .order_by(stays.c.ended_at)
        .limit(PIECE)
    )
    return Pruned(stays=connection.execute(delete(stays).where(stays.c.id.in_(old))).rowcount)


def is_too_large(connection: Connection, limits: Limits) -> bool:
    """Whether what is used of the file is beyond the limit; what is free within it will be used
    again.
    """
    return int(connection.scalar(_SPACE) or 0) > limits.megabytes * 1_000_000


def _is_old(connection: Connection, until: int, before: datetime | None) -> bool:
    """By the next event whose time can be trusted: it came later."""
    if before is None:
        return False
    told = connection.scalar(
        select(events.c.occurred_at)
        .where(events.c.seq.between(until, until + _AHEAD), events.c.clock_trusted)
        .order_by(events.c.seq)
        .limit(1)
    )
    return told is not None and told < before
