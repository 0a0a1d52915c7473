"""Whose row it is, where several list one plate; and where a journal begins that goes on in a
database that was restored.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_BEFORE = (
    "plate",
    "list",
    "zone",
    "source",
    "edition",
    "valid_from",
    "valid_until",
    "note",
    "version",
    "suspended",
)


def upgrade() -> None:
    """Add what is new. The key of a table cannot be changed in its place: it is made again."""
    op.rename_table("list_rows", "list_rows_before")
    op.create_table(
        "list_rows",
        sa.Column("plate", sa.Text, primary_key=True),
        sa.Column("list", sa.Text, primary_key=True),
        sa.Column("zone", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("edition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("valid_from", sa.Text),
        sa.Column("valid_until", sa.Text),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("suspended", sa.Boolean, nullable=False),
        sqlite_with_rowid=False,
    )
    columns = ", ".join(_BEFORE)
    op.execute(
        f"INSERT INTO list_rows ({columns}, owner) SELECT {columns}, '' FROM list_rows_before"  # noqa: S608 - names of columns
    )
    op.drop_table("list_rows_before")
    op.add_column(
        "lists",
        sa.Column("may_shrink", sa.Boolean, nullable=False, server_default=sa.text("0")),
    )
    op.add_column(
        "journal", sa.Column("first", sa.Integer, nullable=False, server_default=sa.text("1"))
    )
