from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gatekeeper.model import (
    Admits,
    BlacklistAdded,
    BlacklistSuspended,
    Colour,
    Decision,
    Doubt,
    Fact,
    Instant,
    Judgement,
    Limit,
    ListName,
    ListRow,
    NotedDoubt,
    PassageEnd,
    Reason,
    Sighting,
    Stay,
    StayEnd,
    StayEnded,
    StayOverstayed,
    StayStarted,
    StaySuspected,
    StayWarning,
    VehicleClass,
    Verdict,
    ZonePolicy,
)
from gatekeeper.rules import pauses
from gatekeeper.rules.stay import (
    QUIET,
    Around,
    AwayFromExit,
    Doubted,
    Eased,
    GivenUp,
    Restarted,
    SeenOutside,
    StayInput,
    StayStep,
    Woken,
    begin,
    could_have_been,
    counted_s,
    is_too_old,
    is_watched,
    step,
)

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
LIMIT = Limit(limit_s=600, warning_s=120, grace_s=60)
CAR = "京A12345"


def at(s: float, *, boot: str = "a", trusted: bool = True, boot_s: float | None = None) -> Instant:
    """`s` seconds after the entry; the boot clock says the same unless told otherwise."""
    return Instant(
        boot_id=boot,
        boot_s=s if boot_s is None else boot_s,
        wall=NINE + timedelta(seconds=s),
        trusted=trusted,
    )


DECISION = Decision(
    verdict=Verdict.ADMIT,
    reason=Reason.INTERNAL,
    rule="registered.internal",
    plate=CAR,
    vehicle=VehicleClass.INTERNAL,
    certain=True,
    limit=LIMIT,
    row=ListRow(list=ListName.INTERNALS, plate=CAR, version=7),
)
VISITOR = replace(DECISION, vehicle=VehicleClass.VISITOR, reason=Reason.VISITOR, limit=None)


def entry(decision: Decision, *doubts: Doubt) -> StayStep | None:
    return begin("s1", "visitors", decision, at(0), "inner-entry", "p1", doubts)


def begun(decision: Decision = DECISION) -> Stay:
    started = entry(decision)
    assert started is not None
    return started.stay


def after(
    *inputs: tuple[StayInput, Instant], stay: Stay | None = None, around: Around = QUIET
) -> StayStep:
    """The last step, with the facts of all."""
    last = StayStep(stay=stay or begun())
    facts: list[Fact] = []
    for what, when in inputs:
        last = step(last.stay, what, when, around)
        facts += last.facts
    return replace(last, facts=tuple(facts))


def kinds(outcome: StayStep) -> list[type[Fact]]:
    return [type(fact) for fact in outcome.facts]


def left(end: PassageEnd, arrived: Instant) -> AwayFromExit:
    return AwayFromExit(end=end, arrived=arrived)


def found(doubt: Doubt, when: Instant) -> Doubted:
    return Doubted(NotedDoubt(doubt=doubt, at=when))


def occupied(since: float, until: float | None = None) -> Around:
    """An exit was occupied for a while, or still is."""
    paused = pauses.began(pauses.NONE, "inner-exit", since)
    if until is not None:
        paused = pauses.ended(paused, "inner-exit", until)
    return Around(paused=paused)


# --- the entry ------------------------------------------------------------------------------


def test_an_internal_car_has_a_limit_from_the_moment_it_passed() -> None:
    started = entry(DECISION)

    assert started is not None
    assert kinds(started) == [StayStarted]
    assert started.stay.limit == LIMIT
    assert started.stay.list_version == 7
    assert started.stay.noted == ()
    assert started.stay.counted_from == at(0)
    assert started.wake_at == 480


@pytest.mark.parametrize(
    "vehicle", [VehicleClass.VISITOR, VehicleClass.EXEMPT, VehicleClass.UNKNOWN]
)
def test_no_one_else_has_a_limit(vehicle: VehicleClass) -> None:
    started = entry(replace(DECISION, vehicle=vehicle))

    assert started is not None
    assert started.stay.limit is None
    assert started.wake_at is None


