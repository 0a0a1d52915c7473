"""The lists the centre keeps, and how far this gate has followed them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ListName(StrEnum):
    """The lists of the registry."""

    VISITORS = "visitors"
    INTERNALS = "internals"
    BLACKLIST = "blacklist"
    EXEMPT = "exempt"


class RowSource(StrEnum):
    """Who put a row on a list: the centre, this gate (an overstay it saw itself), another gate of
    the site, which told of it through the broker, or a person who ordered it, here or there.
    """

    CENTRE = "centre"
    GATE = "gate"
    PEER = "peer"
    PERSON = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRow:
    """One plate on one list.

    `zone` is set where the row holds for one zone only (blacklist); the row counts from
    `valid_from` until just before `valid_until`, each open-ended if None. `owner` is whose row it
    is, where several may list one plate: it is listed as long as one of them does.
    """

    list: ListName
    plate: str
    zone: str | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    note: str = ""
    owner: str = ""
    source: RowSource = RowSource.CENTRE
    version: int = 0

    def valid_at(self, now: datetime) -> bool:
        """Whether the row counts at `now` (aware)."""
        begun = self.valid_from is None or self.valid_from <= now
        return begun and (self.valid_until is None or now < self.valid_until)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListVersion:
    """How far this gate has followed one list; a list never received is absent, not version 0."""

    list: ListName
    version: int
    as_of: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What the lists say about a handful of plates: the question's half of the registry."""

    rows: tuple[ListRow, ...] = ()
    versions: tuple[ListVersion, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRow:
    """A row of a list that cannot be one: its place in what came, from 0, what it says, and why."""

    number: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The rows of a list that were left out: how many, and the first of them."""

    count: int = 0
    first: tuple[RefusedRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListChange:
    """One row added (or replaced), or one plate taken off: that of the row's owner, or of all where
    it names none (`row.note` and dates are then idle).
    """

    remove: bool
    row: ListRow


@dataclass(frozen=True, slots=True, kw_only=True)
class ListChanges:
    """A step from version `since` of a list to version `version`, applied whole or not at all."""

    list: ListName
    since: int
    version: int
    changes: tuple[ListChange, ...]
    refused: Refused = Refused()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSnapshot:
    """A whole list at one version; it replaces what the centre sent before.

    `rows` may be made while they are gone through, for a million would fill the memory of a small
    machine; they are gone through once. With `reset` it counts though its version is no newer: the
    centre was restored. With `shrinks` it is meant to be much shorter than the one before.
    """

    list: ListName
    version: int
    rows: Iterable[ListRow]
    refused: Refused = Refused()
    reset: bool = False
    shrinks: bool = False
