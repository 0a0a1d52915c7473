from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.errors import StoreError, WireError
from gatekeeper.model import (
    Alarm,
    Commit,
    Direction,
    Fact,
    HealthReport,
    Instant,
    PassageEnd,
    PassageEnded,
    PeerEvent,
    PeerHealth,
    Pending,
    Record,
    StayEnd,
    StayEnded,
    VehicleArrived,
    ZoneRecounted,
)
from gatekeeper.store.facts import to_json
from gatekeeper.sync import peers, wire

if TYPE_CHECKING:
    from tests.sync.conftest import Broker, Cable, Centre, Gate

PEER = "gatekeeper/v1/hall/gate-2"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NOW = Instant(boot_id="b", boot_s=1.0, wall=NOON, trusted=True)
EVENT: dict[str, Any] = {
    "id": "e",
    "journal": "j",
    "seq": 17,
    "site": "hall",
    "controller": "gate-2",
    "lane": "exit",
    "passage": "p",
    "kind": "zone.recounted",
    "occurred_at": "2026-11-23T12:00:00.000000Z",
    "clock_trusted": True,
    "late": False,
    "body": {"zone": "hall", "count": 7, "before": 9, "by": "Li", "reason": "by hand"},
}
HEALTH: dict[str, Any] = {
    "at": "2026-11-23T12:00:00.000000Z",
    "clock_trusted": True,
    "journal": "j",
    "seq": 17,
}
STATUS: dict[str, Any] = {"state": "offline", "version": "0.1.0", "since": HEALTH["at"]}
NO_PEERS: dict[str, Any] = {
    "defaultACLAccess": dict.fromkeys(
        ("publishClientSend", "publishClientReceive", "subscribe", "unsubscribe"), True
    ),
    "clients": [],
    "roles": [
        {
            "rolename": "no-peers",
            "acls": [{"acltype": "subscribeLiteral", "topic": f"{PEER}/events/+", "allow": False}],
        }
    ],
    "groups": [{"groupname": "everybody", "roles": [{"rolename": "no-peers"}]}],
    "anonymousGroup": "everybody",
}

NAMES = st.text(min_size=1, max_size=20)
NUMBERS = st.integers(min_value=0, max_value=2**63 - 1)
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
SECONDS = st.floats(-peers.MOST, peers.MOST)
FACTS: st.SearchStrategy[Fact] = st.one_of(
    st.just(VehicleArrived()),
    st.builds(
        ZoneRecounted, zone=NAMES, count=NUMBERS, before=NUMBERS, by=st.text(), reason=st.text()
    ),
    st.builds(
        StayEnded,
        stay=NAMES,
        zone=NAMES,
        plate=NAMES,
        end=st.sampled_from(StayEnd),
        stayed_s=SECONDS,
    ),
    st.builds(
        PassageEnded,
        end=st.sampled_from(PassageEnd),
        plate=st.none() | NAMES,
        decided=st.booleans(),
        direction=st.none() | st.sampled_from(Direction),
        lasted_s=SECONDS,
    ),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes().map(str),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def _raw(body: object) -> bytes:
    return json.dumps(body).encode()


def _event(body: bytes) -> PeerEvent:
    return peers.event("hall", "gate-2", "zone.recounted", body)


def _health(body: bytes) -> PeerHealth:
    return peers.health("gate-2", body)


def _farewell(body: bytes) -> PeerHealth | None:
    return peers.farewell("gate-2", body, NOW)


READERS: list[tuple[Callable[[bytes], object], dict[str, Any]]] = [
    (_event, EVENT),
    (_health, HEALTH),
    (_farewell, STATUS),
]


# --- bodies ---------------------------------------------------------------------------------


@given(FACTS, NUMBERS, st.none() | NAMES, MOMENTS, st.booleans())
def test_what_one_controller_writes_of_an_event_another_reads(
    fact: Fact, seq: int, lane: str | None, at: datetime, trusted: bool
) -> None:
    pending = Pending(
        id="e",
        journal="j",
        seq=seq,
        kind=fact.kind,
        lane=lane,
        passage=lane,
        occurred_at=at,
        clock_trusted=trusted,
        body=to_json(fact).encode(),
    )

    assert peers.event(
        "hall", "gate-2", fact.kind, wire.event("hall", "gate-2", pending, NOON)
    ) == (
        PeerEvent(
            controller="gate-2",
            journal="j",
            seq=seq,
            lane=lane,
            passage=lane,
            occurred_at=at,
            clock_trusted=trusted,
            fact=fact,
        )
    )


@given(NAMES, NUMBERS, MOMENTS, st.booleans())
def test_what_one_controller_writes_of_its_health_another_reads(
    journal: str, seq: int, at: datetime, trusted: bool
) -> None:
    report = HealthReport(
        at=at,
        clock_trusted=trusted,
        lanes={"exit": "idle"},
        alarms=(Alarm(alarm="camera_stale", subject="exit", detail="5 s", since=17.0),),
        outbox=3,
        free_disk_mb=900,
        journal=journal,
        seq=seq,
    )

    assert _health(wire.health(report, [NOON])) == PeerHealth(
        controller="gate-2",
        journal=journal,
        seq=seq,
        at=at,
        clock_trusted=trusted,
        alarms=("camera_stale",),
    )


def test_a_controller_that_says_offline_is_away_from_now_on() -> None:
    assert _farewell(wire.status("offline", "0.1.0", datetime(2026, 1, 1, tzinfo=UTC), "")) == (
        PeerHealth(
            controller="gate-2", journal="", seq=0, at=NOON, clock_trusted=True, online=False
        )
    )


def test_of_a_controller_that_says_online_its_health_will_tell() -> None:
    assert _farewell(wire.status("online", "0.1.0", NOON, "")) is None


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("barrier.painted", {"colour": "red"}),
        ("zone.recounted", {"zone": "hall", "count": "some"}),
        ("zone.recounted", None),
        ("zone.recounted", [1, 2]),
        ("zone.recounted", {**EVENT["body"], "zone": "\ud800"}),
        ("stay.warning", {"stay": "s", "zone": "z", "plate": "p", "left_s": float("inf")}),
    ],
)
def test_an_event_of_a_kind_or_shape_unknown_here_still_has_its_number(
    kind: str, body: object
) -> None:
    read = peers.event("hall", "gate-2", kind, _raw({**EVENT, "kind": kind, "body": body}))

    assert (read.seq, read.fact) == (17, None)


