"""What another controller's events say to this one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.model import (
    AlarmCleared,
    AlarmRaised,
    BarrierIntended,
    BlacklistAdded,
    BlacklistRemoved,
    BlacklistSuspended,
    Colour,
    ControllerStarted,
    ControllerStopped,
    Decision,
    Direction,
    Doubt,
    Fact,
    Grounds,
    Instant,
    ListName,
    ListRow,
    OrderAnswered,
    PassageEnd,
    PassageEnded,
    PeerEvent,
    Reason,
    RowSource,
    Sighting,
    SiteState,
    StayStarted,
    VehicleArrived,
    VehicleClass,
    VehicleDecided,
    Verdict,
    ZoneState,
)
from gatekeeper.rules.journey import ACROSS_CLOCKS_S, Place
from gatekeeper.zones.peer_events import Found, read

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
NOW = Instant(boot_id="a", boot_s=1000.0, wall=NINE, trusted=True)
CAR = "京A12345"
EXIT = Place(lane="north/exit", zone="hall", direction=Direction.EXIT)

SIGHTING = Sighting(
    plate=CAR,
    confidences=(0.99,) * 7,
    colour=Colour.BLUE,
    rows=1,
    agreeing=3,
    frames=(1, 2, 3),
    alternatives=(),
    certain=True,
    first_at=0.0,
    last_at=0.2,
)
LEFT = PassageEnded(
    end=PassageEnd.PASSED,
    plate=CAR,
    decided=True,
    certain=True,
    zone="hall",
    direction=Direction.EXIT,
    sighting=SIGHTING,
    lasted_s=20.0,
    doubts=(Doubt.SECOND_PLATE,),
)
DECISION = Decision(
    verdict=Verdict.REFUSE,
    reason=Reason.BLACKLISTED,
    rule="blacklisted",
    plate=CAR,
    vehicle=VehicleClass.BLACKLISTED,
    certain=True,
)
DECIDED = VehicleDecided(
    decision=DECISION,
    sighting=SIGHTING,
    picture=None,
    zone="hall",
    grounds=Grounds(
        direction=Direction.EXIT,
        rows=(),
        zone=ZoneState(zone="hall", count=1, trusted=True),
        site=SiteState(),
        now=NINE,
        certain=0.98,
    ),
)


def told(fact: Fact | None, *, ago_s: float = 30.0, trusted: bool = True) -> PeerEvent:
    """An event of another controller, so long ago by its clock."""
    return PeerEvent(
        controller="north",
        journal="j1",
        seq=1,
        lane="exit",
        passage="p9",
        occurred_at=NINE - timedelta(seconds=ago_s),
        clock_trusted=trusted,
        fact=fact,
    )


# --- vehicles -------------------------------------------------------------------------------


def test_a_decision_says_where_a_plate_stands_admitted_or_not() -> None:
    assert read(told(DECIDED), NOW) == Found(place=EXIT, seen=CAR)


@pytest.mark.parametrize(
    "fact",
    [
        replace(DECIDED, grounds=None),
        replace(DECIDED, zone=None),
    ],
    ids=["by an order", "where is not known"],
)
def test_a_decision_that_names_no_place_says_nothing(fact: VehicleDecided) -> None:
    assert read(told(fact), NOW) == Found()


def test_a_decision_without_a_plate_says_that_somebody_stands_there() -> None:
    unread = replace(DECIDED, decision=replace(DECISION, plate=None))

    assert read(told(unread), NOW) == Found(place=EXIT)


def test_a_passage_comes_on_this_controllers_clock_and_began_ten_seconds_before() -> None:
    found = read(told(LEFT), NOW)

    assert (found.place, found.seen) == (EXIT, CAR)
    ended = found.ended
    assert ended is not None
    assert (ended.lane, ended.passage, ended.end) == ("north/exit", "p9", PassageEnd.PASSED)
    assert (ended.at.boot_id, ended.at.boot_s) == ("a", 970.0)
    assert ended.arrived.boot_s == 970.0 - 20.0 - ACROSS_CLOCKS_S
    assert ended.sighting == SIGHTING
    assert ended.doubts == (Doubt.SECOND_PLATE,)


def test_of_its_decision_the_plate_and_its_certainty_come_along() -> None:
    ended = read(told(LEFT), NOW).ended

    assert ended is not None
    assert ended.decision is not None
    assert (ended.plate, ended.decision.certain) == (CAR, True)


def test_a_passage_without_a_decision_of_its_own_stays_so() -> None:
    ended = read(told(replace(LEFT, decided=False)), NOW).ended

    assert ended is not None
    assert ended.decision is None
    assert ended.plate is None


@pytest.mark.parametrize(
    ("theirs", "ours"), [(False, True), (True, False), (False, False)], ids=str
)
def test_where_a_clock_is_not_trusted_it_has_happened_now_and_that_is_a_doubt(
    theirs: bool, ours: bool
) -> None:
    ended = read(told(LEFT, trusted=theirs), replace(NOW, trusted=ours)).ended

    assert ended is not None
    assert ended.at.boot_s == NOW.boot_s
    assert ended.arrived.boot_s == NOW.boot_s - 20.0
    assert ended.doubts == (Doubt.SECOND_PLATE, Doubt.CLOCK_UNTRUSTED)


@given(st.floats(-100, 1e6), st.floats(0, 1000), st.booleans())
def test_nothing_has_happened_later_than_it_was_heard_of_or_ended_before_it_began(
    ago_s: float, lasted_s: float, trusted: bool
) -> None:
    fact = replace(LEFT, lasted_s=lasted_s)
    ended = read(told(fact, ago_s=ago_s, trusted=trusted), NOW).ended

    assert ended is not None
    assert ended.arrived.boot_s <= ended.at.boot_s <= NOW.boot_s


@pytest.mark.parametrize("fact", [replace(LEFT, zone=None), replace(LEFT, direction=None)])
def test_a_passage_of_a_version_that_does_not_say_where_says_nothing(fact: PassageEnded) -> None:
    assert read(told(fact), NOW) == Found()


# --- the blacklist --------------------------------------------------------------------------


def test_a_plate_banned_there_is_banned_here() -> None:
    until = NINE + timedelta(days=30)
    fact = BlacklistAdded(
        zone="hall", plate=CAR, stay="s7", by="gate", reason="overstay", until=until
    )

    assert read(told(fact), NOW).listed == (
        ListRow(
            list=ListName.BLACKLIST,
            plate=CAR,
            zone="hall",
            valid_until=until,
            note="overstay, told by north, stay s7",
            source=RowSource.PEER,
        ),
    )


def test_a_plate_that_a_person_banned_there_is_a_persons_ban_here() -> None:
    fact = BlacklistAdded(zone="hall", plate=CAR, stay="", by="Li", reason="theft")

    (row,) = read(told(fact), NOW).listed
    assert row.source is RowSource.PERSON


def test_a_row_set_aside_there_is_set_aside_here() -> None:
    fact = BlacklistSuspended(zone="hall", plate=CAR, stay="s7", reason="seen outside")

    assert read(told(fact), NOW) == Found(suspended=(("hall", CAR),))


@pytest.mark.parametrize("zone", ["hall", None])
def test_a_plate_taken_off_there_is_taken_off_here(zone: str | None) -> None:
    fact = BlacklistRemoved(zone=zone, plate=CAR, by="Li", reason="a mistake")

    assert read(told(fact), NOW) == Found(removed=((zone, CAR),))


# --- what could hide an exit ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("fact", "doubt"),
    [
        (ControllerStarted(version="1", boot_id="b"), Doubt.RESTART),
        (AlarmRaised(alarm="disk_low", subject="disk", detail=""), None),
        (ControllerStopped(), Doubt.RESTART),
        (BarrierIntended(command="o1", reason=Reason.ORDERED), Doubt.ORDERED_OPENING),
        (BarrierIntended(command="o1", reason=Reason.FIRE), Doubt.HELD_OPEN),
        (BarrierIntended(command="p1", reason=Reason.EXIT), None),
        (
            OrderAnswered(
                order="o1", verb="recount", by="Li", reason="counted", outcome="done", detail=""
            ),
            None,
        ),
    ],
    ids=[
        "it started",
        "its disk is full",
        "it stopped",
        "a boom was ordered open",
        "there is a fire",
        "it opened for whom it read",
        "an order that opens nothing",
    ],
)
def test_what_happened_there_may_hide_an_exit(fact: Fact, doubt: Doubt | None) -> None:
    assert read(told(fact), NOW) == Found(doubt=doubt)


def test_a_device_that_fails_there_or_is_back_may_hide_an_exit_meanwhile() -> None:
    unhealthy = Doubt.EXIT_LANE_UNHEALTHY
    failed = AlarmRaised(alarm="camera_stale", subject="exit", detail="")
    back = AlarmCleared(alarm="relay_unreachable", subject="relays")

    assert read(told(failed), NOW) == Found(doubt=unhealthy, blind="exit")
    assert read(told(back), NOW) == Found(doubt=unhealthy, sees="relays")


@pytest.mark.parametrize(
    "fact",
    [
        None,
        VehicleArrived(),
        StayStarted(
            stay="s7", zone="hall", plate=CAR, vehicle=VehicleClass.INTERNAL, limit_s=600.0
        ),
    ],
    ids=["of another version", "an arrival", "a stay, which is that controller's own"],
)
def test_the_rest_says_nothing(fact: Fact | None) -> None:
    assert read(told(fact), NOW) == Found()
