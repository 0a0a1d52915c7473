"""A technician beside a barrier, on the simulated board."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gatekeeper.cli import gatekeeper
from gatekeeper.errors import ConfigError
from gatekeeper.model import Commit
from gatekeeper.store import Store, alone, journal

PATIENCE_S = 60.0
LANE = """
site = "site"
controller = "gate-1"
timezone = "Asia/Shanghai"

[store]
path = "gate.db"
pictures = "pictures"

[[zone]]
name = "hall"
capacity = 60
admits = "registered"

[[board]]
name = "relays"
address = "tcp://127.0.0.1:{port}"

[[lane]]
name = "in"
zone = "hall"
direction = "entry"
barrier = {{ board = "relays", coil = 0, pulse_ms = 300 }}
arrival_loop = {{ board = "relays", input = 0 }}
safety_loop = {{ board = "relays", input = 1 }}
boom_up = {{ board = "relays", input = 2 }}
"""


class Talk:
    """A program that talks in lines."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.heard: list[str] = []
        self._moved = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    def type(self, *lines: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("".join(f"{line}\n" for line in lines).encode())

    async def hears(self, words: str) -> str:
        """The first line with these words, heard already or to come; later ones come after it."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for number, line in enumerate(self.heard):
                    if words in line:
                        del self.heard[: number + 1]
                        return line
                self._moved.clear()
                assert not self._reader.done(), f"ended without {words}: {self.heard}"
                await self._moved.wait()

    async def end(self) -> int:
        async with asyncio.timeout(PATIENCE_S):
            await self._reader
            return await self.process.wait()

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.heard.append(line.decode().rstrip())
            self._moved.set()
        self._moved.set()


Start = Callable[..., Awaitable[Talk]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    started: list[Talk] = []

    async def start_one(module: str, *words: str, stdin: int = asyncio.subprocess.PIPE) -> Talk:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module, *words),
            stdin=stdin,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        started.append(Talk(process))
        return started[-1]

    yield start_one
    for talk in started:
        if talk.process.stdin is not None:
            talk.process.stdin.close()
        await talk.end()


class Kerb:
    """The board, the gate's file, and the test of its lane."""

    def __init__(self, board: Talk, file: Path, start: Start) -> None:
        self.board = board
        self.file = file
        self._start = start

    async def test(self, *words: str, stdin: int = asyncio.subprocess.PIPE) -> Talk:
        return await self._start(
            *("gatekeeper", "barrier", "test", str(self.file), "in"),
            *("--by=Li", "--reason=new loops", *words),
            stdin=stdin,
        )

    def facts(self) -> list[tuple[str, Any]]:
        events = journal.events(self.file.with_name("gate.db"))
        return [(event.kind, json.loads(event.body)) for event in events]

    def results(self) -> dict[str, str]:
        kind, body = self.facts()[-1]
        assert kind == "lane.tested"
        return {part["part"]: part["result"] for part in body["parts"]}


@pytest.fixture
async def kerb(start: Start, tmp_path: Path) -> Kerb:
    board = await start(
        "simulators.board", "--speed=3", "--lane=in:coil=0,arrival=0,safety=1,boom_up=2"
    )
    port = json.loads(await board.hears("listening"))["port"]
    file = tmp_path / "gate.toml"
    file.write_text(LANE.format(port=port), encoding="utf-8")
    return Kerb(board, file, start)


async def cover(kerb: Kerb, test: Talk, part: str, number: int) -> None:
    await test.hears(f"{part} (relays input {number}) is off.")
    kerb.board.type(f"input {number} on")
    await test.hears(f"{part} is on")
    await test.hears("Now clear it.")
    kerb.board.type(f"input {number} off")
    await test.hears(f"{part}: ok")


async def test_a_good_lane_is_walked_through_part_by_part(kerb: Kerb) -> None:
    test = await kerb.test()
    await cover(kerb, test, "arrival_loop", 0)
    await cover(kerb, test, "safety_loop", 1)
    await test.hears("Is the way clear, with no one under it? [y/N]")
    test.type("y")
    await test.hears("barrier.coil: ok")
    await test.hears("Is the way clear, with no one under it? [y/N]")
    test.type("y")
    await test.hears("Does the boom stay up, for longer than after a pulse? [y/N]")
    test.type("y")
    await test.hears("boom_up: ok")

    assert await test.end() == 0
    kinds = [kind for kind, _ in kerb.facts()]
    up = ["barrier.intended", "barrier.commanded"]
    assert kinds == ["lane.test_begun", *up, *up, "barrier.commanded", "lane.tested"]
    assert kerb.facts()[0][1] == {"by": "Li", "reason": "new loops"}
    assert set(kerb.results().values()) == {"ok"}


async def test_results_may_be_told_as_json(kerb: Kerb) -> None:
    test = await kerb.test("--json")
    test.type("skip", "s", "y")
    await test.hears("barrier.hold_coil (relays coil 0) is to keep up the boom.")
    test.type("y")
    await test.hears("Does the boom stay up")
    test.type("y")
    assert await test.end() == 0
    told = [json.loads(line) for line in test.heard if line.startswith("{")]
    assert [(part["part"], part["result"]) for part in told] == [
        ("arrival_loop", "skipped"),
        ("safety_loop", "skipped"),
        ("barrier.coil", "ok"),
        ("barrier.hold_coil", "ok"),
        ("boom_up", "ok"),
    ]


async def test_no_boom_moves_unless_somebody_says_that_the_way_is_clear(kerb: Kerb) -> None:
    test = await kerb.test()
    test.type("s", "s", "maybe", "")
    assert await test.end() == 0
    assert kerb.results()["barrier.coil"] == kerb.results()["boom_up"] == "skipped"
    assert "barrier.intended" not in [kind for kind, _ in kerb.facts()]


async def test_at_a_terminal_a_yes_counts_only_after_its_question(kerb: Kerb) -> None:
    terminal, stdin = os.openpty()
    test = await kerb.test(stdin=stdin)
    await test.hears("Now drive onto the arrival loop")
    os.write(terminal, b"s\n")
    await test.hears("Now cover the safety loop")
    os.write(terminal, b"y\ny\ns\n")  # impatient
    await test.hears("Is the way clear")
    os.write(terminal, b"n\n")
    await test.hears("barrier.coil: skipped")
    await test.hears("Is the way clear")
    os.write(terminal, b"n\n")
    assert await test.end() == 0
    os.close(terminal)
    os.close(stdin)


async def test_the_end_of_the_answers_is_no_yes(kerb: Kerb) -> None:
    test = await kerb.test("--wait=1")
    assert test.process.stdin is not None
    test.process.stdin.close()
    assert await test.end() == 1
    assert kerb.results() == {
        "arrival_loop": "not_seen",
        "safety_loop": "not_seen",
        "barrier.coil": "skipped",
        "barrier.hold_coil": "skipped",
        "boom_up": "skipped",
    }


async def test_yes_moves_the_boom_without_a_question(kerb: Kerb) -> None:
    test = await kerb.test("--yes")
    test.type("s", "s")
    await test.hears("Does the boom stay up")
    test.type("y")
    assert await test.end() == 0
    assert kerb.results()["barrier.coil"] == "ok"


async def test_crossed_wires_are_told_by_the_input_that_changed_instead(kerb: Kerb) -> None:
    test = await kerb.test()
    await test.hears("Now drive onto the arrival loop")
    kerb.board.type("input 1 on")
    await test.hears("safety_loop is on")
    test.type("s", "s", "n", "n")
    await test.hears("arrival_loop: skipped (safety_loop changed instead: crossed wires?)")
    await test.end()


async def test_an_input_that_is_on_at_first_may_be_inverted(kerb: Kerb) -> None:
    kerb.board.type("input 0 on")
    test = await kerb.test()
    await test.hears("arrival_loop (relays input 0) is on.")
    kerb.board.type("input 0 off")
    await test.hears("Now drive onto the arrival loop")
    kerb.board.type("input 0 on")
    await test.hears("arrival_loop: ok (was on at first: inverted?)")
    test.type("s", "n", "n")
    await test.end()


async def test_a_boom_that_does_not_rise_is_found_out(kerb: Kerb) -> None:
    kerb.board.type("boom in stuck")
    test = await kerb.test()
    test.type("s", "s", "y", "s", "n", "n")
    await test.hears("Did the boom rise? [y/N]")
    assert await test.end() == 1
    assert (kerb.results()["barrier.coil"], kerb.results()["boom_up"]) == ("not_seen", "not_seen")


async def test_a_boom_that_rises_while_its_input_says_nothing_is_a_broken_wire(kerb: Kerb) -> None:
    kerb.board.type("stick 2 off")
    test = await kerb.test()
    test.type("s", "s", "y", "s", "y", "n")
    assert await test.end() == 1
    assert (kerb.results()["barrier.coil"], kerb.results()["boom_up"]) == ("ok", "not_seen")


async def test_a_board_that_lies_about_its_relay_is_a_failure(kerb: Kerb) -> None:
    test = await kerb.test()
    await test.hears("Now drive")
    kerb.board.type("fault wrong_echo")
    test.type("s", "s", "y", "n")
    await test.hears("barrier.coil: failed")
    assert await test.end() == 1


async def test_a_board_that_is_not_there_ends_the_test_with_one_line(kerb: Kerb) -> None:
    kerb.board.type("fault refuse")
    await kerb.board.hears("done")
    test = await kerb.test()
    assert await test.end() == 1
    assert test.heard[-1].startswith("gatekeeper: relay board relays does not answer: ")


async def test_a_lost_terminal_ends_the_pulse_and_is_written_down(kerb: Kerb) -> None:
    test = await kerb.test()
    test.type("s", "s", "y")
    await test.hears("done: ")
    test.process.send_signal(signal.SIGHUP)
    assert await test.end() == 1
    await kerb.board.hears('"coil": 0, "on": false')
    assert kerb.facts()[-1][0] == "lane.tested"


async def test_a_lost_terminal_lets_go_of_a_boom_that_was_held(kerb: Kerb) -> None:
    test = await kerb.test()
    test.type("s", "s", "n", "y")
    await test.hears("Does the boom stay up")
    test.process.send_signal(signal.SIGTERM)
    assert await test.end() == 1
    await kerb.board.hears('"coil": 0, "on": true')
    await kerb.board.hears('"coil": 0, "on": false')
    assert [kind for kind, _ in kerb.facts()][-2:] == ["barrier.commanded", "lane.tested"]


async def test_a_boom_that_is_kept_up_for_fire_is_left_alone(kerb: Kerb) -> None:
    store = await Store.opened(kerb.file.with_name("gate.db"))
    await store.commit(Commit(records=(), fire=True))
    await store.close()
    test = await kerb.test()
    assert await test.end() == 1
    (line,) = test.heard
    assert "the boom of in is kept up for fire" in line
    assert kerb.facts() == []


async def test_a_close_relay_is_tried_too_on_a_serial_line(start: Start, tmp_path: Path) -> None:
    link = tmp_path / "by-id"
    board = await start(
        *("simulators.board", "--speed=3", "--serial", f"--link={link}", "--kind=waveshare"),
        "--lane=in:coil=0,hold=3,close=2,arrival=0,safety=1,boom_up=2",
    )
    await board.hears("listening")
    file = tmp_path / "gate.toml"
    file.write_text(
        LANE.format(port=0)
        .replace("tcp://127.0.0.1:0", f"serial://{link}")
        .replace('"\n\n[[lane]]', '"\nprofile = "waveshare8"\n\n[[lane]]')
        .replace("coil = 0,", "coil = 0, hold_coil = 3, close_coil = 2,"),
        encoding="utf-8",
    )
    kerb = Kerb(board, file, start)
    test = await kerb.test("--yes")
    await test.hears("Its profile was never tried on a bench")
    test.type("s", "s")
    await test.hears("barrier.close_coil: ok")
    await test.hears("Does the boom stay up")
    test.type("y")
    assert await test.end() == 0
    assert kerb.results()["barrier.close_coil"] == "ok"
    await board.hears('"coil": 2, "on": true')
    await board.hears('"coil": 3, "on": true')


async def test_the_contact_of_the_fire_controller_is_tried_and_nothing_moves_while_it_is_on(
    kerb: Kerb,
) -> None:
    with kerb.file.open("a", encoding="utf-8") as file:
        file.write('\n[fire]\ninputs = [{ board = "relays", input = 7 }]\n')
    test = await kerb.test()
    test.type("s", "s")
    await test.hears("Now have the fire controller switch its contact.")
    kerb.board.type("input 7 on")
    await test.hears("fire.inputs[0] is on")
    await test.hears("Now clear it.")
    test.type("s")
    await test.hears("No boom is moved.")
    assert await test.end() == 0
    assert "barrier.coil" not in kerb.results()

    listed = CliRunner().invoke(gatekeeper, ["barrier", str(kerb.file)]).stdout.splitlines()
    assert listed[-1].split()[:4] == ["fire.inputs[0]", "relays", "input", "7"]


async def test_nothing_is_closed_on_a_loop_that_is_occupied(start: Start, tmp_path: Path) -> None:
    board = await start("simulators.board", "--lane=in:coil=0,close=2,arrival=0,safety=1,boom_up=2")
    port = json.loads(await board.hears("listening"))["port"]
    file = tmp_path / "gate.toml"
    text = LANE.format(port=port).replace("coil = 0,", "coil = 0, close_coil = 2,")
    file.write_text(text, encoding="utf-8")
    kerb = Kerb(board, file, start)
    board.type("input 1 on")
    test = await kerb.test("--yes")
    test.type("s", "s")
    await test.hears("barrier.close_coil: skipped (safety_loop: not clear)")
    test.process.send_signal(signal.SIGTERM)
    await test.end()


async def test_it_is_refused_while_the_controller_has_the_board(kerb: Kerb) -> None:
    with alone(kerb.file.with_name("gate.db"), "the controller"):
        test = await kerb.test()
        assert await test.end() == 1
    (line,) = test.heard
    assert "the controller (process" in line
    assert "stop it first" in line


def test_the_wiring_is_listed(tmp_path: Path) -> None:
    file = tmp_path / "gate.toml"
    file.write_text(LANE.format(port=502), encoding="utf-8")
    listed = CliRunner().invoke(gatekeeper, ["barrier", str(file)]).stdout.splitlines()
    assert listed[0].split() == [
        *("in", "arrival_loop", "relays", "input", "0", "tcp://127.0.0.1:502", "unit", "1")
    ]
    as_json = CliRunner().invoke(gatekeeper, ["barrier", str(file), "--json"]).stdout.splitlines()
    assert [json.loads(line)["part"] for line in as_json] == [
        *("arrival_loop", "safety_loop", "boom_up", "barrier.coil", "barrier.hold_coil")
    ]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("in",), 2),
        (("in", "--by=Li"), 2),
        (("in", "--by= ", "--reason=why"), 2),
        (("out", "--by=Li", "--reason=why"), 1),
    ],
    ids=str,
)
def test_it_wants_a_lane_a_name_and_a_reason(
    tmp_path: Path, words: tuple[str, ...], code: int
) -> None:
    file = tmp_path / "gate.toml"
    file.write_text(LANE.format(port=502), encoding="utf-8")
    ended = CliRunner().invoke(gatekeeper, ["barrier", str(file), "test", *words])
    assert ended.exit_code == code
    if code == 1:
        assert isinstance(ended.exception, ConfigError)
        assert 'no lane "out"; there are in' in str(ended.exception)
