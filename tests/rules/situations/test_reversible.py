"""One barrier for both ways: row 23 of the situations at the gate.

The inner gate is one lane of the road here. Coming in, a car goes over the arrival loop outside,
the safety loop, and the arrival loop inside; going out, the other way round.
"""

from typing import TYPE_CHECKING

import pytest

from gatekeeper.model import (
    Doubt,
    PassageEnded,
    Sensor,
    StayEnd,
    StayStarted,
)

if TYPE_CHECKING:
    from tests.rules.situations.conftest import Build, Site

IN, OUT = "inner-entry", "inner-exit"
STAFF = "闽C12345"
VISITOR = "闽A88H66"
OTHER = "闽D67F89"
STRANGER = "闽E24680"


@pytest.fixture
def lane(build: "Build") -> "Site":
    """A reversible lane with its loops in line, and a visitor who is inside already."""
    return with_a_visitor(build(reversible="in_line"))


@pytest.fixture
def apart(build: "Build") -> "Site":
    """One where cars can wait on either side of it."""
    return with_a_visitor(build(reversible="apart"))


def with_a_visitor(site: "Site") -> "Site":
    site.bind(VISITOR)
    site.bind(OTHER)
    site.employ(STAFF)
    go_through(site, IN, VISITOR)
    return site


def far(lane: str) -> str:
    return OUT if lane == IN else IN


def go_through(site: "Site", lane: str, plate: str) -> None:
    """A car arrives at a free barrier, and goes through to the other side."""
    site.arrive(lane, plate)
    go_on(site, lane)


def go_on(site: "Site", lane: str) -> None:
    """A car under a boom that is up goes through, and off the arrival loop of the other side."""
    site.drive_on(lane)
    site.loop(far(lane), Sensor.ARRIVAL, True)
    site.wait(1)
    site.loop(lane, Sensor.SAFETY, False)
    leave_the_far_loop(site, lane)


def leave_the_far_loop(site: "Site", lane: str) -> None:
    site.wait(1)
    site.loop(far(lane), Sensor.ARRIVAL, False)
    site.wait(2)


# --- one owner --------------------------------------------------------------------------------


def test_row_23_a_car_that_comes_in_and_goes_out_again_is_seen_once_each_way(
    lane: "Site",
) -> None:
    go_through(lane, OUT, VISITOR)
    assert lane.passages(IN) == [("passed", VISITOR, True)]
    assert lane.passages(OUT) == [("passed", VISITOR, True)]
    assert (lane.openings(IN), lane.openings(OUT)) == (1, 1)
    assert lane.stay(VISITOR).end is StayEnd.EXITED
    assert (lane.count().count, lane.alarms(IN), lane.alarms(OUT)) == (0, set(), set())


def test_row_23_the_exit_waits_while_a_car_comes_in_and_opens_when_it_is_out_of_the_way(
    lane: "Site",
) -> None:
    lane.arrive(IN, STAFF)
    lane.arrive(OUT, VISITOR)
    assert lane.state(OUT) == "waiting"
    lane.back_out(OUT)  # there is no room for both
    go_on(lane, IN)
    lane.arrive(OUT, VISITOR)
    assert lane.openings(OUT) == 1
    go_on(lane, OUT)
    assert [plate for _, plate, _ in lane.passages(OUT)] == [VISITOR, VISITOR]


def test_row_23_a_waiting_car_beside_the_lane_opens_by_itself_when_its_turn_comes(
    lane: "Site",
) -> None:
    lane.arrive(IN, STAFF)
    lane.arrive(OUT, VISITOR)
    lane.cross(IN)
    assert lane.openings(OUT) == 1
    lane.cross(OUT)
    assert lane.passages(OUT) == [("passed", VISITOR, True)]
    assert lane.count().count == 1


def test_row_23_the_car_that_crosses_keeps_it_until_it_has_left_the_far_loop(
    lane: "Site",
) -> None:
    lane.arrive(OUT, VISITOR)
    lane.arrive(IN, STAFF)
    lane.loop(IN, Sensor.ARRIVAL, False)
    lane.drive_on(OUT)
    lane.loop(IN, Sensor.ARRIVAL, True)
    lane.wait(1)
    lane.loop(OUT, Sensor.SAFETY, False)
    lane.arrive(OUT, OTHER)
    assert lane.state(OUT) == "waiting"
    leave_the_far_loop(lane, OUT)
    assert lane.state(OUT) == "opening"


