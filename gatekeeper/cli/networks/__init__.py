"""`gatekeeper networks [FILE] VERB ...`: the sets of recognition networks of this gate.

FILE is the word that ends in `.toml`, the configuration; without one it is the usual place. A set
that is chosen reads from the controller's next start on.
"""

import click

from gatekeeper.cli.networks import inventory
from gatekeeper.cli.networks.shadow import try_
from gatekeeper.cli.networks.switching import install, use


class _Networks(click.Group):
    """Verbs of which each takes FILE first, wherever it was written."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put verb and FILE where click looks for them."""
        if args and args[0] != "--help":
            file = next((word for word in args if word.endswith(".toml")), None)
            rest = list(args)
            if file is not None:
                rest.remove(file)
            verb = rest.pop(0) if rest and rest[0] in self.commands else "list"
            args = [verb, *([] if "--help" in rest else [file or str(inventory.USUAL)]), *rest]
        return super().parse_args(ctx, args)


@click.group(cls=_Networks)
def networks() -> None:
    """Show and verify sets of recognition networks, install one, choose the one that reads, or try
    one in the shadow of the live one: `gatekeeper networks [FILE.toml] VERB ...`.
    """


for command in (inventory.listing, inventory.verify, install, use, try_):
    networks.add_command(command)
