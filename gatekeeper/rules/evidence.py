"""What the plate reads of one visit weigh: the reads come in, votes and evidence go out.

A read weighs its weakest character, times its size within its frame (the car at the barrier is
nearer than the one behind it), times a quarter where the ground colour cannot belong to such a
plate (a green plate that lost its eighth character looks like an ordinary one). A plate that was
always far smaller than one on which frames agree is the next car's and weighs nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import TypeAlias

from gatekeeper.model import Corners, PlateRead
from gatekeeper.rules import plate

_ODD_COLOUR = 0.25
"""What is left of a read whose colour contradicts its text."""

_NEAR = 2
"""Texts that differ in at most so many characters are of one plate; one lost counts as one."""

_BEHIND = 0.5
"""A plate that was never larger than this share of another's largest is further back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """A read that counts, in normal form; `reach` is its weight before its own confidence."""

    text: str
    confidences: tuple[float, ...]
    confidence: float
    suits: bool
    reach: float
    read: PlateRead


Votes: TypeAlias = dict[str, list[Vote]]
"""All votes, by what they say."""

Evidence: TypeAlias = list[tuple[str, float]]
"""Each text with its weight, best first."""


def votes_of(reads: Iterable[PlateRead], *, clear: int) -> Votes:
    """The reads that count: one for each text and frame, the surest.

    A text that `clear` frames read is no mistake, so a far smaller plate is another vehicle's.
    """
    best: dict[tuple[int, str], tuple[tuple[float, ...], PlateRead]] = {}
    for read in reads:
        text = plate.normalise(read.text)
        if plate.kind_of(text) is None or len(read.text) != len(read.confidences):
            continue
        confidences = read.confidences if text == read.text else _aligned(read)
        if len(confidences) != len(text):
            continue
        known = best.get((read.frame, text))
        if known is None or _rank(confidences, read) > _rank(*known):
            best[read.frame, text] = (confidences, read)
    return _weighed(best, clear)


def _aligned(read: PlateRead) -> tuple[float, ...]:
    """The confidences of the characters that are left in normal form; separators have none."""
    pairs = zip(read.text, read.confidences, strict=True)
    return tuple(confidence for character, confidence in pairs if plate.normalise(character))


def _rank(confidences: tuple[float, ...], read: PlateRead) -> tuple[float, str]:
    """Surest first; the rest only makes the choice independent of the order of the reads."""
    return min(confidences), repr(read)


def _weighed(best: dict[tuple[int, str], tuple[tuple[float, ...], PlateRead]], clear: int) -> Votes:
    areas = {key: _area(read.corners) for key, (_, read) in best.items()}
    largest: dict[int, float] = defaultdict(float)
    sizes: dict[str, list[float]] = defaultdict(list)
    for (frame, text), area in areas.items():
        largest[frame] = max(largest[frame], area)
        sizes[text].append(area)
    behind = _behind(sizes, clear)
    votes: Votes = defaultdict(list)
    for (frame, text), (confidences, read) in best.items():
        size = areas[frame, text] / largest[frame] if largest[frame] else 1.0
        votes[text].append(_vote(text, confidences, read, 0.0 if text in behind else size))
    return dict(votes)


def _vote(text: str, confidences: tuple[float, ...], read: PlateRead, size: float) -> Vote:
    kind = plate.kind_of(text)
    suits = kind is not None and plate.suits(kind, read.colour)
    return Vote(
        text=text,
        confidences=confidences,
        confidence=min(confidences),
        suits=suits,
        reach=size if suits else size * _ODD_COLOUR,
        read=read,
    )


def _area(corners: Corners) -> float:
    """Shoelace formula; square pixels."""
    (x1, y1), (x2, y2), (x3, y3), (x4, y4) = corners
    return abs((x1 - x3) * (y2 - y4) - (x2 - x4) * (y1 - y3)) / 2


def _behind(sizes: Mapping[str, Sequence[float]], clear: int) -> frozenset[str]:
    """The texts of a vehicle further back than one that was read clearly: while the first rolls in
    under the camera, the next may be the only one in view.
    """
    if len(sizes) < 2:
        return frozenset()
    largest = {text: max(areas) for text, areas in sizes.items()}
    nearest = [text for text, areas in sizes.items() if len(areas) >= clear]
    return frozenset(
        text
        for text, size in largest.items()
        if any(size < _BEHIND * largest[near] and not akin(text, near) for near in nearest)
    )


def evidence_of(votes: Votes) -> Evidence:
    """Each text's weights, summed exactly, so that the order of reads does not matter."""
    weights = (
        (text, fsum(vote.reach * vote.confidence for vote in group))
        for text, group in votes.items()
    )
    return sorted(weights, key=lambda each: (-each[1], each[0]))


def akin(one: str, other: str) -> bool:
    """Whether two texts can be reads of one plate; symmetric."""
    return one == other or _distance(one, other) <= _NEAR


def _distance(one: str, other: str) -> int:
    """How many characters differ, one that was lost among them; more than one lost is far apart."""
    short, long = sorted((one, other), key=len)
    if len(short) == len(long):
        return sum(a != b for a, b in zip(short, long, strict=True))
    if len(long) - len(short) > 1:
        return len(long)
    return 1 + min(
        sum(a != b for a, b in zip(short, long[:place] + long[place + 1 :], strict=True))
        for place in range(len(long))
    )
