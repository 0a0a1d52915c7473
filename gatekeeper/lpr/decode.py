"""What the recogniser's numbers say: CTC in, text and a confidence for each character out.

Pure; it is tested with three letters and five instants.
"""

from collections.abc import Sequence
from dataclasses import dataclass

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
