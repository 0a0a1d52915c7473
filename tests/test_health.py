"""Alarms and heartbeats."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.health import MOST_TIMES, UNSTEADY, WITHIN_S, Flapping, Health
from gatekeeper.model import AlarmCleared, AlarmRaised, Instant


@dataclass
class HandClock:
    """A clock that is set by hand."""

    now: float = 100.0

    def boot_s(self) -> float:
        return self.now

    def instant(self, at: float | None = None) -> Instant:
        return Instant(
            boot_id="boot",
            boot_s=self.now if at is None else at,
            wall=datetime(2026, 1, 1, tzinfo=UTC),
            trusted=True,
        )

    def awake_s(self) -> float:
        return self.now

    async def idle(
        self, at_most_s: float, *, moved: asyncio.Event | None = None, due: float | None = None
    ) -> None:
        self.now += at_most_s


def test_an_alarm_is_news_once_until_it_is_cleared() -> None:
    health, told = Health(HandClock()), list[AlarmRaised | AlarmCleared]()
    health.watch(told.append)
    health.raise_alarm("camera_stale", "inner-entry", "no answer")
    health.raise_alarm("camera_stale", "inner-entry", "still no answer")
    health.clear_alarm("camera_stale", "inner-entry")
    health.clear_alarm("camera_stale", "inner-entry")
    assert [type(news) for news in told] == [AlarmRaised, AlarmCleared]


def test_the_same_alarm_stands_for_each_lane_apart() -> None:
    health = Health(HandClock())
    health.raise_alarm("camera_stale", "inner-entry", "")
    health.raise_alarm("camera_stale", "inner-exit", "")
    health.clear_alarm("camera_stale", "inner-entry")
    assert [alarm.subject for alarm in health.alarms] == ["inner-exit"]
    assert health.stands("camera_stale", "inner-exit")


def test_who_does_not_beat_in_time_is_silent() -> None:
    clock = HandClock()
    health = Health(clock)
    health.beat("lane inner-entry", within_s=5.0)
    health.beat("link", within_s=60.0)
    clock.now += 10.0
    assert health.silent() == ("lane inner-entry",)
    health.forget("lane inner-entry")
    assert health.silent() == ()


class Watched:
    """A ledger, what it told, and a clock that runs to each next step."""

    def __init__(self, alarm: str = "relay_unreachable") -> None:
        self.alarm = alarm
        self.clock = HandClock()
        self.health = Health(self.clock)
        self.told: list[AlarmRaised | AlarmCleared] = []
        self.health.watch(self.told.append)

    def flap(self, times: int, every_s: float) -> None:
        for _ in range(times):
            self.health.raise_alarm(self.alarm, "gate", "no answer")
            self.clock.now += every_s / 2
            self.health.clear_alarm(self.alarm, "gate")
            self.clock.now += every_s / 2

    def rest(self, seconds: float) -> None:
        """So long nothing happens, and a task beats."""
        self.clock.now += seconds
        self.health.beat("lane", within_s=60)


def test_row_52_an_alarm_that_comes_and_goes_is_told_once_as_unsteady() -> None:
    watched = Watched()
    watched.flap(MOST_TIMES, every_s=30)
    assert len(watched.told) == 2 * MOST_TIMES, "up to three times it is told each time"
    watched.told.clear()
    watched.flap(50, every_s=30)
    (raised,) = watched.told
    assert isinstance(raised, AlarmRaised)
    assert raised.detail == "unsteady, came and went 3 times in ten minutes: no answer"
    watched.rest(WITHIN_S - 60)
    assert watched.told == [raised], "it may come back"
    watched.rest(60)
    assert watched.told == [raised, AlarmCleared(alarm="relay_unreachable", subject="gate")]
    assert watched.health.alarms == ()


def test_row_52_whether_it_stands_now_is_still_known() -> None:
    watched = Watched()
    watched.flap(MOST_TIMES + 1, every_s=10)
    assert not watched.health.stands("relay_unreachable", "gate")
    assert [alarm.alarm for alarm in watched.health.alarms] == ["relay_unreachable"]
    watched.health.raise_alarm("relay_unreachable", "gate", "")
    assert watched.health.stands("relay_unreachable", "gate")


def test_row_52_who_waits_for_its_end_is_told_each_time_however_unsteady_it_is() -> None:
    watched = Watched()
    reliefs: list[float] = []
    watched.health.watch_relief(lambda: reliefs.append(watched.clock.now))
    watched.flap(MOST_TIMES + 5, every_s=10)
    assert len(reliefs) == MOST_TIMES + 5
    watched.health.clear_alarm("relay_unreachable", "gate")
    assert len(reliefs) == MOST_TIMES + 5, "it did not stand"


@pytest.mark.parametrize("alarm", sorted(UNSTEADY))
def test_row_52_each_alarm_of_a_device_a_disk_or_a_link_can_be_unsteady(alarm: str) -> None:
    watched = Watched(alarm)
    watched.flap(50, every_s=10)
    assert len(watched.told) == 2 * MOST_TIMES + 1
    watched.rest(WITHIN_S)
    assert isinstance(watched.told[-1], AlarmCleared)
    assert watched.health.alarms == ()


def test_an_unsteady_alarm_that_stays_is_not_cleared_by_time() -> None:
    watched = Watched()
    watched.flap(MOST_TIMES + 1, every_s=10)
    watched.health.raise_alarm("relay_unreachable", "gate", "")
    watched.rest(10 * WITHIN_S)
    assert watched.health.alarms != ()


def test_an_alarm_that_comes_now_and_then_is_told_each_time() -> None:
    watched = Watched()
    watched.flap(20, every_s=WITHIN_S / MOST_TIMES + 1)
    assert len(watched.told) == 40


def test_alarms_of_visits_are_each_about_another_vehicle_and_told_each_time() -> None:
    watched = Watched("boom_without_command")
    watched.flap(20, every_s=1)
    assert len(watched.told) == 40


def test_after_it_has_been_steady_it_is_told_as_before() -> None:
    watched = Watched()
    watched.flap(MOST_TIMES + 1, every_s=10)
    watched.rest(WITHIN_S)
    watched.told.clear()
    watched.flap(1, every_s=10)
    assert [type(news) for news in watched.told] == [AlarmRaised, AlarmCleared]
    assert isinstance(watched.told[0], AlarmRaised)
    assert watched.told[0].detail == "no answer"


@given(gaps=st.lists(st.floats(0, 700), max_size=30))
def test_it_is_unsteady_exactly_when_more_than_three_came_within_ten_minutes(
    gaps: list[float],
) -> None:
    flapping, at, came = Flapping(), 0.0, list[float]()
    for gap in gaps:
        at += gap
        came.append(at)
        flapping.come(at)
        flapping.gone(at)
    often = any(came[n + MOST_TIMES] - came[n] <= WITHIN_S for n in range(len(came) - MOST_TIMES))
    assert flapping.unsteady is often


@given(steps=st.lists(st.tuples(st.booleans(), st.floats(0, 400)), max_size=40))
def test_news_alternate_and_end_with_what_is_told_to_stand(
    steps: list[tuple[bool, float]],
) -> None:
    watched = Watched()
    for raised, seconds in steps:
        if raised:
            watched.health.raise_alarm("relay_unreachable", "gate", "")
        else:
            watched.health.clear_alarm("relay_unreachable", "gate")
        watched.rest(seconds)
    kinds = [type(news) for news in watched.told]
    assert kinds == [AlarmRaised, AlarmCleared] * (len(kinds) // 2) + [AlarmRaised] * (
        len(kinds) % 2
    )
    assert bool(watched.health.alarms) is bool(len(kinds) % 2)
    if watched.health.stands("relay_unreachable", "gate"):
        assert watched.health.alarms
