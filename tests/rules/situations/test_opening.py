"""Opening: rows 13 to 23 of the situations at the gate."""

from typing import TYPE_CHECKING

import pytest

from gatekeeper.model import (
    AssistanceWanted,
    BarrierCommanded,
    BarrierIntended,
    Colour,
    ControllerStarted,
    Doubt,
    ListName,
    LockdownOrdered,
    OrderAnswered,
    Outcome,
    PassageEnded,
    Sensor,
    StayEnd,
    StayStarted,
    VehicleArrived,
    VehicleClass,
    VehicleDecided,
    VehicleIdentified,
    ZoneRecounted,
)

if TYPE_CHECKING:
    from tests.rules.situations.conftest import Build, Site

STAFF = "闽C12345"
OTHER = "闽D67F89"
VISITOR = "闽A88H66"
ALIKE = "闽A8BH66"
"""What a reader may make of the visitor's plate: B for 8."""

POLICE = "闽A1234警"


# --- 13: exits open ---------------------------------------------------------------------------


def test_row_13_an_exit_opens_for_a_car_that_is_not_read_after_a_second_and_a_half(
    site: "Site",
) -> None:
    site.loop("inner-exit", Sensor.ARRIVAL, True)
    site.wait(1.4)
    assert site.openings("inner-exit") == 0
    site.wait(0.2)
    assert site.openings("inner-exit") == 1
    assert site.decisions("inner-exit") == ["exit"]


def test_row_13_an_exit_opens_with_its_camera_dead(site: "Site") -> None:
    site.camera("inner-exit", alive=False)
    site.wait(10)
    assert site.standing("inner-exit") == {"camera_stale"}
    site.drive_through("inner-exit")
    assert site.openings("inner-exit") == 1
    assert site.passages("inner-exit") == [("passed", None, True)]


def test_row_13_an_exit_whose_lane_has_no_camera_opens_at_once(build: "Build") -> None:
    site = build(blind=("inner-exit",))
    site.loop("inner-exit", Sensor.ARRIVAL, True)
    assert site.openings("inner-exit") == 1


def test_row_13_a_pulse_without_effect_is_decided_three_times_and_then_an_alarm(
    site: "Site",
) -> None:
    site.relay("inner-exit", works=False)
    site.loop("inner-exit", Sensor.ARRIVAL, True)
    site.show("inner-exit", VISITOR)
    site.wait(2)
    assert len(site.facts(BarrierIntended)) == 1
    site.wait(3)
    assert len(site.facts(BarrierIntended)) == 2
    assert "lane_blocked" not in site.alarms("inner-exit")
    site.wait(60)
    commands = {fact.command for fact in site.facts(BarrierIntended)}
    assert len(commands) == len(site.facts(BarrierIntended)) == 3
    assert len(site.facts(VehicleDecided)) == 3
    assert {fact.outcome for fact in site.facts(BarrierCommanded)} == {Outcome.FAILED}
    assert "lane_blocked" in site.standing("inner-exit")


def test_row_13_after_a_crash_a_car_on_the_loop_gets_a_new_decision(site: "Site") -> None:
    site.employ(STAFF)
    site.arrive("inner-entry", STAFF)
    site.crash()
    site.show("inner-entry", STAFF)
    first, second = site.facts(BarrierIntended)
    assert first.command != second.command
    assert site.openings("inner-entry") == 2
    assert len(site.facts(VehicleArrived)) == 2


def test_row_13_a_crash_between_intent_and_outcome_repeats_nothing(site: "Site") -> None:
    site.employ(STAFF)
    site.crash_after_the_intent("inner-entry")
    (intended,) = site.facts(BarrierIntended)
    assert site.facts(ControllerStarted)[-1].unfinished == (intended.command,)
    (lost,) = site.facts(BarrierCommanded)
    assert (lost.command, lost.outcome) == (intended.command, Outcome.UNKNOWN)
    site.wait(minutes=5)
    assert site.openings("inner-entry") == 0


# --- 14: backing out --------------------------------------------------------------------------


