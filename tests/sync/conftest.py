"""A real broker on loopback, a centre that is a plain MQTT client, a cable that can be cut, and a
gate: a `Link` on a real database.
"""

import asyncio
import contextlib
import json
import random
import signal
import socket
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gatekeeper.backoff import Backoff
from gatekeeper.clock import SystemClock
from gatekeeper.config import CentreSettings
from gatekeeper.health import Health
from gatekeeper.journal import Journal
from gatekeeper.model import (
    Commit,
    HealthReport,
    Instant,
    ListChanges,
    ListName,
    Order,
    OrderAnswer,
    PeerEvent,
    PeerHealth,
    Record,
    VehicleArrived,
)
from gatekeeper.store import Store
from gatekeeper.sync import JournalBook, Link, Pace

ROOT = "gatekeeper/v1/hall"
GATE = f"{ROOT}/gate-1"

QUICK = Pace(
    tick_s=0.02,
    retry=Backoff(first_s=0.02, last_s=0.1),
    away_after_s=0.2,
    report_s=0.2,
    answer_s=5.0,
    races_s=0.3,
    alone_s=1.0,
    store_retry_s=0.05,
)


async def until(condition: Callable[[], object], within_s: float = 30.0) -> None:
    """Wait until something has happened; that it ever does is what a test asserts."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in other threads
            await asyncio.sleep(0.005)


class Broker:
    """A mosquitto of our own, with persistence; it can be stopped, killed and started again."""

    def __init__(self, folder: Path, *lines: str) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "data").mkdir(parents=True)
        head = [
            "user root",  # or it would drop to a user who may not write here
            "persistence true",
            f"persistence_location {folder}/data/",
            "autosave_interval 1",
            "autosave_on_changes true",
            "log_dest none",
        ]
        tail = lines or ("allow_anonymous true", "max_queued_messages 0")
        text = "\n".join([*head, f"listener {self.port} 127.0.0.1", *tail])
        (folder / "mosquitto.conf").write_text(f"{text}\n", encoding="utf-8")

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["/usr/sbin/mosquitto", "-c", str(self.folder / "mosquitto.conf")]
        )
        end = time.monotonic() + 30  # noqa: TID251 - a test has not the controller's clock
        while time.monotonic() < end:  # noqa: TID251
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            assert self._process.poll() is None, "mosquitto does not start"
            time.sleep(0.005)
        raise AssertionError("mosquitto does not listen")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    def kill(self) -> None:
        self.stop(signal.SIGKILL)


class Centre:
    """The centre as a broker sees it: a client that subscribes to all, and speaks when told to."""

    def __init__(self, port: int, username: str | None = None, ca: Path | None = None) -> None:
        self._port, self._username, self._ca = port, username, ca
        self._client: mqtt.Client | None = None
        self._lock = threading.Lock()
        self._heard: list[tuple[str, bytes, Any]] = []
        self._stored: set[int] = set()
        self._run = 0
        self.confirms = False

    async def open(self) -> None:
        there = threading.Event()
        client = self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id="centre", protocol=mqtt.MQTTv5
        )
        if self._username is not None:
            client.username_pw_set(self._username, "secret")
        if self._ca is not None:
            client.tls_set(str(self._ca))
        client.on_connect = self._on_connect
        client.on_subscribe = lambda *_: there.set()
        client.on_message = self._on_message
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho's
        properties.SessionExpiryInterval = 3600
        client.connect("127.0.0.1", self._port, clean_start=False, properties=properties)
        client.loop_start()
        await until(there.is_set)

    async def close(self) -> None:
        if (client := self._client) is not None:
            client.disconnect()
            await asyncio.to_thread(client.loop_stop)
            self._client = None
            client.on_connect = client.on_subscribe = client.on_message = None

    def say(
        self,
        topic: str,
        body: dict[str, Any] | bytes,
        *,
        response: str | None = None,
        correlation: bytes | None = None,
        qos: int = 1,
        retain: bool = False,
        expiry_s: int | None = None,
    ) -> None:
        assert self._client is not None
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho's
        if response is not None:
            properties.ResponseTopic = response
        if correlation is not None:
            properties.CorrelationData = correlation
        if expiry_s is not None:
            properties.MessageExpiryInterval = expiry_s
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._client.publish(topic, raw, qos=qos, retain=retain, properties=properties)

    def order(self, id: str, verb: str = "open", **fields: object) -> None:  # noqa: A002
        self.say(
            f"{GATE}/orders/{verb}",
            self.body(id, **fields),
            response=f"{ROOT}/centre/answers",
            correlation=id.encode(),
        )

    def body(self, id: str, **fields: object) -> dict[str, Any]:  # noqa: A002
        """An order that was given now, and is good for a minute."""
        now = datetime.now(UTC)  # noqa: TID251 - the centre's clock
        body = {
            "id": id,
            "by": "duty officer",
            "reason": "a test",
            "at": now.isoformat(),
            "expires_at": (now + timedelta(minutes=1)).isoformat(),
            "lane": "inner-entry",
        }
        return {**body, **fields}

    @property
    def answers(self) -> list[dict[str, Any]]:
        """What it was told in reply to its orders."""
        return self.heard(f"{ROOT}/centre/answers")

    def heard(self, topic: str) -> list[dict[str, Any]]:
        """The bodies heard on a topic, or below one that ends in `/`, in order."""
        with self._lock:
            found = list(self._heard)
        return [
            json.loads(body)
            for where, body, _ in found
            if where == topic or (topic.endswith("/") and where.startswith(topic))
        ]

    @property
    def sent(self) -> bool:
        """Whether the broker has all that was said."""
        assert self._client is not None
        return not self._client._out_messages

    def count(self, topic: str) -> int:
        """How many messages were heard on a topic."""
        with self._lock:
            return sum(where == topic for where, _, _ in self._heard)

    def properties(self, topic: str, name: str) -> list[object]:
        """What the messages heard on a topic say in an MQTT property, None if nothing."""
        with self._lock:
            return [getattr(said, name, None) for where, _, said in self._heard if where == topic]

    @property
    def events(self) -> list[dict[str, Any]]:
        return self.heard(f"{GATE}/events/")

    @property
    def states(self) -> list[str]:
        return [body["state"] for body in self.heard(f"{GATE}/status")]

    def confirm(self, journal: str, seq: int, **fields: object) -> None:
        self.say(f"{GATE}/confirmations", {"journal": journal, "seq": seq, **fields})

    def _on_connect(self, client: mqtt.Client, *_: object) -> None:
        client.subscribe(f"{ROOT}/#", qos=1)

    def _on_message(self, _client: mqtt.Client, _userdata: object, told: mqtt.MQTTMessage) -> None:
        with self._lock:
            self._heard.append((told.topic, bytes(told.payload), told.properties))
        if self.confirms and told.topic.startswith(f"{GATE}/events/"):
            self._store(json.loads(told.payload))

    def _store(self, event: dict[str, Any]) -> None:
        """Confirm all up to the first gap."""
        self._stored.add(event["seq"])
        while self._run + 1 in self._stored:
            self._run += 1
        self.confirm(event["journal"], self._run)


class Cable:
    """A TCP connection to the broker that can be cut, or go dead without a word."""

    def __init__(self, broker: int) -> None:
        self._broker = broker
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._dead = False
        self.port = 0
        self.plugged = 0

    async def plug(self) -> None:
        self._dead = False
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self, *, stay: bool = False) -> None:
        """Cut what is connected; without `stay` no connection is possible again either."""
        if self._server is not None and not stay:
            self._server.close()
            self._server = None
        for end in list(self._ends):
            end.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def hang(self) -> None:
        """Carry nothing more of the connections there are; new ones work."""
        self._dead = True

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.plugged += 1
        self._dead = False
        number = self.plugged
        there, away = await asyncio.open_connection("127.0.0.1", self._broker)
        for pair in ((reader, away), (there, writer)):
            task = asyncio.create_task(self._copy(*pair, number))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._ends |= {writer, away}

    async def _copy(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                while self._dead and number == self.plugged:  # noqa: ASYNC110 - until replugged
                    await asyncio.sleep(0.01)
                if number == self.plugged:
                    writer.write(data)
                    await writer.drain()
        writer.close()


class SetClock(SystemClock):
    """The machine's clock; whether it is trusted, and how far it is off, a test says."""

    trusted = True
    off = timedelta()

    def instant(self, at: float | None = None) -> Instant:
        now = super().instant(at)
        return replace(now, wall=now.wall + self.off, trusted=self.trusted)


