"""What cannot be told is in the driver's favour: rows 36 to 39 of the situations at the gate."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from gatekeeper.config.advice import warnings
from gatekeeper.model import (
    Colour,
    Doubt,
    Judgement,
    ListName,
    Sensor,
    StayEnd,
    StayOverstayed,
    StaySuspected,
)
from simulators.virtual import EPOCH

if TYPE_CHECKING:
    from tests.rules.situations.conftest import Build, Site

STAFF = "闽C12345"
STRANGER = "闽C12M45"
VISITOR = "闽A88H66"


# --- 36: two listed plates that differ in one character ----------------------------------------


@pytest.mark.parametrize(
    "other",
    ["闽C12346", "闽C1234W", "闽C72345", "闽X12345", "云C12345", "闽C12345D", "闽CD12345"],
    ids=["digit", "letter", "first digit", "authority", "province", "one more", "one inside"],
)
def test_row_36_a_listed_plate_one_character_away_makes_the_entry_uncertain(
    site: "Site", other: str
) -> None:
    site.employ(STAFF)
    site.bind(other)
    site.enter(STAFF)
    assert site.doubts(STAFF) == {Doubt.ENTRY_UNCERTAIN}
    site.wait(minutes=12)
    assert [fact.plate for fact in site.facts(StaySuspected)] == [STAFF]
    assert not site.banned(STAFF)


def test_row_36_it_holds_the_other_way_round_too(site: "Site") -> None:
    site.bind(STAFF)
    site.employ("闽CD12345")
    site.enter("闽CD12345", colour=Colour.GREEN)
    assert site.doubts("闽CD12345") == {Doubt.ENTRY_UNCERTAIN}


def test_row_36_a_plate_that_is_not_listed_or_two_characters_away_changes_nothing(
    site: "Site",
) -> None:
    site.employ(STAFF)
    site.bind("闽C12M4W")
    site.enter(STAFF)
    assert not site.doubts(STAFF)


def test_row_36_a_driver_read_as_a_colleague_for_certain_brings_no_one_on_the_blacklist(
    site: "Site",
) -> None:
    site.employ(STAFF)
    site.bind(STRANGER)
    site.enter(STAFF)  # it is the stranger's car: three frames surely misread its M
    site.wait(minutes=12)
    assert site.stay(STAFF).judgement is Judgement.SUSPECTED
    assert not site.facts(StayOverstayed)


# --- 37: bumper to bumper where the places of the loops are not known --------------------------


def _stays_while_two_leave_as_one(site: "Site") -> None:
    """Two cars of 8.5 m together, so fast that the safety loop alone takes them for one: the second
    leaves the arrival loop 2.5 m before the safety loop, at 2.2 m/s.
    """
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=3)
    site.arrive("inner-exit", VISITOR)
    site.loop("inner-exit", Sensor.SAFETY, True)
    site.wait(3.4)
    site.loop("inner-exit", Sensor.ARRIVAL, False)
    site.wait(1.1)
    site.loop("inner-exit", Sensor.SAFETY, False)
    site.wait(minutes=10)


def test_row_37_where_the_places_are_known_the_length_tells_two_cars(site: "Site") -> None:
    assert not any("geometry" in said for said in warnings(site.config()))
    _stays_while_two_leave_as_one(site)
    assert site.doubts(STAFF) == {Doubt.SAFETY_LOOP_LONG}
    assert not site.banned(STAFF)


def test_row_37_where_they_are_not_known_limits_are_advisory_and_check_says_so(
    build: "Build",
) -> None:
    site = build(unmeasured=("inner-exit",))
    assert [said for said in warnings(site.config()) if "geometry" in said] == [
        "zone visitor_zone: exit lane inner-exit has no [lane.geometry], so that two cars bumper to"
        " bumper cannot be told from one: limits are advisory"
    ]
    _stays_while_two_leave_as_one(site)
    assert site.stay(STAFF).judgement is Judgement.SUSPECTED
    assert not site.facts(StaySuspected)
    assert not site.banned(STAFF)


def test_row_37_one_exit_of_another_controller_that_is_not_measured_is_enough(
    build: "Build",
) -> None:
    gates = (("inner-entry",), ("inner-exit", "outer-entry", "outer-exit"))
    site = build(gates=gates, unmeasured=("inner-exit",))
    assert any("exits_measured" in said for said in warnings(site.config()))
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=15)
    assert site.stay(STAFF).judgement is Judgement.SUSPECTED
    assert not site.banned(STAFF)


# --- 38: an arrival at the last moment ----------------------------------------------------------


def _arrives_after(site: "Site", seconds: float) -> None:
    """The car comes onto the arrival loop of the exit so long after it has passed the entry."""
    site.employ(STAFF)
    site.enter(STAFF)
    entered = site.stay(STAFF).entered.boot_s
    site.wait(entered + seconds - site.boot_s())
    site.leave(STAFF)


def test_row_38_who_arrives_at_exactly_limit_and_grace_has_not_overstayed(site: "Site") -> None:
    _arrives_after(site, 660.0)
    assert site.stay(STAFF).end is StayEnd.EXITED
    assert site.stay(STAFF).judgement is None
    assert not site.banned(STAFF)


def test_row_38_a_millisecond_later_is_an_overstay(site: "Site") -> None:
    _arrives_after(site, 660.001)
    assert site.stay(STAFF).judgement is Judgement.OVERSTAYED
    assert site.banned(STAFF)


def test_row_38_the_arrival_wins_however_long_the_car_then_stands_there(site: "Site") -> None:
    site.employ(STAFF)
    site.enter(STAFF)
    entered = site.stay(STAFF).entered.boot_s
    site.wait(entered + 660.0 - site.boot_s())
    site.arrive("inner-exit", STAFF)
    site.drive_on("inner-exit")
    site.wait(50)
    site.loop("inner-exit", Sensor.SAFETY, False)
    site.wait(minutes=1)
    assert site.stay(STAFF).end is StayEnd.EXITED
    assert site.stay(STAFF).judgement is None


# --- 39: the staff row ends while it is used ----------------------------------------------------


def test_row_39_a_row_removed_between_the_pulse_and_the_passage_lifts_the_limit(
    site: "Site",
) -> None:
    site.employ(STAFF)
    site.arrive("inner-entry", STAFF)
    assert site.openings("inner-entry") == 1
    site.take_off(ListName.INTERNALS, STAFF)
    site.cross("inner-entry")
    assert site.stay(STAFF).limit is None
    site.wait(minutes=15)
    assert site.stay(STAFF).judgement is None
    assert not site.banned(STAFF)


def test_row_39_a_row_made_exempt_between_the_pulse_and_the_passage_lifts_it_too(
    site: "Site",
) -> None:
    site.employ(STAFF)
    site.arrive("inner-entry", STAFF)
    site.put(ListName.EXEMPT, STAFF)
    site.cross("inner-entry")
    assert site.stay(STAFF).limit is None


@pytest.mark.parametrize("ends_after_s", [30.0, 300.0, 659.0])
@pytest.mark.parametrize("leaves", [False, True], ids=["stays", "leaves late"])
def test_row_39_a_row_whose_time_is_over_while_the_car_is_inside_limits_it_no_longer(
    site: "Site", ends_after_s: float, leaves: bool
) -> None:
    site.wait(60)
    until = EPOCH + timedelta(seconds=site.true_s + ends_after_s)
    site.put(ListName.INTERNALS, STAFF, valid_until=until)
    site.enter(STAFF)
    site.wait(665)
    if leaves:
        site.leave(STAFF)
    site.wait(minutes=5)
    assert site.stay(STAFF).limit is None
    assert site.stay(STAFF).judgement is None
    assert not site.banned(STAFF)


def test_row_39_one_that_ends_after_the_overstay_excuses_no_one(site: "Site") -> None:
    until = EPOCH + timedelta(minutes=15)
    site.put(ListName.INTERNALS, STAFF, valid_until=until)
    site.enter(STAFF)
    site.wait(minutes=12)
    assert site.stay(STAFF).judgement is Judgement.OVERSTAYED
    assert site.banned(STAFF)


def test_row_39_by_a_clock_that_is_not_trusted_no_one_can_say_whether_it_had_ended(
    site: "Site",
) -> None:
    site.put(ListName.INTERNALS, STAFF, valid_until=EPOCH + timedelta(days=1))
    site.enter(STAFF)
    site.step_clock(-3600, trusted=False)
    site.wait(minutes=12)
    assert site.doubts(STAFF) == {Doubt.CLOCK_UNTRUSTED}
    assert not site.banned(STAFF)


def test_row_39_a_change_that_came_while_the_controller_was_down_is_seen_at_its_start(
    site: "Site",
) -> None:
    until = EPOCH + timedelta(minutes=5)
    site.put(ListName.INTERNALS, STAFF, valid_until=until)
    site.enter(STAFF)
    site.power_cut(off_s=600)
    assert site.stay(STAFF).limit is None
