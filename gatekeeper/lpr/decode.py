"""What the recogniser's numbers say: CTC in, text and a confidence for each character out.

Pure; it is tested with three letters and five instants.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from gatekeeper.lpr.session import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A text and, for each of its characters, how sure the network was, 0..1, and the character
    that was the next best there ("" where none was, no tuple where it was not asked).
    """

    text: str
    confidences: tuple[float, ...]
    others: tuple[str, ...] = ()

    def __add__(self, after: "Reading") -> "Reading":
        """Both texts as one, of a plate whose rows were read one by one."""
        return Reading(
            text=self.text + after.text,
            confidences=self.confidences + after.confidences,
            others=self.others + after.others,
        )


Decode: TypeAlias = Callable[[Floats, Sequence[str]], Reading]
"""What a network's shares (T, 1 + characters; the blank is first) say in an alphabet."""


def decoded(shares: Floats, alphabet: Sequence[str]) -> Reading:
    """The best path through `shares` (T, 1 + characters; the blank is first).

    A character is where one symbol stands without a break; its confidence is its largest share
    there, the instant at which the network speaks it out.
    """
    best: list[int] = []
    before, symbols = 0, shares.argmax(axis=1).tolist()
    for instant, symbol in enumerate(symbols):
        if symbol and symbol != before:
            best.append(instant)
        elif symbol and shares[instant, symbol] > shares[best[-1], symbol]:
            best[-1] = instant
        before = symbol
    return Reading(
        text="".join(alphabet[symbols[instant] - 1] for instant in best),
        confidences=tuple(min(float(shares[instant].max()), 1.0) for instant in best),
        others=tuple(_next_best(shares[instant], alphabet) for instant in best),
    )


def _next_best(shares: Floats, alphabet: Sequence[str]) -> str:
    """The character, other than the best one, that has the largest share of an instant."""
    ranked = (np.argsort(-shares[1:], kind="stable") + 1).tolist()
    return next((alphabet[symbol - 1] for symbol in ranked[1:2] if shares[symbol] > 0), "")


def softened(shares: Floats, temperature: float) -> Floats:
    """Shares (T, symbols) as they would be with the logits divided by the temperature."""
    if temperature == 1.0:
        return shares
    logs = np.log(np.maximum(shares, 1e-30)) / temperature
    parts = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(parts / parts.sum(axis=1, keepdims=True), np.float32)


def worth(reading: Reading, points: Sequence[tuple[float, float]]) -> Reading:
    """The reading with what its confidences were measured to be worth: `points` of what is said and
    what is right, joined by straight lines.
    """
    if not points:
        return reading
    said, right = zip(*points, strict=True)
    told = np.interp(reading.confidences, said, right).tolist()
    return replace(reading, confidences=tuple(told))


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
