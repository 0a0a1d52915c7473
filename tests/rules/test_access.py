from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gatekeeper.model import (
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
    Sighting,
    SiteState,
    VehicleClass,
    Verdict,
    ZonePolicy,
    ZoneState,
)
from gatekeeper.rules import plate
from gatekeeper.rules.access import Question, decide, keys
from gatekeeper.rules.identity import bound_by_limits

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LIMIT = Limit(limit_s=600, warning_s=120, grace_s=60)
CAR = "京A82345"
ALIKE = "京AB2345"
ALIKE_TOO = "京A823A5"
VERSIONS = tuple(ListVersion(list=name, version=7, as_of=NOW) for name in ListName)
SURE: Mapping[int, float] = {}
INNER = ZonePolicy(zone="visitors", admits=Admits.REGISTERED, capacity=60, limit=LIMIT)
OUTER = ZonePolicy(zone="carpark", admits=Admits.EVERYBODY, capacity=400, limit=LIMIT)


def seen(text: str = CAR, *, certain: bool = True, weak: Mapping[int, float] = SURE) -> Sighting:
    return Sighting(
        plate=text,
        confidences=tuple(weak.get(place, 0.99) for place in range(len(text))),
        colour=Colour.BLUE,
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
    *rows: ListRow,
    sighting: Sighting | None = None,
    unread: bool = False,
    direction: Direction = Direction.ENTRY,
    policy: ZonePolicy = INNER,
    versions: tuple[ListVersion, ...] = VERSIONS,
    count: int = 0,
    trusted: bool = True,
    coming: int = 0,
    site: SiteState | None = None,
    now: datetime = NOW,
    fresh: tuple[str, ...] = (),
    away_s: float | None = None,
    waited_s: float = 0.0,
    identified: str | None = None,
    looked_twice: bool = True,
) -> Decision:
    grounds = Grounds(
        direction=direction,
        rows=rows,
        zone=ZoneState(zone=policy.zone, count=count, trusted=trusted, coming=coming),
        site=site or SiteState(),
        now=now,
        certain=0.98,
        fresh=fresh,
        away_s=away_s,
        waited_s=waited_s,
        identified=identified,
        looked_twice=looked_twice,
    )
    read = None if unread else sighting or seen()
    return decide(Question(sighting=read, policy=policy, grounds=grounds, versions=versions))


def told(decision: Decision) -> tuple[Verdict, Reason]:
    return decision.verdict, decision.reason


VISITOR, INTERNAL, BANNED, EXEMPT = (
    row(ListName.VISITORS),
    row(ListName.INTERNALS),
    row(ListName.BLACKLIST),
    row(ListName.EXEMPT),
)
UNSURE = seen(certain=False, weak={2: 0.7})
"""CAR, unsure of the 8 that could be a B."""


# --- the inner entry ------------------------------------------------------------------------


def test_a_visitor_is_admitted_without_a_limit() -> None:
    decision = ask(VISITOR)

    assert told(decision) == (Verdict.ADMIT, Reason.VISITOR)
    assert decision.vehicle is VehicleClass.VISITOR
    assert decision.limit is None
    assert decision.row == VISITOR
    assert decision.rule == "registered.visitor"
    assert decision.versions == VERSIONS
    assert decision.certain


def test_an_internal_car_is_admitted_with_the_limit() -> None:
    decision = ask(INTERNAL)

    assert told(decision) == (Verdict.ADMIT, Reason.INTERNAL)
    assert decision.limit == LIMIT


def test_a_plate_both_bound_and_internal_is_internal() -> None:
    assert ask(VISITOR, INTERNAL).reason is Reason.INTERNAL


def test_an_unknown_car_is_refused_and_told_to_bind() -> None:
    decision = ask()

    assert told(decision) == (Verdict.REFUSE, Reason.NOT_BOUND)
    assert decision.plate == CAR


