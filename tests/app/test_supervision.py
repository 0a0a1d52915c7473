"""What the controller says of its own tasks and of the disk under it."""

import asyncio
from collections.abc import Callable

import pytest

from gatekeeper.app import supervisor
from gatekeeper.app.supervisor import Supervisor
from gatekeeper.backoff import Backoff
from gatekeeper.clock import SystemClock
from gatekeeper.health import Health

PATIENCE_S = 30.0


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not what():  # noqa: ASYNC110 - health has no event to wait for
            await asyncio.sleep(0.01)


async def test_a_task_that_failed_is_an_alarm_until_it_has_run_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervisor, "RESTART", Backoff(first_s=0.01, last_s=0.05))
    health = Health(SystemClock())
    allowed = asyncio.Event()

    async def works_once_it_may() -> None:
        if not allowed.is_set():
            raise RuntimeError("a fault of the program")
        await asyncio.Event().wait()

    keeper = Supervisor(clock=SystemClock(), health=health)
    task = asyncio.create_task(keeper.kept("lane in", works_once_it_may))
    await until(lambda: health.stands("task_failed", "lane in"))
    allowed.set()
    await until(lambda: not health.stands("task_failed", "lane in"))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_task_that_fails_while_it_is_stopped_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervisor, "RESTART", Backoff(first_s=3600.0, last_s=3600.0))
    clock, runs = SystemClock(), asyncio.Event()
    keeper = Supervisor(clock=clock, health=Health(clock))

    async def fails_when_it_is_stopped() -> None:
        runs.set()
        try:
            await asyncio.Event().wait()
        finally:
            raise RuntimeError("its connection broke in that moment")

    keeper.start([("link", fails_when_it_is_stopped)])
    await runs.wait()
    async with asyncio.timeout(PATIENCE_S):
        await keeper.stop()
    assert keeper.tasks["link"].done()


async def test_a_task_that_swallows_its_cancellation_is_cancelled_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervisor, "STOPS_S", 0.01)
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        while swallowed < 3:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                swallowed += 1
        await asyncio.sleep(3600)

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE_S):
        await supervisor.ended([task])
    assert task.cancelled()
    assert swallowed == 3


async def test_a_task_that_ends_because_what_it_waited_for_was_cancelled_is_run_again() -> None:
    clock = SystemClock()
    health = Health(clock)
    keeper, runs = Supervisor(clock=clock, health=health), []

    async def waits_for_what_is_cancelled() -> None:
        runs.append(1)
        other = asyncio.get_running_loop().create_future()
        other.cancel()
        await other

    keeper.start([("lane in", waits_for_what_is_cancelled)])
    await until(lambda: len(runs) > 1)

    assert health.stands("task_failed", "lane in")
    async with asyncio.timeout(PATIENCE_S):
        await keeper.stop()
