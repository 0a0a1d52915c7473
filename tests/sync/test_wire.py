import contextlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.errors import WireError
from gatekeeper.model import (
    Alarm,
    HealthReport,
    ListChange,
    ListName,
    ListVersion,
    OrderAnswer,
    Pending,
)
from gatekeeper.sync import registry, wire
from gatekeeper.sync.topics import Heard, Place, Topics

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ROW = {
    "plate": "闽C12345",
    "zone": "visitor_zone",
    "valid_from": "2026-11-23T08:15:00.250000Z",
    "valid_until": None,
    "note": "bound",
}
CHANGES: dict[str, Any] = {
    "list": "visitors",
    "since": 4,
    "version": 5,
    "changes": [{"remove": False, "row": ROW}],
}
SNAPSHOT: dict[str, Any] = {"list": "visitors", "version": 5, "rows": [ROW]}
ORDER: dict[str, Any] = {
    "id": "o-1",
    "by": "Li",
    "reason": "delivery",
    "expires_at": "2026-11-23T20:00:00+08:00",
    "lane": "inner-entry",
    "passage": "p",
    "zone": "visitor_zone",
    "plate": "闽C12345",
    "count": 7,
    "on": True,
    "until": "2026-11-23T21:00:00+08:00",
    "minutes": 30,
    "vehicles": 12,
}
NEEDED = {"id", "by", "reason", "expires_at", "journal", "seq", *CHANGES, *SNAPSHOT}
TOPICS = Topics(site="hall", controller="gate-1", peers=frozenset({"gate-2"}))

READERS: list[tuple[Callable[[bytes], object], dict[str, Any]]] = [
    (wire.confirmation, {"journal": "j", "seq": 7, "at": "2026-11-23T12:00:00Z"}),
    (lambda body: registry.changes(ListName.VISITORS, body), CHANGES),
    (lambda body: registry.snapshot(ListName.VISITORS, body), SNAPSHOT),
    (lambda body: wire.order("open", body), ORDER),
]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes().map(str),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def _raw(body: object) -> bytes:
    return json.dumps(body).encode()


def _refused_or_read(read: Callable[[bytes], object], body: bytes) -> None:
    with contextlib.suppress(WireError):
        read(body)


@given(st.sampled_from(READERS), st.binary() | st.text().map(str.encode) | JSON.map(_raw))
def test_no_body_brings_another_error_than_that_it_is_malformed(
    reader: tuple[Callable[[bytes], object], dict[str, Any]], body: bytes
) -> None:
    _refused_or_read(reader[0], body)


@given(st.sampled_from(READERS), st.data())
def test_no_value_in_any_field_brings_another_error_than_that_it_is_malformed(
    reader: tuple[Callable[[bytes], object], dict[str, Any]], data: st.DataObject
) -> None:
    read, good = reader
    field = data.draw(st.sampled_from(sorted(good)))

    _refused_or_read(read, _raw({**good, field: data.draw(JSON)}))


@given(st.sampled_from(sorted(ROW)), JSON)
def test_no_value_in_any_field_of_a_row_brings_another_error(field: str, value: object) -> None:
    rows = [{**ROW, field: value}]

    _refused_or_read(READERS[2][0], _raw({**SNAPSHOT, "rows": rows}))


@pytest.mark.parametrize(("read", "good"), READERS)
def test_unknown_fields_are_ignored(read: Callable[[bytes], object], good: dict[str, Any]) -> None:
    assert read(_raw({**good, "colour": "blue", "nested": {"deep": [1]}})) == read(_raw(good))


@pytest.mark.parametrize(("read", "good"), READERS)
def test_every_field_that_is_missing_is_named(
    read: Callable[[bytes], object], good: dict[str, Any]
) -> None:
    for field in NEEDED & good.keys():
        with pytest.raises(WireError, match=field):
            read(_raw({key: value for key, value in good.items() if key != field}))


def test_changes_become_rows_of_the_centre_at_their_version() -> None:
    read = registry.changes(ListName.VISITORS, _raw(CHANGES))

    [change] = read.changes
    assert (read.since, read.version) == (4, 5)
    assert isinstance(change, ListChange)
    assert not change.remove
    assert change.row.list is ListName.VISITORS
    assert (change.row.plate, change.row.zone, change.row.version) == (
        "闽C12345",
        "visitor_zone",
        5,
    )
    assert change.row.valid_from == datetime(2026, 11, 23, 8, 15, 0, 250_000, UTC)


@pytest.mark.parametrize(
    "written", ["闽c12345", " 闽C·12345", "闽Ｃ１２３４５", "闽CI2345".replace("I", "Ｉ")]
)
def test_a_plate_is_read_however_the_centre_writes_it(written: str) -> None:
    [row] = registry.snapshot(
        ListName.EXEMPT, _raw({"list": "exempt", "version": 1, "rows": [{"plate": written}]})
    ).rows

    assert row.plate == "闽C12345"


