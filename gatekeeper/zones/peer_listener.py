"""Takes in what the peers tell: what they saw, what fails there, and what is missing.

`peers` knows how far each journal is known, `peer_events` what an event says.
"""

from gatekeeper.clock import Clock
from gatekeeper.model import (
    ControllerStarted,
    Direction,
    Doubt,
    Instant,
    NotedDoubt,
    PeerEvent,
    PeerHealth,
)
from gatekeeper.rules import journey
from gatekeeper.rules.journey import Ended, Place
from gatekeeper.rules.stay import StayStep
from gatekeeper.zones import peer_events, peers
from gatekeeper.zones.lastword import LastWords
from gatekeeper.zones.ledger import Change, Ledger
from gatekeeper.zones.passages import Passages
from gatekeeper.zones.peer_events import Found
from gatekeeper.zones.peers import Peers


class PeerListener:
    """What the other controllers of the site tell, one thing at a time."""

    def __init__(self, ledger: Ledger, known: Peers, passages: Passages, clock: Clock) -> None:
        self._ledger = ledger
        self._peers = known
        self._passages = passages
        self._clock = clock
        self._last_words = LastWords(ledger.plans)
        self._said_of: dict[str, tuple[str, int]] = {}

    def hear(self, told: PeerEvent | PeerHealth) -> None:
        """Another controller of the site told of itself."""
        self.doubt_the_silent()  # or one that speaks again would never have been silent
        if isinstance(told, PeerHealth):
            self._health(told)
        elif self._peers.is_news(told):
            self._event(told)

    def doubt_the_silent(self) -> None:
        """What happens at a peer that is away is not known."""
        for name in self._peers.away(self._clock.boot_s()):
            self._doubt(name, Doubt.PEER_AWAY)

    def _health(self, told: PeerHealth) -> None:
        """What was taken in is written down now and then only: what comes again after a restart
        says nothing new.
        """
        if not self._peers.hear(told, self._clock.boot_s()):
            doubt = Doubt.JOURNAL_GAP if told.online else Doubt.PEER_AWAY
            self._doubt(told.controller, doubt)
        if told.online and told.clock_trusted and self._is_off(told):
            self._doubt(told.controller, Doubt.CLOCK_UNTRUSTED)
        if any(alarm in peer_events.DOUBT_ALARMS for alarm in told.alarms):
            self._doubt(told.controller, Doubt.EXIT_LANE_UNHEALTHY)
        self._ledger.take((), Change(marks=self._peers.marks))

    def _is_off(self, told: PeerHealth) -> bool:
        """Whether a peer that trusts its clock is plainly wrong, or this controller is: a report
        cannot come before it was made, nor does the broker keep one for longer than it counts.
        """
        now, slack_s = self._clock.instant(), journey.ACROSS_CLOCKS_S
        late_s = (now.wall - told.at).total_seconds()
        return now.trusted and not -slack_s <= late_s <= peers.SETTLING_S + slack_s

    def _event(self, told: PeerEvent) -> None:
        at = self._clock.instant()
        restarted = self._peers.starts_new_journal(told)
        if restarted:
            self._doubt(told.controller, Doubt.JOURNAL_GAP)
        if restarted or told.fact is not None:
            found = peer_events.read(told, at)
            self._watch(told, found)
            if found.doubt is not None:
                self._doubt(told.controller, found.doubt)
            steps = [] if found.place is None else self._in_lane(found.place, found, told, at)
            self._ledger.take(steps, _blacklist(found, self._last_words.heard(told)))
        self._peers.took(told, at.boot_s)

    # --- what an event says -------------------------------------------------------------------

    def _watch(self, told: PeerEvent, found: Found) -> None:
        """A device of a peer fails, or works again; after a start the peer says so once more."""
        works = [f"{told.controller}/{found.sees}"] if found.sees else []
        if isinstance(told.fact, ControllerStarted):
            works = self._ledger.exits.unwatched_at(told.controller)
        for device in works:
            self._watched(told, device, watched=True)
        if found.blind is not None:
            self._watched(told, f"{told.controller}/{found.blind}", watched=False)

    def _watched(self, told: PeerEvent, device: str, *, watched: bool) -> None:
        """What was said later of the device holds, whichever of the two came first."""
        journal, seq = self._said_of.get(device, (told.journal, 0))
        if journal == told.journal and told.seq < seq:
            return
        self._said_of[device] = (told.journal, told.seq)
        self._watch_device(told.controller, device, watched=watched)

    def _watch_device(self, controller: str, device: str, *, watched: bool) -> None:
        self._ledger.exits.watch(device, watched)
        for zone in self._peers.zones(controller):
            self._ledger.pause(zone, f"{device} unwatched", not watched, self._clock.boot_s())

    def _in_lane(self, place: Place, found: Found, told: PeerEvent, at: Instant) -> list[StayStep]:
        """A vehicle stood in a lane of the peer. A stay moves once: what was seen goes before what
        its passage means.
        """
        steps = [] if found.seen is None else self._seen(place, found.seen, told, at)
        if found.ended is not None or self._peers.is_latest(told):
            self._occupied(place, found.ended, at)
        if found.ended is None:
            return steps
        moved = {each.stay.id for each in steps}
        over = self._passages.over(place, found.ended)
        return [*steps, *(each for each in over if each.stay.id not in moved)]

    def _seen(self, place: Place, plate: str, told: PeerEvent, at: Instant) -> list[StayStep]:
        return [
            step
            for each in self._passages.outside(place, plate, at)
            for step in journey.reported_outside(
                each, place, told, at, self._ledger.around(each.zone)
            )
        ]

    def _occupied(self, place: Place, ended: Ended | None, at: Instant) -> None:
        """A peer's exit is occupied from a decision there until a passage there is over."""
        if place.direction is not Direction.EXIT or place.zone not in self._ledger.plans:
            return
        self._ledger.exits.occupied_at_peer(place.lane, ended is None)
        if ended is None:
            self._ledger.pause(place.zone, place.lane, begins=True, at=at.boot_s)
        else:
            since, until = ended.arrived.boot_s, ended.at.boot_s
            self._ledger.pause_span(place.zone, place.lane, since, until)

    def _doubt(self, controller: str, doubt: Doubt) -> None:
        """Nor is it known any longer whether a vehicle still stands in one of its lanes."""
        at = self._clock.instant()
        lanes = self._ledger.exits.forget_occupied(controller)
        for zone in self._peers.zones(controller):
            self._ledger.doubt(zone, NotedDoubt(doubt=doubt, at=at, detail=controller))
            for lane in lanes:
                self._ledger.pause(zone, lane, begins=False, at=at.boot_s)


def _blacklist(found: Found, zones: tuple[str | None, ...]) -> Change:
    """What an event changes in the blacklist, for those zones of which it is the last word; None
    among them stands for all.
    """

    def counts(zone: str | None) -> bool:
        return zone in zones or None in zones

    return Change(
        listed=tuple(row for row in found.listed if counts(row.zone)),
        suspended=tuple((zone, plate) for zone, plate in found.suspended if counts(zone)),
        removed=tuple((zone, plate) for _, plate in found.removed for zone in zones),
    )
