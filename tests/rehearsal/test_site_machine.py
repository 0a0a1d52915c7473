"""Rules, lanes, zones and store together, beside what really happens: cars come and go, plates are
misread, cameras and power fail, people give orders, and the daemon dies at any commit.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from gatekeeper.cli.simulate.ledger import Law
from gatekeeper.model import (
    BarrierCommanded,
    BarrierIntended,
    BlacklistAdded,
    BlacklistRemoved,
    BlacklistSuspended,
    ControllerStarted,
    Decision,
    Direction,
    Doubt,
    Limit,
    ListName,
    LockdownOrdered,
    Outcome,
    PassageEnd,
    PassageEnded,
    Reason,
    StayEnded,
    StayStarted,
    VehicleArrived,
    VehicleDecided,
    Verdict,
    ZoneRecounted,
)
from gatekeeper.rehearsal import at_once
from gatekeeper.rules.replay import replay
from simulators.world import Vehicle

if TYPE_CHECKING:
    from tests.rehearsal.conftest import Build, Car, Gate, Seen, Told

ZONE, ENTRY, EXIT = "visitor_zone", "inner-entry", "inner-exit"
LIMIT = Limit(limit_s=600.0, warning_s=120.0, grace_s=60.0)

STAFF = (("闽A18230", "闽A1B230"), ("闽A1B230", "闽A18230"), ("闽C66666", "闽C6G666"))
"""Two colleagues of whom each is read as the other, and one who is read as nobody."""
OTHERS = (("闽D12345", "闽D1234S"), ("京N98765", "京N98766"))
"""Who may be bound, employed, or neither."""

THROUGH = (PassageEnd.PASSED, PassageEnd.PASSED_PRESUMED)
MISCOUNTS = {Doubt.TAILGATING, Doubt.SAFETY_LOOP_LONG, Doubt.DIRECTION_UNKNOWN}


class Books:
    """What must be so by what the journal tells, as plainly as it can be said."""

    def __init__(self, gate: "Gate") -> None:
        self._gate = gate
        self._law = Law(gate.truth, LIMIT)
        self.drivers: dict[str, Car] = {}
        self.decisions: dict[str, Decision] = {}
        self.ends: dict[str, PassageEnded] = {}
        self.commands: dict[str, tuple[str, Outcome | None]] = {}
        self.stays: dict[str, StayStarted] = {}
        self.entries: dict[str, str] = {}
        self.bans: set[str] = set()
        self.count: tuple[int, bool] | None = None
        self.lockdown = False

    def hear(self, told: "Told") -> None:
        """One more event."""
        lane, passage = told.lane or "", told.passage or ""
        match told.fact:
            case VehicleArrived():
                self.drivers[passage] = self._who(lane, told.true_s)
            case VehicleDecided(decision=decision):
                self._decided(lane, passage, decision)
            case BarrierIntended(command=command, reason=reason):
                self._intended(lane, passage, command, reason)
            case BarrierCommanded(command=command, outcome=outcome):
                assert self.commands[command] == (lane, None), "one outcome of each command"
                self.commands[command] = lane, outcome
            case PassageEnded() as ended:
                self._ended(passage, ended)
            case StayStarted() as started:
                self._started(passage, started)
            case StayEnded(stay=stay):
                del self.stays[stay]
            case ControllerStarted() if self.count is not None:
                self.count = self.count[0], False
            case ZoneRecounted(count=count):
                self.count = count, True
            case LockdownOrdered(on=on):
                self.lockdown = on
            case _:
                self._banned(told)

    def _who(self, lane: str, at: float) -> "Car":
        """Whoever came last: a lane that begins anew finds the same car."""
        return [car for since, car in self._gate.arrivals[lane] if since <= at + 0.001][-1]

    def _decided(self, lane: str, passage: str, decision: Decision) -> None:
        self.decisions[passage] = decision
        if lane == EXIT:
            assert decision.verdict is Verdict.ADMIT, "exits open for everybody"
            return
        if decision.verdict is not Verdict.ADMIT or decision.reason is Reason.ORDERED:
            return
        lists = self._gate.lists
        assert not self.lockdown
        assert decision.plate not in self.bans
        assert decision.plate in lists[ListName.INTERNALS] | lists[ListName.VISITORS]

    def _intended(self, lane: str, passage: str, command: str, reason: Reason) -> None:
        assert command not in self.commands, "no command is given twice"
        self.commands[command] = lane, None
        if reason is not Reason.ORDERED:
            assert self.decisions[passage].verdict is Verdict.ADMIT

    def _ended(self, passage: str, ended: PassageEnded) -> None:
        self.ends[passage] = ended
        before, trusted = self.count or (0, False)
        through = ended.end in THROUGH
        step = 1 if ended.direction is Direction.ENTRY else -1
        count = before + (step if through else 0)
        doubtful = count < 0 or bool(MISCOUNTS & set(ended.doubts))
        if through or doubtful:
            self.count = max(0, count), trusted and not doubtful

    def _started(self, passage: str, started: StayStarted) -> None:
        ended = self.ends[passage]
        assert ended.end in THROUGH
        assert (ended.decided, ended.plate) == (True, started.plate)
        self.stays[started.stay] = started
        self.entries[started.stay] = passage

    def _banned(self, told: "Told") -> None:
        match told.fact:
            case BlacklistAdded(plate=plate, stay=stay):
                self.bans.add(plate)
                if stay:
                    self._deserved(plate, stay, told.true_s)
            case BlacklistRemoved(plate=plate) | BlacklistSuspended(plate=plate):
                self.bans.discard(plate)

    def _deserved(self, plate: str, stay: str, at: float) -> None:
        """A wrong one is the worst that this controller can do."""
        assert self.drivers[self.entries[stay]].plate == plate, "another car was let in by it"
        visits = [visit for visit in self._gate.truth.visits if visit.plate == plate]
        last = visits[-1]
        assert last.vehicle is Vehicle.INTERNAL
        assert self._law.has_overstayed(last, min(at, last.left_at or at)), "it was innocent"

    def outcomes(self, lane: str, *among: Outcome | None) -> int:
        """How many commands to a lane had one of these outcomes."""
        return sum(where == lane and one in among for where, one in self.commands.values())


seen: st.SearchStrategy["Seen"] = st.sampled_from(
    ("right", "right", "right", "unsure", "misread", "flickering", "unread")
)
numbers = st.integers(0, len(STAFF) + len(OTHERS) - 1)
others = st.integers(len(STAFF), len(STAFF) + len(OTHERS) - 1)
lanes = st.sampled_from((ENTRY, EXIT))
speeds = st.sampled_from((0.8, 1.5, 2.5))


class SiteMachine(RuleBasedStateMachine):
    """Lets anything happen at the gate, and looks whether it was right."""

    build: ClassVar["Build"]

    def __init__(self) -> None:
        super().__init__()
        self.gate = self.build()
        self.books = Books(self.gate)
        for told in self.gate.told:
            self.books.hear(told)
        self.gate.hear = self.books.hear
        self.cars = [self.gate.car(*plates) for plates in (*STAFF, *OTHERS)]

    @initialize()
    def the_centre_sends_its_lists(self) -> None:
        for plate, _ in STAFF:
            self.gate.put(ListName.INTERNALS, plate)
        self.gate.put(ListName.VISITORS, OTHERS[0][0])
        self.gate.order("recount", zone=ZONE, count=0)

    def teardown(self) -> None:
        facts = [(told.seq, told.fact) for told in self.gate.told]
        for one in replay(facts):
            assert one.differing == ()
            assert one.again is not None or one.decided.reason is Reason.ORDERED

    def waiting(self, lane: str, but: Iterable["Car"] = ()) -> "list[Car]":
        """The cars that could come to a lane next."""
        there = {*self.gate.standing.values(), *but}
        inside = lane == EXIT
        return [car for car in self.cars if car not in there and (car.visit is not None) is inside]

    # --- what happens -------------------------------------------------------------------------

    @rule(lane=lanes, number=numbers, seen=seen)
    def a_car_arrives(self, lane: str, number: int, seen: "Seen") -> None:
        coming = self.waiting(lane)
        if coming and lane not in self.gate.standing:
            self.gate.arrive(lane, coming[number % len(coming)], seen)

    @rule(lane=lanes, seen=seen)
    def it_is_looked_at_again(self, lane: str, seen: "Seen") -> None:
        if lane in self.gate.standing:
            self.gate.look(lane, seen)

    @rule(lane=lanes, speed=speeds)
    def it_drives_on(self, lane: str, speed: float) -> None:
        if self.gate.may_drive(lane):
            self.gate.drive(lane, speed=speed)

    @rule(lane=lanes, speed=speeds, gap_m=st.sampled_from((0.3, 1.0, 1.8, 4.0)), number=numbers)
    def another_follows_it_through(
        self, lane: str, speed: float, gap_m: float, number: int
    ) -> None:
        behind = self.waiting(lane)
        if self.gate.may_drive(lane) and behind:
            self.gate.drive(lane, behind[number % len(behind)], speed=speed, gap_m=gap_m)

    @rule(lane=lanes)
    def it_backs_out(self, lane: str) -> None:
        if lane in self.gate.standing:
            self.gate.back_out(lane)

    @rule(lane=lanes, number=numbers, seen=seen)
    def a_car_passes(self, lane: str, number: int, seen: "Seen") -> None:
        self.a_car_arrives(lane, number, seen)
        self.it_drives_on(lane, 1.5)

    @rule(seconds=st.sampled_from((0.5, 2.0, 15.0, 60.0, 300.0, 700.0)))
    def time_goes_by(self, seconds: float) -> None:
        self.gate.wait(seconds)

    # --- people -------------------------------------------------------------------------------

    @rule(number=others, name=st.sampled_from((ListName.VISITORS, ListName.INTERNALS)))
    def a_plate_is_listed(self, number: int, name: ListName) -> None:
        self.gate.put(name, self.cars[number].plate)

    @rule(number=others, name=st.sampled_from((ListName.VISITORS, ListName.INTERNALS)))
    def a_plate_is_taken_off(self, number: int, name: ListName) -> None:
        self.gate.take_off(name, self.cars[number].plate)

    @rule(number=numbers)
    def a_plate_is_banned(self, number: int) -> None:
        self.gate.order("blacklist_add", zone=ZONE, plate=self.cars[number].plate)

    @rule(number=numbers)
    def a_plate_is_pardoned(self, number: int) -> None:
        self.gate.order("blacklist_remove", zone=ZONE, plate=self.cars[number].plate)

    @rule()
    def somebody_counts(self) -> None:
        count = self.gate.truth.inside(ZONE, self.gate.true_s)
        self.gate.order("recount", zone=ZONE, count=count)

    @rule(on=st.booleans())
    def a_lockdown_begins_or_ends(self, on: bool) -> None:
        self.gate.order("lockdown", on=on)

    @rule(lane=lanes)
    def somebody_opens(self, lane: str) -> None:
        self.gate.order("open", lane=lane)

    # --- what breaks --------------------------------------------------------------------------

    @rule(lane=lanes, alive=st.booleans())
    def a_camera_dies_or_lives(self, lane: str, alive: bool) -> None:
        self.gate.camera(lane, alive=alive)

    @rule(off_s=st.sampled_from((20.0, 300.0)), moving=st.sets(numbers, max_size=2))
    def the_power_fails(self, off_s: float, moving: set[int]) -> None:
        standing = set(self.gate.standing.values())
        self.gate.power_cut(off_s, *(self.cars[n] for n in moving if self.cars[n] not in standing))

    @rule()
    def the_daemon_is_started_again(self) -> None:
        self.gate.crash()

    @rule(commits=st.integers(0, 3))
    def the_daemon_will_die(self, commits: int) -> None:
        self.gate.crash_after(commits)

    # --- what must be so ----------------------------------------------------------------------

    @invariant()
    def a_boom_goes_up_once_for_each_command(self) -> None:
        for lane in (ENTRY, EXIT):
            done = self.books.outcomes(lane, Outcome.DONE)
            unknown = self.books.outcomes(lane, Outcome.UNKNOWN)
            assert done <= self.gate.pulses[lane] <= done + unknown

    @invariant()
    def no_command_is_left_without_an_outcome(self) -> None:
        assert not any(self.books.outcomes(lane, None) for lane in (ENTRY, EXIT))

    @invariant()
    def the_store_holds_what_the_journal_tells(self) -> None:
        store = self.gate.life.store
        rows = at_once(store.listing([car.plate for car in self.cars])).rows
        counts = {state.zone: state for state in at_once(store.counts())}
        counted = counts.get(ZONE)

        assert {stay.id for stay in at_once(store.open_stays())} == self.books.stays.keys()
        assert {row.plate for row in rows if row.list is ListName.BLACKLIST} == self.books.bans
        assert at_once(store.lockdown()) is self.books.lockdown
        assert (counted and (counted.count, counted.trusted)) == self.books.count

    @invariant()
    def the_lists_are_as_the_centre_sent_them(self) -> None:
        rows = at_once(self.gate.life.store.listing([car.plate for car in self.cars])).rows
        for name in (ListName.VISITORS, ListName.INTERNALS):
            assert {row.plate for row in rows if row.list is name} == self.gate.lists[name]

    @invariant()
    def nobody_is_counted_who_is_not_there(self) -> None:
        assert self.gate.life.zones.state(ZONE).count >= 0


@pytest.fixture
def machine(build: "Build", monkeypatch: pytest.MonkeyPatch) -> type[SiteMachine]:
    monkeypatch.setattr(SiteMachine, "build", staticmethod(build), raising=False)
    return SiteMachine


def run(machine: type[SiteMachine], *, examples: int, steps: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )


def test_no_run_of_events_makes_the_gate_do_wrong(machine: type[SiteMachine]) -> None:
    run(machine, examples=40, steps=30)


@pytest.mark.campaign
def test_no_long_run_of_events_makes_the_gate_do_wrong(machine: type[SiteMachine]) -> None:
    run(machine, examples=3000, steps=80)
