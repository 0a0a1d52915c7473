"""From the plate reads of one vehicle to a sighting: who says what, and how surely.

The reads of one visit come in, in any order; a sighting goes out, or None while they do not agree.
It never repairs a plate: what goes out was read, character for character, by a frame. It keeps
nothing: as frames come, it is asked again with all of them.

How much a read weighs: its weakest character, times its size within its frame (the car at the
barrier is nearer than the one behind it), times a quarter where the ground colour cannot belong to
such a plate (a green plate that lost its eighth character looks like an ordinary one). A plate that
was always far smaller than one on which frames agree is the next car's and weighs nothing. Texts
are compared by the sum of these weights, and the best must lead the next clearly: on a tie there
is no sighting, in the last call neither, because half of the evidence would be against it.

Texts that differ little are of one plate. Among them each character is voted on by itself, and so
is their length; a text whose character or length most of the evidence denies is no sighting.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from math import fsum
from typing import TypeAlias, TypeVar

from gatekeeper.model import Colour, Corners, PlateRead, Sighting
from gatekeeper.rules import plate

_LEAD = 0.5
"""The best text leads the next by this weight: half a perfect read."""

_ODD_COLOUR = 0.25
"""What is left of a read whose colour contradicts its text."""

_NEAR = 2
"""Texts that differ in at most so many characters are of one plate; one lost counts as one."""

_BEHIND = 0.5
"""A plate that was never larger than this share of another's largest is further back."""

_PROVINCE = 0
"""The place of the province character, the one that readers know least (HyperLPR #191)."""

