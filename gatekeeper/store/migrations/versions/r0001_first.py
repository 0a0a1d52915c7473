"""The first schema.

Written out rather than taken from `gatekeeper.store.schema`: that one moves on, this one never.
Moments are text here: how they are read is the program's affair.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make all tables."""
    _journal()
    _state()
    _registry()


def _journal() -> None:
    op.create_table(
        "journal",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("confirmed", sa.Integer, nullable=False),
    )
    op.create_table(
        "events",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("lane", sa.Text),
        sa.Column("passage", sa.Text),
        sa.Column("occurred_at", sa.Text, nullable=False),
        sa.Column("boot_id", sa.Text, nullable=False),
        sa.Column("boot_s", sa.Float, nullable=False),
        sa.Column("clock_trusted", sa.Boolean, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "commands",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("lane", sa.Text),
        sa.Column("passage", sa.Text),
        sa.Column("finished", sa.Boolean, nullable=False),
    )
    op.create_index(
        "commands_unfinished", "commands", ["seq"], sqlite_where=sa.text("finished IS 0")
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
    )


def _state() -> None:
    op.create_table(
        "stays",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("plate", sa.Text, nullable=False),
        sa.Column("ended", sa.Boolean, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("stays_open", "stays", ["id"], sqlite_where=sa.text("ended IS 0"))
    op.create_table(
        "counts",
        sa.Column("zone", sa.Text, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("trusted", sa.Boolean, nullable=False),
    )


def _registry() -> None:
    op.create_table(
        "lists",
        sa.Column("list", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("as_of", sa.Text, nullable=False),
        sa.Column("edition", sa.Integer, nullable=False),
    )
    op.create_table(
        "list_rows",
        sa.Column("plate", sa.Text, primary_key=True),
        sa.Column("list", sa.Text, primary_key=True),
        sa.Column("zone", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("edition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("valid_from", sa.Text),
        sa.Column("valid_until", sa.Text),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("suspended", sa.Boolean, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table("unswept", sa.Column("list", sa.Text, primary_key=True))