def test_block_beats_allow() -> None:
    decision = ask(VISITOR, INTERNAL, BANNED)

    assert told(decision) == (Verdict.REFUSE, Reason.BLACKLISTED)
    assert decision.row == BANNED


def test_the_exempt_list_wins_over_the_blacklist() -> None:
    assert told(ask(EXEMPT, BANNED)) == (Verdict.ADMIT, Reason.EXEMPT)


def test_a_ban_from_another_zone_does_not_count_here() -> None:
    elsewhere = replace(BANNED, zone="carpark")

    assert ask(VISITOR, elsewhere).verdict is Verdict.ADMIT
    assert ask(VISITOR, replace(BANNED, zone="visitors")).reason is Reason.BLACKLISTED


@pytest.mark.parametrize(
    ("valid_from", "valid_until"),
    [(None, NOW), (NOW + timedelta(seconds=1), None)],
    ids=["expired", "not yet"],
)
def test_a_row_out_of_its_time_neither_opens_nor_bans(
    valid_from: datetime | None, valid_until: datetime | None
) -> None:
    visitor, banned = (
        replace(each, valid_from=valid_from, valid_until=valid_until) for each in (VISITOR, BANNED)
    )

    assert ask(visitor).reason is Reason.NOT_BOUND
    assert ask(VISITOR, banned).reason is Reason.VISITOR


@pytest.mark.parametrize("name", [ListName.VISITORS, ListName.INTERNALS])
def test_a_temporary_pass_opens_from_its_first_moment_until_just_before_its_last(
    name: ListName,
) -> None:
    hour = timedelta(hours=1)
    a_pass = replace(row(name), valid_from=NOW, valid_until=NOW + hour)

    assert ask(a_pass).row == a_pass
    assert ask(a_pass, now=NOW + hour - timedelta(microseconds=1)).row == a_pass
    assert ask(a_pass, now=NOW + hour).reason is Reason.NOT_BOUND
    assert ask(a_pass, now=NOW - timedelta(microseconds=1)).reason is Reason.NOT_BOUND


def test_a_temporary_pass_beside_an_expired_one_opens() -> None:
    expired = replace(VISITOR, valid_until=NOW)

    assert ask(expired, VISITOR).row == VISITOR


def test_an_unread_car_is_refused_as_unreadable() -> None:
    decision = ask(unread=True)

    assert told(decision) == (Verdict.REFUSE, Reason.UNREADABLE)
    assert (decision.plate, decision.vehicle) == (None, VehicleClass.UNREAD)
    assert not decision.certain


def test_the_plate_of_a_trailer_never_decides() -> None:
    trailer = "冀B1234挂"

    decision = ask(row(ListName.VISITORS, trailer), sighting=seen(trailer))

    assert told(decision) == (Verdict.REFUSE, Reason.UNREADABLE)
    assert decision.plate is None
    assert keys(seen(trailer)) == frozenset()


def test_a_full_zone_refuses_visitors_but_not_internals() -> None:
    assert told(ask(VISITOR, count=60)) == (Verdict.REFUSE, Reason.ZONE_FULL)
    assert ask(VISITOR, count=59).verdict is Verdict.ADMIT
    assert ask(INTERNAL, count=60).reason is Reason.INTERNAL


def test_a_space_promised_to_a_car_still_on_its_way_is_taken() -> None:
    assert ask(VISITOR, count=58, coming=2).reason is Reason.ZONE_FULL
    assert ask(VISITOR, count=58, coming=1).reason is Reason.VISITOR


def test_a_full_zone_refuses_no_one_on_an_untrusted_count_or_by_policy() -> None:
    lenient = replace(INNER, when_full_admit=True)

    assert ask(VISITOR, count=99, trusted=False).reason is Reason.VISITOR
    assert ask(VISITOR, count=99, policy=lenient).reason is Reason.VISITOR


