"""A boom that is kept up: asked for until it is so, and let go when nothing is under it."""

from typing import TYPE_CHECKING

import pytest

from gatekeeper.clock import SystemClock
from gatekeeper.config import LaneSettings
from gatekeeper.model import (
    DisplayText,
    Hold,
    HoldReason,
    ListName,
    Order,
    Outcome,
    Sensor,
)
from gatekeeper.rules.passage import State, Timing

if TYPE_CHECKING:
    from tests.lane.conftest import Bench

CAR = "闽C12345"
ORDER = Hold(
    lane="lane",
    reason=HoldReason.ORDER,
    order="o-1",
    by="Lin",
    why="a film",
    begun=SystemClock().instant(),
)


async def held(bench: "Bench") -> None:
    await bench.until(lambda: bench.lane.holder.keeps_up)


def clear(bench: "Bench") -> None:
    for sensor in (Sensor.ARRIVAL, Sensor.SAFETY):
        bench.loops.set(sensor, False)


async def test_a_fire_keeps_the_boom_up_and_says_so(bench: "Bench") -> None:
    bench.lane.holder.fire(True)
    await held(bench)
    await bench.until(lambda: bench.facts("barrier.held") != [])

    assert bench.barrier.switched == ["hold"]
    assert bench.facts("barrier.held")[0]["reason"] == "fire"
    assert bench.health.stands("held_open", "lane")


async def test_a_barrier_that_does_not_follow_is_asked_again_and_an_alarm(bench: "Bench") -> None:
    bench.barrier.outcome = Outcome.FAILED
    bench.lane.holder.fire(True)
    await bench.until(lambda: bench.health.stands("hold_failed", "lane"))

    assert bench.barrier.switched[:2] == ["hold", "hold"]
    assert not bench.lane.holder.keeps_up
    bench.barrier.outcome = Outcome.DONE
    await held(bench)
    assert not bench.health.stands("hold_failed", "lane")


async def test_a_fire_needs_no_lane_that_works(bench: "Bench") -> None:
    bench.running.cancel()
    bench.lane.holder.fire(True)

    await held(bench)


async def test_a_full_disk_keeps_no_boom_down(bench: "Bench") -> None:
    bench.store.failing = True
    bench.lane.holder.fire(True)

    await held(bench)
    assert bench.lane.holder.admits_as() is not None


async def test_who_comes_is_let_in_without_a_pulse(bench: "Bench") -> None:
    await bench.list_plate(ListName.BLACKLIST, CAR)
    bench.lane.holder.ordered([ORDER])
    await held(bench)
    bench.camera.plate = CAR
    bench.loops.set(Sensor.ARRIVAL, True)
    await bench.in_state(State.OPENING)
    bench.loops.set(Sensor.SAFETY, True)
    bench.loops.set(Sensor.ARRIVAL, False)
    bench.loops.set(Sensor.SAFETY, False)
    (ended,) = await bench.ended()

    assert bench.barrier.commands == []
    assert (ended["end"], ended["decided"], ended["certain"]) == ("passed", True, False)
    assert ended["doubts"] == ["held_open"]
    assert bench.facts("vehicle.decided")[0]["decision"]["reason"] == "held_open"


async def test_a_full_disk_refuses_no_one_under_a_boom_that_is_kept_up(bench: "Bench") -> None:
    bench.lane.holder.fire(True)
    await held(bench)
    bench.store.failing = True
    bench.loops.set(Sensor.ARRIVAL, True)

    await bench.in_state(State.OPENING)


async def test_a_pulse_is_given_where_the_hold_output_does_not_follow(bench: "Bench") -> None:
    bench.barrier.outcome = Outcome.FAILED
    bench.lane.holder.fire(True)
    await bench.until(lambda: bench.health.stands("hold_failed", "lane"))
    bench.loops.set(Sensor.ARRIVAL, True)

    await bench.until(lambda: len(bench.barrier.commands) >= 1)


