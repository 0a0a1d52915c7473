"""Every error the controller raises on purpose, as one tree.

Each one names the device, file or key it is about, and its text says what a technician can do.
Code that can handle an error catches its own class; only the supervisor in `app` catches the root.
"""


class GatekeeperError(Exception):
    """Root of the tree: `except GatekeeperError` catches what was foreseen, and nothing else."""


class ConfigError(GatekeeperError):
    """The configuration file cannot be used; the text has one line for each key that is wrong."""


class ClockError(GatekeeperError):
    """The operating system does not give what the controller's clock needs."""


class PictureError(GatekeeperError):
    """A picture cannot be read: absent, empty, or no picture."""


class NetworkSetError(GatekeeperError):
    """A set of recognition networks is missing, incomplete, or not what its manifest says."""


class CameraError(GatekeeperError):
    """A camera gave no usable frame within its time limit."""


class BoardError(GatekeeperError):
    """A relay board did not answer, or answered something else than it was asked."""


class DisplayError(GatekeeperError):
    """The serial line of a display cannot be opened, or does not take what is written to it."""


class StoreError(GatekeeperError):
    """The database cannot be opened, read or written."""


class UnacceptableError(StoreError):
    """What was to be written is not what a database takes: it will never be written."""


class LockError(GatekeeperError):
    """Another program works with the devices of this gate: two would move the same barriers."""


class PartEndedError(GatekeeperError):
    """A part of a whole has ended that should not: the whole has to begin again."""


class ControlError(GatekeeperError):
    """The running controller does not let itself be asked, or cannot answer."""


class LaneTestError(GatekeeperError):
    """The relays of a lane must not be tried now."""


class BlacklistError(GatekeeperError):
    """A plate cannot be taken off the blacklist as asked."""


class WireError(GatekeeperError):
    """A message from the centre is not what the protocol allows; it was refused whole."""


class CommandMissingError(GatekeeperError):
    """A command belongs to a distribution that is not installed here."""
