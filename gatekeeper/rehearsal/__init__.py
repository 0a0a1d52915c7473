"""The controller in virtual time: real lanes, rules, zones and store; no hardware and no network.

For simulations and scenarios. Edges of loops, reads of frames, list changes and the power come in;
openings and events go out. Nothing waits here: each call is over when all that follows from it has
been done, and `wake_at` says when there is more to do.
"""

from gatekeeper.rehearsal.clock import VirtualClock
from gatekeeper.rehearsal.controller import Rehearsal, Told, at_once

__all__ = ["Rehearsal", "Told", "VirtualClock", "at_once"]
