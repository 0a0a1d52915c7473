import json
import signal
import socket
import subprocess
import sys
from typing import Any

import pytest

from simulators import board, camera, centre, rtsp

ALL = {
    "board": board.COMMANDS,
    "camera": camera.COMMANDS,
    "centre": centre.COMMANDS,
    "rtsp": rtsp.COMMANDS,
}
OPTIONS = {
    "board": (),
    "camera": (),
    "centre": ("--broker=127.0.0.1:1", "--site=s"),
    "rtsp": ("in",),
}


@pytest.mark.parametrize("name", ALL)
def test_help_tells_every_command_and_what_it_does(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"simulators.{name}", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    for command in ALL[name]:
        assert f"  {command.name} {command.usage}\n        " in done.stdout
        assert command.run.__doc__


@pytest.mark.parametrize("name", ALL)
async def test_the_end_of_stdin_ends_it(start: Any, name: str) -> None:
    program = await start(name, *OPTIONS[name])
    await program.hear(lambda said: said["said"] in ("listening", "started"))

    assert await program.end() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_and_what_is_under_way_is_told_so(start: Any, number: int) -> None:
    program = await start("board", "--lane=a:coil=0,arrival=0,safety=1")
    await program.do("arrive a")
    program.type("#x cross a")
    await program.do("state")

    program.process.send_signal(number)

    assert await program.ended() == 0
    answers = [said for said in program.news if said.get("tag") == "x"]
    assert [said["said"] for said in answers] == ["error"]


async def test_every_command_gets_exactly_one_answer_with_its_tag(start: Any) -> None:
    program = await start("board", "--lane=a:coil=0,arrival=0,safety=1")
    for line in ("#1 arrive a", "#2 fly", "", "   ", "#3 arrive", "coils", "#4", "#5 input 99 on"):
        program.type(line)
    await program.do("state")
    await program.end()

    answers = [said for said in program.news if said["said"] in ("done", "error")]
    assert [(said["said"], said.get("tag")) for said in answers[:-1]] == [
        ("done", "1"),
        ("error", "2"),
        ("error", "3"),
        ("done", None),
        ("error", "4"),
        ("error", "5"),
    ]


def test_commands_in_a_file_are_answered_before_it_ends() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "simulators.board", "--lane=a:coil=0,arrival=0,safety=1"],
        input="arrive a\ncoils",
        capture_output=True,
        text=True,
        check=True,
    )
    said = [json.loads(line)["said"] for line in done.stdout.splitlines()]
    assert said == ["listening", "input", "done", "done"]


def test_a_taken_port_is_said_and_is_exit_code_1() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "simulators.board", f"--port={port}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert json.loads(done.stdout)["said"] == "error"
    assert done.stderr == ""


def test_it_ends_when_no_one_reads_what_it_says() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "simulators.board"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        process.stdin.write(b"coils\n")
        process.stdin.flush()

        assert process.wait(30) == 0
