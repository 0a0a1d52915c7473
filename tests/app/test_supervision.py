"""What the controller says of its own tasks and of the disk under it."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import pytest

from gatekeeper.app import controller
from gatekeeper.app.controller import Controller
from gatekeeper.app.housekeeping import Housekeeping
from gatekeeper.clock import SystemClock
from gatekeeper.config import Config, StoreSettings
from gatekeeper.health import Health
from gatekeeper.store import Store
from gatekeeper.store.pictures import Pictures
from gatekeeper.zones import Zones

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


async def test_a_task_that_does_not_hear_that_it_is_to_end_is_told_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(controller, "ENDS_S", 0.01)

    async def hears_it_the_second_time() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    tasks = [asyncio.create_task(hears_it_the_second_time()) for _ in range(2)]
    await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE_S):
        await controller._ended(tasks)
    assert all(task.cancelled() for task in tasks)


async def test_a_disk_that_is_nearly_full_is_an_alarm_until_it_is_not(tmp_path: Path) -> None:
    health = Health(SystemClock())

    async def keep_house(min_free_mb: int) -> None:
        settings = StoreSettings(
            path=tmp_path / "gate.db", pictures=tmp_path, min_free_mb=min_free_mb
        )
        housekeeping = Housekeeping(
            settings,
            ZoneInfo("Asia/Shanghai"),
            pictures=Pictures(tmp_path / "pictures"),
            zones=cast(Zones, None),  # no day ends here
            clock=SystemClock(),
            health=health,
        )
        task = asyncio.create_task(housekeeping.run())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    await keep_house(min_free_mb=10**12)
    assert health.stands("disk_low", "disk")
    await keep_house(min_free_mb=16)
    assert not health.stands("disk_low", "disk")
