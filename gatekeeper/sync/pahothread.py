"""paho-mqtt's client and the thread it runs in, for the length of one connection.

Settings come in; what happens on the wire goes out to a `Hearer`, in the loop's thread. In paho's
thread nothing is done but handing over, and nothing there can raise or block. No reconnecting:
a client that has lost its connection is closed and never used again.
"""

import asyncio
import contextlib
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from gatekeeper.config import CentreSettings
from gatekeeper.sync.credentials import LinkError, identify
from gatekeeper.sync.limits import WINDOW, Limits

log = structlog.get_logger(__name__)

HEARD = 1000
"""How many messages the broker may send before they are acknowledged: `inbox` says of what."""

_HANDFUL = 50
"""Messages that the loop takes at a time."""

_LARGEST = 128 * 2**20
"""The largest packet the broker may send, in bytes: a list of a million plates."""

_GRACE_S = 3.0
"""How long a DISCONNECT has to get out before the socket is shut."""

_JOIN_S = 12.0
"""How long paho's thread has to end: it may sit in a connection attempt, 5 s for TCP and 5 s for
TLS (paho's connect_timeout).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Will:
    """What the broker says once this controller is silent, retained if its `limits` allow that."""

    topic: str
    body: bytes
    limits: Limits


class Hearer(Protocol):
    """Told what happens, in the loop's thread; must not raise."""

    def opened(self, limits: Limits, resumed: bool) -> None:
        """The broker has accepted the connection, and takes so much; `resumed`: it has kept what
        was said while this controller was away.
        """
        ...

    def takes_less(self, limits: Limits) -> None:
        """The broker has refused the connection because the will goes beyond these limits."""
        ...

    def fail(self, why: str) -> None:
        """The connection is over, or never was."""
        ...

    def answered(self, mid: int, reason: ReasonCode) -> None:
        """The broker has answered the packet `mid` of ours."""
        ...

    def came(self, message: mqtt.MQTTMessage) -> None:
        """A message; one at QoS 1 is to be acknowledged."""
        ...


class Packets(Protocol):
    """What goes out on a connection; paho's client, by the parts of it that are used."""

    def publish(
        self, topic: str, payload: bytes, qos: int, retain: bool, properties: Properties
    ) -> mqtt.MQTTMessageInfo:
        """One message, with the number by which it will be `answered`."""
        ...

    def subscribe(
        self, topic: list[tuple[str, SubscribeOptions]]
    ) -> tuple[MQTTErrorCode, int | None]:
        """Topics to be heard, with the number by which that will be `answered`."""
        ...

    def ack(self, mid: int, qos: int) -> MQTTErrorCode:
        """A message that came is safe."""
        ...


class Client(Protocol):
    """One connection as its owner sees it: made in the loop's thread, never used again."""

    @property
    def client(self) -> Packets:
        """What goes out."""
        ...

    @property
    def ended(self) -> bool:
        """Whether nothing runs any more that could tell of the connection."""
        ...

    async def close(self, *, politely: bool) -> None:
        """Leave nothing behind. Impolitely, the broker says the last will."""
        ...


MakeClient: TypeAlias = Callable[[CentreSettings, str, Will, int, Hearer], Client]
"""Begins a connection: settings, client id, last will, seconds that the broker keeps a session."""


