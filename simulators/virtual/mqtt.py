"""An MQTT 5 broker in virtual time, and connections to it in place of paho's: as much of the
protocol as a controller and a centre use, with the bytes that would be on the wire.

Sessions outlive connections, what waits for a client is bounded as mosquitto bounds it, messages
at QoS 1 come again by the next connection until they are acknowledged, wills and retained messages
are kept. The broker may be away, frozen, slow, restarted without its memory, or deliver twice; a
client may be cut off.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count

import paho.mqtt.client as mqtt
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from gatekeeper.config import CentreSettings
from gatekeeper.sync.limits import Limits
from gatekeeper.sync.pahothread import HEARD, Hearer, Will

WAITING = 1000
"""Messages that wait for one client, mosquitto's max_queued_messages; a newer one is dropped."""

LATENCY_S = 0.01
"""How long a packet is on its way."""

REFUSED_S = 2.0
"""How long a client tries to reach a broker that is not there."""

SUCCESS = ReasonCode(PacketTypes.PUBACK, "Success")


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One message on its way, good until a moment of the loop if it expires."""

    topic: str
    body: bytes
    retain: bool = False
    response_topic: str | None = None
    correlation: bytes | None = None
    expires_at: float | None = None


@dataclass(slots=True)
class Session:
    """What the broker keeps for one client."""

    topics: set[str] = field(default_factory=set)
    waiting: deque[Packet] = field(default_factory=deque)
    unacked: dict[int, Packet] = field(default_factory=dict)
    line: "Line | None" = None
    dropped: int = 0


@lru_cache(maxsize=4096)
def matches(topics: str, topic: str) -> bool:
    """Whether a topic is among those that a subscription names."""
    return mqtt.topic_matches_sub(topics, topic)


class MqttBroker:
    """`doubles`: every message is delivered twice; `latency_s` is how long a packet takes."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.up, self.frozen, self.doubles = True, False, False
        self.latency_s = LATENCY_S
        self.cut_off: set[str] = set()
        self.lines: set[Line] = set()
        self._sessions: dict[str, Session] = {}
        self._retained: dict[str, Packet] = {}
        self._mids = count(1)

    # --- what happens to it -------------------------------------------------------------------

    def turn(self, *, up: bool) -> None:
        """It has gone, or is back; sessions are kept."""
        self.up = up
        if not up:
            for session in list(self._sessions.values()):
                self._lose(session, "the broker has gone")

    def forget(self) -> None:
        """It was restarted, and has kept nothing."""
        self.turn(up=False)
        self._sessions.clear()
        self._retained.clear()
        self.up = True

    def freeze(self, *, frozen: bool) -> None:
        """It neither takes nor gives anything, or does again; connections stay."""
        self.frozen = frozen
        if not frozen:
            for line in list(self.lines):
                line.flow()

    def drop(self, client: str) -> None:
        """The connection of a client is gone, as by its sudden death."""
        if client in self._sessions:
            self._lose(self._sessions[client], "the client is dead")

    def cut(self, client: str, *, off: bool) -> None:
        """The cable of one client is cut, or whole again."""
        (self.cut_off.add if off else self.cut_off.discard)(client)
        if off:
            self.drop(client)

    def _lose(self, session: Session, why: str) -> None:
        line, session.line = session.line, None
        if line is not None:
            line.lost(why)
            self._say_will(line)

    def waiting(self, client: str) -> int:
        """How many messages are kept for a client."""
        session = self._sessions.get(client)
        return 0 if session is None else len(session.waiting) + len(session.unacked)

    # --- what its clients do ------------------------------------------------------------------

    def reaches(self, client: str) -> bool:
        """Whether a client can connect."""
        return self.up and client not in self.cut_off

    def connect(self, line: "Line") -> bool:
        """A client is there, in place of an older one of its name; whether it is known already."""
        known = line.client_id in self._sessions
        session = self._sessions.setdefault(line.client_id, Session())
        self._lose(session, "another client of this name")
        session.line = line
        again = list(session.unacked.values())
        session.unacked.clear()
        session.waiting.extendleft(reversed(again))
        return known

    def go_on(self, line: "Line") -> None:
        """Deliver what has waited for a client."""
        self._deliver(self._sessions[line.client_id])

    def leave(self, line: "Line", *, politely: bool) -> None:
        """A client has gone."""
        session = self._sessions.get(line.client_id)
        if session is not None and session.line is line:
            session.line = None
            if not politely:
                self._say_will(line)

    def subscribe(self, line: "Line", topics: list[str]) -> None:
        """From now on a client hears these, and at once what is retained there."""
        session = self._sessions[line.client_id]
        session.topics.update(topics)
        for packet in list(self._retained.values()):
            if any(matches(each, packet.topic) for each in topics):
                self._push(session, packet)

    def take(self, packet: Packet) -> None:
        """A message for all who want to hear it."""
        if packet.retain:
            self._retained[packet.topic] = packet
        for session in self._sessions.values():
            if any(matches(each, packet.topic) for each in session.topics):
                for _ in range(2 if self.doubles else 1):
                    self._push(session, packet)

    def acked(self, line: "Line", mid: int) -> None:
        """A client has a message."""
        session = self._sessions.get(line.client_id)
        if session is not None and session.line is line:
            session.unacked.pop(mid, None)
            self._deliver(session)

    def _push(self, session: Session, packet: Packet) -> None:
        if len(session.waiting) >= WAITING:
            session.dropped += 1
            return
        session.waiting.append(packet)
        self._deliver(session)

    def _deliver(self, session: Session) -> None:
        now = self.loop.time()
        while session.waiting and session.line is not None and len(session.unacked) < HEARD:
            packet = session.waiting.popleft()
            if packet.expires_at is not None and packet.expires_at <= now:
                continue
            mid = next(self._mids)
            session.unacked[mid] = packet
            session.line.bring(packet, mid)

    def _say_will(self, line: "Line") -> None:
        if line.will is not None:
            self.take(line.will)