def test_lockdown_stops_all_but_the_exempt() -> None:
    lockdown = SiteState(lockdown=True)

    assert told(ask(VISITOR, site=lockdown)) == (Verdict.REFUSE, Reason.LOCKDOWN)
    assert ask(unread=True, site=lockdown).reason is Reason.LOCKDOWN
    assert ask(EXEMPT, site=lockdown).reason is Reason.EXEMPT


@pytest.mark.parametrize(
    ("site", "reason"),
    [
        (SiteState(fire=True, held_open=True, lockdown=True), Reason.FIRE),
        (SiteState(held_open=True, lockdown=True), Reason.HELD_OPEN),
    ],
)
def test_fire_and_held_open_admit_everybody_and_limit_no_one(
    site: SiteState, reason: Reason
) -> None:
    decision = ask(INTERNAL, BANNED, site=site)

    assert told(decision) == (Verdict.ADMIT, reason)
    assert decision.limit is None


def test_an_unknown_car_is_admitted_unverified_while_the_centre_is_out_of_reach() -> None:
    away = SiteState(centre_away_s=60.0)

    decision = ask(site=away)

    assert told(decision) == (Verdict.ADMIT, Reason.UNVERIFIED)
    assert not decision.certain
    assert decision.limit is None
    assert ask(site=SiteState(centre_away_s=59.9)).reason is Reason.NOT_BOUND
    assert ask(site=SiteState(centre_away_s=None)).reason is Reason.UNVERIFIED
    assert ask(INTERNAL, site=away).limit == LIMIT
    assert ask(BANNED, site=away).reason is Reason.BLACKLISTED


def test_a_site_may_refuse_unknown_cars_while_the_centre_is_out_of_reach() -> None:
    strict = replace(INNER, unknown_when_offline_admit=False)

    assert ask(policy=strict, site=SiteState(centre_away_s=900)).reason is Reason.NOT_BOUND


@pytest.mark.parametrize("missing", [ListName.VISITORS, ListName.INTERNALS])
def test_an_unknown_car_is_decided_by_policy_until_both_lists_have_come(missing: ListName) -> None:
    versions = tuple(version for version in VERSIONS if version.list is not missing)
    strict = replace(INNER, when_registry_missing_admit=False)

    admitted = ask(versions=versions)

    assert told(admitted) == (Verdict.ADMIT, Reason.REGISTRY_MISSING)
    assert not admitted.certain
    assert told(ask(versions=versions, policy=strict)) == (Verdict.REFUSE, Reason.REGISTRY_MISSING)
    assert ask(INTERNAL, versions=versions).reason is Reason.INTERNAL


# --- matching -------------------------------------------------------------------------------


def test_an_unsure_read_is_taken_for_the_one_listed_plate_it_may_be() -> None:
    decision = ask(row(ListName.INTERNALS, ALIKE), sighting=UNSURE)

    assert told(decision) == (Verdict.ADMIT, Reason.INTERNAL)
    assert decision.plate == ALIKE
    assert not decision.certain


def test_a_sure_read_is_no_one_else() -> None:
    decision = ask(row(ListName.VISITORS, ALIKE), sighting=seen())

    assert decision.reason is Reason.NOT_BOUND
    assert decision.plate == CAR


def test_a_read_that_may_be_two_listed_plates_is_neither() -> None:
    rows = (row(ListName.VISITORS, ALIKE), row(ListName.VISITORS, "京A8Z345"))

    assert ask(*rows, sighting=seen(weak={2: 0.7, 3: 0.7})).reason is Reason.NOT_BOUND


def test_two_rows_of_one_plate_are_one_plate() -> None:
    rows = (row(ListName.VISITORS, ALIKE), row(ListName.INTERNALS, ALIKE))

    assert ask(*rows, sighting=UNSURE).reason is Reason.INTERNAL


def test_which_of_two_rows_of_a_plate_is_told_is_not_left_to_their_order() -> None:
    rows = (replace(VISITOR, note="a"), replace(VISITOR, note="b"))

    assert ask(*rows) == ask(*reversed(rows))


