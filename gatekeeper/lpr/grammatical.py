"""Decoding with the grammar of plates, as an engine asks for it: the most probable plate, where the
strip may show one, or else what stands there, whatever it is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

from gatekeeper.lpr.beam import plates
from gatekeeper.lpr.decode import Decode, Reading
from gatekeeper.lpr.grammar import Grammar
from gatekeeper.lpr.session import Floats

FITS = 0.02
"""By the probability of the text without a grammar: a plate that is less probable is none."""


def grammatical(patterns: Iterable[str]) -> Decode:
    """A decoder that knows what a plate can be; `patterns` are as `lpr.grammar` has them."""
    grammar = _grammar(tuple(patterns))

    def decode(shares: Floats, alphabet: Sequence[str]) -> Reading:
        found = plates(shares, alphabet, grammar)
        if found.plate is None or found.fit < FITS:
            return found.free
        return replace(found.plate, others=found.others)

    return decode


@lru_cache(maxsize=4)  # a process knows one grammar; making it takes some milliseconds
def _grammar(patterns: tuple[str, ...]) -> Grammar:
    return Grammar(patterns)