class PahoThread:
    """Made and closed in the loop's thread; the methods `_on_...` are called in paho's.

    Raises `LinkError` for a password or certificate that is missing or unusable.
    """

    def __init__(
        self, settings: CentreSettings, client_id: str, will: Will, expiry_s: int, hearer: Hearer
    ) -> None:
        self._hearer = hearer
        self._loop = asyncio.get_running_loop()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._came: deque[mqtt.MQTTMessage] = deque()
        self._coming = threading.Event()
        self._broker = f"broker {settings.host}:{settings.port}"
        self._limits = will.limits
        self.client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=mqtt.MQTTv5,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        self.client.will_set(will.topic, will.body, qos=will.limits.qos, retain=will.limits.retains)
        self._tame()
        identify(self.client, settings)
        _address(self.client, settings, expiry_s)
        self.client.loop_start()

    @property
    def ended(self) -> bool:
        """Whether the thread is no more; it may die without telling anybody (paho #894)."""
        return self._thread is not None and not self._thread.is_alive()

    async def close(self, *, politely: bool) -> None:
        """Leave no socket and no thread behind. Impolitely, the broker says the last will."""
        self._closing = True
        if politely:
            self.client.disconnect()
            await self._join(_GRACE_S)
        if not self.ended and isinstance(raw := self.client.socket(), socket.socket):
            with contextlib.suppress(OSError):
                # Not ssl's own shutdown, which would pull the session from under paho's thread.
                socket.socket.shutdown(raw, socket.SHUT_RDWR)
        await self._join(_JOIN_S)
        if not self.ended:
            # A daemon, so it holds up no exit; should it ever connect, `_on_connect` hangs up.
            log.error("link.thread_stuck", broker=self._broker)
            return
        # Out of the cycle, the client closes its wake-up sockets at once and not some day.
        self.client.on_pre_connect = self.client.on_connect = self.client.on_connect_fail = None
        self.client.on_disconnect = self.client.on_subscribe = None
        self.client.on_publish = self.client.on_message = self.client.on_log = None

    async def _join(self, within_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not self.ended:  # noqa: ASYNC110 - the end of a thread sets no event
                    await asyncio.sleep(0.01)

    def _tame(self) -> None:
        client = self.client
        client.suppress_exceptions = True  # one in a callback would end the thread (paho #636)
        client.on_log = self._on_log
        client.max_inflight_messages_set(WINDOW)
        client.max_queued_messages_set(WINDOW)
        client.reconnect_delay_set(0, 0)  # after a failure the thread ends without waiting
        client.on_pre_connect = self._on_pre_connect
        client.on_socket_open = _without_delay
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_message = self._on_message

    # --- in paho's thread -------------------------------------------------------------------

    def _tell(self, hear: Callable[..., None], *what: object) -> None:
        # The loop's own queue has no bound, but what comes here has: PUBACKs by the window,
        # messages by what `inbox` takes, the rest once for each connection. A loop that
        # has closed is not told.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(hear, *what)

    def _on_pre_connect(self, _client: mqtt.Client, _userdata: object) -> None:
        self._thread = threading.current_thread()

    def _on_connect(
        self,
        client: mqtt.Client,
        _userdata: object,
        flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if self._closing:
            client.disconnect()
        elif reason.is_failure:
            self._tell(self._hearer.takes_less, self._limits.lowered(reason))
            self._tell(self._hearer.fail, f"refused this controller: {reason}")
        else:
            self._limits = Limits.told(properties)
            self._tell(self._hearer.opened, self._limits, flags.session_present)

    def _on_log(self, _client: mqtt.Client, _userdata: object, _level: int, text: str) -> None:
        # All else that paho says is told by the other callbacks, or is how it ends.
        if text.startswith("Caught exception"):
            log.error("link.callback_failed", broker=self._broker, error=text)

    def _on_connect_fail(self, _client: mqtt.Client, _userdata: object) -> None:
        # paho calls this while it handles the error, and does not pass it on.
        self._tell(self._hearer.fail, f"cannot be reached: {sys.exception()}")

    def _on_disconnect(
        self,
        _client: mqtt.Client,
        _userdata: object,
        _flags: mqtt.DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._tell(self._hearer.fail, f"connection lost: {reason}")

    def _on_subscribe(
        self,
        _client: mqtt.Client,
        _userdata: object,
        mid: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        worst = max(reasons, key=lambda reason: reason.value)
        self._tell(self._hearer.answered, mid, worst)

    def _on_publish(
        self,
        _client: mqtt.Client,
        _userdata: object,
        mid: int,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._tell(self._hearer.answered, mid, reason)

    def _on_message(
        self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage
    ) -> None:
        if message.qos == 0 and self._limits.qos > 0:
            # Dropped: the protocol is QoS 1 wherever the broker has it, for that is acknowledged.
            log.warning("link.dropped_qos_0", broker=self._broker)
        else:
            self._came.append(message)
            if not self._coming.is_set():
                self._coming.set()
                self._tell(self._hand_over)

    def _hand_over(self) -> None:
        """Called in the loop's thread: a handful of what came, for waking the loop for each message
        takes longer than all the rest.
        """
        self._coming.clear()
        for _ in range(_HANDFUL):
            if not self._came:
                return
            self._hearer.came(self._came.popleft())
        self._coming.set()
        self._loop.call_soon(self._hand_over)


def _without_delay(_client: mqtt.Client, _userdata: object, opened: object) -> None:
    """Small messages do not wait for company (Nagle): answers and live events go out at once."""
    if isinstance(opened, socket.socket):
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _address(client: mqtt.Client, settings: CentreSettings, expiry_s: int) -> None:
    properties = blank(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = expiry_s
    properties.ReceiveMaximum = HEARD
    properties.MaximumPacketSize = _LARGEST
    try:
        client.connect_async(
            settings.host,
            settings.port,
            settings.keepalive_s,
            clean_start=False,
            properties=properties,
        )
    except ValueError as error:
        raise LinkError(f"centre.host {settings.host!r}: {error}") from error


def blank(packet: int) -> Properties:
    """Properties for a packet of this type (`PacketTypes`), none set yet."""
    return Properties(packet)  # type: ignore[no-untyped-call] # paho leaves this one untyped
