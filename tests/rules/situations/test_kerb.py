"""Rows 13 and 27 in virtual time: booms that do not come up, safety loops that do not tell, and
drivers who turn back. What the camera says in place of a loop is in `tests/lane/test_arrivals.py`.
"""

from typing import TYPE_CHECKING

from gatekeeper.model import BarrierIntended, Sensor
from gatekeeper.rules.loops import MISSED

if TYPE_CHECKING:
    from tests.rules.situations.conftest import Build, Site

STAFF = "闽C12F57"
BOOM_UP_S = 10.0


def refuse_to_cross(site: "Site", lane: str) -> None:
    """A car is let through, and leaves the arrival loop without touching the safety loop."""
    site.arrive(lane, STAFF)
    site.back_out(lane)


# --- 13: a pulse without effect ---------------------------------------------------------------


def test_row_13_a_boom_that_does_not_come_up_is_an_alarm_until_it_does(build: "Build") -> None:
    site = build(booms=True)
    site.arrive("inner-exit", STAFF)
    site.wait(BOOM_UP_S - 1)
    assert "boom_not_up" not in site.standing("inner-exit")
    site.wait(2)
    assert "boom_not_up" in site.standing("inner-exit")
    site.loop("inner-exit", Sensor.BOOM_UP, True)
    assert "boom_not_up" not in site.standing("inner-exit")


def test_row_13_a_pulse_that_moves_no_boom_is_decided_three_times_and_then_an_alarm(
    build: "Build",
) -> None:
    site = build(booms=True)
    site.arrive("inner-exit", STAFF)
    for decisions in (1, 2, 3):
        assert len(site.facts(BarrierIntended)) == decisions
        site.wait(BOOM_UP_S + 3)
        site.show("inner-exit", STAFF)
    site.wait(120)
    commands = {fact.command for fact in site.facts(BarrierIntended)}
    assert len(commands) == len(site.facts(BarrierIntended)) == 3
    assert site.standing("inner-exit") == {"boom_not_up", "lane_blocked"}


def test_row_13_a_boom_that_comes_up_is_commanded_once(build: "Build") -> None:
    site = build(booms=True)
    site.arrive("inner-exit", STAFF)
    site.wait(2)
    site.loop("inner-exit", Sensor.BOOM_UP, True)
    site.wait(20)
    assert site.openings("inner-exit") == 1
    site.cross("inner-exit")
    assert site.passages("inner-exit") == [("passed", STAFF, True)]
    assert not site.alarms("inner-exit")


def test_row_13_a_car_that_drives_in_under_a_boom_which_is_not_told_of_is_not_decided_again(
    build: "Build",
) -> None:
    site = build(booms=True)
    site.drive_through("inner-exit", STAFF)
    site.wait(BOOM_UP_S)
    assert site.openings("inner-exit") == 1
    assert site.standing("inner-exit") == {"boom_not_up"}


# --- 27: loops that are dead ------------------------------------------------------------------


def test_row_27_a_safety_loop_that_never_clears_ends_the_passage_as_presumed_after_a_minute(
    site: "Site",
) -> None:
    site.employ(STAFF)
    site.arrive("inner-entry", STAFF)
    site.drive_on("inner-entry")
    site.wait(58)
    assert site.passages("inner-entry") == []
    site.wait(2)
    assert site.passages("inner-entry") == [("passed_presumed", STAFF, True)]
    assert "safety_loop_dead" in site.standing("inner-entry")
    assert site.count().count == 1


def test_row_27_over_a_dead_safety_loop_passages_are_presumed_counted_and_never_certain(
    site: "Site",
) -> None:
    site.employ(STAFF)
    for _ in range(MISSED):
        assert "safety_loop_dead" not in site.standing("inner-entry")
        refuse_to_cross(site, "inner-entry")
    assert "safety_loop_dead" in site.standing("inner-entry")
    refuse_to_cross(site, "inner-entry")
    assert site.passages("inner-entry")[-1] == ("passed_presumed", STAFF, True)
    assert site.count().count == 1
    assert not site.banned(STAFF)
    site.wait(minutes=30)
    assert not site.banned(STAFF)


def test_row_27_a_safety_loop_that_moves_again_is_believed_again(site: "Site") -> None:
    site.employ(STAFF)
    for _ in range(MISSED):
        refuse_to_cross(site, "inner-entry")
    site.enter(STAFF)
    assert "safety_loop_dead" not in site.standing("inner-entry")
    assert site.passages("inner-entry")[-1] == ("passed", STAFF, True)
    refuse_to_cross(site, "inner-entry")
    assert site.passages("inner-entry")[-1] == ("backed_out", STAFF, True)


# --- alarms beside the rows -------------------------------------------------------------------


def test_who_was_let_in_and_turned_back_is_an_alarm_until_somebody_passes(site: "Site") -> None:
    site.employ(STAFF)
    refuse_to_cross(site, "inner-entry")
    assert site.standing("inner-entry") == {"turn_back"}
    site.enter(STAFF)
    assert not site.standing("inner-entry")


def test_who_was_refused_and_reverses_is_none(site: "Site") -> None:
    refuse_to_cross(site, "inner-entry")
    assert not site.alarms("inner-entry")


def test_who_stands_refused_for_a_minute_loiters_until_it_has_gone(site: "Site") -> None:
    site.arrive("inner-entry", STAFF)
    site.wait(58)
    assert "loitering" not in site.standing("inner-entry")
    site.wait(3)
    assert "loitering" in site.standing("inner-entry")
    site.back_out("inner-entry")
    assert not site.standing("inner-entry")


def test_a_gap_on_the_safety_loop_is_an_alarm_until_the_visit_is_over(site: "Site") -> None:
    site.employ(STAFF)
    site.arrive("inner-entry", STAFF)
    site.drive_on("inner-entry")
    for on in (False, True):
        site.loop("inner-entry", Sensor.SAFETY, on)
        site.wait(0.5)
    assert "safety_loop_gap" in site.standing("inner-entry")
    site.loop("inner-entry", Sensor.SAFETY, False)
    site.wait(3)
    assert not site.standing("inner-entry")


def test_a_second_car_on_one_opening_is_an_alarm_until_its_visit_is_over(site: "Site") -> None:
    site.employ(STAFF)
    site.tailgate("inner-entry", STAFF)
    assert "tailgating" in site.alarms("inner-entry")
    assert not site.standing("inner-entry")
