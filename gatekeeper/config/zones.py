"""Zones, and what the site has decided about each."""

from datetime import time
from typing import Annotated, Literal, Self, TypeAlias, get_args

from pydantic import AfterValidator, Field, model_validator

from gatekeeper.config.settings import Name, Settings, guess
from gatekeeper.model import EXEMPTIBLE, Schedule, Then, VehicleClass

Day: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

DAYS: tuple[Day, ...] = get_args(Day)


def _local(moment: time) -> time:
    if moment.tzinfo is not None:
        raise ValueError("must be a time of the site's own day, without a time zone")
    return moment


def _exemptible(kind: str) -> str:
    if kind not in EXEMPTIBLE:
        known = ", ".join(EXEMPTIBLE)
        raise ValueError(
            f'no kind of plate to exempt is called "{kind}" (known: {known})'
            f"{guess(kind, EXEMPTIBLE)}"
        )
    return kind


LocalTime = Annotated[time, AfterValidator(_local)]

Scheduled: TypeAlias = Literal["visitor", "internal", "unknown", "unread"]
"""The classes of vehicle that hours can be made for: exempt is exempt, and banned is banned."""


class ScheduleSettings(Settings):
    """Hours that change what a class of vehicle may do: the first that fits counts.

    `until` itself is outside; one not after `from` lies on the next day, and `days` names the day
    of `from`.
    """

    vehicle: Annotated[Scheduled, Field(alias="class")]
    days: Annotated[tuple[Day, ...], Field(min_length=1)] = DAYS
    begins: Annotated[LocalTime, Field(alias="from")]
    until: LocalTime
    then: Then

    @property
    def schedule(self) -> Schedule:
        """The same, as the rules want it."""
        return Schedule(
            vehicle=VehicleClass(self.vehicle),
            weekdays=tuple(DAYS.index(day) for day in self.days),
            begins=self.begins,
            until=self.until,
            then=self.then,
        )


class ZoneSettings(Settings):
    """A zone and its policy.

    `admits`: `everybody` (an outer gate: all but plates banned from the zone) or `registered`
    (an inner gate: the ordered table of `rules.access`). `blacklist_days` is how long a plate that
    this gate put on the blacklist stays there, None for until somebody takes it off. A stay is
    given up after `abandon_limited_h` if it has a limit, else after `abandon_days`.
    """

    name: Name
    inside: Name | None = None
    capacity: Annotated[int, Field(ge=1, le=100_000)]
    admits: Literal["everybody", "registered"]
    internal_limit_s: Annotated[float, Field(gt=0, le=86_400)] = 600.0
    warning_s: Annotated[float, Field(ge=0, le=86_400)] = 120.0
    grace_s: Annotated[float, Field(ge=0, le=3600)] = 60.0
    cooldown_s: Annotated[float, Field(ge=0, le=7 * 86_400)] = 0.0
    when_full: Literal["refuse", "admit"] = "refuse"
    unreadable: Literal["refuse", "admit"] = "refuse"
    unreadable_after_s: Annotated[float, Field(ge=0, le=3600)] = 60.0
    unknown_when_offline: Literal["admit", "refuse"] = "admit"
    offline_after_s: Annotated[float, Field(ge=1, le=86_400)] = 60.0
    when_registry_missing: Literal["admit", "refuse"] = "admit"
    when_store_fails: Literal["admit", "refuse"] = "refuse"
    exempt_kinds: tuple[Annotated[str, AfterValidator(_exemptible)], ...] = ()
    binding_fresh_s: Annotated[float, Field(ge=0, le=3600)] = 300.0
    blacklist_days: Annotated[float, Field(gt=0, le=36_500)] | None = None
    abandon_limited_h: Annotated[float, Field(gt=0, le=8760)] = 24.0
    abandon_days: Annotated[float, Field(gt=0, le=3650)] = 30.0
    schedule: tuple[ScheduleSettings, ...] = ()

    @model_validator(mode="after")
    def _warn_before_the_limit(self) -> Self:
        if self.warning_s >= self.internal_limit_s:
            raise ValueError("warning_s must be shorter than internal_limit_s")
        return self