def test_two_characters_away_is_somebody_else() -> None:
    other = row(ListName.VISITORS, "京ABZ345")

    assert ask(other, sighting=seen(weak={2: 0.5, 3: 0.5})).reason is Reason.NOT_BOUND


def test_an_exact_row_is_preferred_to_any_look_alike() -> None:
    decision = ask(VISITOR, row(ListName.INTERNALS, ALIKE), sighting=UNSURE)

    assert (decision.plate, decision.reason) == (CAR, Reason.VISITOR)


def test_an_expired_exact_row_still_says_who_the_car_is() -> None:
    expired = replace(VISITOR, valid_until=NOW)

    assert ask(expired, row(ListName.VISITORS, ALIKE), sighting=UNSURE).reason is Reason.NOT_BOUND


def test_a_listed_look_alike_makes_an_exact_match_uncertain() -> None:
    assert not ask(INTERNAL, row(ListName.VISITORS, ALIKE)).certain
    assert not ask(INTERNAL, row(ListName.VISITORS, ALIKE_TOO)).certain
    assert ask(INTERNAL, row(ListName.VISITORS, "京A82366")).certain


def test_an_uncertain_sighting_makes_an_uncertain_decision() -> None:
    assert not ask(INTERNAL, sighting=seen(certain=False)).certain


def test_a_fuzzy_read_never_blacklists() -> None:
    decision = ask(row(ListName.BLACKLIST, ALIKE), sighting=UNSURE)

    assert told(decision) == (Verdict.REFUSE, Reason.LOOKS_BLACKLISTED)
    assert decision.plate == CAR
    assert decision.vehicle is VehicleClass.UNKNOWN


def test_a_look_alike_of_a_banned_plate_is_not_admitted_as_somebody_else() -> None:
    banned, other = row(ListName.BLACKLIST, ALIKE), row(ListName.VISITORS, "京A8Z345")

    decision = ask(banned, other, sighting=seen(weak={3: 0.6}))

    assert told(decision) == (Verdict.REFUSE, Reason.LOOKS_BLACKLISTED)
    assert decision.row == banned


def test_a_listed_car_told_apart_from_a_banned_plate_is_admitted() -> None:
    banned = row(ListName.BLACKLIST, ALIKE)

    assert ask(VISITOR, banned, sighting=seen()).reason is Reason.VISITOR
    assert ask(VISITOR, banned, sighting=UNSURE).reason is Reason.LOOKS_BLACKLISTED


def test_only_the_exact_plate_is_exempt_before_all_else() -> None:
    alike = row(ListName.EXEMPT, ALIKE)
    banned = row(ListName.BLACKLIST, "京A8Z345")
    lockdown = SiteState(lockdown=True)

    assert ask(alike, sighting=UNSURE).rule == "registered.exempt_alike"
    assert ask(alike, sighting=UNSURE, site=lockdown).reason is Reason.LOCKDOWN
    assert ask(alike, banned, sighting=UNSURE).reason is Reason.LOOKS_BLACKLISTED


def test_a_look_alike_of_a_banned_plate_is_looked_at_twice() -> None:
    banned = row(ListName.BLACKLIST, ALIKE)

    first = ask(VISITOR, banned, sighting=UNSURE, looked_twice=False)

    assert told(first) == (Verdict.LOOK_AGAIN, Reason.LOOKS_BLACKLISTED)
    assert first.row == banned
    assert ask(VISITOR, banned, sighting=UNSURE).verdict is Verdict.REFUSE
    assert ask(VISITOR, banned, sighting=seen(), looked_twice=False).reason is Reason.VISITOR


def test_a_listed_plate_that_resembles_takes_certainty_away_although_it_does_not_count() -> None:
    expired = replace(row(ListName.INTERNALS, ALIKE), valid_until=NOW)
    elsewhere = replace(row(ListName.BLACKLIST, ALIKE), zone="carpark")

    for other in (expired, elsewhere):
        decision = ask(INTERNAL, other)
        assert decision.reason is Reason.INTERNAL
        assert not decision.certain


