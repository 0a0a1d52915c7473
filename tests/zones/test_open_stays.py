"""The open stays, counts and paused time."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.model import (
    Instant,
    Judgement,
    Limit,
    Stay,
    StayEnd,
    VehicleClass,
    ZoneState,
)
from gatekeeper.rules import pauses
from gatekeeper.rules.stay import StayStep
from gatekeeper.zones.open_stays import OpenStays

AT = Instant(boot_id="a", boot_s=0.0, wall=datetime(2026, 11, 23, 9, tzinfo=UTC), trusted=True)
LIMIT = Limit(limit_s=600, warning_s=120, grace_s=60)


def inside(key: str, plate: str = "京A12345", *, zone: str = "hall", since: float = 0.0) -> Stay:
    entered = replace(AT, boot_s=since)
    return Stay(
        id=key,
        zone=zone,
        plate=plate,
        vehicle=VehicleClass.INTERNAL,
        entered=entered,
        counted_from=entered,
        entry_lane="in",
        entry_passage="p1",
        limit=LIMIT,
    )


def ended(stay: Stay) -> Stay:
    return replace(stay, ended=AT, end=StayEnd.EXITED)


@pytest.fixture
def open_stays() -> OpenStays:
    return OpenStays()


# --- stays ----------------------------------------------------------------------------------


def test_an_empty_roll_knows_no_one(open_stays: OpenStays) -> None:
    assert open_stays.inside == ()
    assert open_stays.of_plate("京A12345") == []
    assert open_stays.watched("hall") == ()
    assert open_stays.wake_at() is None
    assert open_stays.due(1e9) == []


def test_who_is_inside_is_found_by_plate_and_where_a_limit_runs_by_zone(
    open_stays: OpenStays,
) -> None:
    limited, free = inside("s1"), replace(inside("s2", zone="car_park"), limit=None)
    open_stays.take([StayStep(stay=limited, wake_at=480.0), StayStep(stay=free)])

    assert open_stays.inside == (limited, free)
    assert open_stays.of_plate("京A12345") == [limited, free]
    assert open_stays.watched("hall") == (limited,)
    assert open_stays.watched("car_park") == ()


def test_who_is_judged_is_inside_and_watched_no_longer(open_stays: OpenStays) -> None:
    judged = replace(inside("s1"), judgement=Judgement.SUSPECTED)
    open_stays.take([StayStep(stay=inside("s1"), wake_at=480.0)])
    open_stays.take([StayStep(stay=judged)])

    assert open_stays.inside == (judged,)
    assert open_stays.watched("hall") == ()
    assert open_stays.wake_at() is None


def test_a_stay_that_has_ended_is_forgotten(open_stays: OpenStays) -> None:
    open_stays.take([StayStep(stay=inside("s1"), wake_at=480.0)])
    open_stays.take([StayStep(stay=ended(inside("s1")))])

    assert open_stays.inside == ()
    assert open_stays.of_plate("京A12345") == []
    assert open_stays.due(1e9) == []


def test_who_wants_to_be_woken_first_is_woken_first(open_stays: OpenStays) -> None:
    open_stays.take([StayStep(stay=inside("s1"), wake_at=480.0)])
    open_stays.take([StayStep(stay=inside("s2"), wake_at=300.0)])

    assert open_stays.wake_at() == 300.0
    assert [each.id for each in open_stays.due(300.0)] == ["s2"]
    assert [each.id for each in open_stays.due(480.0)] == ["s1", "s2"]


def test_when_paused_time_changes_everybody_in_the_zone_is_woken_at_another_time(
    open_stays: OpenStays,
) -> None:
    open_stays.take([StayStep(stay=inside("s1"), wake_at=480.0), StayStep(stay=inside("s2"))])
    open_stays.take([StayStep(stay=inside("s3", zone="yard"), wake_at=100.0)])
    open_stays.rescheduled("hall", {"s1": None, "s2": 500.0})

    assert [each.id for each in open_stays.due(1e9)] == ["s3", "s2"]


# --- counts ---------------------------------------------------------------------------------


def test_a_zone_that_was_never_counted_is_empty_and_not_trusted(open_stays: OpenStays) -> None:
    assert open_stays.state("hall") == ZoneState(zone="hall", count=0, trusted=False)


def test_who_is_coming_takes_a_space_until_the_passage_is_over(open_stays: OpenStays) -> None:
    open_stays.counted([ZoneState(zone="hall", count=3, trusted=True)])
    open_stays.comes("hall", "p1")
    open_stays.comes("hall", "p1")
    open_stays.comes("hall", "p2")
    assert open_stays.state("hall") == ZoneState(zone="hall", count=3, trusted=True, coming=2)

    open_stays.came("hall", "p1")
    open_stays.came("hall", "p3")
    assert open_stays.state("hall").coming == 1


def test_those_who_are_coming_are_no_part_of_a_count(open_stays: OpenStays) -> None:
    open_stays.comes("hall", "p1")
    open_stays.counted([ZoneState(zone="hall", count=3, trusted=True, coming=9)])

    assert open_stays.state("hall").coming == 1


# --- paused --------------------------------------------------------------------------------


def test_what_no_stay_can_still_ask_for_is_forgotten(open_stays: OpenStays) -> None:
    old = pauses.lasted(pauses.NONE, "out", 0, 50)
    both = pauses.lasted(old, "out", 200, 250)
    open_stays.take([StayStep(stay=inside("s1", since=100.0))])
    open_stays.keep_paused("hall", both, 300.0)

    assert [span.since for span in open_stays.paused("hall").spans] == [200]
    assert open_stays.paused("yard") == pauses.NONE


def test_where_no_one_is_watched_only_what_still_lasts_is_kept(open_stays: OpenStays) -> None:
    open_stays.keep_paused(
        "hall", pauses.began(pauses.lasted(pauses.NONE, "out", 0, 50), "in", 60), 300.0
    )

    assert [span.cause for span in open_stays.paused("hall").spans] == ["in"]


# --- whatever happens -----------------------------------------------------------------------

moves = st.tuples(
    st.sampled_from(["s1", "s2", "s3"]),
    st.sampled_from(["京A12345", "沪B67890"]),
    st.sampled_from(["hall", "yard"]),
    st.sampled_from(["runs", "free", "judged", "ended"]),
    st.none() | st.integers(0, 100),
)


@given(st.lists(moves, max_size=15))
def test_all_that_can_be_asked_agrees_with_the_last_step_of_each_stay(
    steps: list[tuple[str, str, str, str, int | None]],
) -> None:
    open_stays, model = OpenStays(), dict[str, StayStep]()
    for key, plate, zone, what, wake_at in steps:
        stay = inside(key, plate, zone=zone)
        if what == "free":
            stay = replace(stay, limit=None)
        if what == "judged":
            stay = replace(stay, judgement=Judgement.OVERSTAYED)
        if what == "ended":
            stay = ended(stay)
        step = StayStep(stay=stay, wake_at=None if wake_at is None else float(wake_at))
        open_stays.take([step])
        model[key] = step
    still = [each for each in model.values() if each.stay.ended is None]
    wakes = [each.wake_at for each in still if each.wake_at is not None]

    assert sorted(each.id for each in open_stays.inside) == sorted(each.stay.id for each in still)
    for plate in ("京A12345", "沪B67890"):
        named = [each.stay.id for each in still if each.stay.plate == plate]
        assert [each.id for each in open_stays.of_plate(plate)] == sorted(named)
    for zone in ("hall", "yard"):
        running = {
            each.stay.id
            for each in still
            if each.stay.zone == zone and each.stay.limit and not each.stay.judgement
        }
        assert {each.id for each in open_stays.watched(zone)} == running
    assert open_stays.wake_at() == min(wakes, default=None)
    assert len(open_stays.due(50.0)) == sum(wake <= 50.0 for wake in wakes)
