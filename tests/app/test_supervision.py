"""What the controller says of its own tasks and of the disk under it."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from gatekeeper.app import controller
from gatekeeper.app.controller import Controller
from gatekeeper.clock import SystemClock
from gatekeeper.config import Config
from gatekeeper.health import Health
from gatekeeper.store import Store

PATIENCE_S = 30.0


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not what():  # noqa: ASYNC110 - health has no event to wait for
            await asyncio.sleep(0.01)


def built(folder: Path, health: Health) -> Controller:
    """A controller of one lane, of which nothing has been opened yet."""
    lane = {
        "name": "in",
        "zone": "park",
        "direction": "entry",
        "barrier": {"board": "relays", "coil": 0},
        "arrival_loop": {"board": "relays", "input": 0},
    }
    config = Config.model_validate(
        {
            "site": "hall",
            "controller": "gate-1",
            "store": {"path": folder / "gate.db", "pictures": folder / "pictures"},
            "zone": [{"name": "park", "capacity": 9, "admits": "everybody"}],
            "board": [{"name": "relays", "address": "tcp://192.0.2.7:502"}],
            "lane": [lane],
        }
    )
    store = cast(Store, None)  # nothing here is written down
    return Controller(config, store=store, clock=SystemClock(), health=health)


async def test_a_task_that_failed_is_an_alarm_until_it_has_run_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controller, "RESTART_S", (0.01, 0.05))
    health = Health(SystemClock())
    allowed = asyncio.Event()

    async def works_once_it_may() -> None:
        if not allowed.is_set():
            raise RuntimeError("a fault of the program")
        await asyncio.Event().wait()

    task = asyncio.create_task(built(tmp_path, health)._kept("lane in", works_once_it_may))
    await until(lambda: health.stands("task_failed", "lane in"))
    allowed.set()
    await until(lambda: not health.stands("task_failed", "lane in"))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_task_that_fails_while_it_is_stopped_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controller, "RESTART_S", (3600.0, 3600.0))
    gate, runs = built(tmp_path, Health(SystemClock())), asyncio.Event()

    async def fails_when_it_is_stopped() -> None:
        runs.set()
        try:
            await asyncio.Event().wait()
        finally:
            raise RuntimeError("its connection broke in that moment")

    task = asyncio.create_task(gate._kept("link", fails_when_it_is_stopped))
    await runs.wait()
    gate._stopping = True
    task.cancel()
    async with asyncio.timeout(PATIENCE_S):
        await task


async def test_a_task_that_swallows_its_cancellation_is_cancelled_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(controller, "STOPS_S", 0.01)
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
        await controller.ended([task])
    assert task.cancelled()
    assert swallowed == 3
