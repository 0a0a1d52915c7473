"""How far the journals of the site's other controllers are known here, and whether they live.

Events and health of the peers come in, in whatever order the broker brings them; whether an event
is news, and whether something is missing, goes out. A peer counts as away until it has been heard.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gatekeeper.model import PeerEvent, PeerHealth, PeerMark

AWAY_AFTER_S = 75.0
"""A peer speaks of its health every 30 s; two missed and a bit is too long."""

SETTLING_S = 90.0
"""How late news of a peer may be before it counts as away: no stay is judged sooner where a peer
runs an exit of the zone."""

_MISSING_KEPT = 5000
"""Numbers of missing events that are remembered, the newest; an older one that comes after all is
not taken in."""


@dataclass(slots=True)
class _Peer:
    """`missing` are numbers that may still come, for a backlog comes after live events; `lost`
    those that should have come, and may all the same; `past` are the journals before this one.
    """

    mark: PeerMark | None = None
    past: set[str] = field(default_factory=set)
    missing: set[int] = field(default_factory=set)
    lost: set[int] = field(default_factory=set)
    heard_at: float | None = None
    announced: int = 0


class Peers:
    """The ledger of the other controllers; `exits_of` are the zones whose exits each runs."""

    def __init__(self, exits_of: Mapping[str, Iterable[str]]) -> None:
        self._zones = {name: frozenset(zones) for name, zones in exits_of.items()}
        self._peers = {name: _Peer() for name in self._zones}

    def restore(self, marks: Iterable[PeerMark]) -> None:
        """Go on from what was taken in before this start, but for peers heard since."""
        for mark in marks:
            peer = self._peers.get(mark.controller)
            if peer is not None and peer.mark is None:
                peer.mark = mark

    @property
    def marks(self) -> tuple[PeerMark, ...]:
        """How far each journal is known."""
        return tuple(peer.mark for peer in self._peers.values() if peer.mark is not None)

    def zones(self, controller: str) -> frozenset[str]:
        """The zones whose exits a peer runs."""
        return self._zones.get(controller, frozenset())

    def is_news(self, event: PeerEvent) -> bool:
        """Whether this event was not taken in before."""
        peer = self._peers.get(event.controller)
        if peer is None or event.journal in peer.past:
            return False
        if peer.mark is None or peer.mark.journal != event.journal:
            return True
        return event.seq > peer.mark.seq or event.seq in peer.missing or event.seq in peer.lost

    def is_latest(self, event: PeerEvent) -> bool:
        """Whether nothing later of its journal has been taken in: it says what holds now."""
        mark = self._peers[event.controller].mark
        return mark is None or mark.journal != event.journal or event.seq > mark.seq

    def starts_new_journal(self, event: PeerEvent) -> bool:
        """Whether the peer has begun another journal: what the old one still held is lost."""
        mark = self._peers[event.controller].mark
        return mark is not None and mark.journal != event.journal

    def took(self, event: PeerEvent, at: float) -> None:
        """The event has been taken in."""
        peer = self._peers[event.controller]
        peer.heard_at = at
        mark = peer.mark
        if mark is None or mark.journal != event.journal:
            mark = _meet(peer, event)
        peer.missing.update(range(max(mark.seq + 1, event.seq - _MISSING_KEPT), event.seq))
        peer.missing.discard(event.seq)
        peer.lost.discard(event.seq)
        if event.seq > mark.seq:
            peer.mark = _mark(event)

    def hear(self, told: PeerHealth, at: float) -> bool:
        """Whether the peer is well and its journal known. False for one that says farewell, and
        where events are missing that were written before its last health but one.
        """
        peer = self._peers.get(told.controller)
        if peer is None:
            return True
        peer.heard_at = at if told.online else None
        if not told.online:
            return False
        mark = peer.mark or _meet(peer, told)
        late = {seq for seq in peer.missing if seq <= peer.announced}
        peer.missing -= late
        peer.lost = set(sorted(peer.lost | late)[-_MISSING_KEPT:])
        behind = mark.journal != told.journal or mark.seq < peer.announced
        peer.announced = told.seq
        return not late and not behind

    def away(self, at: float) -> tuple[str, ...]:
        """The peers that have not been heard for too long."""
        return tuple(
            name
            for name, peer in self._peers.items()
            if peer.heard_at is None or at - peer.heard_at > AWAY_AFTER_S
        )


def _meet(peer: _Peer, told: PeerEvent | PeerHealth) -> PeerMark:
    """Begin with a journal: what it held before is not waited for, but may still come."""
    if peer.mark is not None:
        peer.past.add(peer.mark.journal)
    peer.mark = mark = _mark(told)
    peer.missing, peer.announced = set(), 0
    peer.lost = set(range(max(1, told.seq + 1 - _MISSING_KEPT), told.seq + 1))
    return mark


def _mark(told: PeerEvent | PeerHealth) -> PeerMark:
    return PeerMark(controller=told.controller, journal=told.journal, seq=told.seq)
