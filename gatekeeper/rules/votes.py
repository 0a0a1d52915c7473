"""From the plate reads of one vehicle to a sighting: who says what, and how surely.

The reads of one visit come in, in any order; a sighting goes out, or None while they do not agree.
It never repairs a plate: what goes out was read, character for character, by a frame.

How much a read weighs: its weakest character, times its size within its frame (the car at the
barrier is nearer than the one behind it), times a quarter where the ground colour cannot belong to
such a plate (a green plate that lost its eighth character looks like an ordinary one). Texts are
compared by the sum of these weights, and the best must lead the next clearly: on a tie there is no
sighting, in the last call neither, because half of the evidence would be against it.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from math import fsum
from typing import TypeVar

from gatekeeper.model import Corners, PlateRead, Sighting
from gatekeeper.rules import plate

_LEAD = 0.5
"""The best text leads the next by this weight: half a perfect read."""

_ODD_COLOUR = 0.25
"""What is left of a read whose colour contradicts its text."""

_NEAR = 2
"""Reads of equal length that differ in at most so many characters are of one plate."""


_Value = TypeVar("_Value", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quorum:
    """What a sighting needs.

    `agreeing`: frames that read exactly the same; `lone`: every character of a single read that is
    believed in the last call. `certain`: the network set's calibrated confidence, which
    `certain_frames` frames must reach in every character before anything counts against a driver.
    """

    agreeing: int = 2
    lone: float = 0.98
    certain: float = 0.98
    certain_frames: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Vote:
    """A read that counts, in normal form; `reach` is its weight before its own confidence."""

    text: str
    confidences: tuple[float, ...]
    suits: bool
    reach: float
    read: PlateRead

    @property
    def confidence(self) -> float:
        return min(self.confidences)


def tally(reads: Sequence[PlateRead], quorum: Quorum, *, last_call: bool) -> Sighting | None:
    """The plate these reads agree on, or None if they do not agree on one (yet).

    A read counts only if its normal form is a possible plate; a text counts once a frame. With
    `last_call` (no more time) one read is enough if every character reaches `quorum.lone`. A
    character's confidence is the mean over the reads that agree on it, lowered by those that
    dissent, each as far as it was sure.
    """
    votes = _votes(reads)
    evidence = _evidence(votes)
    winner = _winner(evidence)
    if winner is None:
        return None
    agreeing = [vote for vote in votes if vote.text == winner]
    if len(agreeing) < quorum.agreeing and not (last_call and _lone(agreeing, quorum)):
        return None
    confidences = _merged(winner, votes)
    if confidences is None:
        return None
    return Sighting(
        plate=winner,
        confidences=confidences,
        colour=_most(vote.read.colour for vote in agreeing),
        rows=_most(vote.read.rows for vote in agreeing),
        agreeing=len(agreeing),
        frames=tuple(sorted(vote.read.frame for vote in agreeing)),
        alternatives=_alternatives(winner, evidence),
        certain=_certain(agreeing, votes, quorum),
        first_at=min(vote.read.at for vote in agreeing),
        last_at=max(vote.read.at for vote in agreeing),
    )


def _votes(reads: Iterable[PlateRead]) -> list[_Vote]:
    """The reads that count: one for each text and frame, the surest."""
    best: dict[tuple[int, str], tuple[tuple[float, ...], PlateRead]] = {}
    for read in reads:
        text = plate.normalise(read.text)
        if plate.kind_of(text) is None or len(read.text) != len(read.confidences):
            continue
        confidences = _aligned(read)
        if len(confidences) != len(text):
            continue
        known = best.get((read.frame, text))
        if known is None or _rank(confidences, read) > _rank(*known):
            best[read.frame, text] = (confidences, read)
    return _weighed(best)


def _aligned(read: PlateRead) -> tuple[float, ...]:
    """The confidences of the characters that are left in normal form; separators have none."""
    pairs = zip(read.text, read.confidences, strict=True)
    return tuple(confidence for character, confidence in pairs if plate.normalise(character))


def _rank(confidences: tuple[float, ...], read: PlateRead) -> tuple[float, str]:
    """Surest first; the rest only makes the choice independent of the order of the reads."""
    return min(confidences), repr(read)


def _weighed(best: dict[tuple[int, str], tuple[tuple[float, ...], PlateRead]]) -> list[_Vote]:
    largest: dict[int, float] = defaultdict(float)
    for (frame, _), (_, read) in best.items():
        largest[frame] = max(largest[frame], _area(read.corners))
    votes = []
    for (frame, text), (confidences, read) in best.items():
        kind = plate.kind_of(text)
        suits = kind is not None and plate.suits(kind, read.colour)
        size = _area(read.corners) / largest[frame] if largest[frame] else 1.0
        reach = size if suits else size * _ODD_COLOUR
        votes.append(_Vote(text=text, confidences=confidences, suits=suits, reach=reach, read=read))
    return votes


def _area(corners: Corners) -> float:
    """Shoelace formula; square pixels."""
    turned = zip(corners, corners[1:] + corners[:1], strict=True)
    return abs(fsum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in turned)) / 2


def _evidence(votes: Iterable[_Vote]) -> list[tuple[str, float]]:
    """Each text with its weight, best first. `fsum` is exact, so the order of reads is idle."""
    weights: dict[str, list[float]] = defaultdict(list)
    for vote in votes:
        weights[vote.text].append(vote.reach * vote.confidence)
    summed = ((text, fsum(parts)) for text, parts in weights.items())
    return sorted(summed, key=lambda each: (-each[1], each[0]))


def _winner(evidence: list[tuple[str, float]]) -> str | None:
    if not evidence:
        return None
    (text, weight), *others = evidence
    return text if not others or weight - others[0][1] >= _LEAD else None


def _lone(agreeing: Iterable[_Vote], quorum: Quorum) -> bool:
    return any(vote.suits and vote.confidence >= quorum.lone for vote in agreeing)


def _merged(winner: str, votes: Iterable[_Vote]) -> tuple[float, ...] | None:
    """The confidence of each character of the winner; None if some character is outvoted."""
    cluster = [vote for vote in votes if _distance(vote.text, winner) <= _NEAR]
    merged = [_share(winner[place], place, cluster) for place in range(len(winner))]
    known = [share for share in merged if share is not None]
    return tuple(known) if len(known) == len(winner) else None


def _share(character: str, place: int, cluster: Iterable[_Vote]) -> float | None:
    """Sure agreement, over all agreement and sure dissent; None if another character has more."""
    reach: list[float] = []
    sure: dict[str, list[float]] = defaultdict(list)
    for vote in cluster:
        sure[vote.text[place]].append(vote.reach * vote.confidences[place])
        if vote.text[place] == character:
            reach.append(vote.reach)
    agreed = fsum(sure.pop(character))
    dissent = [fsum(parts) for parts in sure.values()]
    if dissent and max(dissent) >= agreed:
        return None
    total = fsum(reach) + fsum(dissent)
    return agreed / total if total else 0.0


def _distance(one: str, other: str) -> int:
    """How many characters differ; texts of different length are far apart."""
    if len(one) != len(other):
        return max(len(one), len(other))
    return sum(a != b for a, b in zip(one, other, strict=True))


def _alternatives(winner: str, evidence: list[tuple[str, float]]) -> tuple[tuple[str, float], ...]:
    total = fsum(weight for _, weight in evidence)
    return tuple(
        (text, weight / total if total else 0.0) for text, weight in evidence if text != winner
    )


def _certain(agreeing: Iterable[_Vote], votes: Sequence[_Vote], quorum: Quorum) -> bool:
    """Enough frames agree, all surely; no frame shows two plates; no read surely says otherwise."""
    sure = [vote for vote in agreeing if vote.suits and vote.confidence >= quorum.certain]
    frames = {vote.read.frame for vote in votes}
    return (
        len(sure) >= quorum.certain_frames
        and len(frames) == len(votes)
        and not any(_contradicts(vote, sure[0].text, quorum.certain) for vote in votes)
    )


def _contradicts(vote: _Vote, winner: str, certain: float) -> bool:
    """Whether a read differs in a character it was sure of; in length, if sure of them all."""
    if len(vote.text) != len(winner):
        return vote.confidence >= certain
    trio = zip(vote.text, winner, vote.confidences, strict=True)
    return any(a != b and confidence >= certain for a, b, confidence in trio)


def _most(values: Iterable[_Value]) -> _Value:
    """The commonest value; of equally common ones the first by name."""
    counts = Counter(values)
    return min(counts, key=lambda value: (-counts[value], str(value)))
