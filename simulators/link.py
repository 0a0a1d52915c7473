"""The centre's connection to the broker: paho's thread on one side, the loop on the other.

Messages and the state of the connection go to the loop; what is to be published comes from it.
paho's callbacks only hand over. It always reconnects, and the broker keeps its session.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

_SESSION_S = 7 * 86400
"""How long the broker keeps what arrives while the centre is away."""
_KEEPALIVE_S = 15
_WINDOW = 1000
"""Messages the broker sends ahead of our acknowledgements."""
_RETRY_S = (1, 1)
"""First and longest pause: who subscribes after a controller has come back misses what it tells."""
_WAITING = 10_000
"""Messages kept while the broker is away; one more is refused, and the sender told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What arrived. `mid` and `life` (which connection) are for `Link.taken`."""

    topic: str
    payload: bytes
    correlation: bytes | None
    mid: int
    qos: int
    life: int


class Link:
    """`heard(message)` and `turned(connected, detail)` are called in the loop's thread.

    Connected means subscribed too: what is sent from then on arrives.
    """

    def __init__(
        self,
        *,
        client_id: str,
        topics: tuple[str, ...],
        heard: Callable[[Message], None],
        turned: Callable[[bool, str], None],
    ) -> None:
        self.connected = False
        self._topics = topics
        self._heard = heard
        self._turned = turned
        self._life = 0
        self._loop = asyncio.get_running_loop()
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=True,
        )
        self._client.reconnect_delay_set(*_RETRY_S)
        self._client.max_queued_messages_set(_WAITING)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message

    def start(self, host: str, port: int, user: str | None, password: str | None) -> None:
        """Begin to connect, and never stop trying."""
        if user is not None:
            self._client.username_pw_set(user, password)
        properties = _properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = _SESSION_S
        properties.ReceiveMaximum = _WINDOW
        self._client.connect_async(
            host, port, _KEEPALIVE_S, clean_start=False, properties=properties
        )
        self._client.loop_start()

    async def stop(self) -> None:
        """Say goodbye to the broker, which keeps the session, and end paho's thread."""
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    def publish(self, topic: str, body: object) -> None:
        """QoS 1; while the broker is away it waits. Raises `OSError` when too much waits."""
        self._publish(topic, body, None)

    def ask(self, topic: str, body: object, answers: str, correlation: bytes) -> None:
        """The same, naming where the answer is awaited and how it is known."""
        properties = _properties(PacketTypes.PUBLISH)
        properties.ResponseTopic = answers
        properties.CorrelationData = correlation
        self._publish(topic, body, properties)

    def _publish(self, topic: str, body: object, properties: Properties | None) -> None:
        payload = json.dumps(body, ensure_ascii=False).encode()
        sent = self._client.publish(topic, payload, qos=1, properties=properties)
        if sent.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:
            raise ConnectionError(f"{_WAITING} messages wait for the broker already")

    def taken(self, message: Message) -> None:
        """Tell the broker that a message is safe; it comes again until then.

        After a reconnection its number means another message, and it comes again anyway.
        """
        if message.qos and message.life == self._life:
            self._client.ack(message.mid, message.qos)

    # paho's thread from here on

    def _on_connect(
        self, client: Client, _: object, __: ConnectFlags, reason: ReasonCode, ___: object
    ) -> None:
        if reason.is_failure:
            self._loop.call_soon_threadsafe(self._turned, False, str(reason))
            return
        self._loop.call_soon_threadsafe(self._begin)  # what waited in the session comes at once
        client.subscribe([(topic, SubscribeOptions(qos=1)) for topic in self._topics])

    def _on_subscribe(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._turn, True, "")

    def _on_disconnect(
        self, _: Client, __: object, ___: DisconnectFlags, reason: ReasonCode, ____: object
    ) -> None:
        self._loop.call_soon_threadsafe(self._turn, False, str(reason))

    def _on_message(self, _: Client, __: object, message: MQTTMessage) -> None:
        correlation = getattr(message.properties, "CorrelationData", None)
        payload = bytes(message.payload)
        self._loop.call_soon_threadsafe(
            self._hear, message.topic, payload, correlation, message.mid, message.qos
        )

    # and back in the loop's

    def _begin(self) -> None:
        self._life += 1

    def _turn(self, connected: bool, detail: str) -> None:
        self.connected = connected
        self._turned(connected, detail)

    def _hear(
        self, topic: str, payload: bytes, correlation: bytes | None, mid: int, qos: int
    ) -> None:
        self._heard(
            Message(
                topic=topic,
                payload=payload,
                correlation=correlation,
                mid=mid,
                qos=qos,
                life=self._life,
            )
        )


def _properties(packet: int) -> Properties:
    return Properties(packet)  # type: ignore[no-untyped-call]  # paho leaves it untyped
