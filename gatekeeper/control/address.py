"""Where the control socket is, and what is said on it."""

from pathlib import Path
from typing import Final

from gatekeeper import kernelname

LINE_BYTES: Final = 1 << 20
"""The longest line, question or answer: one JSON object."""

ANSWER_S: Final = 30.0
"""No answer takes longer: an opening is given up before."""


def address(database: Path) -> str:
    """The socket of the controller that keeps this database."""
    return kernelname.of_database(database, "control-")