class Line:
    """One connection of one client: packets in both directions, each in its order, each as late as
    the broker is slow. What happens at the client's end is left to those who derive from it.
    """

    def __init__(self, broker: MqttBroker, client_id: str, will: Packet | None) -> None:
        self.client_id, self.will = client_id, will
        self.open = False
        self._broker, self._loop = broker, broker.loop
        self._on_its_way: deque[tuple[float, Callable[[], None]]] = deque()
        self._closed = False
        broker.lines.add(self)
        if broker.reaches(client_id):
            self._send(self._connect)
        else:
            self._loop.call_later(REFUSED_S, self._gives_up)

    def bring(self, packet: Packet, mid: int) -> None:
        """The broker delivers."""
        self._send(lambda: self.came(packet, mid))

    def publish_packet(self, packet: Packet, taken: Callable[[], None]) -> None:
        """The client publishes; `taken` is called when the broker has acknowledged it."""

        def arrives() -> None:
            self._broker.take(packet)
            self._send(taken)

        self._send(arrives)

    def listen(self, topics: list[str], granted: Callable[[], None]) -> None:
        """The client subscribes."""

        def arrives() -> None:
            self._broker.subscribe(self, topics)
            self._send(granted)

        self._send(arrives)

    def acknowledge(self, mid: int) -> None:
        """The client has a message."""
        self._send(lambda: self._broker.acked(self, mid))

    def hang_up(self, *, politely: bool) -> None:
        """The client goes."""
        self._end()
        self._broker.leave(self, politely=politely)

    def lost(self, why: str) -> None:
        """The broker, or the cable, has gone."""
        if not self._closed:
            self._end()
            self.failed(f"connection lost: {why}")

    def flow(self) -> None:
        """Let pass what is due."""
        while self._on_its_way and not self._broker.frozen and not self._closed:
            due, deed = self._on_its_way[0]
            if due > self._loop.time():
                self._loop.call_at(due, self.flow)
                return
            self._on_its_way.popleft()
            deed()

    def _send(self, deed: Callable[[], None]) -> None:
        if self._closed:
            return
        due = self._loop.time() + self._broker.latency_s
        if self._on_its_way:
            due = max(due, self._on_its_way[-1][0])
        self._on_its_way.append((due, deed))
        if len(self._on_its_way) == 1:
            self._loop.call_at(due, self.flow)

    def _connect(self) -> None:
        if not self._broker.reaches(self.client_id):
            self._gives_up()
            return
        self.open = True
        self.connected(known=self._broker.connect(self))
        self._broker.go_on(self)

    def _gives_up(self) -> None:
        if not self._closed:
            self._end()
            self.failed("cannot be reached")

    def _end(self) -> None:
        self._closed, self.open = True, False
        self._on_its_way.clear()
        self._broker.lines.discard(self)

    # --- at the client's end --------------------------------------------------------------------

    def connected(self, *, known: bool) -> None:
        """The broker has accepted it."""
        raise NotImplementedError

    def came(self, packet: Packet, mid: int) -> None:
        """A message, to be acknowledged."""
        raise NotImplementedError

    def failed(self, why: str) -> None:
        """The connection is over, or never was."""
        raise NotImplementedError


