"""The pictures that a person may need to judge a stay, so that they are not swept with the others.

Of stays that were judged before this, the entry is evidence; the way out was not written with them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add what is new."""
    op.create_table(
        "evidence",
        sa.Column("stay", sa.Text, primary_key=True),
        sa.Column("passage", sa.Text, primary_key=True),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("plate", sa.Text, nullable=False),
        sa.Column("unreviewed", sa.Boolean, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("evidence_plate", "evidence", ["plate"])
    op.execute(
        "INSERT INTO evidence"
        " SELECT id, json_extract(body, '$.entry_passage'), zone, plate,"
        " json_extract(body, '$.judgement') = 'suspected'"
        " FROM stays WHERE json_extract(body, '$.judgement') IS NOT NULL"
    )
