"""The journal of this controller: what happened, in memory at once and on the disk behind it.

`log` is what waits to be written, in order; `overlay` what it says of the lists; `journal` writes
it, reads what has to be read, and says when the store fails; `past_life` is what the store knows
of the life before this one.
"""

from gatekeeper.journal.journal import OPENING_S, PATIENCE_S, Journal
from gatekeeper.journal.log import Posted
from gatekeeper.journal.past_life import PastLife, read_past_life

__all__ = ["OPENING_S", "PATIENCE_S", "Journal", "PastLife", "Posted", "read_past_life"]
