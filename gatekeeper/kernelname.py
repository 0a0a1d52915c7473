"""Names of Unix sockets in the kernel's own name space (unix(7)): they need no disk, and go with
the program that holds them.
"""

import hashlib
import os
from pathlib import Path


def of_database(database: Path, what: str = "") -> str:
    """The name that belongs to this database and no other. It begins with a zero byte, and has room
    for 107 characters more, which a path may exceed.
    """
    digest = hashlib.sha256(os.fsencode(database.absolute())).hexdigest()
    return f"\0gatekeeper-{what}{digest}"
