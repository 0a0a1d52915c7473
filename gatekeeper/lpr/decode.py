"""What the recogniser's numbers say: CTC in, text and a confidence for each character out.

Pure; it is tested with three letters and five instants.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gatekeeper.lpr.session import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A text and, for each of its characters, how sure the network was, 0..1."""

    text: str
    confidences: tuple[float, ...]


def decoded(shares: Floats, alphabet: Sequence[str]) -> Reading:
    """The best path through `shares` (T, 1 + characters; the blank is first).

    A character is where one symbol stands without a break; its confidence is its largest share
    there, the instant at which the network speaks it out.
    """
    text: list[str] = []
    confidences: list[float] = []
    before = 0
    for symbol, share in zip(shares.argmax(axis=1).tolist(), shares.max(axis=1), strict=True):
        if symbol and symbol == before:
            confidences[-1] = max(confidences[-1], float(share))
        elif symbol:
            text.append(alphabet[symbol - 1])
            confidences.append(float(share))
        before = symbol
    return Reading(text="".join(text), confidences=tuple(min(share, 1.0) for share in confidences))


def doubted(reading: Reading, others: Sequence[Reading]) -> Reading:
    """The reading, less sure of each character where another one of its length saw another.

    Of several looks at one plate the best is chosen, and a choice makes confidences too good:
    against a share of `q` for something else, `p` is worth `p / (p + q)` at most.
    """
    confidences = list(reading.confidences)
    for other in others:
        if len(other.text) == len(reading.text):
            for place, character in enumerate(other.text):
                if character != reading.text[place]:
                    ours, theirs = reading.confidences[place], other.confidences[place]
                    confidences[place] = min(confidences[place], ours / (ours + theirs))
    return replace(reading, confidences=tuple(confidences))
