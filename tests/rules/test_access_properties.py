"""What holds for every question: the rules of access as properties."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.model import (
    Admits,
    Colour,
    Direction,
    Grounds,
    Limit,
    ListName,
    ListRow,
    ListVersion,
    Schedule,
    Sighting,
    SiteState,
    Then,
    VehicleClass,
    Verdict,
    ZonePolicy,
    ZoneState,
)
from gatekeeper.rules import access, plate
from gatekeeper.rules.access import Question, decide

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LIMIT = Limit(limit_s=600, warning_s=120, grace_s=60)
VERSIONS = tuple(ListVersion(list=name, version=7, as_of=NOW) for name in ListName)
POOL = ("京A82345", "京AB2345", "京A8Z345", "京A823S5", "冀B1234挂", "皖AD12345", "京A1234警")
moments = st.none() | st.integers(-2, 2).map(lambda hours: NOW + timedelta(hours=hours))
list_rows = st.builds(
    ListRow,
    list=st.sampled_from(ListName),
    plate=st.sampled_from(POOL),
    zone=st.sampled_from([None, "visitors", "carpark"]),
    valid_from=moments,
    valid_until=moments,
    note=st.sampled_from(["", "a", "b"]),
    version=st.integers(0, 3),
)


@st.composite
def sightings(draw: st.DrawFn) -> Sighting:
    text = draw(st.sampled_from(POOL))
    weak = draw(st.dictionaries(st.integers(0, len(text) - 1), st.just(0.7), max_size=2))
    return Sighting(
        plate=text,
        confidences=tuple(weak.get(place, 0.99) for place in range(len(text))),
        colour=draw(st.sampled_from(Colour)),
        rows=1,
        agreeing=3,
        frames=(1, 2, 3),
        alternatives=(),
        certain=draw(st.booleans()),
        first_at=1.0,
        last_at=1.4,
    )


grounds = st.builds(
    Grounds,
    direction=st.sampled_from(Direction),
    rows=st.lists(list_rows, max_size=6).map(tuple),
    zone=st.builds(
        ZoneState,
        zone=st.just("visitors"),
        count=st.integers(58, 61),
        trusted=st.booleans(),
        coming=st.integers(0, 2),
    ),
    site=st.builds(
        SiteState,
        fire=st.booleans(),
        held_open=st.booleans(),
        lockdown=st.booleans(),
        centre_away_s=st.sampled_from([0.0, 59.0, 61.0, None]),
    ),
    now=st.just(NOW),
    certain=st.just(0.98),
    fresh=st.lists(st.sampled_from(POOL), max_size=2).map(tuple),
    away_s=st.sampled_from([None, 100.0, 2000.0]),
    waited_s=st.sampled_from([0.0, 59.0, 61.0]),
    identified=st.none() | st.sampled_from(POOL),
    looked_twice=st.booleans(),
)
schedules = st.builds(
    Schedule,
    vehicle=st.sampled_from(VehicleClass),
    weekdays=st.sets(st.integers(0, 6), min_size=1).map(tuple),
    begins=st.times(),
    until=st.times(),
    then=st.sampled_from(Then),
)
questions = st.builds(
    Question,
    sighting=st.none() | sightings(),
    grounds=grounds,
    versions=st.sampled_from([VERSIONS, VERSIONS[:1], ()]),
    policy=st.builds(
        ZonePolicy,
        zone=st.sampled_from(["visitors", "carpark"]),
        admits=st.sampled_from(Admits),
        capacity=st.just(60),
        limit=st.just(LIMIT),
        when_full_admit=st.booleans(),
        unknown_when_offline_admit=st.booleans(),
        offline_after_s=st.just(60.0),
        when_registry_missing_admit=st.booleans(),
        unreadable_admit=st.booleans(),
        exempt_kinds=st.sampled_from([(), ("police", "emergency")]),
        schedules=st.lists(schedules, max_size=3).map(tuple),
        cooldown_s=st.sampled_from([0.0, 1800.0]),
    ),
)


def regrounded(question: Question, **changes: Any) -> Question:
    return replace(question, grounds=replace(question.grounds, **changes))


def counting(question: Question, name: ListName) -> list[ListRow]:
    return [
        each
        for each in question.grounds.rows
        if each.list is name
        and each.valid_at(question.grounds.now)
        and each.zone in (None, question.policy.zone)
    ]


def ordinary_entry(question: Question) -> Question:
    quiet = replace(question.grounds.site, fire=False, held_open=False)
    return regrounded(question, direction=Direction.ENTRY, site=quiet)


@given(questions)
def test_every_decision_names_its_rule_and_its_reason(question: Question) -> None:
    decision = decide(question)
    table, _, name = decision.rule.partition(".")
    rules = {"exit": access.EXITS, "everybody": access.EVERYBODY, "registered": access.REGISTERED}
    [named] = [rule for rule in rules[table] if rule.name == name]

    assert (named.verdict, named.reason) == (decision.verdict, decision.reason)
    assert decision.versions == question.versions


@given(questions)
def test_exits_admit_whatever_is_asked(question: Question) -> None:
    decision = decide(regrounded(question, direction=Direction.EXIT))

    assert decision.verdict is Verdict.ADMIT
    assert decision.limit is None


@given(questions, st.randoms(use_true_random=False))
def test_the_order_of_list_rows_does_not_matter(question: Question, chance: Random) -> None:
    rows = list(question.grounds.rows)
    chance.shuffle(rows)

    assert decide(regrounded(question, rows=tuple(rows))) == decide(question)


@given(questions)
def test_a_banned_plate_enters_only_as_exempt(question: Question) -> None:
    question = ordinary_entry(question)
    decision = decide(question)
    banned = {each.plate for each in counting(question, ListName.BLACKLIST)}
    exempt = {each.plate for each in counting(question, ListName.EXEMPT)}

    if decision.plate in banned - exempt:
        assert decision.verdict is Verdict.REFUSE


@given(questions)
def test_rows_that_do_not_count_never_open(question: Question) -> None:
    idle = [each for each in question.grounds.rows if not each.valid_at(question.grounds.now)]

    assert decide(question).row not in idle


@given(questions)
def test_expired_rows_admit_no_one_who_would_not_enter_without_any(question: Question) -> None:
    idle = [each for each in question.grounds.rows if not each.valid_at(question.grounds.now)]
    unlisted = decide(regrounded(question, rows=()))

    if decide(regrounded(question, rows=tuple(idle))).verdict is Verdict.ADMIT:
        assert unlisted.verdict is Verdict.ADMIT


@given(questions)
def test_a_ban_opens_no_inner_gate_that_was_shut_without_it(question: Question) -> None:
    question = ordinary_entry(question)
    question = replace(question, policy=replace(question.policy, admits=Admits.REGISTERED))
    others = [each for each in question.grounds.rows if each.list is not ListName.BLACKLIST]
    unbanned = decide(regrounded(question, rows=tuple(others)))

    if decide(question).verdict is Verdict.ADMIT:
        assert unbanned.verdict is Verdict.ADMIT


@given(questions)
def test_a_plate_given_by_a_person_is_decided_as_that_plate_and_never_certain(
    question: Question,
) -> None:
    decision = decide(question)

    if question.grounds.identified is not None:
        assert decision.plate in (question.grounds.identified, None)
        assert not decision.certain


@given(questions)
def test_no_one_is_looked_at_a_third_time(question: Question) -> None:
    decision = decide(regrounded(question, looked_twice=True))

    assert decision.verdict is not Verdict.LOOK_AGAIN


@given(questions)
def test_only_a_plate_read_in_every_character_stands_in_a_certain_decision(
    question: Question,
) -> None:
    decision = decide(question)

    if question.sighting is None or decision.plate != question.sighting.plate:
        assert not decision.certain


@given(questions)
def test_a_limit_is_for_internals_that_a_zone_of_the_registered_admits(question: Question) -> None:
    decision = decide(question)

    assert (decision.limit is not None) == (decision.rule == "registered.internal")


@given(questions)
def test_certain_means_read_so_and_no_look_alike_listed(question: Question) -> None:
    decision = decide(question)

    if decision.certain:
        assert question.sighting is not None
        assert question.sighting.certain
        assert decision.plate == question.sighting.plate
        listed = {each.plate for each in question.grounds.rows}
        assert not listed & plate.look_alikes(question.sighting.plate)


def test_each_table_ends_with_a_rule_that_always_applies_and_names_are_unique() -> None:
    for table in (access.EXITS, access.EVERYBODY, access.REGISTERED):
        names = [rule.name for rule in table]
        assert len(names) == len(set(names))
    assert [table[-1].name for table in (access.EXITS, access.EVERYBODY, access.REGISTERED)] == [
        "exit",
        "everybody",
        "not_bound",
    ]
