"""Where a key stands in a TOML file, for people: `tomllib` does not tell."""

import re
from collections.abc import Iterator, Sequence

Step = int | str

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]#]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*([\w.\"' -]+?)\s*=")


def line_of(text: str, loc: Sequence[Step]) -> int | None:
    """The line of the key at `loc`, or else of the innermost table around it that is told of."""
    lines = dict(_lines(text))
    places = (tuple(loc[:length]) for length in range(len(loc), 0, -1))
    return next((lines[place] for place in places if place in lines), None)


def _lines(text: str) -> Iterator[tuple[tuple[Step, ...], int]]:
    """Each header and key with its line; what looks like one within a text of several lines is
    taken for one.
    """
    counts: dict[tuple[str, ...], int] = {}
    table: tuple[Step, ...] = ()
    for number, line in enumerate(text.split("\n"), start=1):
        if header := _HEADER.match(line):
            names = _parts(header[2])
            if header[1] == "[[":
                counts[names] = counts.get(names, -1) + 1
                counts = {
                    each: n
                    for each, n in counts.items()
                    if each[: len(names)] != names or each == names
                }
            table = _numbered(names, counts)
            yield table, number
        elif key := _KEY.match(line):
            yield (*table, *_parts(key[1])), number


def _numbered(names: tuple[str, ...], counts: dict[tuple[str, ...], int]) -> tuple[Step, ...]:
    """With the number of the table in each array of tables on the way, counted from 0."""
    steps: list[Step] = []
    for length in range(1, len(names) + 1):
        steps.append(names[length - 1])
        if names[:length] in counts:
            steps.append(counts[names[:length]])
    return tuple(steps)


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
