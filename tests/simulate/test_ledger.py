"""What an overstay really is, and whether the gates found it: on a truth made by hand."""

import pytest

from gatekeeper.model import (
    BlacklistAdded,
    Doubt,
    Event,
    Fact,
    Instant,
    Limit,
    Record,
    StayOverstayed,
    StaySuspected,
)
from simulators.simulate.ledger import Law, Ledger, Verdicts, compare
from simulators.virtual import EPOCH, Told
from simulators.world import Truth, Vehicle, Visit, Way

LIMIT = Limit(limit_s=600.0, warning_s=120.0, grace_s=60.0)
ENTERED, PLATE = 1_000.0, "闽A12345"
AT = Instant(boot_id="b", boot_s=1.0, wall=EPOCH, trusted=True)


class Day:
    """One member of the staff in the visitor zone from second 1000 on."""

    def __init__(self, vehicle: Vehicle = Vehicle.INTERNAL) -> None:
        self.truth = Truth()
        self.ledger = Ledger()
        self.law = Law(self.truth, LIMIT)
        self.visit = Visit(
            plate=PLATE,
            vehicle=vehicle,
            zone="visitor_zone",
            lane_in="inner-entry",
            entered_at=ENTERED,
            way_in=Way.DECIDED,
        )
        self.truth.enter(self.visit)

    def leave(self, after_s: float) -> "Day":
        self.truth.leave(self.visit, Way.READ, ENTERED + after_s)
        return self

    def tell(self, fact: Fact, after_s: float) -> None:
        event = Event(id="e", journal="j", seq=1, record=Record(fact=fact, at=AT))
        self.ledger.take("gate-inner", Told(event=event, true_s=ENTERED + after_s))

    def ban(self, after_s: float, plate: str = PLATE) -> None:
        stay = StayOverstayed(stay="s", zone="visitor_zone", plate=plate, stayed_s=after_s)
        added = BlacklistAdded(
            zone="visitor_zone", plate=plate, stay="s", by="gate", reason="overstay"
        )
        self.tell(stay, after_s)
        self.tell(added, after_s)

    def suspect(self, after_s: float) -> None:
        fact = StaySuspected(
            stay="s",
            zone="visitor_zone",
            plate=PLATE,
            stayed_s=after_s,
            doubts=(Doubt.TAILGATING,),
        )
        self.tell(fact, after_s)

    @property
    def verdicts(self) -> Verdicts:
        return compare(self.ledger, self.truth, LIMIT)


@pytest.mark.parametrize(("inside_s", "over"), [(600.0, False), (660.0, False), (660.1, True)])
def test_an_overstay_is_longer_than_limit_and_grace(inside_s: float, over: bool) -> None:
    day = Day().leave(inside_s)
    assert day.law.is_over(day.visit) is over


def test_a_stay_that_goes_on_is_over_from_a_moment_on_but_not_yet_an_overstay_that_ended() -> None:
    day = Day()
    assert not day.law.has_overstayed(day.visit, ENTERED + 660.0)
    assert day.law.has_overstayed(day.visit, ENTERED + 661.0)
    assert not day.law.is_over(day.visit)


def test_time_in_which_the_exit_is_occupied_counts_for_no_one() -> None:
    day = Day()
    day.truth.occupied("inner-exit", True, ENTERED + 100.0)
    day.truth.occupied("inner-exit", False, ENTERED + 200.0)
    assert not day.law.has_overstayed(day.visit, ENTERED + 760.0)
    assert day.law.has_overstayed(day.visit, ENTERED + 760.1)


@pytest.mark.parametrize(("free_s", "unfair_s"), [(20.0, 120.0), (20.1, 100.0)])
def test_a_break_of_the_queue_counts_only_if_it_is_longer_than_20_s(
    free_s: float, unfair_s: float
) -> None:
    day = Day()
    for begin in (100.0, 150.0 + free_s):
        day.truth.occupied("inner-exit", True, ENTERED + begin)
        day.truth.occupied("inner-exit", False, ENTERED + begin + 50.0)
    assert not day.law.has_overstayed(day.visit, ENTERED + 660.0 + unfair_s)
    assert day.law.has_overstayed(day.visit, ENTERED + 660.2 + unfair_s)


