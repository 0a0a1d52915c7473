"""One lane on fakes at the lowest ports, with the real rules, the real zones and a real store.

Time is real and short: a test waits for what must happen, and never asserts how long it took.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from gatekeeper.clock import SystemClock, monotonic
from gatekeeper.config import BarrierSettings, InputSettings, LaneSettings
from gatekeeper.errors import CameraError, StoreError
from gatekeeper.health import Health
from gatekeeper.journal import Journal
from gatekeeper.lane import Bindings, Kerb, Lane, Rooms, SharedBarrier
from gatekeeper.model import (
    Ack,
    Admits,
    BarrierCommand,
    Colour,
    Commit,
    Direction,
    DisplayText,
    Frame,
    Limit,
    ListChange,
    ListChanges,
    ListName,
    ListRow,
    Outcome,
    Pixels,
    PlateRead,
    Presence,
    Sensor,
    SiteState,
    ZonePolicy,
)
from gatekeeper.rules import turn as turns
from gatekeeper.rules.loops import USUAL, Limits
from gatekeeper.rules.passage import State, Timing
from gatekeeper.rules.votes import Quorum
from gatekeeper.store import Store
from gatekeeper.store.journal import JournalRow, events
from gatekeeper.store.pictures import Pictures
from gatekeeper.zones import Place, ZonePlan, Zones

PATIENCE_S = 30.0


@dataclass
class FakeCamera:
    """Shows whatever plate it is told to, in a new frame each time."""

    name: str = "lane"
    plate: str = ""
    confidence: float = 0.999
    broken: bool = False
    frames: int = 0
    pixels: Pixels = field(default_factory=lambda: np.full((4, 4, 3), 128, np.uint8))

    async def frame(self) -> Frame:
        await asyncio.sleep(0.002)
        if self.broken:
            raise CameraError(f"camera {self.name}: no answer; check its cable")
        self.frames += 1
        shown = f"{self.plate}|{self.confidence}"
        return Frame(
            camera=self.name,
            number=self.frames,
            at=monotonic(),
            pixels=self.pixels,
            encoded=shown.encode(),
            suffix=".jpg",
        )

    async def close(self) -> None:
        return


@dataclass
class FakeReader:
    """Reads what the fake camera wrote into its frame, or fails as no reader should."""

    broken: bool = False

    async def read(self, frame: Frame) -> tuple[PlateRead, ...]:
        if self.broken:
            raise RuntimeError("onnxruntime: out of memory")
        text, _, confidence = frame.encoded.decode().partition("|")
        if not text:
            return ()
        return (
            PlateRead(
                text=text,
                confidences=(float(confidence),) * len(text),
                colour=Colour.BLUE,
                rows=1,
                corners=((0, 0), (1, 0), (1, 1), (0, 1)),
                frame=frame.number,
                at=frame.at,
            ),
        )


@dataclass
class FakeBarrier:
    """Remembers its commands, and answers what it is told to."""

    outcome: Outcome = Outcome.DONE
    commands: list[BarrierCommand] = field(default_factory=list)
    switched: list[str] = field(default_factory=list)
    held: bool = False

    async def open(self, command: BarrierCommand) -> Ack:
        self.commands.append(command)
        return self._ack(command)

    async def hold(self, command: BarrierCommand) -> Ack:
        self.switched.append("hold")
        self.held = True
        return self._ack(command)

    async def release(self, command: BarrierCommand) -> Ack:
        self.switched.append("release")
        self.held = False
        return self._ack(command)

    async def close(self, command: BarrierCommand) -> Ack:
        self.switched.append("close")
        return self._ack(command)

    def _ack(self, command: BarrierCommand) -> Ack:
        return Ack(command=command.id, outcome=self.outcome, detail="fake", at=monotonic())


class FakeLoops:
    """Loops that a test drives over."""

    def __init__(self, lane: str) -> None:
        self._lane = lane
        self._tell: list[Callable[[Presence], None]] = []

    def watch(self, tell: Callable[[Presence], None]) -> None:
        self._tell.append(tell)

    def set(self, sensor: Sensor, on: bool) -> None:
        for tell in self._tell:
            tell(Presence(lane=self._lane, sensor=sensor, on=on, at=monotonic()))


@dataclass
class FakeDisplay:
    """Remembers what it was told to show, in turn."""

    texts: list[DisplayText] = field(default_factory=list)

    def show(self, text: DisplayText) -> None:
        self.texts.append(text)


class FailingStore:
    """A store whose disk is full from the moment it is told so; while it `hangs` nothing is
    written, while it is `unread` nothing is read. `asked` is how often it was asked for rows.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.failing = False
        self.hangs: asyncio.Event | None = None
        self.unread: asyncio.Event | None = None
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit_all(self, commits: Sequence[Commit]) -> Any:
        if self.hangs is not None:
            await self.hangs.wait()
        if self.failing:
            raise StoreError("gatekeeper.db: the disk is full; free some space")
        return await self._store.commit_all(commits)

    async def listing(self, plates: Collection[str]) -> Any:
        self.asked += 1
        if self.unread is not None:
            await self.unread.wait()
        return await self._store.listing(plates)