def test_row_14_who_backs_out_takes_decision_and_reads_along(site: "Site") -> None:
    site.employ(STAFF)
    site.arrive("inner-entry", STAFF)
    assert site.openings("inner-entry") == 1
    site.loop("inner-entry", Sensor.ARRIVAL, False)
    site.wait(3.1)
    assert site.passages("inner-entry") == [("backed_out", STAFF, True)]
    site.loop("inner-entry", Sensor.SAFETY, True)
    assert site.alarms("inner-entry") == {"turn_back", "undecided_passage", "direction_unknown"}
    site.wait(2)
    site.loop("inner-entry", Sensor.SAFETY, False)
    site.wait(2)
    assert site.passages("inner-entry")[1] == ("passed", None, False)
    assert not site.facts(StayStarted)
    assert site.count().count == 1


def test_row_14_the_next_car_that_takes_the_open_boom_is_undecided_with_its_own_sighting(
    site: "Site",
) -> None:
    site.employ(STAFF)
    site.arrive("inner-entry", STAFF)
    site.loop("inner-entry", Sensor.ARRIVAL, False)
    site.wait(0.5)
    site.loop("inner-entry", Sensor.ARRIVAL, True)
    site.show("inner-entry", OTHER, frames=2)
    assert site.decisions("inner-entry") == ["internal", "not_bound"]
    site.cross("inner-entry")
    _, taker = site.facts(PassageEnded)
    assert not taker.decided
    assert taker.plate is None
    assert taker.sighting is not None
    assert taker.sighting.plate == OTHER
    assert "undecided_passage" in site.alarms("inner-entry")
    assert not site.facts(StayStarted)
    assert site.openings("inner-entry") == 1


def test_row_14_a_taker_over_that_was_never_decided_keeps_its_own_sighting(site: "Site") -> None:
    site.employ(STAFF)
    site.arrive("inner-entry", STAFF)
    site.loop("inner-entry", Sensor.ARRIVAL, False)
    site.wait(0.5)
    site.loop("inner-entry", Sensor.ARRIVAL, True)
    site.show("inner-entry", OTHER, frames=1)
    site.drive_on("inner-entry")
    site.show("inner-entry", OTHER, frames=2)
    site.loop("inner-entry", Sensor.SAFETY, False)
    site.wait(2)
    taker = site.facts(PassageEnded)[-1]
    assert (taker.decided, taker.plate) == (False, None)
    assert taker.sighting is not None
    assert taker.sighting.plate == OTHER


def test_row_14_a_frame_older_than_the_edge_does_not_vote(site: "Site") -> None:
    site.employ(STAFF)
    site.loop("inner-entry", Sensor.ARRIVAL, True)
    site.show("inner-entry", STAFF, frames=4, age_s=1.0)
    assert site.openings("inner-entry") == 0
    site.show("inner-entry", OTHER)
    assert site.decisions("inner-entry") == ["not_bound"]


# --- 15: two cars on one opening --------------------------------------------------------------


def test_row_15_a_short_gap_without_a_new_arrival_is_one_vehicle(site: "Site") -> None:
    site.bind(VISITOR)
    site.cross_with_a_gap("inner-entry", VISITOR, free_s=1.0, again_s=1.0)
    assert site.passages("inner-entry") == [("passed", VISITOR, True)]
    assert site.count().count == 1


def test_row_15_a_longer_gap_is_a_second_undecided_vehicle(site: "Site") -> None:
    site.bind(VISITOR)
    site.cross_with_a_gap("inner-entry", VISITOR, free_s=1.6, again_s=1.0)
    assert site.passages("inner-entry") == [("passed", VISITOR, True), ("passed", None, False)]
    assert site.count().count == 2
    assert "tailgating" in site.alarms("inner-entry")
    assert len(site.facts(StayStarted)) == 1


def test_row_15_a_new_arrival_within_the_gap_is_a_second_undecided_vehicle(site: "Site") -> None:
    site.bind(VISITOR)
    site.tailgate("inner-entry", VISITOR)
    assert site.passages("inner-entry") == [("passed", VISITOR, True), ("passed", None, False)]
    assert site.count().count == 2
    assert "tailgating" in site.alarms("inner-entry")
    assert [fact.plate for fact in site.facts(StayStarted)] == [VISITOR]


