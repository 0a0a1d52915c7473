"""Facts, stays, holds and rows of lists as JSON text, and back.

What a class of `gatekeeper.model` says of its fields is the whole format: there is no second
description to keep in step. A field that this version does not know is passed over, one that
another version did not write takes its default.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError
from pydantic_core import SchemaSerializer

from gatekeeper.errors import StoreError
from gatekeeper.model import Fact, Hold, ListRow, Stay

CLASSES: Mapping[str, type[Fact]] = {fact.kind: fact for fact in get_args(Fact)}
"""The class of each kind of fact."""


def to_json(value: Fact | Stay | Hold | ListRow) -> str:
    """The fields of such a value as a JSON object; times are RFC 3339."""
    of: type = type(value)
    return _writer(of).to_json(value, by_alias=True).decode()


def fact_of(kind: str, body: str | bytes) -> Fact:
    """The fact behind a row of the journal; raises `StoreError` for one that cannot be read."""
    if kind not in CLASSES:
        raise StoreError(f"the journal has an event of kind {kind}, which this version lacks")
    fact: Fact = _read(CLASSES[kind], body)
    return fact


def stay_of(body: str | bytes) -> Stay:
    """The stay behind a row; raises `StoreError` for one that cannot be read."""
    stay: Stay = _read(Stay, body)
    return stay


def hold_of(body: str | bytes) -> Hold:
    """The hold behind a row; raises `StoreError` for one that cannot be read."""
    hold: Hold = _read(Hold, body)
    return hold


def row_of(body: str | bytes) -> ListRow:
    """The row of a list behind such a text; raises `StoreError` for one that cannot be read."""
    row: ListRow = _read(ListRow, body)
    return row


@cache
def _writer(of: type) -> SchemaSerializer:
    """What an adapter writes with: asked itself, it takes half the time for a small fact."""
    serializer = _adapter(of).serializer
    if not isinstance(serializer, SchemaSerializer):
        raise TypeError(f"{of.__name__} cannot be written before it is complete")
    return serializer


@cache
def _adapter(of: type) -> TypeAdapter[Any]:
    return TypeAdapter(of)


def _read(of: type, body: str | bytes) -> Any:
    try:
        return _adapter(of).validate_json(body)
    except ValidationError as error:
        raise StoreError(f"the store has a {of.__name__} that cannot be read: {error}") from error