_Value = TypeVar("_Value", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quorum:
    """What a sighting needs.

    `agreeing`: frames that read exactly the same; `lone`: every character of a single read that is
    believed in the last call. `certain`: the network set's calibrated confidence, which
    `certain_frames` frames must reach in every character before anything counts against a driver.
    `province`: the local one, if a tie between provinces may go to it; such a sighting needs the
    agreeing frames, also in the last call, and is never certain.
    """

    agreeing: int = 2
    lone: float = 0.98
    certain: float = 0.98
    certain_frames: int = 3
    province: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Vote:
    """A read that counts, in normal form; `reach` is its weight before its own confidence."""

    text: str
    confidences: tuple[float, ...]
    confidence: float
    suits: bool
    reach: float
    read: PlateRead


_Votes: TypeAlias = dict[str, list[_Vote]]
"""All votes, by what they say."""

_Evidence: TypeAlias = list[tuple[str, float]]
"""Each text with its weight, best first."""


def tally(reads: Sequence[PlateRead], quorum: Quorum, *, last_call: bool) -> Sighting | None:
    """The plate these reads agree on, or None if they do not agree on one (yet).

    A read counts only if its normal form is a possible plate; a text counts once a frame. With
    `last_call` (no more time) one read is enough if every character reaches `quorum.lone`. A
    character's confidence is the mean over the reads that agree on it, lowered by those that
    dissent, each as far as it was sure.
    """
    votes = _votes(reads, quorum)
    evidence = _evidence(votes)
    leader = _leader(evidence)
    if leader and (_enough(votes[leader], quorum) or (last_call and _lone(votes[leader], quorum))):
        confidences = _merged(leader, votes, evidence)
        if confidences is not None:
            return _sighting(leader, confidences, votes, evidence, _certain(leader, votes, quorum))
    return _by_prior(votes, evidence, quorum)


def _by_prior(votes: _Votes, evidence: _Evidence, quorum: Quorum) -> Sighting | None:
    """The plate of the local province, where nothing but the province is open."""
    local = _local(evidence, quorum.province)
    if local is None or not _enough(votes[local], quorum):
        return None
    confidences = _merged(local, votes, evidence, prior=True)
    if confidences is None:
        return None
    return _sighting(local, confidences, votes, evidence, certain=False)


def _sighting(
    winner: str,
    confidences: tuple[float, ...],
    votes: _Votes,
    evidence: _Evidence,
    certain: bool,
) -> Sighting:
    reads = [vote.read for vote in votes[winner]]
    known = [read.colour for read in reads if read.colour is not Colour.UNKNOWN]
    return Sighting(
        plate=winner,
        confidences=confidences,
        colour=_most(known) if known else Colour.UNKNOWN,
        rows=_most(read.rows for read in reads),
        agreeing=len(reads),
        frames=tuple(sorted(read.frame for read in reads)),
        alternatives=_alternatives(winner, evidence),
        certain=certain,
        first_at=min(read.at for read in reads),
        last_at=max(read.at for read in reads),
        company=_company(votes),
    )


# --- what a read weighs ---------------------------------------------------------------------


def _votes(reads: Iterable[PlateRead], quorum: Quorum) -> _Votes:
    """The reads that count: one for each text and frame, the surest."""
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
    return _weighed(best, quorum)


def _aligned(read: PlateRead) -> tuple[float, ...]:
    """The confidences of the characters that are left in normal form; separators have none."""
    pairs = zip(read.text, read.confidences, strict=True)
    return tuple(confidence for character, confidence in pairs if plate.normalise(character))


def _rank(confidences: tuple[float, ...], read: PlateRead) -> tuple[float, str]:
    """Surest first; the rest only makes the choice independent of the order of the reads."""
    return min(confidences), repr(read)


def _weighed(
    best: dict[tuple[int, str], tuple[tuple[float, ...], PlateRead]], quorum: Quorum
) -> _Votes:
    areas = {key: _area(read.corners) for key, (_, read) in best.items()}
    largest: dict[int, float] = defaultdict(float)
    sizes: dict[str, list[float]] = defaultdict(list)
    for (frame, text), area in areas.items():
        largest[frame] = max(largest[frame], area)
        sizes[text].append(area)
    behind = _behind(sizes, quorum)
    votes: _Votes = defaultdict(list)
    for (frame, text), (confidences, read) in best.items():
        size = areas[frame, text] / largest[frame] if largest[frame] else 1.0
        votes[text].append(_vote(text, confidences, read, 0.0 if text in behind else size))
    return dict(votes)


def _vote(text: str, confidences: tuple[float, ...], read: PlateRead, size: float) -> _Vote:
    kind = plate.kind_of(text)
    suits = kind is not None and plate.suits(kind, read.colour)
    return _Vote(
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


def _behind(sizes: dict[str, list[float]], quorum: Quorum) -> frozenset[str]:
    """The texts that are of another vehicle, further back than one on which frames agree: while
    the first rolls in under the camera, the next may be the only one in view.
    """
    if len(sizes) < 2:
        return frozenset()
    largest = {text: max(areas) for text, areas in sizes.items()}
    clear = [text for text, areas in sizes.items() if len(areas) >= quorum.agreeing]
    return frozenset(
        text
        for text, size in largest.items()
        if any(size < _BEHIND * largest[near] and not _akin(text, near) for near in clear)
    )


# --- which text leads -----------------------------------------------------------------------


def _evidence(votes: _Votes) -> _Evidence:
    """`fsum` is exact, so the order of reads is idle."""
    weights = (
        (text, fsum(vote.reach * vote.confidence for vote in group))
        for text, group in votes.items()
    )
    return sorted(weights, key=lambda each: (-each[1], each[0]))


def _leader(evidence: _Evidence) -> str | None:
    if not evidence:
        return None
    (text, weight), *others = evidence
    return text if not others or weight - others[0][1] >= _LEAD else None


def _local(evidence: _Evidence, province: str | None) -> str | None:
    """The local text that no other leads, and that leads all but those that differ from it in
    nothing but the province.
    """
    if not evidence or province is None:
        return None
    best = evidence[0][1]
    for text, weight in evidence:
        if text[_PROVINCE] == province and best - weight < _LEAD:
            others = [other for name, other in evidence if not _siblings(name, text)]
            return text if all(weight - other >= _LEAD for other in others) else None
    return None


def _siblings(one: str, other: str) -> bool:
    """Whether two texts are equal, the province apart."""
    return one[_PROVINCE + 1 :] == other[_PROVINCE + 1 :]


def _enough(agreeing: Sequence[_Vote], quorum: Quorum) -> bool:
    return len(agreeing) >= quorum.agreeing


def _lone(agreeing: Iterable[_Vote], quorum: Quorum) -> bool:
    return any(vote.suits and vote.confidence >= quorum.lone for vote in agreeing)


# --- character by character -----------------------------------------------------------------


def _merged(
    winner: str, votes: _Votes, evidence: _Evidence, *, prior: bool = False
) -> tuple[float, ...] | None:
    """The confidence of each character of the winner; None if one of them or the length is
    outvoted. With `prior` the texts that differ in nothing but the province outvote nothing.
    """
    akin = {text: group for text, group in votes.items() if _akin(text, winner)}
    if not _long_enough(winner, [each for each in evidence if each[0] in akin]):
        return None
    cluster = {text: group for text, group in akin.items() if len(text) == len(winner)}
    shares = (_share(winner, place, cluster, prior=prior) for place in range(len(winner)))
    known = tuple(share for share in shares if share is not None)
    return known if len(known) == len(winner) else None


def _long_enough(winner: str, akin: _Evidence) -> bool:
    """Whether no other length has as much weight: a lost character is misread like any other."""
    weights: dict[int, list[float]] = defaultdict(list)
    for text, weight in akin:
        weights[len(text)].append(weight)
    agreed = fsum(weights.pop(len(winner)))
    return all(fsum(parts) < agreed for parts in weights.values())


def _share(winner: str, place: int, cluster: _Votes, *, prior: bool) -> float | None:
    """Sure agreement, over all agreement and sure dissent; None if another character has more."""
    reach: list[float] = []
    agreed: list[float] = []
    dissent: list[float] = []
    others: dict[str, list[float]] = defaultdict(list)
    for text, group in cluster.items():
        weight = fsum(vote.reach * vote.confidences[place] for vote in group)
        if text[place] == winner[place]:
            reach.extend(vote.reach for vote in group)
            agreed.append(weight)
            continue
        dissent.append(weight)
        if not (prior and _siblings(text, winner)):
            others[text[place]].append(weight)
    sure = fsum(agreed)
    if any(fsum(parts) >= sure for parts in others.values()):
        return None
    total = fsum(reach) + fsum(dissent)
    return sure / total if total else 0.0


def _akin(one: str, other: str) -> bool:
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


def _alternatives(winner: str, evidence: _Evidence) -> tuple[tuple[str, float], ...]:
    total = fsum(weight for _, weight in evidence)
    return tuple(
        (text, weight / total if total else 0.0) for text, weight in evidence if text != winner
    )


# --- how sure ---------------------------------------------------------------------------------


def _certain(winner: str, votes: _Votes, quorum: Quorum) -> bool:
    """Enough frames agree, all surely; no frame shows two plates; no read surely says otherwise."""
    sure = [vote for vote in votes[winner] if vote.suits and vote.confidence >= quorum.certain]
    return (
        len(sure) >= quorum.certain_frames
        and not _company(votes)
        and not any(
            _contradicts(vote, winner, quorum.certain)
            for text, group in votes.items()
            if text != winner
            for vote in group
        )
    )


def _company(votes: _Votes) -> bool:
    """Whether some frame shows two plates, whichever of them is the nearer."""
    frames = [vote.read.frame for group in votes.values() for vote in group]
    return len(set(frames)) < len(frames)


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
