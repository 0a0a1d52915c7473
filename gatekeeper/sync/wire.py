"""The bodies of docs/protocol.md, to and from values. Pure: it knows no broker and no clock.

What the centre sends comes in as bytes and goes out as a value of `model`, or as a `WireError`
that says what is wrong with it: no other error, whatever the bytes are. What the controller says
comes in as values and goes out as bytes.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import pydantic_core
from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, ValidationError

from gatekeeper.errors import WireError
from gatekeeper.model import (
    HealthReport,
    ListChange,
    ListChanges,
    ListName,
    ListRow,
    ListSnapshot,
    ListVersion,
    Order,
    OrderAnswer,
    Pending,
)
from gatekeeper.rules.plate import normalise

VERBS = frozenset({"open"})
"""The orders this version of the protocol knows."""

LATE_S = 10.0
"""An event that waited longer than this to be sent says so."""

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)

_T = TypeVar("_T")


def _written(value: object) -> object:
    """Pydantic alone would take a number for a time, and leave a time without offset naive."""
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        raise ValueError("should be an RFC 3339 time with an offset")
    return value


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is outside the calendar") from error


def _plate(text: str) -> str:
    plate = normalise(text)
    if not 1 <= len(plate) <= _PLATE_LENGTH:
        raise ValueError("is no plate")
    return plate


_PLATE_LENGTH = 16
"""Longer than any plate of GA 36; what is longer is something else."""

_Time = Annotated[datetime, BeforeValidator(_written), AfterValidator(_utc)]
_Plate = Annotated[str, Field(max_length=64), AfterValidator(_plate)]
_Name = Annotated[str, Field(min_length=1, max_length=128)]
_Text = Annotated[str, Field(max_length=1000)]
_Whole = Annotated[int, Field(strict=True, ge=0, le=2**63 - 1)]
"""What SQLite can hold as an INTEGER."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """Every event of `journal` up to and including `seq` is stored at the centre."""

    journal: _Name
    seq: _Whole


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    plate: _Plate
    zone: _Name | None = None
    valid_from: _Time | None = None
    valid_until: _Time | None = None
    note: _Text = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    remove: Annotated[bool, Field(strict=True)]
    row: _Row


@dataclass(frozen=True, slots=True, kw_only=True)
class _Changes:
    list: ListName
    since: _Whole
    version: _Whole
    changes: Sequence[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Snapshot:
    list: ListName
    version: _Whole
    rows: Sequence[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    id: _Name
    by: _Text
    reason: _Text
    expires_at: _Time
    lane: _Name | None = None


_CONFIRMATION = TypeAdapter(Confirmation)
_ROW = TypeAdapter(_Row)
_CHANGE = TypeAdapter(_Change)
_CHANGES = TypeAdapter(_Changes)
_SNAPSHOT = TypeAdapter(_Snapshot)
_ORDER = TypeAdapter(_Order)


# --- from the centre ------------------------------------------------------------------------


def confirmation(body: bytes) -> Confirmation:
    """The body of `confirmations`; raises `WireError`."""
    return _fit(_CONFIRMATION, _parsed(body))


def changes(name: ListName, body: bytes) -> ListChanges:
    """The body of `registry/{name}/changes`; raises `WireError`, also if it is of another list."""
    read = _fit(_CHANGES, _parsed(body))
    _same_list(name, read.list)
    if read.version <= read.since:
        raise WireError(f"version {read.version} does not follow on since {read.since}")
    found = (_fit(_CHANGE, one, f"changes.{n}.") for n, one in enumerate(read.changes))
    return ListChanges(
        list=name,
        since=read.since,
        version=read.version,
        changes=tuple(
            ListChange(remove=one.remove, row=_listed(name, read.version, one.row)) for one in found
        ),
    )


def snapshot(name: ListName, body: bytes) -> ListSnapshot:
    """The body of `registry/{name}/snapshot`; raises `WireError`, also if it is of another list."""
    read = _fit(_SNAPSHOT, _parsed(body))
    _same_list(name, read.list)
    # Row by row and not in one call, so that other threads get their turn in a list of 100 000.
    found = (_fit(_ROW, row, f"rows.{n}.") for n, row in enumerate(read.rows))
    return ListSnapshot(
        list=name,
        version=read.version,
        rows=tuple(_listed(name, read.version, row) for row in found),
    )


def order(verb: str, body: bytes) -> Order:
    """The body of `orders/{verb}`, of whatever verb; raises `WireError`."""
    read = _fit(_ORDER, _parsed(body))
    return Order(
        id=read.id,
        verb=verb,
        by=read.by,
        reason=read.reason,
        expires_at=read.expires_at,
        lane=read.lane,
    )


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body.decode(), object_hook=_as_it_is)
    except ValueError as error:
        raise WireError(f"is not JSON in UTF-8: {error}") from error
    except RecursionError as error:
        raise WireError("is nested too deeply") from error


def _as_it_is(found: dict[str, object]) -> dict[str, object]:
    """Called for each object, and there to be called: a thread that reads a list of a million
    plates gives way to the loop between two of them (0.7 s without it, measured).
    """
    return found


def _fit(shape: TypeAdapter[_T], value: object, place: str = "") -> _T:
    try:
        return shape.validate_python(value)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = place + ".".join(str(step) for step in fault["loc"])
        raise WireError(f"{where or 'body'}: {fault['msg']}") from error


def _same_list(topic: ListName, body: ListName) -> None:
    if topic is not body:
        raise WireError(f"list: says {body}, but came on the topic of {topic}")


def _listed(name: ListName, version: int, row: _Row) -> ListRow:
    return ListRow(
        list=name,
        plate=row.plate,
        zone=row.zone,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        note=row.note,
        version=version,
    )


# --- to the centre --------------------------------------------------------------------------


def status(state: str, version: str, since: datetime) -> bytes:
    """The body of `status`: `state` is `online` or `offline`."""
    return _json({"state": state, "version": version, "since": time(since)})


def event(site: str, controller: str, pending: Pending, now: datetime) -> bytes:
    """The body of `events/{kind}`, sent at `now`."""
    head = _json(
        {
            "id": pending.id,
            "journal": pending.journal,
            "seq": pending.seq,
            "site": site,
            "controller": controller,
            "lane": pending.lane,
            "passage": pending.passage,
            "kind": pending.kind,
            "occurred_at": time(pending.occurred_at),
            "clock_trusted": pending.clock_trusted,
            "late": (now - pending.occurred_at).total_seconds() > LATE_S,
        }
    )
    return head.removesuffix(b"}") + b',"body":' + pending.body + b"}"


def wanted(have: int | None) -> bytes:
    """The body of `registry/{list}/wanted`: the version held here, if any."""
    return _json({"have": have})


def answer(given: OrderAnswer) -> bytes:
    """The body on an order's response topic."""
    return _json({"order": given.order, "outcome": given.outcome, "detail": given.detail})


def health(report: HealthReport, since: Iterable[datetime]) -> bytes:
    """The body of `health`; `since` tells of each alarm, in their order, when it began."""
    return _json(
        {
            "at": time(report.at),
            "clock_trusted": report.clock_trusted,
            "lanes": dict(report.lanes),
            "alarms": [
                {
                    "alarm": alarm.alarm,
                    "subject": alarm.subject,
                    "detail": alarm.detail,
                    "since": time(begun),
                }
                for alarm, begun in zip(report.alarms, since, strict=True)
            ],
            "outbox": report.outbox,
            "free_disk_mb": report.free_disk_mb,
            "list_versions": [_version(one) for one in report.list_versions],
        }
    )


def time(at: datetime) -> str:
    """An aware moment as the wire writes it: `2026-11-23T08:15:00.250000Z`."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def _version(held: ListVersion) -> dict[str, object]:
    return {"list": held.list, "version": held.version, "as_of": time(held.as_of)}


def _json(value: dict[str, object]) -> bytes:
    return pydantic_core.to_json(value)
