"""Marks of other controllers' journals, standing orders, and stays that say why they are doubted.

What a stay holds is rewritten: doubts become blemishes, found at the entry for want of better
knowledge, and a pause at an exit is forgotten: with this start the count begins from zero.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_AT_A_TIME = 1000


def upgrade() -> None:
    """Add what is new, and make the stays again."""
    op.create_table(
        "peers",
        sa.Column("controller", sa.Text, primary_key=True),
        sa.Column("journal", sa.Text, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
    )
    op.create_table(
        "standing",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("holds", sa.Boolean, nullable=False),
    )
    op.drop_index("stays_open", "stays")
    op.rename_table("stays", "stays_0001")
    new = _stays()
    for some in _rewritten():
        op.bulk_insert(new, some)
    op.drop_table("stays_0001")


def _stays() -> sa.Table:
    made = op.create_table(
        "stays",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("plate", sa.Text, nullable=False),
        sa.Column("ended_at", sa.Text),
        sa.Column("body", sa.Text, nullable=False),
    )
    unended = sa.text("ended_at IS NULL")
    op.create_index("stays_open", "stays", ["id"], sqlite_where=unended)
    ended = sa.text("ended_at IS NOT NULL")
    op.create_index("stays_ended", "stays", ["ended_at"], sqlite_where=ended)
    op.create_index("stays_plate", "stays", ["plate"])
    return made


def _rewritten() -> Iterator[list[dict[str, object]]]:
    rows = op.get_bind().execute(sa.text("SELECT id, zone, plate, body FROM stays_0001"))
    for some in rows.partitions(_AT_A_TIME):
        yield [_row(*row) for row in some]


def _row(stay: str, zone: str, plate: str, text: str) -> dict[str, object]:
    body = json.loads(text)
    return {
        "id": stay,
        "zone": zone,
        "plate": plate,
        "ended_at": None if body["ended"] is None else _moment(body["ended"]["wall"]),
        "body": json.dumps(_body(body), ensure_ascii=False),
    }


def _body(old: dict[str, Any]) -> dict[str, Any]:
    gone = {"paused_at", "paused_s", "doubts"}
    kept = {key: value for key, value in old.items() if key not in gone}
    blemishes = [{"doubt": doubt, "at": old["entered"]} for doubt in old["doubts"]]
    return {**kept, "counted_from": old["entered"], "blemishes": blemishes}


def _moment(wall: str) -> str:
    utc = datetime.fromisoformat(wall).astimezone(UTC)
    return utc.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
