"""The journal's writing side, and the outbox, which is the same table seen from its end.

Records come in and are numbered without a gap; what the centre has not confirmed goes out, in
order. An event is never changed, and none leaves the outbox unless this journal's confirmation
says so.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, insert, select, update
from uuid6 import uuid7

from gatekeeper.model import Event, Instant, JournalRolledBack, Pending, Record
from gatekeeper.store import facts
from gatekeeper.store.schema import events, journal, moment
from gatekeeper.store.statement import Statement, Values

STATE = select(
    journal.c.id,
    journal.c.confirmed,
    journal.c.first,
    # Events that are confirmed and old may be gone (`retention`); their numbers stay taken.
    func.max(
        journal.c.confirmed, select(func.coalesce(func.max(events.c.seq), 0)).scalar_subquery()
    ).label("last"),
)
"""The journal's id, how far it is confirmed, and the number of its last event: two rows are read,
however long it is.
"""
_LAST = Statement(STATE)
_APPEND = Statement(insert(events))


def append(connection: Connection, records: Sequence[Record]) -> tuple[Event, ...]:
    """Write records as the next events of the journal, and return them."""
    if not records:
        return ()
    ((of, _, _, last),) = _LAST.rows(connection)
    made = tuple(
        Event(id=str(uuid7()), journal=of, seq=seq, record=record)
        for seq, record in enumerate(records, start=last + 1)
    )
    _APPEND.run_all(connection, map(_row, made))
    return made


def pending(connection: Connection, after: int, limit: int) -> tuple[Pending, ...]:
    """The first `limit` unconfirmed events whose seq is greater than `after`, in order."""
    state = connection.execute(STATE).one()
    rows = connection.execute(
        select(events)
        .where(events.c.seq > max(after, state.confirmed))
        .order_by(events.c.seq)
        .limit(limit)
    )
    return tuple(_pending(state, row) for row in rows)


def is_of_another_life(connection: Connection, seq: int, name: str | None) -> bool:
    """Whether the centre has an event `seq` of this journal that was never written here: this
    database was restored from a backup, or another goes on from a copy of it.
    """
    state = connection.execute(STATE).one()
    if seq > state.last:
        return True
    ours = connection.scalar(select(events.c.id).where(events.c.seq == seq))
    return name is not None and ours is not None and ours != name


def begin_journal(connection: Connection, at: Instant) -> str:
    """A journal of a new name goes on here, from what the centre has not confirmed; returns it."""
    state = connection.execute(STATE).one()
    name, first = str(uuid7()), state.confirmed + 1
    connection.execute(update(journal).values(id=name, first=first))
    append(connection, [Record(fact=JournalRolledBack(before=state.id, first=first), at=at)])
    return name


def confirm(connection: Connection, of: str, seq: int) -> int:
    """Move the watermark of journal `of` up to `seq`; returns how many left the outbox."""
    state = connection.execute(STATE).one()
    reached = min(seq, state.last)
    if of != state.id or reached <= state.confirmed:
        return 0
    connection.execute(update(journal).values(confirmed=reached))
    return int(reached - state.confirmed)


def confirmed(connection: Connection) -> int:
    """The number up to which the centre has confirmed, 0 before it has."""
    return int(connection.execute(STATE).one().confirmed)


def last(connection: Connection) -> int:
    """The number of the last event, 0 in an empty journal."""
    return int(connection.execute(STATE).one().last)


def depth(connection: Connection) -> int:
    """How many events the centre still has to confirm."""
    state = connection.execute(STATE).one()
    return int(state.last - state.confirmed)


def _row(event: Event) -> Values:
    record = event.record
    return {
        "seq": event.seq,
        "id": event.id,
        "kind": record.fact.kind,
        "lane": record.lane,
        "passage": record.passage,
        "occurred_at": moment(record.at.wall),
        "boot_id": record.at.boot_id,
        "boot_s": record.at.boot_s,
        "clock_trusted": record.at.trusted,
        "body": facts.to_json(record.fact),
    }


def _pending(state: Any, row: Any) -> Pending:
    return Pending(
        id=row.id,
        journal=state.id,
        first=state.first,
        seq=row.seq,
        kind=row.kind,
        lane=row.lane,
        passage=row.passage,
        occurred_at=row.occurred_at,
        clock_trusted=row.clock_trusted,
        body=row.body.encode(),
    )
