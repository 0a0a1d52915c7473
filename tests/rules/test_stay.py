from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gatekeeper.model import (
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
)
from gatekeeper.rules.stay import (
    AtExit,
    AwayFromExit,
    Doubted,
    Restarted,
    SeenOutside,
    StayInput,
    StayStep,
    Woken,
    begin,
    could_have_been,
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


def entry(decision: Decision) -> StayStep | None:
    return begin("s1", "visitors", decision, at(0), "inner-entry", "p1")


def begun(decision: Decision = DECISION) -> Stay:
    started = entry(decision)
    assert started is not None
    return started.stay


def after(*inputs: tuple[StayInput, Instant], stay: Stay | None = None) -> StayStep:
    """The last step, with the facts of all."""
    last = StayStep(stay=stay or begun())
    facts: list[Fact] = []
    for what, when in inputs:
        last = step(last.stay, what, when)
        facts += last.facts
    return replace(last, facts=tuple(facts))


def kinds(outcome: StayStep) -> list[type[Fact]]:
    return [type(fact) for fact in outcome.facts]


def left(end: PassageEnd, arrived: Instant) -> AwayFromExit:
    return AwayFromExit(end=end, arrived=arrived)


# --- the entry ------------------------------------------------------------------------------


def test_an_internal_car_has_a_limit_from_the_moment_it_passed() -> None:
    started = entry(DECISION)

    assert started is not None
    assert kinds(started) == [StayStarted]
    assert started.stay.limit == LIMIT
    assert started.stay.list_version == 7
    assert started.stay.doubts == ()
    assert started.wake_at == 480


@pytest.mark.parametrize(
    "vehicle", [VehicleClass.VISITOR, VehicleClass.EXEMPT, VehicleClass.UNKNOWN]
)
def test_nobody_else_has_a_limit(vehicle: VehicleClass) -> None:
    started = entry(replace(DECISION, vehicle=vehicle))

    assert started is not None
    assert started.stay.limit is None
    assert started.wake_at is None


def test_an_uncertain_entry_is_a_doubt() -> None:
    assert begun(replace(DECISION, certain=False)).doubts == (Doubt.ENTRY_UNCERTAIN,)


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
    assert warned.wake_at == 660
    assert after((Woken(), at(480)), (Woken(), at(500))).facts == warned.facts


def test_woken_too_early_it_only_asks_again() -> None:
    early = after((Woken(), at(100)))

    assert early.facts == ()
    assert early.wake_at == 480


def test_a_certain_overstay_is_blacklisted_at_once() -> None:
    over = after((Woken(), at(480)), (Woken(), at(660)))

    assert kinds(over) == [StayWarning, StayOverstayed, BlacklistAdded]
    assert over.stay.judgement is Judgement.OVERSTAYED
    assert [(row.list, row.plate, row.zone) for row in over.listed] == [
        (ListName.BLACKLIST, CAR, "visitors")
    ]
    assert over.wake_at is None


def test_within_the_grace_nothing_happens() -> None:
    assert after((Woken(), at(480)), (Woken(), at(659))).stay.judgement is None


def test_a_stay_is_judged_once() -> None:
    over = after(
        (Woken(), at(660)), (Woken(), at(700)), (left(PassageEnd.PASSED, at(800)), at(805))
    )

    assert kinds(over) == [StayOverstayed, BlacklistAdded, StayEnded]


@pytest.mark.parametrize("doubt", list(Doubt))
def test_with_any_doubt_an_overstay_is_only_suspected(doubt: Doubt) -> None:
    over = after((Doubted(doubt), at(300)), (Woken(), at(660)))

    assert kinds(over) == [StaySuspected]
    assert over.listed == ()
    assert over.stay.judgement is Judgement.SUSPECTED
    assert over.stay.doubts == (doubt,)


def test_a_doubt_after_the_window_changes_nothing() -> None:
    late = after((Doubted(Doubt.TAILGATING), at(661)), (Woken(), at(662)))

    assert late.stay.judgement is Judgement.OVERSTAYED
    assert after((Doubted(Doubt.TAILGATING), at(700)), stay=late.stay).stay == late.stay


def test_an_uncertain_entry_is_never_blacklisted() -> None:
    over = after((Woken(), at(660)), stay=begun(replace(DECISION, certain=False)))

    assert kinds(over) == [StaySuspected]


# --- the exit -------------------------------------------------------------------------------


def test_a_stay_ends_at_the_arrival_at_the_exit() -> None:
    out = after((AtExit(), at(590)), (left(PassageEnd.PASSED, at(590)), at(900)))

    assert kinds(out) == [StayEnded]
    assert out.stay.end is StayEnd.EXITED
    assert out.stay.ended == at(590)
    assert out.stay.judgement is None


def test_waiting_at_the_exit_stands_outside_the_limit() -> None:
    waiting = after((AtExit(), at(590)))

    assert waiting.wake_at is None
    assert after((Woken(), at(5000)), stay=waiting.stay).facts == ()


def test_a_car_that_backs_out_goes_on_without_the_wait() -> None:
    back = after((AtExit(), at(500)), (left(PassageEnd.BACKED_OUT, at(500)), at(700)))

    assert back.stay.paused_s == 200
    assert back.stay.doubts == ()
    assert back.wake_at == 700
    judged = after((Woken(), at(700)), (Woken(), at(859)), (Woken(), at(860)), stay=back.stay)
    assert kinds(judged) == [StayWarning, StayOverstayed, BlacklistAdded]


def test_a_visit_to_the_exit_that_timed_out_makes_the_stay_uncertain() -> None:
    over = after(
        (AtExit(), at(500)), (left(PassageEnd.TIMED_OUT, at(500)), at(560)), (Woken(), at(720))
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
        (Doubted(Doubt.COULD_HAVE_LEFT), at(300)),
        (Woken(), at(660)),
        (left(PassageEnd.PASSED, at(1980)), at(1985)),
    )

    assert kinds(out) == [StaySuspected, StayEnded]


def test_an_ended_stay_hears_nothing_more() -> None:
    out = after((left(PassageEnd.PASSED, at(300)), at(305)))

    for what in (Woken(), AtExit(), SeenOutside(), Restarted(), Doubted(Doubt.RESTART)):
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


def test_seen_outside_in_time_is_no_more_than_an_end() -> None:
    assert kinds(after((SeenOutside(), at(300)))) == [StayEnded]


def test_seen_outside_sets_an_automatic_entry_aside() -> None:
    out = after((Woken(), at(660)), (SeenOutside(), at(1500)))

    assert kinds(out) == [StayOverstayed, BlacklistAdded, StayEnded, BlacklistSuspended]
    assert out.suspended == (("visitors", CAR),)


# --- clocks and power -----------------------------------------------------------------------


def test_a_restart_inside_the_window_is_never_certain() -> None:
    over = after((Restarted(), at(300)), (Woken(), at(660)))

    assert kinds(over) == [StaySuspected]
    assert over.stay.doubts == (Doubt.RESTART,)


def test_a_power_cut_that_outlasted_the_window_is_never_certain() -> None:
    over = after(
        (Restarted(), at(3600, boot="b", boot_s=30)), (Woken(), at(3601, boot="b", boot_s=31))
    )

    assert kinds(over) == [StaySuspected]


def test_another_boot_without_a_restart_told_is_never_certain() -> None:
    assert kinds(after((Woken(), at(3600, boot="b", boot_s=30)))) == [StaySuspected]


def test_a_restart_after_the_judgement_leaves_it_certain() -> None:
    over = after((Woken(), at(660)), (Restarted(), at(700)))

    assert over.stay.doubts == ()
    assert over.stay.judgement is Judgement.OVERSTAYED


def test_a_restart_while_waiting_at_the_exit_ends_the_wait() -> None:
    back = after((AtExit(), at(500)), (Restarted(), at(700)))

    assert back.stay.paused_at is None
    assert back.stay.paused_s == 200
    assert back.wake_at == 700


def test_a_step_of_the_wall_clock_neither_ends_nor_extends_a_stay() -> None:
    stepped = replace(at(300), wall=NINE + timedelta(days=400))

    assert after((Woken(), stepped)).facts == ()
    assert after((Woken(), replace(at(660), wall=NINE - timedelta(days=400)))).listed


def test_between_two_controllers_ten_seconds_are_taken_off() -> None:
    def seen_leaving(s: float) -> StayStep:
        arrived = at(s, boot="other", boot_s=77)
        return after((left(PassageEnd.PASSED, arrived), arrived))

    assert kinds(seen_leaving(669)) == [StayEnded]
    assert kinds(seen_leaving(671)) == [StayOverstayed, BlacklistAdded, StayEnded]


def test_between_two_controllers_an_untrusted_clock_is_suspected_at_most() -> None:
    arrived = at(700, boot="other", boot_s=77, trusted=False)

    assert kinds(after((left(PassageEnd.PASSED, arrived), arrived))) == [StaySuspected, StayEnded]


def test_while_no_clock_can_tell_it_asks_again_later() -> None:
    asleep = after((Woken(), at(3600, boot="b", boot_s=30, trusted=False)))

    assert asleep.facts == ()
    assert asleep.wake_at == 90


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
