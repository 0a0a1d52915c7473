"""The window W of a stay: why an overstay is certain, or only suspected, in plain words."""

from collections.abc import Mapping
from datetime import UTC, tzinfo

from gatekeeper.model import Doubt, Judgement, NotedDoubt, Stay

SENTENCES: Mapping[Doubt, str] = {
    Doubt.ENTRY_UNCERTAIN: "the plate was not read with certainty at the entry",
    Doubt.COULD_HAVE_LEFT: "a vehicle that left could have been this one",
    Doubt.UNDECIDED_PASSAGE: "a vehicle crossed without a decision of its own",
    Doubt.TAILGATING: "a second vehicle crossed close behind another",
    Doubt.SAFETY_LOOP_LONG: "the safety loop was occupied longer than one vehicle takes",
    Doubt.SAFETY_LOOP_GAP: "the safety loop was free for a moment within one passage",
    Doubt.SECOND_PLATE: "a second plate was in view",
    Doubt.DIRECTION_UNKNOWN: "a vehicle crossed, and which way is unknown",
    Doubt.EXIT_LANE_UNHEALTHY: "an exit lane could not be watched",
    Doubt.EXIT_TIMED_OUT: "it came to an exit, and whether it left is unknown",
    Doubt.BOOM_WITHOUT_COMMAND: "a boom was up without a command",
    Doubt.ORDERED_OPENING: "a person ordered a boom to open",
    Doubt.HELD_OPEN: "a boom was held open",
    Doubt.RESTART: "the controller was down for a while",
    Doubt.PEER_AWAY: "another controller of the site was out of reach",
    Doubt.JOURNAL_GAP: "events of another controller are missing",
    Doubt.CLOCK_UNTRUSTED: "the clocks could not be trusted",
    Doubt.PLATE_CONFLICT: "the same plate was inside twice",
    Doubt.SEEN_ELSEWHERE: "the plate was seen outside the zone",
    Doubt.STORE_FAILED: "the controller could not write down what happened",
    Doubt.CAMERAS_EXCHANGED: "the cameras of entry and exit seemed to be exchanged",
    Doubt.ADVISORY_ZONE: "the limits of the zone are advisory: a car may leave it unnoticed",
}
"""What each doubt means to a person who has to review a stay."""


def explain(stay: Stay, local: tzinfo = UTC) -> tuple[str, ...]:
    """One line for each doubt about the window in the order in which they arose, times in `local`;
    else one line that says what the clean window means.
    """
    if stay.noted:
        return tuple(_line(noted, local) for noted in stay.noted)
    if stay.limit is None:
        return ("no limit holds for this stay: there can be no overstay",)
    if stay.judgement is Judgement.OVERSTAYED:
        return ("the window is clean: the overstay is certain",)
    return ("the window is clean: an overstay would be certain",)


def _line(noted: NotedDoubt, local: tzinfo) -> str:
    when = noted.at.wall.astimezone(local).isoformat(sep=" ", timespec="seconds")
    by = "" if noted.at.trusted else " by a clock that was not synchronised"
    where = (
        f"lane {noted.lane}" if noted.lane else "",
        f"passage {noted.passage}" if noted.passage else "",
        noted.detail,
    )
    told = ", ".join(part for part in where if part)
    return f"{when}{by}: {SENTENCES[noted.doubt]}" + (f" ({told})" if told else "")
