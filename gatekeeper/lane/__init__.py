"""The corridor: walks one vehicle after another through the rooms.

`lane` serves one lane, `eye` looks, `scribe` writes down, `opener` moves the barrier. There is no
rule in them, no register number and no SQL.
"""

from gatekeeper.lane.lane import Kerb, Lane, Rooms

__all__ = ["Kerb", "Lane", "Rooms"]
