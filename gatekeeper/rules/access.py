"""Who may pass: one question in, one decision out, by ordered tables whose first match wins.

The question holds everything a decision may depend on: the sighting, the zone's policy, and the
grounds: what the lists say about the plate and its look-alikes (`keys` tells which plates to look
up), the zone's count, what holds for the whole site, the time. Nothing is fetched, kept or guessed
here. Who the car is taken for stands in `rules.identity`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from gatekeeper.model import (
    Admits,
    Decision,
    Direction,
    Grounds,
    ListName,
    ListRow,
    ListVersion,
    Reason,
    Sighting,
    Then,
    VehicleClass,
    Verdict,
    ZonePolicy,
)
from gatekeeper.rules import identity, plate
from gatekeeper.rules.identity import Car


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """All that a decision depends on. The plates in `grounds` are in normal form."""

    sighting: Sighting | None
    policy: ZonePolicy
    grounds: Grounds
    versions: tuple[ListVersion, ...]


def keys(
    sighting: Sighting | None, identified: str | None = None, *, accusing: bool = True
) -> frozenset[str]:
    """The plates a decision on this sighting has to know the list rows of; where a person has
    said which plate it is, that one alone. Only at an entry may it come to accuse somebody, and
    only for that (`accusing`) all plates have to be known that resemble the one read.
    """
    text = identified or (sighting.plate if sighting else None)
    if text is None or plate.is_trailer(text):
        return frozenset()
    if identified is not None:
        return frozenset({text})
    near = plate.resembling(text) if accusing else plate.look_alikes(text)
    return near | {text}


def decide(question: Question) -> Decision:
    """Verdict and reason for this vehicle in this lane. Every question has an answer."""
    name, table = _table(question)
    car = identity.identify(question.sighting, question.policy, question.grounds)
    case = _Case(question=question, car=car)
    rule, found = next((rule, found) for rule in table if (found := rule.when(case)))
    return Decision(
        verdict=rule.verdict,
        reason=rule.reason,
        rule=f"{name}.{rule.name}",
        plate=car.plate,
        vehicle=car.vehicle,
        certain=car.certain and rule.certain,
        limit=question.policy.limit if rule.limited else None,
        row=found if isinstance(found, ListRow) else None,
        versions=question.versions,
    )


# --- what a rule may ask --------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    question: Question
    car: Car

    @property
    def policy(self) -> ZonePolicy:
        return self.question.policy

    @property
    def grounds(self) -> Grounds:
        return self.question.grounds

    @property
    def hours(self) -> Then | None:
        """What the first schedule that fits this vehicle now says."""
        return next(
            (
                schedule.then
                for schedule in self.policy.schedules
                if schedule.vehicle is self.car.vehicle and schedule.fits(self.grounds.now)
            ),
            None,
        )


_Found: TypeAlias = ListRow | bool | None
"""The list row that makes a rule apply, or merely whether it applies."""


def _on(name: ListName) -> Callable[[_Case], _Found]:
    return lambda case: case.car.rows.get(name)


def _exempt(case: _Case) -> _Found:
    return case.car.exact and case.car.rows.get(ListName.EXEMPT)


def _unreadable(case: _Case) -> bool:
    """Whether it is too early, or not this site's way, to do without a plate (situations, 16)."""
    policy = case.policy
    done_waiting = case.grounds.waited_s >= policy.unreadable_after_s
    return case.car.plate is None and not (policy.unreadable_admit and done_waiting)


def _look_again(case: _Case) -> _Found:
    return not case.grounds.looked_twice and case.car.look_alike


def _outside_hours(case: _Case) -> bool:
    return case.hours is Then.REFUSE


def _internal_free(case: _Case) -> _Found:
    return case.hours is Then.FREE and case.car.rows.get(ListName.INTERNALS)


def _cooling_down(case: _Case) -> _Found:
    away_s = case.grounds.away_s
    back_early = away_s is not None and away_s < case.policy.cooldown_s
    return back_early and case.car.rows.get(ListName.INTERNALS)


def _zone_full(case: _Case) -> bool:
    zone, policy = case.grounds.zone, case.policy
    full = zone.trusted and zone.taken >= policy.capacity
    return full and not policy.when_full_admit


def _just_bound(case: _Case) -> _Found:
    return case.car.just_bound and case.car.rows.get(ListName.VISITORS)


def _open_hours(case: _Case) -> bool:
    return case.car.vehicle is VehicleClass.UNKNOWN and case.hours in (Then.ADMIT, Then.FREE)


def _registry_missing(case: _Case) -> bool:
    """Until both lists have come once, a car in neither may well be in the one that is missing."""
    followed = {version.list for version in case.question.versions}
    return not {ListName.VISITORS, ListName.INTERNALS} <= followed


