"""What holds for a stay whatever happens to it, in whatever order."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gatekeeper.model import (
    BlacklistAdded,
    BlacklistSuspended,
    Decision,
    Doubt,
    Fact,
    Instant,
    Limit,
    NotedDoubt,
    PassageEnd,
    Reason,
    StayEnded,
    StayOverstayed,
    StaySuspected,
    StayWarning,
    VehicleClass,
    Verdict,
)
from gatekeeper.rules import pauses
from gatekeeper.rules.pauses import PausedTime
from gatekeeper.rules.stay import (
    EARLY_S,
    QUIET,
    SETTLING_S,
    Around,
    AwayFromExit,
    Doubted,
    Eased,
    GivenUp,
    Restarted,
    SeenOutside,
    StayInput,
    StayStep,
    Woken,
    begin,
    counted_s,
    is_watched,
    step,
    wake_at,
)

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
LIMIT = Limit(limit_s=600, warning_s=120, grace_s=60)
WINDOW_S = LIMIT.limit_s + LIMIT.grace_s
EXITS = ("inner-exit", "north-exit")


def begun(decision: Decision, entered: Instant) -> StayStep:
    started = begin("s1", "visitors", decision, entered, "inner-entry", "p1")
    assert started is not None
    return started


def decided(*, certain: bool, limited: bool) -> Decision:
    return Decision(
        verdict=Verdict.ADMIT,
        reason=Reason.INTERNAL if limited else Reason.VISITOR,
        rule="registered",
        plate="京A12345",
        vehicle=VehicleClass.INTERNAL if limited else VehicleClass.VISITOR,
        certain=certain,
        limit=LIMIT if limited else None,
    )


@given(st.floats(0, 1e8), st.floats(0, 400))
def test_the_moment_asked_for_is_never_a_rounding_too_early(uptime: float, s: float) -> None:
    entered = Instant(boot_id="0", boot_s=uptime, wall=NINE, trusted=True)
    started = begun(decided(certain=True, limited=True), entered)

    asked = step(started.stay, Woken(), replace(entered, boot_s=uptime + s)).wake_at
    assert asked is not None
    warned = step(started.stay, Woken(), replace(entered, boot_s=asked))
    assert warned.wake_at is not None
    judged = step(warned.stay, Woken(), replace(entered, boot_s=warned.wake_at))

    assert warned.stay.warned
    assert judged.stay.judgement


@given(st.integers(0, 10**12), st.integers(-2, 2) | st.integers(-600_000, 600_000))
def test_who_arrives_at_the_exit_by_limit_and_grace_has_not_overstayed_to_the_millisecond(
    entered_ms: int, late_ms: int
) -> None:
    entered = Instant(boot_id="0", boot_s=entered_ms / 1000, wall=NINE, trusted=True)
    started = begun(decided(certain=True, limited=True), entered)
    arrived_ms = entered_ms + round(WINDOW_S * 1000) + late_ms
    arrived = replace(entered, boot_s=arrived_ms / 1000)
    through = replace(arrived, boot_s=arrived.boot_s + 4.2)

    left = step(started.stay, AwayFromExit(PassageEnd.PASSED, arrived), through)

    assert (left.stay.judgement is not None) is (late_ms > 0)


Visits = list[tuple[str, float, float]]
"""At which exit a vehicle stands, after which pause at that exit, and for how long."""

visits = st.lists(
    st.tuples(st.sampled_from(EXITS), st.floats(0, 100), st.floats(0.5, 300)), max_size=12
)


def edges_of(visits: Visits) -> list[tuple[float, str, bool]]:
    """When each exit becomes occupied and free again."""
    free_at = dict.fromkeys(EXITS, 0.0)
    edges = []
    for lane, pause_s, lasts_s in visits:
        since = free_at[lane] + pause_s
        free_at[lane] = since + lasts_s
        edges += [(since, lane, True), (free_at[lane], lane, False)]
    return sorted(edges)


@given(visits)
def test_who_stays_is_judged_when_it_asks_to_be_woken_and_time_at_the_exits_is_taken_off(
    visits: Visits,
) -> None:
    now = Instant(boot_id="0", boot_s=0.0, wall=NINE, trusted=True)
    stay, around = begun(decided(certain=True, limited=True), now).stay, QUIET
    edges, woken, standing, free_s = edges_of(visits), 0, 0, 0.0
    while stay.judgement is None:
        asked = wake_at(stay, now, around)
        if edges and (asked is None or edges[0][0] <= asked):
            moment, lane, begins = edges.pop(0)
            change = pauses.began if begins else pauses.ended
            around = Around(paused=change(around.paused, lane, moment))
            free_s += 0.0 if standing else moment - now.boot_s
            standing += 1 if begins else -1
            now = replace(now, boot_s=moment)
            continue
        assert asked is not None
        free_s += 0.0 if standing else asked - now.boot_s
        now = replace(now, boot_s=asked)
        after = step(stay, Woken(), now, around)
        stay, woken = after.stay, woken + 1
    counted = counted_s(stay, now, around)
    assert WINDOW_S + SETTLING_S <= counted + 2 * EARLY_S <= free_s + 3 * EARLY_S
    assert woken <= 2 + 2 * len(visits)


class AnyStay(RuleBasedStateMachine):
    """Any inputs in any order, with exits that fill and empty, wall clocks that jump and power
    that fails.
    """

    @initialize(certain=st.booleans(), limited=st.booleans())
    def enter(self, certain: bool, limited: bool) -> None:
        entered = Instant(boot_id="0", boot_s=0.0, wall=NINE, trusted=True)
        started = begun(decided(certain=certain, limited=limited), entered)
        self.last = started
        self.facts: list[Fact] = []
        self.boot = 0
        self.boot_s = 0.0
        self.wall = NINE
        self.trusted = True
        self.paused: PausedTime = pauses.NONE
        self.occupied: set[str] = set()
        self.arrived: Instant | None = None
        self.settled_s = 0.0

    def now(self) -> Instant:
        return Instant(
            boot_id=str(self.boot), boot_s=self.boot_s, wall=self.wall, trusted=self.trusted
        )

    @property
    def around(self) -> Around:
        return Around(paused=self.paused)

    def feed(self, what: StayInput) -> None:
        before = self.last.stay
        self.last = step(before, what, self.now(), self.around)
        self.facts += self.last.facts
        assert self.last.stay.noted[: len(before.noted)] == before.noted
        for fact in self.last.facts:
            if isinstance(fact, StayOverstayed | StaySuspected):
                assert fact.stayed_s + EARLY_S >= WINDOW_S

    def reschedule(self) -> None:
        asked = wake_at(self.last.stay, self.now(), self.around)
        self.last = replace(self.last, wake_at=asked, facts=(), listed=(), suspended=())

    @rule(s=st.integers(0, 400))
    def time_goes_by(self, s: int) -> None:
        self.boot_s += s + 0.1
        self.wall += timedelta(seconds=s)

    @rule(s=st.integers(-4000, 4000), trusted=st.booleans())
    def the_wall_clock_steps(self, s: int, trusted: bool) -> None:
        self.wall += timedelta(seconds=s)
        self.trusted = trusted

    @rule(power_cut=st.booleans())
    def restart(self, power_cut: bool) -> None:
        if power_cut:
            self.boot += 1
            self.boot_s = 20.0
        self.paused, self.occupied, self.arrived = pauses.NONE, set(), None
        self.settled_s = 0.0
        self.feed(Restarted())

    @rule(lane=st.sampled_from(EXITS))
    def an_exit_is_occupied(self, lane: str) -> None:
        self.paused = pauses.began(self.paused, lane, self.boot_s)
        self.occupied.add(lane)
        self.reschedule()

    @rule(lane=st.sampled_from(EXITS))
    def an_exit_is_free(self, lane: str) -> None:
        self.paused = pauses.ended(self.paused, lane, self.boot_s)
        self.occupied.discard(lane)
        self.reschedule()

    @precondition(lambda self: self.arrived is None)
    @rule()
    def arrive_at_the_exit(self) -> None:
        self.arrived = self.now()
        self.an_exit_is_occupied(EXITS[0])

    @precondition(lambda self: self.arrived is not None)
    @rule(end=st.sampled_from(PassageEnd))
    def leave_the_exit(self, end: PassageEnd) -> None:
        assert self.arrived is not None
        self.feed(AwayFromExit(end=end, arrived=self.arrived))
        self.arrived = None

    @rule(doubt=st.sampled_from(Doubt))
    def doubt(self, doubt: Doubt) -> None:
        self.feed(Doubted(NotedDoubt(doubt=doubt, at=self.now())))

    @rule()
    def be_seen_outside(self) -> None:
        self.feed(SeenOutside())

    @rule()
    def be_given_up(self) -> None:
        self.feed(GivenUp())

    @rule(limit_s=st.none() | st.integers(0, 1500))
    def the_list_changes(self, limit_s: int | None) -> None:
        before = self.last.stay.limit
        self.feed(Eased(None if limit_s is None else replace(LIMIT, limit_s=limit_s)))
        after = self.last.stay.limit
        assert after is None or (before is not None and after.limit_s >= before.limit_s)

    @rule()
    def wake_any_time(self) -> None:
        self.feed(Woken())
        assert self.last.wake_at is None or self.last.wake_at > self.boot_s

    @precondition(lambda self: self.last.wake_at is not None)
    @rule()
    def wake_when_asked(self) -> None:
        asked = self.last.wake_at
        assert asked is not None
        self.boot_s = max(self.boot_s, asked)
        self.wake_any_time()

    @invariant()
    def nobody_is_blacklisted_with_a_blemish(self) -> None:
        if any(isinstance(fact, BlacklistAdded) for fact in self.facts):
            assert self.last.stay.noted == ()
            assert self.last.stay.limit is not None

    @invariant()
    def it_is_judged_and_warned_and_ended_at_most_once(self) -> None:
        for once in ((StayOverstayed, StaySuspected), (StayWarning,), (StayEnded,)):
            assert sum(isinstance(fact, once) for fact in self.facts) <= 1

    @invariant()
    def rows_and_facts_go_together(self) -> None:
        added = [fact for fact in self.last.facts if isinstance(fact, BlacklistAdded)]
        set_aside = [fact for fact in self.last.facts if isinstance(fact, BlacklistSuspended)]
        assert len(added) == len(self.last.listed)
        assert len(set_aside) == len(self.last.suspended)

    @invariant()
    def only_a_running_limit_that_nothing_excuses_asks_to_be_woken(self) -> None:
        running = is_watched(self.last.stay) and not self.occupied
        assert (self.last.wake_at is not None) == running

    @invariant()
    def no_more_time_counts_than_has_gone_by(self) -> None:
        counted = counted_s(self.last.stay, self.now(), self.around)
        assert 0.0 <= counted <= counted_s(self.last.stay, self.now(), QUIET)
        assert counted <= max(0.0, self.boot_s - self.last.stay.counted_from.boot_s)

    @invariant()
    def counted_time_that_is_settled_never_decreases(self) -> None:
        settled_at = pauses.settled_at(self.paused, self.boot_s)
        if settled_at is not None and settled_at <= self.boot_s:
            counted = counted_s(self.last.stay, self.now(), self.around)
            assert counted >= self.settled_s - EARLY_S
            self.settled_s = counted


TestAnyStay = AnyStay.TestCase
TestAnyStay.settings = settings(max_examples=80, stateful_step_count=25, deadline=None)