TIMING = Timing(
    reading_s=0.3, refused_s=60.0, opening_s=5.0, retrying_s=0.05, approaching_s=0.1, closing_s=0.05
)

POLICY = ZonePolicy(
    zone="visitor_zone",
    admits=Admits.REGISTERED,
    capacity=60,
    limit=Limit(limit_s=600.0, warning_s=120.0, grace_s=60.0),
)


@dataclass
class Bench:
    """One lane on the bench, and hands to move cars with."""

    lane: Lane
    camera: FakeCamera
    barrier: FakeBarrier
    loops: FakeLoops
    store: FailingStore
    zones: Zones
    health: Health
    file: Path
    site: list[SiteState]
    running: "asyncio.Task[None]"
    display: FakeDisplay
    journal_log: Journal
    reader: FakeReader
    writer: "asyncio.Task[None]"

    def arrive(self, plate: str) -> None:
        self.camera.plate = plate
        self.loops.set(Sensor.ARRIVAL, on=True)

    def back_out(self) -> None:
        self.loops.set(Sensor.ARRIVAL, on=False)

    def cross(self) -> None:
        self.loops.set(Sensor.SAFETY, on=True)
        self.loops.set(Sensor.ARRIVAL, on=False)
        self.loops.set(Sensor.SAFETY, on=False)

    async def list_plate(self, name: ListName, plate: str, *, remove: bool = False) -> None:
        held = {version.list: version.version for version in await self.store.versions()}
        since = held.get(name, 0)
        row = ListRow(list=name, plate=plate)
        await self.store.follow(
            ListChanges(
                list=name,
                since=since,
                version=since + 1,
                changes=(ListChange(remove=remove, row=row),),
            ),
            SystemClock().instant(),
        )

    def journal(self) -> list[JournalRow]:
        return list(events(self.file))

    def facts(self, kind: str) -> list[Any]:
        return [json.loads(row.body) for row in self.journal() if row.kind == kind]

    async def restart(self) -> None:
        """The supervisor's work: the lane's task ended, and is run again."""
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)
        self.running = asyncio.create_task(self.lane.run())

    async def until(self, what: Callable[[], Any]) -> Any:
        """Wait until `what` is true, and give it back."""
        async with asyncio.timeout(PATIENCE_S):
            while not (found := what()):  # noqa: ASYNC110 - the journal is a file, not an event
                await asyncio.sleep(0.005)
            return found

    async def ended(self, count: int = 1) -> list[Any]:
        """Wait until so many passages have ended."""
        await self.until(lambda: len(self.facts("passage.ended")) >= count)
        return self.facts("passage.ended")

    async def in_state(self, state: State) -> None:
        """Wait for that, and until what led to it can be read in the journal, if it can be."""
        await self.until(lambda: self.lane.state is state)
        await self.journal_log.written(self.journal_log.posted)


def settings(direction: Direction) -> LaneSettings:
    return LaneSettings(
        name="lane",
        zone="visitor_zone",
        direction=direction,
        barrier=BarrierSettings(board="relays", coil=0),
        arrival_loop=InputSettings(board="relays", input=0),
        safety_loop=InputSettings(board="relays", input=1),
    )


@pytest.fixture
def policy() -> ZonePolicy:
    return POLICY


@pytest.fixture
def direction() -> Direction:
    return Direction.ENTRY


