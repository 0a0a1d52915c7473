"""What keeps booms up: fire, orders, fleets, and what a restart makes of them."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from gatekeeper.model import (
    BarrierHeld,
    BarrierReleased,
    Doubt,
    FireGlitch,
    FireLatched,
    FireReleased,
    HoldReason,
    ListName,
    PassageEnded,
    Sensor,
    VehicleDecided,
)
from simulators.virtual import EPOCH

if TYPE_CHECKING:
    from tests.rules.situations.conftest import Site

VISITOR = "闽C12345"
STAFF = "闽C22222"
BANNED = "闽C33333"
UNKNOWN = "闽C44444"
EVERY = {"inner-entry", "inner-exit", "outer-entry", "outer-exit"}


# --- 24: restart ------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", ["crash", "power_cut"])
def test_row_24_a_hold_and_a_fire_are_in_force_from_the_first_moment_of_the_next_life(
    site: "Site", failure: str
) -> None:
    site.order("hold", lane="inner-exit")
    getattr(site, failure)()
    assert site.held() == {"inner-exit"}
    site.fire(True)
    site.wait(1)
    getattr(site, failure)()
    assert site.held() == EVERY


def test_row_24_a_fire_that_is_still_on_when_the_controller_starts_is_one(site: "Site") -> None:
    site.fire(True)
    site.wait(0.1)
    site.crash()
    site.wait(1)
    assert site.held() == EVERY
    assert len(site.facts(FireLatched)) == 1


def test_row_24_no_one_is_under_a_boom_that_is_let_go(site: "Site") -> None:
    site.order("hold", lane="inner-entry")
    site.arrive("inner-entry", UNKNOWN)
    site.drive_on("inner-entry")
    site.order("release", lane="inner-entry")
    site.wait(30)
    assert site.held() == {"inner-entry"}
    site.loop("inner-entry", Sensor.SAFETY, False)
    site.wait(1.9)
    assert site.held() == {"inner-entry"}
    site.wait(0.2)
    assert site.held() == set()


def test_row_24_the_time_of_a_hold_runs_on_while_the_power_is_off(site: "Site") -> None:
    site.order("hold", lane="outer-exit", minutes=10)
    site.power_cut(off_s=300)
    site.wait(minutes=4)
    assert site.held() == {"outer-exit"}
    site.wait(minutes=2)
    assert site.held() == set()


def test_row_24_without_a_trusted_clock_a_hold_goes_on_after_a_power_cut(site: "Site") -> None:
    site.order("hold", lane="outer-exit", minutes=10)
    site.power_cut(trusted=False)
    site.wait(hours=2)
    assert site.held() == {"outer-exit"}
    site.order("release", lane="outer-exit")
    site.wait(3)
    assert site.held() == set()


def test_row_24_a_hold_that_was_let_go_does_not_come_back(site: "Site") -> None:
    site.order("hold")
    site.order("release")
    site.wait(3)
    site.crash()
    assert site.held() == set()


def test_row_24_a_fleet_goes_on_with_those_that_have_not_passed(site: "Site") -> None:
    site.order("fleet", lane="inner-entry", vehicles=2)
    site.drive_through("inner-entry", UNKNOWN)
    site.crash()
    assert site.held() == {"inner-entry"}
    site.drive_through("inner-entry", VISITOR)
    site.wait(3)
    assert site.held() == set()


# --- 25: the fire input -----------------------------------------------------------------------


def test_row_25_three_tenths_of_a_second_keep_up_every_boom_at_entries_and_exits(
    site: "Site",
) -> None:
    site.fire(True)
    site.wait(0.29)
    assert site.held() == set()
    site.wait(0.01)
    assert site.held() == EVERY
    assert [fact.input for fact in site.facts(FireLatched)] == ["board/15"]
    assert {fact.reason for fact in site.facts(BarrierHeld)} == {HoldReason.FIRE}
    assert site.standing("site") == {"fire"}


def test_row_25_a_glitch_is_only_in_the_journal(site: "Site") -> None:
    site.fire(True)
    site.wait(0.2)
    site.fire(False)
    site.wait(minutes=1)
    assert site.held() == set()
    assert [round(fact.lasted_s, 3) for fact in site.facts(FireGlitch)] == [0.2]
    assert site.facts(FireLatched) == []


def test_row_25_a_pulse_latches_until_a_person_says_that_it_is_over(site: "Site") -> None:
    site.fire(True)
    site.wait(0.5)
    site.fire(False)
    site.wait(hours=3)
    assert site.held() == EVERY
    assert site.order("release").outcome == "done"
    site.wait(3)
    assert site.held() == set()
    (released,) = site.facts(FireReleased)
    assert (released.by, released.reason) == ("Lin", "because")
    assert site.standing("site") == set()


def test_row_25_it_is_released_for_the_whole_site_and_only_when_clear_for_ten_seconds(
    site: "Site",
) -> None:
    site.fire(True)
    site.wait(60)
    assert site.order("release").outcome == "refused"
    site.fire(False)
    site.wait(9)
    assert site.order("release").outcome == "refused"
    site.wait(1)
    assert site.order("release", lane="inner-exit").detail.startswith("the boom stays up")
    site.wait(5)
    assert site.held() == EVERY
    assert site.order("release").outcome == "done"


def test_row_25_half_an_hour_is_an_alarm_and_still_open(site: "Site") -> None:
    site.fire(True)
    site.wait(minutes=29)
    assert "fire_long" not in site.standing("site")
    site.wait(minutes=2)
    assert site.standing("site") == {"fire", "fire_long"}
    assert site.held() == EVERY
    site.fire(False)
    site.wait(1)
    assert site.standing("site") == {"fire"}
    assert site.held() == EVERY


def test_row_25_who_comes_is_let_out_and_in_without_a_pulse_and_never_for_certain(
    site: "Site",
) -> None:
    site.employ(STAFF)
    site.ban(BANNED)
    site.order("lockdown", on=True)
    site.fire(True)
    site.wait(1)
    for lane, plate in (("inner-entry", STAFF), ("inner-entry", BANNED), ("inner-exit", STAFF)):
        site.drive_through(lane, plate)
    decided = [fact.decision for fact in site.facts(VehicleDecided)]
    assert {decision.reason.value for decision in decided} == {"fire"}
    assert not any(fact.certain for fact in site.facts(PassageEnded))
    assert [fact.end.value for fact in site.facts(PassageEnded)] == ["passed"] * 3
    assert site.openings("inner-entry") == site.openings("inner-exit") == 0


def test_row_25_no_one_inside_is_certain_to_have_overstayed(site: "Site") -> None:
    site.employ(STAFF, UNKNOWN)
    site.enter(STAFF)
    site.fire(True)
    site.wait(1)
    site.drive_through("inner-entry", UNKNOWN)
    site.wait(minutes=20)
    assert Doubt.HELD_OPEN in site.stay(STAFF).doubts
    assert not site.banned(STAFF)


def test_row_25_a_waiting_car_is_let_in_as_soon_as_it_burns(site: "Site") -> None:
    site.arrive("inner-entry", UNKNOWN)
    assert site.decisions("inner-entry") == ["not_bound"]
    site.fire(True)
    site.wait(0.3)
    assert site.decisions("inner-entry") == ["not_bound", "fire"]


def test_row_25_a_board_that_is_away_holds_as_soon_as_it_is_back(site: "Site") -> None:
    site.relay("inner-exit", works=False)
    site.fire(True)
    site.wait(5)
    assert site.held() == EVERY - {"inner-exit"}
    assert "hold_failed" in site.standing("inner-exit")
    site.relay("inner-exit", works=True)
    site.wait(5)
    assert site.held() == EVERY
    assert "hold_failed" not in site.standing("inner-exit")


# --- holds and fleets -------------------------------------------------------------------------


def test_a_hold_stands_above_a_lockdown_and_the_rules(site: "Site") -> None:
    site.ban(BANNED)
    site.order("lockdown", on=True)
    site.order("hold", lane="inner-entry")
    site.drive_through("inner-entry", BANNED)
    site.arrive("outer-entry", BANNED)
    assert site.decisions("inner-entry")[:1] == ["held_open"]
    assert site.decisions("outer-entry") == ["lockdown"]


def test_a_hold_is_in_the_journal_with_who_and_why_and_until_when(site: "Site") -> None:
    until = EPOCH + timedelta(hours=1)
    site.order("hold", lane="outer-exit", until=until)
    site.order("release", lane="outer-exit")
    (held,) = site.facts(BarrierHeld, lane="outer-exit")
    (released,) = site.facts(BarrierReleased, lane="outer-exit")
    assert (held.by, held.why, held.until) == ("Lin", "because", until)
    assert (released.by, released.why, released.reason) == ("Lin", "because", HoldReason.ORDER)


def test_a_hold_ends_by_itself_when_its_time_is_over(site: "Site") -> None:
    site.order("hold", lane="outer-exit", minutes=10)
    site.wait(minutes=9.9)
    assert site.held() == {"outer-exit"}
    site.wait(10)
    assert site.held() == set()
    (released,) = site.facts(BarrierReleased)
    assert (released.by, released.why) == ("gate", "its time is over")


def test_a_fleet_is_let_through_by_number_and_the_next_car_is_decided(site: "Site") -> None:
    site.order("fleet", lane="inner-entry", vehicles=3)
    for _ in range(3):
        assert site.held() == {"inner-entry"}
        site.drive_through("inner-entry", UNKNOWN)
    site.wait(3)
    assert site.held() == set()
    site.arrive("inner-entry", VISITOR)
    assert site.decisions("inner-entry")[-1] == "not_bound"
    assert site.openings("inner-entry") == 0
    assert site.passages("inner-entry")[:3] == [("passed", UNKNOWN, True)] * 3


def test_a_fleet_of_which_too_few_come_is_over_in_time(site: "Site") -> None:
    site.order("fleet", lane="inner-entry", vehicles=3, minutes=5)
    site.wait(minutes=6)
    assert site.held() == set()


@pytest.mark.parametrize(
    "more", [{}, {"vehicles": 0}, {"vehicles": 3, "minutes": 0}], ids=["nothing", "0 cars", "0 min"]
)
def test_a_fleet_of_no_one_is_refused(site: "Site", more: dict[str, int]) -> None:
    assert site.order("fleet", lane="inner-entry", **more).outcome == "refused"
    assert site.held() == set()


def test_a_new_hold_takes_the_place_of_the_one_before(site: "Site") -> None:
    site.order("hold", lane="outer-exit")
    site.order("hold", lane="outer-exit", minutes=1)
    site.wait(minutes=2)
    assert site.held() == set()


def test_who_stood_under_a_boom_that_was_let_go_is_decided_by_the_rules(site: "Site") -> None:
    site.bind(VISITOR)
    site.order("hold", lane="inner-entry")
    site.arrive("inner-entry", VISITOR)
    site.order("release", lane="inner-entry")
    site.wait(3)
    site.show("inner-entry", VISITOR)
    assert site.held() == set()
    assert site.decisions("inner-entry")[-1] == "visitor"
    assert site.openings("inner-entry") == 1


def test_a_stay_that_begins_while_a_boom_of_its_zone_is_kept_up_is_never_certain(
    site: "Site",
) -> None:
    site.employ(STAFF)
    site.order("hold", lane="inner-exit")
    site.wait(60)
    site.enter(STAFF)
    site.wait(minutes=20)
    assert Doubt.HELD_OPEN in site.stay(STAFF).doubts
    assert not site.banned(STAFF)


def test_a_hold_at_another_controller_is_a_doubt_here_as_well(two: "Site") -> None:
    two.employ(STAFF)
    two.order("hold", lane="inner-exit")
    two.wait(60)
    two.enter(STAFF)
    two.wait(minutes=20)
    assert not two.banned(STAFF)
    assert two.stay(STAFF).doubts


def test_a_boom_that_is_kept_up_is_explained(site: "Site") -> None:
    site.order("hold", lane="inner-exit")
    site.wait(60)
    site.loop("inner-exit", Sensor.BOOM_UP, True)
    assert "boom_without_command" not in site.alarms("inner-exit")


def test_who_comes_against_the_way_under_a_boom_that_is_kept_up_is_undecided(site: "Site") -> None:
    site.order("hold", lane="inner-entry")
    site.loop("inner-entry", Sensor.SAFETY, True)
    site.wait(1)
    site.loop("inner-entry", Sensor.SAFETY, False)
    site.wait(5)
    (ended,) = site.facts(PassageEnded)
    assert not ended.decided
    assert {Doubt.DIRECTION_UNKNOWN, Doubt.HELD_OPEN} <= set(ended.doubts)


def test_the_lists_need_not_be_there_for_a_boom_that_is_kept_up(site: "Site") -> None:
    site.put(ListName.EXEMPT, VISITOR)
    site.order("hold", lane="inner-entry")
    site.arrive("inner-entry", VISITOR)
    assert site.decisions("inner-entry")[0] == "held_open"
