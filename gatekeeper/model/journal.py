"""Facts on their way into the journal, and out of it."""

from dataclasses import dataclass
from datetime import datetime

from gatekeeper.model.decisions import ZoneState
from gatekeeper.model.facts import Fact
from gatekeeper.model.holds import Hold
from gatekeeper.model.lists import ListName, ListRow
from gatekeeper.model.stays import Stay
from gatekeeper.model.time import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A fact on its way into the journal, with the lane and passage it belongs to."""

    fact: Fact
    at: Instant
    lane: str | None = None
    passage: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact in the journal, never changed. `seq` is gapless within `journal`."""

    id: str
    journal: str
    seq: int
    record: Record


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerMark:
    """How far this controller has taken in the journal of another one."""

    controller: str
    journal: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerEvent:
    """An event of another controller of the site, as the broker brought it.

    `occurred_at` is that controller's wall clock, worth something only where `clock_trusted`;
    `fact` is None for a kind that this version does not know.
    """

    controller: str
    journal: str
    seq: int
    lane: str | None
    passage: str | None
    occurred_at: datetime
    clock_trusted: bool
    fact: Fact | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerHealth:
    """What another controller says of itself every half minute: at `at` by its wall clock, `seq`
    was the last event of `journal`, and `alarms` stand (each by its one word). `online` is False
    for its last will or its farewell.
    """

    controller: str
    journal: str
    seq: int
    at: datetime
    clock_trusted: bool
    online: bool = True
    alarms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """All that one step changes: written in one transaction, or not at all.

    `stays` and `counts` replace what was stored under the same id or zone. `listed` are rows of
    the blacklist that this gate, another or a person (`row.source`) adds, `suspended` the (zone,
    plate) of rows of gates set aside, `removed` the (zone or None for all, plate) of blacklist rows
    of whatever source taken off. `marks` is how far the journals of other controllers have been
    taken in; `lockdown` and `fire` replace what stands stored, None leaves it as it is. `released`
    are the (lane, order) of holds that are over, taken away before `held` are stored; `counted` are
    holds as they are now, where they still are stored. `may_shrink` is a list whose next version
    may be as short as it likes.
    """

    records: tuple[Record, ...]
    stays: tuple[Stay, ...] = ()
    listed: tuple[ListRow, ...] = ()
    suspended: tuple[tuple[str, str], ...] = ()
    removed: tuple[tuple[str | None, str], ...] = ()
    counts: tuple[ZoneState, ...] = ()
    marks: tuple[PeerMark, ...] = ()
    lockdown: bool | None = None
    fire: bool | None = None
    held: tuple[Hold, ...] = ()
    released: tuple[tuple[str, str], ...] = ()
    counted: tuple[Hold, ...] = ()
    may_shrink: ListName | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """An event the centre still has to confirm; `body` is the fact as JSON, ready for the wire, and
    `first` the number with which its journal begins.
    """

    id: str
    journal: str
    seq: int
    kind: str
    lane: str | None
    passage: str | None
    occurred_at: datetime
    clock_trusted: bool
    body: bytes
    first: int = 1
