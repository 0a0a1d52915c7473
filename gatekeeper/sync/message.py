"""What the broker delivers, and what is known of the broker itself."""

from dataclasses import dataclass, field
from typing import Protocol

from gatekeeper.errors import GatekeeperError
from gatekeeper.sync.limits import Limits

AT_QOS_0 = 0
"""The number of a message that is not acknowledged; only a broker without QoS 1 is heard so."""


class PublishError(GatekeeperError):
    """The broker did not take a message; the text is its reason."""


class Carrier(Protocol):
    """The connection that a message came by, as far as those go who serve messages."""

    @property
    def alive(self) -> bool:
        """Whether messages can still pass."""
        ...

    def ack(self, message: "Message") -> None:
        """The message is safe here, or of no use."""
        ...

    def fail(self, why: str) -> None:
        """End the connection: all that is not acknowledged comes again on the next one."""
        ...

    async def publish(self, topic: str, body: bytes, *, correlation: bytes | None = None) -> None:
        """Hand one message to the broker. Raises `PublishError` or `LinkError`."""
        ...

    async def say(self, topic: str, body: bytes) -> None:
        """Publish on a topic of our own. Raises `LinkError`."""
        ...


@dataclass(slots=True)
class Broker:
    """What is known of it from one connection to the next: what it takes; and `left_alone`, topics
    of our own that it refused, and until when they are not tried again (boot clock), for a refusal
    may cost the connection (mosquitto 2.0.11 with max_queued_messages 0, measured).
    """

    limits: Limits = field(default_factory=Limits)
    left_alone: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Message:
    """What the broker delivered at the moment `came_at` of the boot clock, still to be acknowledged
    to `connection`. The broker would not have delivered it `good_for_s` later (None: it is not said
    how long it is good for); `may_have_waited` says that it may have lain
    there for any time.
    """

    topic: str
    body: bytes
    response_topic: str | None
    correlation: bytes | None
    connection: Carrier
    mid: int
    came_at: float
    good_for_s: int | None
    may_have_waited: bool