def _registry_missing_admits(case: _Case) -> bool:
    return _registry_missing(case) and case.policy.when_registry_missing_admit


def _offline_admits(case: _Case) -> bool:
    """The centre has been away so long that a binding may not have reached this gate."""
    away_s = case.grounds.site.centre_away_s
    away = away_s is None or away_s >= case.policy.offline_after_s
    return away and case.policy.unknown_when_offline_admit


def _always(_: _Case) -> bool:
    return True


# --- the tables -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A row of a table. `limited`: the stay gets the zone's limit. `certain` is False where a
    vehicle is admitted whatever it is: it may be another than the one that was read.
    """

    name: str
    when: Callable[[_Case], _Found]
    verdict: Verdict
    reason: Reason
    limited: bool = False
    certain: bool = True


def _admit(
    name: str,
    when: Callable[[_Case], _Found],
    reason: Reason,
    *,
    limited: bool = False,
    certain: bool = True,
) -> Rule:
    return Rule(
        name=name, when=when, verdict=Verdict.ADMIT, reason=reason, limited=limited, certain=certain
    )


def _refuse(name: str, when: Callable[[_Case], _Found], reason: Reason) -> Rule:
    return Rule(name=name, when=when, verdict=Verdict.REFUSE, reason=reason)


_OPEN = (
    _admit("fire", lambda case: case.grounds.site.fire, Reason.FIRE, certain=False),
    _admit("held_open", lambda case: case.grounds.site.held_open, Reason.HELD_OPEN, certain=False),
)

_BEFORE_THE_LISTS = (
    *_OPEN,
    _admit("exempt", _exempt, Reason.EXEMPT),
    _admit("exempt_kind", lambda case: case.car.exempt_kind, Reason.EXEMPT),
    _refuse("lockdown", lambda case: case.grounds.site.lockdown, Reason.LOCKDOWN),
)

EXITS = (*_OPEN, _admit("exit", _always, Reason.EXIT))
"""Every exit opens for everybody, always, read or unread."""

EVERYBODY = (
    *_BEFORE_THE_LISTS,
    _refuse("blacklisted", _on(ListName.BLACKLIST), Reason.BLACKLISTED),
    _refuse("outside_hours", _outside_hours, Reason.OUTSIDE_HOURS),
    _admit("everybody", _always, Reason.EVERYBODY),
)
"""Entries of an outer gate: unread cars too, and look-alikes of banned plates."""

REGISTERED = (
    *_BEFORE_THE_LISTS,
    _refuse("unreadable", _unreadable, Reason.UNREADABLE),
    _refuse("blacklisted", _on(ListName.BLACKLIST), Reason.BLACKLISTED),
    Rule(
        name="look_again",
        when=_look_again,
        verdict=Verdict.LOOK_AGAIN,
        reason=Reason.LOOKS_BLACKLISTED,
    ),
    _refuse("looks_blacklisted", lambda case: case.car.look_alike, Reason.LOOKS_BLACKLISTED),
    _admit("exempt_alike", _on(ListName.EXEMPT), Reason.EXEMPT),
    _refuse("outside_hours", _outside_hours, Reason.OUTSIDE_HOURS),
    _admit("internal_free", _internal_free, Reason.INTERNAL),
    _refuse("cooldown", _cooling_down, Reason.COOLDOWN),
    _admit("internal", _on(ListName.INTERNALS), Reason.INTERNAL, limited=True),
    _refuse("zone_full", _zone_full, Reason.ZONE_FULL),
    _admit("unreadable_admit", lambda case: case.car.plate is None, Reason.UNREADABLE),
    _admit("recent_binding", _just_bound, Reason.VISITOR),
    _admit("visitor", _on(ListName.VISITORS), Reason.VISITOR),
    _admit("open_hours", _open_hours, Reason.EVERYBODY),
    _admit(
        "registry_missing_admit", _registry_missing_admits, Reason.REGISTRY_MISSING, certain=False
    ),
    _refuse("registry_missing_refuse", _registry_missing, Reason.REGISTRY_MISSING),
    _admit("unverified", _offline_admits, Reason.UNVERIFIED, certain=False),
    _refuse("not_bound", _always, Reason.NOT_BOUND),
)
"""Entries of an inner gate."""


def _table(question: Question) -> tuple[str, tuple[Rule, ...]]:
    if question.grounds.direction is Direction.EXIT:
        return "exit", EXITS
    if question.policy.admits is Admits.EVERYBODY:
        return "everybody", EVERYBODY
    return "registered", REGISTERED
