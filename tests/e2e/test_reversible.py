"""A reversible lane at the simulated kerb: one boom, and a car on each side (situations, 23).

The whole controller runs here, on a relay board over the wire and with a display; only the cameras
are left out, so that everybody is decided on the loop.
"""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gatekeeper.app.daemon import opened
from gatekeeper.config import Config
from gatekeeper.errors import StoreError
from gatekeeper.store.journal import JournalRow, events

PATIENCE_S = 120.0


class Program:
    """One simulator, as the program it is: `do` commands, and what it `said`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._moved = asyncio.Event()
        self._reader = asyncio.create_task(self._read())
        self.said: list[dict[str, Any]] = []

    def do(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n".encode())

    async def hears(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first piece of news that is wanted, past or to come."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for said in self.said:
                    if wanted(said):
                        return said
                self._moved.clear()
                await self._moved.wait()

    async def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._reader
        await self._process.wait()

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.said.append(json.loads(line))
            self._moved.set()


@dataclass
class Kerb:
    """The board with the boom and its loops, the display inside, and the controller's journal."""

    board: Program
    display: Program
    journal: Path

    def facts(self, kind: str, lane: str) -> list[Any]:
        rows: list[JournalRow] = []
        with contextlib.suppress(StoreError):  # the controller may be about to make it
            rows = list(events(self.journal))
        return [json.loads(row.body) for row in rows if (row.kind, row.lane) == (kind, lane)]

    async def until(self, what: Callable[[], Any]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not what():  # noqa: ASYNC110 - the journal is a file, not an event
                await asyncio.sleep(0.05)

    async def passed(self, lane: str, count: int = 1) -> list[Any]:
        """How so many passages of a lane ended."""
        await self.until(lambda: len(self.facts("passage.ended", lane)) >= count)
        return [
            (ended["end"], ended["decided"], ended["doubts"])
            for ended in self.facts("passage.ended", lane)
        ]

    async def opened(self, lane: str, count: int = 1) -> None:
        """The barrier was opened for so many vehicles of a lane, and each time it moved."""
        await self.until(lambda: len(self.facts("barrier.commanded", lane)) >= count)
        outcomes = [each["outcome"] for each in self.facts("barrier.commanded", lane)]
        assert outcomes == ["done"] * count

    async def waits(self) -> None:
        """The driver inside reads that somebody comes the other way."""
        await self.display.hears(
            lambda said: said["said"] == "shown" and "对向来车" in " ".join(said["lines"])
        )


async def started(stack: AsyncExitStack, name: str, *options: str) -> tuple[Program, Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", f"simulators.{name}", *options),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    program = Program(process)
    stack.push_async_callback(program.end)
    return program, (await program.hears(lambda said: said["said"] == "listening"))["port"]


def configuration(folder: Path, board: int, display: str) -> Config:
    lane = {
        "zone": "car_park",
        "barrier": {"board": "relays", "coil": 0},
        "safety_loop": {"board": "relays", "input": 1},
        "boom_up": {"board": "relays", "input": 3},
    }
    loops = [{"arrival_loop": {"board": "relays", "input": number}} for number in (0, 2)]
    return Config.model_validate(
        {
            "site": "hall",
            "controller": "gate-1",
            "store": {"path": folder / "gate.db", "pictures": folder / "pictures"},
            "zone": [{"name": "car_park", "capacity": 400, "admits": "everybody"}],
            "board": [{"name": "relays", "address": f"tcp://127.0.0.1:{board}"}],
            "display": [{"name": "inside", "port": display}],
            "lane": [
                {"name": "in", "direction": "entry", "opposite": "out", **lane, **loops[0]},
                {"name": "out", "direction": "exit", "display": "inside", **lane, **loops[1]},
            ],
        }
    )


@pytest.fixture
async def kerb(tmp_path: Path) -> AsyncIterator[Kerb]:
    wires = "coil=0,arrival={},safety=1,boom_up=3"
    lanes = [f"--lane={name}:{wires.format(loop)}" for name, loop in (("in", 0), ("out", 2))]
    async with AsyncExitStack() as stack:
        board, port = await started(stack, "board", "--patience=30", *lanes)
        display, line = await started(stack, "display")
        controller = await opened(configuration(tmp_path, port, line), stack)
        stop = asyncio.Event()
        serving = asyncio.create_task(controller.serve(stop))
        yield Kerb(board=board, display=display, journal=tmp_path / "gate.db")
        stop.set()
        await serving


async def test_row_23_at_the_kerb_the_exit_waits_and_opens_when_the_entering_car_is_away(
    kerb: Kerb,
) -> None:
    kerb.board.do("arrive in")
    await kerb.opened("in")
    kerb.board.do("arrive out")
    await kerb.waits()
    kerb.board.do("cross in")
    assert await kerb.passed("in") == [("passed", True, [])]
    await kerb.opened("out")
    kerb.board.do("cross out")
    assert await kerb.passed("out") == [("passed", True, [])]
    assert len(kerb.facts("passage.ended", "in")) == 1
    assert not kerb.facts("alarm.raised", "in")
    assert not kerb.facts("alarm.raised", "out")


async def test_row_23_at_the_kerb_one_after_another_from_both_sides_is_seen_once(
    kerb: Kerb,
) -> None:
    for count in (1, 2):
        for lane in ("in", "out"):
            kerb.board.do(f"arrive {lane}")
            await kerb.opened(lane, count)
            kerb.board.do(f"cross {lane}")
            assert await kerb.passed(lane, count) == [("passed", True, [])] * count


async def test_row_23_at_the_kerb_who_backs_off_gives_the_barrier_back(kerb: Kerb) -> None:
    kerb.board.do("arrive in")
    await kerb.opened("in")
    kerb.board.do("arrive out")
    await kerb.waits()
    kerb.board.do("back in")
    await kerb.opened("out")
    kerb.board.do("cross out")
    assert await kerb.passed("out") == [("passed", True, [])]
    assert await kerb.passed("in") == [("backed_out", True, [])]