def test_an_uncertain_entry_is_a_blemish_of_the_entry() -> None:
    assert begun(replace(DECISION, certain=False)).noted == (
        NotedDoubt(doubt=Doubt.ENTRY_UNCERTAIN, at=at(0), lane="inner-entry", passage="p1"),
    )


def test_what_was_doubtful_before_it_entered_is_on_the_window_from_the_start_each_once() -> None:
    started = entry(
        replace(DECISION, certain=False),
        Doubt.ENTRY_UNCERTAIN,
        Doubt.PEER_AWAY,
        Doubt.PEER_AWAY,
    )

    assert started is not None
    assert started.stay.doubts == (Doubt.ENTRY_UNCERTAIN, Doubt.PEER_AWAY)


@pytest.mark.parametrize(
    "decision",
    [
        replace(DECISION, plate=None),
        replace(DECISION, plate="冀B1234挂"),
        replace(DECISION, verdict=Verdict.REFUSE),
    ],
    ids=["unread", "a trailer", "refused, and crossed all the same"],
)
def test_what_starts_no_stay(decision: Decision) -> None:
    assert entry(decision) is None


# --- the limit ------------------------------------------------------------------------------


def test_the_warning_comes_once_two_minutes_before_the_limit() -> None:
    warned = after((Woken(), at(480)))

    assert warned.facts == (StayWarning(stay="s1", zone="visitors", plate=CAR, left_s=120),)
    assert warned.wake_at == 670
    assert after((Woken(), at(480)), (Woken(), at(500))).facts == warned.facts


def test_woken_too_early_it_only_asks_again() -> None:
    early = after((Woken(), at(100)))

    assert early.facts == ()
    assert early.wake_at == 480


def test_a_certain_overstay_is_blacklisted_at_once() -> None:
    over = after((Woken(), at(480)), (Woken(), at(670)))

    assert kinds(over) == [StayWarning, StayOverstayed, BlacklistAdded]
    assert over.stay.judgement is Judgement.OVERSTAYED
    assert [(row.list, row.plate, row.zone) for row in over.listed] == [
        (ListName.BLACKLIST, CAR, "visitors")
    ]
    assert over.wake_at is None


def test_within_the_grace_nothing_happens() -> None:
    assert after((Woken(), at(480)), (Woken(), at(659))).stay.judgement is None


def test_no_one_is_judged_by_the_clock_before_late_news_has_come() -> None:
    assert after((Woken(), at(669))).stay.judgement is None
    told_late = after((found(Doubt.EXIT_LANE_UNHEALTHY, at(664)), at(664)), (Woken(), at(670)))
    assert kinds(told_late) == [StaySuspected]


def test_where_news_may_be_later_the_judgement_is_later() -> None:
    around = Around(settling_s=90)

    assert after((Woken(), at(749)), around=around).stay.judgement is None
    assert after((Woken(), at(480)), around=around).wake_at == 750
    assert after((Woken(), at(750)), around=around).stay.judgement is Judgement.OVERSTAYED


def test_a_row_on_the_blacklist_ends_when_the_site_says_so() -> None:
    over = after((Woken(), at(670)), around=Around(blacklist_days=30))

    (row,) = over.listed
    assert row.valid_until == at(670).wall + timedelta(days=30)
    (added,) = (fact for fact in over.facts if isinstance(fact, BlacklistAdded))
    assert added.until == row.valid_until


def test_where_limits_are_advisory_no_one_is_blacklisted_and_no_one_is_called_each_time() -> None:
    over = after((Woken(), at(670)), around=Around(advisory=True))

    assert over.facts == ()
    assert over.listed == ()
    assert over.stay.judgement is Judgement.SUSPECTED
    assert over.stay.doubts == (Doubt.ADVISORY_ZONE,)


def test_a_stay_is_judged_once() -> None:
    over = after(
        (Woken(), at(670)), (Woken(), at(700)), (left(PassageEnd.PASSED, at(800)), at(805))
    )

    assert kinds(over) == [StayOverstayed, BlacklistAdded, StayEnded]


