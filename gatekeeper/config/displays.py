"""Displays, and the words they use."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from gatekeeper.config.settings import Name, Settings, guess
from gatekeeper.model import PLACEHOLDERS, Reason, Wording


class DisplaySettings(Settings):
    """An LED and voice board on a serial line of its own (RS-485, frames 0x6E and 0x30).

    `port` is best a name that survives replugging, such as one below /dev/serial/by-id.
    """

    name: Name
    port: Annotated[str, Field(pattern=r"^/")]
    baudrate: Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] = 9600
    address: Annotated[int, Field(ge=0, le=255)] = 0


def _known_placeholders(text: str) -> str:
    for name in re.findall(r"\{([^{}]*)\}", text):
        if name not in PLACEHOLDERS:
            known = ", ".join(PLACEHOLDERS)
            nearest = guess(name, PLACEHOLDERS)
            raise ValueError(f'no placeholder is called "{name}" (known: {known}){nearest}')
    return text


Text = Annotated[str, AfterValidator(_known_placeholders)]
"""Words for a driver; `{plate}`, `{minutes}`, `{reason}` and `{free}` are filled in."""


class WordingSettings(Settings):
    """What is shown, from the top line down, and said."""

    lines: Annotated[tuple[Text, ...], Field(max_length=4)] = ()
    voice: Text = ""

    @property
    def wording(self) -> Wording:
        """The wording as the rules want it."""
        return Wording(lines=self.lines, voice=self.voice)


def _known_reasons(table: Mapping[str, object]) -> Mapping[str, object]:
    for name in table:
        if name not in list(Reason):
            nearest = guess(name, list(Reason))
            raise ValueError(f'no reason is called "{name}" (known: {", ".join(Reason)}){nearest}')
    return table


Wordings = Annotated[dict[str, WordingSettings], AfterValidator(_known_reasons)]
"""Wordings by the reason of a decision."""


class TextsSettings(Settings):
    """What is worded otherwise here than `rules.texts` has it.

    `reasons` are the words for `{reason}`, `admit` and `refuse` the wordings by reason.
    """

    idle: WordingSettings | None = None
    look_again: WordingSettings | None = None
    waits: WordingSettings | None = None
    reasons: Annotated[dict[str, str], AfterValidator(_known_reasons)] = Field(default_factory=dict)
    admit: Wordings = Field(default_factory=dict)
    refuse: Wordings = Field(default_factory=dict)
