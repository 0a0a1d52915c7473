"""What the lists say, where part of it is not on the disk yet.

What the store says and the commits that wait come in; what it will say when they are written goes
out. A commit that the store has taken already changes nothing a second time.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace

from gatekeeper.model import Commit, Listing, ListName, ListRow, RowSource
from gatekeeper.store import BlacklistRow

_OF_GATES = (RowSource.GATE, RowSource.PEER)
"""Only rows that gates made are suspended; what a person put there stays (`Commit.suspended`)."""


def changes_lists(commit: Commit) -> bool:
    """Whether a commit says anything of the lists."""
    return bool(commit.removed or commit.listed or commit.suspended)


def overlaid(listing: Listing, plates: Collection[str], commits: Iterable[Commit]) -> Listing:
    """The rows of `plates` after `commits`, without those that these suspend."""
    rows = [BlacklistRow(row=row, suspended=False) for row in listing.rows]
    after = blacklist_after(rows, plates, commits)
    return replace(listing, rows=tuple(each.row for each in after if not each.suspended))


def blacklist_after(
    rows: Iterable[BlacklistRow], plates: Collection[str], commits: Iterable[Commit]
) -> tuple[BlacklistRow, ...]:
    """The rows of `plates` after `commits`, which are taken in their order; within one, rows are
    removed first, then listed, then suspended, as the store does.
    """
    held = {_key(each.row): each for each in rows}
    for commit in commits:
        held = {key: each for key, each in held.items() if not _is_removed(each.row, commit)}
        for row in commit.listed:
            if row.plate in plates:
                held[_key(row)] = BlacklistRow(row=row, suspended=False)
        for key, each in held.items():
            if _is_suspended(each.row, commit):
                held[key] = replace(each, suspended=True)
    return tuple(held.values())


def _key(row: ListRow) -> tuple[str, str, str | None, str]:
    return (row.list, row.plate, row.zone, row.source)


def _is_removed(row: ListRow, commit: Commit) -> bool:
    return row.list is ListName.BLACKLIST and any(
        plate == row.plate and zone in (None, row.zone) for zone, plate in commit.removed
    )


def _is_suspended(row: ListRow, commit: Commit) -> bool:
    return (
        row.list is ListName.BLACKLIST
        and row.source in _OF_GATES
        and any(plate == row.plate and zone == row.zone for zone, plate in commit.suspended)
    )
