"""What evidence may put a plate on a zone's blacklist.

A stay comes in, the row that bans its plate goes out, and only for a certain overstay. This is the
last wall before a driver is punished: it trusts no caller and looks at the whole stay again.
Taking a row off is for the centre, or a named technician; an exit that was missed only sets an
automatic row aside until somebody has looked (`rules.stay`).
"""

from datetime import UTC, timedelta, tzinfo

from gatekeeper.model import Instant, ListName, ListRow, RowSource, Stay, VehicleClass
from gatekeeper.rules import plate


def objections(stay: Stay) -> tuple[str, ...]:
    """What speaks against putting the stay's plate on the blacklist; nothing for good evidence."""
    against = [doubt.value for doubt in stay.doubts]
    if stay.limit is None or stay.vehicle is not VehicleClass.INTERNAL:
        against.append("no limit applies")
    if plate.kind_of(stay.plate) is None or plate.is_trailer(stay.plate):
        against.append("not the plate of a vehicle")
    return tuple(against)


def row_for(stay: Stay, at: Instant, days: float | None = None, local: tzinfo = UTC) -> ListRow:
    """The row that bans the stay's plate from its zone, as from now.

    It has no `valid_from`: a clock that is set right later must not lift the ban for a while. It
    ends after `days`, or when it is taken off; where the wall clock is not to be trusted it has no
    end of its own. Raises `ValueError` for a stay whose evidence does not suffice: one with any
    doubt, above all. `local` is the site's time, which its note is written in.
    """
    against = objections(stay)
    if against:
        raise ValueError(f"stay {stay.id} may not blacklist {stay.plate}: {', '.join(against)}")
    ends = days is not None and at.trusted
    when = at.wall.astimezone(local).isoformat(sep=" ", timespec="minutes")
    return ListRow(
        list=ListName.BLACKLIST,
        plate=stay.plate,
        zone=stay.zone,
        valid_until=at.wall + timedelta(days=days or 0.0) if ends else None,
        note=f"overstay, stay {stay.id}, {when}",
        source=RowSource.GATE,
    )