@pytest.mark.parametrize(
    ("field", "claim"), [("site", "airport"), ("controller", "gate-1"), ("kind", "stay.ended")]
)
def test_an_event_that_claims_to_come_from_elsewhere_is_refused(field: str, claim: str) -> None:
    with pytest.raises(WireError, match=f"{field}: says {claim}, but came on the topic of "):
        _event(_raw({**EVENT, field: claim}))


@pytest.mark.parametrize(("read", "good"), READERS)
def test_unknown_fields_are_ignored(read: Callable[[bytes], object], good: dict[str, Any]) -> None:
    assert read(_raw({**good, "colour": "blue", "nested": {"deep": [1]}})) == read(_raw(good))


@pytest.mark.parametrize(
    ("read", "good", "field"),
    [
        *((_event, EVENT, field) for field in sorted(EVENT.keys() - {"id", "late"})),
        *((_health, HEALTH, field) for field in sorted(HEALTH)),
        (_farewell, STATUS, "state"),
    ],
)
def test_a_field_that_is_missing_is_named(
    read: Callable[[bytes], object], good: dict[str, Any], field: str
) -> None:
    with pytest.raises(WireError, match=f"^{field}: "):
        read(_raw({key: value for key, value in good.items() if key != field}))


@given(st.sampled_from(READERS), st.binary() | st.text().map(str.encode) | JSON.map(_raw))
def test_no_body_brings_another_error_than_that_it_is_malformed(
    reader: tuple[Callable[[bytes], object], dict[str, Any]], body: bytes
) -> None:
    with contextlib.suppress(WireError):
        reader[0](body)


@given(st.sampled_from(READERS), st.data())
def test_no_value_in_any_field_brings_another_error_than_that_it_is_malformed(
    reader: tuple[Callable[[bytes], object], dict[str, Any]], data: st.DataObject
) -> None:
    read, good = reader
    field = data.draw(st.sampled_from(sorted(good)))

    with contextlib.suppress(WireError):
        read(_raw({**good, field: data.draw(JSON)}))


@given(st.sampled_from(sorted(EVENT["body"])), JSON)
def test_no_value_in_any_field_of_a_fact_costs_the_event_its_number(
    field: str, value: object
) -> None:
    assert _event(_raw({**EVENT, "body": {**EVENT["body"], field: value}})).seq == 17


