"""What the other controllers of the site say, to values.

Pure. The same bodies that `wire` writes for the centre come in, as another controller wrote them;
they go out as values of `model`, or as a `WireError`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from gatekeeper.errors import StoreError, WireError
from gatekeeper.model import Fact, Instant, PeerEvent, PeerHealth
from gatekeeper.store.facts import fact_of
from gatekeeper.sync.fields import FIRST, LAST, Name, Time, Truth, Whole, fit, parsed

EVENT_BYTES = 256 * 1024
"""The longest event that is read; one that is longer is missed, and a gap."""

ALARMS = 1000
"""Alarms that may stand at a peer: more than it has devices."""

MOST = 1e9
"""The largest number with a fraction that a fact can mean: 30 years in seconds. What is larger
could not be taken from a time.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    site: Name
    controller: Name
    journal: Name
    seq: Whole
    lane: Name | None
    passage: Name | None
    kind: Name
    occurred_at: Time
    clock_trusted: Truth
    body: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class _Alarm:
    alarm: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class _Health:
    at: Time
    clock_trusted: Truth
    journal: Name
    seq: Whole
    alarms: Annotated[tuple[_Alarm, ...], Field(max_length=ALARMS)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Status:
    state: Literal["online", "offline"]


_EVENT = TypeAdapter(_Event)
_HEALTH = TypeAdapter(_Health)
_STATUS = TypeAdapter(_Status)


def event(site: str, controller: str, kind: str, body: bytes) -> PeerEvent:
    """The body of `{controller}/events/{kind}`; raises `WireError`, also if it claims to come from
    elsewhere: only of the topic the broker's access list makes sure.
    """
    read = fit(_EVENT, parsed(body, EVENT_BYTES))
    for field, claimed, true in (
        ("site", read.site, site),
        ("controller", read.controller, controller),
        ("kind", read.kind, kind),
    ):
        if claimed != true:
            raise WireError(f"{field}: says {claimed}, but came on the topic of {true}")
    return PeerEvent(
        controller=controller,
        journal=read.journal,
        seq=read.seq,
        lane=read.lane,
        passage=read.passage,
        occurred_at=read.occurred_at,
        clock_trusted=read.clock_trusted,
        fact=_fact(kind, read.body),
    )


def health(controller: str, body: bytes) -> PeerHealth:
    """The body of `{controller}/health`; raises `WireError`."""
    read = fit(_HEALTH, parsed(body))
    return PeerHealth(
        controller=controller,
        journal=read.journal,
        seq=read.seq,
        at=read.at,
        clock_trusted=read.clock_trusted,
        alarms=tuple(dict.fromkeys(each.alarm for each in read.alarms)),
    )


def farewell(controller: str, body: bytes, now: Instant) -> PeerHealth | None:
    """The body of `{controller}/status`, heard at `now`: None for one that is online, for that its
    health says better. Raises `WireError`.
    """
    if fit(_STATUS, parsed(body)).state == "online":
        return None
    return PeerHealth(
        controller=controller,
        journal="",
        seq=0,
        at=now.wall,
        clock_trusted=now.trusted,
        online=False,
    )


def _fact(kind: str, body: object) -> Fact | None:
    """None for what another version means by it, or nothing can: its number still counts."""
    try:
        fact = fact_of(kind, json.dumps(body, allow_nan=False))
    except (StoreError, ValueError, RecursionError):
        return None
    return fact if _is_bounded(fact) else None


def _is_bounded(value: object) -> bool:
    """Whether hours can be added to all times in it, and all numbers taken from a time."""
    if isinstance(value, float):
        return abs(value) <= MOST
    if isinstance(value, datetime):
        return FIRST <= value < LAST
    if isinstance(value, Mapping):
        return all(_is_bounded(each) for each in value.values())
    if isinstance(value, tuple):
        return all(_is_bounded(each) for each in value)
    if is_dataclass(value):
        return all(_is_bounded(getattr(value, field.name)) for field in fields(value))
    return True