@pytest.mark.parametrize("plate", ["", " · ", "闽" * 40, 12345, None, "\ud800"])
def test_what_can_be_no_plate_is_refused_with_its_place(plate: object) -> None:
    rows = [{"plate": "闽C12345"}, {"plate": plate}]
    body = _raw({"list": "visitors", "version": 1, "rows": rows})

    [refused] = registry.snapshot(ListName.VISITORS, body).refused.first
    assert refused.number == 1
    assert refused.reason.startswith("plate: ")


@pytest.mark.parametrize(
    "moment",
    [
        "2026-11-23T08:15:00",
        "2026-11-23",
        "1795248900",
        1795248900,
        1795248900.5,
        "2026-13-01T00:00:00Z",
        "0001-01-01T00:00:00+23:00",
        "9999-12-31T23:59:59-23:00",
        "٢٠٢٦-11-23T08:15:00Z",
        None,
    ],
)
def test_a_time_without_offset_or_meaning_is_refused(moment: object) -> None:
    with pytest.raises(WireError, match=r"^expires_at: "):
        wire.order("open", _raw({**ORDER, "expires_at": moment}))


def test_times_are_read_into_utc() -> None:
    read = wire.order("open", _raw(ORDER))

    assert read.expires_at == NOON
    assert read.expires_at.tzinfo is UTC


@pytest.mark.parametrize("seq", [-1, 2**63, 1.5, "7", True, None])
def test_a_number_that_no_journal_can_hold_confirms_nothing(seq: object) -> None:
    with pytest.raises(WireError, match=r"^seq: "):
        wire.confirmation(_raw({"journal": "j", "seq": seq}))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("count", -1),
        ("count", "7"),
        ("count", 7.0),
        ("count", True),
        ("on", 1),
        ("on", "true"),
        ("until", "21:00"),
        ("minutes", 0.5),
        ("vehicles", -1),
        ("plate", ""),
        ("plate", 12345),
        ("zone", ""),
        ("passage", ["p"]),
        ("lane", {}),
    ],
)
def test_a_field_of_an_order_has_its_type_and_no_other(field: str, value: object) -> None:
    with pytest.raises(WireError, match=rf"^{field}: "):
        wire.order("recount", _raw({**ORDER, field: value}))


@pytest.mark.parametrize(
    "field",
    ["lane", "passage", "zone", "plate", "count", "on", "until", "minutes", "vehicles"],
)
def test_a_field_that_an_order_leaves_out_or_leaves_empty_is_none(field: str) -> None:
    left_out = {key: value for key, value in ORDER.items() if key != field}

    assert getattr(wire.order("open", _raw(left_out)), field) is None
    assert wire.order("open", _raw({**ORDER, field: None})) == wire.order("open", _raw(left_out))


def test_the_plate_of_an_order_is_read_however_the_centre_writes_it() -> None:
    assert wire.order("identify", _raw({**ORDER, "plate": "闽c·12345"})).plate == "闽C12345"


def test_an_order_that_keeps_booms_up_says_until_when() -> None:
    order = wire.order("fleet", _raw(ORDER))

    assert (order.until, order.minutes, order.vehicles) == (NOON + timedelta(hours=1), 30, 12)


def test_every_field_that_a_verb_needs_is_one_of_an_order() -> None:
    order = wire.order("open", _raw({**ORDER, "list": "visitors"}))

    for fields in wire.VERBS.values():
        assert all(getattr(order, field) is not None for field in fields)


def test_the_time_of_a_confirmation_is_there_only_if_the_centre_says_it() -> None:
    assert wire.confirmation(_raw({"journal": "j", "seq": 7})).at is None
    assert wire.confirmation(_raw({"journal": "j", "seq": 7, "at": ORDER["expires_at"]})).at == NOON


def test_a_list_on_the_topic_of_another_is_refused() -> None:
    with pytest.raises(WireError, match="says visitors, but came on the topic of blacklist"):
        registry.snapshot(ListName.BLACKLIST, _raw(SNAPSHOT))


@pytest.mark.parametrize("version", [3, 4])
def test_changes_that_lead_nowhere_are_refused(version: int) -> None:
    with pytest.raises(WireError, match="does not follow on since 4"):
        registry.changes(ListName.VISITORS, _raw({**CHANGES, "version": version}))


def test_a_body_nested_without_end_is_refused() -> None:
    with pytest.raises(WireError, match="nested too deeply"):
        wire.confirmation(b"[" * 100_000)


