"""What the bodies that come in are made of, and how one is checked against its shape.

Pure. Bytes come in; values go out, or a `WireError` that names the field and what is wrong with
it: no other error, whatever the bytes are.
"""

import json
import re
from datetime import UTC, datetime
from typing import Annotated, TypeAlias, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, ValidationError

from gatekeeper.errors import WireError
from gatekeeper.rules.plate import normalise

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)

_PLATE_LENGTH = 16
"""Longer than any plate of GA 36; what is longer is something else."""

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


def _plate(text: str) -> str:
    plate = normalise(text)
    if not 1 <= len(plate) <= _PLATE_LENGTH:
        raise ValueError("is no plate")
    return plate


Time: TypeAlias = Annotated[datetime, BeforeValidator(_written), AfterValidator(_utc)]
Plate: TypeAlias = Annotated[str, Field(max_length=64), AfterValidator(_plate)]
Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=128)]
Text: TypeAlias = Annotated[str, Field(max_length=1000)]
Truth: TypeAlias = Annotated[bool, Field(strict=True)]
Whole: TypeAlias = Annotated[int, Field(strict=True, ge=0, le=2**63 - 1)]
"""What SQLite can hold as an INTEGER."""


def parsed(body: bytes) -> object:
    """The JSON of a body; raises `WireError`."""
    try:
        return json.loads(body.decode(), object_hook=_as_it_is)
    except ValueError as error:
        raise WireError(f"is not JSON in UTF-8: {error}") from error
    except RecursionError as error:
        raise WireError("is nested too deeply") from error


def fit(shape: TypeAdapter[_T], value: object, place: str = "") -> _T:
    """A parsed value as its shape says; raises `WireError` naming the field, after `place`."""
    try:
        return shape.validate_python(value)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = place + ".".join(str(step) for step in fault["loc"])
        raise WireError(f"{where or 'body'}: {fault['msg']}") from error


def _as_it_is(found: dict[str, object]) -> dict[str, object]:
    """Called for each object, and there to be called: a thread that reads a list of a million
    plates gives way to the loop between two of them (0.7 s without it, measured).
    """
    return found
