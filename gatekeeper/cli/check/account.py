"""Whose service this is, and what its user may read and write, by owner, group and mode. Access
lists beyond those are not looked at.
"""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from gatekeeper.ownership import group_name, user_name

SERVICE = "gatekeeper"
"""The user of `systemd/gatekeeper.service`."""

READ, WRITE, SEARCH = 4, 2, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user with its groups."""

    name: str
    uid: int
    groups: frozenset[int]

    @classmethod
    def of_the_service(cls, folder: Path) -> Self | None:
        """The owner of the folder of the database; before there is one, the user of the unit."""
        try:
            uid = folder.stat().st_uid if folder.is_dir() else pwd.getpwnam(SERVICE).pw_uid
            known = pwd.getpwuid(uid)
        except (KeyError, PermissionError):
            return None
        groups = frozenset(os.getgrouplist(known.pw_name, known.pw_gid))
        return cls(name=known.pw_name, uid=uid, groups=groups)

    def lacks(self, path: Path, rights: int) -> str:
        """What keeps this user from a file that is there, "" where nothing does."""
        for place in (*reversed(path.absolute().parents), path.absolute()):
            needed = rights if place == path.absolute() else SEARCH
            told = place.stat()
            if not self.may(told, needed):
                group = group_name(told.st_gid)
                return f"{place} belongs to {user_name(told.st_uid)}, group {group}, mode" + (
                    f" {told.st_mode & 0o777:03o}: the service's user {self.name} may not"
                    f" {_VERBS[needed]} it"
                )
        return ""

    def may(self, told: os.stat_result, needed: int) -> bool:
        """Whether the mode of a file gives this user all of these rights."""
        if self.uid == 0:
            return True
        if told.st_uid == self.uid:
            bits = told.st_mode >> 6
        elif told.st_gid in self.groups:
            bits = told.st_mode >> 3
        else:
            bits = told.st_mode
        return bits & needed == needed


_VERBS = {READ: "read", SEARCH: "enter", READ | WRITE: "write", WRITE | SEARCH: "write in"}
