"""The most probable plate in a network's numbers, and how much less probable the next one is.

CTC says for each instant how probable each character and the blank are; a text is as probable as
all its paths together (Graves 2006). The search follows the most probable beginnings that can still
become a plate, and what it returns as one always is one. What the network read without any grammar
stands beside it, for what is no plate must be reported as such.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from gatekeeper.lpr.decode import Reading, decoded
from gatekeeper.lpr.grammar import Grammar
from gatekeeper.lpr.session import Floats

_Places: TypeAlias = npt.NDArray[np.int64]

WIDTH = 12
"""Beginnings that are followed at a time. With 24 not one text in 2 000 changes."""

LEAST = 1e-4
"""Share of an instant from which a character is followed there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plates:
    """What a strip may say. `plate` and `second` are the two most probable plates, or None.

    `margin` is what the plate has of its own and the second plate's probability, `fit` its
    probability by that of `free`, the text without a grammar: 1 where that is the plate itself.
    `others` has for each character of the plate the one that would be next best there, or "".
    """

    plate: Reading | None
    second: str | None
    margin: float
    fit: float
    others: tuple[str, ...]
    free: Reading


def plates(
    shares: Floats,
    alphabet: Sequence[str],
    grammar: Grammar,
    *,
    width: int = WIDTH,
    least: float = LEAST,
) -> Plates:
    """The plates in `shares` (T, 1 + characters; the blank is first).

    A character in which the second plate differs is no surer than the margin; where the two are of
    different lengths, that is the first one in which they part.
    """
    free = decoded(shares, alphabet)
    found = _ranked(shares, alphabet, grammar, width, least)
    if not found:
        return Plates(plate=None, second=None, margin=0.0, fit=0.0, others=(), free=free)
    text, chance = found[0]
    second, next_chance = found[1] if len(found) > 1 else (None, 0.0)
    margin = chance / (chance + next_chance)
    classes = _classes(text, alphabet)
    instants = aligned(shares, classes)
    sure = np.minimum(shares[instants, classes], 1.0).tolist()
    beside = chance
    if free.text != text:
        beside = probability(shares, _classes(free.text, alphabet))
    return Plates(
        plate=Reading(text=text, confidences=_capped(sure, text, second, margin)),
        second=second,
        margin=margin,
        fit=min(1.0, chance / max(beside, 1e-300)),
        others=tuple(_others(shares, classes, alphabet, instants)),
        free=free,
    )


def _ranked(
    shares: Floats, alphabet: Sequence[str], grammar: Grammar, width: int, least: float
) -> list[tuple[str, float]]:
    """Whole plates that the search came to, with their probability, the best first.

    For each beginning it keeps how probable it is ending in a blank, and ending in a character:
    only behind a blank can the same character come once more.
    """
    beam: dict[str, tuple[float, float, int]] = {"": (1.0, 0.0, Grammar.START)}
    for blank, candidates in _instants(shares, alphabet, least):
        after: dict[str, list[float]] = {}
        states: dict[str, int] = {}
        for text, (closed, open_, state) in beam.items():
            whole = closed + open_
            moves, last = grammar.moves(state), text[-1:]
            stays = after.setdefault(text, [0.0, 0.0])
            states[text] = state
            stays[0] += whole * blank
            for character, share in candidates:
                gain = whole
                if character == last:
                    stays[1] += open_ * share
                    gain = closed
                onward = moves.get(character)
                if onward is not None and gain:
                    longer = text + character
                    states[longer] = onward
                    after.setdefault(longer, [0.0, 0.0])[1] += gain * share
        best = sorted(after.items(), key=_weight, reverse=True)[:width]
        beam = {text: (told[0], told[1], states[text]) for text, told in best}
    ends = [
        (text, closed + open_)
        for text, (closed, open_, state) in beam.items()
        if grammar.is_final(state) and closed + open_ > 0
    ]
    return sorted(ends, key=lambda end: end[1], reverse=True)


def _weight(beginning: tuple[str, list[float]]) -> float:
    return beginning[1][0] + beginning[1][1]


