"""The alarms of the visits to one lane, and the doubts that they cast on those inside."""

from collections.abc import Mapping

from gatekeeper.health import Health
from gatekeeper.lane.scribe import Scribe
from gatekeeper.lane.visit import Visit
from gatekeeper.model import Doubt, PassageEnd
from gatekeeper.rules.passage import Output

DOUBTS: Mapping[Output, Doubt] = {
    Output.UNDECIDED: Doubt.UNDECIDED_PASSAGE,
    Output.GAP: Doubt.SAFETY_LOOP_GAP,
    Output.TAILGATED: Doubt.TAILGATING,
    Output.TOO_LONG: Doubt.SAFETY_LOOP_LONG,
    Output.DIRECTION_UNKNOWN: Doubt.DIRECTION_UNKNOWN,
}
"""What the edges of the loops tell of a vehicle that nobody decided, of more than one, or of one
that came from behind; each is an alarm of the same name."""

_DETAILS = {
    Output.LOITERING: "a vehicle does not move on",
    Output.LANE_BLOCKED: "a vehicle does not move on",
    Output.UNDECIDED: "a vehicle crossed without a decision of its own",
}
_OF_TWO = "more than one vehicle may have crossed"

_OF_ONE_VISIT = ("loitering", "lane_blocked", *(doubt.value for doubt in DOUBTS.values()))
"""They stand until the visit is over."""


class Alarms:
    """What is wrong with the visits to one lane."""

    def __init__(self, lane: str, *, health: Health, scribe: Scribe) -> None:
        self._lane = lane
        self._health = health
        self._scribe = scribe

    async def sound(self, output: Output, visit: Visit) -> None:
        """The machine finds something wrong with this visit."""
        doubt = DOUBTS.get(output)
        alarm = output.value if doubt is None else doubt.value
        self._health.raise_alarm(alarm, self._lane, _DETAILS.get(output, _OF_TWO))
        if doubt is not None:
            await self.suspect(visit, doubt)

    async def suspect(self, visit: Visit, doubt: Doubt) -> None:
        """Told at once, and with the passage again: a limit may end in between."""
        visit.doubts.append(doubt)
        self._scribe.doubt(doubt, visit.passage)

    def over(self, visit: Visit, end: PassageEnd) -> None:
        """The visit has ended so."""
        for alarm in _OF_ONE_VISIT:
            self._health.clear_alarm(alarm, self._lane)
        if visit.opened and end is PassageEnd.BACKED_OUT:
            detail = "the barrier was opened for a vehicle, and it did not drive in"
            self._health.raise_alarm("turn_back", self._lane, detail)
        else:
            self._health.clear_alarm("turn_back", self._lane)
