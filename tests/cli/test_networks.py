"""Sets of networks as a technician meets them."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import pytest
from click.testing import CliRunner, Result

from gatekeeper.cli import gatekeeper
from gatekeeper.clock import SystemClock
from gatekeeper.errors import ConfigError, NetworkSetError
from gatekeeper.model import (
    Commit,
    Decision,
    Pixels,
    Reason,
    Record,
    VehicleClass,
    VehicleDecided,
    Verdict,
)
from gatekeeper.networks import BUILT_IN, names, trials
from gatekeeper.networks.trials import Trial
from simulators.plate import Ground
from simulators.scene import Camera, road, with_car

if TYPE_CHECKING:
    from tests.cli.conftest import Gate


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(gatekeeper, ["networks", *(str(word) for word in words)])


@pytest.fixture
def delivered(tmp_path: Path) -> Callable[..., Path]:
    """The clp set under another name; `unknown` is a character that it cannot write."""

    def one(name: str, unknown: str = "") -> Path:
        folder = tmp_path / f"delivered-{name}"
        shutil.copytree(BUILT_IN / "clp", folder)
        manifest = (folder / "manifest.toml").read_text(encoding="utf-8")
        manifest = manifest.replace('name = "clp"', f'name = "{name}"')
        alphabet = folder / "clp_dict.txt"
        before = alphabet.read_bytes()
        after = before.decode().replace(unknown or "?", "?").encode()
        alphabet.write_bytes(after)
        manifest = manifest.replace(sha256(before).hexdigest(), sha256(after).hexdigest())
        (folder / "manifest.toml").write_text(manifest, encoding="utf-8")
        return folder

    return one


def told(result: Result) -> dict[str, dict[str, object]]:
    """What `list --json` says, by the sets' names."""
    return {row["name"]: row for row in map(json.loads, result.stdout.splitlines())}


def test_the_verb_may_stand_before_or_after_the_file(gate: "Gate") -> None:
    before, after = run("list", gate.file, "--json"), run(gate.file, "list", "--json")

    assert before.exit_code == after.exit_code == 0
    assert told(before) == told(after) == told(run(gate.file, "--json"))
    assert told(before)["clp"]["live"]


def test_where_no_gate_has_been_set_up_the_sets_of_the_program_are_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("gatekeeper.cli.networks.inventory.USUAL", tmp_path / "absent.toml")

    assert list(told(run("list", "--json"))) == names(BUILT_IN)
    result = run("use", "clp")
    assert isinstance(result.exception, ConfigError)
    assert "absent.toml: cannot be read" in str(result.exception)


def test_a_set_says_what_it_is_and_whence(gate: "Gate") -> None:
    row = told(run("list", gate.file, "--json"))["clp"]

    assert (row["version"], row["licence"], row["certain"]) == ("1.1.0", "Apache-2.0", 0.98)
    assert row["contracts"] == {"detector": "clp", "recogniser": "clp"}
    assert "Apache-2.0" in run("list", gate.file).stdout


def test_a_set_is_installed_verified_and_chosen(
    gate: "Gate", delivered: Callable[..., Path]
) -> None:
    assert "fresh 1.1.0: installed" in run(gate.file, "install", delivered("fresh")).stdout
    assert run("verify", gate.file, "clp", "fresh").stdout == "clp: good\nfresh: good\n"
    assert "live from the next start on, in place of clp" in run("use", gate.file, "fresh").stdout
    assert "is live already" in run("use", gate.file, "fresh").stdout

    sets = told(run("list", gate.file, "--json"))
    assert [name for name, row in sets.items() if row["live"]] == ["fresh"]


def test_a_damaged_set_is_told_by_name_and_is_not_chosen(
    gate: "Gate", delivered: Callable[..., Path]
) -> None:
    run(gate.file, "install", delivered("fresh"))
    network = gate.file.parent / "networks" / "fresh" / "clp_v2_c_rec.onnx"
    network.write_bytes(network.read_bytes()[:-1])

    verified = run("verify", gate.file)
    assert verified.exit_code == 1
    assert "clp: good" in verified.stdout
    assert "clp_v2_c_rec.onnx: is not the file the manifest names" in verified.stdout
    assert isinstance(run("use", gate.file, "fresh").exception, NetworkSetError)
    assert "clp_v2_c_rec.onnx" in str(told(run("list", gate.file, "--json"))["fresh"]["fault"])
    assert told(run("list", gate.file, "--json"))["clp"]["live"]