def _instants(
    shares: Floats, alphabet: Sequence[str], least: float
) -> Iterator[tuple[float, list[tuple[str, float]]]]:
    """For each instant the blank's share and the characters worth following, with theirs."""
    rows, places = np.nonzero(shares[:, 1:] >= least)
    found: list[list[tuple[str, float]]] = [[] for _ in range(len(shares))]
    values = shares[rows, places + 1].tolist()
    for row, place, share in zip(rows.tolist(), places.tolist(), values, strict=True):
        found[row].append((alphabet[place], share))
    return zip(shares[:, 0].tolist(), found, strict=True)


def probability(shares: Floats, classes: Sequence[int]) -> float:
    """How probable a text of these classes is, over all its paths."""
    symbols = _with_blanks(classes)
    leap = _leaps(symbols)
    rows = shares[:, symbols].astype(np.float64)
    chance = np.zeros(len(symbols))
    chance[:2] = rows[0, :2]
    for row in rows[1:]:
        reached = chance.copy()
        reached[1:] += chance[:-1]
        reached[2:] += np.where(leap[2:], chance[:-2], 0.0)
        chance = reached * row
    return float(chance[-2:].sum())


def aligned(shares: Floats, classes: Sequence[int]) -> list[int]:
    """For each character the instant at which the network speaks it out most surely, on the most
    probable path of this text.
    """
    symbols = _with_blanks(classes)
    leap = _leaps(symbols)
    logs = np.log(np.maximum(shares[:, symbols], 1e-30)).astype(np.float64)
    score = np.full(len(symbols), -np.inf)
    score[:2] = logs[0, :2]
    came = np.zeros(logs.shape, np.int64)
    choices = np.full((3, len(symbols)), -np.inf)
    for at in range(1, len(logs)):
        choices[0], choices[1, 1:] = score, score[:-1]
        choices[2, 2:] = np.where(leap[2:], score[:-2], -np.inf)
        came[at] = choices.argmax(axis=0)
        score = choices.max(axis=0) + logs[at]
    place = len(symbols) - 1 - int(score[-1] < score[-2]) if len(symbols) > 1 else 0
    path = [place]
    for at in range(len(logs) - 1, 0, -1):
        place -= int(came[at, place])
        path.append(place)
    return _peaks(np.array(path[::-1]), logs, len(classes))


def _peaks(path: _Places, logs: npt.NDArray[np.float64], count: int) -> list[int]:
    peaks = []
    for character in range(count):
        here = np.nonzero(path == 2 * character + 1)[0]
        peaks.append(int(here[logs[here, 2 * character + 1].argmax()]))
    return peaks


def _classes(text: str, alphabet: Sequence[str]) -> list[int]:
    return [alphabet.index(character) + 1 for character in text]


def _with_blanks(classes: Sequence[int]) -> list[int]:
    """Blank, character, blank, character, ..., blank."""
    return [0] + [symbol for one in classes for symbol in (one, 0)]


def _leaps(symbols: Sequence[int]) -> npt.NDArray[np.bool_]:
    """Where the blank before may be left out: at a character that is not the one before it."""
    return np.array(
        [at > 2 and symbol != 0 and symbol != symbols[at - 2] for at, symbol in enumerate(symbols)]
    )


def _others(
    shares: Floats, classes: Sequence[int], alphabet: Sequence[str], instants: Sequence[int]
) -> Iterator[str]:
    for symbol, at in zip(classes, instants, strict=True):
        row = shares[at].copy()
        row[[0, symbol]] = 0
        best = int(row.argmax())
        yield alphabet[best - 1] if row[best] > 0 else ""


def _capped(
    confidences: Sequence[float], text: str, second: str | None, margin: float
) -> tuple[float, ...]:
    if second is None:
        return tuple(confidences)
    parted = {at for at, (one, other) in enumerate(zip(text, second, strict=False)) if one != other}
    if len(text) != len(second):
        parted = {min(parted | {len(text) - 1, len(second)})}
    return tuple(min(sure, margin) if at in parted else sure for at, sure in enumerate(confidences))
