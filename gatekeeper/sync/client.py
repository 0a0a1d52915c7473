"""One connection to the broker, from CONNECT until it is lost: the awaitable face of paho-mqtt.

Messages to publish come in; messages heard go out to `deliver`, in the loop's thread. A connection
that is lost stays lost: its owner closes it and makes a new one. So paho never resends,
reorders or floods on its own account (paho #492), and never holds more than the small window that
is in flight here.
"""

import asyncio
from collections import deque
from collections.abc import Callable

import paho.mqtt.client as mqtt
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from gatekeeper.clock import Clock
from gatekeeper.config import CentreSettings
from gatekeeper.health import Health
from gatekeeper.sync.credentials import LinkError
from gatekeeper.sync.limits import WINDOW, Limits
from gatekeeper.sync.message import AT_QOS_0, Broker, Message, PublishError
from gatekeeper.sync.pace import Pace
from gatekeeper.sync.pahothread import Client, MakeClient, Packets, Will, blank

_OPEN_S = 15.0
"""paho gives the TCP connection 5 s and TLS as long; the rest is for the name server."""

_QUIET_S = 1.0
"""A broker that has been silent for so long, all it sent being acknowledged, keeps nothing more."""


_LONGEST = 6
"""How many times the usual wait an answer may take, while the broker says other things."""


