"""The corridor: walks one vehicle after another through the rooms.

`lane` serves one lane, `eye` looks, `judge` asks lists and rules, `opener` moves the barrier,
`scribe` writes down, `visit` is what a lane remembers of the vehicle that stands there. There is no
rule in them, no register number and no SQL.
"""

from gatekeeper.lane.lane import Kerb, Lane, Rooms

__all__ = ["Kerb", "Lane", "Rooms"]
