"""The characters the recogniser can write, in the order of its outputs.

The blank and the 76 classes behind it are the table of HyperLPR3 0.1.3 (its `common/tokenize.py`,
Apache-2.0), so that a network of ours reads rightly in its engine; ours follow behind.
"""

from collections.abc import Sequence

BLANK = 0
"""The class of CTC's blank."""

HYPERLPR3 = (
    "'0123456789ABCDEFGHJKLMNOPQRSTUVWXYZ云京冀吉学宁川挂新晋桂民沪津浙渝港湘琼甘皖粤航苏蒙藏警豫"
    "贵赣辽鄂闽陕青鲁黑领使澳"
)
"""HyperLPR3's characters: class n + 1 is character n."""

ALPHABET = HYPERLPR3 + "应急试超临"
"""All characters, without the blank: class n + 1 is character n."""

CLASSES = 1 + len(ALPHABET)

_CLASS_OF = {character: place for place, character in enumerate(ALPHABET, 1)}


def encoded(text: str) -> tuple[int, ...]:
    """The classes of a text; raises `ValueError` for a character that is none of ours."""
    try:
        return tuple(_CLASS_OF[character] for character in text)
    except KeyError as error:
        raise ValueError(f"{text}: {error.args[0]} is not in the alphabet") from error


def writable(text: str) -> bool:
    """Whether the recogniser could write the text at all."""
    return bool(text) and all(character in _CLASS_OF for character in text)


def greedy(classes: Sequence[int]) -> str:
    """The text of the best class at each instant: repeats are one, blanks fall away."""
    pairs = zip((BLANK, *classes), classes, strict=False)
    return "".join(ALPHABET[now - 1] for before, now in pairs if now not in (before, BLANK))
