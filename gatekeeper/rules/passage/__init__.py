"""The lane's state machine, as one table: (state, input, at) -> (state, outputs, wake_at).

In come edges of the loops, verdicts, the failure of a command, and the time it asked to be woken
at. Out go the few things a lane can do. It opens nothing, reads no clock and knows no plate.
All that moves the machine stands in `TABLE`: what a state does not name there changes nothing,
so a verdict that comes after its car has left opens nothing.

`values` are what comes in and goes out, `table` what moves the machine, `steps` how.
"""

from gatekeeper.rules.passage.steps import input_of, may_have_come_back, step
from gatekeeper.rules.passage.table import TABLE, Move
from gatekeeper.rules.passage.values import (
    DOUBTS,
    ENDS,
    UNANSWERED,
    WITH_THE_BARRIER,
    Input,
    Output,
    Passage,
    PassageStep,
    State,
    Timing,
)

__all__ = [
    "DOUBTS",
    "ENDS",
    "TABLE",
    "UNANSWERED",
    "WITH_THE_BARRIER",
    "Input",
    "Move",
    "Output",
    "Passage",
    "PassageStep",
    "State",
    "Timing",
    "input_of",
    "may_have_come_back",
    "step",
]
