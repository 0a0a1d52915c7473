"""Relay boards: where each one is, and what kind it is.

Boards with the same address stand on one line: behind one gateway, or on one serial port. They
differ in their unit, and agree in everything that is the line's.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from gatekeeper.config.profiles import BoardProfile, named_profile
from gatekeeper.config.settings import Name, Settings

_BITS = 11
"""A character on the wire: start, eight, parity or a second stop, stop (Modbus over Serial Line
V1.02, 2.5.1)."""

_NOTICED_S = 2.0
"""A silent board has to be noticed within this."""

Profile = Annotated[BoardProfile, BeforeValidator(named_profile)]


def _with_a_port(address: str) -> str:
    """Whatever else it is; raises `ValueError` for what cannot be taken apart."""
    try:
        good = urlsplit(address).port != 0
    except ValueError:
        good = False
    if not good:
        raise ValueError(_LIKE_THIS.format(address))
    return address


class Wire(StrEnum):
    """How frames travel: Modbus TCP, RTU on a serial port, RTU through a transparent converter."""

    TCP = "tcp"
    SERIAL = "serial"
    RTU_OVER_TCP = "rtu+tcp"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineSettings:
    """One TCP endpoint or serial port. Two boards with equal lines share it.

    `gap_s` of silence are kept between two frames, `silence_s` after an answer that did not come;
    both are 0 over TCP, where every answer bears the number of its request; with
    `any_transaction_number` that of a read may bear another one.
    """

    address: str
    baudrate: int
    parity: str
    stopbits: int
    gap_s: float
    silence_s: float
    any_transaction_number: bool = False

    @property
    def wire(self) -> Wire:
        """How frames travel."""
        return Wire(urlsplit(self.address).scheme)

    @property
    def host(self) -> str:
        """The host name or address of a TCP endpoint."""
        return urlsplit(self.address).hostname or ""

    @property
    def port(self) -> int:
        """Its port, 502 where none is given (Modbus TCP's own)."""
        return urlsplit(self.address).port or 502

    @property
    def device(self) -> str:
        """The path of a serial port."""
        return self.address.removeprefix("serial://")


class BoardSettings(Settings):
    """A relay board, reached by Modbus TCP (`tcp://host:port`), on a serial port
    (`serial:///dev/serial/by-id/...`), or by RTU through a converter (`rtu+tcp://host:port`).

    If not told, `inputs` and `coils` are as many as the profile says, `timeout_ms` is 500 over TCP
    and what an answer takes at this speed over RTU, and `gap_ms` is 3.5 characters. The bounds of
    the times let a silent board be noticed within two seconds.
    """

    name: Name
    address: Annotated[str, AfterValidator(_with_a_port)]
    unit: Annotated[int, Field(ge=0, le=255)] = 1
    profile: Profile = Field(default="plain", validate_default=True)
    inputs: Annotated[int, Field(ge=0, le=64)] = Field(
        default_factory=lambda told: told["profile"].inputs.count
    )
    coils: Annotated[int, Field(ge=1, le=64)] = Field(
        default_factory=lambda told: told["profile"].coils.count
    )
    baudrate: Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] = 9600
    parity: Literal["N", "E", "O"] = "N"
    stopbits: Literal[1, 2] = 1
    poll_ms: Annotated[int, Field(ge=10, le=500)] = 50
    timeout_ms: Annotated[int, Field(ge=50, le=1000)] = Field(
        default_factory=lambda told: _answer_ms(told["address"], told["baudrate"])
    )
    gap_ms: Annotated[float, Field(ge=0, le=500)] | None = None
    silence_ms: Annotated[int, Field(ge=20, le=1000)] = 200
    any_transaction_number: bool = False

    @model_validator(mode="after")
    def _address_fits(self) -> Self:
        parts = urlsplit(self.address)
        if parts.scheme == Wire.SERIAL:
            good = not parts.netloc and parts.path.startswith("/")
        else:
            good = parts.scheme in list(Wire) and bool(parts.hostname) and not parts.path
        if not good:
            raise ValueError(_LIKE_THIS.format(self.address))
        if parts.scheme != Wire.TCP and not 1 <= self.unit <= 247:
            raise ValueError(f"unit: a board that speaks RTU is 1 to 247, not {self.unit}")
        return self

    @model_validator(mode="after")
    def _silence_is_noticed(self) -> Self:
        """Over RTU a read is tried twice before the board counts as silent."""
        slowest_s = self.poll_ms / 1000 + 2 * (self.timeout_ms + self.silence_ms) / 1000
        if self.line.wire is not Wire.TCP and slowest_s > _NOTICED_S:
            raise ValueError(
                f"poll_ms and twice timeout_ms and silence_ms are {slowest_s:g} s: a silent board"
                f" has to be noticed within {_NOTICED_S:g} s"
            )
        return self

    @property
    def line(self) -> LineSettings:
        """The line the board stands on."""
        framed = urlsplit(self.address).scheme != Wire.TCP
        gap_s = _characters_s(self.baudrate) if self.gap_ms is None else self.gap_ms / 1000
        return LineSettings(
            address=self.address,
            baudrate=self.baudrate,
            parity=self.parity,
            stopbits=self.stopbits,
            gap_s=gap_s if framed else 0.0,
            silence_s=self.silence_ms / 1000 if framed else 0.0,
            any_transaction_number=self.any_transaction_number and not framed,
        )


_LIKE_THIS = (
    'address must look like "tcp://192.0.2.7:502", "serial:///dev/serial/by-id/..." or'
    ' "rtu+tcp://192.0.2.7:4196", not "{}"'
)


def _characters_s(baudrate: int) -> float:
    """3.5 characters, and above 19200 baud the fixed 1.75 ms (V1.02, 2.5.1.1)."""
    return 0.00175 if baudrate > 19200 else 3.5 * _BITS / baudrate


def _answer_ms(address: str, baudrate: int) -> int:
    """How long an answer may take: over RTU there are 30 characters at most in a request and its
    answer, a converter holds them back for 16 ms, and a board may think; a longer wait for one
    that is silent holds up all others on the line.
    """
    if urlsplit(address).scheme == Wire.TCP:
        return 500
    return 150 + math.ceil(1000 * 30 * _BITS / baudrate)
