"""The broker in virtual time does what a controller and a centre rely on."""

from collections.abc import Iterator

import pytest

from gatekeeper.sync.pahothread import HEARD
from simulators.virtual import VirtualLoop
from simulators.virtual.mqtt import WAITING, Line, MqttBroker, Packet


class Ear(Line):
    """A client that notes what it hears, and acknowledges it if it is told to."""

    def __init__(self, broker: MqttBroker, name: str, *topics: str, acks: bool = True) -> None:
        self.heard: list[bytes] = []
        self.why = ""
        self._topics, self._acks = list(topics), acks
        super().__init__(broker, name, Packet(topic=f"{name}/status", body=b"gone", retain=True))

    def connected(self, *, known: bool) -> None:
        if self._topics:
            self.listen(self._topics, lambda: None)

    def came(self, packet: Packet, mid: int) -> None:
        self.heard.append(packet.body)
        if self._acks:
            self.acknowledge(mid)

    def failed(self, why: str) -> None:
        self.why = why


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    made = VirtualLoop()
    yield made
    made.close()


@pytest.fixture
def broker(loop: VirtualLoop) -> MqttBroker:
    return MqttBroker(loop)


def say(line: Line, topic: str, *bodies: bytes) -> None:
    for body in bodies:
        line.publish_packet(Packet(topic=topic, body=body), lambda: None)


def later(loop: VirtualLoop, seconds: float = 10.0) -> None:
    loop.run_to(loop.time() + seconds)


def test_messages_come_in_order_to_whom_they_concern(loop: VirtualLoop, broker: MqttBroker) -> None:
    one, other, speaker = Ear(broker, "one", "a/+"), Ear(broker, "other", "b/#"), Ear(broker, "c")
    later(loop)
    say(speaker, "a/x", b"1", b"2", b"3")
    later(loop)
    assert (one.heard, other.heard) == ([b"1", b"2", b"3"], [])


def test_what_was_not_acknowledged_comes_again_first(loop: VirtualLoop, broker: MqttBroker) -> None:
    deaf, speaker = Ear(broker, "one", "a", acks=False), Ear(broker, "c")
    later(loop)
    say(speaker, "a", b"1", b"2")
    later(loop)
    deaf.hang_up(politely=True)
    say(speaker, "a", b"3")
    later(loop)
    again = Ear(broker, "one")
    later(loop)
    assert again.heard == [b"1", b"2", b"3"]


def test_no_more_waits_for_a_client_than_mosquitto_keeps(
    loop: VirtualLoop, broker: MqttBroker
) -> None:
    Ear(broker, "one", "a", acks=False)
    speaker = Ear(broker, "c")
    later(loop)
    say(speaker, "a", *(b"x" for _ in range(HEARD + WAITING + 50)))
    later(loop)
    assert broker.waiting("one") == HEARD + WAITING


def test_a_frozen_broker_gives_nothing_and_loses_nothing(
    loop: VirtualLoop, broker: MqttBroker
) -> None:
    one, speaker = Ear(broker, "one", "a"), Ear(broker, "c")
    later(loop)
    broker.freeze(frozen=True)
    say(speaker, "a", b"1")
    later(loop)
    assert one.heard == []
    broker.freeze(frozen=False)
    later(loop)
    assert one.heard == [b"1"]


def test_a_dead_client_is_told_of_by_its_will_and_a_polite_one_is_not(
    loop: VirtualLoop, broker: MqttBroker
) -> None:
    watcher = Ear(broker, "watcher", "+/status")
    for name in ("dead", "polite"):
        Ear(broker, name)
    later(loop)
    broker.drop("dead")
    next(each for each in broker.lines if each.client_id == "polite").hang_up(politely=True)
    later(loop)
    assert watcher.heard == [b"gone"]


def test_a_broker_without_memory_knows_no_client(loop: VirtualLoop, broker: MqttBroker) -> None:
    one = Ear(broker, "one", "a")
    later(loop)
    broker.forget()
    assert "gone" in one.why
    again, speaker = Ear(broker, "one"), Ear(broker, "c")
    later(loop)
    say(speaker, "a", b"1")
    later(loop)
    assert again.heard == []
    broker.cut("c", off=True)
    cut = Ear(broker, "c")
    later(loop)
    assert cut.why == "cannot be reached"


def test_an_expired_message_is_not_delivered(loop: VirtualLoop, broker: MqttBroker) -> None:
    one, speaker = Ear(broker, "one", "a"), Ear(broker, "c")
    later(loop)
    one.hang_up(politely=True)
    old = Packet(topic="a", body=b"old", expires_at=loop.time() + 5.0)
    speaker.publish_packet(old, lambda: None)
    later(loop, 20.0)
    again = Ear(broker, "one")
    later(loop)
    assert again.heard == []
