"""Booms that are kept up and closed: the real controller, and a simulated board over the wire."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from gatekeeper.clock import SystemClock
from gatekeeper.model import Commit, Hold, HoldReason
from gatekeeper.store import Store

PATIENCE_S = 120.0
FIRE = 7
HOLD_IN, CLOSE_IN, HOLD_OUT = 1, 2, 5
PHOTOCELL = 2

LANES = (
    "in:coil=0,hold=1,close=2,arrival=0,safety=1,photocell=2",
    "out:coil=4,hold=5,arrival=4,safety=5",
)

CONFIG = """
site = "hall"
controller = "gate"

[store]
path = "gate.db"
pictures = "pictures"

[[zone]]
name = "hall"
capacity = 60
admits = "everybody"

[[board]]
name = "gate"
address = "tcp://127.0.0.1:PORT"
poll_ms = 20

[fire]
inputs = [{ board = "gate", input = 7, inverted = true }]

[[lane]]
name = "in"
zone = "hall"
direction = "entry"
barrier = { board = "gate", coil = 0, hold_coil = 1, close_coil = 2, close_after_s = 0 }
arrival_loop = { board = "gate", input = 0 }
safety_loop = { board = "gate", input = 1 }
photocell = { board = "gate", input = 2 }

[[lane]]
name = "out"
zone = "hall"
direction = "exit"
barrier = { board = "gate", coil = 4, hold_coil = 5 }
arrival_loop = { board = "gate", input = 4 }
safety_loop = { board = "gate", input = 5 }
"""


class Board:
    """`python -m simulators.board` at the other end of two pipes, and all that it has said."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._hearing = asyncio.create_task(self._hear())
        self.said: list[dict[str, Any]] = []

    async def _hear(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.said.append(json.loads(line))

    async def tell(self, command: str) -> None:
        """Returns when it is done."""
        tag = f"t{len(self.said)}"
        await self.begin(f"#{tag} {command}")
        await until(lambda: any(told.get("tag") == tag for told in self.said))

    async def begin(self, command: str) -> None:
        """Says it, and does not wait."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n".encode())
        await self._process.stdin.drain()

    @property
    def port(self) -> int:
        return int(next(told["port"] for told in self.said if told["said"] == "listening"))

    def coil(self, number: int) -> list[bool]:
        """How a relay has changed, in turn; it was off, and is told as often as it is written."""
        written = [
            told["on"] for told in self.said if told["said"] == "coil" and told["coil"] == number
        ]
        return [on for before, on in pairwise((False, *written)) if on is not before]

    @property
    def struck(self) -> bool:
        """Whether a boom came down onto a vehicle."""
        return any(told["said"] == "struck" for told in self.said)

    async def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        await self._hearing


async def until(met: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not met():  # noqa: ASYNC110 - what is waited for happens in another program
            await asyncio.sleep(0.01)


class Gate:
    """A controller in a folder of its own, from one life to the next."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._file = folder / "gate.toml"
        self._file.write_text(CONFIG.replace("PORT", str(port)), encoding="utf-8")
        self._life: asyncio.subprocess.Process | None = None

    async def live(self) -> None:
        """Start the controller; it may take its time to be live."""
        with (self._folder / "log").open("ab") as log:
            self._life = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "gatekeeper", "run", str(self._file)),
                stdout=log,
                stderr=log,
            )

    async def die(self) -> None:
        """At once, in the middle of whatever it does."""
        if self._life is not None and self._life.returncode is None:
            self._life.kill()
            await self._life.wait()

    async def store(self, commit: Commit) -> None:
        """Change what the next life will find."""
        store = await Store.opened(self._folder / "gate.db")
        await store.commit(commit)
        await store.close()


def hold(lane: str) -> Hold:
    return Hold(
        lane=lane,
        reason=HoldReason.ORDER,
        order="o-1",
        by="Lin",
        why="a film",
        begun=SystemClock().instant(),
    )


@pytest.fixture
async def board() -> AsyncIterator[Board]:
    lanes = [word for lane in LANES for word in ("--lane", lane)]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "simulators.board", "--port", "0", "--speed", "4", "--patience", "60", *lanes),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    board = Board(process)
    await until(lambda: board.said != [])
    await board.tell(f"input {FIRE} on")  # the wire is whole, and there is no fire
    yield board
    await board.end()


