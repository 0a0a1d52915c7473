"""Who may pass: one question in, one decision out, by ordered tables whose first match wins.

The question holds everything a decision may depend on: the sighting, what the lists say about it
and its look-alikes (`keys` tells which plates to look up), the zone's policy and count, what holds
for the whole site, and the time. Nothing is fetched, kept or guessed here.

A list row counts if it is valid now and names no zone or this one. Matching is exact first; else
a read may be taken for a listed plate that differs in one confusable character the reader was
unsure of, if exactly one plate fits. That helps drivers in and never counts against one.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from gatekeeper.model import (
    Admits,
    Decision,
    Direction,
    Listing,
    ListName,
    ListRow,
    Reason,
    Sighting,
    SiteState,
    VehicleClass,
    Verdict,
    ZonePolicy,
    ZoneState,
)
from gatekeeper.rules import plate


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """All that a decision depends on. `certain` is the calibrated character confidence; the
    plates in `listing` are in normal form.
    """

    direction: Direction
    sighting: Sighting | None
    listing: Listing
    policy: ZonePolicy
    zone: ZoneState
    site: SiteState
    now: datetime
    certain: float


def keys(sighting: Sighting | None) -> frozenset[str]:
    """The plates a decision on this sighting has to know the list rows of."""
    if sighting is None or plate.is_trailer(sighting.plate):
        return frozenset()
    return plate.look_alikes(sighting.plate) | {sighting.plate}


def decide(question: Question) -> Decision:
    """Verdict and reason for this vehicle in this lane. Every question has an answer."""
    name, table = _table(question)
    case = _Case(question=question, car=_identify(question))
    rule, found = next((rule, found) for rule in table if (found := rule.when(case)))
    return Decision(
        verdict=rule.verdict,
        reason=rule.reason,
        rule=f"{name}.{rule.name}",
        plate=case.car.plate,
        vehicle=case.car.vehicle,
        certain=case.car.certain and rule.proven,
        limit=question.policy.limit if rule.limited else None,
        row=found if isinstance(found, ListRow) else None,
        versions=question.listing.versions,
    )


# --- who the car is taken for ---------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Car:
    """The sighting with the lists beside it. `rows` are of `plate` and count here and now;
    `look_alike` is a blacklisted plate that this may be instead.
    """

    plate: str | None
    vehicle: VehicleClass
    rows: Mapping[ListName, ListRow]
    look_alike: ListRow | None
    certain: bool


_UNREAD = _Car(plate=None, vehicle=VehicleClass.UNREAD, rows={}, look_alike=None, certain=False)

_CLASSES = (
    (ListName.EXEMPT, VehicleClass.EXEMPT),
    (ListName.BLACKLIST, VehicleClass.BLACKLISTED),
    (ListName.INTERNALS, VehicleClass.INTERNAL),
    (ListName.VISITORS, VehicleClass.VISITOR),
)
"""First match wins: the exempt list over the blacklist, internal over bound."""


def _identify(question: Question) -> _Car:
    """A trailer's plate decides nothing, so its vehicle counts as unread."""
    sighting = question.sighting
    if sighting is None or plate.is_trailer(sighting.plate):
        return _UNREAD
    near = plate.look_alikes(sighting.plate)
    listed = {row.plate for row in question.listing.rows}
    counting = [row for row in question.listing.rows if _counts(row, question)]
    banned = [row for row in counting if row.list is ListName.BLACKLIST and row.plate in near]
    taken = sighting.plate
    if taken not in listed and not banned:
        taken = _unsure_match(sighting, near, counting, question.certain) or taken
    rows = _by_list(row for row in counting if row.plate == taken)
    cleared = bool(rows) and _told_apart(sighting, banned, question.certain)
    return _Car(
        plate=taken,
        vehicle=next((vehicle for name, vehicle in _CLASSES if name in rows), VehicleClass.UNKNOWN),
        rows=rows,
        look_alike=None if cleared else _by_list(banned).get(ListName.BLACKLIST),
        certain=sighting.certain and taken == sighting.plate and not near & listed,
    )


def _counts(row: ListRow, question: Question) -> bool:
    return row.valid_at(question.now) and row.zone in (None, question.policy.zone)


def _unsure_match(
    sighting: Sighting, near: frozenset[str], rows: Iterable[ListRow], certain: float
) -> str | None:
    """The one listed plate this may be, where the reader was unsure of what differs."""
    fitting = {
        row.plate for row in rows if row.plate in near and _sureness(sighting, row.plate) < certain
    }
    return fitting.pop() if len(fitting) == 1 else None


def _told_apart(sighting: Sighting, banned: Iterable[ListRow], certain: float) -> bool:
    """Whether the reader was sure of what differs from each of these plates."""
    return all(_sureness(sighting, row.plate) >= certain for row in banned)


