"""From the plate reads of one vehicle to a sighting: who says what, and how surely.

The reads of one visit come in, in any order; a sighting goes out, or None while they do not agree.
It never repairs a plate: what goes out was read, character for character, by a frame. It keeps
nothing: as frames come, it is asked again with all of them.

What each read weighs stands in `evidence`. Texts are compared by the sum of these weights, and the
best must lead the next clearly: on a tie there is no sighting, in the last call neither, because
half of the evidence would be against it. Only a tie between provinces may go to the local one.

Texts that differ little are of one plate. Among them each character is voted on by itself, and so
is their length; a text whose character or length most of the evidence denies is no sighting.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from math import fsum
from typing import TypeVar

from gatekeeper.model import Colour, PlateRead, Sighting
from gatekeeper.rules.evidence import Evidence, Vote, Votes, akin, evidence_of, votes_of

_LEAD = 0.5
"""The best text leads the next by this weight: half a perfect read."""

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


def tally(reads: Sequence[PlateRead], quorum: Quorum, *, last_call: bool) -> Sighting | None:
    """The plate these reads agree on, or None if they do not agree on one (yet).

    A read counts only if its normal form is a possible plate; a text counts once a frame. With
    `last_call` (no more time) one read is enough if every character reaches `quorum.lone`. A
    character's confidence is the mean over the reads that agree on it, lowered by those that
    dissent, each as far as it was sure.
    """
    votes = votes_of(reads, clear=quorum.agreeing)
    evidence = evidence_of(votes)
    leader = _leader(evidence)
    if leader and (_enough(votes[leader], quorum) or (last_call and _lone(votes[leader], quorum))):
        confidences = _merged(leader, votes, evidence)
        if confidences is not None:
            return _sighting(leader, confidences, votes, evidence, _certain(leader, votes, quorum))
    return _by_prior(votes, evidence, quorum)


def _by_prior(votes: Votes, evidence: Evidence, quorum: Quorum) -> Sighting | None:
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
    votes: Votes,
    evidence: Evidence,
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


# --- which text leads -----------------------------------------------------------------------


def _leader(evidence: Evidence) -> str | None:
    """The text that leads the next clearly."""
    if not evidence:
        return None
    (text, weight), *others = evidence
    return text if not others or weight - others[0][1] >= _LEAD else None


def _local(evidence: Evidence, province: str | None) -> str | None:
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


def _enough(agreeing: Sequence[Vote], quorum: Quorum) -> bool:
    return len(agreeing) >= quorum.agreeing


def _lone(agreeing: Iterable[Vote], quorum: Quorum) -> bool:
    return any(vote.suits and vote.confidence >= quorum.lone for vote in agreeing)


# --- character by character -----------------------------------------------------------------


def _merged(
    winner: str, votes: Votes, evidence: Evidence, *, prior: bool = False
) -> tuple[float, ...] | None:
    """The confidence of each character of the winner; None if one of them or the length is
    outvoted. With `prior` the texts that differ in nothing but the province outvote nothing.
    """
    kin = [(text, weight) for text, weight in evidence if akin(text, winner)]
    if not _long_enough(winner, kin):
        return None
    cluster = {text: votes[text] for text, _ in kin if len(text) == len(winner)}
    shares = (_share(winner, place, cluster, prior=prior) for place in range(len(winner)))
    known = tuple(share for share in shares if share is not None)
    return known if len(known) == len(winner) else None


def _long_enough(winner: str, kin: Evidence) -> bool:
    """Whether no other length has as much weight: a lost character is misread like any other."""
    weights: dict[int, list[float]] = defaultdict(list)
    for text, weight in kin:
        weights[len(text)].append(weight)
    agreed = fsum(weights.pop(len(winner)))
    return all(fsum(parts) < agreed for parts in weights.values())


def _share(winner: str, place: int, cluster: Votes, *, prior: bool) -> float | None:
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


def _alternatives(winner: str, evidence: Evidence) -> tuple[tuple[str, float], ...]:
    total = fsum(weight for _, weight in evidence)
    return tuple(
        (text, weight / total if total else 0.0) for text, weight in evidence if text != winner
    )


# --- how sure -------------------------------------------------------------------------------


def _certain(winner: str, votes: Votes, quorum: Quorum) -> bool:
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


def _company(votes: Votes) -> bool:
    """Whether some frame shows two plates, whichever of them is the nearer."""
    frames = [vote.read.frame for group in votes.values() for vote in group]
    return len(set(frames)) < len(frames)


def _contradicts(vote: Vote, winner: str, certain: float) -> bool:
    """Whether a read differs in a character it was sure of; in length, if sure of them all."""
    if len(vote.text) != len(winner):
        return vote.confidence >= certain
    trio = zip(vote.text, winner, vote.confidences, strict=True)
    return any(a != b and confidence >= certain for a, b, confidence in trio)


def _most(values: Iterable[_Value]) -> _Value:
    """The commonest value; of equally common ones the first by name."""
    counts = Counter(values)
    return min(counts, key=lambda value: (-counts[value], str(value)))