async def test_a_boom_comes_down_when_no_one_has_been_under_it(bench: "Bench") -> None:
    clear(bench)
    bench.lane.holder.ordered([ORDER])
    await held(bench)
    bench.loops.set(Sensor.SAFETY, True)
    bench.lane.holder.ordered([])
    await bench.until(lambda: not bench.health.stands("held_open", "lane"))
    assert bench.barrier.held

    bench.loops.set(Sensor.SAFETY, False)
    await bench.until(lambda: not bench.barrier.held)
    assert bench.barrier.switched == ["hold", "release"]


async def test_a_new_reason_comes_before_the_boom_is_down(bench: "Bench") -> None:
    clear(bench)
    bench.lane.holder.ordered([ORDER])
    await held(bench)
    bench.loops.set(Sensor.SAFETY, True)
    bench.lane.holder.ordered([])
    bench.lane.holder.fire(True)
    await bench.until(lambda: len(bench.facts("barrier.held")) == 1)
    bench.loops.set(Sensor.SAFETY, False)

    assert bench.lane.holder.keeps_up
    assert "release" not in bench.barrier.switched


async def test_a_camera_only_exit_that_sees_nothing_is_kept_up(bench: "Bench") -> None:
    bench.lane.holder.stale_camera(True)
    await held(bench)
    await bench.until(lambda: len(bench.facts("barrier.held")) == 1)

    assert bench.facts("barrier.held")[0]["reason"] == "stale_camera"


@pytest.mark.parametrize(
    ("reason", "lines"),
    [(HoldReason.FIRE, ("紧急疏散", "请迅速驶离")), (HoldReason.ORDER, ("道闸常开", "请通行"))],
)
async def test_the_display_tells_the_next_driver(
    bench: "Bench", reason: HoldReason, lines: tuple[str, ...]
) -> None:
    if reason is HoldReason.FIRE:
        bench.lane.holder.fire(True)
    else:
        bench.lane.holder.ordered([ORDER])

    await bench.until(lambda: _newest(bench).lines == lines)


def _newest(bench: "Bench") -> DisplayText:
    return bench.display.texts[-1]


async def test_a_photocell_guards_the_boom_and_tells_nothing_of_the_vehicle(
    bench: "Bench",
) -> None:
    bench.loops.set(Sensor.PHOTOCELL, True)
    bench.loops.set(Sensor.PHOTOCELL, False)
    bench.loops.set(Sensor.ARRIVAL, True)

    await bench.until(lambda: bench.lane.state is not State.CLEAR)
    assert not bench.running.done()


class TestWithTimeToRead:
    """While it lasts, nothing is decided by the clock."""

    @pytest.fixture
    def timing(self) -> Timing:
        return Timing(reading_s=600.0)

    async def test_who_is_being_read_when_the_boom_goes_up_is_let_in_at_once(
        self, bench: "Bench"
    ) -> None:
        bench.loops.set(Sensor.ARRIVAL, True)
        await bench.in_state(State.READING)
        bench.lane.holder.fire(True)

        await bench.in_state(State.OPENING)


class TestWithACloseRelay:
    """A barrier that closes by its relay, and by nothing else."""

    @pytest.fixture
    def lane_settings(self, lane_settings: LaneSettings) -> LaneSettings:
        barrier = lane_settings.barrier.model_copy(update={"close_coil": 1, "close_after_s": 0.1})
        return lane_settings.model_copy(update={"barrier": barrier})

    async def test_it_is_closed_after_a_hold_has_ended(self, bench: "Bench") -> None:
        clear(bench)
        bench.lane.holder.ordered([ORDER])
        await held(bench)
        bench.lane.holder.ordered([])

        await bench.until(lambda: bench.barrier.switched[-1:] == ["close"])
        assert bench.barrier.switched == ["hold", "release", "close"]

    async def test_it_is_closed_after_an_ordered_opening_that_no_vehicle_uses(
        self, bench: "Bench"
    ) -> None:
        clear(bench)
        wall = SystemClock().instant().wall
        order = Order(
            id="o-2", verb="open", by="Lin", reason="a film", expires_at=wall, lane="lane"
        )

        assert (await bench.lane.obey(order)).outcome == "done"
        await bench.until(lambda: bench.barrier.switched == ["close"])
