"""The real daemon, where everything around it is missing."""

import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gatekeeper.networks import BUILT_IN

Daemon = Any
Event = dict[str, Any]


def alarms(events: list[Event]) -> set[tuple[str, str]]:
    return {
        (event["body"]["alarm"], event["body"]["subject"])
        for event in events
        if event["kind"] == "alarm.raised"
    }


def test_a_dead_board_a_missing_camera_and_a_dead_broker_are_alarms_and_no_more(
    start: Callable[[], Daemon],
) -> None:
    daemon = start()
    expected = {
        ("relay_unreachable", "relays"),
        ("camera_stale", "inner-entry"),
        ("camera_stale", "outer-exit"),
        ("centre_away", "centre"),
    }
    daemon.until(lambda events: expected <= alarms(events))
    assert daemon.process.poll() is None
    assert daemon.end(signal.SIGTERM) == 0
    assert daemon.events()[-1]["kind"] == "controller.stopped"


def test_systemd_is_told_when_it_is_ready_and_that_it_lives(start: Callable[[], Daemon]) -> None:
    daemon = start()
    assert daemon.told() == "READY=1"
    assert daemon.told() == "WATCHDOG=1"
    assert daemon.end(signal.SIGINT) == 0


def test_a_daemon_that_was_killed_goes_on_with_the_same_journal(
    start: Callable[[], Daemon],
) -> None:
    first = start()
    before = first.until(lambda events: len(events) >= 3)
    first.end(signal.SIGKILL)
    second = start()
    after = second.until(
        lambda events: sum(event["kind"] == "controller.started" for event in events) == 2
    )
    assert [event["seq"] for event in after] == list(range(1, len(after) + 1))
    assert [event["id"] for event in after[: len(before)]] == [event["id"] for event in before]
    assert {event["journal"] for event in after} == {before[0]["journal"]}


def test_a_damaged_database_is_set_aside_and_the_gate_goes_live(
    start: Callable[[], Daemon], tmp_path: Path
) -> None:
    (tmp_path / "gatekeeper.db").write_bytes(b"no database at all" * 1000)
    daemon = start()
    daemon.until(lambda events: ("store_set_aside", "store") in alarms(events))
    assert (tmp_path / "gatekeeper.db.unsound-1").read_bytes().startswith(b"no database")
    assert daemon.end(signal.SIGTERM) == 0


def test_a_second_controller_of_the_same_gate_is_refused(
    start: Callable[[], Daemon], tmp_path: Path
) -> None:
    first = start()
    assert first.told() == "READY=1"
    assert start().process.wait(120) == 1
    assert "works with the devices of this gate" in (tmp_path / "log").read_text(encoding="utf-8")
    assert first.end(signal.SIGTERM) == 0


def test_row_34_a_damaged_network_is_an_alarm_and_the_gate_goes_live(
    start: Callable[[], Daemon], tmp_path: Path
) -> None:
    damaged = tmp_path / "networks" / "damaged"
    shutil.copytree(BUILT_IN / "clp", damaged)
    (damaged / "clp_det.onnx").write_bytes(b"cut off")
    file = tmp_path / "gate.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('networks = "gk"', 'networks = "damaged"'), encoding="utf-8")
    daemon = start()
    events = daemon.until(lambda events: ("networks_failed", "networks") in alarms(events))
    (alarm,) = (each for each in events if each["body"].get("alarm") == "networks_failed")
    assert "clp_det.onnx: is not the file the manifest names" in alarm["body"]["detail"]
    assert "no plate is read" in alarm["body"]["detail"]
    assert daemon.told() == "READY=1"
    assert daemon.process.poll() is None
    assert daemon.end(signal.SIGTERM) == 0