def test_an_event_carries_its_fact_as_the_journal_wrote_it() -> None:
    pending = Pending(
        id="e",
        journal="j",
        seq=17,
        kind="vehicle.arrived",
        lane="inner-entry",
        passage=None,
        occurred_at=NOON,
        clock_trusted=True,
        body='{"plate":"闽C12345"}'.encode(),
    )

    on_time = json.loads(wire.event("hall", "gate-1", pending, NOON + timedelta(seconds=10)))
    late = json.loads(wire.event("hall", "gate-1", pending, NOON + timedelta(seconds=11)))

    assert on_time == {
        "id": "e",
        "journal": "j",
        "seq": 17,
        "first": 1,
        "site": "hall",
        "controller": "gate-1",
        "lane": "inner-entry",
        "passage": None,
        "kind": "vehicle.arrived",
        "occurred_at": "2026-11-23T12:00:00.000000Z",
        "clock_trusted": True,
        "late": False,
        "body": {"plate": "闽C12345"},
    }
    assert late == {**on_time, "late": True}


def test_the_controller_writes_what_the_protocol_says() -> None:
    alarm = Alarm(alarm="camera_stale", subject="inner-entry", detail="5 s", since=17.0)
    report = HealthReport(
        at=NOON,
        clock_trusted=False,
        lanes={"inner-entry": "idle"},
        alarms=(alarm,),
        outbox=3,
        free_disk_mb=900,
        list_versions=(ListVersion(list=ListName.VISITORS, version=5, as_of=NOON),),
        journal="j",
        seq=17,
    )
    noon = "2026-11-23T12:00:00.000000Z"

    assert json.loads(wire.wanted(None)) == {"have": None}
    assert json.loads(wire.status("online", "0.1.0", NOON, "r")) == {
        "state": "online",
        "version": "0.1.0",
        "since": noon,
        "run": "r",
    }
    assert json.loads(wire.answer(OrderAnswer(order="o", outcome="done", detail="d"))) == {
        "order": "o",
        "outcome": "done",
        "detail": "d",
    }
    assert json.loads(wire.health(report, [NOON], asked="q")) == {
        "at": noon,
        "clock_trusted": False,
        "lanes": {"inner-entry": "idle"},
        "alarms": [
            {"alarm": "camera_stale", "subject": "inner-entry", "detail": "5 s", "since": noon}
        ],
        "outbox": 3,
        "free_disk_mb": 900,
        "list_versions": [{"list": "visitors", "version": 5, "as_of": noon}],
        "journal": "j",
        "seq": 17,
        "asked": "q",
    }


@pytest.mark.parametrize(
    ("topic", "place"),
    [
        ("gatekeeper/v1/hall/gate-1/confirmations", Place(heard=Heard.CONFIRMATION)),
        ("gatekeeper/v1/hall/gate-1/orders/open", Place(heard=Heard.ORDER, name="open")),
        (
            "gatekeeper/v1/hall/registry/blacklist/changes",
            Place(heard=Heard.CHANGES, name="blacklist"),
        ),
        (
            "gatekeeper/v1/hall/registry/visitors/snapshot",
            Place(heard=Heard.SNAPSHOT, name="visitors"),
        ),
        (
            "gatekeeper/v1/hall/gate-2/events/passage.ended",
            Place(heard=Heard.EVENT, name="passage.ended", peer="gate-2"),
        ),
        ("gatekeeper/v1/hall/gate-2/health", Place(heard=Heard.HEALTH, peer="gate-2")),
        ("gatekeeper/v1/hall/gate-2/status", Place(heard=Heard.STATUS, peer="gate-2")),
    ],
)
def test_every_topic_that_is_subscribed_is_known(topic: str, place: Place) -> None:
    assert TOPICS.place(topic) == place


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "confirmations",
        "visitors/changes",
        "gatekeeper/v1/hall/gate-2/confirmations",
        "gatekeeper/v1/hall/gate-1/orders/open/twice",
        "gatekeeper/v1/hall/gate-1/orders",
        "gatekeeper/v1/hall/registry/guests/changes",
        "gatekeeper/v1/hall/registry/visitors/wanted",
        "gatekeeper/v1/hall/gate-1/events/passage.ended",
        "gatekeeper/v1/hall/gate-1/health",
        "gatekeeper/v1/hall/gate-3/health",
        "gatekeeper/v1/hall/gate-2/events",
    ],
)
def test_any_other_topic_is_refused(topic: str) -> None:
    with pytest.raises(WireError, match="nothing is said on"):
        TOPICS.place(topic)


@given(st.text())
def test_no_topic_brings_another_error(topic: str) -> None:
    for whole in (topic, f"gatekeeper/v1/hall/gate-1/{topic}", f"gatekeeper/v1/hall/{topic}"):
        with contextlib.suppress(WireError):
            TOPICS.place(whole)
