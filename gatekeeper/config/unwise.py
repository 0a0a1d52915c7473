"""Values that are allowed and hardly ever meant: each with its key, and what it costs.

The bounds of a setting say what can work at all; what lies within them may still punish drivers,
lock them out, or fill the disk. A technician who means it reads the warning once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from gatekeeper.config.controller import Config, RecognitionSettings
from gatekeeper.config.networks import NOTHING_CERTAIN, calibrated, set_names
from gatekeeper.config.settings import Settings
from gatekeeper.config.zones import ZoneSettings

Odd: TypeAlias = Callable[[float], bool]


def below(least: float) -> Odd:
    """Values less than the least that is usual."""
    return lambda value: value < least


def above(most: float) -> Odd:
    """Values greater than the most that is usual."""
    return lambda value: value > most


@dataclass(frozen=True, slots=True)
class Unwise:
    """A key of a table, which values of it are odd, and what they cost."""

    key: str
    odd: Odd
    costs: str


RECOGNITION = (
    Unwise("lone", below(0.9), "a single doubtful frame decides who a car is"),
    Unwise("window_s", below(1), "too few frames for two to agree: readable cars are refused"),
    Unwise("window_s", above(10), "a driver who cannot be read waits so long for an answer"),
    Unwise(
        "exit_window_s", above(5), "a car that cannot be read waits so long before the exit opens"
    ),
)

LIMITED = (
    Unwise("internal_limit_s", below(120), "internal cars are blacklisted for a short stop"),
    Unwise("grace_s", below(10), "a moment too late blacklists a driver who was leaving"),
    Unwise("warning_s", below(30), "the driver is told too late to do anything about it"),
    Unwise("unreadable_after_s", below(10), "a covered plate hardly has to wait, once it admits"),
    Unwise("offline_after_s", below(15), "a short break of the link lets unknown cars in"),
    Unwise("binding_fresh_s", above(1800), "an old binding lets in a car that resembles it"),
)

BARRIER = (
    Unwise("deadline_ms", below(500), "a board that is busy for a moment does not open at all"),
    Unwise("deadline_ms", above(5000), "another car may stand there when the boom rises"),
    Unwise("pulse_ms", below(200), "many barriers do not notice so short a pulse"),
)

LANE = (
    Unwise("open_timeout_s", below(10), "who is slow to drive off counts as backed out"),
    Unwise("open_timeout_s", above(120), "the open boom is there for the next car to take"),
    Unwise("safety_long_s", above(15), "two cars bumper to bumper count as one"),
    Unwise("loop_stuck_s", below(120), "a driver who waits in a dark lane makes the loop stuck"),
)

GEOMETRY = (
    Unwise("longest_m", above(7.5), "two small cars bumper to bumper count as one"),
    Unwise("longest_m", below(5), "a single car counts as two"),
)

STORE = (
    Unwise("pictures_days", above(180), "pictures of people are kept longer than any dispute"),
    Unwise("min_free_mb", below(50), "the alarm comes when the disk is full already"),
)


def unwise_values(config: Config, reads: str) -> Iterator[str]:
    """One sentence for each value that is hardly ever meant: table, key, value and cost. `reads` is
    the set of networks by which `certain` is judged.
    """
    yield from _of("store", config.store, STORE)
    yield from _of("recognition", config.recognition, RECOGNITION)
    yield from _of_certainty(config.recognition, config.sets_folder, reads)
    for zone in config.zone:
        if zone.admits == "registered":
            yield from _of(f"zone {zone.name}", zone, LIMITED)
            yield from _of_giving_up(zone)
    for lane in config.lane:
        yield from _of(f"lane {lane.name}", lane, LANE)
        yield from _of(f"lane {lane.name}: barrier", lane.barrier, BARRIER)
        if lane.geometry is not None:
            yield from _of(f"lane {lane.name}: geometry", lane.geometry, GEOMETRY)


def _of(place: str, settings: Settings, table: tuple[Unwise, ...]) -> Iterator[str]:
    for row in table:
        value = getattr(settings, row.key)
        if row.odd(value):
            yield f"{place}: {row.key} = {value:g}: {row.costs}"


def _of_certainty(recognition: RecognitionSettings, sets: Path, networks: str) -> Iterator[str]:
    level = min(calibrated(networks), calibrated(networks, sets))
    known = dict.fromkeys([*set_names(), *set_names(sets)])
    if level == NOTHING_CERTAIN:
        yield (
            f'recognition: networks = "{networks}": no manifest of that set says from which level'
            f" its reads are certain, so that none is; known: {', '.join(known)}"
        )
    elif recognition.certain < level:
        yield (
            f"recognition: certain = {recognition.certain:g}: misreads may count against drivers;"
            f" the level measured for {networks} is {level:g}"
        )


def _of_giving_up(zone: ZoneSettings) -> Iterator[str]:
    """A stay that is given up before its window is over is never judged."""
    if zone.abandon_limited_h * 3600 <= zone.internal_limit_s + zone.grace_s:
        yield (
            f"zone {zone.name}: abandon_limited_h = {zone.abandon_limited_h:g}: stays are given up"
            f" before internal_limit_s = {zone.internal_limit_s:g} and grace_s are over: limits"
            " have no effect"
        )
