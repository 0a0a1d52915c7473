"""Who a car is taken for: the sighting, with the lists beside it.

A list row counts if it is valid now and names no zone or this one. Matching is exact first; else
a read may be taken for a listed plate one confusable character away: one that was bound a moment
ago by somebody who may be this driver, or one the reader was unsure of telling apart, and only if
exactly one plate fits. That helps drivers in and never counts against one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gatekeeper.model import (
    Colour,
    Grounds,
    ListName,
    ListRow,
    Sighting,
    VehicleClass,
    ZonePolicy,
)
from gatekeeper.rules import plate


@dataclass(frozen=True, slots=True, kw_only=True)
class Car:
    """What is known of the car. `rows` are of `plate` and count here and now; `look_alike` is the
    row of a blacklisted plate that this may be instead. `exact`: the plate is the very one read or
    given. `just_bound`: it is taken for a plate bound a moment ago. `exempt_kind`: the site exempts
    its kind of plate. `certain` is whether all this may ever count against the driver.
    """

    plate: str | None
    vehicle: VehicleClass
    rows: Mapping[ListName, ListRow]
    exact: bool = True
    certain: bool = False
    look_alike: ListRow | None = None
    just_bound: bool = False
    exempt_kind: bool = False


UNREAD = Car(plate=None, vehicle=VehicleClass.UNREAD, rows={})

_CLASSES = (
    (ListName.EXEMPT, VehicleClass.EXEMPT),
    (ListName.BLACKLIST, VehicleClass.BLACKLISTED),
    (ListName.INTERNALS, VehicleClass.INTERNAL),
    (ListName.VISITORS, VehicleClass.VISITOR),
)
"""First match wins: the exempt list over the blacklist, internal over bound."""


def identify(sighting: Sighting | None, policy: ZonePolicy, grounds: Grounds) -> Car:
    """The car in the lane. A trailer's plate decides nothing, so its vehicle counts as unread;
    a plate given by a person is taken at their word, and never certain.
    """
    given = grounds.identified is not None
    read = grounds.identified or (sighting.plate if sighting else None)
    if read is None or plate.is_trailer(read):
        return UNREAD
    counting = [row for row in grounds.rows if _counts(row, policy, grounds)]
    if given or sighting is None:
        return _as_read(read, counting)
    if all(row.plate == read for row in grounds.rows):
        car = _as_read(read, counting, certain=sighting.certain)
    else:
        car = _among_others(sighting, counting, grounds)
    return _exempt_by_kind(car, sighting, policy)


def bound_by_limits(rows: Iterable[ListRow], now: datetime) -> set[str]:
    """The plates that are internal and not exempt, in whatever zone."""
    valid = [row for row in rows if row.valid_at(now)]
    exempt = {row.plate for row in valid if row.list is ListName.EXEMPT}
    return {row.plate for row in valid if row.list is ListName.INTERNALS} - exempt


def _counts(row: ListRow, policy: ZonePolicy, grounds: Grounds) -> bool:
    return row.valid_at(grounds.now) and row.zone in (None, policy.zone)


def _as_read(read: str, counting: Iterable[ListRow], *, certain: bool = False) -> Car:
    rows = _by_list(row for row in counting if row.plate == read)
    return Car(plate=read, vehicle=_class_of(rows), rows=rows, certain=certain)


def _among_others(sighting: Sighting, counting: Sequence[ListRow], grounds: Grounds) -> Car:
    """The car where the lists know other plates that this may be."""
    read, near = sighting.plate, plate.look_alikes(sighting.plate)
    listed = {row.plate for row in grounds.rows}
    banned = [row for row in counting if row.list is ListName.BLACKLIST and row.plate in near]
    if read not in listed and not banned:
        close = [row for row in counting if row.plate in near]
        bound = _just_bound(close, grounds)
        taken = bound or _unsure_match(sighting, close, grounds.certain)
        if taken:
            rows = _by_list(row for row in close if row.plate == taken)
            return Car(
                plate=taken,
                vehicle=_class_of(rows),
                rows=rows,
                exact=False,
                just_bound=bound is not None,
            )
    alone = not (listed - {read}) & plate.resembling(read)
    car = _as_read(read, counting, certain=sighting.certain and alone)
    if car.rows and _told_apart(sighting, banned, grounds.certain):
        return car
    return replace(car, look_alike=_by_list(banned).get(ListName.BLACKLIST))


def _just_bound(close: Iterable[ListRow], grounds: Grounds) -> str | None:
    """The one plate this may be that was bound a moment ago (situations, 18)."""
    return _only(
        row.plate for row in close if row.list is ListName.VISITORS and row.plate in grounds.fresh
    )


def _unsure_match(sighting: Sighting, close: Iterable[ListRow], certain: float) -> str | None:
    """The one listed plate this may be, where the reader was unsure of what differs."""
    return _only(row.plate for row in close if _sureness(sighting, row.plate) < certain)


def _only(plates: Iterable[str]) -> str | None:
    fitting = set(plates)
    return fitting.pop() if len(fitting) == 1 else None


def _told_apart(sighting: Sighting, banned: Iterable[ListRow], certain: float) -> bool:
    """Whether the reader was sure of what differs from each of these plates."""
    return all(_sureness(sighting, row.plate) >= certain for row in banned)


def _sureness(sighting: Sighting, other: str) -> float:
    """The confidence of the first character in which the read differs from the other plate."""
    trio = zip(sighting.plate, other, sighting.confidences, strict=True)
    return next(confidence for read, listed, confidence in trio if read != listed)


def _exempt_by_kind(car: Car, sighting: Sighting, policy: ZonePolicy) -> Car:
    """The car, exempt if the site exempts its kind of plate: on a certain sighting, in a colour
    that was seen and suits the kind, and with no row on the blacklist (situations, 21).
    """
    if not policy.exempt_kinds or not car.certain or ListName.BLACKLIST in car.rows:
        return car
    kind = plate.kind_of(sighting.plate)
    if kind is None or kind.value not in policy.exempt_kinds:
        return car
    if sighting.colour is Colour.UNKNOWN or not plate.suits(kind, sighting.colour):
        return car
    return replace(car, vehicle=VehicleClass.EXEMPT, exempt_kind=True)


def _class_of(rows: Mapping[ListName, ListRow]) -> VehicleClass:
    return next((vehicle for name, vehicle in _CLASSES if name in rows), VehicleClass.UNKNOWN)


def _by_list(rows: Iterable[ListRow]) -> dict[ListName, ListRow]:
    """One row for each list; which of several is the same in whatever order they come."""
    chosen: dict[ListName, ListRow] = {}
    for row in rows:
        rival = chosen.setdefault(row.list, row)
        if rival is not row:
            chosen[row.list] = min(rival, row, key=repr)
    return chosen
