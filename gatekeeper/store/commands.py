"""What the journal says of barrier commands and orders, kept where it can be asked at once.

Events that were just written come in; answers go out. It adds nothing to what the events say.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, insert, select, update

from gatekeeper.model import BarrierCommanded, BarrierIntended, Event, OrderAnswer, OrderAnswered
from gatekeeper.store.schema import commands, orders
from gatekeeper.store.statement import Statement, Values

Unfinished = tuple[str, str | None, str | None]
"""A command whose outcome is not in the journal: its id, lane and passage."""

_INTENDED = Statement(insert(commands).prefix_with("OR IGNORE"))
_FINISHED = Statement(
    update(commands).where(commands.c.id == bindparam("command")).values(finished=True)
)
_ANSWERED = Statement(insert(orders).prefix_with("OR IGNORE"))


def note(connection: Connection, written: Iterable[Event]) -> None:
    """Take in what `written` says of commands and orders; the first answer to an order stays."""
    for event in written:
        match event.record.fact:
            case BarrierIntended(command=command):
                _INTENDED.run(connection, _intended(command, event))
            case BarrierCommanded(command=command):
                _FINISHED.run(connection, {"command": command})
            case OrderAnswered(order=order, outcome=outcome, detail=detail):
                _ANSWERED.run(connection, {"id": order, "outcome": outcome, "detail": detail})


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


def _intended(command: str, event: Event) -> Values:
    return {
        "id": command,
        "seq": event.seq,
        "lane": event.record.lane,
        "passage": event.record.passage,
        "finished": False,
    }