class Gate:
    """A link on a real database, and what it did to the rest of the controller."""

    topic = GATE
    root = ROOT
    pace = QUICK
    until = staticmethod(until)

    def __init__(self, store: Store, health: Health, clock: SetClock) -> None:
        self.store, self.health, self.clock = store, health, clock
        self.orders: list[Order] = []
        self.steps: list[ListChanges | None] = []
        self.peers_said: list[PeerEvent | PeerHealth] = []
        self.times: list[datetime] = []
        self.obey: Callable[[Order], Any] = self._done
        self.heard: Callable[[PeerEvent | PeerHealth], Awaitable[None]] = self._heard
        self.changed: Callable[[ListChanges | None], None] = self.steps.append
        self.journal = Journal(store, clock=clock, health=health)
        self.book = JournalBook(self.journal, clock)
        self._task: asyncio.Task[None] | None = None
        self._writer: asyncio.Task[None] | None = None
        self._link: Link | None = None

    @property
    def link(self) -> Link:
        assert self._link is not None
        return self._link

    @property
    def changes(self) -> int:
        """How often a list has changed."""
        return len(self.steps)

    @property
    def peer_events(self) -> list[PeerEvent]:
        return [said for said in self.peers_said if isinstance(said, PeerEvent)]

    @property
    def peer_health(self) -> list[PeerHealth]:
        return [said for said in self.peers_said if isinstance(said, PeerHealth)]

    def start(
        self,
        port: int,
        pace: Pace = QUICK,
        *,
        controller: str = "gate-1",
        peers: Collection[str] = (),
        **centre: Any,
    ) -> None:
        self._link = Link(
            CentreSettings(**{"host": "127.0.0.1", "port": port, "keepalive_s": 5, **centre}),
            "hall",
            controller,
            store=self.store,
            clock=self.clock,
            health=self.health,
            obey=self._obeyed,
            changed=self._changed,
            report=self._report,
            peers=peers,
            heard=self._hear,
            time_told=self.times.append,
            book=self.book,
            pace=pace,
        )
        self.write()
        self._task = asyncio.create_task(self._link.run())

    def write(self) -> None:
        """From now on what is posted to the journal is written."""
        if self._writer is None:
            self._writer = asyncio.create_task(self.journal.run())

    async def close(self) -> None:
        """Stop, and let go of the database."""
        await self.stop()
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
        await self.store.close()

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            done, _ = await asyncio.wait({task}, timeout=30)
            assert done, "the link does not stop"
            assert task.cancelled()

    async def stop_soon(self) -> None:
        """A moment later, when paho may just have noticed something."""
        await asyncio.sleep(random.uniform(0, 0.003))  # noqa: S311 - no secret
        await self.stop()

    @property
    def up(self) -> bool:
        return self.link.away_s == 0.0

    def alarm(self, alarm: str) -> str | None:
        """What the alarm says, None if it does not stand."""
        found = [one for one in self.health.alarms if one.alarm == alarm]
        return f"{found[0].subject}: {found[0].detail}" if found else None

    async def happen(self, count: int = 1) -> None:
        """Commit that many events."""
        at = self.clock.instant()
        record = Record(fact=VehicleArrived(), at=at, lane="inner-entry", passage="p")
        await self.store.commit(Commit(records=(record,) * count))

    async def plates(self, plate: str) -> list[tuple[ListName, int]]:
        listing = await self.store.listing([plate])
        return [(row.list, row.version) for row in listing.rows]

    async def _obeyed(self, order: Order) -> OrderAnswer:
        self.orders.append(order)
        answer: OrderAnswer = await self.obey(order)
        return answer

    async def _done(self, order: Order) -> OrderAnswer:
        return OrderAnswer(order=order.id, outcome="done", detail="coil 2 written and read back")

    def _changed(self, step: ListChanges | None) -> None:
        self.changed(step)

    async def _hear(self, said: PeerEvent | PeerHealth) -> None:
        await self.heard(said)

    async def _heard(self, said: PeerEvent | PeerHealth) -> None:
        self.peers_said.append(said)

    async def _report(self) -> HealthReport:
        now = self.clock.instant()
        return HealthReport(
            at=now.wall,
            clock_trusted=now.trusted,
            lanes={"inner-entry": "idle"},
            alarms=self.health.alarms,
            outbox=await self.store.outbox_depth(),
            free_disk_mb=1000,
            list_versions=await self.store.versions(),
            journal=self.store.journal,
            seq=7,
        )


