"""What waits to be written: commits in order, bounded; the oldest passages become a gap.

A commit is numbered when it is posted, and leaves when all up to its number have been written.
Nothing here waits, reads a clock or touches a disk.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from gatekeeper.model import Commit, Hold, JournalGap, ListRow, PeerMark, Record, Stay, ZoneState

BOUND = 10_000
"""Facts and effects that may wait (situations, 31). Of more than this the oldest events become one
gap; what they left behind (stays, counts, lists, holds) is kept, folded into one commit."""

_KEPT_OF_TEN = 9
"""So many tenths remain after folding, so that it is done once for many commits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A commit's place in the log."""

    number: int


class Log:
    """The commits that wait, oldest first; all up to the number `written` are on the disk."""

    def __init__(self, bound: int = BOUND) -> None:
        self.written = 0
        self._bound = bound
        self._last = 0
        self._size = 0
        self._begun = 0
        self._waiting: deque[tuple[int, Commit]] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def append(self, commit: Commit) -> int:
        """Put a commit at the end; returns its number."""
        self._last += 1
        self._waiting.append((self._last, commit))
        self._size += _size(commit)
        if self._size > self._bound:
            self._fold()
        return self._last

    @property
    def last(self) -> int:
        """The number of the newest commit, 0 before the first."""
        return self._last

    def waiting(self) -> Iterator[Commit]:
        """The commits that are not known to be on the disk, oldest first."""
        return (commit for _, commit in self._waiting)

    def begin(self, limit: int) -> tuple[Commit, ...]:
        """The oldest commits, to be written now: they are not folded until `ended`."""
        self._begun = min(limit, len(self._waiting))
        return tuple(self._waiting[place][1] for place in range(self._begun))

    def ended(self, taken: int) -> None:
        """Of what was begun the first `taken` commits have been written, or given up."""
        for _ in range(taken):
            self.written, commit = self._waiting.popleft()
            self._size -= _size(commit)
        self._begun = 0

    def _fold(self) -> None:
        """Make one commit of the oldest that are not being written."""
        begun = [self._waiting.popleft() for _ in range(self._begun)]
        oldest: list[tuple[int, Commit]] = []
        while self._waiting and self._size > self._bound * _KEPT_OF_TEN // 10:
            oldest.append(self._waiting.popleft())
            self._size -= _size(oldest[-1][1])
        if oldest:
            gap = folded([commit for _, commit in oldest])
            self._waiting.appendleft((oldest[-1][0], gap))
            self._size += _size(gap)
        self._waiting.extendleft(reversed(begun))


def folded(commits: Sequence[Commit]) -> Commit:
    """One commit that leaves behind what these leave behind, one after the other; their events
    are one `JournalGap`.
    """
    fold = _Fold()
    for commit in commits:
        fold.take(commit)
    return fold.commit()


@dataclass(slots=True)
class _Fold:
    """What a series of commits leaves behind, by what each part is stored under."""

    records: list[Record] = field(default_factory=list)
    lost: int = 0
    stays: dict[str, Stay] = field(default_factory=dict)
    counts: dict[str, ZoneState] = field(default_factory=dict)
    marks: dict[str, PeerMark] = field(default_factory=dict)
    listed: dict[tuple[str | None, str, str], ListRow] = field(default_factory=dict)
    removed: dict[tuple[str | None, str], None] = field(default_factory=dict)
    suspended: dict[tuple[str, str], None] = field(default_factory=dict)
    held: dict[tuple[str, str], Hold] = field(default_factory=dict)
    counted: dict[tuple[str, str], Hold] = field(default_factory=dict)
    released: dict[tuple[str, str], None] = field(default_factory=dict)
    lockdown: bool | None = None
    fire: bool | None = None

    def take(self, commit: Commit) -> None:
        """The next commit."""
        self.records += commit.records[:1] + commit.records[-1:]
        del self.records[1:-1]
        self.lost += sum(_events(record) for record in commit.records)
        self.stays |= {stay.id: stay for stay in commit.stays}
        self.counts |= {state.zone: state for state in commit.counts}
        self.marks |= {mark.controller: mark for mark in commit.marks}
        self._take_lists(commit)
        self._take_holds(commit)
        self.lockdown = self.lockdown if commit.lockdown is None else commit.lockdown
        self.fire = self.fire if commit.fire is None else commit.fire

    def _take_lists(self, commit: Commit) -> None:
        for zone, plate in commit.removed:
            self.removed[zone, plate] = None
            for key in [key for key in self.listed if key[1] == plate and zone in (None, key[0])]:
                del self.listed[key]
        for row in commit.listed:
            self.listed[row.zone, row.plate, row.source] = row
            self.suspended.pop((row.zone or "", row.plate), None)
        self.suspended |= dict.fromkeys(commit.suspended)

    def _take_holds(self, commit: Commit) -> None:
        for key in commit.released:
            self.released[key] = None
            self.held.pop(key, None)
            self.counted.pop(key, None)
        for key, hold in _by_order(commit.held).items():
            self.held[key] = hold
            self.counted.pop(key, None)
        for key, hold in _by_order(commit.counted).items():
            (self.held if key in self.held else self.counted)[key] = hold

    def commit(self) -> Commit:
        """All of it."""
        return Commit(
            records=self._gap(),
            stays=tuple(self.stays.values()),
            counts=tuple(self.counts.values()),
            marks=tuple(self.marks.values()),
            listed=tuple(self.listed.values()),
            removed=tuple(self.removed),
            suspended=tuple(self.suspended),
            held=tuple(self.held.values()),
            counted=tuple(self.counted.values()),
            released=tuple(self.released),
            lockdown=self.lockdown,
            fire=self.fire,
        )

    def _gap(self) -> tuple[Record, ...]:
        if not self.records:
            return ()
        first, last = self.records[0], self.records[-1]
        since = first.fact.since if isinstance(first.fact, JournalGap) else first.at.wall
        return (Record(fact=JournalGap(events=self.lost, since=since), at=last.at),)


def _by_order(holds: Iterable[Hold]) -> dict[tuple[str, str], Hold]:
    return {(hold.lane, hold.order): hold for hold in holds}


def _events(record: Record) -> int:
    return record.fact.events if isinstance(record.fact, JournalGap) else 1


def _size(commit: Commit) -> int:
    return max(1, sum(len(part) for part in _parts(commit)))


def _parts(commit: Commit) -> tuple[Sequence[object], ...]:
    return (
        commit.records,
        commit.stays,
        commit.counts,
        commit.listed,
        commit.removed,
        commit.suspended,
        commit.held,
        commit.counted,
        commit.released,
    )
