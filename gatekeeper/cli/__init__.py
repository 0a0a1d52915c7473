"""The command line: one file per noun. Exit code 0, 1 (it failed), 2 (wrong usage); errors are
one line each on stderr. What a command needs is imported when it runs, so that each starts fast.
"""

import importlib
import sys
from importlib.metadata import entry_points

import click

from gatekeeper import __version__
from gatekeeper.errors import CommandMissingError, GatekeeperError

_COMMANDS = {
    "run": "Run the controller.",
    "status": "Show how the gate stands, and what to do about its alarms.",
    "open": "Open a barrier once.",
    "hold": "Keep a boom up.",
    "release": "Let a boom down again, or end a fire that is over.",
    "fleet": "Keep a boom up for a convoy.",
    "lockdown": "Stop the entries, or let them go on.",
    "recount": "Say how many vehicles are in a zone.",
    "check": "Check a configuration file.",
    "read": "Read the plates in pictures.",
    "events": "Show the journal, or decide again what it tells.",
    "stays": "Show who is inside, and what speaks against a certain overstay.",
    "blacklist": "Show the blacklist, or take a plate off it.",
    "networks": "Show, verify, install, choose or try sets of recognition networks.",
    "barrier": "Show what the lanes are wired to, or try a lane's relays and inputs.",
}

_FILES = dict.fromkeys(("open", "hold", "release", "fleet", "lockdown", "recount"), "acts")
"""Where a command is that has no file of its own."""

_NAMES = {"open": "open_"}

_PLAYED = {
    "demo": "Play a day at the gate with simulated hardware.",
    "simulate": "Let a simulated site live, and see who is judged rightly.",
}
"""Commands of the distribution gatekeeper-simulators, which a gate does not have."""


class _Lazy(click.Group):
    """A group whose commands are imported only when called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*_COMMANDS, *_PLAYED]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _PLAYED:
            return _played(cmd_name)
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"gatekeeper.cli.{_FILES.get(cmd_name, cmd_name)}")
        command = getattr(module, _NAMES.get(cmd_name, cmd_name))
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([*_COMMANDS.items(), *_PLAYED.items()])


def _played(name: str) -> click.Command:
    """A command of another distribution; raises `CommandMissingError` where it is not there."""
    for found in entry_points(group="gatekeeper.commands", name=name):
        command = found.load()
        if isinstance(command, click.Command):
            return command
    raise CommandMissingError(
        f"{name}: is not installed, for no gate needs it;"
        " to have it: pip install ./simulators, in gatekeeper's source"
    )


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