@pytest.fixture
async def gate(tmp_path: Path, board: Board) -> AsyncIterator[Gate]:
    gate = Gate(tmp_path, board.port)
    yield gate
    await gate.die()


# --- 24: restart ------------------------------------------------------------------------------


async def test_row_24_a_stored_hold_stays_on_from_one_life_to_the_next(
    gate: Gate, board: Board
) -> None:
    await gate.store(Commit(records=(), held=(hold("in"),)))
    await gate.live()
    await until(lambda: board.coil(HOLD_IN) == [True])
    await board.tell("arrive in")
    await board.tell("halt in")
    await gate.die()
    await gate.live()
    await board.tell("go in")
    await board.tell("arrive out")
    await board.tell("cross out")  # the next life is live: it opens for who leaves
    assert board.coil(HOLD_IN) == [True]
    assert not board.struck


async def test_row_24_a_boom_no_one_keeps_up_comes_down_only_when_no_one_is_under_it(
    gate: Gate, board: Board
) -> None:
    await gate.store(Commit(records=(), held=(hold("in"),)))
    await gate.live()
    await board.tell("arrive in")
    await board.tell("halt in")
    await gate.die()
    await gate.store(Commit(records=(), released=(("in", "o-1"),)))
    await gate.live()
    await board.tell("arrive out")
    await board.tell("cross out")
    assert board.coil(HOLD_IN) == [True]
    await board.tell("go in")
    await until(lambda: board.coil(HOLD_IN) == [True, False])
    assert not board.struck


async def test_row_24_a_fire_outlives_the_controller(gate: Gate, board: Board) -> None:
    await gate.live()
    await board.tell("arrive out")
    await board.tell("cross out")
    await board.tell(f"input {FIRE} off")
    await until(lambda: [True] == board.coil(HOLD_IN) == board.coil(HOLD_OUT))
    await gate.die()
    await board.tell(f"input {FIRE} on")  # out again, and no person has said that it is over
    await gate.live()
    await board.tell("arrive in")
    await board.tell("cross in")
    assert [True] == board.coil(HOLD_IN) == board.coil(HOLD_OUT)
    assert not board.struck


# --- 25: the fire input -----------------------------------------------------------------------


async def test_row_25_a_broken_wire_is_a_fire_and_opens_entries_and_exits(
    gate: Gate, board: Board
) -> None:
    await board.tell(f"input {FIRE} off")
    await gate.live()
    await until(lambda: [True] == board.coil(HOLD_IN) == board.coil(HOLD_OUT))
    for lane in ("in", "out"):
        await board.tell(f"arrive {lane}")
        await board.tell(f"cross {lane}")
    assert board.coil(0) + board.coil(4) == []  # no pulse: the booms are up


# --- 26: the close relay ----------------------------------------------------------------------


async def test_row_26_after_a_passage_the_barrier_is_told_to_close_once(
    gate: Gate, board: Board
) -> None:
    await gate.live()
    await board.tell("arrive in")
    await board.tell("cross in")
    await until(lambda: board.coil(CLOSE_IN) == [True, False])
    assert not board.struck


@pytest.mark.parametrize("obstacle", ["a car that waits", "the photocell"])
async def test_row_26_nothing_closes_while_somebody_is_near_the_boom(
    gate: Gate, board: Board, obstacle: str
) -> None:
    await gate.live()
    await board.tell("arrive in")
    await board.tell("halt in")
    if obstacle == "the photocell":
        await board.tell(f"input {PHOTOCELL} on")
    else:
        await board.tell("input 0 on")
    await board.tell("go in")
    await board.tell("arrive out")
    await board.tell("cross out")
    assert board.coil(CLOSE_IN) == []
    await board.tell(f"input {PHOTOCELL} off")
    await board.tell("input 0 off")
    await until(lambda: True in board.coil(CLOSE_IN))
    assert not board.struck


async def test_row_26_nothing_closes_while_the_boom_is_kept_up(gate: Gate, board: Board) -> None:
    await gate.store(Commit(records=(), held=(hold("in"),)))
    await gate.live()
    for _ in range(2):
        await board.tell("arrive in")
        await board.tell("cross in")
    await board.tell("arrive out")
    await board.tell("cross out")
    assert board.coil(CLOSE_IN) == []
