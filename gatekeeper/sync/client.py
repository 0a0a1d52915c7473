"""One connection to the broker, from CONNECT until it is lost: the awaitable face of paho-mqtt.

Messages to publish come in; messages heard go out to `deliver`, in the loop's thread. A connection
that is lost stays lost: whoever owns it closes it and makes a new one. So paho never resends,
reorders or floods on its own account (paho #492), and never holds more than the small window that
is in flight here.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import paho.mqtt.client as mqtt
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from gatekeeper.clock import monotonic
from gatekeeper.config import CentreSettings
from gatekeeper.errors import GatekeeperError
from gatekeeper.health import Health
from gatekeeper.sync.pace import Pace
from gatekeeper.sync.pahothread import WINDOW, LinkError, PahoThread, Will, blank

_OPEN_S = 15.0
"""paho gives the TCP connection 5 s and TLS as long; the rest is for the name server."""


class PublishError(GatekeeperError):
    """The broker did not take a message; the text is its reason."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Message:
    """What the broker delivered, still to be acknowledged to `connection`."""

    topic: str
    body: bytes
    response_topic: str | None
    correlation: bytes | None
    connection: "Connection"
    mid: int


class Connection:
    """Used from the loop's thread only.

    `left_alone` are topics of our own that the broker refused, and until when they are not tried
    again (boot clock); all connections of a link share it, for a refusal may cost the connection
    (mosquitto 2.0.11 with max_queued_messages 0, measured).
    """

    def __init__(
        self,
        settings: CentreSettings,
        client_id: str,
        will: Will,
        *,
        deliver: Callable[[Message], None],
        health: Health,
        pace: Pace,
        left_alone: dict[str, float],
    ) -> None:
        self._settings, self._client_id, self._will = settings, client_id, will
        self._left_alone = left_alone
        self._deliver, self._health, self._pace = deliver, health, pace
        self._paho: PahoThread | None = None
        self._opened = asyncio.Event()
        self._lost = asyncio.Event()
        self._why = ""
        self._window = asyncio.Semaphore(WINDOW)
        self._answers: dict[int, asyncio.Future[ReasonCode | None]] = {}
        # In the order in which they came; no more than wait in the downlink.
        self._heard: deque[int] = deque()
        self._done: set[int] = set()

    async def open(self, topics: tuple[str, ...]) -> None:
        """Connect and subscribe; raises `LinkError` saying who refused what."""
        self._paho = PahoThread(
            self._settings, self._client_id, self._will, self._pace.expiry_s, self
        )
        try:
            async with asyncio.timeout(_OPEN_S):
                await self._opened.wait()
        except TimeoutError:
            self.fail(f"no answer in {_OPEN_S:g} s")
        refused = await self._subscribe(topics)
        if refused is not None:
            raise LinkError(f"{self._broker}: subscription refused: {refused}")

    async def listen(self, topics: tuple[str, ...]) -> None:
        """Subscribe to what is good to hear and not needed: a refusal is an alarm and no error."""
        refused = await self._subscribe(topics)
        if refused is None:
            self._health.clear_alarm("peers_refused", "peers")
        else:
            self._health.raise_alarm("peers_refused", "peers", f"{self._broker}: {refused}")

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

        Messages go out in the order of the calls. One that is `good_for_s` only the broker delivers
        to nobody after that. Raises `PublishError` or `LinkError`; after either the message may
        still have arrived.
        """
        properties = blank(PacketTypes.PUBLISH)
        if correlation is not None:
            properties.CorrelationData = correlation
        if good_for_s is not None:
            properties.MessageExpiryInterval = good_for_s
        async with self._window:
            try:
                sent = self._client().publish(topic, body, 1, retain, properties)
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
        if monotonic() < self._left_alone.get(topic, 0.0):
            return
        try:
            await self.publish(topic, body, retain=retain, good_for_s=good_for_s)
        except PublishError as refused:
            self._left_alone[topic] = monotonic() + self._pace.refused_s
            self._health.raise_alarm("publish_refused", topic, f"{self._broker}: {refused}")
        else:
            self._health.clear_alarm("publish_refused", topic)

    def ack(self, message: Message) -> None:
        """The message is safe here. PUBACKs go out in the order in which messages came in
        (MQTT 5, 4.6.0-2), so this one may wait for an earlier one.
        """
        self._done.add(message.mid)
        while self._heard and self._heard[0] in self._done:
            mid = self._heard.popleft()
            self._done.remove(mid)
            if self._paho is not None and self.alive:
                self._paho.client.ack(mid, 1)

    @property
    def alive(self) -> bool:
        """Whether messages can still pass."""
        return not self._lost.is_set()

    @property
    def thread_ended(self) -> bool:
        """Whether paho's thread is no more, be it that nobody was told."""
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
    def _broker(self) -> str:
        return f"broker {self._settings.host}:{self._settings.port}"

    def _client(self) -> mqtt.Client:
        """For one call only: kept in a frame it would outlive `close` in some traceback."""
        if self._paho is None or not self.alive:
            raise LinkError(self._why or f"{self._broker}: not connected")
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
        try:
            async with asyncio.timeout(self._pace.answer_s):
                reason = await answer
        except TimeoutError:
            self.fail(f"no acknowledgement in {self._pace.answer_s:g} s")
            reason = None
        finally:
            del self._answers[mid]
        if reason is None:
            raise LinkError(self._why)
        return str(reason) if reason.is_failure else None

    # --- told by paho's thread, in the loop's -----------------------------------------------

    def opened(self) -> None:
        """The broker has accepted the connection."""
        self._opened.set()

    def fail(self, why: str) -> None:
        """This connection is of no more use; the first reason given stays."""
        if not self.alive:
            return
        self._why = f"{self._broker}: {why}"
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
            topic = ""  # nobody subscribed it; refused like any other such topic
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
            )
        )
