"""The lane: walks one vehicle after another through the rooms.

`lane` serves one lane; `corridor` hears what happens there and asks the table, `usher` does for the
vehicle what the table says. `arrivals` says who comes and goes, `eye` looks, `decider` decides and
says so, `judge` asks lists and rules for it, `opener` moves the barrier, `holder` keeps it up,
`closer` closes it, `command` is what each asks of it, `turn` says whose it is where two opposite
lanes share one. `boom` and `safety` are what the boom and the safety loop are believed, `alarms`
what is wrong with a visit. `scribe` writes down, `sign` tells the driver, `visit` is what is
remembered of the vehicle that stands there, `bindings` what drivers did with their phones, `rooms`
what all lanes share. There is no rule in them, no register number and no SQL.
"""

from gatekeeper.lane.bindings import Bindings
from gatekeeper.lane.corridor import Corridor, ItsTurn, Reconsider
from gatekeeper.lane.holder import Holder
from gatekeeper.lane.lane import Kerb, Lane
from gatekeeper.lane.rooms import Rooms
from gatekeeper.lane.turn import Side, Turn

__all__ = [
    "Bindings",
    "Corridor",
    "Holder",
    "ItsTurn",
    "Kerb",
    "Lane",
    "Reconsider",
    "Rooms",
    "Side",
    "Turn",
]
