"""A reply goes to the centre, or below this controller's own name, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.sync.topics import Topics

if TYPE_CHECKING:
    from tests.sync.conftest import Broker, Centre, Gate

ROOT = "gatekeeper/v1/hall"
TOPICS = Topics(site="hall", controller="gate-1", peers=frozenset({"gate-2"}))


@pytest.mark.parametrize(
    "topic",
    [
        f"{ROOT}/centre/answers",
        f"{ROOT}/centre/a/b/c",
        f"{ROOT}/gate-1/answers",
        f"{ROOT}/gate-1/x/y",
    ],
)
def test_a_reply_goes_below_the_centres_name_or_this_controllers(topic: str) -> None:
    assert TOPICS.may_answer(topic)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "answers",
        "$SYS/x",
        f"{ROOT}/answers",
        f"{ROOT}/centre",
        f"{ROOT}/centreX/answers",
        f"{ROOT}/gate-2/answers",
        f"{ROOT}/gate-2/orders/open",
        f"{ROOT}/registry/blacklist/changes",
        "gatekeeper/v1/airport/centre/answers",
        f"{ROOT}/gate-1",
        f"{ROOT}/gate-1/",
        f"{ROOT}/gate-1/status",
        f"{ROOT}/gate-1/health",
        f"{ROOT}/gate-1/events/vehicle.decided",
        f"{ROOT}/gate-1/orders/open",
        f"{ROOT}/gate-1/confirmations",
        f"{ROOT}/gate-1/registry/visitors/wanted",
        f"{ROOT}/centre/+",
        f"{ROOT}/centre/#",
        f"{ROOT}/centre/\0",
        f"{ROOT}/centre/{'x' * 600}",
    ],
)
def test_elsewhere_it_would_speak_for_somebody_else(topic: str) -> None:
    assert not TOPICS.may_answer(topic)


@given(st.text())
def test_what_this_controller_hears_it_never_says_itself(topic: str) -> None:
    for heard in (*TOPICS.subscriptions, *TOPICS.of_peers):
        assert not TOPICS.may_answer(heard.replace("+", topic.replace("/", "") or "x"))


@pytest.mark.parametrize("elsewhere", ["gate-2/orders/open", "registry/visitors/snapshot", "x"])
async def test_an_order_that_names_another_topic_is_carried_out_and_its_reply_is_an_alarm(
    broker: Broker, centre: Centre, gate: Gate, elsewhere: str
) -> None:
    gate.start(broker.port)
    await gate.until(lambda: gate.up)

    topic = f"{gate.root}/{elsewhere}"
    centre.say(f"{gate.topic}/orders/open", centre.body("o-1"), response=topic)
    await gate.until(lambda: gate.alarm("reply_refused"))
    assert topic in str(gate.alarm("reply_refused"))
    assert [order.id for order in gate.orders] == ["o-1"]

    centre.order("o-2")
    await gate.until(lambda: centre.answers and gate.alarm("reply_refused") is None)
    assert centre.count(topic) == 0