@pytest.mark.parametrize("doubt", list(Doubt))
def test_with_any_doubt_an_overstay_is_only_suspected(doubt: Doubt) -> None:
    noted = NotedDoubt(doubt=doubt, at=at(300), lane="inner-exit", passage="p2", detail="why")
    over = after((Doubted(noted), at(300)), (Woken(), at(670)))

    assert kinds(over) == [StaySuspected]
    assert over.listed == ()
    assert over.stay.judgement is Judgement.SUSPECTED
    assert over.stay.noted == (noted,)
    (suspected,) = over.facts
    assert isinstance(suspected, StaySuspected)
    assert (suspected.doubts, suspected.because) == ((doubt,), (noted,))


def test_a_kind_of_doubt_is_found_once() -> None:
    twice = after(
        (found(Doubt.TAILGATING, at(100)), at(100)), (found(Doubt.TAILGATING, at(200)), at(200))
    )

    assert twice.stay.noted == (NotedDoubt(doubt=Doubt.TAILGATING, at=at(100)),)


def test_a_doubt_after_the_judgement_changes_nothing() -> None:
    late = after((Woken(), at(670)))

    assert late.stay.judgement is Judgement.OVERSTAYED
    tailgated = (found(Doubt.TAILGATING, at(700)), at(700))
    assert after(tailgated, stay=late.stay).stay == late.stay


def test_an_uncertain_entry_is_never_blacklisted() -> None:
    over = after((Woken(), at(670)), stay=begun(replace(DECISION, certain=False)))

    assert kinds(over) == [StaySuspected]


# --- the exit -------------------------------------------------------------------------------


def test_a_stay_ends_at_the_arrival_at_the_exit() -> None:
    out = after((left(PassageEnd.PASSED, at(590)), at(900)), around=occupied(590))

    assert kinds(out) == [StayEnded]
    assert out.stay.end is StayEnd.EXITED
    assert out.stay.ended == at(590)
    assert out.stay.judgement is None


def test_while_an_exit_is_occupied_nothing_is_due() -> None:
    waiting = after((Woken(), at(479)), around=occupied(470))

    assert waiting.wake_at is None
    assert after((Woken(), at(5000)), stay=waiting.stay, around=occupied(470)).facts == ()


def test_until_the_next_car_of_a_queue_can_have_rolled_up_nothing_is_due() -> None:
    around = occupied(470, 475)

    assert after((Woken(), at(494)), around=around).facts == ()
    assert after((Woken(), at(480)), around=around).wake_at == 495
    assert after((Woken(), at(495)), around=around).stay.warned


def test_a_car_that_backs_out_goes_on_without_the_wait() -> None:
    around = occupied(500, 700)
    warned = after((Woken(), at(480))).stay
    back = after((left(PassageEnd.BACKED_OUT, at(500)), at(700)), stay=warned, around=around)

    assert counted_s(back.stay, at(700), around) == 500
    assert back.stay.noted == ()
    assert back.wake_at == 870
    early = after((Woken(), at(869)), stay=back.stay, around=around)
    assert early.facts == ()
    judged = after((Woken(), at(870)), stay=back.stay, around=around)
    assert kinds(judged) == [StayOverstayed, BlacklistAdded]
    assert isinstance(judged.facts[0], StayOverstayed)
    assert judged.facts[0].stayed_s == 670


def test_a_queue_before_the_exit_is_not_the_drivers_fault() -> None:
    out = after((left(PassageEnd.PASSED, at(1000)), at(1010)), around=occupied(600, 1000))

    assert kinds(out) == [StayEnded]
    assert isinstance(out.facts[0], StayEnded)
    assert out.facts[0].stayed_s == 600


def test_a_visit_to_the_exit_that_timed_out_makes_the_stay_uncertain() -> None:
    over = after(
        (left(PassageEnd.TIMED_OUT, at(500)), at(560)),
        (Woken(), at(730)),
        around=occupied(500, 560),
    )

    assert kinds(over) == [StaySuspected]
    assert over.stay.doubts == (Doubt.EXIT_TIMED_OUT,)


def test_an_overstay_first_noticed_at_the_exit_is_judged_before_it_ends() -> None:
    over = after((left(PassageEnd.PASSED, at(700)), at(710)))

    assert kinds(over) == [StayOverstayed, BlacklistAdded, StayEnded]
    assert len(over.listed) == 1


