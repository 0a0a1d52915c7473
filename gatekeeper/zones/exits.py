"""What is known of the exits: which cannot be watched, where a vehicle may have left unseen.

A lane of this controller goes by its name, a lane or another device of a peer by `controller/name`.
"""

from collections.abc import Iterable, Mapping

from gatekeeper.model import Direction
from gatekeeper.rules import journey
from gatekeeper.rules.journey import Ended, Place


class Exits:
    """The exits of every zone; `peers_of` are the controllers that run exits of each zone, too."""

    def __init__(self, places: Iterable[Place], peers_of: Mapping[str, Iterable[str]]) -> None:
        every = tuple(places)
        self._zone_of = {place.lane: place.zone for place in every}
        self._lanes = [place for place in every if place.direction is Direction.EXIT]
        self._held: set[str] = set()
        self._of_peers = {
            zone: tuple(f"{peer}/" for peer in peers) for zone, peers in peers_of.items()
        }
        self._unwatched: set[str] = set()
        self._occupied_at_peers: set[str] = set()
        self._doubtful: tuple[Place, ...] = ()

    # --- watched ------------------------------------------------------------------------------

    def is_watched(self, device: str) -> bool:
        """Whether a lane, or a device of a peer, can be watched."""
        return device not in self._unwatched

    def watch(self, device: str, watched: bool) -> None:
        """It can be watched from now on, or it cannot."""
        (self._unwatched.discard if watched else self._unwatched.add)(device)

    def unwatched_at(self, controller: str) -> list[str]:
        """The devices of a peer that cannot be watched."""
        return sorted(each for each in self._unwatched if each.startswith(f"{controller}/"))

    def is_blind(self, zone: str) -> bool:
        """Whether an exit of the zone, here or at a peer, cannot be watched now."""
        return any(each.startswith(self._of_peers[zone]) for each in self._unwatched) or any(
            place.zone == zone and place.lane in self._unwatched for place in self._lanes
        )

    # --- kept up ------------------------------------------------------------------------------

    def hold(self, lane: str, up: bool) -> None:
        """The boom of a lane of this controller is kept up, or no longer."""
        (self._held.add if up else self._held.discard)(lane)

    def is_held(self, zone: str) -> bool:
        """Whether a boom of the zone is kept up, at an entry or an exit."""
        return any(self._zone_of[lane] == zone for lane in self._held)

    # --- doubtful -------------------------------------------------------------------------------

    def crossed(self, place: Place, told: Ended) -> None:
        """What a passage shows of the safety loop of its lane."""
        self._doubtful = journey.doubtful_exits(self._doubtful, place, told)

    def doubtful_exit(self, zone: str) -> str | None:
        """An exit lane of the zone whose safety loop may be dead, if there is one."""
        return next((place.lane for place in self._doubtful if place.zone == zone), None)

    # --- occupied at a peer -------------------------------------------------------------------

    def occupied_at_peer(self, lane: str, occupied: bool) -> None:
        """A vehicle stands in an exit lane of a peer, or has gone."""
        (self._occupied_at_peers.add if occupied else self._occupied_at_peers.discard)(lane)

    def forget_occupied(self, controller: str) -> list[str]:
        """The occupied lanes of a peer: that they still are is known no longer."""
        lanes = sorted(
            each for each in self._occupied_at_peers if each.startswith(f"{controller}/")
        )
        self._occupied_at_peers.difference_update(lanes)
        return lanes
