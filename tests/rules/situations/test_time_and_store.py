"""Time and store: rows 28 to 30 of the situations at the gate."""

from typing import TYPE_CHECKING

import pytest

from gatekeeper.model import (
    Colour,
    Doubt,
    Judgement,
    ListName,
    StayEnded,
    StayOverstayed,
    StayStarted,
    StaySuspected,
    StayWarning,
    ZoneRecounted,
)

if TYPE_CHECKING:
    from tests.rules.situations.conftest import Build, Site

STAFF = "闽C12345"
VISITOR = "闽A88H66"
OTHER = "闽D67F89"


# --- 28: an empty database --------------------------------------------------------------------


def test_row_28_a_new_database_is_a_new_journal_and_an_old_confirmation_frees_nothing(
    site: "Site",
) -> None:
    site.bind(VISITOR)
    site.enter(VISITOR)
    old, seq = site.journal(), site.last_seq()
    site.power_cut(database=False)
    assert site.journal() != old
    assert site.last_seq() < seq
    waiting = site.outbox()
    site.confirm(old, seq)
    assert site.outbox() == waiting
    site.confirm(site.journal(), site.last_seq())
    assert site.outbox() == 0


def test_row_28_until_the_first_lists_entries_go_by_the_policy(build: "Build") -> None:
    site = build(lists=())
    site.enter(VISITOR)
    assert site.decisions("inner-entry") == ["registry_missing"]
    assert site.openings("inner-entry") == 1
    assert site.stay(VISITOR).limit is None


def test_row_28_a_site_may_refuse_entries_until_the_first_lists(build: "Build") -> None:
    site = build(lists=(), when_registry_missing="refuse", exempt_kinds=["police"])
    site.arrive("inner-entry", VISITOR)
    assert site.decisions("inner-entry") == ["registry_missing"]
    assert site.openings("inner-entry") == 0
    site.back_out("inner-entry")
    site.enter("闽A1234警", colour=Colour.WHITE)
    assert site.decisions("inner-entry")[-1] == "exempt"
    assert site.openings("inner-entry") == 1
    site.leave(VISITOR)
    site.drive_through("outer-exit")
    assert site.openings("inner-exit") == site.openings("outer-exit") == 1


def test_row_28_a_car_that_waits_is_decided_when_the_lists_have_come(build: "Build") -> None:
    site = build(lists=(), when_registry_missing="refuse")
    site.arrive("inner-entry", VISITOR)
    for name in ListName:
        site.change(name)
    assert site.decisions("inner-entry")[-1] == "not_bound"
    site.bind(VISITOR)
    assert site.openings("inner-entry") == 1


def test_row_28_an_exit_without_a_stay_invents_none_and_the_count_stops_at_no_one(
    site: "Site",
) -> None:
    site.employ(STAFF)
    site.enter(STAFF)
    site.power_cut(database=False)
    site.leave(STAFF)
    site.leave(VISITOR)
    assert site.openings("inner-exit") == 2
    assert site.stays(STAFF) == []
    assert not site.facts(StayEnded)
    assert (site.count().count, site.count().trusted) == (0, False)
    site.order("recount", zone="visitor_zone", count=3)
    assert (site.count().count, site.count().trusted) == (3, True)


def test_row_28_more_leave_than_had_come_and_the_count_is_not_trusted_any_longer(
    site: "Site",
) -> None:
    site.order("recount", zone="visitor_zone", count=0)
    site.leave(VISITOR)
    assert (site.count().count, site.count().trusted) == (0, False)
    assert "count_untrusted" in site.standing("visitor_zone")


# --- 29: occupancy ----------------------------------------------------------------------------


def test_row_29_vehicles_that_passed_are_counted_and_not_open_stays(site: "Site") -> None:
    site.order("recount", zone="visitor_zone", count=0)
    site.bind(VISITOR)
    site.enter(VISITOR)
    site.drive_through("inner-exit")
    assert (site.count().count, site.count().trusted) == (0, True)
    assert site.stay(VISITOR).ended is None


def test_row_29_who_backs_out_is_not_counted(site: "Site") -> None:
    site.bind(VISITOR)
    site.arrive("inner-entry", VISITOR)
    site.back_out("inner-entry")
    assert site.count().count == 0
    assert not site.facts(StayStarted)


def test_row_29_a_full_zone_refuses_only_on_a_trusted_count(build: "Build") -> None:
    site = build(capacity=1)
    for plate in (VISITOR, OTHER):
        site.bind(plate)
    site.enter(VISITOR)
    site.enter(OTHER)
    assert site.count().count == 2
    assert site.openings("inner-entry") == 2
    site.order("recount", zone="visitor_zone", count=1)
    site.arrive("inner-entry", OTHER)
    assert site.decisions("inner-entry")[-1] == "zone_full"
    site.power_cut()
    assert not site.count().trusted
    site.show("inner-entry", OTHER)
    assert site.decisions("inner-entry")[-1] == "visitor"


