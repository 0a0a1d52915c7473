import asyncio
import itertools
import json
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

SITES = (f"site-{number}" for number in itertools.count())
PATIENCE_S = 30.0


class Gate:
    """A controller's end of the wire, as bare as can be."""

    def __init__(self, site: str, name: str = "gate-1") -> None:
        self.root = f"gatekeeper/v1/{site}"
        self.here = f"{self.root}/{name}"
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.answer: Callable[[dict[str, Any]], str] | None = None
        self._loop = asyncio.get_running_loop()
        self._moved = asyncio.Event()
        self._up = asyncio.Event()
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=site + name, protocol=MQTTProtocolVersion.MQTTv5
        )
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message

    async def connect(self, port: int) -> None:
        self._client.connect_async("127.0.0.1", port)
        self._client.loop_start()
        async with asyncio.timeout(PATIENCE_S):
            await self._up.wait()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def say(self, what: str, body: object) -> None:
        self._client.publish(f"{self.here}/{what}", json.dumps(body), qos=1)

    def event(self, seq: int, kind: str = "vehicle.arrived", **body: object) -> None:
        event = {"id": f"id-{seq:05}", "journal": "journal-1", "seq": seq, "kind": kind}
        self.say(f"events/{kind}", {**event, "lane": "in", "late": False, "body": body})

    async def hear(
        self, topic: str, wanted: Callable[[dict[str, Any]], bool] = lambda _: True
    ) -> dict[str, Any]:
        """The first body under a topic that is `wanted`, past or to come."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for heard, body in self.heard:
                    if heard.endswith(topic) and wanted(body):
                        return body
                self._moved.clear()
                await self._moved.wait()

    def count(self, topic: str) -> int:
        return sum(heard.endswith(topic) for heard, _ in self.heard)

    def _on_connect(self, client: Client, *_: object) -> None:
        topics = (f"{self.here}/confirmations", f"{self.here}/orders/+", f"{self.root}/registry/#")
        client.subscribe([(topic, SubscribeOptions(qos=1)) for topic in topics])

    def _on_subscribe(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._up.set)

    def _on_message(self, _: Client, __: object, message: MQTTMessage) -> None:
        self._loop.call_soon_threadsafe(self._hear, message)

    def _hear(self, message: MQTTMessage) -> None:
        body = json.loads(message.payload)
        self.heard.append((message.topic, body))
        self._moved.set()
        if "/orders/" in message.topic and self.answer is not None:
            asked: Any = message.properties
            back: Any = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho's
            back.CorrelationData = asked.CorrelationData
            told = {"order": body["id"], "outcome": self.answer(body), "detail": ""}
            self._client.publish(asked.ResponseTopic, json.dumps(told), qos=1, properties=back)


@pytest.fixture
def site() -> str:
    return next(SITES)


@pytest.fixture
async def gate(site: str, broker: Any) -> AsyncIterator[Gate]:
    gate = Gate(site)
    await gate.connect(broker.port)
    yield gate
    gate.close()


@pytest.fixture
async def centre(start: Any, site: str, broker: Any) -> Any:
    return await begin(start, site, broker)


async def begin(start: Any, site: str, broker: Any, *options: str) -> Any:
    centre = await start("centre", f"--broker=127.0.0.1:{broker.port}", f"--site={site}", *options)
    await centre.said("broker", connected=True)
    return centre


async def test_each_change_of_a_list_is_published_with_the_version_it_follows_on(
    centre: Any, gate: Gate
) -> None:
    for command in ("bind 闽c12345", "bind 京A00001", "bind 京A00001", "unbind 闽C12345"):
        await centre.do(command)
    await gate.hear("visitors/changes", lambda body: body["version"] == 4)

    changes = [body for topic, body in gate.heard if topic.endswith("visitors/changes")]
    assert [(body["since"], body["version"]) for body in changes] == [(1, 2), (2, 3), (3, 4)]
    assert changes[0]["changes"][0]["row"]["plate"] == "闽C12345"
    assert [body["changes"][0]["remove"] for body in changes] == [False, False, True]


@pytest.mark.parametrize(
    ("command", "name", "row"),
    [
        ("internal 闽C12345", "internals", {"plate": "闽C12345", "zone": None}),
        ("exempt 闽C12345", "exempt", {"plate": "闽C12345", "zone": None}),
        ("ban 闽C12345 hall", "blacklist", {"plate": "闽C12345", "zone": "hall"}),
    ],
)
async def test_each_list_has_its_command(
    centre: Any, gate: Gate, command: str, name: str, row: dict[str, Any]
) -> None:
    await centre.do(command)
    change = await gate.hear(f"{name}/changes")
    assert change["list"] == name
    assert row.items() <= change["changes"][0]["row"].items()


async def test_dismiss_and_pardon_take_off_again(centre: Any, gate: Gate) -> None:
    for command in ("internal 闽C12345", "dismiss 闽C12345", "ban 闽C12345", "pardon 闽C12345"):
        assert (await centre.do(command))["changed"] is True
    lists = (await centre.do("lists"))["lists"]
    assert {name: (each["version"], each["rows"]) for name, each in lists.items()} == {
        "visitors": (1, []),
        "internals": (3, []),
        "blacklist": (3, []),
        "exempt": (1, []),
    }


async def test_a_snapshot_goes_to_who_has_nothing_or_something_old_and_to_no_one_else(
    centre: Any, gate: Gate
) -> None:
    gate.say("registry/visitors/wanted", {"have": 1})
    gate.say("registry/internals/wanted", {"have": None})
    assert await gate.hear("internals/snapshot") == {"list": "internals", "version": 1, "rows": []}

    await centre.do("bind 闽C12345")
    gate.say("registry/visitors/wanted", {"have": 1})
    snapshot = await gate.hear("visitors/snapshot")
    assert (snapshot["version"], snapshot["rows"][0]["plate"]) == (2, "闽C12345")
    assert gate.count("visitors/snapshot") == 1


async def test_a_centre_that_lost_its_lists_says_that_they_count_all_the_same(
    centre: Any, gate: Gate
) -> None:
    gate.say("registry/visitors/wanted", {"have": 41})
    told = await gate.hear("visitors/snapshot")
    assert (told["version"], told["reset"], told["shrinks"]) == (1, True, True)


async def test_each_event_is_kept_once_and_confirmed_as_far_as_there_is_no_gap(
    centre: Any, gate: Gate
) -> None:
    for seq in (1, 2, 4, 2, 5):
        gate.event(seq)
    await centre.said("event", seq=5)
    await gate.hear("confirmations", lambda body: body["seq"] == 2)
    gate.event(3)
    confirmed = await gate.hear("confirmations", lambda body: body["seq"] > 2)
    assert (confirmed["journal"], confirmed["seq"]) == ("journal-1", 5)
    assert confirmed["at"].endswith("Z")

    told = await centre.do("events")
    assert (told["count"], told["duplicates"]) == (5, 1)
    assert told["journals"]["journal-1"]["complete"] == 5
    assert [said["seq"] for said in centre.news if said["said"] == "event"] == [1, 2, 4, 5, 3]


async def test_an_event_sent_again_is_confirmed_again(centre: Any, gate: Gate) -> None:
    gate.event(1)
    await gate.hear("confirmations")
    gate.heard.clear()
    gate.event(1)
    assert (await gate.hear("confirmations"))["seq"] == 1
    await centre.said("duplicate", seq=1)


async def test_a_burst_of_events_is_confirmed_with_few_messages(centre: Any, gate: Gate) -> None:
    for seq in range(1, 501):
        gate.event(seq)
    await gate.hear("confirmations", lambda body: body["seq"] == 500)
    assert gate.count("confirmations") <= 50


async def test_the_news_of_an_event_name_its_plate(centre: Any, gate: Gate) -> None:
    gate.event(1, "vehicle.decided", decision={"verdict": "admit", "plate": "闽C12345"})
    gate.event(2, "stay.started", plate="京A00001")
    gate.event(3, "vehicle.arrived")
    await centre.said("event", seq=3)
    plates = [said["plate"] for said in centre.news if said["said"] == "event"]
    assert plates == ["闽C12345", "京A00001", None]


async def test_what_one_gate_blacklists_all_gates_are_told(centre: Any, gate: Gate) -> None:
    entry = {"plate": "闽C12345", "zone": "hall", "reason": "overstay", "stay": "s"}
    gate.event(1, "blacklist.added", **entry)
    gate.event(1, "blacklist.added", **entry)
    change = await gate.hear("blacklist/changes")
    assert (change["since"], change["version"]) == (1, 2)
    assert change["changes"][0]["row"]["zone"] == "hall"
    await centre.said("duplicate")
    assert (await centre.do("lists"))["lists"]["blacklist"]["version"] == 2


async def test_what_one_gate_takes_off_its_blacklist_all_gates_take_off(
    centre: Any, gate: Gate
) -> None:
    for zone in ("hall", "yard"):
        await centre.do(f"ban 闽C12345 {zone}")
    entry = {"plate": "闽C12345", "by": "Li", "reason": "reviewed"}

    gate.event(1, "blacklist.removed", **entry, zone="hall")
    change = await gate.hear("blacklist/changes", lambda body: body["version"] == 4)
    assert [(each["remove"], each["row"]["zone"]) for each in change["changes"]] == [(True, "hall")]

    gate.event(2, "blacklist.removed", **entry, zone=None)
    await gate.hear("blacklist/changes", lambda body: body["version"] == 5)
    assert (await centre.do("lists"))["lists"]["blacklist"]["rows"] == []


async def test_what_one_gate_sets_aside_refuses_no_one_any_longer(centre: Any, gate: Gate) -> None:
    entry = {"plate": "闽C12345", "zone": "hall", "reason": "overstay", "stay": "s"}
    gate.event(1, "blacklist.added", **entry, until="2026-12-24T08:00:00Z")
    change = await gate.hear("blacklist/changes")
    assert change["changes"][0]["row"]["valid_until"] == "2026-12-24T08:00:00Z"

    gate.event(2, "blacklist.suspended", **entry)
    await gate.hear("blacklist/changes", lambda body: body["version"] == 3)
    assert (await centre.do("lists"))["lists"]["blacklist"]["rows"] == []


async def test_an_order_is_answered_with_the_controllers_answer(centre: Any, gate: Gate) -> None:
    gate.answer = lambda body: "done" if body["lane"] == "in" else "refused"
    gate.event(1)
    await centre.said("event")

    answer = await centre.do("open in the driver has lost the ticket")

    assert (answer["outcome"], answer["controller"]) == ("done", "gate-1")
    order = await gate.hear("orders/open")
    assert order["reason"] == "the driver has lost the ticket"
    assert order["expires_at"].endswith("Z")


async def test_any_order_goes_to_the_controller_that_is_named_or_has_the_lane(
    centre: Any, gate: Gate
) -> None:
    gate.answer = lambda _: "done"
    gate.event(1)
    await centre.said("event")

    answer = await centre.do('order recount controller=gate-1 zone=hall count=7 reason="by hand"')
    await centre.do("order identify lane=in passage=0199 plate=闽C12345")
    await centre.do("order lockdown on=true")
    await centre.do("order fleet lane=in vehicles=12 minutes=30")

    assert (answer["outcome"], answer["controller"]) == ("done", "gate-1")
    recount = await gate.hear("orders/recount")
    identify = await gate.hear("orders/identify")
    assert (recount["zone"], recount["count"], recount["reason"]) == ("hall", 7, "by hand")
    assert (identify["passage"], identify["plate"]) == ("0199", "闽C12345")
    assert (await gate.hear("orders/lockdown"))["on"] is True
    fleet = await gate.hear("orders/fleet")
    assert (fleet["vehicles"], fleet["minutes"]) == (12, 30)


@pytest.mark.parametrize("fields", ["zone", "count=many", 'reason="open'])
async def test_an_order_that_cannot_be_read_is_an_error(centre: Any, fields: str) -> None:
    assert (await centre.tell(f"order recount controller=gate-1 {fields}"))["said"] == "error"


async def test_an_order_can_be_sent_again_as_it_was(centre: Any, gate: Gate) -> None:
    gate.answer = lambda _: "refused"
    order = {"controller": "gate-1", "verb": "open", "id": "one", "lane": "in", "extra": [1]}
    for _ in range(2):
        answer = await centre.do(f"order-raw {json.dumps(order)}")
        assert (answer["order"], answer["outcome"]) == ("one", "refused")
    sent = [body for topic, body in gate.heard if topic.endswith("orders/open")]
    assert sent == [{"id": "one", "lane": "in", "extra": [1]}] * 2


async def test_an_order_that_no_one_answers_is_an_error(
    start: Any, site: str, broker: Any, gate: Gate
) -> None:
    centre = await begin(start, site, broker, "--patience=0.1")
    gate.say("health", {"lanes": {"in": "clear"}, "list_versions": []})
    await centre.said("health")
    answer = await centre.tell("open in because")
    assert (answer["said"], answer["detail"][-9:]) == ("error", "no answer")


async def test_an_order_for_a_lane_no_one_has_told_of_is_an_error(centre: Any) -> None:
    assert (await centre.tell("open nowhere because"))["said"] == "error"


async def test_it_knows_who_is_online_and_which_lanes_they_have(centre: Any, gate: Gate) -> None:
    gate.say("status", {"state": "online", "version": "0.1.0", "since": "2026-11-23T08:15:00Z"})
    gate.say("health", {"lanes": {"in": "clear", "out": "clear"}})
    await centre.said("health")
    status = await centre.do("status")
    assert status["controllers"]["gate-1"] == {
        "state": "online",
        "since": "2026-11-23T08:15:00Z",
        "lanes": ["in", "out"],
    }


async def test_what_is_malformed_is_told_and_harms_nothing(centre: Any, gate: Gate) -> None:
    for what, body in (
        ("status", "online"),
        ("events/x", {"seq": 1}),
        ("health", {"lanes": 3}),
        ("registry/guests/wanted", {"have": 0}),
        ("events/x", {"id": "a", "journal": "j", "seq": "1"}),
    ):
        gate.say(what, body)
    gate.event(1)
    await gate.hear("confirmations")
    assert sum(said["said"] == "malformed" for said in centre.news) == 5


async def test_events_sent_while_it_is_away_reach_it_and_none_comes_twice(
    start: Any, site: str, broker: Any, gate: Gate, tmp_path: Path
) -> None:
    files = (f"--journal={tmp_path / 'events.db'}", f"--lists={tmp_path / 'lists.json'}")
    first = await begin(start, site, broker, *files)
    gate.event(1)
    await gate.hear("confirmations")
    await first.do("bind 闽C12345")
    first.process.kill()
    await first.ended()
    for seq in range(2, 101):
        gate.event(seq)

    second = await begin(start, site, broker, *files)

    await gate.hear("confirmations", lambda body: body["seq"] == 100)
    told = await second.do("events")
    assert (told["count"], told["journals"]["journal-1"]["complete"]) == (100, 100)
    assert (await second.do("lists"))["lists"]["visitors"]["version"] == 2


async def test_it_waits_for_a_broker_and_survives_its_death(mortal: Any, start: Any) -> None:
    site = str(uuid.uuid4())
    centre = await start("centre", f"--broker=127.0.0.1:{mortal.port}", f"--site={site}")
    assert (await centre.do("status"))["broker"] is False
    mortal.begin()
    await centre.said("broker", connected=True)
    mortal.kill()
    await centre.said("broker", connected=False)
    await centre.do("bind 闽C12345")
    assert (await centre.tell("open in because"))["said"] == "error"

    before = len(centre.news)
    mortal.begin()
    gate = Gate(site)
    await gate.connect(mortal.port)
    await centre.hear(lambda said: said.get("connected") is True, after=before)
    gate.say("registry/visitors/wanted", {"have": None})

    assert (await gate.hear("visitors/snapshot"))["version"] == 2
    gate.close()
