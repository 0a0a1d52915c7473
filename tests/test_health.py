"""Alarms and heartbeats."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

from gatekeeper.health import Health
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
