"""Stays and counts as they stand now: values in, the same values out."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, insert, select

from gatekeeper.model import Stay, ZoneState
from gatekeeper.store import facts
from gatekeeper.store.schema import counts, moment, stays
from gatekeeper.store.statement import Statement, Values

_SAVE = Statement(insert(stays).prefix_with("OR REPLACE"))
_COUNT = Statement(insert(counts).prefix_with("OR REPLACE"))


def save(connection: Connection, some: Sequence[Stay], zones: Sequence[ZoneState]) -> None:
    """Write stays and counts over what was stored under the same id or zone."""
    for stay in some:
        _SAVE.run(connection, _stay_row(stay))
    for state in zones:
        _COUNT.run(connection, {"zone": state.zone, "count": state.count, "trusted": state.trusted})


def open_stays(connection: Connection) -> tuple[Stay, ...]:
    """All stays that have not ended, in the order of their ids, which is that of their entries."""
    rows = connection.scalars(
        select(stays.c.body).where(stays.c.ended_at.is_(None)).order_by(stays.c.id)
    )
    return tuple(facts.stay_of(body) for body in rows)


def ended_stays(connection: Connection, since: datetime) -> tuple[Stay, ...]:
    """All stays that ended at `since` or later, in the order of their ends."""
    rows = connection.scalars(
        select(stays.c.body).where(stays.c.ended_at >= since).order_by(stays.c.ended_at, stays.c.id)
    )
    return tuple(facts.stay_of(body) for body in rows)


def zone_counts(connection: Connection) -> tuple[ZoneState, ...]:
    """The count of each zone that ever had one, by name."""
    rows = connection.execute(select(counts).order_by(counts.c.zone))
    return tuple(
        ZoneState(zone=row.zone, count=row._mapping["count"], trusted=row.trusted) for row in rows
    )


def _stay_row(stay: Stay) -> Values:
    return {
        "id": stay.id,
        "zone": stay.zone,
        "plate": stay.plate,
        "ended_at": None if stay.ended is None else moment(stay.ended.wall),
        "body": facts.to_json(stay),
    }
