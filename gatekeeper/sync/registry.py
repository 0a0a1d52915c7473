"""The bodies of the registry's lists, to values. Pure.

What the centre sends comes in as bytes and goes out as a value of `model`, or as a `WireError`
that says what is wrong with it, and in which row: no other error, whatever the bytes are.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter

from gatekeeper.errors import WireError
from gatekeeper.model import ListChange, ListChanges, ListName, ListRow, ListSnapshot
from gatekeeper.sync.fields import End, Name, Plate, Text, Truth, Whole, fit
from gatekeeper.sync.jsonreader import JsonReader

CHANGES_BYTES = 8 * 2**20
"""The longest body of changes: a tenth of a million. Who has more to say sends a snapshot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    plate: Plate
    zone: Name | None = None
    valid_from: End | None = None
    valid_until: End | None = None
    note: Text = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    remove: Truth
    row: _Row


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    list: ListName
    since: Whole
    version: Whole


@dataclass(frozen=True, slots=True, kw_only=True)
class _Whole:
    list: ListName
    version: Whole


_ROW = TypeAdapter(_Row)
_CHANGE = TypeAdapter(_Change)
_STEP = TypeAdapter(_Step)
_WHOLE = TypeAdapter(_Whole)

_Head = TypeVar("_Head", _Step, _Whole)


class Rows(Collection[ListRow]):
    """The rows of a snapshot, read from its body each time that they are asked for: a list of a
    million is never in memory. They have been read once, so that none is malformed.
    """

    def __init__(self, name: ListName, version: int, body: bytes, count: int) -> None:
        self._name, self._version = name, version
        self._body, self._count = body, count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[ListRow]:
        for row in _elements(self._body, "rows"):
            yield _listed(self._name, self._version, fit(_ROW, row))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Collection) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment] # as a list has none

    def __contains__(self, row: object) -> bool:
        return any(each == row for each in self)


def changes(name: ListName, body: bytes) -> ListChanges:
    """The body of `registry/{name}/changes`; raises `WireError`, also if it is of another list."""
    if len(body) > CHANGES_BYTES:
        raise WireError(f"is longer than {CHANGES_BYTES} bytes: that takes a snapshot")
    found: list[_Change] = []
    read = _read(_STEP, body, name, "changes", lambda one, at: found.append(fit(_CHANGE, one, at)))
    if read.version <= read.since:
        raise WireError(f"version {read.version} does not follow on since {read.since}")
    return ListChanges(
        list=name,
        since=read.since,
        version=read.version,
        changes=tuple(
            ListChange(remove=one.remove, row=_listed(name, read.version, one.row)) for one in found
        ),
    )


def snapshot(name: ListName, body: bytes) -> ListSnapshot:
    """The body of `registry/{name}/snapshot`; raises `WireError`, also if it is of another list.
    Its rows are `Rows`, which hold the body.
    """
    count = 0

    def check(row: object, at: str) -> None:
        nonlocal count
        fit(_ROW, row, at)
        count += 1

    read = _read(_WHOLE, body, name, "rows", check)
    return ListSnapshot(list=name, version=read.version, rows=Rows(name, read.version, body, count))


def _read(
    shape: TypeAdapter[_Head],
    body: bytes,
    name: ListName,
    array: str,
    each: Callable[[object, str], object],
) -> _Head:
    """All of a body but its array, which may stand in any place; `each` is called with every value
    in it, and where that stands.
    """
    reader, said, arrays = JsonReader(body), dict[str, Any](), 0
    for member in reader.members():
        if member == array:
            arrays += 1
            for number, value in enumerate(reader.elements()):
                each(value, f"{array}.{number}.")
        else:
            said[member] = reader.value()
    reader.end()
    if arrays != 1:
        raise WireError(f"{array}: should be there once")
    read = fit(shape, said)
    if read.list is not name:
        raise WireError(f"list: says {read.list}, but came on the topic of {name}")
    return read


def _elements(body: bytes, array: str) -> Iterator[object]:
    reader = JsonReader(body)
    for member in reader.members():
        if member == array:
            yield from reader.elements()
            return
        reader.value()


def _listed(name: ListName, version: int, row: _Row) -> ListRow:
    return ListRow(
        list=name,
        plate=row.plate,
        zone=row.zone,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        note=row.note,
        version=version,
    )
