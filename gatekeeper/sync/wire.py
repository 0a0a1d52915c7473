"""The bodies of docs/protocol.md but for the lists', to and from values. Pure: it knows no broker
and no clock.

What the centre sends comes in as bytes and goes out as a value of `model`, or as a `WireError`
that says what is wrong with it: no other error, whatever the bytes are. What the controller says
comes in as values and goes out as bytes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pydantic_core
from pydantic import TypeAdapter

from gatekeeper.errors import WireError
from gatekeeper.model import (
    HealthReport,
    ListName,
    ListVersion,
    Order,
    OrderAnswer,
    Pending,
    Refused,
)
from gatekeeper.sync.fields import (
    FIRST,
    Minutes,
    Name,
    Plate,
    Text,
    Time,
    Truth,
    Vehicles,
    Whole,
    fit,
    parsed,
)
from gatekeeper.sync.limits import without_largest

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
    "list_shrinks": ("list",),
}
"""The orders this version of the protocol knows, and the fields of `Order` each cannot do without.
"""

ALL_TAKEN = Refused()
"""No row of a list was left out."""

LATE_S = 10.0
"""An event that waited longer than this to be sent says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """Every event of `journal` up to and including `seq` is stored at the centre, which wrote this
    at `at` by its own clock, if it says so; `id` is that of the event `seq`, `asked` the question
    of the health report that it answers.
    """

    journal: Name
    seq: Whole
    id: Name | None = None
    at: Time | None = None
    asked: Name | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    id: Name
    by: Text
    reason: Text
    expires_at: Time
    at: Time | None = None
    lane: Name | None = None
    passage: Name | None = None
    zone: Name | None = None
    plate: Plate | None = None
    count: Vehicles | None = None
    on: Truth | None = None
    until: Time | None = None
    minutes: Minutes | None = None
    vehicles: Vehicles | None = None
    list: ListName | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Status:
    run: Text = ""


_STATUS = TypeAdapter(_Status)
_CONFIRMATION = TypeAdapter(Confirmation)
_ORDER = TypeAdapter(_Order)
_NAME = TypeAdapter(Name)
_TEXT = TypeAdapter(Text)


class NoOrderError(WireError):
    """What came as an order is none. `order` is what can be read of it: id, verb, by and reason,
    each empty where it cannot; it has expired.
    """

    def __init__(self, fault: str, order: Order) -> None:
        super().__init__(fault)
        self.order = order


# --- from the centre ------------------------------------------------------------------------


def confirmation(body: bytes) -> Confirmation:
    """The body of `confirmations`; raises `WireError`."""
    return fit(_CONFIRMATION, parsed(body))


def speaker(body: bytes) -> str:
    """Whose word the body of `status` is, empty if it does not say; raises `WireError`."""
    return fit(_STATUS, parsed(body)).run


def order(verb: str, body: bytes) -> Order:
    """The body of `orders/{verb}`, of whatever verb; raises `NoOrderError`."""
    value: object = None
    try:
        fit(_NAME, verb, "verb")
        value = parsed(body)
        read = fit(_ORDER, value)
    except WireError as error:
        raise NoOrderError(str(error), _remains(verb, value)) from error
    return _as_told(verb, read)


def order_here(verb: str, value: Mapping[str, object], deadline: float) -> Order:
    """An order that a person beside the gate gives, good until `deadline` (boot clock); raises
    `WireError` that names what is wrong with it, or what it lacks.
    """
    order = replace(_as_told(verb, fit(_ORDER, value)), deadline=deadline)
    if (fault := lacks(order)) is not None:
        raise WireError(fault)
    return order


def lacks(order: Order) -> str | None:
    """Why an order cannot be carried out by what it says, None if it can."""
    if order.verb not in VERBS:
        return f"no such order: {order.verb}"
    missing = [field for field in VERBS[order.verb] if getattr(order, field) is None]
    return f"{order.verb} lacks {', '.join(missing)}" if missing else None


def _as_told(verb: str, read: _Order) -> Order:
    return Order(
        id=read.id,
        verb=verb,
        by=read.by,
        reason=read.reason,
        expires_at=read.expires_at,
        at=read.at,
        lane=read.lane,
        passage=read.passage,
        zone=read.zone,
        plate=read.plate,
        count=read.count,
        on=read.on,
        until=read.until,
        minutes=read.minutes,
        vehicles=read.vehicles,
        list=read.list,
    )


