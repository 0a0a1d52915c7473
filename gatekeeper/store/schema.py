"""The tables as they are now, and the revision that made them so.

Nothing here touches a file. A change here comes with a migration that makes the same of an older
database, and a new `HEAD`.
"""

from datetime import UTC, datetime
from functools import lru_cache

from sqlalchemy import (
    Boolean,
    Column,
    Dialect,
    Float,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    text,
)

HEAD = "0005"
"""Alembic's newest revision, said here so that an ordinary start need not import Alembic."""

EVERY_ZONE = ""
"""How `ListRow.zone` None is stored: a primary key cannot hold NULL and still be one."""


@lru_cache(maxsize=16)  # the events of one commit have one moment
def moment(value: datetime) -> str:
    """An aware datetime as RFC 3339 text in UTC with six decimals, which sorts as time does.

    A naive datetime is a mistake of the caller's: ValueError.
    """
    if value.tzinfo is None:
        raise ValueError(f"{value!r} names no time zone")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


class Moment(TypeDecorator[datetime]):
    """A column of such texts (`moment`)."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """To text."""
        return None if value is None else moment(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """Back to an aware datetime in UTC."""
        return None if value is None else datetime.fromisoformat(value)


metadata = MetaData()

journal = Table(
    "journal",
    metadata,
    # One row: the life of this database, and how far the centre has confirmed it. The outbox is
    # what lies beyond, so no transaction can write the one and forget the other.
    Column("id", Text, primary_key=True),
    Column("confirmed", Integer, nullable=False),
    # The number of its first event: above 1 where it goes on in a database that was restored.
    Column("first", Integer, nullable=False, server_default=text("1")),
)

events = Table(
    "events",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("lane", Text),
    Column("passage", Text),
    Column("occurred_at", Moment, nullable=False),
    Column("boot_id", Text, nullable=False),
    Column("boot_s", Float, nullable=False),
    Column("clock_trusted", Boolean, nullable=False),
    Column("body", Text, nullable=False),
)

commands = Table(
    "commands",
    metadata,
    # What the journal says of barrier commands, so that it need not all be read to ask.
    Column("id", Text, primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("lane", Text),
    Column("passage", Text),
    Column("finished", Boolean, nullable=False),
)
Index("commands_unfinished", commands.c.seq, sqlite_where=commands.c.finished.is_(False))

orders = Table(
    "orders",
    metadata,
    # What the journal says of answered orders.
    Column("id", Text, primary_key=True),
    Column("outcome", Text, nullable=False),
    Column("detail", Text, nullable=False),
)

stays = Table(
    "stays",
    metadata,
    Column("id", Text, primary_key=True),
    Column("zone", Text, nullable=False),
    Column("plate", Text, nullable=False),
    Column("ended_at", Moment),
    Column("body", Text, nullable=False),
)
Index("stays_open", stays.c.id, sqlite_where=stays.c.ended_at.is_(None))
Index("stays_ended", stays.c.ended_at, sqlite_where=stays.c.ended_at.is_not(None))
Index("stays_plate", stays.c.plate)

evidence = Table(
    "evidence",
    metadata,
    # The passages whose pictures show what a person may have to judge: a stay that was overstayed
    # or suspected. `unreviewed` until a person has put the plate on the blacklist or off it.
    Column("stay", Text, primary_key=True),
    Column("passage", Text, primary_key=True),
    Column("zone", Text, nullable=False),
    Column("plate", Text, nullable=False),
    Column("unreviewed", Boolean, nullable=False),
    sqlite_with_rowid=False,
)
Index("evidence_plate", evidence.c.plate)

counts = Table(
    "counts",
    metadata,
    Column("zone", Text, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("trusted", Boolean, nullable=False),
)

peers = Table(
    "peers",
    metadata,
    # How far the journal of each other controller of the site has been taken in.
    Column("controller", Text, primary_key=True),
    Column("journal", Text, nullable=False),
    Column("seq", Integer, nullable=False),
)

standing = Table(
    "standing",
    metadata,
    # Orders that hold until they are lifted, by name; one never given is absent.
    Column("name", Text, primary_key=True),
    Column("holds", Boolean, nullable=False),
)

holds = Table(
    "holds",
    metadata,
    # Standing orders that keep booms up, by the order that asked for them.
    Column("lane", Text, primary_key=True),
    Column("order", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

lists = Table(
    "lists",
    metadata,
    # `edition` is the one of the centre's rows that counts; a snapshot comes in beside it as the
    # next one, a piece at a time, and counts from the moment this number changes.
    Column("list", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("as_of", Moment, nullable=False),
    Column("edition", Integer, nullable=False),
    # Whether a person said that the next whole list is right, however short it is.
    Column("may_shrink", Boolean, nullable=False, server_default=text("0")),
)

list_rows = Table(
    "list_rows",
    metadata,
    Column("plate", Text, primary_key=True),
    Column("list", Text, primary_key=True),
    Column("zone", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("edition", Integer, primary_key=True, autoincrement=False),
    Column("owner", Text, primary_key=True),
    Column("valid_from", Moment),
    Column("valid_until", Moment),
    Column("note", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("suspended", Boolean, nullable=False),
    sqlite_with_rowid=False,  # plates come first in the one tree there is: a question is one seek
)

unswept = Table(
    "unswept",
    metadata,
    # Lists that may hold rows of an edition that does not count.
    Column("list", Text, primary_key=True),
)
