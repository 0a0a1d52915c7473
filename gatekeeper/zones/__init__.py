"""The zones: who is inside, how many, since when; one transaction for a passage and its meaning.

`zones` is the clerk, `roll` his list, `peers` and `abroad` what the site's other controllers tell,
`places` what the configuration says.
"""

from gatekeeper.rules.journey import Ended, Place
from gatekeeper.zones.places import ZonePlan, places_of, plans_of, policy_of
from gatekeeper.zones.zones import Zones

__all__ = ["Ended", "Place", "ZonePlan", "Zones", "places_of", "plans_of", "policy_of"]
