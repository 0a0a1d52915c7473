"""Kinds of relay board, as data: one file of `boards/` for each kind.

A profile says at which addresses the relays and inputs are, by which functions of Modbus, and how
the board is asked for a pulse. What differs between boards stands there; no driver knows a board by
its name.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, ValidationInfo, model_validator

from gatekeeper.config.settings import Settings
from gatekeeper.config.text import no_toml, read_text
from gatekeeper.errors import ConfigError

FOLDER = Path(__file__).parent / "boards"
"""Where our profiles lie; the name of a profile is the name of its file."""

ON, OFF = 0xFF00, 0x0000
"""What FC05 writes (Modbus Application Protocol V1.1b3, 6.5)."""

Word = Annotated[int, Field(ge=0, le=0xFFFF)]
Milliseconds = Annotated[int, Field(ge=1, le=10_000_000)]


class CoilsProfile(Settings):
    """The relays: relay n is read and written at address `first` + n.

    `read` is the function that reads them: 1, or 3 where each is a register that is not 0 while on.
    `write` is 5, or 6 where `on` and `off` are the board's own command words.
    """

    count: Annotated[int, Field(ge=1, le=64)] = 8
    first: Word = 0
    read: Literal[1, 3] = 1
    write: Literal[5, 6] = 5
    on: Word = ON
    off: Word = OFF

    @model_validator(mode="after")
    def _words_fit_the_function(self) -> Self:
        if (self.write == 5) != ((self.on, self.off) == (ON, OFF)):
            raise ValueError("on and off must be told for write = 6, and cannot be for write = 5")
        return self


class InputsProfile(Settings):
    """The inputs: input n is read at address `first` + n. A board without any has `count` = 0."""

    count: Annotated[int, Field(ge=0, le=64)] = 8
    first: Word = 0
    read: Literal[1, 2] = 2


class TimedPulse(Settings):
    """On, wait, off: timed by this controller."""

    kind: Literal["coil"] = "coil"


class CoilFlash(Settings):
    """Timed by the board: FC05 to `first` + relay, with the number of units as value."""

    kind: Literal["flash_coil"]
    first: Word
    unit_ms: Milliseconds
    longest_ms: Milliseconds


class RegisterFlash(Settings):
    """Timed by the board: FC10 of two registers, `mode` and the number of units, to `first` +
    relay x `step`.
    """

    kind: Literal["flash_registers"]
    first: Word
    step: Word
    mode: Word
    unit_ms: Milliseconds
    longest_ms: Milliseconds


class CommandPulse(Settings):
    """Timed by the board: FC06 of the command `word` to the relay; it always lasts `lasts_ms`."""

    kind: Literal["register"]
    word: Word
    lasts_ms: Milliseconds


PulseProfile = Annotated[
    TimedPulse | CoilFlash | RegisterFlash | CommandPulse, Field(discriminator="kind")
]


class BoardProfile(Settings):
    """One kind of relay board. `source` is the document it was made from; `verified` is whether
    somebody has tried it on a bench; `quirks` are for people.
    """

    source: str
    verified: bool
    quirks: tuple[str, ...] = ()
    coils: CoilsProfile = CoilsProfile()
    inputs: InputsProfile = InputsProfile()
    pulse: PulseProfile = TimedPulse()

    def pulse_fault(self, pulse_ms: int) -> str | None:
        """What is wrong with a pulse of this length, if anything."""
        match self.pulse:
            case (
                CoilFlash(unit_ms=unit, longest_ms=longest)
                | RegisterFlash(unit_ms=unit, longest_ms=longest)
            ):
                if pulse_ms % unit or pulse_ms > longest:
                    return f"its pulses last {unit} to {longest} ms, in steps of {unit}"
            case CommandPulse(lasts_ms=lasts):
                if pulse_ms != lasts:
                    return f"its pulses always last {lasts} ms"
        return None


def profile_names() -> list[str]:
    """The profiles that come with the program."""
    return sorted(file.stem for file in FOLDER.glob("*.toml"))


class UnusableProfile(BoardProfile):
    """In place of a site's own profile whose file cannot be read: its board is not asked anything,
    and `fault` is its alarm until the next start (situations, 34).
    """

    fault: str
    source: str = ""
    verified: bool = True
    coils: CoilsProfile = CoilsProfile(count=64)
    inputs: InputsProfile = InputsProfile(count=64)


def load_profile(file: Path) -> BoardProfile:
    """The profile in a file; raises `ConfigError` with file, key and value of each fault."""
    try:
        text = read_text(file, "profile", "put it there")
        if not text.strip():
            raise ConfigError(f"{file}: profile is empty; put it there again")
    except ConfigError as error:
        return UnusableProfile(fault=str(error))
    try:
        return BoardProfile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: {no_toml(text, str(error))}") from error
    except ValidationError as error:
        raise ConfigError(
            "; ".join(
                f"{file}: {'.'.join(map(str, fault['loc']))}:"
                f" {fault['msg'].removeprefix('Value error, ')}, not {fault['input']!r}"
                for fault in error.errors()
            )
        ) from error


def named_profile(name: object, info: ValidationInfo) -> object:
    """A profile by its name, or by the path of a site's own file, which ends in `.toml` and counts
    from the folder of the configuration file.
    """
    if not isinstance(name, str):
        return name
    if name.endswith(".toml"):
        file = (info.context or {}).get("folder", Path()) / name
    elif name in (names := profile_names()):
        file = FOLDER / f"{name}.toml"
    else:
        raise ValueError(f'no profile is called "{name}" (known: {", ".join(names)})')
    try:
        return load_profile(file)
    except ConfigError as error:
        raise ValueError(str(error)) from error
