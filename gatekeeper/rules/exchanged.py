"""Whether the cameras of a zone's entry and exit are exchanged: plates come in that are inside, and
leave that are not, again and again (situations, 50). (what was seen, a passage) -> what is seen.
"""

from dataclasses import dataclass, replace
from typing import Final

from gatekeeper.model import Direction

SUSPECTED: Final = 3
"""After so many passages that cannot be, of both kinds, no overstay of the zone can be certain."""

EXCHANGED: Final = 6
"""After so many, at least `OF_EACH` of both kinds, a person has to look."""

OF_EACH: Final = 2

RIGHTED: Final = 3
"""So many in a row that fit make up for all before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The passages of a zone with certain plates: how many `entries` of plates that were inside and
    `exits` of plates that were not since the last `RIGHTED` in a row that fitted, and how many have
    `fitted` since the last that did not.
    """

    entries: int = 0
    exits: int = 0
    fitted: int = 0

    @property
    def suspected(self) -> bool:
        """Whether stays are to be doubted."""
        return self.entries + self.exits >= SUSPECTED and min(self.entries, self.exits) > 0

    @property
    def exchanged(self) -> bool:
        """Whether nothing else explains it."""
        return self.entries + self.exits >= EXCHANGED and min(self.entries, self.exits) >= OF_EACH


def crossed(seen: Seen, direction: Direction, *, inside: bool) -> Seen:
    """A vehicle with a certain plate went through; `inside` is where it was taken to be before."""
    if inside is (direction is Direction.EXIT):
        fitted = seen.fitted + 1
        return Seen() if fitted >= RIGHTED else replace(seen, fitted=fitted)
    if direction is Direction.ENTRY:
        return replace(seen, entries=seen.entries + 1, fitted=0)
    return replace(seen, exits=seen.exits + 1, fitted=0)
