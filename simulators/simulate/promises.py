"""What the gate promises whatever breaks; each promise is a function that is asked all the time."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from gatekeeper.journal import PATIENCE_S
from gatekeeper.lane.mailbox import EDGES_KEPT, ORDERS_KEPT
from gatekeeper.model import BarrierIntended, Event, Sensor
from gatekeeper.sync.pahothread import HEARD
from simulators.simulate.centre import Received, VirtualCentre
from simulators.simulate.faults import EXIT_EXCUSED, Faults
from simulators.virtual import Machine
from simulators.virtual.mqtt import WAITING, MqttBroker

GOOD_FOR_S: Final = 2.0
"""An opening pulse that could not be given within this is not given any more."""

OPENS_S: Final = 5.0
"""A vehicle on the loop of an exit waits no longer."""

SPENT: Final = ("relay broken", "board late")
"""With these all three attempts at a vehicle may fail; then a person has to see to it (situations,
13).
"""

QUIET_S: Final = 900.0
"""So long after the last fault all is as if there had been none."""

SENT_S: Final = 120.0
"""When nothing hinders, an event is at the centre within this."""

BEHIND: Final = 10_500
"""Commits that may wait for the disk: the bound of the journal, and what is being written."""

LETTERS: Final = len(Sensor) * EDGES_KEPT + ORDERS_KEPT + 3
"""Letters in the mailbox of a lane: of each sensor, orders, and the three kinds that have one place
each.
"""

TASKS: Final = 200
"""Tasks of all machines together."""

PASSING: Final = frozenset(
    {
        "count_untrusted",
        "clock_stepped",
        "clock_off",
        "clock_untrusted",
        "registry_missing",
        "journal_incomplete",
        "store_set_aside",
    }
)
"""Alarms that a person clears, or whose cause the world draws beside the faults: a clock that is
wrong for hours.
"""


@dataclass(slots=True)
class Watched:
    """One machine, and what has to be remembered of it."""

    machine: Machine
    since: dict[str, float] = field(default_factory=dict)
    """Exits with a vehicle on the loop that has not been let out yet, and since when."""
    journal: str = ""
    seq: int = 0
    written_at: float = 0.0
    ids: dict[str, int] = field(default_factory=dict)
    commands: int = 0
    known: set[str] = field(default_factory=set)
    intended: dict[str, float] = field(default_factory=dict)
    pulsed: dict[str, float] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A promise that was broken, when, and how."""

    promise: str
    at: float
    what: str


Promise = Callable[[Watched, Faults, float], Iterator[str]]
"""Asked at a moment: yields what is wrong."""


def an_exit_opens_within_five_seconds(watched: Watched, faults: Faults, at: float) -> Iterator[str]:
    """Unless its barrier cannot be moved or is up, or the controller has just begun."""
    name, kerbs = watched.machine.name, watched.machine.kerbs
    for lane, since in list(watched.since.items()):
        if (lane, Sensor.BOOM_UP) in kerbs.present:
            watched.since[lane] = at
        elif any(faults.lately(fault, name, since) for fault in SPENT):
            del watched.since[lane]  # it was tried three times, and is an alarm now
        elif any(faults.lately(fault, name, at - OPENS_S) for fault in EXIT_EXCUSED):
            watched.since[lane] = at
        elif at - since > OPENS_S:
            del watched.since[lane]
            yield f"{lane} stays shut since {since:.1f} s"


def one_pulse_for_each_decision(watched: Watched, faults: Faults, at: float) -> Iterator[str]:
    """A command moves the barrier once at most."""
    commands = watched.machine.kerbs.commands
    for command, at_boot in commands[watched.commands :]:
        if command in watched.known:
            yield f"command {command} moved the barrier again"
        watched.known.add(command)
        watched.pulsed[command] = at_boot
    watched.commands = len(commands)


def no_pulse_after_its_deadline(watched: Watched, faults: Faults, at: float) -> Iterator[str]:
    """A pulse follows its intent within the time that it waits for the disk and its own two
    seconds, or never.
    """
    for command in watched.pulsed.keys() & watched.intended.keys():
        late_s = watched.pulsed.pop(command) - watched.intended.pop(command)
        if late_s > PATIENCE_S + GOOD_FOR_S:
            yield f"command {command} moved the barrier {late_s:.1f} s after its intent"


def heartbeats_are_kept(watched: Watched, faults: Faults, at: float) -> Iterator[str]:
    """No task is silent for longer than it said, and none that has ended seems to live."""
    life = watched.machine.life
    if life is not None:
        for name in life.health.silent():
            yield f"{name} is silent"


def queues_are_bounded(watched: Watched, faults: Faults, at: float) -> Iterator[str]:
    """What waits does not grow without end."""
    life = watched.machine.life
    if life is None:
        return
    if life.controller.journal.behind > BEHIND:
        yield f"{life.controller.journal.behind} commits wait for the disk"
    for lane in life.controller.lanes.values():
        if lane.behind > LETTERS:
            yield f"{lane.behind} letters wait at {lane.name}"


def tasks_are_bounded(watched: Watched, faults: Faults, at: float) -> Iterator[str]:
    """None is left behind for each car, order or life."""
    alive = watched.machine.loop.tasks.alive()
    if alive > TASKS:
        yield f"{alive} tasks live"


def alarms_are_cleared(watched: Watched, faults: Faults, at: float) -> Iterator[str]:
    """When their cause has long been gone."""
    life = watched.machine.life
    if life is None or not _is_quiet(watched, faults, at):
        return
    lanes = {lane.name for lane in watched.machine.config.lane}
    for alarm in life.health.alarms:
        old = at - watched.machine.clock.true(alarm.since) > QUIET_S
        passes = alarm.alarm in PASSING
        if alarm.subject in lanes:
            passes = alarm.alarm not in OF_LANES
        if old and not passes:
            yield f"{alarm.alarm} of {alarm.subject} still stands: {alarm.detail}"


