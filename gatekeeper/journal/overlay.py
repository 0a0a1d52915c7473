"""What the lists say, where part of it is not on the disk yet.

A listing of the store and the commits that wait come in; the listing as it will be when they are
written goes out. A commit that the store has taken already changes nothing a second time.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace

from gatekeeper.model import Commit, Listing, ListName, ListRow, RowSource

_OF_GATES = (RowSource.GATE, RowSource.PEER)
"""Only rows that gates made are suspended; what a person put there stays (`Commit.suspended`)."""


def changes_lists(commit: Commit) -> bool:
    """Whether a commit says anything of the lists."""
    return bool(commit.removed or commit.listed or commit.suspended)


def overlaid(
    listing: Listing,
    plates: Collection[str],
    commits: Iterable[Commit],
    *,
    suspended: bool = False,
) -> Listing:
    """The rows of `plates` as they are after `commits`, which are taken in their order; within one,
    rows are removed first, then listed, then suspended, as the store does. Where `suspended` rows
    are in the listing, too, they stay in it.
    """
    rows = {_key(row): row for row in listing.rows}
    for commit in commits:
        rows = {key: row for key, row in rows.items() if not _is_removed(row, commit)}
        rows |= {_key(row): row for row in commit.listed if row.plate in plates}
        if not suspended:
            rows = {key: row for key, row in rows.items() if not _is_suspended(row, commit)}
    return replace(listing, rows=tuple(rows.values()))


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
