"""Overstay and blacklist: rows 1 to 12 of the situations at the gate."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from gatekeeper.config.advice import warnings
from gatekeeper.model import (
    AssistanceWanted,
    BlacklistAdded,
    BlacklistSuspended,
    Colour,
    Doubt,
    Judgement,
    ListName,
    Sensor,
    StayEnd,
    StayEnded,
    StayOverstayed,
    StayStarted,
    StaySuspected,
    StayWarning,
    VehicleClass,
    ZoneSummary,
)

if TYPE_CHECKING:
    from tests.rules.situations.conftest import Build, Site

STAFF = "闽C12345"
COLLEAGUE = "闽D67F89"
VISITOR = "闽A88H66"


# --- 1: what a clean window is ----------------------------------------------------------------


def test_row_01_a_certain_entry_and_a_clean_window_make_a_certain_overstay(site: "Site") -> None:
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=12)
    assert site.facts(StayWarning)[0].left_s == pytest.approx(120, abs=0.1)
    assert [fact.plate for fact in site.facts(StayOverstayed)] == [STAFF]
    assert site.stay(STAFF).judgement is Judgement.OVERSTAYED
    assert not site.doubts(STAFF)
    assert [fact.plate for fact in site.facts(BlacklistAdded)] == [STAFF]
    assert site.banned(STAFF)
    site.leave(STAFF)
    assert site.openings("inner-exit") == 1
    site.arrive("inner-entry", STAFF)
    assert site.decisions("inner-entry")[-1] == "blacklisted"


def _suspected_only(site: "Site", doubt: Doubt, plate: str = STAFF) -> None:
    """The overstay was found, for a person to decide, and no plate is on the blacklist."""
    site.wait(minutes=20)
    assert [fact.plate for fact in site.facts(StaySuspected)] == [plate]
    assert doubt in site.facts(StaySuspected)[0].doubts
    assert doubt in site.doubts(plate)
    assert site.stay(plate).judgement is Judgement.SUSPECTED
    assert not site.facts(StayOverstayed)
    assert not site.banned(plate)


def _stays_while(site: "Site", happens: Callable[["Site"], None], doubt: Doubt) -> None:
    """Something happens early in the stay, and its overstay is only suspected."""
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=3)
    happens(site)
    _suspected_only(site, doubt)


def _enters_before_a_dead_exit(site: "Site") -> None:
    """The exit is blind when the stay begins, and its overstay is only suspected."""
    site.employ(STAFF)
    site.camera("inner-exit", alive=False)
    site.wait(60)
    site.enter(STAFF)
    site.camera("inner-exit", alive=True)
    _suspected_only(site, Doubt.EXIT_LANE_UNHEALTHY)


def test_row_01_who_leaves_unseen_and_comes_back_unseen_is_only_suspected(site: "Site") -> None:
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=5)
    site.drive_through("inner-exit")
    site.wait(minutes=10)
    site.drive_through("inner-entry")
    site.wait(minutes=13)
    site.leave(STAFF)
    assert site.openings("inner-exit") == 2
    assert site.stay(STAFF).end is StayEnd.EXITED
    _suspected_only(site, Doubt.COULD_HAVE_LEFT)


def _leaves_unread(site: "Site") -> None:
    site.drive_through("inner-exit")


def _leaves_blurred(site: "Site") -> None:
    site.leave("闽C12399", unsure=(5, 6))


def _leaves_confused(site: "Site") -> None:
    site.leave("闽C1Z34S")


def _leaves_with_a_character_lost(site: "Site") -> None:
    site.drive_through("inner-exit", "闽C12345F", colour=Colour.GREEN)


def _leaves_bumper_to_bumper(site: "Site") -> None:
    site.bumper_to_bumper("inner-exit", VISITOR)


def _tailgates_out(site: "Site") -> None:
    site.tailgate("inner-exit", VISITOR)


def _leaves_with_a_gap(site: "Site") -> None:
    site.cross_with_a_gap("inner-exit", VISITOR, free_s=0.6, again_s=0.6)


def _leaves_side_by_side(site: "Site") -> None:
    site.drive_through("inner-exit", VISITOR, COLLEAGUE)


def _comes_out_by_the_entry(site: "Site") -> None:
    site.loop("inner-entry", Sensor.SAFETY, True)
    site.wait(1)
    site.loop("inner-entry", Sensor.ARRIVAL, True)
    site.wait(1)
    site.loop("inner-entry", Sensor.SAFETY, False)
    site.wait(1)
    site.loop("inner-entry", Sensor.ARRIVAL, False)
    site.wait(5)


def _loses_the_camera_at_the_exit(site: "Site") -> None:
    site.camera("inner-exit", alive=False)
    site.wait(30)
    site.camera("inner-exit", alive=True)


def _orders_the_exit_open(site: "Site") -> None:
    assert site.order("open", lane="inner-exit").outcome == "done"


def _raises_the_boom_by_hand(site: "Site") -> None:
    site.loop("inner-exit", Sensor.BOOM_UP, True)
    assert "boom_without_command" in site.standing("inner-exit")
    site.wait(20)
    site.loop("inner-exit", Sensor.BOOM_UP, False)
    assert site.standing("inner-exit") == set()


def _raises_the_boom_of_the_entry_by_hand(site: "Site") -> None:
    site.loop("inner-entry", Sensor.BOOM_UP, True)


HIDDEN_EXITS = pytest.mark.parametrize(
    ("happens", "doubt"),
    [
        (_leaves_unread, Doubt.COULD_HAVE_LEFT),
        (_leaves_blurred, Doubt.COULD_HAVE_LEFT),
        (_leaves_confused, Doubt.COULD_HAVE_LEFT),
        (_leaves_with_a_character_lost, Doubt.COULD_HAVE_LEFT),
        (_leaves_bumper_to_bumper, Doubt.SAFETY_LOOP_LONG),
        (_tailgates_out, Doubt.TAILGATING),
        (_leaves_with_a_gap, Doubt.SAFETY_LOOP_GAP),
        (_leaves_side_by_side, Doubt.SECOND_PLATE),
        (_comes_out_by_the_entry, Doubt.DIRECTION_UNKNOWN),
        (_loses_the_camera_at_the_exit, Doubt.EXIT_LANE_UNHEALTHY),
        (_orders_the_exit_open, Doubt.ORDERED_OPENING),
        (_raises_the_boom_by_hand, Doubt.BOOM_WITHOUT_COMMAND),
        (_raises_the_boom_of_the_entry_by_hand, Doubt.BOOM_WITHOUT_COMMAND),
    ],
)


@HIDDEN_EXITS
def test_row_01_whatever_may_hide_an_exit_leaves_it_to_a_person(
    site: "Site", happens: Callable[["Site"], None], doubt: Doubt
) -> None:
    _stays_while(site, happens, doubt)


def test_row_01_the_camera_at_the_exit_was_dead_already_at_the_entry(site: "Site") -> None:
    _enters_before_a_dead_exit(site)


def test_row_01_a_boom_that_rises_on_command_spoils_nothing(site: "Site") -> None:
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=3)
    site.arrive("inner-exit", VISITOR)
    site.loop("inner-exit", Sensor.BOOM_UP, True)
    site.cross("inner-exit")
    site.loop("inner-exit", Sensor.BOOM_UP, False)
    assert site.alarms("inner-exit") == set()
    site.wait(minutes=12)
    assert site.banned(STAFF)


def test_row_01_other_cars_that_leave_with_a_sure_read_spoil_nothing(site: "Site") -> None:
    site.employ(STAFF)
    site.enter(STAFF)
    for _ in range(4):
        site.wait(minutes=1)
        site.leave(VISITOR)
        site.leave(COLLEAGUE)
    site.wait(minutes=12)
    assert site.banned(STAFF)


@pytest.mark.parametrize("sure", [0.97, 0.9])
def test_row_01_an_entry_read_with_less_than_certainty_never_bans(
    site: "Site", sure: float
) -> None:
    site.employ(STAFF)
    site.enter(STAFF, sure=sure)
    _suspected_only(site, Doubt.ENTRY_UNCERTAIN)


def test_row_01_two_frames_open_the_barrier_and_do_not_ban(site: "Site") -> None:
    site.employ(STAFF)
    site.enter(STAFF, frames=2)
    assert site.openings("inner-entry") == 1
    _suspected_only(site, Doubt.ENTRY_UNCERTAIN)


def test_row_01_a_listed_plate_one_confusable_character_away_takes_the_certainty(
    site: "Site",
) -> None:
    site.employ(STAFF)
    site.bind("闽C1234S")
    site.enter(STAFF)
    _suspected_only(site, Doubt.ENTRY_UNCERTAIN)


def _reverses_out(site: "Site", *plates: str) -> None:
    """Its tail comes back onto the arrival loop before its nose is off the safety loop; a next
    car that rolls up behind it makes the same edges.
    """
    site.arrive("inner-entry", STAFF)
    site.drive_on("inner-entry")
    site.wait(0.5)
    site.loop("inner-entry", Sensor.ARRIVAL, True)
    site.wait(1)
    site.loop("inner-entry", Sensor.SAFETY, False)
    site.show("inner-entry", *plates)
    site.back_out("inner-entry")
    assert [end for end, _, _ in site.passages("inner-entry")] == ["passed", "backed_out"]


def test_row_01_who_may_have_reversed_out_of_the_entry_is_not_certain_to_be_inside(
    site: "Site",
) -> None:
    site.employ(STAFF)
    _reverses_out(site)
    assert not site.count().trusted
    _suspected_only(site, Doubt.DIRECTION_UNKNOWN)


def test_row_01_another_car_that_follows_and_backs_out_spoils_nothing(site: "Site") -> None:
    site.employ(STAFF)
    _reverses_out(site, VISITOR)
    site.wait(minutes=12)
    assert site.banned(STAFF)


# --- 2: the exit queue ------------------------------------------------------------------------


def _queue(site: "Site", minutes: float, gap_s: float) -> None:
    """Cars leave one after the other, with a break between the end of one and the next."""
    until = site.true_s + 60.0 * minutes
    while site.true_s < until:
        site.arrive("inner-exit", VISITOR)
        site.wait(25)
        site.cross("inner-exit")
        site.wait(gap_s - 2.0)


def test_row_02_the_time_of_a_queue_at_the_exit_does_not_count(site: "Site") -> None:
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=8)
    _queue(site, minutes=6, gap_s=15)
    site.leave(STAFF)
    site.wait(minutes=10)
    assert site.stay(STAFF).end is StayEnd.EXITED
    assert site.facts(StayEnded)[-1].stayed_s < 600
    assert site.stay(STAFF).judgement is None
    assert not site.banned(STAFF)


def test_row_02_a_lane_free_for_longer_than_twenty_seconds_is_no_queue(site: "Site") -> None:
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=6)
    _queue(site, minutes=6, gap_s=40)
    site.leave(STAFF)
    assert site.facts(StayEnded)[-1].stayed_s > 540


def test_row_02_a_queue_at_the_exit_of_another_controller_counts_as_well(two: "Site") -> None:
    two.employ(STAFF)
    two.enter(STAFF)
    two.wait(minutes=8)
    _queue(two, minutes=6, gap_s=15)
    two.leave(STAFF)
    two.wait(minutes=10)
    assert two.facts(StayEnded)[-1].stayed_s < 600
    assert two.stay(STAFF).judgement is None
    assert not two.banned(STAFF)


def test_row_02_who_stands_unread_at_a_blocked_exit_of_another_controller_loses_no_time(
    two: "Site",
) -> None:
    two.employ(STAFF)
    two.enter(STAFF)
    two.wait(minutes=8)
    two.relay("inner-exit", works=False)
    two.arrive("inner-exit")
    two.wait(minutes=30)
    assert "lane_blocked" in two.standing("inner-exit")
    assert two.stay(STAFF).judgement is None
    assert not two.banned(STAFF)


def test_row_02_a_minute_of_grace_follows_the_limit(site: "Site") -> None:
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=10, seconds=30)
    site.leave(STAFF)
    site.wait(minutes=10)
    assert site.stay(STAFF).judgement is None
    assert not site.facts(StaySuspected)
    assert not site.banned(STAFF)


def test_row_02_the_time_in_which_the_exit_is_not_watched_does_not_count(site: "Site") -> None:
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=5)
    site.camera("inner-exit", alive=False)
    site.wait(minutes=20)
    site.camera("inner-exit", alive=True)
    site.wait(minutes=1)
    site.leave(STAFF)
    assert 300 < site.facts(StayEnded)[-1].stayed_s < 420
    assert not site.facts(StaySuspected)


def test_row_02_time_without_power_does_not_count(site: "Site") -> None:
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=5)
    site.power_cut(off_s=1800)
    site.wait(minutes=3)
    site.leave(STAFF)
    assert site.facts(StayEnded)[-1].stayed_s < 600
    assert not site.facts(StaySuspected)


# --- 3: at the exit and back again ------------------------------------------------------------


def test_row_03_who_has_passed_has_left_when_it_arrived_at_the_exit(site: "Site") -> None:
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=9)
    site.arrive("inner-exit", STAFF)
    arrived_s = site.true_s
    site.wait(20)
    site.cross("inner-exit")
    ended = site.stay(STAFF).ended
    assert ended is not None
    assert ended.boot_s == pytest.approx(arrived_s, abs=2)
    assert site.passages("inner-exit") == [("passed", STAFF, True)]


def test_row_03_who_backs_out_of_the_exit_goes_on_and_the_wait_is_left_out(site: "Site") -> None:
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=9)
    site.arrive("inner-exit", STAFF)
    site.wait(25)
    site.back_out("inner-exit")
    assert site.passages("inner-exit")[-1][0] == "backed_out"
    assert site.stay(STAFF).ended is None
    site.wait(minutes=1, seconds=10)
    assert not site.stay(STAFF).judgement
    site.bind(VISITOR)
    site.enter(VISITOR)
    site.leave(VISITOR)
    site.wait(minutes=3)
    assert site.stay(STAFF).judgement is Judgement.OVERSTAYED
    assert site.facts(StayOverstayed)[0].stayed_s < site.true_s - 25


def test_row_03_who_backed_out_over_a_safety_loop_that_may_be_dead_is_suspected_at_most(
    site: "Site",
) -> None:
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=9)
    site.arrive("inner-exit", STAFF)
    site.back_out("inner-exit")
    site.wait(minutes=5)
    assert site.stay(STAFF).judgement is Judgement.SUSPECTED
    assert site.stay(STAFF).doubts == (Doubt.EXIT_LANE_UNHEALTHY,)


def test_row_03_a_visit_to_the_exit_that_timed_out_makes_the_stay_uncertain(site: "Site") -> None:
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=3)
    site.arrive("inner-exit", STAFF)
    site.wait(40)
    assert site.passages("inner-exit")[0][0] == "timed_out"
    site.back_out("inner-exit")
    _suspected_only(site, Doubt.EXIT_TIMED_OUT)


# --- 4: the missed exit -----------------------------------------------------------------------


def test_row_04_seen_outside_after_a_missed_exit_the_stay_ends_unobserved(site: "Site") -> None:
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=5)
    site.bumper_to_bumper("inner-exit", VISITOR)
    site.wait(minutes=20)
    site.drive_through("outer-exit", STAFF)
    assert site.stay(STAFF).end is StayEnd.UNOBSERVED
    assert site.facts(StayEnded)[-1].end is StayEnd.UNOBSERVED
    assert site.stay(STAFF).judgement is Judgement.SUSPECTED
    assert not site.banned(STAFF)


def test_row_04_seen_outside_within_the_limit_nothing_is_suspected(site: "Site") -> None:
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=5)
    site.drive_through("outer-entry", STAFF)
    site.wait(minutes=30)
    assert site.stay(STAFF).end is StayEnd.UNOBSERVED
    assert not site.facts(StaySuspected)
    assert not site.banned(STAFF)


def test_row_04_seen_outside_suspends_the_blacklist_entry_of_that_stay(site: "Site") -> None:
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=25)
    assert site.banned(STAFF)
    site.drive_through("outer-exit", STAFF)
    assert site.stay(STAFF).end is StayEnd.UNOBSERVED
    assert [fact.plate for fact in site.facts(BlacklistSuspended)] == [STAFF]
    assert not site.banned(STAFF)


def test_row_04_a_refused_sighting_outside_does_so_too(site: "Site") -> None:
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=25)
    site.arrive("inner-entry", STAFF)
    assert site.decisions("inner-entry")[1] == "blacklisted"
    assert site.stay(STAFF).end is StayEnd.UNOBSERVED
    assert site.facts(BlacklistSuspended)
    assert not site.banned(STAFF)


def test_row_04_a_row_of_the_centre_is_not_suspended(site: "Site") -> None:
    site.employ(STAFF)
    site.enter(STAFF)
    site.ban(STAFF)
    site.wait(minutes=25)
    site.drive_through("outer-exit", STAFF)
    assert site.banned(STAFF)


def test_row_04_the_other_controller_of_the_outer_gate_sees_it_as_well(two: "Site") -> None:
    two.employ(STAFF)
    two.enter(STAFF)
    two.wait(minutes=25)
    assert two.banned(STAFF)
    assert two.banned(STAFF, of="outer-exit")
    two.drive_through("outer-exit", STAFF)
    assert two.stay(STAFF).end is StayEnd.UNOBSERVED
    assert not two.banned(STAFF)
    assert not two.banned(STAFF, of="outer-exit")


# --- 5: one plate read as another's -----------------------------------------------------------


def test_row_05_a_colleague_seen_elsewhere_is_never_banned_for_it(site: "Site") -> None:
    """A's plate is read as B's at the entry, surely and wrongly; B drives elsewhere."""
    site.employ(STAFF, COLLEAGUE)
    site.enter(COLLEAGUE)
    site.wait(minutes=4)
    site.drive_through("outer-exit", COLLEAGUE)
    site.wait(minutes=20)
    site.leave(COLLEAGUE)
    assert site.stay(COLLEAGUE).end is StayEnd.UNOBSERVED
    assert Doubt.SEEN_ELSEWHERE in site.doubts(COLLEAGUE)
    assert not site.facts(StayOverstayed)
    assert not site.banned(COLLEAGUE)


def test_row_05_a_colleague_seen_elsewhere_after_the_limit_is_cleared_again(site: "Site") -> None:
    site.employ(STAFF, COLLEAGUE)
    site.enter(COLLEAGUE)
    site.wait(minutes=12)
    site.drive_through("outer-entry", COLLEAGUE)
    assert site.facts(BlacklistSuspended)
    assert not site.banned(COLLEAGUE)


# --- 6: two controllers -----------------------------------------------------------------------


def test_row_06_an_exit_told_by_another_controller_ends_the_stay(two: "Site") -> None:
    two.employ(STAFF)
    two.enter(STAFF)
    two.wait(minutes=8)
    arrived_s = two.true_s
    two.leave(STAFF)
    stay = two.stay(STAFF)
    assert stay.end is StayEnd.EXITED
    assert stay.ended is not None
    assert stay.ended.boot_s == pytest.approx(arrived_s - 10, abs=2)
    two.wait(minutes=10)
    assert not two.facts(StaySuspected)
    assert not two.banned(STAFF)


@HIDDEN_EXITS
def test_row_06_whatever_may_hide_an_exit_is_heard_from_the_other_controller(
    two: "Site", happens: Callable[["Site"], None], doubt: Doubt
) -> None:
    _stays_while(two, happens, doubt)


def test_row_06_the_camera_at_the_exit_was_dead_already_at_the_entry(two: "Site") -> None:
    _enters_before_a_dead_exit(two)


def test_row_06_with_clocks_trusted_at_both_ends_an_overstay_can_be_certain(two: "Site") -> None:
    two.employ(STAFF)
    two.enter(STAFF)
    two.wait(minutes=14)
    assert [fact.plate for fact in two.facts(StayOverstayed)] == [STAFF]
    assert two.banned(STAFF)
    assert two.banned(STAFF, of="inner-exit")
    two.arrive("inner-entry", STAFF)
    assert "blacklisted" in two.decisions("inner-entry")


def test_row_06_by_a_clock_that_is_not_trusted_it_is_only_suspected(two: "Site") -> None:
    two.employ(STAFF)
    two.step_clock(0.0, trusted=False, of="inner-exit")
    two.enter(STAFF)
    two.wait(minutes=5)
    two.leave(VISITOR)
    _suspected_only(two, Doubt.CLOCK_UNTRUSTED)


def test_row_06_without_trust_at_the_entry_no_exit_elsewhere_makes_it_certain(two: "Site") -> None:
    two.employ(STAFF)
    two.step_clock(-3600.0, trusted=False, of="inner-entry")
    two.enter(STAFF)
    two.wait(minutes=12)
    two.leave(STAFF)
    two.wait(minutes=10)
    assert not two.facts(StayOverstayed)
    assert not two.banned(STAFF)


def test_row_06_a_controller_that_is_silent_leaves_it_to_a_person(two: "Site") -> None:
    two.employ(STAFF)
    two.enter(STAFF)
    two.wait(minutes=3)
    two.link(up=False)
    _suspected_only(two, Doubt.PEER_AWAY)


def test_row_06_an_exit_of_which_is_heard_late_clears_the_blacklist_again(two: "Site") -> None:
    """The broker was away while it left; what is told afterwards still counts."""
    two.employ(STAFF)
    two.enter(STAFF)
    two.wait(minutes=8)
    two.link(up=False)
    two.leave(STAFF)
    two.wait(minutes=1)
    two.link(up=True)
    two.wait(minutes=10)
    assert two.stay(STAFF).end is StayEnd.EXITED
    assert not two.facts(StaySuspected)
    assert not two.banned(STAFF)


# --- 7: power cuts, restarts, crashes ---------------------------------------------------------


def _power_cut(site: "Site") -> None:
    site.power_cut(off_s=60)


def _crash(site: "Site") -> None:
    site.crash()


@pytest.mark.parametrize("fails", [_power_cut, _crash])
@pytest.mark.parametrize("minutes", [1, 9.5, 10.8])
def test_row_07_a_failure_within_the_window_is_never_certain(
    site: "Site", fails: Callable[["Site"], None], minutes: float
) -> None:
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=minutes)
    fails(site)
    _suspected_only(site, Doubt.RESTART)


def test_row_07_a_failure_of_the_controller_at_the_exit_counts_as_well(two: "Site") -> None:
    two.employ(STAFF)
    two.enter(STAFF)
    two.wait(minutes=3)
    two.crash(of="inner-exit")
    two.wait(minutes=20)
    assert not two.facts(StayOverstayed)
    assert not two.banned(STAFF)
    assert two.stay(STAFF).judgement is Judgement.SUSPECTED


# --- 8: lists that change while a car is inside -----------------------------------------------


def test_row_08_class_limit_and_version_are_frozen_at_the_entry(site: "Site") -> None:
    site.bind(VISITOR)
    site.enter(VISITOR)
    site.employ(VISITOR)
    site.wait(minutes=30)
    stay = site.stay(VISITOR)
    assert (stay.vehicle, stay.limit) == (VehicleClass.VISITOR, None)
    assert stay.list_version == 2
    assert not site.facts(StayWarning)
    assert not site.facts(StaySuspected)


def test_row_08_a_later_change_lifts_a_limit(site: "Site") -> None:
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=5)
    site.take_off(ListName.INTERNALS, STAFF)
    site.wait(minutes=30)
    assert site.stay(STAFF).limit is None
    assert not site.facts(StaySuspected)
    assert not site.banned(STAFF)


def test_row_08_unbinding_has_no_effect_inside(site: "Site") -> None:
    site.bind(VISITOR)
    site.enter(VISITOR)
    site.take_off(ListName.VISITORS, VISITOR)
    site.wait(minutes=30)
    assert site.stay(VISITOR).ended is None
    site.leave(VISITOR)
    assert site.stay(VISITOR).end is StayEnd.EXITED
    assert site.openings("inner-exit") == 1


def test_row_08_who_is_banned_while_inside_may_leave_and_not_come_again(site: "Site") -> None:
    site.bind(VISITOR)
    site.enter(VISITOR)
    site.ban(VISITOR)
    site.wait(minutes=5)
    site.leave(VISITOR)
    assert site.openings("inner-exit") == 1
    site.arrive("inner-entry", VISITOR)
    assert site.decisions("inner-entry")[-1] == "blacklisted"
    assert site.openings("inner-entry") == 1


# --- 9: the same plate twice ------------------------------------------------------------------


def test_row_09_a_plate_inside_twice_is_admitted_and_neither_stay_is_certain(site: "Site") -> None:
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=2)
    site.enter(STAFF)
    assert site.openings("inner-entry") == 2
    site.wait(minutes=20)
    assert all(Doubt.PLATE_CONFLICT in stay.doubts for stay in site.stays(STAFF))
    assert not site.facts(StayOverstayed)
    assert not site.banned(STAFF)


def test_row_09_nothing_of_that_plate_is_certain_for_a_day(site: "Site") -> None:
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=2)
    site.enter(STAFF)
    site.wait(minutes=2)
    site.leave(STAFF)
    site.wait(hours=23)
    site.enter(STAFF)
    site.wait(minutes=20)
    assert Doubt.PLATE_CONFLICT in site.doubts(STAFF)
    assert not site.banned(STAFF)


def test_row_09_after_a_day_it_is_a_plate_like_any_other(site: "Site") -> None:
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=2)
    site.enter(STAFF)
    site.wait(minutes=2)
    site.leave(STAFF)
    site.wait(hours=25)
    site.enter(STAFF)
    site.wait(minutes=12)
    assert site.banned(STAFF)


def test_row_09_a_restart_does_not_forget_the_conflict(site: "Site") -> None:
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=2)
    site.enter(STAFF)
    site.leave(STAFF)
    site.power_cut()
    site.wait(minutes=10)
    site.enter(STAFF)
    site.wait(minutes=12)
    assert Doubt.PLATE_CONFLICT in site.doubts(STAFF)
    assert not site.banned(STAFF)


# --- 10: in and out again ---------------------------------------------------------------------


def test_row_10_stays_count_separately(site: "Site") -> None:
    site.employ(STAFF)
    for _ in range(5):
        site.enter(STAFF)
        site.wait(minutes=9)
        site.leave(STAFF)
        site.wait(10)
    assert len(site.facts(StayStarted)) == 5
    assert all(stay.end is StayEnd.EXITED for stay in site.stays(STAFF))
    assert all(stay.judgement is None for stay in site.stays(STAFF))
    assert not site.banned(STAFF)


def test_row_10_a_cooldown_refuses_and_does_not_ban(build: "Build") -> None:
    site = build(cooldown_s=1800)
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=5)
    site.leave(STAFF)
    site.wait(minutes=5)
    site.arrive("inner-entry", STAFF)
    assert site.decisions("inner-entry")[-1] == "cooldown"
    assert site.openings("inner-entry") == 1
    site.back_out("inner-entry")
    assert not site.banned(STAFF)
    site.wait(minutes=25)
    site.arrive("inner-entry", STAFF)
    assert site.decisions("inner-entry")[-1] == "internal"
    assert site.openings("inner-entry") == 2


# --- 11: an exit without a camera -------------------------------------------------------------


def test_row_11_an_exit_without_a_camera_makes_the_limits_advisory(build: "Build") -> None:
    site = build(blind=("inner-exit",))
    assert any("has no camera" in said for said in warnings(site.config()))
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=30)
    assert site.stay(STAFF).judgement is Judgement.SUSPECTED
    assert not site.facts(StaySuspected)
    assert not site.banned(STAFF)
    site.summarise()
    (day,) = site.facts(ZoneSummary)
    assert (day.zone, day.seemed_long) == ("visitor_zone", (STAFF,))


def test_row_11_its_stays_end_when_the_car_is_seen_outside_or_after_a_day(build: "Build") -> None:
    site = build(blind=("inner-exit",))
    site.employ(STAFF, COLLEAGUE)
    site.enter(STAFF)
    site.enter(COLLEAGUE)
    site.drive_through("inner-exit")
    assert site.openings("inner-exit") == 1
    site.drive_through("outer-exit", STAFF)
    assert site.stay(STAFF).end is StayEnd.UNOBSERVED
    site.wait(hours=23)
    assert site.stay(COLLEAGUE).ended is None
    site.wait(hours=2)
    assert site.stay(COLLEAGUE).end is StayEnd.ABANDONED
    assert not site.banned(COLLEAGUE)


# --- 12: trailers -----------------------------------------------------------------------------


def test_row_12_the_plate_of_a_trailer_starts_no_stay_and_decides_nothing(site: "Site") -> None:
    trailer = "闽C1234挂"
    site.employ(trailer)
    site.arrive("inner-entry", trailer, colour=Colour.YELLOW)
    site.wait(5)
    assert site.decisions("inner-entry") == ["unreadable"]
    assert site.facts(AssistanceWanted)
    assert site.openings("inner-entry") == 0
    site.back_out("inner-entry")
    site.drive_through("outer-entry", trailer, colour=Colour.YELLOW)
    assert site.openings("outer-entry") == 1
    assert not site.facts(StayStarted)
