"""The display's driver, and the simulated board at the other end of a real pseudo-terminal."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from gatekeeper.backoff import Backoff
from gatekeeper.clock import SystemClock
from gatekeeper.config import DisplaySettings
from gatekeeper.drivers import display as driver
from gatekeeper.drivers.display import LedDisplay
from gatekeeper.health import Health
from gatekeeper.model import AlarmCleared, AlarmRaised, DisplayText

PATIENCE_S = 30.0

HELLO = DisplayText(lines=("闽C12F57", "请通行"), voice="请通行")
IDLE = DisplayText(lines=("欢迎光临", "余位 12"))


class Board:
    """`python -m simulators.display` at the other end of two pipes."""

    def __init__(self, process: asyncio.subprocess.Process, link: Path) -> None:
        self._process = process
        self.link = link

    async def tell(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n".encode())
        await self.hear(lambda said: said["said"] == "done")

    async def hear(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while True:
                said: dict[str, Any] = json.loads(await self._process.stdout.readline())
                if wanted(said):
                    return said

    async def shows(self, text: DisplayText) -> dict[str, Any]:
        return await self.hear(lambda said: said.get("lines") == list(text.lines))


class Alarms:
    """What health told of the display."""

    def __init__(self, health: Health) -> None:
        self._news: asyncio.Queue[AlarmRaised | AlarmCleared] = asyncio.Queue()
        health.watch(self._news.put_nowait)

    async def next(self) -> AlarmRaised | AlarmCleared:
        async with asyncio.timeout(PATIENCE_S):
            return await self._news.get()


@pytest.fixture
async def board(tmp_path: Path) -> AsyncIterator[Board]:
    link = tmp_path / "display"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "simulators.display", "--link", str(link)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    board = Board(process, link)
    await board.hear(lambda said: said["said"] == "listening")
    yield board
    assert process.stdin is not None
    process.stdin.close()
    assert process.stdout is not None
    await process.stdout.read()
    assert await process.wait() == 0


@pytest.fixture
def health() -> Health:
    return Health(SystemClock())


@pytest.fixture
def alarms(health: Health) -> Alarms:
    return Alarms(health)


@pytest.fixture
async def display(
    board: Board, health: Health, alarms: Alarms, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LedDisplay]:
    monkeypatch.setattr(driver, "REOPEN", Backoff(first_s=0.05, last_s=0.2))
    monkeypatch.setattr(driver, "_WRITE_S", PATIENCE_S)
    display = LedDisplay(DisplaySettings(name="sign", port=str(board.link)), health)
    running = asyncio.create_task(display.run())
    yield display
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await display.close()


async def test_the_driver_reads_and_hears_what_is_shown(board: Board, display: LedDisplay) -> None:
    display.show(HELLO)
    assert (await board.shows(HELLO))["voice"] == "请通行"


async def test_a_text_without_lines_is_spoken(board: Board, display: LedDisplay) -> None:
    display.show(DisplayText(voice="欢迎光临"))
    assert (await board.hear(lambda said: said["said"] == "spoken"))["voice"] == "欢迎光临"


async def test_of_texts_that_come_faster_than_the_line_the_newest_is_shown(
    board: Board, display: LedDisplay
) -> None:
    for number in range(100):
        display.show(DisplayText(lines=(str(number),)))
    shown = await board.hear(lambda said: said["said"] == "shown")
    assert shown["lines"] == ["99"]


async def test_a_display_that_lost_its_power_shows_its_text_again_and_says_nothing(
    board: Board, display: LedDisplay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "REFRESH_S", 0.05)
    display.show(HELLO)
    assert (await board.shows(HELLO))["voice"] == "请通行"
    assert (await board.shows(HELLO))["voice"] == ""


async def test_a_display_that_is_unplugged_is_an_alarm_until_it_is_back_and_shows_the_newest(
    board: Board, display: LedDisplay, alarms: Alarms
) -> None:
    display.show(HELLO)
    await board.shows(HELLO)
    await board.tell("unplug")
    display.show(DisplayText(lines=("too late",), voice="too late"))
    raised = await alarms.next()
    assert isinstance(raised, AlarmRaised)
    assert (raised.alarm, raised.subject) == ("display_failed", "sign")
    assert str(board.link) in raised.detail
    display.show(IDLE)
    await board.tell("plug")
    shown = await board.hear(lambda said: said["said"] == "shown")
    assert (shown["lines"], shown["voice"]) == (list(IDLE.lines), "")
    assert isinstance(await alarms.next(), AlarmCleared)


async def test_a_wedged_line_is_an_alarm_and_holds_no_one_up(
    board: Board, display: LedDisplay, alarms: Alarms, monkeypatch: pytest.MonkeyPatch
) -> None:
    await board.tell("wedge")
    monkeypatch.setattr(driver, "_WRITE_S", 0.3)
    display.show(HELLO)
    raised = await alarms.next()
    assert isinstance(raised, AlarmRaised)
    monkeypatch.setattr(driver, "_WRITE_S", PATIENCE_S)
    display.show(IDLE)
    await board.tell("unwedge")
    await board.shows(IDLE)
    assert isinstance(await alarms.next(), AlarmCleared)


async def test_a_port_that_is_not_there_is_an_alarm_before_any_text_comes(
    tmp_path: Path, health: Health, alarms: Alarms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "REFRESH_S", 0.05)
    settings = DisplaySettings(name="sign", port=str(tmp_path / "absent"))
    display = LedDisplay(settings, health)
    running = asyncio.create_task(display.run())
    assert isinstance(await alarms.next(), AlarmRaised)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await display.close()
