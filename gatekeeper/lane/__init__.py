"""The lane: serves one vehicle after another, from its arrival edge until the lane is clear.

`lane` runs the parts of one lane and hands them what comes in by its `mailbox`; `service` asks the
state machine what to do for the vehicle that is there, and does it. `inputs` is what loops and boom
are believed, `camera` looks, `decisions` asks votes, lists and rules, `barrier` opens and closes by
pulses, `holder` keeps the boom up, `turn` says whose it is where two opposite lanes share one.
`visit` is what is remembered of the vehicle, `context` what the parts are given. There is no rule
in them, no register number and no SQL.
"""

from gatekeeper.lane.context import Bindings, Rooms
from gatekeeper.lane.holder import Holder
from gatekeeper.lane.lane import Kerb, Lane
from gatekeeper.lane.turn import SharedBarrier, Side

__all__ = ["Bindings", "Holder", "Kerb", "Lane", "Rooms", "SharedBarrier", "Side"]