@pytest.mark.parametrize("cause", ["camera", "power"])
def test_time_in_which_the_exit_cannot_be_watched_counts_for_no_one(cause: str) -> None:
    day = Day()
    day.truth.blind("inner-exit", cause, True, ENTERED + 300.0)
    day.truth.blind("inner-exit", cause, False, ENTERED + 400.0)
    assert not day.law.has_overstayed(day.visit, ENTERED + 760.0)
    assert day.law.has_overstayed(day.visit, ENTERED + 760.1)


def test_what_happens_at_the_entry_excuses_no_one() -> None:
    day = Day().leave(700.0)
    day.truth.occupied("inner-entry", True, ENTERED + 1.0)
    assert day.law.is_over(day.visit)


def test_a_certain_overstay_that_was_one_is_no_wrong_blacklisting() -> None:
    day = Day().leave(700.0)
    day.ban(670.0)
    judged = day.verdicts
    assert (judged.wrong_blacklistings, judged.blacklistings) == (0, 1)
    assert (judged.overstays_true, judged.overstays_certain) == (1, 1)


def test_an_overstay_that_goes_on_when_the_site_ends_counts_as_soon_as_it_is_judged() -> None:
    day = Day()
    day.ban(670.0)
    judged = day.verdicts
    assert (judged.wrong_blacklistings, judged.blacklistings) == (0, 1)
    assert (judged.overstays_true, judged.overstays_certain, judged.internal_stays) == (1, 1, 1)


@pytest.mark.parametrize(("goes_on_s", "missed"), [(1260.0, 0), (1261.0, 1)])
def test_an_overstay_that_goes_on_unjudged_is_missed_when_a_judgement_cannot_come_any_more(
    goes_on_s: float, missed: int
) -> None:
    day = Day()
    judged = compare(day.ledger, day.truth, LIMIT, until=ENTERED + goes_on_s)
    assert (judged.overstays_true, judged.overstays_missed) == (missed, missed)
    assert judged.innocent_stays == 0


def test_a_stay_that_goes_on_and_was_suspected_too_early_is_an_innocent_one() -> None:
    day = Day()
    day.suspect(500.0)
    judged = day.verdicts
    assert (judged.overstays_true, judged.innocent_stays, judged.innocent_suspected) == (0, 1, 1)


def test_a_blacklisting_of_who_has_left_in_time_is_wrong() -> None:
    day = Day().leave(500.0)
    day.ban(670.0)
    judged = day.verdicts
    assert judged.wrong_blacklistings == 1
    assert judged.victims == [f"{PLATE} at 1670.0 s"]


def test_a_blacklisting_before_the_limit_is_over_is_wrong_though_an_overstay_follows() -> None:
    day = Day()
    day.ban(600.0)
    assert day.verdicts.wrong_blacklistings == 1


def test_a_blacklisting_of_who_was_never_inside_is_wrong() -> None:
    day = Day().leave(700.0)
    day.ban(670.0, plate="闽B99999")
    assert day.verdicts.wrong_blacklistings == 1


def test_a_blacklisting_of_a_visitor_is_always_wrong() -> None:
    day = Day(Vehicle.VISITOR).leave(9_000.0)
    day.ban(8_000.0)
    assert day.verdicts.wrong_blacklistings == 1


def test_an_overstay_that_was_only_suspected_is_found_but_not_certain() -> None:
    day = Day().leave(700.0)
    day.suspect(670.0)
    judged = day.verdicts
    assert (judged.overstays_suspected, judged.overstays_missed) == (1, 0)
    assert judged.doubts == {"tailgating": 1}


def test_an_overstay_that_no_one_judged_is_missed() -> None:
    assert Day().leave(700.0).verdicts.overstays_missed == 1


def test_a_suspicion_against_who_kept_to_the_limit_is_counted_as_innocent() -> None:
    day = Day().leave(500.0)
    day.suspect(670.0)
    judged = day.verdicts
    assert (judged.innocent_stays, judged.innocent_suspected) == (1, 1)


def test_sums_over_sites_add_up_but_for_the_largest_errors() -> None:
    one, other = Verdicts(stays=2), Verdicts(stays=3)
    one.saw_count(5, trusted=True, really=3)
    other.saw_count(5, trusted=False, really=9)
    one.add(other)
    assert one.stays == 5
    assert (one.occupancy_error_max, one.occupancy_error_max_trusted) == (4, 2)