def test_a_set_that_reads_otherwise_is_not_installed(
    gate: "Gate", delivered: Callable[..., Path]
) -> None:
    result = run(gate.file, "install", delivered("blind", unknown="闽"))

    assert isinstance(result.exception, NetworkSetError)
    assert "it reads ?C12F57, not 闽C12F57" in str(result.exception)
    assert list(told(run("list", gate.file, "--json"))) == names(BUILT_IN)


# --- a trial ------------------------------------------------------------------------------------


@pytest.fixture
def lowered(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What a trial asks of the system, which here would hold for the tests after it, too."""
    asked: list[object] = []
    monkeypatch.setattr(os, "nice", asked.append)
    monkeypatch.setattr(os, "sched_setscheduler", lambda _, policy, __: asked.append(policy))
    return asked


def decided(gate: "Gate", name: str, pixels: "Pixels | None") -> None:
    """A vehicle of the inner entry, decided by this picture; None: it was never kept."""
    pictures = gate.file.parent / "pictures" / "2026-11-23"
    pictures.mkdir(parents=True, exist_ok=True)
    if pixels is not None:
        (pictures / name).write_bytes(cv2.imencode(".jpg", pixels)[1].tobytes())
    decision = Decision(
        verdict=Verdict.ADMIT,
        reason=Reason.EVERYBODY,
        rule="everybody",
        plate=None,
        vehicle=VehicleClass.UNKNOWN,
        certain=False,
    )
    fact = VehicleDecided(decision=decision, sighting=None, picture=name)
    instant = SystemClock().instant()
    at = replace(instant, wall=instant.wall - timedelta(minutes=5))
    gate.write(Commit(records=(Record(fact=fact, at=at, lane="inner-entry", passage="p"),)))


def street(text: str) -> "Pixels":
    return Camera(seed=5).frame(with_car(road(seed=3), text, Ground.BLUE))


def test_a_trial_tells_where_two_sets_differ(
    gate: "Gate", delivered: Callable[..., Path], lowered: list[object]
) -> None:
    assert run(gate.file, "install", delivered("blind", unknown="浙")).exit_code == 0
    decided(gate, "one.jpg", street("闽C12F57"))
    decided(gate, "two.jpg", street("浙A8K302"))
    decided(gate, "two.jpg", street("浙A8K302"))
    decided(gate, "lost.jpg", None)

    result = run("try", gate.file, "blind", "--hours", "0", "--from-the-start")

    assert result.exit_code == 0, result.output
    report = run("try", gate.file, "--report").stdout.splitlines()
    assert report[0].startswith("blind in the shadow of clp, ")
    assert report[1] == "2 pictures, 1 read otherwise"
    assert len(report) == 3
    assert "two.jpg  inner-entry: live 浙A8K302" in report[2]
    assert "tried ?A8K302" in report[2]
    assert lowered == [19, os.SCHED_IDLE]


@pytest.mark.usefixtures("lowered")
def test_a_trial_looks_at_what_is_decided_from_now_on_and_changes_nothing(gate: "Gate") -> None:
    decided(gate, "one.jpg", street("闽C12F57"))
    before = gate.database.read_bytes()

    assert run("try", gate.file, "clp", "--hours", "0").exit_code == 0

    assert "0 pictures, 0 read otherwise" in run("try", gate.file, "clp", "--report").stdout
    assert gate.database.read_bytes() == before
    assert told(run("list", gate.file, "--json"))["clp"]["live"]


@pytest.mark.usefixtures("lowered")
def test_a_trial_that_was_stopped_goes_on_where_it_was(
    gate: "Gate", delivered: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(SystemClock, "idle", stopped)
    run(gate.file, "install", delivered("fresh"))
    now = SystemClock().instant().wall
    decided(gate, "one.jpg", street("闽C12F57"))
    decided(gate, "two.jpg", street("闽C12F57"))
    begun = Trial(
        live="clp",
        tried="fresh",
        begun=(now - timedelta(days=1)).isoformat(),
        until=(now + timedelta(days=1)).isoformat(),
        seq=1,
        last="one.jpg",
        pictures=1,
    )
    trials.write(gate.file.parent / "networks", begun)

    run("try", gate.file, "fresh")

    ended = trials.read(gate.file.parent / "networks", "fresh")
    assert (ended.pictures, ended.differing, ended.begun) == (2, 0, begun.begun)


def test_without_a_trial_there_is_no_report(gate: "Gate") -> None:
    for words in (("--report",), ("fresh", "--report")):
        assert "no trial of" in str(run("try", gate.file, *words).exception)


def test_a_trial_needs_a_name(gate: "Gate") -> None:
    assert run("try", gate.file).exit_code == 2
