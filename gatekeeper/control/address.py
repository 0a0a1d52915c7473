"""Where the control socket is, and what is said on it."""

import hashlib
import os
from pathlib import Path
from typing import Final

LINE_BYTES: Final = 1 << 20
"""The longest line, question or answer: one JSON object."""

ANSWER_S: Final = 30.0
"""No answer takes longer: an opening is given up before."""


def address(database: Path) -> str:
    """The socket of the controller that keeps this database, in the kernel's own name space
    (unix(7)): it needs no disk, and goes with the program.
    """
    digest = hashlib.sha256(os.fsencode(database.absolute())).hexdigest()
    return f"\0gatekeeper-control-{digest}"
