"""A store that fails, is slow, or is not there: rows 31 to 33 of the situations at the gate."""

from typing import TYPE_CHECKING

import pytest

from gatekeeper.model import (
    AlarmRaised,
    BarrierCommanded,
    ControllerStarted,
    Doubt,
    Judgement,
    PassageEnded,
    StayEnded,
    StayOverstayed,
)
from tests.rules.situations.conftest import ShakyDisk

if TYPE_CHECKING:
    from tests.rules.situations.conftest import Build, Site

STAFF = "闽C12345"
VISITOR = "闽A88H66"
OTHER = "闽D67F89"

FULL = "the disk is full: free some space"


# --- 31: the store cannot write ---------------------------------------------------------------


def test_row_31_exits_open_and_a_driver_who_leaves_while_nothing_can_be_written_has_left(
    site: "Site",
) -> None:
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=5)
    site.disk.fails = FULL
    site.leave(STAFF)
    assert site.openings("inner-exit") == 1
    site.wait(minutes=20)
    site.disk.fails = None
    site.wait(10)

    assert site.stay(STAFF).ended is not None
    assert site.stay(STAFF).judgement is None
    assert not site.banned(STAFF)
    assert len(site.facts(StayEnded)) == 1


def test_row_31_what_happened_is_written_in_order_when_the_store_writes_again(
    site: "Site",
) -> None:
    site.enter(VISITOR)
    site.disk.fails = FULL
    for _ in range(3):
        site.arrive("outer-exit", OTHER)
        site.cross("outer-exit")
        site.wait(30)
    before = len(site.facts(PassageEnded))
    site.disk.fails = None
    site.wait(10)

    assert len(site.facts(PassageEnded)) == before + 3
    outcomes = site.facts(BarrierCommanded, lane="outer-exit")
    assert [each.behind for each in outcomes] == [True, True, True]


def test_row_31_no_overstay_of_such_a_time_is_certain_and_no_count_is_trusted(
    site: "Site",
) -> None:
    site.order("recount", zone="visitor_zone", count=0)
    site.employ(STAFF)
    site.enter(STAFF)
    assert site.count().trusted
    site.wait(minutes=5)
    site.disk.fails = FULL
    site.arrive("outer-exit", OTHER)
    site.cross("outer-exit")
    site.wait(5)
    assert not site.count().trusted
    site.disk.fails = None
    site.wait(minutes=15)

    assert site.stay(STAFF).judgement is Judgement.SUSPECTED
    assert Doubt.STORE_FAILED in site.doubts(STAFF)
    assert site.facts(StayOverstayed) == []
    assert not site.banned(STAFF)
    assert site.count().trusted


def test_row_31_the_centre_learns_of_it(site: "Site") -> None:
    site.disk.fails = FULL
    site.arrive("outer-exit", OTHER)
    site.cross("outer-exit")
    site.wait(5)
    site.disk.fails = None
    site.wait(minutes=1)

    assert [each.detail for each in site.facts(AlarmRaised) if each.alarm == "store_failed"] == [
        f"gatekeeper.db: {FULL}"
    ]
    assert site.standing("store") == set()


def test_row_31_who_was_inside_when_the_controller_ends_so_is_never_banned(
    site: "Site",
) -> None:
    site.employ(STAFF)
    site.enter(STAFF)
    site.wait(minutes=5)
    site.disk.fails = FULL
    site.leave(STAFF)
    site.crash()
    site.disk.fails = None
    site.wait(minutes=30)

    assert site.facts(StayOverstayed) == []
    assert not site.banned(STAFF)


# --- 32: the disk is slow ---------------------------------------------------------------------


@pytest.mark.parametrize("slow_s", [0.5, 2.0, 30.0])
def test_row_32_an_exit_waits_no_longer_for_a_slow_disk_than_it_says(
    site: "Site", slow_s: float
) -> None:
    site.disk.slow_s = slow_s
    site.arrive("inner-exit", OTHER)
    site.wait(1.0)

    assert site.openings("inner-exit") == 1
    assert "store_slow" in site.standing("store")


def test_row_32_a_disk_that_keeps_up_is_waited_for(site: "Site") -> None:
    site.disk.slow_s = 0.1
    site.arrive("inner-exit", OTHER)
    site.wait(1.0)

    assert [each.behind for each in site.facts(BarrierCommanded)] == [False]
    assert site.standing("store") == set()


def test_row_32_an_entry_gets_a_new_decision_while_the_vehicle_stands_there(
    site: "Site",
) -> None:
    site.bind(VISITOR)
    site.disk.slow_s = 1.0
    site.arrive("inner-entry", VISITOR)
    site.wait(2.0)
    assert site.openings("inner-entry") == 0
    site.disk.slow_s = 0.0
    site.wait(2.0)
    site.show("inner-entry", VISITOR)
    site.wait(2.0)

    assert site.openings("inner-entry") == 1


# --- 33: the start ----------------------------------------------------------------------------


def test_row_33_without_a_store_the_gate_goes_live_and_takes_it_up_later(build: "Build") -> None:
    site = build(lists=(), disk=ShakyDisk(fails=FULL))
    site.wait(5.0)
    site.arrive("inner-exit", OTHER)
    site.wait(3.0)
    assert site.openings("inner-exit") == 1
    assert "store_failed" in site.standing("store")
    site.cross("inner-exit")
    site.disk.fails = None
    site.wait(minutes=1)

    assert len(site.facts(ControllerStarted)) == 1
    assert len(site.facts(PassageEnded, lane="inner-exit")) == 1
    assert site.standing("store") == set()


def test_row_33_what_was_stored_before_is_taken_up_when_the_store_comes(site: "Site") -> None:
    site.employ(STAFF)
    site.enter(STAFF)
    site.order("lockdown", on=True)
    site.disk.fails = FULL
    site.crash()
    site.wait(30)
    site.disk.fails = None
    site.wait(minutes=1)

    assert Doubt.RESTART in site.doubts(STAFF)
    site.bind(VISITOR)
    site.arrive("inner-entry", VISITOR)
    site.wait(5)
    assert site.decisions("inner-entry")[-1] == "lockdown"