def test_row_15_in_doubt_the_count_is_untrusted_until_a_recount(site: "Site") -> None:
    site.bind(VISITOR)
    site.order("recount", zone="visitor_zone", count=0)
    assert site.count().trusted
    site.bumper_to_bumper("inner-entry", VISITOR)
    assert "safety_loop_long" in site.alarms("inner-entry")
    assert not site.count().trusted
    assert "count_untrusted" in site.standing("visitor_zone")
    site.order("recount", zone="visitor_zone", count=2)
    assert (site.count().count, site.count().trusted) == (2, True)
    assert site.standing("visitor_zone") == set()


# --- 16: unreadable at the inner entry --------------------------------------------------------


def test_row_16_an_unreadable_plate_is_refused_and_the_centre_is_asked(site: "Site") -> None:
    site.arrive("inner-entry")
    assert site.decisions("inner-entry") == ["unreadable"]
    assert [fact.reason.value for fact in site.facts(AssistanceWanted)] == ["unreadable"]
    site.wait(minutes=5)
    assert site.openings("inner-entry") == 0


def test_row_16_of_a_car_that_stands_for_long_the_newest_reads_count(site: "Site") -> None:
    site.bind(VISITOR)
    site.loop("inner-entry", Sensor.ARRIVAL, True)
    for _ in range(35):  # under dirt one character is read this way and that, equally often
        site.show("inner-entry", VISITOR, frames=1, sure=0.4, awaited=True)
        site.show("inner-entry", VISITOR.replace("88", "83"), frames=1, sure=0.4, awaited=True)
    assert site.decisions("inner-entry") == ["unreadable"]
    site.show("inner-entry", VISITOR, frames=40, awaited=True)
    assert site.decisions("inner-entry")[-1] == "visitor"


def test_row_16_after_two_minutes_the_lane_is_blocked(site: "Site") -> None:
    site.loop("inner-entry", Sensor.ARRIVAL, True)
    site.wait(62)
    assert "lane_blocked" not in site.alarms("inner-entry")
    site.wait(62)
    assert "lane_blocked" in site.standing("inner-entry")
    site.back_out("inner-entry")
    assert site.standing("inner-entry") == set()


def test_row_16_after_a_minute_a_site_may_admit_and_no_limit_comes_of_it(build: "Build") -> None:
    site = build(unreadable="admit")
    site.loop("inner-entry", Sensor.ARRIVAL, True)
    site.wait(58)
    assert site.openings("inner-entry") == 0
    site.wait(7)
    assert site.openings("inner-entry") == 1
    site.cross("inner-entry")
    assert not site.facts(StayStarted)
    assert site.count().count == 1


def test_row_16_a_person_names_the_plate_and_it_is_decided_as_usual(site: "Site") -> None:
    site.employ(STAFF)
    site.arrive("inner-entry")
    passage = site.waiting("inner-entry")
    answer = site.order("identify", lane="inner-entry", passage=passage, plate=STAFF)
    assert (answer.outcome, answer.detail) == ("done", "admit: internal")
    assert [fact.plate for fact in site.facts(VehicleIdentified)] == [STAFF]
    assert site.openings("inner-entry") == 1
    site.cross("inner-entry")
    site.wait(minutes=20)
    assert Doubt.ENTRY_UNCERTAIN in site.doubts(STAFF)
    assert not site.banned(STAFF)


@pytest.mark.parametrize(("plate", "reason"), [(OTHER, "not_bound"), (STAFF, "blacklisted")])
def test_row_16_naming_a_plate_admits_no_one_whom_the_rules_refuse(
    site: "Site", plate: str, reason: str
) -> None:
    site.ban(STAFF)
    site.arrive("inner-entry")
    passage = site.waiting("inner-entry")
    site.order("identify", lane="inner-entry", passage=passage, plate=plate)
    assert site.decisions("inner-entry") == ["unreadable", reason]
    assert site.openings("inner-entry") == 0


