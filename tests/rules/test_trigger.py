"""When a vehicle is at the lane, by the camera alone."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.rules.trigger import (
    EMPTY_S,
    LINGERS_S,
    MOVED_S,
    STANDS_S,
    Edge,
    Trigger,
    View,
    step,
)

LOOK_S = 0.25
VISITOR, FOLLOWER, MISREAD = "闽C12F57", "京A8K3X9", "闽C12E57"


def views(*told: tuple[str, float], plates: tuple[str, ...] = (VISITOR,)) -> list[View]:
    """Four looks a second: what is seen (moving, changed, plate), and for how many seconds."""
    seen: list[View] = []
    for words, lasts_s in told:
        for _ in range(round(lasts_s / LOOK_S)):
            seen.append(
                View(
                    at=len(seen) * LOOK_S,
                    moving="moving" in words,
                    changed="changed" in words,
                    plates=plates if "plate" in words else (),
                )
            )
    return seen


def edges(looks: Iterable[View]) -> list[Edge]:
    trigger, told = Trigger(), list[Edge]()
    for view in looks:
        after = step(trigger, view)
        trigger = after.trigger
        told += after.edges
    return told


def came(looks: Iterable[View]) -> list[bool]:
    return [edge.on for edge in edges(looks)]


def test_an_empty_lane_is_empty() -> None:
    assert edges(views(("", 60))) == []


def test_what_moves_and_bears_a_plate_has_arrived_when_the_plate_was_first_seen() -> None:
    assert edges(views(("", 2), ("moving changed", 1), ("moving changed plate", 1))) == [
        Edge(True, 3.0)
    ]


def test_a_plate_may_be_read_a_little_after_the_motion() -> None:
    assert came(views(("moving", MOVED_S - 1), ("plate", 0.5))) == [True]


def test_a_plate_that_stays_is_a_vehicle_though_nothing_moved() -> None:
    assert edges(views(("", 10), ("plate", STANDS_S + 0.5))) == [Edge(True, 10.0)]


def test_a_plate_in_one_look_alone_is_none() -> None:
    assert came(views(("", 10), ("plate", LOOK_S), ("", 10))) == []


def test_an_unread_vehicle_that_stands_has_arrived_since_it_stood() -> None:
    looks = views(("", 2), ("moving changed", 1), ("changed", STANDS_S + 0.5))
    assert edges(looks) == [Edge(True, 3.0)]


def test_an_unread_vehicle_in_the_rain_arrives_as_well() -> None:
    assert came(views(("", 2), ("moving changed", LINGERS_S + 0.5))) == [True]


def test_what_goes_by_without_a_plate_is_no_vehicle() -> None:
    assert came(views(("", 2), ("moving changed", STANDS_S + 1), ("", 10))) == []


def test_it_has_left_when_nothing_was_seen_of_it_for_two_seconds() -> None:
    looks = views(("moving changed plate", 5), ("", EMPTY_S + 1))
    assert edges(looks) == [Edge(True, 0.0), Edge(False, 5.0 - LOOK_S)]


def test_a_plate_lost_for_a_while_is_no_departure() -> None:
    assert came(views(("moving changed plate", 2), ("", EMPTY_S - 0.5), ("plate", 9))) == [True]


def test_an_unread_vehicle_that_stands_for_an_hour_is_there_for_an_hour() -> None:
    assert came(views(("changed", 3600))) == [True]


def test_the_next_vehicle_bumper_to_bumper_is_another_arrival() -> None:
    looks = views(("moving changed plate", 5))
    begins = looks[-1].at + LOOK_S
    looks += [
        View(at=begins + n * LOOK_S, moving=True, changed=True, plates=(FOLLOWER,))
        for n in range(8)
    ]
    assert edges(looks) == [Edge(True, 0.0), Edge(False, begins), Edge(True, begins + LOOK_S)]


def test_a_misread_is_no_other_vehicle() -> None:
    looks = views(("moving changed plate", 5))
    looks += [
        View(at=5 + n * LOOK_S, moving=False, changed=True, plates=(MISREAD,)) for n in range(8)
    ]
    assert came(looks) == [True]


def test_a_second_plate_beside_the_first_is_no_arrival_yet() -> None:
    looks = views(("moving changed plate", 2))
    looks += [
        View(at=2 + n * LOOK_S, moving=True, changed=True, plates=(VISITOR, FOLLOWER))
        for n in range(8)
    ]
    assert came(looks) == [True]


def test_what_is_no_plate_triggers_nothing() -> None:
    assert came(views(("moving plate", 9), plates=("CAM03", "2026", "闽C12F5挂"))) == []


LOOKS = st.lists(
    st.builds(
        View,
        at=st.floats(0.01, 3.0),
        moving=st.booleans(),
        changed=st.booleans(),
        plates=st.lists(st.sampled_from((VISITOR, FOLLOWER, MISREAD, "CAM03")), max_size=2).map(
            tuple
        ),
    ),
    max_size=60,
)
"""Looks whose moments are told as seconds since the one before."""


def in_turn(looks: Iterable[View]) -> list[View]:
    at, told = 0.0, list[View]()
    for look in looks:
        at += look.at
        told.append(View(at=at, moving=look.moving, changed=look.changed, plates=look.plates))
    return told


@given(LOOKS)
def test_vehicles_come_and_go_in_turn_and_at_moments_that_go_forward(looks: list[View]) -> None:
    told = edges(in_turn(looks))
    assert [edge.on for edge in told] == [n % 2 == 0 for n in range(len(told))]
    assert [edge.at for edge in told] == sorted(edge.at for edge in told)


@given(LOOKS)
def test_an_edge_was_seen_in_the_past_and_begins_with_something_seen(looks: list[View]) -> None:
    trigger, seen = Trigger(), list[View]()
    for view in in_turn(looks):
        seen.append(view)
        after = step(trigger, view)
        trigger = after.trigger
        for edge in after.edges:
            assert edge.at <= view.at
            assert any(look.at == edge.at and look.anything for look in seen)


@given(LOOKS)
def test_who_came_is_gone_once_the_view_stays_empty(looks: list[View]) -> None:
    told = in_turn(looks)
    last = told[-1].at if told else 0.0
    told += [View(at=last + n, moving=False, changed=False) for n in (1.0, 1.0 + EMPTY_S)]
    assert [edge.on for edge in edges(told)][-1:] in ([], [False])


@given(LOOKS)
def test_nothing_arrives_where_nothing_stands_and_no_plate_is_read(looks: list[View]) -> None:
    bare = [View(at=look.at, moving=look.moving, changed=False) for look in in_turn(looks)]
    assert edges(bare) == []
