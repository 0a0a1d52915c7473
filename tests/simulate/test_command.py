"""The simulation from the command line: figures, pictures, and what they may be relied on for."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gatekeeper.cli import gatekeeper

PNG = b"\x89PNG\r\n\x1a\n"
PROMISED = {
    "journeys",
    "wrong_blacklistings",
    "overstays_true",
    "overstays_certain",
    "overstays_suspected",
    "innocent_suspected",
    "occupancy_error_max",
    "seconds",
}
"""What the last line carries at least, for programs that read it."""


def simulate(*options: str) -> Result:
    return CliRunner().invoke(gatekeeper, ["simulate", "--workers", "1", *options])


def last_line(done: Result) -> dict[str, Any]:
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def test_two_days_end_with_the_promised_figures_and_a_picture(tmp_path: Path) -> None:
    picture = tmp_path / "day.png"
    done = simulate("--days", "2", "--leaving-per-hour", "8", "--json", "--plot", str(picture))
    figures = last_line(done)
    assert done.exit_code == 0
    assert figures.keys() >= PROMISED
    assert figures["wrong_blacklistings"] == 0
    assert figures["journeys"] > 100
    assert figures["overstays_true"] >= figures["overstays_certain"]
    assert picture.read_bytes().startswith(PNG)


def test_the_same_seed_gives_the_same_figures_and_another_one_others() -> None:
    one, again, other = (
        last_line(
            simulate(
                "--days", "0.4", "--leaving-per-hour", "20", "--seed", seed, "--no-plot", "--json"
            )
        )
        for seed in ("3", "3", "4")
    )
    del one["seconds"], again["seconds"]
    assert one == again
    assert one["journeys"] != other["journeys"]


def test_people_get_a_table() -> None:
    done = simulate("--days", "0.4", "--leaving-per-hour", "5", "--no-plot")
    assert done.exit_code == 0
    assert "journeys to the site" in done.stdout
    assert "wrong blacklistings" in done.stdout


@pytest.mark.parametrize(("option", "runs"), [("--traffic", 6), ("--sweep", 25)])
def test_runs_over_traffic_or_fault_rates_become_a_picture(
    tmp_path: Path, option: str, runs: int
) -> None:
    picture = tmp_path / "runs.png"
    done = simulate("--days", "0.01", option, str(picture), "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.exit_code == 0
    assert len(lines) == runs
    assert all(line["wrong_blacklistings"] == 0 for line in lines)
    assert picture.read_bytes().startswith(PNG)


@pytest.mark.parametrize("options", [["--days", "0"], ["--misread-frames", "1.5"]])
def test_what_cannot_be_is_a_wrong_usage(options: list[str]) -> None:
    assert simulate(*options).exit_code == 2


def test_any_rate_of_the_world_can_be_set() -> None:
    options = ("--days", "0.4", "--leaving-per-hour", "20", "--no-plot", "--json")
    usual, busy = simulate(*options), simulate(*options, "--set", "passers_by=0.9")
    assert last_line(busy)["journeys"] > last_line(usual)["journeys"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--set", "fleat=0.1"), "no rate fleat; did you mean fleets?"),
        (("--set", "fleets=many"), "fleets: 'many' is no number"),
        (("--set", "fleets=-1"), "fleets is -1.0"),
        (("--plot", "/nowhere/day.png"), "/nowhere is no folder that can be written"),
    ],
)
def test_what_cannot_be_meant_is_said_before_anything_runs(
    options: tuple[str, ...], said: str
) -> None:
    done = simulate(*options)
    assert done.exit_code == 2
    assert said in done.output