def test_a_presumed_passage_is_never_certain() -> None:
    over = after((left(PassageEnd.PASSED_PRESUMED, at(700)), at(760)))

    assert kinds(over) == [StaySuspected, StayEnded]
    assert over.listed == ()


def test_a_suspected_stay_is_not_blacklisted_when_it_is_later_read_leaving() -> None:
    out = after(
        (found(Doubt.COULD_HAVE_LEFT, at(300)), at(300)),
        (Woken(), at(670)),
        (left(PassageEnd.PASSED, at(1980)), at(1985)),
    )

    assert kinds(out) == [StaySuspected, StayEnded]


def test_an_ended_stay_hears_nothing_more() -> None:
    out = after((left(PassageEnd.PASSED, at(300)), at(305)))

    for what in (
        Woken(),
        SeenOutside(),
        Restarted(),
        GivenUp(),
        Eased(None),
        found(Doubt.RESTART, at(9000)),
        left(PassageEnd.PASSED, at(9000)),
    ):
        assert step(out.stay, what, at(9000)) == StayStep(stay=out.stay)


def test_a_visitor_may_stay_for_days() -> None:
    out = after(
        (Woken(), at(86_400)),
        (Restarted(), at(90_000, boot="b")),
        (left(PassageEnd.PASSED, at(172_800)), at(172_805)),
        stay=begun(VISITOR),
    )

    assert kinds(out) == [StayEnded]


# --- seen outside ---------------------------------------------------------------------------


def test_a_missed_exit_never_blacklists_anybody() -> None:
    out = after((SeenOutside(), at(1500)))

    assert kinds(out) == [StaySuspected, StayEnded]
    assert out.listed == ()
    assert out.stay.end is StayEnd.UNOBSERVED
    assert out.stay.doubts == (Doubt.SEEN_ELSEWHERE,)


def test_seen_outside_in_time_is_no_more_than_an_end() -> None:
    assert kinds(after((SeenOutside(), at(300)))) == [StayEnded]


def test_seen_outside_sets_an_automatic_entry_aside() -> None:
    out = after((Woken(), at(670)), (SeenOutside(), at(1500)))

    assert kinds(out) == [StayOverstayed, BlacklistAdded, StayEnded, BlacklistSuspended]
    assert out.suspended == (("visitors", CAR),)


# --- given up -------------------------------------------------------------------------------


def test_a_stay_that_no_one_believes_in_is_abandoned() -> None:
    out = after((GivenUp(), at(86_400)), stay=begun(VISITOR))

    assert kinds(out) == [StayEnded]
    assert out.stay.end is StayEnd.ABANDONED


def test_who_is_given_up_before_being_judged_is_suspected_at_most() -> None:
    out = after((GivenUp(), at(665)))

    assert kinds(out) == [StaySuspected, StayEnded]
    assert out.listed == ()
    assert out.stay.doubts == (Doubt.COULD_HAVE_LEFT,)


def test_giving_a_stay_up_leaves_what_was_certain_before() -> None:
    out = after((Woken(), at(670)), (GivenUp(), at(86_400)))

    assert kinds(out) == [StayOverstayed, BlacklistAdded, StayEnded]
    assert out.stay.judgement is Judgement.OVERSTAYED


# --- a limit that is eased ------------------------------------------------------------------

LONGER = replace(LIMIT, limit_s=1200)


def test_a_limit_may_be_lifted() -> None:
    eased = after((Eased(None), at(300)))

    assert eased.stay.limit is None
    assert not is_watched(eased.stay)
    assert eased.wake_at is None
    assert after((Woken(), at(9000)), stay=eased.stay).facts == ()


def test_a_limit_may_become_longer() -> None:
    eased = after((Eased(LONGER), at(300)))

    assert eased.wake_at == 1080
    assert after((Woken(), at(670)), stay=eased.stay).facts == ()
    assert after((Woken(), at(1270)), stay=eased.stay).stay.judgement is Judgement.OVERSTAYED


