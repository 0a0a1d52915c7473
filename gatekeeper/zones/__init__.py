"""The zones: who is inside, how many, since when.

`zones` is what everybody tells, and asks. `ledger` is what holds: the `open_stays`, the `history`
of plates, and what is known of the `exits`. `passages` is what a vehicle in a lane means for those
inside. `peer_listener` takes in what the site's other controllers tell: `peers` is how far their
journals are known, `peer_events` what their events say. `places` is what the configuration says.
"""

from gatekeeper.rules.journey import Ended, Place
from gatekeeper.zones.places import ZonePlan, places_of, plans_of, policy_of
from gatekeeper.zones.zones import Zones

__all__ = ["Ended", "Place", "ZonePlan", "Zones", "places_of", "plans_of", "policy_of"]
