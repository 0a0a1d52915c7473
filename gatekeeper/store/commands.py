"""What the journal says of barrier commands and orders, kept where it can be asked at once.

Events that were just written come in; answers go out. It adds nothing to what the events say.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.sqlite import insert

from gatekeeper.model import BarrierCommanded, BarrierIntended, Event, OrderAnswer, OrderAnswered
from gatekeeper.store.schema import commands, orders

Unfinished = tuple[str, str | None, str | None]
"""A command whose outcome is not in the journal: its id, lane and passage."""


def note(connection: Connection, written: Iterable[Event]) -> None:
    """Take in what `written` says of commands and orders; the first answer to an order stays."""
    for event in written:
        match event.record.fact:
            case BarrierIntended(command=command):
                _intended(connection, command, event)
            case BarrierCommanded(command=command):
                connection.execute(
                    update(commands).where(commands.c.id == command).values(finished=True)
                )
            case OrderAnswered(order=order, outcome=outcome, detail=detail):
                connection.execute(
                    insert(orders)
                    .values(id=order, outcome=outcome, detail=detail)
                    .on_conflict_do_nothing()
                )


def answer_of(connection: Connection, order: str) -> OrderAnswer | None:
    """The answer in the journal; `unknown` for an order that got as far as an intent."""
    answered = connection.execute(select(orders).where(orders.c.id == order)).one_or_none()
    if answered is not None:
        return OrderAnswer(order=order, outcome=answered.outcome, detail=answered.detail)
    if connection.scalar(select(commands.c.id).where(commands.c.id == order)) is None:
        return None
    return OrderAnswer(
        order=order, outcome="unknown", detail="the controller stopped while carrying it out"
    )


def unfinished(connection: Connection) -> tuple[Unfinished, ...]:
    """Commands that were intended and have no outcome, oldest first."""
    rows = connection.execute(
        select(commands.c.id, commands.c.lane, commands.c.passage)
        .where(commands.c.finished.is_(False))
        .order_by(commands.c.seq)
    )
    return tuple((row.id, row.lane, row.passage) for row in rows)


def _intended(connection: Connection, command: str, event: Event) -> None:
    connection.execute(
        insert(commands)
        .values(
            id=command,
            seq=event.seq,
            lane=event.record.lane,
            passage=event.record.passage,
            finished=False,
        )
        .on_conflict_do_nothing()
    )
