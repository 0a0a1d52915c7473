"""The bodies of docs/protocol.md, to and from values. Pure: it knows no broker and no clock.

What the centre sends comes in as bytes and goes out as a value of `model`, or as a `WireError`
that says what is wrong with it: no other error, whatever the bytes are. What the controller says
comes in as values and goes out as bytes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pydantic_core
from pydantic import TypeAdapter

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
from gatekeeper.sync.fields import Name, Plate, Text, Time, Truth, Whole, fit, parsed

VERBS: Mapping[str, tuple[str, ...]] = {
    "open": ("lane",),
    "identify": ("lane", "passage", "plate"),
    "recount": ("zone", "count"),
    "blacklist_add": ("zone", "plate"),
    "blacklist_remove": ("plate",),
    "lockdown": ("on",),
    "hold": (),
    "release": (),
    "fleet": ("lane",),
}
"""The orders this version of the protocol knows, and the fields of `Order` each cannot do without.
"""

LATE_S = 10.0
"""An event that waited longer than this to be sent says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """Every event of `journal` up to and including `seq` is stored at the centre, which wrote this
    at `at` by its own clock, if it says so.
    """

    journal: Name
    seq: Whole
    at: Time | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    plate: Plate
    zone: Name | None = None
    valid_from: Time | None = None
    valid_until: Time | None = None
    note: Text = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    remove: Truth
    row: _Row


@dataclass(frozen=True, slots=True, kw_only=True)
class _Changes:
    list: ListName
    since: Whole
    version: Whole
    changes: Sequence[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Snapshot:
    list: ListName
    version: Whole
    rows: Sequence[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    id: Name
    by: Text
    reason: Text
    expires_at: Time
    lane: Name | None = None
    passage: Name | None = None
    zone: Name | None = None
    plate: Plate | None = None
    count: Whole | None = None
    on: Truth | None = None
    until: Time | None = None
    minutes: Whole | None = None
    vehicles: Whole | None = None


_CONFIRMATION = TypeAdapter(Confirmation)
_ROW = TypeAdapter(_Row)
_CHANGE = TypeAdapter(_Change)
_CHANGES = TypeAdapter(_Changes)
_SNAPSHOT = TypeAdapter(_Snapshot)
_ORDER = TypeAdapter(_Order)


# --- from the centre ------------------------------------------------------------------------


def confirmation(body: bytes) -> Confirmation:
    """The body of `confirmations`; raises `WireError`."""
    return fit(_CONFIRMATION, parsed(body))


def changes(name: ListName, body: bytes) -> ListChanges:
    """The body of `registry/{name}/changes`; raises `WireError`, also if it is of another list."""
    read = fit(_CHANGES, parsed(body))
    _same_list(name, read.list)
    if read.version <= read.since:
        raise WireError(f"version {read.version} does not follow on since {read.since}")
    found = (fit(_CHANGE, one, f"changes.{n}.") for n, one in enumerate(read.changes))
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
    read = fit(_SNAPSHOT, parsed(body))
    _same_list(name, read.list)
    # Row by row and not in one call, so that other threads get their turn in a list of 100 000.
    found = (fit(_ROW, row, f"rows.{n}.") for n, row in enumerate(read.rows))
    return ListSnapshot(
        list=name,
        version=read.version,
        rows=tuple(_listed(name, read.version, row) for row in found),
    )


def order(verb: str, body: bytes) -> Order:
    """The body of `orders/{verb}`, of whatever verb; raises `WireError`."""
    read = fit(_ORDER, parsed(body))
    return Order(
        id=read.id,
        verb=verb,
        by=read.by,
        reason=read.reason,
        expires_at=read.expires_at,
        lane=read.lane,
        passage=read.passage,
        zone=read.zone,
        plate=read.plate,
        count=read.count,
        on=read.on,
        until=read.until,
        minutes=read.minutes,
        vehicles=read.vehicles,
    )


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
            "journal": report.journal,
            "seq": report.seq,
        }
    )


def time(at: datetime) -> str:
    """An aware moment as the wire writes it: `2026-11-23T08:15:00.250000Z`."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def _version(held: ListVersion) -> dict[str, object]:
    return {"list": held.list, "version": held.version, "as_of": time(held.as_of)}


def _json(value: dict[str, object]) -> bytes:
    return pydantic_core.to_json(value)