@pytest.fixture
def timing() -> Timing:
    return TIMING


@pytest.fixture
def limits() -> Limits:
    return USUAL


@pytest.fixture
def lane_settings(direction: Direction) -> LaneSettings:
    return settings(direction)


@contextlib.asynccontextmanager
async def gate(
    folder: Path,
    lanes: Sequence[LaneSettings],
    policy: ZonePolicy,
    timing: Timing,
    limits: Limits = USUAL,
    *,
    turn: bool = False,
) -> AsyncIterator[list[Bench]]:
    """Running lanes with lists that have been received and are empty but for their versions; with
    a `turn` they share one barrier.
    """
    clock, file = SystemClock(), folder / "gatekeeper.db"
    health, site = Health(clock), [SiteState()]
    store = FailingStore(await Store.opened(file))
    journal = Journal(store, clock=clock, health=health)  # type: ignore[arg-type] # the store itself, but for its full disk
    places = {
        each.name: Place(lane=each.name, zone="visitor_zone", direction=each.direction)
        for each in lanes
    }
    plan = ZonePlan(policy=policy, inside="car_park")
    zones = Zones(places, [plan], journal=journal, clock=clock, health=health, certain=0.98)
    reader = FakeReader()
    rooms = Rooms(
        reader=reader,
        journal=journal,
        zones=zones,
        pictures=Pictures(folder / "pictures"),
        bindings=Bindings(),
        clock=clock,
        health=health,
        site=lambda: site[0],
        timezone=ZoneInfo("Asia/Shanghai"),
        quorum=Quorum(),
        slow_look_s=0.02,
    )
    shared = SharedBarrier(clock=clock, health=health, timing=turns.TurnTiming()) if turn else None
    writer = asyncio.create_task(journal.run())
    others = [writer, asyncio.create_task(zones.run())]
    assert await journal.restored(PATIENCE_S)
    benches = []
    one_barrier = FakeBarrier()
    for each in lanes:
        camera, loops, display = FakeCamera(), FakeLoops(each.name), FakeDisplay()
        barrier = FakeBarrier() if shared is None else one_barrier
        lane = Lane(
            each,
            policy,
            kerb=Kerb(
                camera=camera,
                barrier=barrier,
                loops=loops,
                display=display,
                turn=None if shared is None else shared.side(each.name, each.direction),
            ),
            rooms=rooms,
            timing=timing,
            limits=limits,
            store_failure_admits=False,
        )
        running = asyncio.create_task(lane.run())
        others.append(asyncio.create_task(lane.holder.run()))
        benches.append(
            Bench(
                *(lane, camera, barrier, loops, store, zones, health, file, site, running),
                *(display, journal, reader, writer),
            )
        )
    for name in ListName:
        await benches[0].list_plate(name, "闽Z00000" if name is ListName.BLACKLIST else "闽Y11111")
    try:
        yield benches
    finally:
        tasks = [*(bench.running for bench in benches), *others]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await store.close()


@pytest.fixture
async def bench(
    tmp_path: Path,
    direction: Direction,
    policy: ZonePolicy,
    timing: Timing,
    limits: Limits,
    lane_settings: LaneSettings,
) -> AsyncIterator[Bench]:
    """One running lane."""
    async with gate(tmp_path, [lane_settings], policy, timing, limits) as (bench,):
        yield bench


@pytest.fixture
async def two(
    tmp_path: Path, policy: ZonePolicy, timing: Timing, lane_settings: LaneSettings
) -> AsyncIterator[list[Bench]]:
    """Two lanes that lead the same way, each with its barrier."""
    lanes = [lane_settings.model_copy(update={"name": name}) for name in ("left", "right")]
    async with gate(tmp_path, lanes, policy, timing) as benches:
        yield benches


@pytest.fixture
async def opposite(
    tmp_path: Path, policy: ZonePolicy, timing: Timing, lane_settings: LaneSettings
) -> AsyncIterator[list[Bench]]:
    """An entry and an exit that share a barrier."""
    lanes = [
        lane_settings.model_copy(update={"name": each.value, "direction": each})
        for each in (Direction.ENTRY, Direction.EXIT)
    ]
    async with gate(tmp_path, lanes, policy, timing, turn=True) as benches:
        yield benches
