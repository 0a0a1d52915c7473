"""`gatekeeper events FILE`: the journal, also while the daemon writes it."""

import json
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatekeeper.cli.times import at_site, by_site

if TYPE_CHECKING:
    from gatekeeper.store.journal import JournalRow


@click.command("list")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--after", default=0, metavar="SEQ", help="Only events after this number.")
@click.option("--limit", type=int, metavar="N", help="At most this many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def listing(file: Path, after: int, limit: int | None, as_json: bool) -> None:
    """Show the events of the controller configured by FILE, oldest first."""
    from gatekeeper import config
    from gatekeeper.store import journal

    settings = config.load(file)
    rows = journal.events(settings.store.path, after=after, limit=limit)
    for row in rows:
        print((_as_json if as_json else _as_line)(row, settings.timezone))


def _as_json(row: "JournalRow", zone: tzinfo) -> str:
    said = {
        "seq": row.seq,
        "id": row.id,
        "journal": row.journal,
        "kind": row.kind,
        "lane": row.lane,
        "passage": row.passage,
        "occurred_at": row.occurred_at.astimezone(zone).isoformat(),
        "clock_trusted": row.clock_trusted,
        "confirmed": row.confirmed,
        "body": by_site(json.loads(row.body), zone),
    }
    return json.dumps(said, ensure_ascii=False)


def _as_line(row: "JournalRow", zone: tzinfo) -> str:
    mark = " " if row.confirmed else "*"
    when = at_site(row.occurred_at, zone)
    return f"{row.seq:>7}{mark} {when}  {row.lane or '-':<14} {row.kind:<20} {row.body}"