def test_the_store_is_asked_for_the_plate_and_all_it_may_be() -> None:
    assert keys(seen()) >= plate.look_alikes(CAR) | {CAR}
    assert keys(None) == frozenset()


def test_the_store_is_asked_for_an_identified_plate_alone() -> None:
    assert keys(seen(), ALIKE_TOO) == {ALIKE_TOO}
    assert keys(None, ALIKE_TOO) == {ALIKE_TOO}
    assert keys(None, "冀B1234挂") == frozenset()


# --- the outer entry, and exits -------------------------------------------------------------


def test_the_outer_entry_admits_everybody_and_limits_no_one() -> None:
    unknown, internal = ask(policy=OUTER), ask(INTERNAL, policy=OUTER)
    unread = ask(unread=True, policy=OUTER)

    for decision in (unknown, internal, unread):
        assert told(decision) == (Verdict.ADMIT, Reason.EVERYBODY)
        assert decision.limit is None


def test_the_outer_entry_refuses_only_plates_banned_from_the_car_park() -> None:
    inner_ban, alike = replace(BANNED, zone="visitors"), replace(BANNED, plate=ALIKE)

    assert ask(BANNED, policy=OUTER).reason is Reason.BLACKLISTED
    assert ask(inner_ban, policy=OUTER).verdict is Verdict.ADMIT
    assert ask(alike, sighting=UNSURE, policy=OUTER).verdict is Verdict.ADMIT
    assert ask(policy=OUTER, site=SiteState(lockdown=True)).reason is Reason.LOCKDOWN


def test_a_lockdown_leaves_the_exits_open() -> None:
    decision = ask(direction=Direction.EXIT, site=SiteState(lockdown=True))

    assert told(decision) == (Verdict.ADMIT, Reason.EXIT)


def test_an_exit_opens_for_what_it_cannot_read_at_once() -> None:
    assert ask(unread=True, direction=Direction.EXIT).reason is Reason.EXIT


def test_an_exit_says_which_plate_leaves() -> None:
    decision = ask(BANNED, direction=Direction.EXIT)

    assert told(decision) == (Verdict.ADMIT, Reason.EXIT)
    assert decision.plate == CAR


def test_a_plate_has_to_be_told_apart_from_every_banned_look_alike() -> None:
    """The reader is sure of the 8 that could be a B, and not of the 5 that could be an S."""
    halfway = seen("京A82545", weak={4: 0.7})
    listed = row(ListName.VISITORS, "京A82545")
    both = (row(ListName.BLACKLIST, "京AB2545"), row(ListName.BLACKLIST, "京A82S45"))

    assert ask(listed, *both, sighting=halfway).reason is Reason.LOOKS_BLACKLISTED
    assert ask(listed, both[0], sighting=halfway).reason is Reason.VISITOR


# --- who is bound by a limit ----------------------------------------------------------------


def test_internal_plates_that_are_not_exempt_are_bound_by_limits_in_whatever_zone() -> None:
    elsewhere = replace(INTERNAL, plate="京B00001", zone="somewhere")
    exempt = replace(INTERNAL, plate="京B00002")
    rows = (INTERNAL, elsewhere, exempt, replace(EXEMPT, plate="京B00002"), VISITOR)

    assert bound_by_limits(rows, NOW) == {CAR, "京B00001"}


def test_rows_that_are_over_or_not_yet_valid_bind_and_exempt_no_one() -> None:
    over = replace(INTERNAL, valid_until=NOW)
    coming = replace(EXEMPT, valid_from=NOW + timedelta(seconds=1))

    assert bound_by_limits((over,), NOW) == set()
    assert bound_by_limits((INTERNAL, coming), NOW) == {CAR}