def _sureness(sighting: Sighting, other: str) -> float:
    """The confidence of the first character in which the read differs from the other plate."""
    trio = zip(sighting.plate, other, sighting.confidences, strict=True)
    return next(confidence for read, listed, confidence in trio if read != listed)


def _by_list(rows: Iterable[ListRow]) -> dict[ListName, ListRow]:
    """One row for each list; which of several is the same in whatever order they come."""
    return {row.list: row for row in sorted(rows, key=repr, reverse=True)}


# --- the tables -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    question: Question
    car: _Car


_Found: TypeAlias = ListRow | bool | None
"""The list row that makes a rule apply, or merely whether it applies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A row of a table. `limited`: the stay gets the zone's limit. `proven` is False where a
    vehicle is admitted although nobody knows what it is.
    """

    name: str
    when: Callable[[_Case], _Found]
    verdict: Verdict
    reason: Reason
    limited: bool = False
    proven: bool = True


def _on(name: ListName) -> Callable[[_Case], _Found]:
    return lambda case: case.car.rows.get(name)


def _zone_full(case: _Case) -> bool:
    zone, policy = case.question.zone, case.question.policy
    return zone.trusted and zone.count >= policy.capacity and not policy.when_full_admit


def _registry_missing(case: _Case) -> bool:
    """Until both lists have come once, a car in neither may well be in the one that is missing."""
    followed = {version.list for version in case.question.listing.versions}
    return not {ListName.VISITORS, ListName.INTERNALS} <= followed


def _registry_missing_admits(case: _Case) -> bool:
    return _registry_missing(case) and case.question.policy.when_registry_missing_admit


def _offline_admits(case: _Case) -> bool:
    """The centre has been away so long that a binding may not have reached this gate."""
    policy = case.question.policy
    away = case.question.site.centre_away_s >= policy.offline_after_s
    return away and policy.unknown_when_offline_admit


def _always(_: _Case) -> bool:
    return True


def _admit(
    name: str,
    when: Callable[[_Case], _Found],
    reason: Reason,
    *,
    limited: bool = False,
    proven: bool = True,
) -> Rule:
    return Rule(
        name=name, when=when, verdict=Verdict.ADMIT, reason=reason, limited=limited, proven=proven
    )


def _refuse(name: str, when: Callable[[_Case], _Found], reason: Reason) -> Rule:
    return Rule(name=name, when=when, verdict=Verdict.REFUSE, reason=reason)


_OPEN = (
    _admit("fire", lambda case: case.question.site.fire, Reason.FIRE),
    _admit("held_open", lambda case: case.question.site.held_open, Reason.HELD_OPEN),
)

_BEFORE_THE_LISTS = (
    *_OPEN,
    _admit("exempt", _on(ListName.EXEMPT), Reason.EXEMPT),
    _refuse("lockdown", lambda case: case.question.site.lockdown, Reason.LOCKDOWN),
)

EXITS = (*_OPEN, _admit("exit", _always, Reason.EXIT))
"""Every exit opens for everybody, always, read or unread."""

EVERYBODY = (
    *_BEFORE_THE_LISTS,
    _refuse("blacklisted", _on(ListName.BLACKLIST), Reason.BLACKLISTED),
    _admit("everybody", _always, Reason.EVERYBODY),
)
"""Entries of an outer gate: unread cars too, and look-alikes of banned plates."""

REGISTERED = (
    *_BEFORE_THE_LISTS,
    _refuse("unreadable", lambda case: case.car.plate is None, Reason.UNREADABLE),
    _refuse("blacklisted", _on(ListName.BLACKLIST), Reason.BLACKLISTED),
    _refuse("looks_blacklisted", lambda case: case.car.look_alike, Reason.LOOKS_BLACKLISTED),
    _admit("internal", _on(ListName.INTERNALS), Reason.INTERNAL, limited=True),
    _refuse("zone_full", _zone_full, Reason.ZONE_FULL),
    _admit("visitor", _on(ListName.VISITORS), Reason.VISITOR),
    _admit(
        "registry_missing_admit", _registry_missing_admits, Reason.REGISTRY_MISSING, proven=False
    ),
    _refuse("registry_missing_refuse", _registry_missing, Reason.REGISTRY_MISSING),
    _admit("unverified", _offline_admits, Reason.UNVERIFIED, proven=False),
    _refuse("not_bound", _always, Reason.NOT_BOUND),
)
"""Entries of an inner gate."""


def _table(question: Question) -> tuple[str, tuple[Rule, ...]]:
    if question.direction is Direction.EXIT:
        return "exit", EXITS
    if question.policy.admits is Admits.EVERYBODY:
        return "everybody", EVERYBODY
    return "registered", REGISTERED
