"""What the bodies that come in are made of, how one is checked against its shape, and the bounds of
everything in it.

Pure. Bytes come in; values go out, or a `WireError` that names the field and what is wrong with
it: no other error, whatever the bytes are. Behind it no number, text or time is so large that
counting with it fails.
"""

import json
import math
import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, TypeAlias, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, ValidationError

from gatekeeper.errors import WireError
from gatekeeper.rules.plate import CHARACTERS, kind_of, normalise

BODY_BYTES = 128 * 1024
"""The longest body that is read: an order with all its texts full has a twentieth of it. Events and
lists have limits of their own.
"""

DEEPEST = 32
"""How many objects and arrays may lie within each other; the protocol's own are four."""

FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)
"""Between these lie all times that mean something: hours can be added, in any time zone."""

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)

_PLATE_LENGTH = 16
"""Longer than any plate of GA 36; what is longer is something else."""

_DIGITS = 20
"""A whole number of more characters is larger than any the protocol knows (2^63 - 1 has 19)."""

_T = TypeVar("_T")


def _written(value: object) -> object:
    """Pydantic alone would take a number for a time, and leave a time without offset naive."""
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        raise ValueError("should be an RFC 3339 time with an offset")
    return value


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is outside the calendar") from error


def _near(value: datetime) -> datetime:
    if not FIRST <= value < LAST:
        raise ValueError("should lie between the years 1970 and 2999")
    return value


def _clamped(value: datetime) -> datetime:
    return min(max(value, FIRST), LAST)


def _plate(text: str) -> str:
    plate = normalise(text)
    if not 1 <= len(plate) <= _PLATE_LENGTH:
        raise ValueError("is no plate")
    return plate


def _real(text: str) -> str:
    """A row of a list names a plate as cameras read it: a letter of another alphabet, or one
    without width, looks right to people and matches no car.
    """
    plate = normalise(text)
    if kind_of(plate) is None:
        odd = next((each for each in plate if each not in CHARACTERS), None)
        raise ValueError("is no plate" if odd is None else f"is no plate: it has {_named(odd)}")
    return plate


def _named(character: str) -> str:
    return f"U+{ord(character):04X}, {unicodedata.name(character, 'without a name').lower()}"


_AnyTime: TypeAlias = Annotated[datetime, BeforeValidator(_written), AfterValidator(_utc)]
Time: TypeAlias = Annotated[_AnyTime, AfterValidator(_near)]
End: TypeAlias = Annotated[_AnyTime, AfterValidator(_clamped)]
"""When a row begins or ends to count. Many databases write "no end" as the year 9999; here
it becomes the last year that can be counted with, and the year 1 the first.
"""
Plate: TypeAlias = Annotated[str, Field(max_length=64), AfterValidator(_plate)]
RealPlate: TypeAlias = Annotated[str, Field(max_length=64), AfterValidator(_real)]
"""One that a camera can read; an order may name what a person sees."""
Owner: TypeAlias = Annotated[str, Field(max_length=128)]
Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=128)]
Text: TypeAlias = Annotated[str, Field(max_length=1000)]
Truth: TypeAlias = Annotated[bool, Field(strict=True)]
Whole: TypeAlias = Annotated[int, Field(strict=True, ge=0, le=2**63 - 1)]
"""What SQLite can hold as an INTEGER."""
Minutes: TypeAlias = Annotated[int, Field(strict=True, ge=0, le=366 * 24 * 60)]
"""A year at most; a boom that is to stay up for longer is held without an end."""
Vehicles: TypeAlias = Annotated[int, Field(strict=True, ge=0, le=100_000)]
"""More than any car park has spaces."""


def parsed(body: bytes, at_most: int = BODY_BYTES) -> object:
    """The JSON of a body of so many bytes at most; raises `WireError`. Numbers too large for the
    protocol are infinite in it, which no field takes.
    """
    if len(body) > at_most:
        raise WireError(f"is longer than {at_most} bytes")
    try:
        value = json.loads(body.decode(), parse_int=whole)
    except ValueError as error:
        raise WireError(f"is not JSON in UTF-8: {error}") from error
    except RecursionError as error:
        raise WireError("is nested too deeply") from error
    _refuse_depth(value)
    return value


def fit(shape: TypeAdapter[_T], value: object, place: str = "") -> _T:
    """A parsed value as its shape says; raises `WireError` naming the field, after `place`."""
    try:
        return shape.validate_python(value)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = place + ".".join(str(step) for step in fault["loc"])
        raise WireError(f"{where or 'body'}: {fault['msg']}") from error


def whole(digits: str) -> float:
    """A whole number of JSON; one too large for the protocol is infinite, which no field takes."""
    return int(digits) if len(digits) <= _DIGITS else math.inf


def _refuse_depth(value: object) -> None:
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [inner for each in level for inner in _within(each)]
        if not level:
            return
    raise WireError("is nested too deeply")


def _within(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
