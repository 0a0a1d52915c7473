"""A site in virtual time, with the truth beside it: cars, drivers, loops, booms and faults.

It knows nothing of the controller: plate reads and edges of loops go out through a `Gate`, only
openings come back (`gate.py`). `World(plan, seed).run(gate, days, progress)` gives the `Truth`.
"""

from simulators.world.gate import Gate, Read
from simulators.world.plan import Plan
from simulators.world.truth import Approach, Truth, Vehicle, Visit, Way
from simulators.world.world import World

__all__ = ["Approach", "Gate", "Plan", "Read", "Truth", "Vehicle", "Visit", "Way", "World"]