class Connection:
    """Used from the loop's thread only; all connections of a link share one `broker`."""

    def __init__(
        self,
        settings: CentreSettings,
        client_id: str,
        will: Will,
        *,
        deliver: Callable[[Message], None],
        clock: Clock,
        health: Health,
        pace: Pace,
        broker: Broker,
        make_client: MakeClient,
    ) -> None:
        self._settings, self._client_id, self._will = settings, client_id, will
        self._broker = broker
        self._deliver, self._health, self._pace = deliver, health, pace
        self._boot_s, self._make_client = clock.boot_s, make_client
        self._paho: Client | None = None
        self._opened = asyncio.Event()
        self._lost = asyncio.Event()
        self._why = ""
        self._window = asyncio.Semaphore(WINDOW)
        # What waited at the broker comes first; then nothing does for a moment.
        self._catching_up = False
        self._idle_since = self._heard_at = 0.0
        self._answers: dict[int, asyncio.Future[ReasonCode | None]] = {}
        # In the order in which they came; no more than wait in the downlink.
        self._heard: deque[int] = deque()
        self._done: set[int] = set()

    async def open(self, topics: tuple[str, ...]) -> None:
        """Connect and subscribe; raises `LinkError` saying who refused what."""
        self._paho = self._make_client(
            self._settings, self._client_id, self._will, self._pace.expiry_s, self
        )
        try:
            async with asyncio.timeout(_OPEN_S):
                await self._opened.wait()
        except TimeoutError:
            self.fail(f"no answer in {_OPEN_S:g} s")
        refused = await self._subscribe(topics)
        if refused is not None:
            raise LinkError(f"{self._name}: subscription refused: {refused}")

    async def listen(self, topics: tuple[str, ...]) -> str | None:
        """Subscribe to what is good to hear and not needed; what the broker says against it."""
        refused = await self._subscribe(topics)
        return None if refused is None else f"{self._name}: {refused}"

    async def publish(
        self,
        topic: str,
        body: bytes,
        *,
        retain: bool = False,
        correlation: bytes | None = None,
        good_for_s: int | None = None,
    ) -> None:
        """Hand one message to the broker and wait for its PUBACK.

        Messages go out in the order of the calls. The broker delivers one that is `good_for_s` only
        within that time. Raises `PublishError` or `LinkError`; after either the message may
        still have arrived.
        """
        properties = blank(PacketTypes.PUBLISH)
        if correlation is not None:
            properties.CorrelationData = correlation
        if good_for_s is not None:
            properties.MessageExpiryInterval = good_for_s
        async with self._window:
            limits = self._broker.limits
            if len(body) > limits.room(topic, len(correlation or b"")):
                raise PublishError(f"takes no packets of more than {limits.packet_bytes} bytes")
            try:
                sent = self._client().publish(
                    topic, body, limits.qos, retain and limits.retains, properties
                )
            except ValueError as error:  # a response topic with a wildcard
                raise PublishError(f"{topic!r}: {error}") from error
            refused = await self._answer(sent.rc, sent.mid)
        if refused is not None:
            raise PublishError(refused)

    async def say(
        self, topic: str, body: bytes, *, retain: bool = False, good_for_s: int | None = None
    ) -> None:
        """Publish on a topic of our own; one that the broker refuses is an alarm and no error,
        and is left alone for a while.
        """
        if self._boot_s() < self._broker.left_alone.get(topic, 0.0):
            return
        try:
            await self.publish(topic, body, retain=retain, good_for_s=good_for_s)
        except PublishError as refused:
            self._broker.left_alone[topic] = self._boot_s() + self._pace.refused_s
            self._health.raise_alarm("publish_refused", topic, f"{self._name}: {refused}")
        else:
            self._health.clear_alarm("publish_refused", topic)

    def ack(self, message: Message) -> None:
        """The message is safe here. PUBACKs go out in the order in which messages came in
        (MQTT 5, 4.6.0-2), so this one may wait for an earlier one.
        """
        if message.mid == AT_QOS_0:
            return
        self._done.add(message.mid)
        while self._heard and self._heard[0] in self._done:
            mid = self._heard.popleft()
            self._done.remove(mid)
            if self._paho is not None and self.alive:
                self._paho.client.ack(mid, 1)
        if not self._heard:
            self._idle_since = self._boot_s()

    def room(self, topic: str) -> int:
        """How many bytes a body on this topic may have."""
        return self._broker.limits.room(topic)

    @property
    def alive(self) -> bool:
        """Whether messages can still pass."""
        return not self._lost.is_set()

    @property
    def thread_ended(self) -> bool:
        """Whether paho's thread has ended, also where no callback said so."""
        return self._paho is not None and self._paho.ended

    async def until_lost(self) -> None:
        """Wait for the end, and raise it as `LinkError`."""
        await self._lost.wait()
        self._client()

    async def close(self) -> None:
        """Leave no socket and no thread behind; safe in any state, and twice."""
        paho, self._paho = self._paho, None
        politely = self.alive
        self.fail("closed here")
        if paho is not None:
            await paho.close(politely=politely)

    @property
    def _name(self) -> str:
        return f"broker {self._settings.host}:{self._settings.port}"

    def _client(self) -> Packets:
        """For one call only: kept in a frame it would outlive `close` in some traceback."""
        if self._paho is None or not self.alive:
            raise LinkError(self._why or f"{self._name}: not connected")
        return self._paho.client

    async def _subscribe(self, topics: tuple[str, ...]) -> str | None:
        wanted = [(topic, SubscribeOptions(qos=1)) for topic in topics]
        sent, mid = self._client().subscribe(wanted)
        return await self._answer(sent, mid)

    async def _answer(self, sent: MQTTErrorCode, mid: int | None) -> str | None:
        """What the broker says against the packet `mid`, None if it took it."""
        if sent != mqtt.MQTT_ERR_SUCCESS or mid is None:
            self.fail(mqtt.error_string(sent))
            raise LinkError(self._why)
        answer = self._answers[mid] = asyncio.get_running_loop().create_future()
        sent_at = self._boot_s()
        try:
            while not answer.done() and (left_s := self._patience_s(sent_at)) > 0.0:
                await asyncio.wait({answer}, timeout=left_s)
        finally:
            del self._answers[mid]
        if not answer.done():
            self.fail(f"no acknowledgement in {self._pace.answer_s:g} s")
        reason = answer.result() if answer.done() else None
        if reason is None:
            raise LinkError(self._why)
        return str(reason) if reason.is_failure else None

    def _patience_s(self, sent_at: float) -> float:
        """How much longer the broker may take to answer what was sent: its answer is behind all
        that it had to say before, so that the time counts from what was heard last, up to a limit.
        """
        answer_s = self._pace.answer_s
        last = min(max(sent_at, self._heard_at) + answer_s, sent_at + _LONGEST * answer_s)
        return last - self._boot_s()

    # --- told by paho's thread, in the loop's -----------------------------------------------

    def opened(self, limits: Limits, resumed: bool) -> None:
        """The broker has accepted the connection, and takes so much."""
        self._broker.limits = limits
        self._window = asyncio.Semaphore(limits.in_flight)
        self._catching_up, self._idle_since = resumed, self._boot_s()
        self._opened.set()

    def takes_less(self, limits: Limits) -> None:
        """The next connection asks for no more than that."""
        self._broker.limits = limits

    def fail(self, why: str) -> None:
        """This connection is of no more use; the first reason given stays."""
        if not self.alive:
            return
        self._why = f"{self._name}: {why}"
        self._lost.set()
        self._opened.set()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_result(None)

    def answered(self, mid: int, reason: ReasonCode) -> None:
        """The broker has answered the packet `mid`."""
        answer = self._answers.get(mid)
        if answer is not None and not answer.done():
            answer.set_result(reason)

    def came(self, message: mqtt.MQTTMessage) -> None:
        """A message at QoS 1; one for a connection already lost comes again."""
        if not self.alive:
            return
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""  # was not subscribed; refused like any other such topic
        came_at = self._heard_at = self._boot_s()
        if not self._heard and came_at - self._idle_since >= _QUIET_S:
            self._catching_up = False
        if message.mid != AT_QOS_0:
            self._heard.append(message.mid)
        properties = message.properties
        self._deliver(
            Message(
                topic=topic,
                body=bytes(message.payload),
                response_topic=getattr(properties, "ResponseTopic", None),
                correlation=getattr(properties, "CorrelationData", None),
                connection=self,
                mid=message.mid,
                came_at=came_at,
                good_for_s=getattr(properties, "MessageExpiryInterval", None),
                may_have_waited=self._catching_up,
            )
        )
