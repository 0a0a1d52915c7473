"""A reversible lane, whatever its loops say: the barrier has one owner at a time, and a car that
wants to leave is let out.
"""

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatekeeper.model import Sensor

if TYPE_CHECKING:
    from tests.rules.situations.conftest import Build, Site

IN, OUT = "inner-entry", "inner-exit"
PLATES = ("闽C12345", "闽A88H66", "闽E24680")
"""One of the staff, a visitor, and a stranger."""

OWNING = {"opening", "retrying", "approaching", "crossing", "closing"}

LOOP = st.tuples(st.just("loop"), st.sampled_from([IN, OUT]), st.sampled_from(Sensor))
SEEN = st.tuples(st.just("show"), st.sampled_from([IN, OUT]), st.sampled_from(PLATES))
WAIT = st.tuples(st.just("wait"), st.just(IN), st.sampled_from([0.3, 2.0, 12.0, 40.0]))
ORDER = st.tuples(st.just("order"), st.sampled_from([IN, OUT]), st.just("open"))
FAIL = st.tuples(st.just("fail"), st.sampled_from([IN, OUT]), st.just(""))
HAPPENINGS = st.lists(st.one_of(LOOP, LOOP, LOOP, SEEN, SEEN, WAIT, WAIT, ORDER, FAIL), max_size=30)


class Lane:
    """The reversible lane, and who stands where."""

    def __init__(self, site: "Site") -> None:
        self.site = site
        self.on: set[tuple[str, Sensor]] = set()
        site.employ(PLATES[0])
        site.bind(PLATES[1])

    def happens(self, what: str, lane: str, detail: object) -> None:
        match what, detail:
            case "loop", Sensor() as sensor:
                self.switch(IN if sensor is Sensor.SAFETY else lane, sensor)
            case "show", str() as plate:
                self.site.show(lane, plate)
            case "wait", float() as seconds:
                self.site.wait(seconds)
            case "order", str() as verb:
                self.site.order(verb, lane=lane)
            case _:
                self.site.restart(lane)

    def switch(self, lane: str, sensor: Sensor) -> None:
        if sensor in (Sensor.ARRIVAL, Sensor.SAFETY):
            self.on ^= {(lane, sensor)}
            self.site.loop(lane, sensor, (lane, sensor) in self.on)

    def owners(self) -> set[str]:
        return {lane for lane in (IN, OUT) if self.site.state(lane) in OWNING}


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@pytest.mark.parametrize("reversible", ["in_line", "apart"])
@given(happenings=HAPPENINGS)
def test_one_lane_opens_at_a_time_and_who_leaves_is_let_out(
    build: "Build", reversible: str, happenings: list[tuple[str, str, object]]
) -> None:
    lane = Lane(build(reversible=reversible))
    for happening in happenings:
        lane.happens(*happening)
        overdue = {"turn_overdue"} & (lane.site.alarms(IN) | lane.site.alarms(OUT))
        assert overdue or len(lane.owners()) <= 1
    for where, sensor in sorted(lane.on):
        lane.switch(where, sensor)
    lane.site.wait(minutes=5)
    assert (lane.site.state(IN), lane.site.state(OUT)) == ("clear", "clear")
    before = lane.site.openings(OUT)
    lane.site.arrive(OUT, PLATES[1])
    assert lane.site.openings(OUT) == before + 1


def test_a_lane_that_fails_with_its_car_under_the_boom_keeps_the_barrier_until_it_is_through(
    build: "Build",
) -> None:
    lane = Lane(build(reversible="apart"))
    lane.switch(IN, Sensor.SAFETY)
    lane.switch(IN, Sensor.ARRIVAL)
    lane.site.restart(OUT)
    for _ in range(2):
        lane.switch(IN, Sensor.SAFETY)
        assert lane.owners() == {OUT}


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(happenings=HAPPENINGS)
def test_a_car_that_stays_at_the_exit_is_let_out_whatever_stays_at_the_entry(
    build: "Build", happenings: list[tuple[str, str, object]]
) -> None:
    lane = Lane(build(reversible="in_line"))
    for happening in happenings:
        lane.happens(*happening)
    if (OUT, Sensor.ARRIVAL) not in lane.on:
        lane.switch(OUT, Sensor.ARRIVAL)
    before = lane.site.openings(OUT)
    lane.site.wait(minutes=5)
    assert lane.site.openings(OUT) > before or lane.site.state(OUT) in {*OWNING, "stuck"}