def test_row_23_of_two_that_wait_the_exit_goes_first(apart: "Site") -> None:
    apart.arrive(IN, STAFF)
    apart.drive_on(IN)
    apart.arrive(IN, OTHER)
    apart.arrive(OUT, VISITOR)
    assert apart.state(OUT) == "waiting"
    apart.loop(IN, Sensor.SAFETY, False)
    apart.show(IN, OTHER)
    assert (apart.state(IN), apart.state(OUT)) == ("waiting", "opening")
    apart.cross(OUT)
    assert (apart.state(IN), apart.state(OUT)) == ("opening", "clear")


def test_row_23_an_entering_car_on_the_safety_loop_goes_before_the_exit(apart: "Site") -> None:
    apart.arrive(IN, STRANGER)
    apart.loop(IN, Sensor.SAFETY, True)
    apart.arrive(OUT, VISITOR)
    assert apart.state(OUT) == "waiting"
    assert "undecided_passage" in apart.standing(IN)
    apart.loop(IN, Sensor.SAFETY, False)  # it rolls back
    apart.loop(IN, Sensor.ARRIVAL, False)
    apart.wait(2)
    assert apart.state(OUT) == "opening"


def test_row_23_a_refused_car_keeps_no_exit_waiting(lane: "Site") -> None:
    lane.arrive(IN, STRANGER)
    lane.arrive(OUT, VISITOR)
    assert (lane.state(IN), lane.state(OUT)) == ("refused", "opening")
    assert (lane.openings(IN), lane.openings(OUT)) == (1, 1)


def test_row_23_a_decision_that_waited_is_made_again_when_its_turn_comes(build: "Build") -> None:
    night = {"class": "visitor", "from": "00:01", "until": "06:00", "then": "refuse"}
    lane = with_a_visitor(build(reversible="in_line", schedule=[night]))
    lane.arrive(OUT, VISITOR)
    lane.arrive(IN, OTHER)
    assert (lane.state(IN), lane.openings(IN)) == ("waiting", 1)
    lane.drive_on(OUT)
    lane.wait(50)
    lane.loop(OUT, Sensor.SAFETY, False)
    lane.wait(3)
    assert lane.state(IN) == "refused"
    assert lane.decisions(IN)[1:] == ["outside_hours"]
    assert lane.openings(IN) == 1


def test_row_23_a_list_that_changes_while_a_car_waits_is_heeded_at_once(lane: "Site") -> None:
    lane.arrive(OUT, VISITOR)
    lane.arrive(IN, STAFF)
    assert lane.state(IN) == "waiting"
    lane.ban(STAFF)
    assert lane.state(IN) == "refused"
    lane.cross(OUT)
    assert lane.openings(IN) == 1


def test_row_23_in_a_fire_no_one_waits_for_a_turn(lane: "Site") -> None:
    lane.arrive(IN, STAFF)
    lane.arrive(OUT, VISITOR)
    assert lane.state(OUT) == "waiting"
    lane.fire(True)
    lane.wait(1)
    assert lane.state(OUT) == "opening"
    assert lane.decisions(OUT) == ["fire"]


def test_row_23_a_car_that_gives_up_waiting_takes_its_place_along(lane: "Site") -> None:
    lane.arrive(OUT, VISITOR)
    lane.arrive(IN, STAFF)
    lane.back_out(IN)
    lane.cross(OUT)
    assert lane.openings(IN) == 1
    assert lane.passages(IN)[1:] == [("backed_out", STAFF, True)]


def test_row_23_who_does_not_use_its_turn_loses_it(lane: "Site") -> None:
    lane.arrive(IN, STAFF)
    lane.arrive(OUT, VISITOR)
    lane.wait(20)
    assert lane.state(OUT) == "waiting"
    lane.wait(15)
    assert lane.passages(IN)[1:] == [("timed_out", STAFF, True)]
    assert lane.openings(OUT) == 1


def test_row_23_a_barrier_that_never_clears_is_an_alarm_and_the_exit_opens(apart: "Site") -> None:
    apart.arrive(IN, STAFF)
    apart.drive_on(IN)  # and stops under the boom
    apart.arrive(OUT, VISITOR)
    apart.wait(minutes=3)
    assert "turn_overdue" in apart.standing(IN)
    assert apart.openings(OUT) >= 1


