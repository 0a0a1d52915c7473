"""Stays and counts as they stand now: values in, the same values out."""

from collections.abc import Sequence

from sqlalchemy import Connection, insert, select

from gatekeeper.model import Stay, ZoneState
from gatekeeper.store import facts
from gatekeeper.store.schema import counts, stays


def save(connection: Connection, some: Sequence[Stay], zones: Sequence[ZoneState]) -> None:
    """Write stays and counts over what was stored under the same id or zone."""
    if some:
        connection.execute(
            insert(stays).prefix_with("OR REPLACE"), [_stay_row(stay) for stay in some]
        )
    if zones:
        connection.execute(
            insert(counts).prefix_with("OR REPLACE"),
            [
                {"zone": state.zone, "count": state.count, "trusted": state.trusted}
                for state in zones
            ],
        )


def open_stays(connection: Connection) -> tuple[Stay, ...]:
    """All stays that have not ended, in the order of their ids, which is that of their entries."""
    rows = connection.scalars(select(stays.c.body).where(stays.c.ended.is_(False)).order_by("id"))
    return tuple(facts.stay_of(body) for body in rows)


def zone_counts(connection: Connection) -> tuple[ZoneState, ...]:
    """The count of each zone that ever had one, by name."""
    rows = connection.execute(select(counts).order_by(counts.c.zone))
    return tuple(
        ZoneState(zone=row.zone, count=row._mapping["count"], trusted=row.trusted) for row in rows
    )


def _stay_row(stay: Stay) -> dict[str, object]:
    return {
        "id": stay.id,
        "zone": stay.zone,
        "plate": stay.plate,
        "ended": stay.ended is not None,
        "body": facts.to_json(stay),
    }
