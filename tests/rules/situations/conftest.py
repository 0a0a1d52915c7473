"""A site in virtual time, told what happens at its kerbs: real lanes, zones, rules and stores.

A test drives cars over loops and past cameras, and asks the journal, the store and the barriers
what came of it. Times are true seconds; a day of them takes no time.
"""

import math
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
import structlog

from gatekeeper.config import Config
from gatekeeper.errors import StoreError
from gatekeeper.model import (
    AlarmRaised,
    BarrierIntended,
    Colour,
    Commit,
    Doubt,
    Event,
    Fact,
    ListChange,
    ListChanges,
    ListName,
    ListRow,
    Order,
    OrderAnswer,
    PassageEnded,
    PeerHealth,
    PlateRead,
    Reason,
    Record,
    Sensor,
    Stay,
    VehicleArrived,
    VehicleDecided,
    ZoneState,
)
from simulators.site.layout import lane, zones
from simulators.virtual import EPOCH, Broker, Machine, VirtualLoop
from simulators.virtual.store import Does, GoodDisk

Kind = TypeVar("Kind", bound=Fact)
Answer = TypeVar("Answer")

HEALTH_EVERY_S = 30.0
"""How often a controller speaks of its health, and how finely time is told here."""

FIRE = "board/15"
"""The fire input of each controller."""

UP_S, FALLS_S = 1.0, 8.0
"""After a pulse a boom is up, and comes down again unless somebody is under it."""

NEAR = ((0.0, 0.0), (120.0, 0.0), (120.0, 40.0), (0.0, 40.0))
BESIDE = ((300.0, 0.0), (380.0, 0.0), (380.0, 25.0), (300.0, 25.0))


_SHARED = ("barrier", "safety_loop", "boom_up")
"""What the two lanes of a reversible gate have in common."""


@dataclass
class ShakyDisk(GoodDisk):
    """A disk that fails with these words, or takes so long for a write, as a test says."""

    fails: str | None = None
    slow_s: float = 0.0

    def delay_s(self, does: Does) -> float:
        if self.fails is not None:
            raise StoreError(f"gatekeeper.db: {self.fails}")
        return self.slow_s if does == "writes" else 0.0


