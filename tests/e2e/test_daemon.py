"""The real daemon, where everything around it is missing."""

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

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


def changed(file: Path, *changes: tuple[str, str]) -> None:
    text = file.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")


def detail_of(events: list[Event], alarm: str, subject: str) -> str:
    """What an alarm says that was raised once."""
    (body,) = (
        event["body"]
        for event in events
        if event["kind"] == "alarm.raised"
        and (event["body"]["alarm"], event["body"]["subject"]) == (alarm, subject)
    )
    return str(body["detail"])


def test_row_34_files_that_cannot_be_used_are_each_the_alarm_of_their_own_device(
    start: Callable[[], Daemon], tmp_path: Path
) -> None:
    (tmp_path / "camera.password").write_bytes("sesame".encode("utf-16"))
    (tmp_path / "centre.password").write_bytes(b"")
    plain = (BUILT_IN.parents[1] / "config" / "boards" / "plain.toml").read_bytes()
    (tmp_path / "own.toml").write_bytes(plain)
    gate = tmp_path / "gate.toml"
    changed(gate, ("unit = 1", 'unit = 1\nprofile = "own.toml"'))
    more = (
        '[[board]]\nname = "more"\naddress = "tcp://127.0.0.1:9"\nunit = 2\nprofile = "{}.toml"\n'
    )
    gate.write_text(f"{gate.read_text(encoding='utf-8')}\n{more.format('lost')}", encoding="utf-8")
    daemon = start()
    assert daemon.told() == "READY=1"
    expected = {
        ("camera_stale", "inner-entry"),
        ("centre_away", "centre"),
        ("relay_unreachable", "more"),
    }
    events = daemon.until(lambda events: expected <= alarms(events))
    assert "camera.password, line 1, character 1: password file is UTF-16" in detail_of(
        events, "camera_stale", "inner-entry"
    )
    assert "centre.password: password file is empty" in detail_of(events, "centre_away", "centre")
    assert "lost.toml: profile cannot be read" in detail_of(events, "relay_unreachable", "more")
    assert daemon.process.poll() is None
    assert daemon.end(signal.SIGTERM) == 0


def test_row_34_a_configuration_that_cannot_be_understood_is_replaced_by_the_last_that_ran(
    start: Callable[[], Daemon], tmp_path: Path
) -> None:
    gate, kept = tmp_path / "gate.toml", tmp_path / "gate.toml.last"
    first = start()
    assert first.told() == "READY=1"
    first.until(lambda _: kept.exists())
    assert first.end(signal.SIGTERM) == 0
    good = gate.read_text(encoding="utf-8")
    gate.write_text(good.replace('site = "', "site = “").replace("poll_ms = 50", "poll_ms = 60"))

    second = start()
    log = tmp_path / "log"
    second.until(lambda _: log.read_text(encoding="utf-8").count("controller.live") == 2)
    gate.write_text(good, encoding="utf-8")  # for `events`; the daemon has read it
    events = second.until(
        lambda events: ("configuration_refused", "configuration") in alarms(events)
    )
    said = detail_of(events, "configuration_refused", "configuration")
    assert "gate.toml, line 6, character 8: is not TOML: “ (U+201C)" in said
    assert "runs by the last configuration that ran" in said
    assert second.end(signal.SIGTERM) == 0
    assert kept.read_text(encoding="utf-8").endswith(good)

    third = start()
    third.until(lambda events: [e["kind"] for e in events].count("controller.started") == 3)
    assert third.end(signal.SIGTERM) == 0
    raised = [e for e in third.events() if e["body"].get("alarm") == "configuration_refused"]
    assert len(raised) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files for others")
def test_row_56_a_controller_that_root_has_run_by_hand_leaves_all_to_the_service(
    start: Callable[[], Daemon], tmp_path: Path
) -> None:
    before = {path.name for path in tmp_path.iterdir()} | {"log"}
    os.chown(tmp_path, 65_534, 65_534)
    daemon = start()
    assert daemon.told() == "READY=1"
    daemon.until(lambda events: events and (tmp_path / "gate.toml.last").exists())
    made = {path.name: path.stat().st_uid for path in tmp_path.rglob("*")}
    assert {name: uid for name, uid in made.items() if name not in before} == dict.fromkeys(
        ["gate.toml.last", *(f"gatekeeper.db{end}" for end in ("", "-wal", "-shm", ".lock"))],
        65_534,
    )
    assert daemon.end(signal.SIGTERM) == 0


def test_row_34_the_last_configuration_of_another_file_is_not_used(
    start: Callable[[], Daemon], tmp_path: Path
) -> None:
    gate = tmp_path / "gate.toml"
    (tmp_path / "gate.toml.last").write_text(
        f"# The last configuration that ran, of /elsewhere/gate.toml\n{gate.read_text('utf-8')}",
        encoding="utf-8",
    )
    gate.write_text("site = ", encoding="utf-8")
    assert start().process.wait(120) == 1
    assert "is not TOML: Invalid value" in (tmp_path / "log").read_text(encoding="utf-8")