@pytest.mark.parametrize(
    "limit",
    [LIMIT, replace(LIMIT, limit_s=300), replace(LIMIT, limit_s=601, grace_s=0)],
    ids=["the same", "a shorter one", "a longer one that is over sooner"],
)
def test_a_limit_never_becomes_shorter(limit: Limit) -> None:
    assert after((Eased(limit), at(300))).stay.limit == LIMIT


def test_a_later_change_of_list_creates_no_limit() -> None:
    assert after((Eased(LIMIT), at(300)), stay=begun(VISITOR)).stay.limit is None


def test_a_limit_lifted_after_the_judgement_changes_nothing() -> None:
    over = after((Woken(), at(670)), (Eased(None), at(700)))

    assert over.stay.limit == LIMIT
    assert over.stay.judgement is Judgement.OVERSTAYED


# --- clocks and power -----------------------------------------------------------------------


def test_after_a_restart_the_limit_begins_again_and_never_ends_as_certain() -> None:
    restarted = after((Restarted(), at(300)))

    assert restarted.stay.counted_from == at(300)
    assert restarted.stay.entered == at(0)
    assert restarted.stay.doubts == (Doubt.RESTART,)
    assert restarted.wake_at == 780
    assert after((Woken(), at(670)), stay=restarted.stay).stay.judgement is None
    assert kinds(after((Woken(), at(970)), stay=restarted.stay)) == [StaySuspected]


def test_after_a_power_cut_time_counts_from_the_new_boot() -> None:
    booted = after((Restarted(), at(3600, boot="b", boot_s=30)))

    assert booted.wake_at == 510
    over = after((Woken(), at(4270, boot="b", boot_s=700)), stay=booted.stay)
    assert kinds(over) == [StaySuspected]


def test_another_boot_without_a_restart_told_is_a_restart() -> None:
    woken = after((Woken(), at(3600, boot="b", boot_s=30)))

    assert woken.facts == ()
    assert woken.stay.doubts == (Doubt.RESTART,)
    assert woken.wake_at == 510


def test_a_restart_after_the_judgement_leaves_it_certain() -> None:
    over = after((Woken(), at(670)), (Restarted(), at(700)))

    assert over.stay.doubts == ()
    assert over.stay.judgement is Judgement.OVERSTAYED


def test_a_step_of_the_wall_clock_neither_ends_nor_extends_a_stay() -> None:
    stepped = replace(at(300), wall=NINE + timedelta(days=400))

    assert after((Woken(), stepped)).facts == ()
    assert after((Woken(), replace(at(670), wall=NINE - timedelta(days=400)))).listed


def test_time_on_a_boot_clock_that_no_one_told_of_counts_nothing() -> None:
    arrived = at(700, boot="other", boot_s=77)

    assert counted_s(begun(), arrived) == 0
    assert kinds(after((left(PassageEnd.PASSED, arrived), at(700)))) == [StayEnded]


# --- could it have been this car ------------------------------------------------------------


def passing(text: str, confidence: float = 0.99) -> Sighting:
    return Sighting(
        plate=text,
        confidences=(confidence,) * len(text),
        colour=Colour.UNKNOWN,
        rows=1,
        agreeing=2,
        frames=(1, 2),
        alternatives=(),
        certain=False,
        first_at=0.0,
        last_at=0.1,
    )


@pytest.mark.parametrize(
    ("sighting", "answer"),
    [
        (None, True),
        (passing(CAR), True),
        (passing("京A12399"), True),
        (passing("京ALZ34S"), True),
        (passing("京A99945"), False),
        (passing("京A99945", 0.9), True),
        (passing("沪B67890"), False),
        (passing("京A2345"), True),
        (passing("冀B1234挂"), True),
        (replace(passing("沪B67890"), alternatives=((CAR, 0.1),)), True),
    ],
    ids=[
        "unread",
        "read so",
        "two characters contradict",
        "confusable characters contradict nothing",
        "three characters contradict",
        "not surely",
        "quite another plate",
        "a character is missing",
        "a trailer",
        "one frame read it",
    ],
)
def test_whether_a_passage_could_have_been_this_plate(
    sighting: Sighting | None, answer: bool
) -> None:
    assert could_have_been(sighting, CAR, 0.98) is answer


