"""What a driver is shown and told at the gate."""

from dataclasses import dataclass

PLACEHOLDERS = ("plate", "minutes", "reason", "free")
"""What a wording may ask for in braces: the plate the car is taken for, the minutes it may stay,
the reason in words, and the free spaces of the zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """A text with placeholders such as `{plate}`, as the site words it. Without `lines` it is
    only spoken, and what the display shows stays.
    """

    lines: tuple[str, ...] = ()
    voice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayText:
    """What a display is to show, from the top line down, and to say; placeholders are filled."""

    lines: tuple[str, ...] = ()
    voice: str = ""
