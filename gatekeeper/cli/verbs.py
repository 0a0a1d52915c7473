"""Commands with verbs: `gatekeeper NOUN FILE` lists, `gatekeeper NOUN FILE VERB` does more."""

import click


def said(ctx: click.Context, parameter: click.Parameter, value: str) -> str:
    """A change has to say who made it and why: spaces alone are refused."""
    if not value.strip():
        raise click.BadParameter("may not be empty: it is kept in the journal")
    return value.strip()


class Verbs(click.Group):
    """The verb may stand before or after FILE; without one it is `list`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the verb where click looks for it."""
        if args and args[0] != "--help":
            verb = next((word for word in args[:2] if word in self.commands), None)
            rest = list(args)
            if verb is not None:
                rest.remove(verb)
            args = [verb or "list", *rest]
        return super().parse_args(ctx, args)
