"""The simulated site as a whole, with gates that open for everybody or as the lists say."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise

import pytest

from simulators.world import Plan, Read, Truth, Vehicle, Way, World
from simulators.world.figures import figures, leaving_per_hour
from simulators.world.open_gate import OpenGate
from simulators.world.truth import Outcome

LANES = ("outer-entry", "outer-exit", "inner-entry", "inner-exit")
NOTHING_BREAKS = Plan(
    camera_deaths_per_week=0,
    power_cuts_per_week=0,
    clock_steps_per_week=0,
    broker_outages_per_week=0,
)
EVERYTHING_BREAKS = Plan(
    camera_deaths_per_week=20,
    power_cuts_per_week=20,
    clock_steps_per_week=20,
    broker_outages_per_week=20,
    bumper_to_bumper=0.1,
    tailgating=0.1,
    backing_out=0.05,
)
MONTH = 28


class Witness(OpenGate):
    """Opens for everybody, and remembers what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.edges: dict[str, list[tuple[str, bool, float]]] = defaultdict(list)
        self.opened: dict[str, list[float]] = defaultdict(list)
        self.reads = 0
        self.blanks = 0
        self.pairs = 0
        self.told: Counter[str] = Counter()
        self.counts: list[tuple[str, int, float]] = []
        self.at = 0.0

    def edge(self, lane: str, sensor: str, on: bool, at: float) -> None:
        super().edge(lane, sensor, on, at)
        self.edges[lane].append((sensor, on, at))
        self.at = at

    def openings(self) -> list[str]:
        lanes = super().openings()
        for lane in lanes:
            self.opened[lane].append(self.at)
        return lanes

    def look(self, lane: str, frame: int, reads: tuple[Read, ...], at: float) -> None:
        self.reads += len(reads)
        self.blanks += not reads
        self.pairs += len(reads) > 1

    def camera(self, lane: str, alive: bool, at: float) -> None:
        self.told[f"camera {alive}"] += 1

    def power(self, controller: str, on: bool, at: float) -> None:
        self.told[f"power {on}"] += 1
        gate = controller.removeprefix("gate-")
        for lane in (f"{gate}-entry", f"{gate}-exit"):
            self.edges[lane].append(("power", on, at))
            self._waiting.discard(lane)

    def clock_step(self, controller: str, by_s: float, trusted: bool, at: float) -> None:
        self.told["clock step"] += 1

    def broker(self, up: bool, at: float) -> None:
        self.told[f"broker {up}"] += 1

    def bind(self, plate: str, at: float) -> None:
        self.told["bind"] += 1

    def list_change(self, name: str, plate: str, remove: bool, at: float) -> None:
        self.told[f"{name} {'removed' if remove else 'added'}"] += 1

    def recount(self, zone: str, count: int, at: float) -> None:
        self.counts.append((zone, count, at))


class Doorman(Witness):
    """Lets into the visitor zone only whom the lists name, by what it reads."""

    def __init__(self, lists: dict[str, list[str]]) -> None:
        super().__init__()
        self.known = {*lists["visitors"], *lists["internals"], *lists["exempt"]}
        self._here = ""

    def edge(self, lane: str, sensor: str, on: bool, at: float) -> None:
        super().edge(lane, sensor, on, at)
        if lane == "inner-entry" and sensor == "arrival":
            self._here = ""
            self._openings = [other for other in self._openings if other != lane]

    def look(self, lane: str, frame: int, reads: tuple[Read, ...], at: float) -> None:
        super().look(lane, frame, reads, at)
        self.at = at
        if lane == "inner-entry" and reads:
            self._here = reads[0].text
            self._judge(lane)

    def bind(self, plate: str, at: float) -> None:
        super().bind(plate, at)
        self.known.add(plate)
        self.at = at
        self._judge("inner-entry")

    def _judge(self, lane: str) -> None:
        if lane in self._waiting and self._here in self.known:
            self._openings.append(lane)
            self._waiting.discard(lane)


def run(plan: Plan, days: float, seed: int = 1) -> tuple[Truth, Witness]:
    witness = Witness()
    return World(plan, seed).run(witness, days), witness


@pytest.fixture(scope="module")
def month() -> tuple[Truth, Witness]:
    return run(Plan(), MONTH, seed=2)


@pytest.fixture(scope="module")
def sound() -> tuple[Truth, Witness]:
    return run(NOTHING_BREAKS, 3)


@pytest.fixture(scope="module")
def broken() -> tuple[Truth, Witness]:
    return run(EVERYTHING_BREAKS, 12)


@pytest.fixture(scope="module")
def guarded() -> tuple[Truth, Doorman]:
    world = World(NOTHING_BREAKS, 5)
    doorman = Doorman(world.lists())
    return world.run(doorman, 4), doorman


