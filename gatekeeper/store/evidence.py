"""Which pictures a person may need to judge a stay: those of its passages, while its case is open.

A case opens when a stay is judged. It is open while a row of the blacklist stands for the plate in
that zone, or is suspended, and until a person has put the plate on the blacklist or off it, where
the stay was only suspected. Commits come in; names of passages go out, after which pictures are
named.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    delete,
    or_,
    select,
    text,
    update,
)

from gatekeeper.model import Commit, Judgement, ListName, RowSource, Stay
from gatekeeper.store import rows
from gatekeeper.store.schema import EVERY_ZONE, evidence, list_rows
from gatekeeper.store.statement import Statement

_NOTE = Statement(
    # What a person has reviewed stays so, when the stay ends later.
    text(
        "INSERT OR IGNORE INTO evidence (stay, passage, zone, plate, unreviewed) VALUES (:stay,"
        " :passage, :zone, :plate,"
        " coalesce((SELECT min(unreviewed) FROM evidence WHERE stay = :stay), :unreviewed))"
    )
)
_ZONE: ColumnElement[str] = bindparam("in_zone")
_REVIEWED = Statement(
    update(evidence)
    .where(
        evidence.c.plate == bindparam("of_plate"),
        or_(_ZONE == EVERY_ZONE, evidence.c.zone == _ZONE),
    )
    .values(unreviewed=False)
)


def note(connection: Connection, commit: Commit) -> None:
    """Take in the stays of a commit that are judged, and what a person says in it of a plate."""
    for stay in commit.stays:
        if stay.judgement is not None:
            _note(connection, stay, commit)
    review(connection, commit.removed)
    said = [row for row in commit.listed if row.source is RowSource.PERSON]
    review(connection, ((row.zone, row.plate) for row in said))


def review(connection: Connection, entries: Iterable[tuple[str | None, str]]) -> None:
    """A person has judged each (zone or None for all, plate)."""
    _REVIEWED.run_all(
        connection, [{"in_zone": zone or EVERY_ZONE, "of_plate": plate} for zone, plate in entries]
    )


def open_passages(connection: Connection, now: datetime | None) -> frozenset[str]:
    """The passages of cases that are open at `now`; None: no row of the blacklist has run out."""
    return frozenset(connection.scalars(select(evidence.c.passage).where(_is_open(now))))


def close(connection: Connection, now: datetime | None) -> None:
    """Forget the cases that are not open."""
    connection.execute(delete(evidence).where(~_is_open(now)))


def _note(connection: Connection, stay: Stay, commit: Commit) -> None:
    told = {record.passage for record in commit.records if _is_about(record.fact, stay)}
    passages = {stay.entry_passage, *told, *(noted.passage for noted in stay.noted)}
    unreviewed = stay.judgement is Judgement.SUSPECTED
    values = {"stay": stay.id, "zone": stay.zone, "plate": stay.plate, "unreviewed": unreviewed}
    _NOTE.run_all(connection, [{**values, "passage": each} for each in passages if each])


def _is_about(fact: object, stay: Stay) -> bool:
    return getattr(fact, "stay", None) == stay.id


def _is_open(now: datetime | None) -> ColumnElement[bool]:
    row = and_(
        list_rows.c.plate == evidence.c.plate,
        list_rows.c.list == ListName.BLACKLIST,
        list_rows.c.zone.in_([evidence.c.zone, EVERY_ZONE]),
        rows.stands(),
    )
    if now is not None:
        until = list_rows.c.valid_until
        row &= or_(until.is_(None), until > now)
    return or_(evidence.c.unreviewed, select(list_rows.c.plate).where(row).exists())
