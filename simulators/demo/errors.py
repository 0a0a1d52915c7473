"""What keeps the demonstration from being played."""

from gatekeeper.errors import GatekeeperError


class DemoError(GatekeeperError):
    """The demonstration cannot be played: a program or pictures it needs are missing."""