def test_the_same_seed_gives_the_same_edges_and_another_seed_others() -> None:
    (first, told), (_, again), (_, other) = (run(Plan(), 1, seed) for seed in (7, 7, 8))
    assert first.journeys > 0
    assert told.edges == again.edges
    assert told.edges != other.edges


def loops(edges: list[tuple[str, bool, float]], sensor: str) -> Iterator[bool]:
    """The edges of one loop; what a controller without power had heard is forgotten."""
    for what, on, _ in edges:
        if what == sensor:
            yield on
        elif what == "power" and not on:
            yield False


@pytest.mark.parametrize("sensor", ["arrival", "safety"])
def test_a_loop_is_never_told_on_twice_in_a_row(
    sound: tuple[Truth, Witness], broken: tuple[Truth, Witness], sensor: str
) -> None:
    for _, witness in (sound, broken):
        for lane in LANES:
            told = list(loops(witness.edges[lane], sensor))
            assert (True, True) not in pairwise(told)


def test_edges_come_in_the_order_of_time(month: tuple[Truth, Witness]) -> None:
    for edges in month[1].edges.values():
        times = [at for _, _, at in edges]
        assert times == sorted(times)


def test_a_car_is_on_the_safety_loop_only_after_the_boom_has_had_time_to_rise(
    sound: tuple[Truth, Witness],
) -> None:
    for lane in LANES:
        opened = sound[1].opened[lane]
        for sensor, on, at in sound[1].edges[lane]:
            if sensor == "safety" and on:
                assert any(2.0 <= at - pulse <= 30.0 for pulse in opened)


def test_cars_that_go_one_by_one_are_as_many_as_the_safety_loop_sees() -> None:
    plan = Plan(bumper_to_bumper=0, tailgating=0, power_cuts_per_week=0)
    truth, witness = run(plan, 3)
    passed = Counter(
        approach.lane for approach in truth.approaches if approach.outcome is Outcome.PASSED
    )
    for lane in LANES:
        seen = sum(not on for sensor, on, _ in witness.edges[lane] if sensor == "safety")
        assert seen == passed[lane]
    assert truth.inside("visitor_zone", 3 * 86_400) == passed["inner-entry"] - passed["inner-exit"]


def test_a_person_counts_both_zones_each_morning(month: tuple[Truth, Witness]) -> None:
    truth, witness = month
    assert len(witness.counts) == 2 * MONTH
    for zone, count, at in witness.counts:
        assert count == truth.inside(zone, at)
        assert at % 86_400 == 7 * 3_600


def test_no_one_is_twice_in_a_zone_or_leaves_before_coming(month: tuple[Truth, Witness]) -> None:
    last: dict[tuple[str, str], float] = {}
    for visit in month[0].visits:
        key = visit.plate, visit.zone
        assert visit.entered_at >= last.get(key, 0.0)
        assert visit.left_at is None or visit.left_at > visit.entered_at + visit.waited_s
        last[key] = math.inf if visit.left_at is None else visit.left_at


def test_a_visit_to_the_visitor_zone_lies_within_one_to_the_car_park(
    month: tuple[Truth, Witness],
) -> None:
    parked = {
        (visit.plate, visit.entered_at): visit.left_at
        for visit in month[0].visits
        if visit.zone == "car_park"
    }
    by_plate = defaultdict(list)
    for (plate, entered), left in parked.items():
        by_plate[plate].append((entered, left or math.inf))
    for visit in month[0].visits:
        if visit.zone == "visitor_zone":
            assert any(
                entered < visit.entered_at and (visit.left_at or 0.0) < left
                for entered, left in by_plate[visit.plate]
            )


def test_every_awkward_thing_happens_in_a_month(
    month: tuple[Truth, Witness], broken: tuple[Truth, Witness]
) -> None:
    truth, witness = month
    ways = {visit.way_in for visit in truth.visits} | {visit.way_out for visit in truth.visits}
    assert {Way.UNREAD, Way.BUMPER, Way.TAILGATED} <= ways
    assert {
        approach.lane for approach in truth.approaches if approach.outcome is Outcome.BACKED_OUT
    } == set(LANES)
    assert figures(truth, MONTH)["double_misses"]
    assert witness.pairs
    assert {
        *("camera False", "camera True", "power False", "power True", "clock step"),
        *("broker False", "broker True", "bind", "blacklist added", "internals added"),
    } <= {*witness.told, *broken[1].told}
    assert Way.POWER_OFF in {visit.way_out for visit in broken[0].visits}


