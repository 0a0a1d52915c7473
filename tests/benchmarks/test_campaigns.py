"""Campaigns in a short form: the controller killed, and its power cut, a few times."""

import json
import shutil
import subprocess
import sys
from typing import Any

import pytest

from simulators.site.program import Broker

pytestmark = pytest.mark.skipif(Broker.program() is None, reason="mosquitto is not installed")


def told(*command: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", *command, "--json"], capture_output=True, text=True, check=False
    )
    assert done.stdout, done.stderr
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def test_a_controller_that_is_killed_loses_nothing_and_pulses_once() -> None:
    figures = told("benchmarks.kills", "--times", "3")
    assert (figures["lost"], figures["second_pulses"], figures["coils_left_on"]) == (0, 0, 0)
    assert figures["integrity_ok"]
    assert figures["pulses"] > 0


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_a_power_cut_takes_nothing_that_was_told_or_kept() -> None:
    figures = told("benchmarks.powercuts", "--times", "3", "--cars", "6")
    assert (figures["lost"], figures["pictures_bad"], figures["unstartable"]) == (0, 0, 0)
    assert figures["control_lost"] > 0
    assert figures["control_pictures_bad"] > 0