class ControllerLine(Line):
    """The connection of a controller, in place of `gatekeeper.sync.pahothread.PahoThread`; `stir`
    is called when anything but a peer's word comes.
    """

    def __init__(
        self,
        broker: MqttBroker,
        stir: Callable[[], None],
        settings: CentreSettings,
        client_id: str,
        will: Will,
        expiry_s: int,
        hearer: Hearer,
    ) -> None:
        self._hearer, self._stir = hearer, stir
        self._sent = count(1)
        packet = Packet(topic=will.topic, body=will.body, retain=will.limits.retains)
        super().__init__(broker, client_id, packet)

    @property
    def client(self) -> "ControllerLine":
        """Itself: no thread lies between."""
        return self

    @property
    def ended(self) -> bool:
        """Nothing runs that could end."""
        return False

    async def close(self, *, politely: bool) -> None:
        """Hang up."""
        self.hang_up(politely=politely)

    def publish(
        self, topic: str, payload: bytes, qos: int, retain: bool, properties: Properties
    ) -> mqtt.MQTTMessageInfo:
        """As paho's client does it."""
        mid = next(self._sent)
        good_for_s = getattr(properties, "MessageExpiryInterval", None)
        packet = Packet(
            topic=topic,
            body=payload,
            retain=retain,
            correlation=getattr(properties, "CorrelationData", None),
            expires_at=None if good_for_s is None else self._loop.time() + good_for_s,
        )
        self.publish_packet(packet, lambda: self._hearer.answered(mid, SUCCESS))
        info = mqtt.MQTTMessageInfo(mid)
        info.rc = MQTTErrorCode.MQTT_ERR_SUCCESS
        return info

    def subscribe(
        self, topic: list[tuple[str, SubscribeOptions]]
    ) -> tuple[MQTTErrorCode, int | None]:
        """Likewise."""
        mid = next(self._sent)
        topics = [name for name, _ in topic]
        self.listen(topics, lambda: self._hearer.answered(mid, SUCCESS))
        return MQTTErrorCode.MQTT_ERR_SUCCESS, mid

    def ack(self, mid: int, qos: int) -> MQTTErrorCode:
        """Likewise."""
        self.acknowledge(mid)
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def connected(self, *, known: bool) -> None:
        """The broker has accepted it."""
        self._hearer.opened(Limits(), known)

    def came(self, packet: Packet, mid: int) -> None:
        """A message, as paho would give it."""
        if "/orders/" in packet.topic or "/registry/" in packet.topic:
            self._stir()
        message = mqtt.MQTTMessage(mid, packet.topic.encode())
        message.payload, message.qos = packet.body, 1
        message.properties = _properties(packet, self._loop.time())
        self._hearer.came(message)

    def failed(self, why: str) -> None:
        """The connection is over, or never was."""
        self._hearer.fail(why)


def _properties(packet: Packet, now: float) -> Properties | None:
    if packet.response_topic is None and packet.expires_at is None:
        return None
    told = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho leaves it untyped
    if packet.response_topic is not None:
        told.ResponseTopic = packet.response_topic
        told.CorrelationData = packet.correlation
    if packet.expires_at is not None:
        told.MessageExpiryInterval = max(1, round(packet.expires_at - now))
    return told
