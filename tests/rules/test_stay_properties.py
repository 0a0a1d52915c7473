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
    PassageEnd,
    Reason,
    StayEnded,
    StayOverstayed,
    StaySuspected,
    StayWarning,
    VehicleClass,
    Verdict,
)
from gatekeeper.rules.stay import (
    AtExit,
    AwayFromExit,
    Doubted,
    Restarted,
    SeenOutside,
    StayInput,
    StayStep,
    Woken,
    begin,
    step,
)

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)


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
        limit=Limit(limit_s=600, warning_s=120, grace_s=60) if limited else None,
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


class AnyStay(RuleBasedStateMachine):
    """Any inputs in any order, with wall clocks that jump and power that fails."""

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

    def now(self) -> Instant:
        return Instant(
            boot_id=str(self.boot), boot_s=self.boot_s, wall=self.wall, trusted=self.trusted
        )

    def feed(self, what: StayInput) -> None:
        doubts = self.last.stay.doubts
        self.last = step(self.last.stay, what, self.now())
        self.facts += self.last.facts
        assert set(doubts) <= set(self.last.stay.doubts)

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
        self.feed(Restarted())

    @rule()
    def arrive_at_the_exit(self) -> None:
        self.arrived = self.now()
        self.feed(AtExit())

    @precondition(lambda self: self.last.stay.paused_at is not None)
    @rule(end=st.sampled_from(PassageEnd))
    def leave_the_exit(self, end: PassageEnd) -> None:
        self.feed(AwayFromExit(end=end, arrived=self.arrived))

    @rule(doubt=st.sampled_from(Doubt))
    def doubt(self, doubt: Doubt) -> None:
        self.feed(Doubted(doubt))

    @rule()
    def be_seen_outside(self) -> None:
        self.feed(SeenOutside())

    @rule()
    def wake_any_time(self) -> None:
        self.feed(Woken())
        assert self.last.wake_at is None or self.last.wake_at > self.boot_s

    @precondition(lambda self: self.last.wake_at is not None)
    @rule()
    def wake_when_asked(self) -> None:
        wake_at = self.last.wake_at
        assert wake_at is not None
        self.boot_s = max(self.boot_s, wake_at)
        self.wake_any_time()

    @invariant()
    def nobody_is_blacklisted_with_a_doubt(self) -> None:
        if any(isinstance(fact, BlacklistAdded) for fact in self.facts):
            assert self.last.stay.doubts == ()
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
    def only_a_running_limit_asks_to_be_woken(self) -> None:
        stay = self.last.stay
        running = stay.limit and not (stay.ended or stay.judgement) and stay.paused_at is None
        assert (self.last.wake_at is not None) == bool(running)


TestAnyStay = AnyStay.TestCase
TestAnyStay.settings = settings(max_examples=80, stateful_step_count=25, deadline=None)