class Site:
    """The car park, its visitor zone and the cars in the four lanes."""

    def __init__(
        self,
        folder: Path,
        *,
        gates: Sequence[Sequence[str]] = (
            ("inner-entry", "inner-exit", "outer-entry", "outer-exit"),
        ),
        lists: Iterable[ListName] = tuple(ListName),
        blind: Sequence[str] = (),
        unmeasured: Sequence[str] = (),
        booms: bool = False,
        reversible: str | None = None,
        disk: "ShakyDisk | None" = None,
        **visitor_zone: Any,
    ) -> None:
        """`gates` are the lanes of each controller; `lists` were once followed; `blind` lanes have
        no camera, and of `unmeasured` ones it is not known how their loops lie; with `booms` the
        test moves them, else they follow each pulse; where the inner gate is `reversible`, its two
        lanes share the barrier and the safety loop, and their arrival loops lie `in_line` or
        `apart`; `disk` is what the databases lie on; `visitor_zone` are settings of that zone.
        """
        self._reversible = reversible
        self._follows = not booms and reversible is None
        self._time = VirtualLoop(breakable=True)
        self.broker = Broker()
        self.disk = disk or ShakyDisk()
        self.told: list[tuple[str, Event]] = []
        self._frames = 0
        self._orders = 0
        self._pulses: list[str] = []
        self._followed: dict[ListName, int] = {}
        self._loops: set[tuple[str, Sensor]] = set()
        self._burns = False
        self._folder = folder
        self._gates = [
            Machine(
                self._config(number, gates, blind, unmeasured, booms, visitor_zone),
                folder / f"gate-{number}.db",
                self._time,
                broker=self.broker,
                disk=self.disk,
            )
            for number in range(len(gates))
        ]
        for gate in self._gates:
            if self._follows:
                gate.kerbs.pulsed = self._boom_follows
            gate.begin()
        self._gather()
        for name in lists:
            self.change(name)
        self._speak()

    # --- time ---------------------------------------------------------------------------------

    @property
    def true_s(self) -> float:
        """Seconds since the beginning."""
        return self._time.time()

    def wait(self, seconds: float = 0.0, *, minutes: float = 0.0, hours: float = 0.0) -> None:
        """Time passes, and with it whatever somebody waits for."""
        until = self.true_s + seconds + 60.0 * minutes + 3600.0 * hours
        while (beat := (math.floor(self.true_s / HEALTH_EVERY_S) + 1) * HEALTH_EVERY_S) <= until:
            self._time.run_to(beat)
            self._speak()
        self._time.run_to(until)
        self._gather()

    # --- at the kerb --------------------------------------------------------------------------

    def loop(self, lane: str, sensor: Sensor, on: bool) -> None:
        """A loop is occupied, or free again."""
        (self._loops.add if on else self._loops.discard)((lane, sensor))
        self._gate(lane).edge(lane, sensor, on)
        if sensor is Sensor.SAFETY and not on and self._follows:
            self._time.call_later(UP_S, self._boom_falls, lane)
        self._gather()

    def show(
        self,
        lane: str,
        *plates: str,
        frames: int = 4,
        sure: float = 0.999,
        unsure: Sequence[int] = (),
        colour: Colour = Colour.BLUE,
        age_s: float = 0.0,
        awaited: bool = False,
    ) -> None:
        """The camera takes so many frames, 0.2 s apart, each with these plates: `sure` is the
        confidence of every character but those at the places `unsure`. The frames come `age_s`
        after they were taken. `awaited` ones are shown when the lane looks again.
        """
        for _ in range(frames):
            self.wait(0.2)
            while awaited and lane not in self._gate(lane).kerbs.awaited:
                self.wait(0.2)
            self._frames += 1
            at = self._gate(lane).clock.boot_s() - age_s
            reads = tuple(
                PlateRead(
                    text=text,
                    confidences=tuple(0.6 if n in unsure else sure for n in range(len(text))),
                    colour=colour,
                    rows=1,
                    corners=corners,
                    frame=self._frames,
                    at=at,
                )
                for text, corners in zip(plates, (NEAR, BESIDE), strict=False)
            )
            self._gate(lane).show(lane, self._frames, reads, at)
            self._gather()

    def _boom_follows(self, lane: str) -> None:
        gate = self._gate(lane)
        self._time.call_later(UP_S, gate.kerbs.edge, lane, Sensor.BOOM_UP, True)
        self._time.call_later(FALLS_S, self._boom_falls, lane)

    def _boom_falls(self, lane: str) -> None:
        if (lane, Sensor.SAFETY) in self._loops:
            self._time.call_later(1.0, self._boom_falls, lane)
        else:
            self._gate(lane).kerbs.edge(lane, Sensor.BOOM_UP, False)

    def arrive(self, lane: str, *plates: str, **seen: Any) -> None:
        """A car rolls onto the arrival loop and is seen, with a plate or without."""
        self.loop(lane, Sensor.ARRIVAL, True)
        self.show(lane, *plates, **seen)
        if not plates:
            self.wait(3.0)

    def cross(self, lane: str, *, on_loop_s: float = 2.5) -> None:
        """The car drives on under the boom, and out of sight."""
        self.drive_on(lane)
        self.wait(on_loop_s - 1.0)
        self.loop(lane, Sensor.SAFETY, False)
        self.wait(2.0)

    def drive_on(self, lane: str) -> None:
        """The car's nose is on the safety loop, and its tail off the arrival loop."""
        self.wait(1.0)
        self.loop(lane, Sensor.SAFETY, True)
        self.wait(1.0)
        self.loop(lane, Sensor.ARRIVAL, False)

    def back_out(self, lane: str) -> None:
        """The car reverses off the arrival loop."""
        self.loop(lane, Sensor.ARRIVAL, False)
        self.wait(5.0)

    def enter(self, plate: str, **seen: Any) -> None:
        """A car enters the visitor zone."""
        self.arrive("inner-entry", plate, **seen)
        self.cross("inner-entry")

    def leave(self, plate: str, **seen: Any) -> None:
        """A car leaves the visitor zone, and its plate is read."""
        self.arrive("inner-exit", plate, **seen)
        self.cross("inner-exit")

    def drive_through(self, lane: str, *plates: str, **seen: Any) -> None:
        """A car passes a lane; without plates it is not read."""
        self.arrive(lane, *plates, **seen)
        self.cross(lane)

    def bumper_to_bumper(self, lane: str, plate: str) -> None:
        """Two cars under one boom, the second hidden behind the first: one long occupation."""
        self.arrive(lane, plate)
        self.cross(lane, on_loop_s=7.5)

    def cross_with_a_gap(self, lane: str, plate: str, *, free_s: float, again_s: float) -> None:
        """A car, or two, on one opening: the safety loop is free for a moment in between."""
        self.arrive(lane, plate)
        self.drive_on(lane)
        self.loop(lane, Sensor.SAFETY, False)
        self.wait(free_s)
        self.loop(lane, Sensor.SAFETY, True)
        self.wait(again_s)
        self.loop(lane, Sensor.SAFETY, False)
        self.wait(3)

    def tailgate(self, lane: str, plate: str, *follower: str) -> None:
        """A second car rolls up while the first crosses, and slips through before the boom falls.
        It is too fast to be decided; with a `follower` plate one frame sees it.
        """
        self.arrive(lane, plate)
        self.drive_on(lane)
        self.wait(0.5)
        self.loop(lane, Sensor.SAFETY, False)
        self.wait(0.3)
        self.loop(lane, Sensor.ARRIVAL, True)
        if follower:
            self.show(lane, *follower, frames=1)
        self.cross(lane)

    # --- the centre and the power -------------------------------------------------------------

    def change(self, name: ListName, *changes: ListChange) -> None:
        """The centre changes a list."""
        since = self._followed.get(name, 0)
        self._followed[name] = since + 1
        step = ListChanges(list=name, since=since, version=since + 1, changes=changes)
        for gate in self._gates:
            assert gate.lists(step)
        self._gather()

    def put(self, name: ListName, plate: str, **row: Any) -> None:
        """The centre puts a plate on a list."""
        self.change(name, ListChange(remove=False, row=ListRow(list=name, plate=plate, **row)))

    def take_off(self, name: ListName, plate: str, **row: Any) -> None:
        """The centre takes a plate off a list."""
        self.change(name, ListChange(remove=True, row=ListRow(list=name, plate=plate, **row)))

    def bind(self, plate: str) -> None:
        """A driver binds a plate in the WeChat account."""
        self.put(ListName.VISITORS, plate)

    def employ(self, *plates: str) -> None:
        """These are cars of the staff."""
        for plate in plates:
            self.put(ListName.INTERNALS, plate)

    def ban(self, plate: str, zone: str = "visitor_zone") -> None:
        """The centre bans a plate from a zone."""
        self.put(ListName.BLACKLIST, plate, zone=zone)

    def order(self, verb: str, **more: Any) -> OrderAnswer:
        """A person at the centre gives an order."""
        self._orders += 1
        order = Order(
            id=f"order-{self._orders}",
            verb=verb,
            by="Lin",
            reason="because",
            expires_at=EPOCH + timedelta(days=99),
            **more,
        )
        of = more.get("lane")
        answers = [gate.order(order) for gate in ([self._gate(of)] if of else self._gates)]
        self._gather()
        return answers[0]

    def centre(self, *, reached: bool) -> None:
        """The link to the centre is up, or down from now on."""
        for gate in self._gates:
            gate.now.link.reached(reached=reached)

    def camera(self, lane: str, *, alive: bool) -> None:
        """A camera dies, or lives again."""
        self._gate(lane).camera(lane, alive=alive)
        self._gather()

    def relay(self, lane: str, *, works: bool) -> None:
        """The relay of a barrier answers, or does not."""
        self._gate(lane).relay(lane, works=works)

    def board_away(self, away: bool) -> None:
        """The boards do not answer, or do again."""
        for gate in self._gates:
            gate.board(gate.config.board[0].name, away=away)
        self._gather()

    def fire(self, on: bool) -> None:
        """The fire controller closes its contact, or opens it again."""
        self._burns = on
        for gate in self._gates:
            gate.fire_input(FIRE, on)
        self._gather()

    def step_clock(self, by_s: float, *, trusted: bool = True, of: str = "inner-entry") -> None:
        """The wall clock of a controller jumps."""
        gate = self._gate(of)
        gate.controller.timekeeper.look()
        gate.clock.step(by_s, trusted=trusted)
        gate.controller.timekeeper.look()
        self._time.settle()
        self._gather()

    def centre_says_its_time(self) -> None:
        """With its confirmations the centre tells what time it is."""
        for gate in self._gates:
            gate.now.link.listeners.time_told(EPOCH + timedelta(seconds=self.true_s))
        self._time.settle()
        self._gather()

    def restart(self, lane: str) -> None:
        """The task of one lane fails, and is run again."""
        self._gate(lane).fail(f"lane {lane}", "service")
        self.wait(1)

    def crash(self, of: str = "inner-entry") -> None:
        """The daemon of a controller dies, and is started again at once."""
        self._start_again(of)

    def crash_after_the_intent(self, lane: str) -> None:
        """The daemon dies with the intent to open on the disk; what became of it is not known, and
        the vehicle is gone when it starts again.
        """
        gate = self._gate(lane)
        intended = BarrierIntended(command="cut off", reason=Reason.VISITOR)
        record = Record(fact=intended, at=gate.clock.instant(), lane=lane, passage="cut off")
        self._do(gate.store.commit(Commit(records=(record,))))
        self._gather()
        self.crash(lane)

    def power_cut(
        self,
        of: str = "inner-entry",
        *,
        off_s: float = 60.0,
        trusted: bool = True,
        database: bool = True,
    ) -> None:
        """A controller's machine is without power for a while, and may lose its database."""
        gate = self._gate(of)
        gate.kill()
        self.wait(off_s)
        gate.clock.reboot(trusted=trusted)
        if not database:
            for file in self._folder.glob(f"{gate.path.name}*"):
                file.unlink()
        self._start_again(of)

    def _start_again(self, of: str) -> None:
        gate = self._gate(of)
        gate.kill()
        gate.begin()
        self._gather()

    # --- what came of it ----------------------------------------------------------------------

    def facts(self, of: type[Kind], *, lane: str | None = None) -> list[Kind]:
        """The facts of a kind in the journals, in order."""
        return [
            event.record.fact
            for _, event in self.told
            if isinstance(event.record.fact, of) and lane in (None, event.record.lane)
        ]

    def decisions(self, lane: str) -> list[str]:
        """The reasons of what was decided in a lane."""
        return [fact.decision.reason.value for fact in self.facts(VehicleDecided, lane=lane)]

    def passages(self, lane: str) -> list[tuple[str, str | None, bool]]:
        """How the passages of a lane ended: the end, the plate, whether it was decided."""
        ended = self.facts(PassageEnded, lane=lane)
        return [(fact.end.value, fact.plate, fact.decided) for fact in ended]

    def alarms(self, subject: str) -> set[str]:
        """The alarms that were ever raised for a lane, a zone or a device."""
        return {fact.alarm for fact in self.facts(AlarmRaised) if fact.subject == subject}

    def standing(self, subject: str) -> set[str]:
        """The alarms that stand now."""
        alarms = [alarm for gate in self._gates for alarm in gate.health.alarms]
        return {alarm.alarm for alarm in alarms if alarm.subject == subject}

    def state(self, lane: str) -> str:
        """Where the visit of the vehicle at a lane stands."""
        return self._gate(lane).controller.lanes[lane].state.value

    def openings(self, lane: str) -> int:
        """How often the barrier of a lane was pulsed."""
        return self._pulses.count(lane)

    def held(self) -> set[str]:
        """The lanes whose booms are kept up."""
        return {lane for gate in self._gates for lane in gate.kerbs.held}

    def waiting(self, lane: str) -> str:
        """The id of the passage that was begun last in a lane."""
        begun = [
            event.record.passage
            for _, event in self.told
            if isinstance(event.record.fact, VehicleArrived) and event.record.lane == lane
        ]
        return begun[-1] or ""

    def stays(self, plate: str, *, of: str = "inner-entry") -> list[Stay]:
        """The stays of a plate in the visitor zone as the store holds them, oldest first."""
        store = self._gate(of).store
        ended = self._do(store.ended_stays(EPOCH - timedelta(days=9)))
        stays = [*ended, *self._do(store.open_stays())]
        known = [each for each in stays if each.plate == plate and each.zone == "visitor_zone"]
        return sorted(known, key=lambda each: each.id)

    def stay(self, plate: str) -> Stay:
        """The last stay of a plate in the visitor zone."""
        return self.stays(plate)[-1]

    def doubts(self, plate: str) -> set[Doubt]:
        """What is known against the window of the last stay."""
        return set(self.stay(plate).doubts)

    def boot_s(self, of: str = "inner-entry") -> float:
        """What the boot clock of a controller says."""
        return self._gate(of).clock.boot_s()

    def banned(self, plate: str, *, of: str = "inner-entry") -> bool:
        """Whether the store holds a row of the blacklist that counts."""
        rows = self._do(self._gate(of).store.listing([plate])).rows
        return any(row.list is ListName.BLACKLIST for row in rows)

    def count(self, zone: str = "visitor_zone") -> ZoneState:
        """How many are in a zone, and whether that is to be believed."""
        return self._gates[0].controller.zones.state(zone)

    def config(self, of: str = "inner-entry") -> Config:
        """The configuration of a controller."""
        return self._gate(of).config

    def summarise(self) -> None:
        """The day is over, and is told."""
        for gate in self._gates:
            self._do(gate.controller.zones.summarise(EPOCH))
        self._gather()

    def trust(self) -> list[tuple[str | None, bool]]:
        """Of each event its lane, and whether the centre will hear that the clock was trusted."""
        gate = self._gates[0]
        pending = self._do(gate.store.pending(0, limit=1000))
        return [(each.lane, each.clock_trusted) for each in pending]

    def outbox(self) -> int:
        """How many events the centre still has to confirm."""
        return self._do(self._gates[0].store.outbox_depth())

    def last_seq(self) -> int:
        """The number of the last event."""
        return self._do(self._gates[0].store.last_seq())

    def confirm(self, journal: str, seq: int) -> None:
        """The centre confirms what it has stored."""
        self._do(self._gates[0].store.confirm(journal, seq))

    def journal(self, of: str = "inner-entry") -> str:
        """The id of a controller's journal."""
        return self._gate(of).store.journal

    # --- the controllers ----------------------------------------------------------------------

    def _config(
        self,
        number: int,
        gates: Sequence[Sequence[str]],
        blind: Sequence[str],
        unmeasured: Sequence[str],
        booms: bool,
        visitor_zone: dict[str, Any],
    ) -> Config:
        names = gates[number]
        peers = [
            {
                "controller": f"gate-{other}",
                "exits_of": ["visitor_zone"] if "inner-exit" in gates[other] else [],
                "exits_measured": not set(unmeasured) & set(gates[other]),
            }
            for other in range(len(gates))
            if other != number
        ]
        told = booms or self._follows
        lanes = [
            lane(
                name,
                coil,
                board="board",
                camera=None if name in blind else {"kind": "folder", "path": "pictures"},
                **({"geometry": None} if name in unmeasured else {}),
                **({} if told else {"boom_up": None}),
            )
            for coil, name in enumerate(names)
        ]
        if self._reversible:
            entry, exit_ = (each for each in lanes if each["zone"] == "visitor_zone")
            shared = {key: entry[key] for key in _SHARED if key in entry}
            exit_.update(shared, opposite=entry["name"], arrival_loops=self._reversible)
        return Config.model_validate(
            {
                "site": "hall",
                "recognition": {"certain": 0.98},
                "controller": f"gate-{number}",
                "store": {"path": "gate.db", "pictures": "pictures"},
                "zone": zones(**visitor_zone),
                "board": [{"name": "board", "address": "tcp://192.0.2.7:502", "inputs": 16}],
                "fire": {"inputs": [{"board": "board", "input": 15}]},
                "lane": lanes,
                "peer": peers,
            }
        )

    def _gate(self, lane: str) -> Machine:
        return next(
            gate for gate in self._gates if any(each.name == lane for each in gate.config.lane)
        )

    def _do(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        return self._time.finish(work)

    def _gather(self) -> None:
        """What the controllers did."""
        told = [(each.true_s, gate.name, each.event) for gate in self._gates for each in gate.told]
        self.told += [(name, event) for _, name, event in sorted(told, key=lambda each: each[0])]
        for gate in self._gates:
            gate.told.clear()
            self._pulses += gate.kerbs.pulses
            gate.kerbs.pulses.clear()

    def link(self, *, up: bool) -> None:
        """The broker is there, or not; what could not be told is told later."""
        self.broker.turn(up=up)
        self._time.settle()
        self._gather()

    def end(self) -> None:
        """Let go of everything."""
        for gate in self._gates:
            gate.kill()
        self._time.close()

    def _speak(self) -> None:
        """Every controller tells of its health."""
        if not self.broker.up or len(self._gates) == 1:
            return
        for gate in self._gates:
            if gate.life is None:
                continue
            now = gate.clock.instant()
            health = PeerHealth(
                controller=gate.name,
                journal=gate.store.journal,
                seq=self._do(gate.store.last_seq()),
                at=now.wall,
                clock_trusted=now.trusted,
            )
            self.broker.speak(health)
        self._time.settle()


Build = Callable[..., Site]


@pytest.fixture(autouse=True)
def _plain_log() -> Iterator[None]:
    """A log with tracebacks as Python prints them, not with every local variable."""
    before = structlog.get_config()
    structlog.configure(
        processors=[
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        ]
    )
    yield
    structlog.configure(**before)


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    """Makes a site that is not the usual one, each in a folder of its own."""
    made: list[Site] = []

    def build(**settings: Any) -> Site:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(Site(folder, **settings))
        return made[-1]

    yield build
    for site in made:
        site.end()


@pytest.fixture
def site(build: Build) -> Site:
    """One controller for all four lanes."""
    return build()


@pytest.fixture
def two(build: Build) -> Site:
    """The zone's exit and the outer gate are run by a second controller."""
    return build(gates=(("inner-entry",), ("inner-exit", "outer-entry", "outer-exit")))