def test_row_16_naming_a_passage_that_is_over_is_refused(site: "Site") -> None:
    site.employ(STAFF)
    site.arrive("inner-entry")
    passage = site.waiting("inner-entry")
    site.back_out("inner-entry")
    site.arrive("inner-entry")
    answer = site.order("identify", lane="inner-entry", passage=passage, plate=STAFF)
    assert answer.outcome == "refused"
    assert site.openings("inner-entry") == 0


def test_row_16_the_outer_entry_admits_unread_cars(site: "Site") -> None:
    site.drive_through("outer-entry")
    assert site.openings("outer-entry") == 1
    assert site.decisions("outer-entry") == ["everybody"]
    assert site.passages("outer-entry") == [("passed", None, True)]


# --- 17: the centre is out of reach -----------------------------------------------------------


def test_row_17_after_a_minute_without_the_centre_an_unknown_car_is_admitted_unverified(
    site: "Site",
) -> None:
    site.centre(reached=False)
    site.wait(30)
    site.arrive("inner-entry", VISITOR)
    assert site.decisions("inner-entry") == ["not_bound"]
    site.back_out("inner-entry")
    site.wait(60)
    site.enter(VISITOR)
    assert site.decisions("inner-entry")[-1] == "unverified"
    assert site.openings("inner-entry") == 1
    assert site.stay(VISITOR).limit is None


def test_row_17_a_site_may_refuse_them_all_the_same(build: "Build") -> None:
    site = build(unknown_when_offline="refuse")
    site.centre(reached=False)
    site.wait(120)
    site.arrive("inner-entry", VISITOR)
    assert site.decisions("inner-entry") == ["not_bound"]
    assert site.openings("inner-entry") == 0


def test_row_17_internals_and_the_blacklist_still_hold(site: "Site") -> None:
    site.employ(STAFF)
    site.ban(OTHER)
    site.centre(reached=False)
    site.wait(120)
    site.arrive("inner-entry", OTHER)
    assert site.decisions("inner-entry") == ["blacklisted"]
    site.back_out("inner-entry")
    site.enter(STAFF)
    site.wait(minutes=12)
    assert site.banned(STAFF)


# --- 18: a fresh binding ----------------------------------------------------------------------


def test_row_18_a_fresh_binding_one_character_away_admits_as_uncertain(site: "Site") -> None:
    site.arrive("inner-entry", ALIKE)
    refused = site.facts(VehicleDecided)[-1].decision
    assert (refused.reason.value, refused.plate) == ("not_bound", ALIKE)
    site.bind(VISITOR)
    admitted = site.facts(VehicleDecided)[-1].decision
    assert (admitted.reason.value, admitted.plate, admitted.certain) == ("visitor", VISITOR, False)
    assert site.openings("inner-entry") == 1
    site.cross("inner-entry")
    assert site.stay(VISITOR).vehicle is VehicleClass.VISITOR


def test_row_18_a_binding_older_than_five_minutes_does_not(site: "Site") -> None:
    site.bind(VISITOR)
    site.wait(minutes=5, seconds=10)
    site.arrive("inner-entry", ALIKE)
    assert site.decisions("inner-entry") == ["not_bound"]
    assert site.openings("inner-entry") == 0


def test_row_18_a_binding_that_two_waiting_cars_could_mean_admits_neither(build: "Build") -> None:
    site = build(gates=(("inner-entry", "inner-exit", "inner2-entry", "outer-entry"),))
    site.arrive("inner-entry", ALIKE)
    site.arrive("inner2-entry", "闽AB8H66")
    site.bind(VISITOR)
    assert site.decisions("inner-entry") == site.decisions("inner2-entry") == ["not_bound"]
    assert site.openings("inner-entry") == site.openings("inner2-entry") == 0


@pytest.mark.parametrize("name", [ListName.INTERNALS, ListName.BLACKLIST])
def test_row_18_a_read_that_exactly_is_a_listed_plate_is_that_car(
    site: "Site", name: ListName
) -> None:
    site.put(name, ALIKE, zone="visitor_zone" if name is ListName.BLACKLIST else None)
    site.bind(VISITOR)
    site.arrive("inner-entry", ALIKE)
    decided = site.facts(VehicleDecided)[-1].decision
    assert decided.plate == ALIKE
    assert decided.reason.value == ("internal" if name is ListName.INTERNALS else "blacklisted")


