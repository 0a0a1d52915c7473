"""`gatekeeper blacklist FILE [remove PLATE]`: who is banned here, and a technician's way out.

A removal is a transaction of its own beside the controller's, whether that runs or not, and an
event, so that the centre and readers of the journal learn who did it and why.
"""

import asyncio
import json
from collections.abc import Iterable
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatekeeper.cli.times import at_site
from gatekeeper.cli.verbs import Verbs, said
from gatekeeper.errors import BlacklistError

if TYPE_CHECKING:
    from gatekeeper.model import ListRow


@click.group(cls=Verbs)
def blacklist() -> None:
    """Show the blacklist: `blacklist FILE`. Take a plate off it: `blacklist FILE remove PLATE`."""


@blacklist.command("list")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def listing(file: Path, as_json: bool) -> None:
    """Show the rows of the blacklist at the controller configured by FILE, by plate."""
    from gatekeeper import config
    from gatekeeper.store import journal

    settings = config.load(file)
    for one in journal.blacklist(settings.store.path):
        if as_json:
            print(_as_json(one.row, one.suspended, settings.timezone))
        else:
            print(_as_line(one.row, one.suspended, settings.timezone))


@blacklist.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("plate")
@click.option("--zone", metavar="ZONE", help="For this zone only; all its rows if left out.")
@click.option("--by", required=True, metavar="NAME", callback=said, help="Who takes it off.")
@click.option("--reason", required=True, metavar="TEXT", callback=said, help="Why.")
def remove(file: Path, plate: str, zone: str | None, by: str, reason: str) -> None:
    """Take PLATE off the blacklist of the controller configured by FILE. The journal keeps it."""
    from gatekeeper import config
    from gatekeeper.rules.plate import normalise
    from gatekeeper.store import journal

    path, plate = config.load(file).store.path, normalise(plate)
    zones = [one.row.zone for one in journal.blacklist(path) if one.row.plate == plate]
    if not zones:
        raise BlacklistError(f"{path}: {plate} is on no blacklist here")
    if zone is not None and zone not in zones:
        raise BlacklistError(
            f"{path}: {plate} is not on the blacklist of zone {zone}, but of {_named(zones)}:"
            " correct --zone, or leave it out to take off all"
        )
    asyncio.run(_take_off(path, plate, zone, by, reason))
    gone = zones if zone is None else [zone]
    print(f"{plate} is off the blacklist of {_named(gone)}")
    if left := [other for other in zones if other not in gone]:
        print(f"{plate} stays on the blacklist of {_named(left)}")


async def _take_off(path: Path, plate: str, zone: str | None, by: str, reason: str) -> None:
    from gatekeeper.clock import SystemClock
    from gatekeeper.model import BlacklistRemoved, Commit, Record
    from gatekeeper.store import Store

    fact = BlacklistRemoved(zone=zone, plate=plate, by=by, reason=reason)
    record = Record(fact=fact, at=SystemClock().instant())
    store = await Store.opened(path)
    try:
        await store.commit(Commit(records=(record,), removed=((zone, plate),)))
    finally:
        await store.close()


def _named(zones: Iterable[str | None]) -> str:
    return ", ".join(dict.fromkeys(zone or "every zone" for zone in zones))


def _as_json(row: "ListRow", suspended: bool, zone: tzinfo) -> str:
    until = row.valid_until
    said = {
        "plate": row.plate,
        "zone": row.zone,
        "source": row.source,
        "suspended": suspended,
        "valid_until": None if until is None else until.astimezone(zone).isoformat(),
        "note": row.note,
    }
    return json.dumps(said, ensure_ascii=False)


def _as_line(row: "ListRow", suspended: bool, zone: tzinfo) -> str:
    """A row of the table; columns are counted in the terminal's cells, of which 京 takes two."""
    from rich.cells import set_cell_size

    until = "" if row.valid_until is None else f"until {at_site(row.valid_until, zone)}"
    return (
        f"{set_cell_size(row.plate, 10)}  {row.zone or 'every zone':<16}  {row.source:<6}"
        f"  {'suspended' if suspended else '':<9}  {until:<31}  {row.note}"
    ).rstrip()
