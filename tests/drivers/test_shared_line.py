"""Several boards on one line: what happens to one is nothing to the others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gatekeeper.backoff import Backoff
from gatekeeper.clock import SystemClock, monotonic
from gatekeeper.config import BarrierSettings, BoardSettings, InputSettings, LaneSettings
from gatekeeper.drivers import board as board_module
from gatekeeper.drivers import bus as bus_module
from gatekeeper.drivers.board import ALARM, RelayBoard
from gatekeeper.drivers.bus import Bus
from gatekeeper.drivers.device import Device, open_device
from gatekeeper.drivers.session import NotSentError, Urgency
from gatekeeper.errors import BoardError
from gatekeeper.health import Health
from gatekeeper.model import (
    Ack,
    AlarmCleared,
    AlarmRaised,
    BarrierCommand,
    Direction,
    Outcome,
    Reason,
)
from simulators.device import Device as Simulated
from simulators.device import Fault
from simulators.modbus import TcpLine
from simulators.rtu import SerialLine

WIRES = ["tcp", "serial"]
LIMIT_S = 30


class Board(Simulated):
    """A plain board that remembers what it was asked."""

    def __init__(self, unit: int, order: list[tuple[int, int]]) -> None:
        super().__init__(unit=unit, coils=8, inputs=8, wrote=lambda coil, on: None)
        self._order = order

    def answer(self, request: bytes) -> bytes | None:
        self._order.append((self.unit, request[0]))
        return super().answer(request)


class Site:
    """Two boards on one line, and what was asked: (unit, function)."""

    def __init__(self) -> None:
        self.order: list[tuple[int, int]] = []
        self.boards = {unit: Board(unit, self.order) for unit in (1, 2)}
        self.address = ""

    async def polled(self, unit: int, times: int) -> None:
        """Wait until a board was asked so many times more."""
        times += [each for each, _ in self.order].count(unit)
        async with asyncio.timeout(LIMIT_S):
            while [each for each, _ in self.order].count(unit) < times:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    def settings(self, unit: int, timeout_ms: int = 1000 * LIMIT_S) -> BoardSettings:
        board = BoardSettings(
            name=f"board-{unit}", address=self.address, unit=unit, poll_ms=10, silence_ms=50
        )
        return board.model_copy(update={"timeout_ms": timeout_ms})


@asynccontextmanager
async def line_of(site: Site, wire: str) -> AsyncIterator[None]:
    devices = list(site.boards.values())
    if wire == "serial":
        serial = SerialLine(devices, None, None)
        site.address = f"serial://{serial.plug()}"
        yield
        serial.unplug()
    else:
        line = TcpLine(devices)
        site.address = f"tcp://127.0.0.1:{await line.listen('127.0.0.1', 0)}"
        yield
        line.close()


@pytest.fixture(params=WIRES)
async def site(request: pytest.FixtureRequest) -> AsyncIterator[Site]:
    site = Site()
    async with line_of(site, request.param):
        yield site


def lane(unit: int) -> LaneSettings:
    return LaneSettings(
        name=f"lane-{unit}",
        zone="inner",
        direction=Direction.ENTRY,
        barrier=BarrierSettings(board=f"board-{unit}", coil=0, pulse_ms=5000),
        arrival_loop=InputSettings(board=f"board-{unit}", input=0),
    )


class Running:
    """Both boards on one bus; board 2 fails, and is waited for half a second only."""

    def __init__(self, site: Site, timeout_ms: int = 1000 * LIMIT_S) -> None:
        self.news: list[AlarmRaised | AlarmCleared] = []
        self.health = Health(SystemClock())
        self.health.watch(self.news.append)
        bus = Bus(site.settings(1).line)
        self.boards = {
            1: RelayBoard(site.settings(1, timeout_ms), [lane(1)], self.health, bus),
            2: RelayBoard(site.settings(2, timeout_ms=500), [lane(2)], self.health, bus),
        }
        self.tasks = [asyncio.create_task(board.run()) for board in self.boards.values()]

    async def open(self, unit: int) -> Ack:
        command = BarrierCommand(
            id="c1",
            lane=f"lane-{unit}",
            passage=None,
            reason=Reason.VISITOR,
            deadline=monotonic() + 20,
        )
        return await self.boards[unit].barrier(f"lane-{unit}").open(command)

    async def until_alive(self, unit: int, alive: bool = True) -> None:
        async with asyncio.timeout(LIMIT_S):
            while self.boards[unit].alive is not alive:  # noqa: ASYNC110 - it sets no event
                await asyncio.sleep(0.01)

    async def opens(self, unit: int) -> None:
        """Until it does: a board that is waited for half a second may be lost on a busy machine."""
        async with asyncio.timeout(LIMIT_S):
            await self.until_alive(unit)
            while (await self.open(unit)).outcome is not Outcome.DONE:
                await self.until_alive(unit)

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


@pytest.fixture
async def running(site: Site, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    monkeypatch.setattr(board_module, "_RETRY", Backoff(first_s=0.1, last_s=0.2))
    running = Running(site)
    await running.until_alive(1)
    await running.until_alive(2)
    running.news.clear()
    yield running
    await running.stop()


async def test_boards_on_one_line_are_told_apart_by_their_unit(
    site: Site, running: Running
) -> None:
    await running.opens(2)
    assert site.boards[2].coils[0]
    assert not site.boards[1].coils[0]


@pytest.mark.parametrize("fault", [Fault.SILENT, Fault.DROPPED, Fault.WRONG_ECHO])
async def test_a_board_that_fails_leaves_the_other_on_its_line_live(
    site: Site, running: Running, fault: Fault
) -> None:
    site.boards[2].fault = fault
    if fault is Fault.WRONG_ECHO:
        assert (await running.open(2)).outcome is Outcome.UNKNOWN
    await running.until_alive(2, False)
    assert (await running.open(2)).outcome is Outcome.FAILED
    assert (await running.open(1)).outcome is Outcome.DONE
    site.boards[2].fault = Fault.NONE
    await running.opens(2)
    assert {news.subject for news in running.news} == {"board-2"}
    assert running.boards[1].alive


async def test_a_silent_board_is_asked_only_now_and_then(
    site: Site, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board_module, "_RETRY", Backoff(first_s=0.1, last_s=3600.0))
    site.boards[2].fault = Fault.SILENT
    await running.until_alive(2, False)
    site.order.clear()
    await site.polled(unit=1, times=100)
    asked = [function for unit, function in site.order if unit == 2]
    assert len(asked) < 10
    assert set(asked) <= {2}, "one read at a time, and nothing written"


@pytest.mark.parametrize("site", ["serial"], indirect=True)
async def test_a_silent_board_is_not_asked_just_after_somebody_has_arrived(
    site: Site, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.boards[1].loops("lane-1").watch(lambda _: None)
    site.boards[2].fault = Fault.SILENT
    await running.until_alive(2, False)
    monkeypatch.setattr(bus_module, "_OPENING_EXPECTED_S", 3600.0)
    site.boards[1].inputs[0] = True
    await site.polled(unit=1, times=20)
    asked = [unit for unit, _ in site.order].count(2)
    await site.polled(unit=1, times=100)
    assert [unit for unit, _ in site.order].count(2) <= asked + 1, "but for one under way"


async def test_a_board_that_restores_its_relays_after_a_power_cut_does_not_keep_a_boom_up(
    site: Site, running: Running
) -> None:
    site.boards[2].fault = Fault.SILENT
    await running.until_alive(2, False)
    site.boards[2].coils[0] = True
    site.boards[2].fault = Fault.NONE
    async with asyncio.timeout(LIMIT_S):
        while site.boards[2].coils[0]:  # noqa: ASYNC110 - it sets no event
            await asyncio.sleep(0.01)
    assert not site.boards[1].coils[0]


@pytest.mark.parametrize("site", ["tcp"], indirect=True)
async def test_nothing_is_written_to_unit_0_which_all_boards_behind_a_gateway_would_do(
    site: Site,
) -> None:
    """A broadcast is answered by no board, and a board that has not answered is not written to."""
    health = Health(SystemClock())
    everybody = site.settings(1, timeout_ms=100).model_copy(update={"unit": 0})
    board = RelayBoard(everybody, [lane(1)], health)
    running = asyncio.create_task(board.run())
    async with asyncio.timeout(LIMIT_S):
        while not health.stands(ALARM, "board-1"):  # noqa: ASYNC110 - it sets no event
            await asyncio.sleep(0.01)
    assert not board.alive
    assert site.order == []
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_when_no_one_answers_the_connection_is_made_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board_module, "_RETRY", Backoff(first_s=0.1, last_s=0.2))
    running = Running(site, timeout_ms=500)
    await running.until_alive(1)
    for board in site.boards.values():
        board.fault = Fault.SILENT
    await running.until_alive(1, False)
    await running.until_alive(2, False)
    assert running.health.stands(ALARM, "board-1")
    for board in site.boards.values():
        board.fault = Fault.NONE
    await running.opens(1)
    await running.opens(2)
    await running.stop()


async def test_stopping_one_board_leaves_the_other_live(site: Site, running: Running) -> None:
    running.tasks[1].cancel()
    await asyncio.gather(running.tasks[1], return_exceptions=True)
    assert (await running.open(1)).outcome is Outcome.DONE
    assert "board-1" not in {news.subject for news in running.news}


async def read(board: Device) -> None:
    await board.read_inputs(urgency=Urgency.POLL, deadline=monotonic() + 20)


async def write(board: Device, urgency: Urgency) -> None:
    await board.write_coil(0, True, urgency=urgency, deadline=monotonic() + 20)


async def test_openings_go_before_pulses_and_polls_of_all_boards(site: Site) -> None:
    bus = Bus(site.settings(1).line)
    async with (
        open_device(bus, site.settings(1)) as one,
        open_device(bus, site.settings(2)) as two,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(read(one))
        tasks.create_task(read(two))
        tasks.create_task(write(one, Urgency.PULSE))
        tasks.create_task(write(two, Urgency.OPEN))
    assert site.order == [(2, 5), (1, 5), (1, 2), (2, 2)]


async def test_what_waits_for_a_board_that_failed_is_refused_as_not_sent(site: Site) -> None:
    bus = Bus(site.settings(1).line)
    site.boards[2].fault = Fault.SILENT
    async with (
        open_device(bus, site.settings(1)) as one,
        open_device(bus, site.settings(2, timeout_ms=100)) as two,
    ):
        opening = asyncio.create_task(write(two, Urgency.OPEN))
        pulse = asyncio.create_task(write(two, Urgency.PULSE))
        with pytest.raises(BoardError, match="no answer"):
            await opening
        with pytest.raises(NotSentError):
            await pulse
        await read(one)
        assert one.up
    assert site.order == [(2, 5), (1, 2)]


async def test_over_tcp_a_barrier_does_not_wait_for_a_board_that_may_be_away() -> None:
    """The board that is away is waited for longer than this test lasts."""
    site = Site()
    site.boards[2].fault = Fault.SILENT
    async with line_of(site, "tcp"):
        bus = Bus(site.settings(1).line)
        async with (
            open_device(bus, site.settings(1)) as one,
            open_device(bus, site.settings(2, timeout_ms=1000)) as two,
        ):
            await read(one)
            trial = asyncio.create_task(read(two))
            async with asyncio.timeout(LIMIT_S):
                while (2, 2) not in site.order:  # noqa: ASYNC110 - it sets no event
                    await asyncio.sleep(0)
            await write(one, Urgency.OPEN)
            assert one.up
            with pytest.raises(BoardError, match="no answer"):
                await trial


async def test_beside_boards_that_live_one_that_is_tried_has_a_quarter_of_its_time() -> None:
    site = Site()
    async with line_of(site, "tcp"):
        site.boards[2].fault = Fault.SILENT
        running = Running(site)  # board 2 may take 0.5 s otherwise
        await running.until_alive(1)
        site.boards[2].fault, site.boards[2].late_s = Fault.LATE, 0.25
        await site.polled(2, times=4)
        assert not running.boards[2].alive
        site.boards[2].late_s = 0.0
        await running.opens(2)
        await running.stop()
