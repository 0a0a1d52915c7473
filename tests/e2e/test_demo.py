"""The demonstration as a new user runs it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

DEMO = [sys.executable, "-m", "gatekeeper", "demo"]


def left_behind(tag: str) -> list[str]:
    """Processes that carry `tag` in their environment."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                environment = (folder / "environ").read_bytes()
                if tag.encode() in environment and (folder / "cmdline").read_bytes():
                    found.append((folder / "cmdline").read_bytes().decode(errors="replace"))
            except OSError:
                continue
    return found


def tagged(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "DEMO_TAG": tmp_path.name, "TMPDIR": str(tmp_path)}


def test_every_act_comes_out_as_told_and_nothing_is_left_behind(tmp_path: Path) -> None:
    done = subprocess.run(
        [*DEMO, "--json", "--limit", "4"],
        capture_output=True,
        text=True,
        timeout=240,
        env=tagged(tmp_path),
        check=False,
    )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line for line in told if line.get("as_told") is False] == []
    assert done.returncode == 0, done.stderr
    assert sum(line.get("ended", False) for line in told) == 7
    assert left_behind(tmp_path.name) == []
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    demo = subprocess.Popen(
        [*DEMO, "--json"], stdout=subprocess.PIPE, text=True, env=tagged(tmp_path)
    )
    assert demo.stdout is not None
    for line in demo.stdout:
        if "bound by its driver" in line:
            break
    demo.send_signal(signal.SIGINT)
    demo.communicate(timeout=120)
    assert demo.returncode != 0
    assert left_behind(tmp_path.name) == []
    assert list(tmp_path.iterdir()) == []


def test_a_demo_that_is_killed_takes_everything_with_it(tmp_path: Path) -> None:
    demo = subprocess.Popen(
        [*DEMO, "--json"], stdout=subprocess.PIPE, text=True, env=tagged(tmp_path)
    )
    assert demo.stdout is not None
    for line in demo.stdout:
        if "online" in line:
            break
    demo.kill()
    demo.wait()
    demo.stdout.close()
    deadline = time.monotonic() + 60  # noqa: TID251 - a test's patience
    while left_behind(tmp_path.name) and time.monotonic() < deadline:  # noqa: TID251
        time.sleep(0.2)
    assert left_behind(tmp_path.name) == []


def test_a_folder_without_cars_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "note.jpg").write_text("no picture", encoding="utf-8")
    done = subprocess.run(
        [*DEMO, "--pictures", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert f"{tmp_path}: 0 of 1 pictures" in done.stderr
    assert len(done.stderr.splitlines()) == 1
