"""A plate inside a zone, from the passed entry to its end: (stay, input, at) -> facts, wake time.

Decisions of the entry and what the lanes saw come in; facts, blacklist rows and the moment to be
asked again go out. Only a certain overstay lists a plate: with any doubt about the window W (from
the entry until the judgement) it is `suspected`, and a person decides. A stay is judged once.

`values` are what comes in and goes out, `steps` what each input does, `counting` how long a stay
has lasted and when to look at it next, `doubts` the doubts about its window, `judgement` what is
made of one that lasts too long.
"""

from gatekeeper.rules.stay.counting import EARLY_S, counted_s, is_too_old, wake_at
from gatekeeper.rules.stay.doubts import could_have_been, is_watched, with_doubt
from gatekeeper.rules.stay.steps import begin, step
from gatekeeper.rules.stay.values import (
    QUIET,
    SETTLING_S,
    Around,
    AwayFromExit,
    Doubted,
    Eased,
    GivenUp,
    Restarted,
    SeenOutside,
    StayInput,
    StayStep,
    Woken,
)

__all__ = [
    "EARLY_S",
    "QUIET",
    "SETTLING_S",
    "Around",
    "AwayFromExit",
    "Doubted",
    "Eased",
    "GivenUp",
    "Restarted",
    "SeenOutside",
    "StayInput",
    "StayStep",
    "Woken",
    "begin",
    "could_have_been",
    "counted_s",
    "is_too_old",
    "is_watched",
    "step",
    "wake_at",
    "with_doubt",
]
