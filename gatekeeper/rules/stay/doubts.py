"""The doubts about the window W of a stay: with one of them no overstay of it is certain."""

from dataclasses import replace

from gatekeeper.model import NotedDoubt, Sighting, Stay
from gatekeeper.rules import plate

_SEVERAL = 3
"""So many characters must contradict a plate before a passage cannot have been it."""


def is_watched(stay: Stay) -> bool:
    """Whether a doubt can still arise about the window: a limit runs and is not judged."""
    return stay.limit is not None and stay.judgement is None and stay.ended is None


def could_have_been(sighting: Sighting | None, plate_inside: str, certain: float) -> bool:
    """Whether a passage may have been this plate's: if so, it may have left unseen.

    It was unread, a trailer hid it, some frame read it, or fewer than three characters of the read
    contradict it with certainty. A missing or additional character contradicts nothing.
    """
    if sighting is None or plate.is_trailer(sighting.plate):
        return True
    if any(text == plate_inside for text, _ in sighting.alternatives):
        return True
    sure = tuple(confidence >= certain for confidence in sighting.confidences)
    return plate.contradictions(sighting.plate, sure, plate_inside) < _SEVERAL


def with_doubt(stay: Stay, noted: NotedDoubt) -> Stay:
    """The stay with a doubt about its window: each kind once, and only until the judgement, because
    nothing that comes later changes what the window was like.
    """
    if not is_watched(stay) or noted.doubt in stay.doubts:
        return stay
    return replace(stay, noted=(*stay.noted, noted))
