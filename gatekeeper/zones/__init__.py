"""The zones: who is inside, how many, since when; one transaction for a passage and its meaning.

`zones` is the clerk, whom everybody tells. `book` is what holds, in memory and in the store: `roll`
who is inside, `past` who was, `exits` what is known of the exits. `passages` is what a vehicle in a
lane means for those inside. `hearing` takes in what the site's other controllers tell: `peers` is
how far their journals are known, `abroad` what their events say. `places` is what the configuration
says.
"""

from gatekeeper.rules.journey import Ended, Place
from gatekeeper.zones.places import ZonePlan, places_of, plans_of, policy_of
from gatekeeper.zones.zones import Zones

__all__ = ["Ended", "Place", "ZonePlan", "Zones", "places_of", "plans_of", "policy_of"]