# --- through the broker ---------------------------------------------------------------------


async def _pair(
    broker: Broker, gate: Gate, make_gate: Callable[..., Awaitable[Gate]], port: int | None = None
) -> Gate:
    """The gate hears its peer `gate-2`; the peer itself, started too."""
    peer = await make_gate()
    gate.start(broker.port, peers=("gate-2",))
    await gate.until(lambda: gate.up)
    peer.start(port or broker.port, controller="gate-2")
    await gate.until(lambda: peer.up)
    return peer


async def test_what_one_controller_journals_another_is_told_in_the_order_in_which_it_was_sent(
    broker: Broker, centre: Centre, gate: Gate, make_gate: Callable[..., Awaitable[Gate]]
) -> None:
    peer = await _pair(broker, gate, make_gate)
    at = peer.clock.instant()
    fact = PassageEnded(end=PassageEnd.PASSED, plate="闽C12345", decided=True, zone="hall")
    await peer.store.commit(Commit(records=(Record(fact=fact, at=at, lane="exit", passage="p"),)))
    await peer.happen(30)
    await gate.until(lambda: len(gate.peer_events) == 31)
    await gate.until(lambda: len(centre.heard(f"{PEER}/events/")) == 31)

    [first] = [said for said in gate.peer_events if said.seq == 1]
    sent = [event["seq"] for event in centre.heard(f"{PEER}/events/")]
    assert [said.seq for said in gate.peer_events] == sent
    assert sorted(sent) == list(range(1, 32))
    assert {said.journal for said in gate.peer_events} == {peer.store.journal}
    assert (first.controller, first.lane, first.passage) == ("gate-2", "exit", "p")
    assert (first.occurred_at, first.clock_trusted) == (at.wall, at.trusted)
    assert first.fact == fact


async def test_what_a_controller_is_told_of_others_it_does_not_journal_nor_tell_again(
    broker: Broker, centre: Centre, gate: Gate, make_gate: Callable[..., Awaitable[Gate]]
) -> None:
    peer = await _pair(broker, gate, make_gate)
    await peer.happen(3)
    await gate.until(lambda: len(gate.peer_events) == 3)

    await gate.happen()
    await gate.until(lambda: centre.events)
    assert [event["seq"] for event in centre.events] == [1]


