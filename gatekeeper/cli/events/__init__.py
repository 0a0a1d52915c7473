"""`gatekeeper events`: the journal shown (`listing`), or decided again by the rules (`replay`)."""

import click

from gatekeeper.cli.events.listing import listing
from gatekeeper.cli.events.replay import replay
from gatekeeper.cli.verbs import Verbs


@click.group(cls=Verbs)
def events() -> None:
    """Show the journal: `events FILE`. Decide again what it tells: `events replay FILE`."""


events.add_command(listing)
events.add_command(replay)

__all__ = ["events"]
