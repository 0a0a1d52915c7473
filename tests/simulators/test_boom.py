import asyncio
import functools
import selectors
from collections.abc import Awaitable, Callable

import pytest

from simulators.boom import Boom, State


class Patient(selectors.DefaultSelector):
    """Does not wait: it says how long it would have waited."""

    waited = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.waited += timeout or 0.0
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its clock moves only when nothing else is to do."""

    def __init__(self) -> None:
        self._patient = Patient()
        super().__init__(self._patient)

    def time(self) -> float:
        return self._patient.waited


def in_virtual_time(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    @functools.wraps(test)
    def run() -> None:
        async def tested() -> None:
            await test()

        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(tested())

    return run


class Bench:
    """An arm in virtual time, with what it did and when."""

    def __init__(self, speed: float = 1.0) -> None:
        self.begun = asyncio.get_running_loop().time()
        self.told: list[tuple[State, float]] = []
        self.boom = Boom(self._moved, speed)

    def _moved(self, state: State) -> None:
        self.told.append((state, round(asyncio.get_running_loop().time() - self.begun, 2)))

    async def pulse(self, seconds: float = 0.5) -> None:
        self.boom.contact(True)
        await asyncio.sleep(seconds)
        self.boom.contact(False)


@in_virtual_time
async def test_a_pulse_lifts_it_and_it_falls_by_itself_if_no_one_comes() -> None:
    bench = Bench()
    await bench.pulse(0.5)
    await asyncio.sleep(20)
    assert bench.told == [
        (State.RISING, 0.1),
        (State.UP, 1.1),
        (State.FALLING, 8.5),
        (State.DOWN, 9.5),
    ]


@in_virtual_time
async def test_a_contact_shorter_than_100_ms_moves_nothing() -> None:
    bench = Bench()
    await bench.pulse(0.09)
    await asyncio.sleep(20)
    assert bench.told == []


@in_virtual_time
async def test_it_stays_up_while_the_contact_is_held() -> None:
    bench = Bench()
    await bench.pulse(60)
    await asyncio.sleep(20)
    assert bench.told[2:] == [(State.FALLING, 68.0), (State.DOWN, 69.0)]


@in_virtual_time
async def test_it_falls_soon_after_the_vehicle_and_never_on_one() -> None:
    bench = Bench()
    await bench.pulse()
    await asyncio.sleep(1.5)
    bench.boom.safety(True)
    await asyncio.sleep(30)
    assert bench.boom.state is State.UP
    bench.boom.safety(False)
    await asyncio.sleep(20)
    assert bench.told[2:] == [(State.FALLING, 33.5), (State.DOWN, 34.5)]


@in_virtual_time
async def test_it_rises_again_from_where_it_is_when_a_vehicle_comes_under_it() -> None:
    bench = Bench()
    await bench.pulse()
    await asyncio.sleep(8.3)  # falling for 0.3 s
    assert bench.boom.angle == pytest.approx(63, abs=1)
    bench.boom.safety(True)
    await asyncio.sleep(5)
    assert bench.told[3:] == [(State.RISING, 8.8), (State.UP, 9.1)]


@in_virtual_time
async def test_a_second_pulse_while_it_is_up_gives_the_next_vehicle_its_full_time() -> None:
    bench = Bench()
    await bench.pulse()
    await asyncio.sleep(1)
    bench.boom.safety(True)
    await asyncio.sleep(1)
    bench.boom.safety(False)
    await asyncio.sleep(1)
    await bench.pulse()  # until 4.0
    await asyncio.sleep(20)
    assert bench.told[2:] == [(State.FALLING, 12.0), (State.DOWN, 13.0)]


@in_virtual_time
async def test_speed_divides_all_times() -> None:
    bench = Bench(speed=10)
    await bench.pulse(0.05)
    await asyncio.sleep(5)
    assert bench.told == [
        (State.RISING, 0.01),
        (State.UP, 0.11),
        (State.FALLING, 0.85),
        (State.DOWN, 0.95),
    ]


@in_virtual_time
async def test_a_pulse_of_the_closing_relay_lowers_it() -> None:
    bench = Bench()
    await bench.pulse()
    await asyncio.sleep(1.5)  # up since 1.1
    bench.boom.closing(True)
    await asyncio.sleep(20)
    assert bench.told[2:] == [(State.FALLING, 2.1), (State.DOWN, 3.1)]


@in_virtual_time
async def test_the_closing_relay_lowers_it_on_no_vehicle_and_against_no_held_contact() -> None:
    bench = Bench()
    bench.boom.contact(True)
    await asyncio.sleep(2)
    bench.boom.closing(True)
    await asyncio.sleep(1)
    bench.boom.closing(False)
    bench.boom.safety(True)
    bench.boom.contact(False)
    bench.boom.closing(True)
    await asyncio.sleep(20)
    assert bench.boom.state is State.UP


@in_virtual_time
async def test_a_closing_contact_shorter_than_100_ms_moves_nothing() -> None:
    bench = Bench()
    await bench.pulse()
    await asyncio.sleep(1.5)
    bench.boom.closing(True)
    await asyncio.sleep(0.09)
    bench.boom.closing(False)
    await asyncio.sleep(1)
    assert bench.boom.state is State.UP


@in_virtual_time
async def test_a_stuck_arm_stays_down_until_it_is_free_and_pulsed_again() -> None:
    bench = Bench()
    bench.boom.stick(True)
    await bench.pulse()
    await asyncio.sleep(20)
    assert bench.told == []
    bench.boom.stick(False)
    await bench.pulse()
    await asyncio.sleep(1)
    assert bench.boom.state is State.UP


@in_virtual_time
async def test_a_stuck_arm_stays_up_and_falls_when_it_is_free() -> None:
    bench = Bench()
    await bench.pulse()
    await asyncio.sleep(2)
    bench.boom.stick(True)
    await asyncio.sleep(20)
    bench.boom.stick(False)
    await asyncio.sleep(2)
    assert bench.told[1:] == [(State.UP, 1.1), (State.FALLING, 22.5), (State.DOWN, 23.5)]


@in_virtual_time
async def test_somebody_may_lift_it_by_hand() -> None:
    bench = Bench()
    bench.boom.lift()
    await asyncio.sleep(20)
    assert bench.told == [
        (State.RISING, 0.0),
        (State.UP, 1.0),
        (State.FALLING, 8.0),
        (State.DOWN, 9.0),
    ]