@pytest.fixture
def make_broker(tmp_path: Path) -> Iterator[Callable[..., Broker]]:
    made: list[Broker] = []

    def make(*lines: str) -> Broker:
        made.append(Broker(tmp_path / f"broker-{len(made)}", *lines))
        return made[-1]

    yield make
    for broker in made:
        broker.kill()


@pytest.fixture
def broker(make_broker: Callable[..., Broker]) -> Broker:
    """A broker that takes everybody, running."""
    made = make_broker()
    made.start()
    return made


@pytest.fixture
async def make_centre() -> AsyncIterator[Callable[..., Centre]]:
    made: list[Centre] = []

    def make(port: int, username: str | None = None, ca: Path | None = None) -> Centre:
        made.append(Centre(port, username, ca))
        return made[-1]

    yield make
    for centre in made:
        await centre.close()


@pytest.fixture
async def centre(broker: Broker, make_centre: Callable[..., Centre]) -> Centre:
    """The centre, connected; it confirms nothing by itself until told to."""
    made = make_centre(broker.port)
    await made.open()
    return made


@pytest.fixture
async def make_gate(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[Gate]]]:
    made: list[Gate] = []

    async def make(kind: type[Store] = Store, name: str = "") -> Gate:
        clock = SetClock()
        store = await kind.opened(tmp_path / f"{name or len(made)}.db")
        made.append(Gate(store, Health(clock), clock))
        return made[-1]

    yield make
    for gate in made:
        await gate.close()


@pytest.fixture
async def gate(make_gate: Callable[..., Awaitable[Gate]]) -> Gate:
    """A gate whose link has still to be started."""
    return await make_gate()


@pytest.fixture
async def cable(broker: Broker) -> AsyncIterator[Cable]:
    """A cable to the broker, plugged in."""
    made = Cable(broker.port)
    await made.plug()
    yield made
    await made.cut()
