"""What a technician sees and does beside the gate, by the real program."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatekeeper.cli.status import cures_of_alarms

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.conftest import Daemon

ALARMS = Path(__file__).parents[2] / "docs" / "alarms.md"


def gatekeeper(*words: str, config: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "gatekeeper", *words, "--config", str(config)]
    environment = {"COLUMNS": "40", "LANG": "C.UTF-8"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def status(daemon: "Daemon", *, wanted: str) -> dict[str, Any]:
    """How it stands, once this alarm does."""
    deadline = time.monotonic() + 60.0  # noqa: TID251 - a test's patience
    while True:
        asked = gatekeeper("status", "--json", config=daemon.config)
        assert asked.stdout, asked.stderr
        told = json.loads(asked.stdout)
        if wanted in {each["alarm"] for each in told.get("alarms", ())}:
            return dict(told)
        assert time.monotonic() < deadline, told  # noqa: TID251
        time.sleep(0.2)


def test_a_technician_sees_what_is_wrong_and_what_to_do(start: "Callable[[], Daemon]") -> None:
    daemon = start()
    told = status(daemon, wanted="relay_unreachable")
    assert {lane["name"] for lane in told["lanes"]} >= {"inner-entry", "inner-exit"}

    shown = gatekeeper("status", config=daemon.config)
    assert shown.returncode == 1
    lines = shown.stdout.splitlines()
    assert max(map(len, lines)) <= 40
    assert "  relay_unreachable: relays" in lines
    assert any(line.startswith("    -> check its power") for line in lines)


def test_what_is_done_beside_the_gate_is_kept_with_who_and_why(
    start: "Callable[[], Daemon]",
) -> None:
    daemon = start()
    status(daemon, wanted="relay_unreachable")

    done = gatekeeper("recount", "visitor_zone", "7", "--reason", "counted", config=daemon.config)
    assert (done.returncode, done.stdout) == (0, "done\n")
    refused = gatekeeper("open", "nowhere", "--reason", "x", config=daemon.config)
    assert (refused.returncode, refused.stdout) == (1, "refused: no lane nowhere\n")

    events = daemon.until(lambda found: sum(e["kind"] == "order.answered" for e in found) == 2)
    counted, opened = (e["body"] for e in events if e["kind"] == "order.answered")
    assert (counted["verb"], counted["reason"], counted["outcome"]) == (
        "recount",
        "counted",
        "done",
    )
    assert counted["by"].endswith(", at the box")
    assert opened["outcome"] == "refused"
    zones = json.loads(gatekeeper("status", "--json", config=daemon.config).stdout)["zones"]
    assert {"name": "visitor_zone", "count": 7, "capacity": 60, "trusted": True} in zones


def test_without_a_controller_the_database_is_read_and_that_is_said(
    start: "Callable[[], Daemon]",
) -> None:
    daemon = start()
    status(daemon, wanted="relay_unreachable")
    daemon.end(signal.SIGTERM)

    shown = gatekeeper("status", config=daemon.config)
    assert shown.returncode == 1
    text = " ".join(shown.stdout.split())
    assert "the controller does not run" in text
    assert "controller.stopped" in text
    refused = gatekeeper("hold", "--reason", "x", config=daemon.config)
    assert "the controller does not run: sudo systemctl start gatekeeper" in refused.stderr


def test_each_alarm_has_the_cure_of_its_page() -> None:
    page = {
        alarm: cure.replace("`", "")
        for alarm, cure in re.findall(
            r"^\| `(\w+)` \|.*\| (.+?) \|$", ALARMS.read_text(encoding="utf-8"), re.M
        )
    }
    assert cures_of_alarms() == page