# --- 19: a second look ------------------------------------------------------------------------


def test_row_19_a_look_alike_of_a_banned_plate_is_looked_at_for_three_more_seconds(
    site: "Site",
) -> None:
    site.ban(ALIKE)
    site.arrive("inner-entry", VISITOR, unsure=(3,))
    site.wait(2)
    assert not site.facts(VehicleDecided)
    site.wait(2)
    assert site.decisions("inner-entry") == ["looks_blacklisted"]
    assert [fact.reason.value for fact in site.facts(AssistanceWanted)] == ["looks_blacklisted"]
    assert site.openings("inner-entry") == 0


def test_row_19_an_exact_row_with_a_sure_character_admits(site: "Site") -> None:
    site.ban(ALIKE)
    site.bind(VISITOR)
    site.arrive("inner-entry", VISITOR)
    site.wait(4)
    assert site.decisions("inner-entry") == ["visitor"]
    assert site.openings("inner-entry") == 1


def test_row_19_an_exact_row_with_an_unsure_character_waits_for_the_centre(site: "Site") -> None:
    site.ban(ALIKE)
    site.bind(VISITOR)
    site.arrive("inner-entry", VISITOR, unsure=(3,))
    site.wait(4)
    assert site.decisions("inner-entry") == ["looks_blacklisted"]
    assert site.openings("inner-entry") == 0


def test_row_19_better_reads_in_the_second_look_admit(site: "Site") -> None:
    site.ban(ALIKE)
    site.bind(VISITOR)
    site.arrive("inner-entry", VISITOR, sure=0.97, frames=2)
    assert site.openings("inner-entry") == 0
    site.show("inner-entry", VISITOR, frames=4)
    assert site.decisions("inner-entry") == ["visitor"]
    assert site.openings("inner-entry") == 1


# --- 20: decided again ------------------------------------------------------------------------


def test_row_20_a_bound_driver_is_admitted_without_moving(site: "Site") -> None:
    site.arrive("inner-entry", VISITOR)
    assert site.openings("inner-entry") == 0
    site.bind(VISITOR)
    assert site.openings("inner-entry") == 1
    assert site.decisions("inner-entry") == ["not_bound", "visitor"]


def test_row_20_removal_from_the_blacklist_by_the_centre_or_by_an_order_admits(
    site: "Site",
) -> None:
    site.bind(VISITOR)
    site.ban(VISITOR)
    site.arrive("inner-entry", VISITOR)
    site.take_off(ListName.BLACKLIST, VISITOR)
    assert site.openings("inner-entry") == 1
    site.cross("inner-entry")
    site.leave(VISITOR)
    site.order("blacklist_add", zone="visitor_zone", plate=VISITOR)
    site.arrive("inner-entry", VISITOR)
    assert site.decisions("inner-entry")[-1] == "blacklisted"
    site.order("blacklist_remove", zone="visitor_zone", plate=VISITOR)
    assert site.decisions("inner-entry")[-1] == "visitor"
    assert site.openings("inner-entry") == 2


def test_row_20_a_space_that_is_freed_is_given_to_who_has_waited_longest(build: "Build") -> None:
    lanes = ("inner-entry", "inner-exit", "inner2-entry", "outer-entry")
    site = build(gates=(lanes,), capacity=1)
    for plate in (STAFF, VISITOR, OTHER):
        site.bind(plate)
    site.order("recount", zone="visitor_zone", count=0)
    site.enter(STAFF)
    site.arrive("inner2-entry", OTHER)
    site.wait(5)
    site.arrive("inner-entry", VISITOR)
    assert site.decisions("inner-entry")[-1] == site.decisions("inner2-entry")[-1] == "zone_full"
    site.leave(STAFF)
    assert site.decisions("inner2-entry")[-1] == "visitor"
    assert site.decisions("inner-entry")[-1] == "zone_full"
    assert site.openings("inner2-entry") == 1
    assert site.openings("inner-entry") == 1


