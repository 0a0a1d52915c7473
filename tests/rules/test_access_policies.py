"""What a site may decide for itself: hours, exempt kinds, patience, bindings, staying away."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.model import (
    EXEMPTIBLE,
    Admits,
    Colour,
    Decision,
    Direction,
    Grounds,
    Limit,
    ListName,
    ListRow,
    ListVersion,
    Reason,
    Schedule,
    Sighting,
    SiteState,
    Then,
    VehicleClass,
    Verdict,
    ZonePolicy,
    ZoneState,
)
from gatekeeper.rules import plate
from gatekeeper.rules.access import Question, decide

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
NOW = MONDAY.replace(hour=9)
LIMIT = Limit(limit_s=600, warning_s=120, grace_s=60)
INNER = ZonePolicy(zone="visitors", admits=Admits.REGISTERED, capacity=60, limit=LIMIT)
OUTER = ZonePolicy(zone="carpark", admits=Admits.EVERYBODY, capacity=400, limit=LIMIT)
VERSIONS = tuple(ListVersion(list=name, version=7, as_of=NOW) for name in ListName)
CAR = "京A82345"
ALIKE = "京AB2345"
ALIKE_TOO = "京A8Z345"
POLICE = "京A1234警"
CALM = Grounds(
    direction=Direction.ENTRY,
    rows=(),
    zone=ZoneState(zone="visitors", count=0, trusted=True),
    site=SiteState(),
    now=NOW,
    certain=0.98,
)
FULL = ZoneState(zone="visitors", count=60, trusted=True)


def seen(text: str = CAR, *, certain: bool = True, colour: Colour = Colour.BLUE) -> Sighting:
    return Sighting(
        plate=text,
        confidences=(0.99,) * len(text),
        colour=colour,
        rows=1,
        agreeing=3,
        frames=(1, 2, 3),
        alternatives=(),
        certain=certain,
        first_at=1.0,
        last_at=1.4,
    )


def row(name: ListName, text: str = CAR) -> ListRow:
    return ListRow(list=name, plate=text, version=7)


def ask(
    *rows: ListRow, sighting: Sighting | None, policy: ZonePolicy = INNER, **grounds: Any
) -> Decision:
    return decide(
        Question(
            sighting=sighting,
            policy=policy,
            grounds=replace(CALM, rows=rows, **grounds),
            versions=VERSIONS,
        )
    )


def told(decision: Decision) -> tuple[Verdict, Reason]:
    return decision.verdict, decision.reason


VISITOR, INTERNAL, BANNED = (
    row(ListName.VISITORS),
    row(ListName.INTERNALS),
    row(ListName.BLACKLIST),
)


# --- a plate that cannot be read -----------------------------------------------------------


def test_an_unreadable_car_waits_for_help_and_is_refused_if_none_comes() -> None:
    for waited_s in (0.0, 59.9, 60.0, 600.0):
        decision = ask(sighting=None, waited_s=waited_s)
        assert told(decision) == (Verdict.REFUSE, Reason.UNREADABLE)


def test_a_site_may_admit_an_unreadable_car_that_has_waited_long_enough() -> None:
    lenient = replace(INNER, unreadable_admit=True)

    assert told(ask(sighting=None, policy=lenient, waited_s=59.9)) == (
        Verdict.REFUSE,
        Reason.UNREADABLE,
    )
    admitted = ask(sighting=None, policy=lenient, waited_s=60.0)
    assert told(admitted) == (Verdict.ADMIT, Reason.UNREADABLE)
    assert (admitted.vehicle, admitted.limit) == (VehicleClass.UNREAD, None)
    assert not admitted.certain


def test_an_unreadable_car_is_not_admitted_to_a_full_zone_or_in_a_lockdown() -> None:
    lenient = replace(INNER, unreadable_admit=True)
    lockdown = SiteState(lockdown=True)

    full = ask(sighting=None, policy=lenient, waited_s=99.0, zone=FULL)
    locked = ask(sighting=None, policy=lenient, waited_s=99.0, site=lockdown)

    assert full.reason is Reason.ZONE_FULL
    assert locked.reason is Reason.LOCKDOWN


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (ListName.VISITORS, Reason.VISITOR),
        (ListName.INTERNALS, Reason.INTERNAL),
        (ListName.BLACKLIST, Reason.BLACKLISTED),
        (ListName.EXEMPT, Reason.EXEMPT),
    ],
)
def test_an_identified_plate_is_decided_as_usual_but_never_certain(
    name: ListName, reason: Reason
) -> None:
    decision = ask(row(name), sighting=None, identified=CAR)

    assert decision.reason is reason
    assert decision.plate == CAR
    assert not decision.certain


def test_an_identified_plate_stands_before_what_was_read() -> None:
    decision = ask(row(ListName.VISITORS, ALIKE), sighting=seen(), identified=ALIKE)

    assert (decision.plate, decision.reason) == (ALIKE, Reason.VISITOR)


def test_an_identified_plate_is_taken_for_no_other() -> None:
    banned, visitor = row(ListName.BLACKLIST, ALIKE), row(ListName.VISITORS, ALIKE_TOO)

    decision = ask(banned, visitor, sighting=None, identified=CAR, fresh=(ALIKE_TOO,))

    assert told(decision) == (Verdict.REFUSE, Reason.NOT_BOUND)
    assert decision.plate == CAR


def test_an_identified_trailer_decides_nothing() -> None:
    trailer = "冀B1234挂"

    decision = ask(row(ListName.VISITORS, trailer), sighting=None, identified=trailer)

    assert told(decision) == (Verdict.REFUSE, Reason.UNREADABLE)


# --- a plate bound a moment ago -------------------------------------------------------------

BOUND = row(ListName.VISITORS, ALIKE)


def test_a_fresh_binding_one_confusable_character_away_admits_uncertainly() -> None:
    decision = ask(BOUND, sighting=seen(), fresh=(ALIKE,))

    assert told(decision) == (Verdict.ADMIT, Reason.VISITOR)
    assert decision.rule == "registered.recent_binding"
    assert (decision.plate, decision.row) == (ALIKE, BOUND)
    assert not decision.certain


def test_a_binding_that_is_not_fresh_admits_no_one_else() -> None:
    assert ask(BOUND, sighting=seen()).reason is Reason.NOT_BOUND


def test_two_fresh_bindings_that_both_fit_admit_no_one() -> None:
    other = row(ListName.VISITORS, ALIKE_TOO)

    decision = ask(BOUND, other, sighting=seen(), fresh=(ALIKE, ALIKE_TOO))

    assert decision.reason is Reason.NOT_BOUND


@pytest.mark.parametrize("name", [ListName.INTERNALS, ListName.BLACKLIST, ListName.EXEMPT])
def test_a_read_that_is_listed_itself_is_never_taken_for_a_fresh_binding(name: ListName) -> None:
    decision = ask(row(name), BOUND, sighting=seen(), fresh=(ALIKE,))

    assert decision.plate == CAR
    assert decision.rule != "registered.recent_binding"


def test_a_fresh_binding_of_an_internal_plate_is_internal() -> None:
    decision = ask(BOUND, row(ListName.INTERNALS, ALIKE), sighting=seen(), fresh=(ALIKE,))

    assert decision.reason is Reason.INTERNAL
    assert decision.limit == LIMIT


def test_a_fresh_binding_opens_neither_a_full_zone_nor_beside_a_banned_look_alike() -> None:
    banned = row(ListName.BLACKLIST, ALIKE_TOO)

    full = ask(BOUND, sighting=seen(), fresh=(ALIKE,), zone=FULL)
    beside = ask(BOUND, banned, sighting=seen(), fresh=(ALIKE,), looked_twice=True)

    assert full.reason is Reason.ZONE_FULL
    assert beside.reason is Reason.LOOKS_BLACKLISTED


# --- exempt by the kind of plate ------------------------------------------------------------

EXEMPTING = replace(INNER, exempt_kinds=("police", "emergency"))


def test_a_site_may_exempt_a_kind_of_plate() -> None:
    decision = ask(sighting=seen(POLICE, colour=Colour.WHITE), policy=EXEMPTING)

    assert told(decision) == (Verdict.ADMIT, Reason.EXEMPT)
    assert decision.rule == "registered.exempt_kind"
    assert decision.vehicle is VehicleClass.EXEMPT


def test_an_exempt_kind_is_stopped_by_no_lockdown() -> None:
    police = seen(POLICE, colour=Colour.WHITE)

    decision = ask(sighting=police, policy=EXEMPTING, site=SiteState(lockdown=True))

    assert decision.reason is Reason.EXEMPT


def test_a_kind_that_the_site_does_not_exempt_is_decided_as_usual() -> None:
    assert ask(sighting=seen(POLICE, colour=Colour.WHITE)).reason is Reason.NOT_BOUND
    assert ask(sighting=seen(), policy=EXEMPTING).reason is Reason.NOT_BOUND


@pytest.mark.parametrize(
    "sighting",
    [
        seen(POLICE, certain=False, colour=Colour.WHITE),
        seen(POLICE, colour=Colour.GREEN),
        seen(POLICE, colour=Colour.UNKNOWN),
    ],
    ids=["not certain", "another kind's colour", "no colour"],
)
def test_an_exempt_kind_needs_a_certain_sighting_in_its_own_colour(sighting: Sighting) -> None:
    assert ask(sighting=sighting, policy=EXEMPTING).reason is Reason.NOT_BOUND


def test_an_exempt_kind_on_the_blacklist_is_refused_unless_listed_as_exempt() -> None:
    police = seen(POLICE, colour=Colour.WHITE)
    banned, exempt = row(ListName.BLACKLIST, POLICE), row(ListName.EXEMPT, POLICE)

    assert ask(banned, sighting=police, policy=EXEMPTING).reason is Reason.BLACKLISTED
    assert ask(banned, exempt, sighting=police, policy=EXEMPTING).reason is Reason.EXEMPT


def test_every_kind_that_can_be_exempted_is_a_kind_of_plate() -> None:
    assert set(EXEMPTIBLE) <= {kind.value for kind in plate.PlateKind}


# --- staying away ---------------------------------------------------------------------------

COOLING = replace(INNER, cooldown_s=1800.0)


def test_an_internal_car_that_comes_back_too_soon_is_refused_but_not_banned() -> None:
    decision = ask(INTERNAL, sighting=seen(), policy=COOLING, away_s=1799.0)

    assert told(decision) == (Verdict.REFUSE, Reason.COOLDOWN)
    assert decision.vehicle is VehicleClass.INTERNAL
    assert decision.row == INTERNAL


@pytest.mark.parametrize("away_s", [None, 1800.0, 86_400.0])
def test_a_car_that_stayed_away_long_enough_or_was_never_seen_may_come(
    away_s: float | None,
) -> None:
    decision = ask(INTERNAL, sighting=seen(), policy=COOLING, away_s=away_s)

    assert decision.reason is Reason.INTERNAL


def test_there_is_no_cooldown_for_visitors_nor_where_the_site_wants_none() -> None:
    assert ask(VISITOR, sighting=seen(), policy=COOLING, away_s=1.0).reason is Reason.VISITOR
    assert ask(INTERNAL, sighting=seen(), away_s=0.0).reason is Reason.INTERNAL


# --- hours ----------------------------------------------------------------------------------

EVERY_DAY = tuple(range(7))


def hours(
    vehicle: VehicleClass,
    then: Then,
    begins: time = time(8),
    until: time = time(18),
    weekdays: tuple[int, ...] = EVERY_DAY,
) -> Schedule:
    return Schedule(vehicle=vehicle, weekdays=weekdays, begins=begins, until=until, then=then)


def scheduled(*schedules: Schedule, policy: ZonePolicy = INNER) -> ZonePolicy:
    return replace(policy, schedules=schedules)


def test_a_class_of_vehicle_may_be_refused_in_some_hours() -> None:
    closed = scheduled(hours(VehicleClass.VISITOR, Then.REFUSE))

    decision = ask(VISITOR, sighting=seen(), policy=closed)

    assert told(decision) == (Verdict.REFUSE, Reason.OUTSIDE_HOURS)
    assert ask(INTERNAL, sighting=seen(), policy=closed).reason is Reason.INTERNAL
    evening = NOW.replace(hour=18)
    assert ask(VISITOR, sighting=seen(), policy=closed, now=evening).reason is Reason.VISITOR


def test_internal_cars_may_be_free_of_the_limit_and_of_the_cooldown_in_some_hours() -> None:
    free = scheduled(hours(VehicleClass.INTERNAL, Then.FREE), policy=COOLING)

    decision = ask(INTERNAL, sighting=seen(), policy=free, away_s=1.0)

    assert told(decision) == (Verdict.ADMIT, Reason.INTERNAL)
    assert decision.limit is None
    assert decision.row == INTERNAL


def test_the_first_hours_that_fit_count() -> None:
    policy = scheduled(
        hours(VehicleClass.INTERNAL, Then.ADMIT, until=time(10)),
        hours(VehicleClass.INTERNAL, Then.REFUSE),
    )

    nine = ask(INTERNAL, sighting=seen(), policy=policy)

    assert (nine.reason, nine.limit) == (Reason.INTERNAL, LIMIT)
    ten = ask(INTERNAL, sighting=seen(), policy=policy, now=NOW.replace(hour=10))
    assert ten.reason is Reason.OUTSIDE_HOURS


@pytest.mark.parametrize("then", [Then.ADMIT, Then.FREE])
def test_a_zone_may_be_open_to_everybody_in_some_hours(then: Then) -> None:
    sundays = scheduled(hours(VehicleClass.UNKNOWN, then, time(0), time(0), weekdays=(6,)))
    sunday = NOW + timedelta(days=6)

    decision = ask(sighting=seen(), policy=sundays, now=sunday)

    assert told(decision) == (Verdict.ADMIT, Reason.EVERYBODY)
    assert decision.limit is None
    assert ask(sighting=seen(), policy=sundays).reason is Reason.NOT_BOUND


@pytest.mark.parametrize(
    ("rows", "grounds", "reason"),
    [
        ((BANNED,), {}, Reason.BLACKLISTED),
        ((row(ListName.BLACKLIST, ALIKE),), {"looked_twice": True}, Reason.LOOKS_BLACKLISTED),
        ((), {"site": SiteState(lockdown=True)}, Reason.LOCKDOWN),
        ((), {"zone": FULL}, Reason.ZONE_FULL),
    ],
    ids=["banned", "looks banned", "lockdown", "full"],
)
def test_open_hours_open_nothing_that_is_shut_for_another_reason(
    rows: tuple[ListRow, ...], grounds: dict[str, Any], reason: Reason
) -> None:
    opened = scheduled(hours(VehicleClass.UNKNOWN, Then.FREE))

    assert ask(*rows, sighting=seen(), policy=opened, **grounds).reason is reason


def test_an_outer_gate_may_close_to_strangers_and_to_what_it_cannot_read() -> None:
    closed = scheduled(
        hours(VehicleClass.UNKNOWN, Then.REFUSE),
        hours(VehicleClass.UNREAD, Then.REFUSE),
        policy=OUTER,
    )

    assert ask(sighting=seen(), policy=closed).reason is Reason.OUTSIDE_HOURS
    assert ask(sighting=None, policy=closed).reason is Reason.OUTSIDE_HOURS
    assert ask(VISITOR, sighting=seen(), policy=closed).reason is Reason.EVERYBODY
    evening = NOW.replace(hour=18)
    assert ask(sighting=seen(), policy=closed, now=evening).reason is Reason.EVERYBODY


def test_hours_never_shut_an_exit() -> None:
    closed = scheduled(hours(VehicleClass.UNKNOWN, Then.REFUSE))

    assert ask(sighting=seen(), policy=closed, direction=Direction.EXIT).reason is Reason.EXIT


# --- when hours fit -------------------------------------------------------------------------


def shut(begins: time, until: time, weekdays: tuple[int, ...] = EVERY_DAY) -> Schedule:
    return hours(VehicleClass.VISITOR, Then.REFUSE, begins, until, weekdays)


def test_hours_hold_from_their_first_moment_until_just_before_their_last() -> None:
    day = shut(time(8), time(18))
    instant = timedelta(microseconds=1)

    assert day.fits(MONDAY.replace(hour=8))
    assert not day.fits(MONDAY.replace(hour=8) - instant)
    assert day.fits(MONDAY.replace(hour=18) - instant)
    assert not day.fits(MONDAY.replace(hour=18))


def test_hours_over_midnight_belong_to_the_weekday_on_which_they_begin() -> None:
    monday_night = shut(time(22), time(6), weekdays=(0,))
    tuesday = MONDAY + timedelta(days=1)

    assert not monday_night.fits(MONDAY.replace(hour=5))
    assert monday_night.fits(MONDAY.replace(hour=22))
    assert monday_night.fits(tuesday)
    assert monday_night.fits(tuesday.replace(hour=5, minute=59))
    assert not monday_night.fits(tuesday.replace(hour=6))
    assert not monday_night.fits(tuesday.replace(hour=23))


def test_the_night_of_a_sunday_ends_on_monday() -> None:
    assert shut(time(22), time(6), weekdays=(6,)).fits(MONDAY.replace(hour=5))


def test_hours_that_end_when_they_begin_last_a_whole_day() -> None:
    saturday = shut(time(0), time(0), weekdays=(5,))
    on_saturday = MONDAY + timedelta(days=5)

    assert saturday.fits(on_saturday)
    assert saturday.fits(on_saturday.replace(hour=23, minute=59, second=59))
    assert not saturday.fits(on_saturday + timedelta(days=1))
    assert not saturday.fits(on_saturday - timedelta(microseconds=1))


moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31))  # noqa: DTZ001 - local
spans = st.builds(shut, st.times(), st.times(), st.sets(st.integers(0, 6), min_size=1).map(tuple))


@given(spans, moments)
def test_hours_fit_exactly_the_moments_of_a_span_that_began_on_one_of_their_days(
    span: Schedule, moment: datetime
) -> None:
    def within(day: datetime) -> bool:
        begins = datetime.combine(day, span.begins)
        ends = datetime.combine(day, span.until)
        if ends <= begins:
            ends += timedelta(days=1)
        return day.weekday() in span.weekdays and begins <= moment < ends

    assert span.fits(moment) == any(within(moment - timedelta(days=days)) for days in (0, 1))


@given(spans, moments)
def test_a_week_later_it_is_the_same(span: Schedule, moment: datetime) -> None:
    assert span.fits(moment) == span.fits(moment + timedelta(days=7))


@given(st.times(), st.times(), moments)
def test_hours_and_the_rest_of_the_day_leave_no_moment_out_and_share_none(
    begins: time, until: time, moment: datetime
) -> None:
    day, rest = shut(begins, until), shut(until, begins)

    if begins != until:
        assert day.fits(moment) != rest.fits(moment)
