"""What each other controller said last about a plate on the blacklist: its word counts in the order
of its journal, in whatever order the broker brings it.

After a broken connection new events overtake those that waited. A ban that comes after its own
removal must not stay, nor may an old removal take off a ban that was renewed since.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from gatekeeper.model import BlacklistAdded, BlacklistRemoved, BlacklistSuspended, PeerEvent

_KEPT = 5000
"""Plates of one controller whose last word is remembered, the newest. An older word
about one that was forgotten bans no more; what takes a ban off or sets it aside still counts.
"""

_Spoken = BlacklistAdded | BlacklistRemoved | BlacklistSuspended


@dataclass(slots=True)
class _Words:
    """The number of the last word about each (plate, zone), and the highest that was forgotten."""

    journal: str
    last: dict[tuple[str, str | None], int] = field(default_factory=dict)
    forgotten: int = 0


class LastWords:
    """`zones` are those that this controller knows. It says nothing about what other controllers,
    the centre or a person here have said of the same plate.
    """

    def __init__(self, zones: Iterable[str]) -> None:
        self._zones = tuple(zones)
        self._words: dict[str, _Words] = {}

    def heard(self, told: PeerEvent) -> tuple[str | None, ...]:
        """For which zones an event of the blacklist counts, None for all: not for those of which
        its own journal has said something later. Any other event counts for none. To be asked about
        each event that is taken in; asked again about the same one it says the same.
        """
        match told.fact:
            case BlacklistAdded() | BlacklistRemoved() | BlacklistSuspended() as fact:
                words = self._of(told)
                counts = self._counts(words, fact, told.seq)
                _note(words, fact, told.seq)
                return counts
            case _:
                return ()

    def _of(self, told: PeerEvent) -> _Words:
        words = self._words.get(told.controller)
        if words is None or words.journal != told.journal:
            words = self._words[told.controller] = _Words(journal=told.journal)
        return words

    def _counts(self, words: _Words, fact: _Spoken, seq: int) -> tuple[str | None, ...]:
        def is_last(zone: str | None) -> bool:
            return words.last.get((fact.plate, zone), 0) <= seq

        if not is_last(None) or (isinstance(fact, BlacklistAdded) and seq < words.forgotten):
            return ()
        if fact.zone is not None:
            return (fact.zone,) if is_last(fact.zone) else ()
        if all(is_last(zone) for zone in self._zones):
            return (None,)
        return tuple(zone for zone in self._zones if is_last(zone))


def _note(words: _Words, fact: _Spoken, seq: int) -> None:
    about = (fact.plate, fact.zone)
    words.last[about] = max(seq, words.last.pop(about, 0))
    if len(words.last) > _KEPT:
        oldest = min(words.last, key=lambda each: words.last[each])
        words.forgotten = max(words.forgotten, words.last.pop(oldest))
