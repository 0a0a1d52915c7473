"""`gatekeeper stays FILE [PLATE]`: who is inside, and why an overstay would be certain or not."""

import json
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatekeeper.cli.times import at_site, by_site

if TYPE_CHECKING:
    from gatekeeper.model import Stay


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("plate", required=False)
@click.option("--all", "ended", is_flag=True, help="Those that have ended, too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def stays(file: Path, plate: str | None, ended: bool, as_json: bool) -> None:
    """Show the open stays at the controller configured by FILE (those of PLATE only), each with
    its window: what speaks against a certain overstay.
    """
    from gatekeeper import config
    from gatekeeper.rules.plate import normalise
    from gatekeeper.store import journal

    settings = config.load(file)
    wanted = None if plate is None else normalise(plate)
    for stay in journal.stays(settings.store.path, all_=ended, plate=wanted):
        print((_as_json if as_json else _as_lines)(stay, settings.timezone))


def _as_json(stay: "Stay", zone: tzinfo) -> str:
    from gatekeeper.rules import window
    from gatekeeper.store import facts

    told = by_site(json.loads(facts.to_json(stay)), zone)
    said = told | {"window": window.explain(stay, zone)}
    return json.dumps(said, ensure_ascii=False)


def _as_lines(stay: "Stay", zone: tzinfo) -> str:
    """A row of the table (columns in the terminal's cells), and the window below it."""
    from rich.cells import set_cell_size

    from gatekeeper.rules import window

    limit = "no limit" if stay.limit is None else f"{stay.limit.limit_s:.0f} s"
    row = (
        f"{set_cell_size(stay.plate, 10)}  {stay.zone:<16}  {stay.vehicle:<11}"
        f"  {at_site(stay.entered.wall, zone)}  {limit:>8}  {_state(stay)}"
    )
    return "\n".join([row, *(f"    {line}" for line in window.explain(stay, zone))])


def _state(stay: "Stay") -> str:
    """How it stands: what it was judged to be, how it ended."""
    told = [stay.judgement, "inside" if stay.ended is None else stay.end]
    return ", ".join(word for word in told if word is not None)
