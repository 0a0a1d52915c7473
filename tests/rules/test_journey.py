"""What one passage means for everybody who is inside."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.model import (
    Colour,
    Decision,
    Direction,
    Doubt,
    Instant,
    Judgement,
    Limit,
    NotedDoubt,
    PassageEnd,
    PeerEvent,
    Reason,
    Sighting,
    Stay,
    StayEnd,
    StayEnded,
    StaySuspected,
    VehicleClass,
    Verdict,
)
from gatekeeper.rules import journey
from gatekeeper.rules.journey import (
    ACROSS_CLOCKS_S,
    HIDES_EXIT_AT_ENTRY,
    Ended,
    Place,
    at_exit,
    doubted,
    is_outside,
    local,
    with_doubts,
)
from gatekeeper.rules.stay import QUIET, StayStep

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
CERTAIN = 0.98
CAR, OTHER = "京A12345", "沪B67890"
AROUND = {"car_park": None, "hall": "car_park", "vault": "hall", "yard": "car_park"}


def at(s: float) -> Instant:
    return Instant(boot_id="a", boot_s=s, wall=NINE + timedelta(seconds=s), trusted=True)


def inside(plate: str = CAR, *, entered: float = 0.0, zone: str = "hall") -> Stay:
    return Stay(
        id=f"{plate} {zone}",
        zone=zone,
        plate=plate,
        vehicle=VehicleClass.INTERNAL,
        entered=at(entered),
        counted_from=at(entered),
        entry_lane="in",
        entry_passage="p1",
        limit=Limit(limit_s=600, warning_s=120, grace_s=60),
    )


def read_as(plate: str, confidence: float = 0.99) -> Sighting:
    return Sighting(
        plate=plate,
        confidences=(confidence,) * len(plate),
        colour=Colour.BLUE,
        rows=1,
        agreeing=3,
        frames=(1, 2, 3),
        alternatives=(),
        certain=True,
        first_at=0.0,
        last_at=0.2,
    )


def decided(plate: str | None) -> Decision:
    return Decision(
        verdict=Verdict.ADMIT,
        reason=Reason.EXIT,
        rule="exit",
        plate=plate,
        vehicle=VehicleClass.INTERNAL,
        certain=plate is not None,
    )


def left(
    plate: str | None,
    *,
    end: PassageEnd = PassageEnd.PASSED,
    arrived: float = 300.0,
    doubts: tuple[Doubt, ...] = (),
) -> Ended:
    return Ended(
        lane="out",
        passage="p2",
        end=end,
        sighting=None if plate is None else read_as(plate),
        decision=decided(plate),
        arrived=at(arrived),
        at=at(arrived + 5),
        doubts=doubts,
    )


def found(steps: list[StayStep]) -> list[Doubt]:
    return [doubt for each in steps for doubt in each.stay.doubts]


# --- where a vehicle is ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "direction", "outside"),
    [
        ("hall", Direction.ENTRY, {"hall", "vault", "yard"}),
        ("hall", Direction.EXIT, {"vault", "yard"}),
        ("car_park", Direction.ENTRY, {"car_park", "hall", "vault", "yard"}),
        ("car_park", Direction.EXIT, {"hall", "vault", "yard"}),
        ("vault", Direction.ENTRY, {"vault", "yard"}),
        ("vault", Direction.EXIT, {"yard"}),
        ("yard", Direction.ENTRY, {"yard", "hall", "vault"}),
        ("yard", Direction.EXIT, {"hall", "vault"}),
    ],
)
def test_who_stands_in_a_lane_is_outside_these_zones(
    zone: str, direction: Direction, outside: set[str]
) -> None:
    place = Place(lane="lane", zone=zone, direction=direction)

    assert {zone for zone in AROUND if is_outside(place, zone, AROUND)} == outside


@given(st.sampled_from(sorted(AROUND)), st.sampled_from(Direction), st.sampled_from(sorted(AROUND)))
def test_who_is_inside_a_zone_is_inside_all_around_it(
    zone: str, direction: Direction, of: str
) -> None:
    place, enclosing = Place(lane="lane", zone=zone, direction=direction), AROUND[of]
    if enclosing is not None and not is_outside(place, of, AROUND):
        assert not is_outside(place, enclosing, AROUND)


def test_a_zone_that_nothing_is_known_of_holds_no_one_who_stands_elsewhere() -> None:
    assert is_outside(
        Place(lane="lane", zone="elsewhere", direction=Direction.EXIT), "hall", AROUND
    )


# --- the car's own exit ---------------------------------------------------------------------


def test_a_passage_at_the_exit_ends_the_cars_own_stay() -> None:
    (step,) = at_exit([inside()], left(CAR), CERTAIN, QUIET)

    assert step.stay.end is StayEnd.EXITED
    assert step.stay.ended == at(300)


def test_who_backs_out_goes_on_as_before() -> None:
    (step,) = at_exit([inside()], left(CAR, end=PassageEnd.BACKED_OUT), CERTAIN, QUIET)

    assert step.stay == inside()
    assert step.wake_at == 480


def test_what_was_suspicious_in_the_cars_own_visit_is_on_its_window() -> None:
    told = left(CAR, end=PassageEnd.BACKED_OUT, doubts=(Doubt.DIRECTION_UNKNOWN,))
    (step,) = at_exit([inside()], told, CERTAIN, QUIET)

    assert step.stay.doubts == (Doubt.DIRECTION_UNKNOWN,)
    assert step.wake_at == 480


@pytest.mark.parametrize("doubt", [Doubt.CLOCK_UNTRUSTED, Doubt.TAILGATING, Doubt.SECOND_PLATE])
def test_an_overstay_first_noticed_in_a_suspicious_passage_is_only_suspected(doubt: Doubt) -> None:
    (step,) = at_exit([inside()], left(CAR, arrived=665, doubts=(doubt,)), CERTAIN, QUIET)

    assert [type(fact) for fact in step.facts] == [StaySuspected, StayEnded]
    assert step.listed == ()
    assert step.stay.end is StayEnd.EXITED


def test_a_passage_that_was_over_before_the_stay_began_ends_nothing() -> None:
    """News of another controller may come late: it left, came back, and only then we hear of it."""
    assert at_exit([inside(entered=400)], left(CAR, arrived=300), CERTAIN, QUIET) == []
    assert at_exit([inside(entered=400)], left(None, arrived=300), CERTAIN, QUIET) == []


def test_two_clocks_that_do_not_agree_to_the_second_make_no_passage_earlier() -> None:
    (step,) = at_exit([inside(entered=310)], left(CAR, arrived=300), CERTAIN, QUIET)

    assert step.stay.end is StayEnd.EXITED


# --- somebody else's exit -------------------------------------------------------------------


def test_who_left_surely_as_somebody_else_touches_no_one() -> None:
    assert at_exit([inside()], left(OTHER), CERTAIN, QUIET) == []


def test_who_left_unread_could_have_been_anybody_whose_limit_runs() -> None:
    free = replace(inside("粤C11111"), limit=None)
    steps = at_exit([inside(), inside(OTHER), free], left(None), CERTAIN, QUIET)

    assert [each.stay.plate for each in steps] == [CAR, OTHER]
    assert found(steps) == [Doubt.COULD_HAVE_LEFT, Doubt.COULD_HAVE_LEFT]


def test_what_the_exit_read_stands_beside_the_doubt() -> None:
    (step,) = at_exit([inside()], left("京A12399"), CERTAIN, QUIET)

    (noted,) = step.stay.noted
    assert noted == NotedDoubt(
        doubt=Doubt.COULD_HAVE_LEFT,
        at=at(305),
        lane="out",
        passage="p2",
        detail="read as 京A12399, weakest character 0.99",
    )
    (unread,) = at_exit([inside()], left(None), CERTAIN, QUIET)
    assert unread.stay.noted[0].detail == "not read"


def test_who_crossed_without_a_decision_could_have_been_anybody() -> None:
    told = replace(left(OTHER), decision=None)

    assert found(at_exit([inside()], told, CERTAIN, QUIET)) == [Doubt.UNDECIDED_PASSAGE]


@pytest.mark.parametrize("end", [PassageEnd.BACKED_OUT, PassageEnd.TIMED_OUT])
def test_who_did_not_leave_could_not_have_been_anybody(end: PassageEnd) -> None:
    assert at_exit([inside()], left(None, end=end), CERTAIN, QUIET) == []


@pytest.mark.parametrize("doubt", list(Doubt))
def test_what_was_suspicious_is_on_every_open_window_who_drove(doubt: Doubt) -> None:
    steps = at_exit([inside(), inside("粤C11111")], left(OTHER, doubts=(doubt,)), CERTAIN, QUIET)

    assert found(steps) == [doubt, doubt]


def test_a_window_that_is_judged_already_is_left_alone() -> None:
    judged = replace(inside(), judgement=Judgement.SUSPECTED)

    assert at_exit([judged], left(None), CERTAIN, QUIET) == []


def test_a_stay_is_blemished_once_by_each_kind_of_doubt() -> None:
    twice = (Doubt.TAILGATING, Doubt.TAILGATING, Doubt.SECOND_PLATE)
    (step,) = doubted([inside()], twice, left(OTHER), QUIET)
    assert step.stay.doubts == (Doubt.TAILGATING, Doubt.SECOND_PLATE)

    assert doubted([step.stay], twice, left(OTHER), QUIET) == []


def test_who_gets_no_blemish_is_not_written_again() -> None:
    assert with_doubts([inside()], [], at(300), QUIET) == []


def test_a_stay_that_is_blemished_still_asks_to_be_woken() -> None:
    (step,) = with_doubts([inside()], [NotedDoubt(doubt=Doubt.RESTART, at=at(300))], at(300), QUIET)

    assert step.wake_at == 480


plates = st.none() | st.sampled_from([CAR, OTHER, "京A12346", "京A99945", "京B1234", "冀B1234挂"])


@given(
    plates,
    st.sampled_from(PassageEnd),
    st.booleans(),
    st.lists(st.sampled_from(Doubt), max_size=3),
    st.integers(0, 2000),
)
def test_each_stay_moves_at_most_once_and_only_its_own_passage_ends_it(
    plate: str | None, end: PassageEnd, undecided: bool, doubts: list[Doubt], arrived: int
) -> None:
    told = left(plate, end=end, arrived=arrived, doubts=tuple(doubts))
    told = replace(told, decision=None) if undecided else told
    stays = [inside(), inside(OTHER), replace(inside("粤C11111"), limit=None)]
    steps = at_exit(stays, told, CERTAIN, QUIET)

    ids = [each.stay.id for each in steps]
    assert len(ids) == len(set(ids))
    for each in steps:
        assert (each.stay.ended is None) or (each.stay.plate == told.plate and told.through)
    if told.through and plate is None:
        watched = [each for each in steps if each.stay.plate in (CAR, OTHER)]
        assert len(watched) == 2
        assert all(each.stay.noted for each in watched)


# --- moments --------------------------------------------------------------------------------


def test_a_moment_so_long_ago_lies_so_far_back_on_both_clocks() -> None:
    assert local(12.5, at(100)) == at(87.5)


def test_a_passage_is_through_with_these_ends_only() -> None:
    assert {end for end in PassageEnd if left(CAR, end=end).through} == set(journey.THROUGH)


# --- what a peer reports --------------------------------------------------------------------

INTO_THE_PARK = Place(lane="gate-2/outer-exit", zone="car_park", direction=Direction.EXIT)


def reported(after_s: float, *, trusted: bool = True) -> PeerEvent:
    """A read at a peer, so long after the entry of `inside()` by the wall clocks."""
    return PeerEvent(
        controller="gate-2",
        journal="j",
        seq=1,
        lane="outer-exit",
        passage="p9",
        occurred_at=NINE + timedelta(seconds=after_s),
        clock_trusted=trusted,
        fact=None,
    )


def outside_by(told: PeerEvent, stay: Stay) -> list[StayStep]:
    return journey.reported_outside(stay, INTO_THE_PARK, told, at(400), QUIET)


def test_a_read_at_a_peer_that_was_after_the_entry_for_certain_ends_the_stay() -> None:
    (step,) = outside_by(reported(ACROSS_CLOCKS_S + 0.1), inside())
    assert step.stay.end is StayEnd.UNOBSERVED


@pytest.mark.parametrize("after_s", [-ACROSS_CLOCKS_S + 0.1, 0.0, ACROSS_CLOCKS_S])
def test_one_that_may_have_been_before_or_after_the_entry_is_a_doubt(after_s: float) -> None:
    (step,) = outside_by(reported(after_s), inside())
    assert step.stay.ended is None
    assert step.stay.doubts == (Doubt.SEEN_ELSEWHERE,)


@pytest.mark.parametrize("after_s", [-ACROSS_CLOCKS_S, -300.0])
def test_one_that_was_before_the_entry_for_certain_says_nothing(after_s: float) -> None:
    assert outside_by(reported(after_s), inside()) == []


@pytest.mark.parametrize("after_s", [300.0, -300.0])
@pytest.mark.parametrize("whose", ["the peer's", "ours"])
def test_by_a_clock_that_was_not_trusted_it_is_a_doubt_whenever_it_was(
    after_s: float, whose: str
) -> None:
    entered = replace(at(0), trusted=whose != "ours")
    told = reported(after_s, trusted=whose != "the peer's")
    (step,) = outside_by(told, replace(inside(), entered=entered))
    assert step.stay.ended is None
    assert step.stay.doubts == (Doubt.SEEN_ELSEWHERE,)


def test_two_clocks_of_a_site_may_differ_by_ten_seconds() -> None:
    assert ACROSS_CLOCKS_S == 10.0


@pytest.mark.parametrize(
    ("zone", "conflict"), [("hall", True), ("car_park", False)], ids=["its own", "another"]
)
def test_a_plate_that_comes_to_the_entry_of_the_zone_it_is_inside_of_is_there_twice(
    zone: str, conflict: bool
) -> None:
    place = Place(lane="in", zone=zone, direction=Direction.ENTRY)
    step = journey.seen_outside(inside(), place, at(300), QUIET)
    assert (Doubt.PLATE_CONFLICT in step.stay.doubts) is conflict


@pytest.mark.parametrize(("ended_s", "counts"), [(79.9, False), (80.0, True), (85.0, True)])
def test_a_passage_that_a_peer_reports_late_says_nothing_of_who_came_after_it(
    ended_s: float, counts: bool
) -> None:
    steps = at_exit([inside(entered=90.0)], left(None, arrived=ended_s - 5), CERTAIN, QUIET)
    assert bool(steps) is counts


def test_moments_of_two_boots_are_not_compared() -> None:
    later = replace(inside(), entered=replace(at(900.0), boot_id="z"))
    (step,) = at_exit([later], left(None), CERTAIN, QUIET)
    assert Doubt.COULD_HAVE_LEFT in step.stay.doubts


# --- lanes that lead in ---------------------------------------------------------------------

IN = Place(lane="in", zone="hall", direction=Direction.ENTRY)
OUT = Place(lane="out", zone="hall", direction=Direction.EXIT)


@pytest.mark.parametrize("doubt", Doubt)
def test_at_an_entry_only_what_may_let_a_vehicle_out_there_is_a_doubt(doubt: Doubt) -> None:
    steps = journey.after_passage([inside()], IN, left(OTHER, doubts=(doubt,)), CERTAIN, QUIET)
    assert found(steps) == ([doubt] if doubt in HIDES_EXIT_AT_ENTRY else [])


def test_at_an_entry_an_unread_vehicle_lets_no_one_out() -> None:
    assert journey.after_passage([inside()], IN, left(None), CERTAIN, QUIET) == []
    assert journey.after_passage([inside()], OUT, left(None), CERTAIN, QUIET) != []


# --- safety loops that may be dead ----------------------------------------------------------


def undecided(end: PassageEnd) -> Ended:
    return replace(left(None, end=end), decision=None)


def test_a_vehicle_that_seems_to_back_out_of_an_open_exit_leaves_its_loop_in_doubt() -> None:
    backed_out = left(CAR, end=PassageEnd.BACKED_OUT)
    assert journey.doubtful_exits((), OUT, backed_out) == (OUT,)
    assert journey.doubtful_exits((OUT,), OUT, backed_out) == (OUT,)
    assert journey.doubtful_exits((), OUT, undecided(PassageEnd.BACKED_OUT)) == ()
    assert journey.doubtful_exits((), IN, backed_out) == ()


def test_the_next_vehicle_that_crosses_that_loop_shows_that_it_works() -> None:
    north = Place(lane="north", zone="hall", direction=Direction.EXIT)
    assert journey.doubtful_exits((OUT, north), OUT, left(OTHER)) == (north,)
    assert journey.doubtful_exits((OUT, north), OUT, undecided(PassageEnd.PASSED)) == (north,)


@pytest.mark.parametrize("end", [PassageEnd.PASSED_PRESUMED, PassageEnd.TIMED_OUT])
def test_a_passage_over_which_the_loop_was_silent_shows_nothing(end: PassageEnd) -> None:
    assert journey.doubtful_exits((OUT,), OUT, left(CAR, end=end)) == (OUT,)
    assert journey.doubtful_exits((), OUT, left(CAR, end=end)) == ()


# --- what the journal says ------------------------------------------------------------------


def test_the_journal_says_who_passed_which_way_and_how_long_it_took() -> None:
    fact = journey.fact_of(OUT, left(CAR, doubts=(Doubt.SECOND_PLATE,)))
    assert (fact.plate, fact.decided, fact.certain) == (CAR, True, True)
    assert (fact.zone, fact.direction, fact.end) == ("hall", Direction.EXIT, PassageEnd.PASSED)
    assert fact.lasted_s == pytest.approx(5.0)
    assert fact.doubts == (Doubt.SECOND_PLATE,)


def test_an_unread_or_undecided_vehicle_is_never_certain() -> None:
    unread = journey.fact_of(OUT, left(None))
    assert (unread.plate, unread.decided, unread.certain) == (None, True, False)
    bare = journey.fact_of(OUT, undecided(PassageEnd.PASSED))
    assert (bare.plate, bare.decided, bare.certain) == (None, False, False)


def test_a_passage_that_ended_before_it_began_by_another_clock_took_no_time() -> None:
    odd = replace(left(CAR), arrived=at(900.0))
    assert journey.fact_of(OUT, odd).lasted_s == 0.0
