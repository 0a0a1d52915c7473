"""The command line as a technician meets it."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gatekeeper.cli import gatekeeper
from gatekeeper.clock import SystemClock
from gatekeeper.errors import CommandMissingError
from gatekeeper.model import Commit, ControllerStarted, Record
from gatekeeper.store import Store

EXAMPLE = Path(__file__).parents[2] / "config" / "gatekeeper.toml"


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "gatekeeper", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("command", gatekeeper.list_commands(None))  # type: ignore[arg-type] # needs no context
def test_every_command_has_help(command: str) -> None:
    result = CliRunner().invoke(gatekeeper, [command, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output
    assert command in CliRunner().invoke(gatekeeper, ["--help"]).output


def test_a_command_that_is_not_installed_is_named_with_its_cure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gatekeeper.cli.entry_points", lambda **_: ())
    with pytest.raises(CommandMissingError, match=r"demo: .*pip install ./simulators"):
        CliRunner().invoke(gatekeeper, ["demo"], catch_exceptions=False)


def test_a_good_configuration_is_said_to_be_good() -> None:
    done = run("check", str(EXAMPLE))
    assert (done.returncode, done.stderr) == (0, "")
    assert "good, 4 lanes" in done.stdout


def test_a_typing_error_ends_with_one_line_on_stderr_and_code_1(tmp_path: Path) -> None:
    file = tmp_path / "gate.toml"
    file.write_text(EXAMPLE.read_text(encoding="utf-8").replace("poll_ms", "pol_ms"))
    done = run("check", str(file))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f'gatekeeper: {file}, line 87: board "relays".pol_ms: no such key;'
        ' did you mean "poll_ms"?\n'
    )


def test_wrong_usage_ends_with_code_2() -> None:
    assert run("chekc").returncode == 2
    assert run("check").returncode == 2


def test_run_refuses_a_bad_configuration_before_it_touches_anything(tmp_path: Path) -> None:
    done = run("run", str(tmp_path / "absent.toml"))
    assert done.returncode == 1
    assert "absent.toml: cannot be read" in done.stderr
    assert list(tmp_path.iterdir()) == []


async def write_one_event(database: Path) -> None:
    store = await Store.opened(database)
    at = SystemClock().instant()
    fact = ControllerStarted(version="0", boot_id=at.boot_id)
    await store.commit(Commit(records=(Record(fact=fact, at=at),)))
    await store.close()


def test_events_are_shown_as_lines_and_as_json(tmp_path: Path) -> None:
    file = tmp_path / "gate.toml"
    file.write_text(EXAMPLE.read_text(encoding="utf-8").replace("/var/lib/gatekeeper/", ""))
    asyncio.run(write_one_event(tmp_path / "gatekeeper.db"))
    said = CliRunner().invoke(gatekeeper, ["events", str(file), "--json"])
    (event,) = [json.loads(line) for line in said.output.splitlines()]
    assert (event["seq"], event["kind"], event["confirmed"]) == (1, "controller.started", False)
    assert "controller.started" in CliRunner().invoke(gatekeeper, ["events", str(file)]).output


def test_events_of_a_gate_that_never_ran_are_an_error_that_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "gate.toml"
    file.write_text(EXAMPLE.read_text(encoding="utf-8").replace("/var/lib/gatekeeper/", ""))
    done = run("events", str(file))
    assert done.returncode == 1
    assert str(tmp_path / "gatekeeper.db") in done.stderr
    assert "Traceback" not in done.stderr
