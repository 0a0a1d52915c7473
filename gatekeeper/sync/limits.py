"""What the broker takes, by its own word, and what is left out so that it does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pydantic_core
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

WINDOW = 20
"""How many messages may wait for their PUBACK at once, each way; paho's own default."""

_HEAD_BYTES = 64
"""All of a PUBLISH packet but topic, body and correlation, rounded up: lengths, the packet's
number, the names and lengths of its properties.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The properties of a CONNACK (MQTT 5, 3.2.2.3); what stands here by default is what a broker
    takes that says nothing of it.
    """

    packet_bytes: int = 2**28
    in_flight: int = WINDOW
    retains: bool = True
    qos: int = 1

    @classmethod
    def told(cls, properties: Properties | None) -> "Limits":
        """As the CONNACK has them."""
        usual = cls()
        return cls(
            packet_bytes=getattr(properties, "MaximumPacketSize", usual.packet_bytes),
            in_flight=min(WINDOW, getattr(properties, "ReceiveMaximum", WINDOW)),
            retains=bool(getattr(properties, "RetainAvailable", True)),
            qos=min(usual.qos, getattr(properties, "MaximumQoS", usual.qos)),
        )

    def lowered(self, reason: ReasonCode) -> "Limits":
        """What the broker takes at most that refuses a will within these limits for this reason
        (MQTT 5, 3.2.2.2): 9A, nothing retained; 9B, no QoS but 0.
        """
        retains = self.retains and reason.value != 0x9A
        return replace(self, retains=retains, qos=0 if reason.value == 0x9B else self.qos)

    def room(self, topic: str, beside: int = 0) -> int:
        """How many bytes a body on this topic may have, `beside` so many of correlation data."""
        return self.packet_bytes - _HEAD_BYTES - len(topic.encode()) - beside


def without_largest(
    parts: Mapping[str, object], may_go: Sequence[str], at_most: int
) -> tuple[dict[str, object], list[str]]:
    """The parts whose JSON takes no more bytes than that, the largest of those that may go left
    out; and the names of what is left out. It is longer all the same where that is not enough.
    """
    size = {name: len(pydantic_core.to_json({name: value})) for name, value in parts.items()}
    gone: list[str] = []
    for name in sorted(may_go, key=lambda name: -size[name]):
        if sum(size[left] for left in parts if left not in gone) <= at_most:
            break
        gone.append(name)
    return {name: value for name, value in parts.items() if name not in gone}, gone