def test_row_23_an_order_opens_for_no_one_against_the_car_that_has_the_barrier(
    lane: "Site",
) -> None:
    lane.arrive(OUT, VISITOR)
    lane.arrive(IN, STRANGER)
    answer = lane.order("open", lane=IN)
    assert answer.outcome == "refused"
    assert lane.openings(IN) == 1
    lane.cross(OUT)
    assert lane.order("open", lane=IN).outcome == "done"
    assert lane.openings(IN) == 2


def test_row_23_a_lane_that_fails_gives_the_barrier_back(lane: "Site") -> None:
    lane.arrive(IN, STAFF)
    lane.arrive(OUT, VISITOR)
    lane.restart(IN)
    assert (lane.state(IN), lane.state(OUT)) == ("reading", "opening")
    lane.show(IN, STAFF)
    assert lane.state(IN) == "waiting"


def test_row_23_after_a_crash_a_car_on_each_side_is_decided_again_one_after_the_other(
    lane: "Site",
) -> None:
    lane.arrive(IN, STAFF)
    lane.arrive(OUT, VISITOR)
    lane.crash()
    lane.show(OUT, VISITOR)
    lane.show(IN, STAFF)
    assert (lane.state(IN), lane.state(OUT)) == ("waiting", "opening")
    assert (lane.openings(IN), lane.openings(OUT)) == (2, 1)


def test_row_23_a_car_that_stops_under_the_boom_hides_no_exit_for_ever(lane: "Site") -> None:
    lane.arrive(IN, STAFF)
    lane.drive_on(IN)
    lane.arrive(OUT, VISITOR)
    lane.wait(minutes=3)
    assert "turn_overdue" in lane.alarms(IN)
    assert lane.openings(OUT) == 1


# --- which way --------------------------------------------------------------------------------


def test_row_23_who_takes_the_boom_that_is_up_for_the_other_side_is_undecided(
    lane: "Site",
) -> None:
    lane.arrive(OUT, VISITOR)
    lane.loop(OUT, Sensor.ARRIVAL, False)
    lane.loop(IN, Sensor.ARRIVAL, True)
    lane.cross(IN)
    (crossed,) = lane.facts(PassageEnded, lane=OUT)
    assert not crossed.decided
    assert Doubt.DIRECTION_UNKNOWN in crossed.doubts
    assert {"undecided_passage", "direction_unknown"} <= lane.alarms(OUT)
    assert lane.stay(VISITOR).ended is None
    assert not lane.count().trusted


def test_row_23_who_crosses_from_nowhere_is_undecided_and_claims_no_direction(
    lane: "Site",
) -> None:
    lane.wait(minutes=1)
    lane.loop(IN, Sensor.SAFETY, True)
    lane.wait(2)
    lane.loop(IN, Sensor.SAFETY, False)
    lane.wait(3)
    crossed = lane.facts(PassageEnded)[-1]
    assert not crossed.decided
    assert Doubt.DIRECTION_UNKNOWN in crossed.doubts
    assert len(lane.facts(StayStarted)) == 1
    assert not lane.count().trusted


def test_row_23_a_car_that_stays_on_the_far_loop_is_a_new_arrival_and_in_doubt(
    lane: "Site",
) -> None:
    lane.arrive(IN, STAFF)
    lane.drive_on(IN)
    lane.loop(OUT, Sensor.ARRIVAL, True)
    lane.wait(1)
    lane.loop(IN, Sensor.SAFETY, False)
    lane.wait(5)
    assert lane.state(OUT) == "clear"
    lane.wait(10)
    lane.show(OUT, STAFF)
    lane.back_out(OUT)
    turned_back = lane.facts(PassageEnded, lane=OUT)[-1]
    assert Doubt.DIRECTION_UNKNOWN in turned_back.doubts
    assert lane.passages(IN)[-1] == ("passed", STAFF, True)


def test_row_23_one_that_came_in_and_reverses_out_again_is_undecided(lane: "Site") -> None:
    lane.arrive(IN, STAFF)
    lane.drive_on(IN)
    lane.loop(OUT, Sensor.ARRIVAL, True)
    lane.wait(1)
    lane.loop(IN, Sensor.SAFETY, False)
    lane.wait(3)
    lane.loop(IN, Sensor.SAFETY, True)
    lane.loop(OUT, Sensor.ARRIVAL, False)
    lane.wait(1)
    lane.loop(IN, Sensor.SAFETY, False)
    lane.wait(3)
    back = lane.facts(PassageEnded, lane=IN)[-1]
    assert (back.decided, Doubt.DIRECTION_UNKNOWN in back.doubts) == (False, True)
    assert not lane.count().trusted
