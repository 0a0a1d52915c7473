"""What a vehicle in a lane, here or at a peer, means for those inside: stay steps, not yet written.

The rules of `rules.journey`, asked about the stays that are concerned.
"""

from collections.abc import Mapping

from uuid6 import uuid7

from gatekeeper.model import Direction, Doubt, Instant, NotedDoubt, PassageEnd, Stay
from gatekeeper.rules import journey, stay
from gatekeeper.rules.journey import Ended, Place
from gatekeeper.rules.stay import StayStep
from gatekeeper.zones.exchanged import ExchangedCameras
from gatekeeper.zones.ledger import Ledger
from gatekeeper.zones.peers import Peers


class Passages:
    """`lies_in` is the zone in which each zone lies, `certain` the confidence of a character from
    which it contradicts a plate.
    """

    def __init__(
        self,
        ledger: Ledger,
        peers: Peers,
        lies_in: Mapping[str, str | None],
        certain: float,
        exchanged: ExchangedCameras,
    ) -> None:
        self._ledger = ledger
        self._peers = peers
        self._lies_in = lies_in
        self._certain = certain
        self._exchanged = exchanged

    def outside(self, place: Place, plate: str, at: Instant) -> list[Stay]:
        """The open stays of a plate that was read in the lane, in zones that it is outside of."""
        if place.direction is Direction.ENTRY:
            self._conflicting(place.zone, plate, at)
        return [
            each
            for each in self._ledger.open.of_plate(plate)
            if journey.is_outside(place, each.zone, self._lies_in)
        ]

    def was_inside(self, place: Place, told: Ended) -> bool:
        """Whether the plate of a passage was in the zone until it came to the lane: at an entry its
        stay has ended then.
        """
        plate = told.plate or ""
        if any(each.zone == place.zone for each in self._ledger.open.of_plate(plate)):
            return True
        left_at = self._ledger.history.left_at(place.zone, plate)
        return left_at is not None and left_at >= told.arrived.boot_s

    def over(self, place: Place, told: Ended) -> list[StayStep]:
        """What a passage means for those who were inside before."""
        self._ledger.exits.crossed(place, told)
        if place.zone not in self._ledger.plans:
            return []
        of_plate = self._ledger.open.of_plate(told.plate or "")
        own = [each for each in of_plate if each.zone == place.zone]
        watched = self._ledger.open.watched(place.zone)
        concerned = [*own, *(each for each in watched if each.plate != told.plate)]
        around = self._ledger.around(place.zone)
        return journey.after_passage(concerned, place, told, self._certain, around)

    def begun(self, place: Place, told: Ended) -> list[StayStep]:
        """The stay that a passage of an entry begins, and what that means for the same plate inside
        already.
        """
        if told.decision is None or told.decision.plate is None:
            return []
        known = self._conflicting(place.zone, told.decision.plate, told.at)
        begun = stay.begin(
            str(uuid7()),
            place.zone,
            told.decision,
            told.at,
            told.lane,
            told.passage,
            tuple(self._doubts_at_entry(place.zone, told)),
        )
        if begun is None:
            return []
        found = NotedDoubt(doubt=Doubt.PLATE_CONFLICT, at=told.at, lane=told.lane)
        around = self._ledger.around(place.zone)
        return [begun, *journey.with_doubts(known, [found], told.at, around)]

    def _doubts_at_entry(self, zone: str, told: Ended) -> list[Doubt]:
        doubts = []
        if told.end is PassageEnd.PASSED_PRESUMED:
            doubts.append(Doubt.ENTRY_UNCERTAIN)
        if self._ledger.exits.is_blind(zone):
            doubts.append(Doubt.EXIT_LANE_UNHEALTHY)
        if self._ledger.exits.is_held(zone):
            doubts.append(Doubt.HELD_OPEN)
        if self._exchanged.is_suspected(zone):
            doubts.append(Doubt.CAMERAS_EXCHANGED)
        if not self._ledger.journal.writes:
            doubts.append(Doubt.STORE_FAILED)
        if set(self._ledger.plans[zone].peers) & set(self._peers.away(told.at.boot_s)):
            doubts.append(Doubt.PEER_AWAY)
        if self._ledger.history.is_in_conflict(zone, told.plate or "", told.at.boot_s):
            doubts.append(Doubt.PLATE_CONFLICT)
        return doubts

    def _conflicting(self, zone: str, plate: str, at: Instant) -> list[Stay]:
        """The same plate inside already, in this zone: a clone, or a missed exit."""
        known = [each for each in self._ledger.open.of_plate(plate) if each.zone == zone]
        if known:
            self._ledger.history.was_inside_twice(zone, plate, at.boot_s)
        return known
