"""How long a stream takes from one picture to the next, and how long it may take. Pure.

A picture can be made only of a key frame and what follows it, and some cameras send a key frame
every ten seconds, or nothing else. So a stream is late by what was seen of it, not by a fixed time.
"""

from collections import deque

KEY_S = 12.0
"""How long a stream of which nothing is known may take between two pictures, and to its first."""

SLACK = 1.5
"""So many times what was seen of a stream is no fault of it yet."""

_GAPS = 16
"""So many pictures back is looked for the longest time between two."""


class Intervals:
    """What was seen of one opening of a stream; `came` is called in its thread, the rest anywhere.

    `patience_s` is how long a picture may take while nothing is known.
    """

    def __init__(self, patience_s: float) -> None:
        self.first_s: float | None = None
        """How long the first picture took after the stream was open."""
        self.longest_s = 0.0
        """The longest time between two pictures of late."""
        self._patience_s = patience_s
        self._gaps: deque[float] = deque(maxlen=_GAPS)
        self._known = False
        self._at = 0.0

    def opened(self, at: float) -> None:
        """The stream is open at this moment."""
        self._at = at

    def came(self, at: float) -> None:
        """A picture came at this moment. The first ones may have waited in a buffer."""
        gap, self._at = at - self._at, at
        if self.first_s is None:
            self.first_s = gap
            return
        self._gaps.append(gap)
        self.longest_s = max(self._gaps)
        self._known |= len(self._gaps) == _GAPS or self.longest_s > self._patience_s / _GAPS

    def may_take_s(self, limit_s: float) -> float:
        """How long a picture may take before this stream hangs."""
        return max(limit_s, SLACK * self.longest_s, 0.0 if self._known else self._patience_s)

    def next_patience_s(self, least_s: float) -> float:
        """How long a picture may take when this stream is opened again."""
        if self.first_s is None:
            return KEY_S  # its key frames may be rarer than was seen before
        return min(KEY_S, max(least_s, SLACK * max(self.first_s, self.longest_s)))