def test_row_20_a_recount_and_the_end_of_a_lockdown_decide_again(build: "Build") -> None:
    site = build(capacity=1)
    site.bind(VISITOR)
    site.order("recount", zone="visitor_zone", count=1)
    site.arrive("inner-entry", VISITOR)
    assert site.decisions("inner-entry") == ["zone_full"]
    site.order("lockdown", on=True)
    site.order("recount", zone="visitor_zone", count=0)
    assert site.decisions("inner-entry")[-1] == "lockdown"
    site.order("lockdown", on=False)
    assert site.decisions("inner-entry")[-1] == "visitor"
    assert site.openings("inner-entry") == 1


# --- 21: exempt -------------------------------------------------------------------------------


def test_row_21_the_exempt_list_wins_over_the_blacklist(site: "Site") -> None:
    site.put(ListName.EXEMPT, VISITOR)
    site.ban(VISITOR)
    site.enter(VISITOR)
    assert site.decisions("inner-entry") == ["exempt"]
    assert site.openings("inner-entry") == 1
    assert site.stay(VISITOR).limit is None


def test_row_21_a_look_alike_of_an_exempt_plate_does_not_win_over_it(site: "Site") -> None:
    site.put(ListName.EXEMPT, VISITOR)
    site.ban(ALIKE)
    site.arrive("inner-entry", ALIKE)
    assert site.decisions("inner-entry") == ["blacklisted"]
    assert site.openings("inner-entry") == 0


def test_row_21_a_kind_of_plate_is_exempt_where_the_site_says_so(build: "Build") -> None:
    site = build(exempt_kinds=["police"])
    site.enter(POLICE, colour=Colour.WHITE)
    assert site.decisions("inner-entry")[-1] == "exempt"
    assert site.openings("inner-entry") == 1


@pytest.mark.parametrize(
    ("colour", "sure"), [(Colour.BLUE, 0.999), (Colour.UNKNOWN, 0.999), (Colour.WHITE, 0.9)]
)
def test_row_21_exempt_by_kind_needs_a_certain_sighting_in_the_matching_colour(
    build: "Build", colour: Colour, sure: float
) -> None:
    site = build(exempt_kinds=["police"])
    site.arrive("inner-entry", POLICE, colour=colour, sure=sure)
    site.wait(4)
    assert "exempt" not in site.decisions("inner-entry")
    assert site.openings("inner-entry") == 0


def test_row_21_exempt_by_kind_yields_to_the_blacklist(build: "Build") -> None:
    site = build(exempt_kinds=["police"])
    site.ban(POLICE)
    site.arrive("inner-entry", POLICE, colour=Colour.WHITE)
    assert site.decisions("inner-entry") == ["blacklisted"]
    assert site.openings("inner-entry") == 0


# --- 22: lockdown -----------------------------------------------------------------------------


def test_row_22_a_lockdown_stops_entries_and_no_exit(site: "Site") -> None:
    site.bind(VISITOR)
    site.put(ListName.EXEMPT, OTHER)
    site.order("lockdown", on=True)
    for lane in ("inner-entry", "outer-entry"):
        site.arrive(lane, VISITOR)
        assert site.decisions(lane) == ["lockdown"]
        assert site.openings(lane) == 0
        site.back_out(lane)
    site.enter(OTHER)
    assert site.openings("inner-entry") == 1
    site.leave(VISITOR)
    site.drive_through("outer-exit")
    assert site.openings("inner-exit") == site.openings("outer-exit") == 1
    (ordered,) = site.facts(LockdownOrdered)
    assert (ordered.on, ordered.by, ordered.reason) == (True, "Lin", "because")


def test_row_22_it_takes_back_no_pulse_and_closes_no_boom(site: "Site") -> None:
    site.bind(VISITOR)
    site.arrive("inner-entry", VISITOR)
    site.order("lockdown", on=True)
    site.cross("inner-entry")
    assert site.openings("inner-entry") == 1
    assert site.passages("inner-entry") == [("passed", VISITOR, True)]
    assert site.stay(VISITOR).ended is None


