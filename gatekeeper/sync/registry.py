"""The bodies of the registry's lists, to values. Pure.

What the centre sends comes in as bytes and goes out as a value of `model`, or as a `WireError`
that says what is wrong with it: no other error, whatever the bytes are. A row that cannot be one
refuses no other (situations, 47).
"""

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter

from gatekeeper.errors import WireError
from gatekeeper.model import (
    ListChange,
    ListChanges,
    ListName,
    ListRow,
    ListSnapshot,
    Refused,
    RefusedRow,
)
from gatekeeper.sync.fields import End, Name, Owner, RealPlate, Text, Truth, Whole, fit
from gatekeeper.sync.jsonreader import JsonReader

CHANGES_BYTES = 8 * 2**20
"""The longest body of changes: a tenth of a million. Who has more to say sends a snapshot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    plate: RealPlate
    zone: Name | None = None
    valid_from: End | None = None
    valid_until: End | None = None
    note: Text = ""
    owner: Owner | None = None


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
    reset: Truth = False
    shrinks: Truth = False


_ROW = TypeAdapter(_Row)
_CHANGE = TypeAdapter(_Change)
_STEP = TypeAdapter(_Step)
_WHOLE = TypeAdapter(_Whole)

_Head = TypeVar("_Head", _Step, _Whole)
_T = TypeVar("_T")

MOST_TOLD = 20
"""Rows that were left out are told by number, text and reason, so many of them."""

TEXT_LENGTH = 200
"""Characters that are told of such a row."""


class Rows(Collection[ListRow]):
    """The rows of a snapshot, read from its body each time that they are asked for: a list of a
    million is never in memory. They have been read once, so that it is known which cannot be rows;
    these are left out.
    """

    def __init__(
        self, name: ListName, version: int, zones: Collection[str], body: bytes, count: int
    ) -> None:
        self._name, self._version, self._zones = name, version, zones
        self._body, self._count = body, count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[ListRow]:
        sieve = _Sieve(self._zones)
        for number, value in enumerate(_elements(self._body, "rows")):
            row = sieve.passed(_ROW, number, value)
            if row is not None and sieve.is_known(row, number, value):
                yield _listed(self._name, self._version, row)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Collection) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment] # as a list has none

    def __contains__(self, row: object) -> bool:
        return any(each == row for each in self)


class _Sieve:
    """Tells what can be a row from what cannot, and keeps the first of the latter."""

    def __init__(self, zones: Collection[str]) -> None:
        self._zones = zones
        self._first: list[RefusedRow] = []
        self.taken = self._count = 0

    @property
    def refused(self) -> Refused:
        """What did not pass."""
        return Refused(count=self._count, first=tuple(self._first))

    def passed(self, shape: TypeAdapter[_T], number: int, value: object) -> _T | None:
        """A value as its shape says, None if it cannot be that."""
        try:
            return fit(shape, value)
        except WireError as error:
            self._refuse(number, value, str(error))
            return None

    def is_known(self, row: _Row, number: int, value: object) -> bool:
        """Whether the zone of a row is one of this site."""
        known = row.zone is None or not self._zones or row.zone in self._zones
        if known:
            self.taken += 1
        else:
            self._refuse(number, value, f'zone: no zone is called "{row.zone}" here')
        return known

    def _refuse(self, number: int, value: object, why: str) -> None:
        self._count += 1
        if len(self._first) < MOST_TOLD:
            text = json.dumps(value, ensure_ascii=False)[:TEXT_LENGTH]
            self._first.append(RefusedRow(number=number, text=text, reason=why))


def changes(name: ListName, body: bytes, zones: Collection[str] = ()) -> ListChanges:
    """The body of `registry/{name}/changes`; raises `WireError`, also if it is of another list. A
    row that cannot be one, or names none of `zones` where these are given, is left out.
    """
    if len(body) > CHANGES_BYTES:
        raise WireError(f"is longer than {CHANGES_BYTES} bytes: that takes a snapshot")
    found: list[_Change] = []
    sieve = _Sieve(zones)

    def take(number: int, value: object) -> None:
        one = sieve.passed(_CHANGE, number, value)
        if one is not None and sieve.is_known(one.row, number, value):
            found.append(one)

    read = _read(_STEP, body, name, "changes", take)
    if read.version <= read.since:
        raise WireError(f"version {read.version} does not follow on since {read.since}")
    return ListChanges(
        list=name,
        since=read.since,
        version=read.version,
        changes=tuple(
            ListChange(remove=one.remove, row=_listed(name, read.version, one.row)) for one in found
        ),
        refused=sieve.refused,
    )


def snapshot(name: ListName, body: bytes, zones: Collection[str] = ()) -> ListSnapshot:
    """The body of `registry/{name}/snapshot`; raises `WireError`, also if it is of another list.
    Its rows are `Rows`, which hold the body; what cannot be a row is left out, as of `changes`.
    """
    sieve = _Sieve(zones)

    def check(number: int, value: object) -> None:
        row = sieve.passed(_ROW, number, value)
        if row is not None:
            sieve.is_known(row, number, value)

    read = _read(_WHOLE, body, name, "rows", check)
    return ListSnapshot(
        list=name,
        version=read.version,
        rows=Rows(name, read.version, zones, body, sieve.taken),
        refused=sieve.refused,
        reset=read.reset,
        shrinks=read.shrinks,
    )


def _read(
    shape: TypeAdapter[_Head],
    body: bytes,
    name: ListName,
    array: str,
    each: Callable[[int, object], None],
) -> _Head:
    """All of a body but its array, which may stand in any place; `each` is called with every value
    in it and its number.
    """
    reader, said, arrays = JsonReader(body), dict[str, Any](), 0
    for member in reader.members():
        if member == array:
            arrays += 1
            for number, value in enumerate(reader.elements()):
                each(number, value)
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
        owner=row.owner or "",
        version=version,
    )
