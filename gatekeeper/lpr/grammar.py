"""Patterns of plates as a machine that a decoder can walk, one character at a time.

The patterns come from outside, for what a plate can be is a rule and no matter of recognition.
Their language is small: characters, sets such as `[A-HJ-Z]`, each perhaps followed by `?`, `{n}` or
`{m,n}`, and alternatives separated by `|`.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TypeAlias

Moves: TypeAlias = Mapping[str, int]
"""From a state, the characters that may come next, and the state after each."""

_Step: TypeAlias = tuple[frozenset[str], bool]
"""The characters possible in one place, and whether the place may be left out."""

_ATOM = re.compile(r"\[([^\]]+)\]|([^\[\]{}?|\\()*+.^$])")
_TIMES = re.compile(r"\?|\{(\d*),(\d+)\}|\{(\d+)\}")


class Grammar:
    """All texts that match one of the patterns in full, and no other."""

    def __init__(self, patterns: Iterable[str]) -> None:
        """Raises `ValueError` for a pattern that is beyond the language."""
        self._lines = [_steps(line) for pattern in patterns for line in pattern.split("|")]
        self._moves: list[Moves] = []
        self._final: list[bool] = []
        self._numbers: dict[frozenset[tuple[int, int]], int] = {}
        self._number(self._reached((line, 0) for line in range(len(self._lines))))

    START = 0
    """The state before the first character."""

    def moves(self, state: int) -> Moves:
        """What may follow in this state; nothing where a text cannot go on."""
        return self._moves[state]

    def is_final(self, state: int) -> bool:
        """Whether a text may end here."""
        return self._final[state]

    def accepts(self, text: str) -> bool:
        """Whether the whole text is one of the grammar's."""
        state = self.START
        for character in text:
            found = self._moves[state].get(character)
            if found is None:
                return False
            state = found
        return self._final[state]

    def _reached(self, places: Iterable[tuple[int, int]]) -> frozenset[tuple[int, int]]:
        """Places and those behind them that can be had by leaving out what may be left out."""
        reached: set[tuple[int, int]] = set()
        for line, at in places:
            steps = self._lines[line]
            reached.add((line, at))
            while at < len(steps) and steps[at][1]:
                at += 1
                reached.add((line, at))
        return frozenset(reached)

    def _number(self, places: frozenset[tuple[int, int]]) -> int:
        """The state of these places; made, with all that follow from it, where it is new.

        Ends, for a pattern has no loops.
        """
        known = self._numbers.get(places)
        if known is not None:
            return known
        number = self._numbers[places] = len(self._moves)
        self._moves.append({})
        self._final.append(any(at == len(self._lines[line]) for line, at in places))
        after: dict[str, set[tuple[int, int]]] = defaultdict(set)
        for line, at in places:
            if at < len(self._lines[line]):
                for character in self._lines[line][at][0]:
                    after[character].add((line, at + 1))
        self._moves[number] = {
            character: self._number(self._reached(then)) for character, then in after.items()
        }
        return number


def _steps(pattern: str) -> tuple[_Step, ...]:
    steps: list[_Step] = []
    at = 0
    while at < len(pattern):
        atom = _ATOM.match(pattern, at)
        if atom is None:
            raise ValueError(f"{pattern}: cannot be read from character {at} on")
        at = atom.end()
        least, most = 1, 1
        times = _TIMES.match(pattern, at)
        if times is not None:
            at = times.end()
            least, most = _bounds(times)
        characters = _set(atom[1]) if atom[1] else frozenset(atom[2])
        steps += [(characters, False)] * least + [(characters, True)] * (most - least)
    return tuple(steps)


def _bounds(times: re.Match[str]) -> tuple[int, int]:
    if times[0] == "?":
        return 0, 1
    if times[3]:
        return int(times[3]), int(times[3])
    return int(times[1] or 0), int(times[2])


def _set(inner: str) -> frozenset[str]:
    """The characters of a set such as `A-HJ0-9京`."""
    found: set[str] = set()
    for span in re.finditer(r"(.)-(.)|(.)", inner):
        low, high = (span[3], span[3]) if span[3] else (span[1], span[2])
        found.update(chr(code) for code in range(ord(low), ord(high) + 1))
    return frozenset(found)
