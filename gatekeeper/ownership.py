"""Whose the files of a gate are: those of the service, also what a technician's `sudo` has made."""

import errno
import grp
import os
import pwd
from contextlib import suppress
from pathlib import Path


def give_to_owner(path: Path) -> None:
    """Give a file or folder made by root to the owner of the folder it lies in: a technician's
    `sudo` must leave nothing that the service cannot use. Files SQLite makes beside a database
    follow its owner.
    """
    with suppress(OSError):
        folder = path.parent.stat()
        if os.geteuid() == 0 and path.stat().st_uid != folder.st_uid:
            os.chown(path, folder.st_uid, folder.st_gid)


def denied(path: Path, error: OSError) -> str:
    """What the system says against a file; where rights are missing, whose it is and what to do."""
    said = error.strerror or str(error)
    if error.errno not in (errno.EACCES, errno.EPERM):
        return said
    place = next((each for each in (path, *path.parents) if _seen(each)), Path("/"))
    told = place.stat()
    ways = ["use sudo", "give it to the service's user"]
    if told.st_mode & 0o040 and told.st_gid:
        ways.insert(1, f"join the group {group_name(told.st_gid)}")
    return f"{said}: {place} belongs to {user_name(told.st_uid)}; {', or '.join(ways)}"


def user_name(uid: int) -> str:
    """A user as people call it, or the number of one that has no name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def group_name(gid: int) -> str:
    """A group as people call it, or the number of one that has no name."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return f"{gid}"


def _seen(path: Path) -> bool:
    try:
        path.stat()
    except OSError:
        return False
    return True
