"""The real daemon at a simulated kerb where loops are missing, stuck or dead: rows 13 and 27.

`in` has no arrival loop; `out` has all inputs. Both are lanes of a gate that admits everybody.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Self

import pytest

from gatekeeper.errors import StoreError
from gatekeeper.store.journal import JournalRow, events

PATIENCE_S = 60.0
PLATES = ("闽C12F57", "京A8K3X9", "闽D67F89", "闽A88H66", "粤B3K5M7")

CONFIG = """
site = "hall"
controller = "gate-1"
store = {{ path = "gate.db", pictures = "pictures" }}

[[zone]]
name = "park"
capacity = 400
admits = "everybody"

[[board]]
name = "relays"
address = "tcp://127.0.0.1:{board}"

[[lane]]
name = "in"
zone = "park"
direction = "entry"
camera = {{ kind = "snapshot", url = "http://127.0.0.1:{camera}/in/snapshot.jpg" }}
barrier = {{ board = "relays", coil = 0 }}
safety_loop = {{ board = "relays", input = 1 }}

[[lane]]
name = "out"
zone = "park"
direction = "exit"
camera = {{ kind = "snapshot", url = "http://127.0.0.1:{camera}/out/snapshot.jpg" }}
barrier = {{ board = "relays", coil = 1 }}
arrival_loop = {{ board = "relays", input = 2 }}
safety_loop = {{ board = "relays", input = 3 }}
boom_up = {{ board = "relays", input = 4 }}
boom_up_s = 2
"""

LANES = ("in:coil=0,arrival=0,safety=1", "out:coil=1,arrival=2,safety=3,boom_up=4")


class Simulator:
    """A simulator in a process of its own, told what to do line by line."""

    def __init__(self, name: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"simulators.{name}", "--port", "0", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.port = int(json.loads(self._process.stdout.readline())["port"])

    def tell(self, command: str) -> None:
        stdin: IO[str] | None = self._process.stdin
        assert stdin is not None
        stdin.write(f"{command}\n")
        stdin.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


class Gate:
    """A gate with its daemon, and hands to move cars with."""

    def __init__(self, file: Path, board: Simulator, camera: Simulator) -> None:
        self._file = file
        self.board = board
        self.camera = camera

    def journal(self) -> list[JournalRow]:
        """Empty as long as the daemon has not made its database."""
        try:
            return list(events(self._file)) if self._file.exists() else []
        except StoreError:
            return []

    def told(self, kind: str, lane: str, after: int = 0) -> list[dict[str, Any]]:
        """The bodies of the events of a lane, the first `after` left out."""
        rows = [row for row in self.journal() if (row.kind, row.lane) == (kind, lane)]
        return [json.loads(row.body) for row in rows[after:]]

    def alarms(self, lane: str) -> set[str]:
        """The alarms that stand for a lane, as its events tell."""
        standing: set[str] = set()
        for row in self.journal():
            told = json.loads(row.body)
            if row.kind.startswith("alarm.") and told["subject"] == lane:
                change = standing.add if row.kind == "alarm.raised" else standing.discard
                change(told["alarm"])
        return standing

    def until(self, what: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + PATIENCE_S  # noqa: TID251 - a test's patience
        while not (found := what()):
            assert time.monotonic() < deadline, [(r.kind, r.lane, r.body) for r in self.journal()]  # noqa: TID251
            time.sleep(0.1)
        return found

    def drives_up(self, lane: str, plate: str) -> None:
        """A car comes to stand before a closed boom, and its barrier is commanded to open."""
        before = len(self.told("barrier.commanded", lane))
        self.board.tell(f"arrive {lane}")
        self.camera.tell(f"show {lane} {plate}")
        self.until(lambda: self.told("barrier.commanded", lane, before))

    def drives_on(self, lane: str) -> dict[str, Any]:
        """It drives through and out of sight; how its visit ended."""
        before = len(self.told("passage.ended", lane))
        self.board.tell(f"cross {lane}")
        self.camera.tell(f"clear {lane}")
        ended: dict[str, Any] = self.until(lambda: self.told("passage.ended", lane, before))[0]
        return ended


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """One gate for all tests: each leaves empty lanes and sound devices behind."""
    folder = tmp_path_factory.mktemp("gate")
    wiring = [part for lane in LANES for part in ("--lane", lane)]
    with (
        Simulator("board", "--speed", "5", *wiring) as board,
        Simulator("camera") as camera,
        (folder / "log").open("wb") as log,
    ):
        config = folder / "gate.toml"
        config.write_text(CONFIG.format(board=board.port, camera=camera.port), encoding="utf-8")
        daemon = subprocess.Popen(
            [sys.executable, "-m", "gatekeeper", "run", str(config)], stderr=log, stdout=log
        )
        try:
            gate = Gate(folder / "gate.db", board, camera)
            gate.until(lambda: any(row.kind == "controller.started" for row in gate.journal()))
            yield gate
        finally:
            daemon.terminate()
            daemon.wait(PATIENCE_S)


def test_row_27_a_lane_without_an_arrival_loop_lets_cars_in_by_its_camera(gate: Gate) -> None:
    for plate in PLATES[:2]:
        gate.drives_up("in", plate)
        ended = gate.drives_on("in")
        assert (ended["end"], ended["plate"]) == ("passed", plate)
    assert len(gate.told("barrier.commanded", "in")) == 2


def test_row_27_the_camera_lets_out_where_the_arrival_loop_chatters(gate: Gate) -> None:
    def chatters() -> bool:
        for level in ("on", "off"):
            gate.board.tell(f"input 2 {level}")
            time.sleep(0.12)
        return "loop_chattering" in gate.alarms("out")

    gate.until(chatters)
    before = len(gate.told("barrier.commanded", "out"))
    gate.camera.tell(f"show out {PLATES[0]}")
    gate.until(lambda: gate.told("barrier.commanded", "out", before))
    gate.camera.tell("clear out")
    gate.until(lambda: "loop_chattering" not in gate.alarms("out"))
    gate.drives_up("out", PLATES[1])
    assert gate.drives_on("out")["end"] == "passed"


def test_row_27_over_a_safety_loop_that_is_silent_passages_are_presumed(gate: Gate) -> None:
    gate.board.tell("stick 3 off")
    for number, plate in enumerate(PLATES):
        gate.drives_up("out", plate)
        ended = gate.drives_on("out")
        assert ended["end"] == ("backed_out" if number < 3 else "passed_presumed")
        assert ("safety_loop_dead" in gate.alarms("out")) == (number >= 2)
    gate.board.tell("stick 3 free")
    gate.drives_up("out", PLATES[0])
    assert gate.drives_on("out")["end"] == "passed"
    gate.until(lambda: "safety_loop_dead" not in gate.alarms("out"))


def test_row_13_a_boom_that_is_stuck_gets_three_decisions_and_then_an_alarm(gate: Gate) -> None:
    before = len(gate.told("barrier.commanded", "out"))
    decided = len(gate.told("vehicle.decided", "out"))
    gate.board.tell("boom out stuck")
    gate.drives_up("out", PLATES[0])
    gate.until(lambda: {"boom_not_up", "lane_blocked"} <= gate.alarms("out"))
    commands = [told["command"] for told in gate.told("barrier.commanded", "out", before)]
    assert len(commands) == len(set(commands)) == 3
    assert len(gate.told("vehicle.decided", "out", decided)) == 3
    gate.board.tell("boom out free")
    gate.board.tell("back out")
    gate.camera.tell("clear out")
    gate.until(lambda: "lane_blocked" not in gate.alarms("out"))
    gate.drives_up("out", PLATES[1])
    assert gate.drives_on("out")["end"] == "passed"
    assert "boom_not_up" not in gate.alarms("out")
