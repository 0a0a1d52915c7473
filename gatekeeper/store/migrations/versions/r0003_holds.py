"""Standing orders that keep booms up."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add what is new."""
    op.create_table(
        "holds",
        sa.Column("lane", sa.Text, primary_key=True),
        sa.Column("order", sa.Text, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
    )
