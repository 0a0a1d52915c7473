"""The command line: one file per noun. Exit code 0, 1 (it failed), 2 (wrong usage); errors are
one line each on stderr. What a command needs is imported when it runs, so that each starts fast.
"""

import importlib
import sys

import click

from gatekeeper import __version__
from gatekeeper.errors import GatekeeperError

_COMMANDS = {
    "run": "Run the controller.",
    "demo": "Play a day at the gate with simulated hardware.",
    "check": "Check a configuration file.",
    "read": "Read the plates in pictures.",
    "events": "Show the journal, or decide again what it tells.",
    "stays": "Show who is inside, and what speaks against a certain overstay.",
    "blacklist": "Show the blacklist, or take a plate off it.",
    "barrier": "Show what the lanes are wired to, or try a lane's relays and inputs.",
    "simulate": "Let a simulated site live, and see who is judged rightly.",
}


class _Lazy(click.Group):
    """A group whose commands are imported only when called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"gatekeeper.cli.{cmd_name}")
        command = getattr(module, cmd_name)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_Lazy)
@click.version_option(__version__, prog_name="gatekeeper")
def gatekeeper() -> None:
    """Gatekeeper: the controller at the gates of a public car park."""


def main() -> None:
    """Entry point of the `gatekeeper` program."""
    try:
        gatekeeper(standalone_mode=True)
    except GatekeeperError as error:
        for line in str(error).splitlines():
            print(f"gatekeeper: {line}", file=sys.stderr)
        sys.exit(1)