# --- a list row that ends -------------------------------------------------------------------


def bound(until_s: float) -> ListRow:
    until = NINE + timedelta(seconds=until_s)
    return ListRow(list=ListName.INTERNALS, plate=CAR, valid_until=until, version=7)


BRIEF = replace(DECISION, row=bound(640))


def test_a_stay_remembers_until_when_its_plate_is_bound_by_the_limit() -> None:
    assert begun(BRIEF).limit == replace(LIMIT, until=NINE + timedelta(seconds=640))
    assert begun().limit == LIMIT
    assert begun(replace(BRIEF, limit=None)).limit is None


def test_a_limit_that_is_made_longer_ends_with_its_list_row_all_the_same() -> None:
    longer = replace(LIMIT, limit_s=900)
    eased = after((Eased(limit=longer), at(10)), stay=begun(BRIEF))

    assert eased.stay.limit == replace(longer, until=NINE + timedelta(seconds=640))


@pytest.mark.parametrize(("ended_s", "limited"), [(639.9, True), (640.0, False)])
def test_the_limit_is_lifted_at_the_moment_its_list_row_ends(ended_s: float, limited: bool) -> None:
    then = after((Woken(), at(ended_s)), stay=begun(BRIEF))

    assert (then.stay.limit is not None) is limited
    assert (then.wake_at is not None) is limited


def test_who_leaves_late_after_its_list_row_has_ended_is_not_judged() -> None:
    gone = after((left(PassageEnd.PASSED, at(665)), at(670)), stay=begun(BRIEF))

    assert kinds(gone) == [StayEnded]


def test_a_list_row_that_ends_after_the_judgement_changes_nothing() -> None:
    judged = after((Woken(), at(670)), stay=begun(replace(DECISION, row=bound(671))))

    assert judged.stay.judgement is Judgement.OVERSTAYED
    assert after((Woken(), at(700)), stay=judged.stay).stay.limit == judged.stay.limit


def test_by_a_clock_that_is_not_trusted_a_row_that_ends_some_day_makes_nothing_certain() -> None:
    judged = after(
        (Woken(), at(670, trusted=False)), stay=begun(replace(DECISION, row=bound(86_400)))
    )

    assert judged.stay.judgement is Judgement.SUSPECTED
    assert judged.stay.doubts == (Doubt.CLOCK_UNTRUSTED,)


# --- stays that go on for too long ----------------------------------------------------------

BELIEVED = ZonePolicy(
    zone="visitors",
    admits=Admits.REGISTERED,
    capacity=60,
    limit=LIMIT,
    abandon_limited_s=1000.0,
    abandon_s=5000.0,
)


@pytest.mark.parametrize(("decision", "longest_s"), [(DECISION, 1000.0), (VISITOR, 5000.0)])
def test_a_stay_is_believed_for_as_long_as_the_policy_says_of_its_class(
    decision: Decision, longest_s: float
) -> None:
    assert not is_too_old(begun(decision), BELIEVED, at(longest_s))
    assert is_too_old(begun(decision), BELIEVED, at(longest_s + 0.1))


def test_how_old_a_stay_from_before_a_boot_is_is_not_asked() -> None:
    assert not is_too_old(begun(), BELIEVED, at(9e9, boot="b"))


def test_time_that_ran_backwards_counts_as_none() -> None:
    assert counted_s(begun(), at(-5)) == 0.0
    assert counted_s(begun(), at(100, boot="b")) == 0.0
    assert counted_s(begun(), at(100)) == 100.0


def test_a_character_as_sure_as_the_measured_level_contradicts() -> None:
    read = passing("沪B67890", 0.98)
    assert not could_have_been(read, CAR, 0.98)
    assert could_have_been(read, CAR, 0.9800001)


def test_a_stay_that_is_overdue_asks_to_be_woken_now() -> None:
    warned = after((Woken(), at(500)))
    tailgated = Doubted(NotedDoubt(doubt=Doubt.TAILGATING, at=at(300)))
    assert step(warned.stay, tailgated, at(800)).wake_at == 800.0
