"""The wall clock is watched, in virtual time."""

from datetime import timedelta

import pytest

from gatekeeper.app.timekeeper import STEPPED_STANDS_S, Timekeeper
from gatekeeper.health import Health
from gatekeeper.model import AlarmCleared, AlarmRaised
from simulators.virtual import VirtualClock


class Watch:
    """A timekeeper, its clock, and the alarms that stand."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.health = Health(self.clock)
        self.news: list[AlarmRaised | AlarmCleared] = []
        self.health.watch(self.news.append)
        self.keeper = Timekeeper(self.clock, self.health)

    def looks(self, after_s: float = 10.0) -> None:
        self.clock.true_s += after_s
        self.keeper.look()

    def is_told(self, off_s: float) -> None:
        """The centre's clock, from which ours is off by so much."""
        self.keeper.told(self.clock.instant().wall - timedelta(seconds=off_s))

    @property
    def standing(self) -> dict[str, str]:
        return {alarm.alarm: alarm.detail for alarm in self.health.alarms}


@pytest.fixture
def watch() -> Watch:
    watch = Watch()
    watch.looks()
    return watch


def test_a_clock_that_goes_right_is_no_news(watch: Watch) -> None:
    for _ in range(3):
        watch.looks()
    watch.is_told(off_s=0.0)

    assert watch.news == []


def test_a_clock_that_is_not_synchronised_is_an_alarm_until_it_is(watch: Watch) -> None:
    watch.clock.step(0.0, trusted=False)
    watch.looks()
    assert list(watch.standing) == ["clock_untrusted"]

    watch.clock.step(0.0, trusted=True)
    watch.looks()
    assert watch.standing == {}


@pytest.mark.parametrize(
    ("by_s", "said"), [(5.1, "by +5.1 s"), (-3600.0, "by -3600.0 s"), (5.0, None), (-4.0, None)]
)
def test_a_step_of_more_than_five_seconds_is_an_alarm(
    watch: Watch, by_s: float, said: str | None
) -> None:
    watch.clock.step(by_s, trusted=True)
    watch.looks()

    assert watch.standing.get("clock_stepped") == said


def test_the_first_look_has_nothing_to_compare_with() -> None:
    watch = Watch()
    watch.clock.step(10**6, trusted=True)
    watch.looks()

    assert watch.standing == {}


def test_a_step_stands_until_somebody_will_have_seen_it(watch: Watch) -> None:
    watch.clock.step(60.0, trusted=True)
    watch.looks()
    watch.looks(after_s=STEPPED_STANDS_S)
    assert "clock_stepped" in watch.standing

    watch.looks()
    assert watch.standing == {}


def test_each_step_is_told_of(watch: Watch) -> None:
    for by_s in (60.0, -7.0):
        watch.clock.step(by_s, trusted=True)
        watch.looks()

    said = [news.detail for news in watch.news if isinstance(news, AlarmRaised)]
    assert said == ["by +60.0 s", "by -7.0 s"]
    assert watch.standing == {"clock_stepped": "by -7.0 s"}


@pytest.mark.parametrize(
    ("off_s", "said"),
    [
        (5.0, None),
        (-5.0, None),
        (5.1, "+5.1 s from the centre's"),
        (-90.0, "-90.0 s from the centre's"),
    ],
)
def test_a_clock_more_than_five_seconds_off_the_centres_is_an_alarm(
    watch: Watch, off_s: float, said: str | None
) -> None:
    watch.is_told(off_s)

    assert watch.standing.get("clock_off") == said


def test_a_clock_that_was_set_right_is_no_longer_off(watch: Watch) -> None:
    watch.is_told(60.0)
    watch.is_told(1.0)

    assert watch.standing == {}
