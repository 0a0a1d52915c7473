"""The lane: walks one vehicle after another through the rooms.

`lane` serves one lane, `corridor` walks its vehicle, `eye` looks, `judge` asks lists and rules,
`opener` moves the barrier, `scribe` writes down, `visit` is what is remembered of the vehicle that
stands there, `bindings` what drivers did with their phones. There is no rule in them, no register
number and no SQL.
"""

from gatekeeper.lane.bindings import Bindings
from gatekeeper.lane.corridor import Corridor, Reconsider, Rooms
from gatekeeper.lane.lane import Kerb, Lane

__all__ = ["Bindings", "Corridor", "Kerb", "Lane", "Reconsider", "Rooms"]