OF_LANES: Final = frozenset({"camera_stale", "held_open", "hold_failed", "lane_overrun"})
"""Alarms of a lane that do not wait for its next vehicle to be cleared."""

ALWAYS: Final[tuple[Promise, ...]] = (
    an_exit_opens_within_five_seconds,
    one_pulse_for_each_decision,
    no_pulse_after_its_deadline,
    heartbeats_are_kept,
    queues_are_bounded,
)
AT_TIMES: Final[tuple[Promise, ...]] = (alarms_are_cleared, tasks_are_bounded)


def _is_quiet(watched: Watched, faults: Faults, at: float) -> bool:
    name = watched.machine.name
    ended = [when for (_, of), when in faults.ended.items() if of == name]
    standing = any(of == name for _, of in faults.standing)
    return not standing and at - max(ended, default=0.0) > QUIET_S


class Promises:
    """Asks all of them, and keeps what was broken; each only once while it is."""

    def __init__(
        self,
        machines: dict[str, Machine],
        faults: Faults,
        centre: VirtualCentre,
        broker: MqttBroker,
    ) -> None:
        self._centre, self._broker = centre, broker
        self.broken: list[Broken] = []
        self._watched = {name: Watched(machine) for name, machine in machines.items()}
        self._faults = faults
        self._said: Counter[str] = Counter()
        self._asked_at = 0.0

    def arrival(self, machine: str, lane: str, on: bool, at: float) -> None:
        """A vehicle stands at an exit, or no longer."""
        watched = self._watched[machine]
        if on and watched.machine.life is not None:
            watched.since[lane] = at
        else:
            watched.since.pop(lane, None)

    def power(self, machine: str) -> None:
        """A machine has no power, or has it again: what stands there is told again."""
        self._watched[machine].since.clear()

    def opened(self, machine: str, lane: str) -> None:
        """A barrier was moved, or its boom is kept up."""
        self._watched[machine].since.pop(lane, None)

    def told(self, machine: str, event: Event, at: float) -> None:
        """An event was written: each once and in order."""
        watched = self._watched[machine]
        if event.journal != watched.journal:
            watched.journal, watched.seq = event.journal, event.seq - 1
        if event.seq <= watched.seq or event.id in watched.ids:
            self._break("each_event_once_and_in_order", machine, f"event {event.seq} again", at)
        watched.seq, watched.written_at = max(watched.seq, event.seq), at
        watched.ids[event.id] = event.seq
        if isinstance(event.record.fact, BarrierIntended):
            watched.intended[event.record.fact.command] = event.record.at.boot_s

    def ask(self, at: float) -> None:
        """All of them, now."""
        promises = ALWAYS
        if at - self._asked_at > 600.0:
            self._asked_at = at
            promises = (*ALWAYS, *AT_TIMES)
            self._compare(at)
        for name, watched in self._watched.items():
            for lane in watched.machine.kerbs.held:
                watched.since.pop(lane, None)
            for promise in promises:
                for what in promise(watched, self._faults, at):
                    self._break(promise.__name__, name, what, at)

    def _compare(self, at: float) -> None:
        for name, watched in self._watched.items():
            for what in memory_is_what_the_database_says(watched, self._faults, at):
                self._break("memory_is_what_the_database_says", name, what, at)
            received = self._centre.journals[watched.journal]
            for what in each_fact_is_at_the_centre(watched, received, self._faults, at):
                self._break("each_fact_is_at_the_centre", name, what, at)
            kept = self._broker.waiting(watched.machine.client_id)
            if kept > WAITING + HEARD:
                self._break("queues_are_bounded", name, f"{kept} messages at the broker", at)

    def _break(self, promise: str, machine: str, what: str, at: float) -> None:
        if f"{promise} {machine} {what}" not in self._said:
            self.broken.append(Broken(promise=promise, at=at, what=f"{machine}: {what}"))
        self._said[f"{promise} {machine} {what}"] += 1


def each_fact_is_at_the_centre(
    watched: Watched, received: Received, faults: Faults, at: float
) -> Iterator[str]:
    """Once, under the number and id that it was written with, and none is missing when all has been
    quiet. What memory could not hold is a fact of its own, `journal.gap`.
    """
    yield from received.doubts
    for seq, name in received.news:
        if watched.ids.get(name, seq) != seq:
            yield f"event {watched.ids[name]} is number {seq} at the centre"
    received.doubts.clear()
    received.news.clear()
    if not _is_quiet(watched, faults, at) or at - watched.written_at < SENT_S:
        return
    if received.complete < watched.seq:
        yield f"the centre has {received.complete} of {watched.seq} events"


def memory_is_what_the_database_says(watched: Watched, faults: Faults, at: float) -> Iterator[str]:
    """Once everything has been written."""
    machine = watched.machine
    life = machine.life
    if life is None or life.controller.journal.behind or not life.store.is_open:
        return
    if not life.controller.journal.writes or any(of == machine.name for _, of in faults.standing):
        return
    loop, zones = machine.loop, life.controller.zones
    stored = {each.id: each for each in loop.finish(life.store.open_stays())}
    held = {each.id: each for each in zones.inside}
    if stored != held:
        differ = [key for key in stored.keys() | held.keys() if stored.get(key) != held.get(key)]
        yield f"open stays {sorted(differ)[:3]}"
    for state in loop.finish(life.store.counts()):
        held_state = replace(zones.state(state.zone), coming=state.coming)
        if held_state != state:
            yield f"count of {state.zone}: {held_state} and {state}"