async def test_no_one_is_a_peer_of_itself_and_strangers_are_not_heard(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    gate.start(broker.port, peers=("gate-1", "gate-2"))
    await gate.until(lambda: gate.up)
    await gate.happen()
    await gate.until(lambda: centre.events and centre.heard(f"{gate.topic}/health"))

    centre.say(f"{gate.root}/gate-3/events/x", {**EVENT, "controller": "gate-3", "kind": "x"})
    centre.say(f"{PEER}/events/zone.recounted", EVENT)
    await gate.until(lambda: gate.peers_said)

    assert {said.controller for said in gate.peers_said} == {"gate-2"}


async def test_how_far_the_journal_of_a_peer_goes_is_told_again_and_again(
    broker: Broker, gate: Gate, make_gate: Callable[..., Awaitable[Gate]]
) -> None:
    peer = await _pair(broker, gate, make_gate)
    await gate.until(lambda: len(gate.peer_health) >= 2)

    said = gate.peer_health[0]
    assert (said.controller, said.journal, said.seq) == ("gate-2", peer.store.journal, 7)
    assert said.online


async def test_a_peer_that_stops_and_one_that_is_cut_off_are_both_said_to_be_away(
    broker: Broker, cable: Cable, gate: Gate, make_gate: Callable[..., Awaitable[Gate]]
) -> None:
    def farewells() -> int:
        return sum(not said.online for said in gate.peer_health)

    peer = await _pair(broker, gate, make_gate, cable.port)
    await gate.until(lambda: any(said.online for said in gate.peer_health))
    await cable.cut()
    await gate.until(lambda: farewells() == 1)

    await cable.plug()
    await gate.until(lambda: peer.up and gate.peer_health[-1].online)
    await peer.stop()
    await gate.until(lambda: farewells() == 2)


async def test_a_peer_that_is_away_already_is_said_to_be_so_at_once(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    centre.say(f"{PEER}/status", STATUS, retain=True)
    gate.start(broker.port, peers=("gate-2",))
    await gate.until(lambda: gate.peers_said)

    [said] = gate.peer_health
    assert (said.controller, said.online) == ("gate-2", False)


async def test_what_a_peer_told_meanwhile_a_controller_that_comes_back_is_told_in_order(
    broker: Broker, gate: Gate, make_gate: Callable[..., Awaitable[Gate]]
) -> None:
    peer = await _pair(broker, gate, make_gate)
    await gate.stop()
    await peer.happen(50)

    gate.start(broker.port, peers=("gate-2",))
    await gate.until(lambda: len(gate.peer_events) == 50)

    assert [said.seq for said in gate.peer_events] == list(range(1, 51))


async def test_what_could_not_be_stored_is_told_again_until_it_is(
    broker: Broker, gate: Gate, make_gate: Callable[..., Awaitable[Gate]]
) -> None:
    stored: list[int] = []
    tried: list[int] = []

    async def store(said: PeerEvent | PeerHealth) -> None:
        tried.append(said.seq)
        if len(tried) < 4:
            raise StoreError("gate.db: the disk is full")
        if isinstance(said, PeerEvent):
            stored.append(said.seq)

    gate.heard = store
    peer = await _pair(broker, gate, make_gate)
    await peer.happen(5)
    await gate.until(lambda: len(stored) == 5)

    assert stored == [1, 2, 3, 4, 5]


async def test_what_was_not_stored_before_a_restart_comes_again_after_it(
    broker: Broker, gate: Gate, make_gate: Callable[..., Awaitable[Gate]]
) -> None:
    stuck = asyncio.Event()

    async def hang(said: PeerEvent | PeerHealth) -> None:
        if isinstance(said, PeerEvent):
            stuck.set()
            await asyncio.Event().wait()

    recording, gate.heard = gate.heard, hang
    peer = await _pair(broker, gate, make_gate)
    await peer.happen(2)
    await gate.until(stuck.is_set)
    await gate.stop()

    gate.heard = recording
    gate.start(broker.port, peers=("gate-2",))
    await gate.until(lambda: len(gate.peer_events) == 2)

    assert [said.seq for said in gate.peer_events] == [1, 2]


async def test_a_slow_listener_to_peers_delays_no_order(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    stuck = asyncio.Event()

    async def hang(_said: PeerEvent | PeerHealth) -> None:
        stuck.set()
        await asyncio.Event().wait()

    gate.heard = hang
    gate.start(broker.port, peers=("gate-2",))
    await gate.until(lambda: gate.up)
    centre.say(f"{PEER}/health", HEALTH)
    await gate.until(stuck.is_set)

    centre.order("o-1")
    await gate.until(lambda: centre.heard(f"{gate.root}/centre/answers"))


async def test_malformed_messages_of_a_peer_are_harmless(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    gate.start(broker.port, peers=("gate-2",))
    await gate.until(lambda: gate.up)

    for topic in ("events/zone.recounted", "events/", "health", "status"):
        for body in (b"", b"\xff\xfe", b"null", b"[]", b"{}", b"{", b"[" * 9000, b"1" * 9000):
            centre.say(f"{PEER}/{topic}", body)
    centre.say(f"{PEER}/events/zone.recounted", EVENT)
    await gate.until(lambda: gate.peers_said)

    assert [said.seq for said in gate.peers_said] == [17]


async def test_a_broker_that_lets_no_one_hear_peers_is_an_alarm_and_the_rest_goes_on(
    make_broker: Callable[..., Broker],
    make_centre: Callable[..., Centre],
    gate: Gate,
    tmp_path: Path,
) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps(NO_PEERS), encoding="utf-8")
    plugin = "/usr/lib/x86_64-linux-gnu/mosquitto_dynamic_security.so"
    broker = make_broker(
        "allow_anonymous true", f"plugin {plugin}", f"plugin_opt_config_file {rules}"
    )
    broker.start()
    centre = make_centre(broker.port)
    await centre.open()

    gate.start(broker.port, peers=("gate-2",))
    await gate.until(lambda: gate.alarm("peers_refused"))
    centre.order("o-1")
    await gate.until(lambda: centre.heard(f"{gate.root}/centre/answers"))

    assert gate.alarm("peers_refused") == f"peers: broker 127.0.0.1:{broker.port}: Not authorized"
