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
"""How late news of a peer may be before it counts as away: nobody is judged sooner where a peer
runs an exit of the zone."""

_MISSING_KEPT = 5000
"""Numbers of missing events that are remembered, the newest: what is older stays a gap."""


@dataclass(slots=True)
class _Peer:
    mark: PeerMark | None = None
    missing: set[int] = field(default_factory=set)
    heard_at: float | None = None
    asked_for: int = 0


class Peers:
    """The ledger of the other controllers; `exits_of` are the zones whose exits each runs."""

    def __init__(self, exits_of: Mapping[str, Iterable[str]]) -> None:
        self._zones = {name: frozenset(zones) for name, zones in exits_of.items()}
        self._peers = {name: _Peer() for name in self._zones}

    def take_up(self, marks: Iterable[PeerMark]) -> None:
        """Go on from what was taken in before this start."""
        for mark in marks:
            if mark.controller in self._peers:
                self._peers[mark.controller].mark = mark

    def zones(self, controller: str) -> frozenset[str]:
        """The zones whose exits a peer runs."""
        return self._zones.get(controller, frozenset())

    def is_news(self, event: PeerEvent) -> bool:
        """Whether this event was not taken in before."""
        peer = self._peers.get(event.controller)
        if peer is None:
            return False
        if peer.mark is None or peer.mark.journal != event.journal:
            return True
        return event.seq > peer.mark.seq or event.seq in peer.missing

    def leaves_gap(self, event: PeerEvent) -> bool:
        """Whether events before this one are missing, or the peer has begun another journal."""
        peer = self._peers[event.controller]
        if peer.mark is None:
            return False
        if peer.mark.journal != event.journal:
            return True
        return event.seq > peer.mark.seq + 1

    def mark(self, event: PeerEvent) -> PeerMark:
        """How far the journal is known once this event is taken in."""
        held = self._peers[event.controller].mark
        seq = event.seq
        if held is not None and held.journal == event.journal:
            seq = max(held.seq, seq)
        return PeerMark(controller=event.controller, journal=event.journal, seq=seq)

    def took(self, event: PeerEvent, at: float) -> None:
        """The event has been committed."""
        peer = self._peers[event.controller]
        held = peer.mark
        if held is not None and held.journal == event.journal:
            peer.missing |= set(range(held.seq + 1, event.seq))
            peer.missing.discard(event.seq)
            peer.missing = set(sorted(peer.missing)[-_MISSING_KEPT:])
        else:
            peer.missing = set()
        peer.mark = self.mark(event)
        peer.heard_at = at

    def hear(self, told: PeerHealth, at: float) -> bool:
        """Whether the peer is well and its journal known; False for one that says farewell, or
        has events that should have come with the news before this.
        """
        peer = self._peers.get(told.controller)
        if peer is None:
            return True
        if not told.online:
            peer.heard_at = None
            return False
        peer.heard_at = at
        known = peer.mark is None or (
            peer.mark.journal == told.journal and peer.mark.seq >= peer.asked_for
        )
        peer.asked_for = told.seq
        return known

    def away(self, at: float) -> tuple[str, ...]:
        """The peers that have not been heard for too long."""
        return tuple(
            name
            for name, peer in self._peers.items()
            if peer.heard_at is None or at - peer.heard_at > AWAY_AFTER_S
        )
