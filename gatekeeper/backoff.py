"""How long to wait before what failed is tried again. Pure: it waits for nothing itself."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Pauses in seconds: the first, then each twice as long as the one before, up to the last."""

    first_s: float
    last_s: float

    def after(self, pause_s: float) -> float:
        """The pause that follows on a pause; 0.0 stands for none, which the first follows."""
        return min(max(2 * pause_s, self.first_s), self.last_s)


def jittered(pause_s: float, chance: float) -> float:
    """Between half of a pause and all of it, by a chance from 0 to 1, so that all controllers of a
    city do not come back in the same instant.
    """
    return pause_s * (0.5 + 0.5 * chance)