def test_row_29_the_last_space_is_given_away_once(build: "Build") -> None:
    site = build(gates=(("inner-entry", "inner2-entry", "inner-exit"),), capacity=1)
    for plate in (VISITOR, OTHER):
        site.bind(plate)
    site.order("recount", zone="visitor_zone", count=0)
    site.arrive("inner-entry", VISITOR)
    site.arrive("inner2-entry", OTHER)
    assert site.decisions("inner2-entry") == ["zone_full"]
    site.back_out("inner-entry")
    assert site.decisions("inner2-entry") == ["zone_full", "visitor"]


def test_row_29_a_recount_may_close_stays_and_makes_no_limit(site: "Site") -> None:
    site.employ(STAFF)
    site.bind(VISITOR)
    site.enter(STAFF)
    site.enter(VISITOR)
    site.wait(minutes=5)
    site.order("recount", zone="visitor_zone", count=0)
    assert site.facts(ZoneRecounted)[-1].count == 0
    assert [fact.end.value for fact in site.facts(StayEnded)] == ["abandoned", "abandoned"]
    site.order("recount", zone="visitor_zone", count=7)
    site.wait(minutes=30)
    assert not site.facts(StaySuspected)
    assert not site.facts(StayWarning)
    assert not site.banned(STAFF)


def test_row_29_who_is_counted_out_after_the_limit_is_not_banned_for_it(site: "Site") -> None:
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=11, seconds=3)
    site.order("recount", zone="visitor_zone", count=0)
    assert site.stay(STAFF).judgement is Judgement.SUSPECTED
    assert not site.facts(StayOverstayed)
    assert not site.banned(STAFF)


def test_row_29_a_recount_shortens_no_stay_and_spoils_none(site: "Site") -> None:
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=5)
    site.order("recount", zone="visitor_zone", count=5)
    site.wait(minutes=5)
    assert site.stay(STAFF).ended is None
    site.wait(minutes=3)
    assert site.stay(STAFF).judgement is Judgement.OVERSTAYED


# --- 30: clocks -------------------------------------------------------------------------------


@pytest.mark.parametrize("by_s", [-7200.0, 7200.0, -86_400.0, 300.0])
def test_row_30_no_step_of_the_clock_ends_or_extends_a_stay(site: "Site", by_s: float) -> None:
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=5)
    site.step_clock(by_s)
    assert "clock_stepped" in site.alarms("clock")
    site.wait(minutes=3)
    assert len(site.facts(StayWarning)) == 1
    assert site.stay(STAFF).ended is None
    site.wait(minutes=2)
    assert site.stay(STAFF).judgement is None
    site.leave(STAFF)
    assert site.facts(StayEnded)[-1].stayed_s == pytest.approx(600, abs=10)
    site.wait(minutes=10)
    assert not site.facts(StayOverstayed)


def test_row_30_within_one_boot_an_untrusted_clock_changes_no_duration(site: "Site") -> None:
    site.step_clock(-86_400.0 * 365, trusted=False)
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=9)
    site.leave(STAFF)
    assert site.facts(StayEnded)[-1].stayed_s == pytest.approx(540, abs=10)
    site.wait(minutes=5)
    assert not site.facts(StaySuspected)
    assert not site.facts(StayOverstayed)


def test_row_30_a_box_without_a_battery_clock_bans_no_one_after_a_power_cut(site: "Site") -> None:
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=3)
    site.power_cut(off_s=120, trusted=False)
    site.step_clock(-3.0e7, trusted=False)
    site.wait(minutes=5)
    site.step_clock(3.0e7, trusted=True)
    site.wait(minutes=30)
    assert Doubt.RESTART in site.doubts(STAFF)
    assert site.stay(STAFF).judgement is Judgement.SUSPECTED
    assert not site.banned(STAFF)


def test_row_30_events_say_whether_the_clock_was_trusted(site: "Site") -> None:
    site.drive_through("outer-exit")
    site.step_clock(-3.0e7, trusted=False)
    site.drive_through("outer-entry")
    assert {trusted for lane, trusted in site.trust() if lane == "outer-exit"} == {True}
    assert {trusted for lane, trusted in site.trust() if lane == "outer-entry"} == {False}
    assert "clock_untrusted" in site.standing("clock")


def test_row_30_more_than_five_seconds_from_the_centre_is_an_alarm(site: "Site") -> None:
    site.centre_says_its_time()
    assert site.standing("clock") == set()
    site.step_clock(5.5)
    site.centre_says_its_time()
    assert "clock_off" in site.standing("clock")
    site.step_clock(-5.5)
    site.centre_says_its_time()
    assert "clock_off" not in site.standing("clock")