def test_row_22_it_outlives_a_restart_until_it_is_lifted(site: "Site") -> None:
    site.bind(VISITOR)
    site.order("lockdown", on=True)
    site.power_cut()
    site.arrive("inner-entry", VISITOR)
    assert site.decisions("inner-entry") == ["lockdown"]
    site.order("lockdown", on=False)
    assert site.decisions("inner-entry") == ["lockdown", "visitor"]


def test_row_22_every_order_is_in_the_journal_with_who_and_why(site: "Site") -> None:
    site.order("lockdown", on=True)
    site.order("recount", zone="visitor_zone", count=4)
    site.order("open", lane="inner-exit")
    answered = site.facts(OrderAnswered)
    assert [fact.verb for fact in answered] == ["lockdown", "recount", "open"]
    assert {(fact.by, fact.reason, fact.outcome) for fact in answered} == {
        ("Lin", "because", "done")
    }
    (recounted,) = site.facts(ZoneRecounted)
    assert (recounted.count, recounted.before, recounted.by) == (4, 0, "Lin")


# --- 23: which way? ---------------------------------------------------------------------------


def test_row_23_the_order_of_the_loops_tells_the_direction_and_without_it_none_is_claimed(
    site: "Site",
) -> None:
    site.loop("inner-entry", Sensor.SAFETY, True)
    site.wait(1)
    site.loop("inner-entry", Sensor.ARRIVAL, True)
    site.wait(1)
    site.loop("inner-entry", Sensor.SAFETY, False)
    site.wait(1)
    site.loop("inner-entry", Sensor.ARRIVAL, False)
    site.wait(5)
    assert "direction_unknown" in site.alarms("inner-entry")
    crossed = site.facts(PassageEnded)[0]
    assert Doubt.DIRECTION_UNKNOWN in crossed.doubts
    assert not crossed.decided
    assert not site.facts(StayStarted)
    assert not site.count().trusted


def test_row_23_a_car_that_backs_off_the_exit_has_not_left(site: "Site") -> None:
    site.bind(VISITOR)
    site.enter(VISITOR)
    site.arrive("inner-exit", VISITOR)
    site.back_out("inner-exit")
    assert site.stay(VISITOR).ended is None
    assert site.count().count == 1
    site.leave(VISITOR)
    assert site.stay(VISITOR).end is StayEnd.EXITED


# --- 13: a board that was away while one car left and the next came ------------------------------


@pytest.mark.parametrize("lane", ["inner-exit", "outer-exit"])
def test_row_13_who_stands_at_an_exit_when_its_board_comes_back_is_let_out(
    site: "Site", lane: str
) -> None:
    site.arrive(lane, VISITOR)
    assert site.openings(lane) == 1
    site.board_away(True)
    site.wait(8)  # the one drives out, and the next rolls up, unheard
    site.board_away(False)
    site.wait(4)
    assert site.openings(lane) == 2


def test_row_13_at_an_entry_the_next_is_decided_by_its_own_plate(site: "Site") -> None:
    site.bind(VISITOR)
    site.arrive("inner-entry", VISITOR)
    site.board_away(True)
    site.wait(8)
    site.board_away(False)
    site.wait(1.5)
    site.show("inner-entry", "京A88888")
    site.wait(5)
    assert site.openings("inner-entry") == 1
    assert site.decisions("inner-entry") == ["visitor", "not_bound"]


def test_row_13_who_drives_on_while_the_board_is_back_is_followed_as_ever(site: "Site") -> None:
    site.arrive("inner-exit", VISITOR)
    site.board_away(True)
    site.wait(3)
    site.board_away(False)
    site.loop("inner-exit", Sensor.SAFETY, True)
    site.wait(1.5)
    site.loop("inner-exit", Sensor.ARRIVAL, False)
    site.wait(1.0)
    site.loop("inner-exit", Sensor.SAFETY, False)
    site.wait(5)
    assert site.openings("inner-exit") == 1
    assert [end for end, _, _ in site.passages("inner-exit")] == ["passed"]