def _remains(verb: str, value: object) -> Order:
    said = value if isinstance(value, dict) else {}
    return Order(
        id=_readable(_NAME, said.get("id")),
        verb=_readable(_NAME, verb),
        by=_readable(_TEXT, said.get("by")),
        reason=_readable(_TEXT, said.get("reason")),
        expires_at=FIRST,
    )


def _readable(shape: TypeAdapter[str], value: object) -> str:
    try:
        return fit(shape, value)
    except WireError:
        return ""


# --- to the centre --------------------------------------------------------------------------


def status(state: str, version: str, since: datetime, run: str) -> bytes:
    """The body of `status`: `state` is `online` or `offline`, `run` whose word it is: one start of
    one program.
    """
    return _json({"state": state, "version": version, "since": time(since), "run": run})


def event(
    site: str, controller: str, pending: Pending, now: datetime, at_most: int = 2**28
) -> bytes:
    """The body of `events/{kind}`, sent at `now`, in so many bytes at most: the largest parts of
    the fact are left out where it is longer, and named in `cut`.
    """
    head: dict[str, object] = {
        "id": pending.id,
        "journal": pending.journal,
        "seq": pending.seq,
        "first": pending.first,
        "site": site,
        "controller": controller,
        "lane": pending.lane,
        "passage": pending.passage,
        "kind": pending.kind,
        "occurred_at": time(pending.occurred_at),
        "clock_trusted": pending.clock_trusted,
        "late": (now - pending.occurred_at).total_seconds() > LATE_S,
    }
    whole = _with_body(head, pending.body)
    if len(whole) <= at_most:
        return whole
    parts = pydantic_core.from_json(pending.body)
    without = len(_with_body({**head, "cut": list(parts)}, b"{}"))
    left, gone = without_largest(parts, list(parts), at_most - without)
    return _with_body({**head, "cut": gone}, _json(left))


def _with_body(head: dict[str, object], body: bytes) -> bytes:
    """The body comes as JSON from the store, and is not read here where it need not be."""
    return _json(head).removesuffix(b"}") + b',"body":' + body + b"}"


def wanted(have: int | None, *, back: bool = False, refused: Refused = ALL_TAKEN) -> bytes:
    """The body of `registry/{list}/wanted`: the version held here, if any; `back` says that the
    centre told of an older one, `refused` which rows were left out of it.
    """
    said: dict[str, object] = {"have": have}
    if back:
        said["back"] = True
    if refused.count:
        rows = [{"number": e.number, "text": e.text, "reason": e.reason} for e in refused.first]
        said["refused"] = {"count": refused.count, "rows": rows}
    return _json(said)


def answer(given: OrderAnswer) -> bytes:
    """The body on an order's response topic."""
    return _json({"order": given.order, "outcome": given.outcome, "detail": given.detail})


def health(
    report: HealthReport, since: Iterable[datetime], *, asked: str = "", at_most: int = 2**28
) -> bytes:
    """The body of `health`, in so many bytes at most, as `event`; `since` tells of each alarm, in
    their order, when it began, and `asked` is for the centre to answer.
    """
    alarms = [
        {
            "alarm": alarm.alarm,
            "subject": alarm.subject,
            "detail": alarm.detail,
            "since": time(begun),
        }
        for alarm, begun in zip(report.alarms, since, strict=True)
    ]
    whole: dict[str, object] = {
        "at": time(report.at),
        "clock_trusted": report.clock_trusted,
        "lanes": dict(report.lanes),
        "alarms": alarms,
        "outbox": report.outbox,
        "free_disk_mb": report.free_disk_mb,
        "list_versions": [_version(one) for one in report.list_versions],
        "journal": report.journal,
        "seq": report.seq,
        "asked": asked,
    }
    if len(_json(whole)) > at_most:
        # The peers need each alarm's word, and nothing more of it.
        words = {alarm.alarm for alarm in report.alarms}
        whole["alarms"] = [{"alarm": word} for word in sorted(words)]
        left, gone = without_largest(whole, ("lanes", "list_versions", "alarms"), at_most - 64)
        whole = {**left, "cut": gone}
    return _json(whole)


def time(at: datetime) -> str:
    """An aware moment as the wire writes it: `2026-11-23T08:15:00.250000Z`."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def _version(held: ListVersion) -> dict[str, object]:
    return {"list": held.list, "version": held.version, "as_of": time(held.as_of)}


def _json(value: dict[str, object]) -> bytes:
    return pydantic_core.to_json(value)