def test_an_entry_and_an_exit_are_missed_together_more_often_than_by_chance(
    month: tuple[Truth, Witness],
) -> None:
    parked = [visit for visit in month[0].visits if visit.zone == "car_park"]
    unread_in = sum(visit.way_in is Way.UNREAD for visit in parked)
    unread_out = sum(visit.way_out is Way.UNREAD for visit in parked)
    both = sum(visit.way_in is Way.UNREAD and visit.way_out is Way.UNREAD for visit in parked)
    assert both > 3 * unread_in * unread_out / len(parked)


def test_the_rates_of_the_plan_come_true(month: tuple[Truth, Witness]) -> None:
    truth, witness = month
    plan = Plan()
    zone = [visit for visit in truth.visits if visit.zone == "visitor_zone"]
    internal = [visit for visit in zone if visit.vehicle is Vehicle.INTERNAL]
    missed = sum(visit.way_out is Way.UNREAD for visit in zone) / len(zone)
    too_long = sum((visit.counted_s or 0) > 660 for visit in internal) / len(internal)
    assert leaving_per_hour(zone, MONTH) == pytest.approx(plan.leaving_per_hour, rel=0.1)
    assert len(internal) / len(zone) == pytest.approx(plan.internals, rel=0.15)
    assert missed == pytest.approx(plan.missed_exits, rel=0.4)
    assert plan.overstays < too_long < plan.overstays + plan.near_limit
    assert witness.blanks / witness.reads == pytest.approx(
        plan.blank_frames + plan.missed_exits, rel=0.25
    )


def test_leaving_cars_can_be_made_more_and_still_find_room() -> None:
    truth, _ = run(Plan(leaving_per_hour=90), 2)
    zone = [visit for visit in truth.visits if visit.zone == "visitor_zone"]
    assert leaving_per_hour(zone, 2) == pytest.approx(90, rel=0.1)
    inside = [truth.inside("visitor_zone", 600.0 * number) for number in range(2 * 144)]
    assert sum(cars > 60 for cars in inside) / len(inside) < 0.05


def test_who_is_refused_backs_out_and_who_binds_at_the_gate_comes_in(
    guarded: tuple[Truth, Doorman],
) -> None:
    at_gate = [a for a in guarded[0].approaches if a.lane == "inner-entry" and not a.unreadable]
    unknown = [a for a in at_gate if a.vehicle is Vehicle.UNKNOWN]
    assert unknown
    assert all(a.outcome is Outcome.BACKED_OUT or a.way is not Way.DECIDED for a in unknown)
    visitors = [a for a in at_gate if a.vehicle is Vehicle.VISITOR]
    assert all(a.bound for a in visitors if a.way is Way.DECIDED)
    passed = sum(a.outcome is Outcome.PASSED for a in visitors)
    assert passed / len(visitors) > 0.95


def test_a_refused_member_of_the_staff_is_pardoned_days_later() -> None:
    world = World(NOTHING_BREAKS, 3)
    strict = Doorman({**world.lists(), "internals": []})
    world.run(strict, 6)
    assert strict.told["blacklist removed"] > 10


def test_who_is_let_out_by_no_one_is_let_out_by_hand() -> None:
    class Shut(Witness):
        def openings(self) -> list[str]:
            return [lane for lane in super().openings() if lane != "inner-exit"]

    truth = World(NOTHING_BREAKS, 1).run(Shut(), 1)
    ways = Counter(visit.way_out for visit in truth.visits if visit.zone == "visitor_zone")
    assert ways[Way.BUTTON] > 10
    assert not ways[Way.READ]


def test_the_lists_before_the_first_day_name_no_one_twice_but_the_blacklist_is_empty() -> None:
    lists = World(Plan(), 1).lists()
    plates = [plate for name in ("visitors", "internals", "exempt") for plate in lists[name]]
    assert len(lists["internals"]) == 200
    assert len(set(plates)) == len(plates)
    assert not lists["blacklist"]


def test_the_gate_is_woken_when_it_asked_to_be() -> None:
    class Sleeper(OpenGate):
        def __init__(self) -> None:
            super().__init__()
            self.woken: list[float] = []

        def wake_at(self) -> float:
            return 1_000.0 * (len(self.woken) + 1)

        def wake(self, at: float) -> None:
            self.woken.append(at)

    sleeper = Sleeper()
    World(Plan(), 1).run(sleeper, 0.25)
    assert sleeper.woken == [1_000.0 * number for number in range(1, 22)]


def test_a_plan_whose_classes_do_not_sum_up_is_refused() -> None:
    with pytest.raises(ValueError, match="sum up"):
        Plan(visitors=0.9)
    with pytest.raises(ValueError, match="misread_frames"):
        Plan(misread_frames=-0.1)
