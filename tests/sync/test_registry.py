"""Long lists, read row by row."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gatekeeper.errors import WireError
from gatekeeper.model import ListName
from gatekeeper.sync import jsonreader, registry
from gatekeeper.sync.jsonreader import VALUE_CHARACTERS, JsonReader

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)
PLATE = "闽C12345"


def _read(body: bytes) -> dict[str, Any]:
    """An object whose `rows` is an array, by the reader."""
    reader, found = JsonReader(body), dict[str, Any]()
    for name in reader.members():
        found[name] = list(reader.elements()) if name == "rows" else reader.value()
    reader.end()
    return found


def _snapshot(**fields: object) -> bytes:
    body = {"list": "visitors", "version": 5, "rows": [{"plate": PLATE}], **fields}
    return json.dumps(body, ensure_ascii=False).encode()


@pytest.mark.parametrize("window", [16, 64, VALUE_CHARACTERS])
@given(
    before=st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), JSON, max_size=3),
    rows=st.lists(JSON, max_size=6),
    indent=st.none() | st.integers(0, 3),
    ascii_only=st.booleans(),
)
def test_it_reads_what_json_reads_however_it_is_laid_out(
    window: int,
    before: dict[str, Any],
    rows: list[Any],
    indent: int | None,
    ascii_only: bool,
) -> None:
    before.pop("rows", None)
    body = json.dumps({**before, "rows": rows}, indent=indent, ensure_ascii=ascii_only).encode()
    longest = max(
        len(json.dumps(value, indent=indent)) for value in (*before, *before.values(), *rows, 0)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonreader, "VALUE_CHARACTERS", max(window, 4 * longest))
        assert _read(body) == {**before, "rows": rows}


@given(st.binary(max_size=60))
@example(b'{"rows":[1,2')
@example(b'{"rows":[1 2]}')
@example(b'{"rows":[1,]}')
@example(b'{"rows":[]}x')
@example(b"{1:2}")
@example(b"\xff")
@example(b'{"rows":[\xe9\x97')
@example(b'{"a":' + b"[" * 5000)
def test_what_is_no_json_is_refused_and_brings_no_other_error(body: bytes) -> None:
    try:
        found = _read(body)
    except WireError:
        return
    assert found == json.loads(body)


@pytest.mark.parametrize("length", [VALUE_CHARACTERS, 3 * VALUE_CHARACTERS])
def test_a_value_without_end_is_refused_before_it_fills_the_memory(length: int) -> None:
    with pytest.raises(WireError, match="too long"):
        _read(b'{"a":"' + b"x" * length + b'","rows":[]}')


def test_a_thousand_rows_come_in_their_order_and_as_often_as_they_are_asked_for() -> None:
    rows = [{"plate": f"闽C{number:05}", "note": "x" * 200} for number in range(2000)]

    read = registry.snapshot(ListName.VISITORS, _snapshot(rows=rows)).rows
    assert [row.plate for row in read] == [row["plate"] for row in rows]
    assert [row.version for row in read] == [5] * 2000


@pytest.mark.parametrize("order", [["list", "rows", "version"], ["rows", "version", "list"]])
def test_the_fields_of_a_list_may_come_in_any_order(order: list[str]) -> None:
    body = json.loads(_snapshot())
    raw = json.dumps({name: body[name] for name in order}).encode()

    [row] = registry.snapshot(ListName.VISITORS, raw).rows
    assert (row.plate, row.version) == (PLATE, 5)


@pytest.mark.parametrize("rows", [None, {}, "text", 7])
def test_rows_that_are_no_array_are_refused(rows: object) -> None:
    with pytest.raises(WireError):
        registry.snapshot(ListName.VISITORS, _snapshot(rows=rows))


def test_rows_that_stand_there_twice_or_not_at_all_are_refused() -> None:
    with pytest.raises(WireError, match="rows: should be there once"):
        registry.snapshot(ListName.VISITORS, b'{"list":"visitors","version":1}')
    with pytest.raises(WireError, match="rows: should be there once"):
        registry.snapshot(ListName.VISITORS, b'{"list":"visitors","version":1,"rows":[],"rows":[]}')


def test_row_47_one_bad_row_among_many_is_told_and_the_others_load() -> None:
    good = [{"plate": f"闽C{number:05}"} for number in range(5000)]
    rows = [*good, {"plate": ""}, {"plate": PLATE, "note": 7}, "no row", *good[:1]]

    read = registry.snapshot(ListName.VISITORS, _snapshot(rows=rows))

    assert len(tuple(read.rows)) == 5001
    assert read.refused.count == 3
    assert [(each.number, each.text) for each in read.refused.first] == [
        (5000, '{"plate": ""}'),
        (5001, '{"plate": "闽C12345", "note": 7}'),
        (5002, '"no row"'),
    ]
    assert [each.reason for each in read.refused.first][:2] == [
        "plate: Value error, is no plate",
        "note: Input should be a valid string",
    ]


@pytest.mark.parametrize(
    ("plate", "why"),
    [
        ("闽А12345", "it has U+0410, cyrillic capital letter a"),
        ("闽C12​345", "it has U+200B, zero width space"),
        ("闽C1234", "is no plate"),
        ("VISITOR", "is no plate"),
    ],
)
def test_row_47_what_no_camera_reads_is_named(plate: str, why: str) -> None:
    [refused] = registry.snapshot(
        ListName.VISITORS, _snapshot(rows=[{"plate": plate}])
    ).refused.first
    assert refused.reason.endswith(why)


@pytest.mark.parametrize("plate", ["闽ｃ12345", "闽C·12345", "闽c 12345", "闽C12345"])
def test_row_47_what_can_be_read_but_one_way_is_taken(plate: str) -> None:
    [row] = registry.snapshot(ListName.VISITORS, _snapshot(rows=[{"plate": plate}])).rows
    assert row.plate == PLATE


def test_row_47_a_zone_that_is_not_there_refuses_its_row_alone() -> None:
    rows = [{"plate": PLATE, "zone": "visitor_zone"}, {"plate": PLATE, "zone": "vistor_zone"}]
    read = registry.snapshot(ListName.VISITORS, _snapshot(rows=rows), ["visitor_zone"])

    assert [row.zone for row in read.rows] == ["visitor_zone"]
    [refused] = read.refused.first
    assert (refused.number, refused.reason) == (1, 'zone: no zone is called "vistor_zone" here')


def test_row_47_changes_without_their_bad_rows_are_a_step_all_the_same() -> None:
    rows = [{"remove": False, "row": {"plate": plate}} for plate in (PLATE, "NONE")]
    body = json.dumps({"list": "visitors", "since": 1, "version": 2, "changes": rows}).encode()
    step = registry.changes(ListName.VISITORS, body)

    assert [change.row.plate for change in step.changes] == [PLATE]
    assert step.refused.count == 1


@given(st.lists(JSON, max_size=30))
def test_row_47_whatever_stands_there_for_rows_brings_no_error(rows: list[Any]) -> None:
    read = registry.snapshot(ListName.VISITORS, _snapshot(rows=rows))
    assert len(list(read.rows)) + read.refused.count == len(rows)
    assert len(read.refused.first) <= registry.MOST_TOLD


def test_changes_that_are_longer_than_a_step_take_a_snapshot() -> None:
    body = b'{"list":"visitors","since":1,"version":2,"changes":[]}'

    with pytest.raises(WireError, match="that takes a snapshot"):
        registry.changes(ListName.VISITORS, body + b" " * registry.CHANGES_BYTES)
