"""What a power cut takes: the controller's writes and syncs are recorded while cars come and go at
a simulated site, and the disk is built up again as a cut at a random moment may leave it
(`diskstates`).

On each such disk the controller is started. `lost` are cuts after which an event is missing of
which others had been told, `pictures_bad` those after which a picture is damaged or one is missing
that had been kept, `unstartable` those after which the controller does not go live, or sets its
database aside. The controls leave out syncs and must show losses: `control_lost` as with SQLite's
synchronous NORMAL, `control_pictures_bad` with pictures that are not synced. The exit code is 1
if anything was lost, or a control lost nothing.
"""

import argparse
import asyncio
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any, Final, TypeAlias

from benchmarks.diskstates import RECORDED, Recording
from simulators.site import Layout, Stage, staged
from simulators.site.program import Program

Figures: TypeAlias = dict[str, Any]

LAYOUT: Final = Layout(lanes=4, speed=10.0, displays=False, capacity=400)
CARS: Final = 30
LIVE_WITHIN_S: Final = 30.0
PICTURES, DATABASE = "pictures", "gatekeeper.db"


async def record(folder: Path, trace: Path, cars: int) -> None:
    """A controller's day, from its first start on an empty disk."""
    async with staged(LAYOUT, folder) as stage:
        stage.controller = await Program.start("gatekeeper", *_traced(stage, trace), folder=folder)
        await stage.centre.said("status", state="online")
        await stage.centre.tell("bind 闽C12F57")
        for number in range(cars):
            lane = list(stage.lanes)[number % len(stage.lanes)]
            await stage.arrives(lane, "闽C12F57" if lane.startswith("inner") else "浙A8K302")
            await stage.crosses(lane)
        await stage.controller.stop()


def _traced(stage: Stage, trace: Path) -> tuple[str, ...]:
    run = (sys.executable, "-m", "gatekeeper", "run", str(stage.config), "--log-json")
    strace = ("strace", "-D", "-f", "-y", "-qq", "--signal=none", "-s", "100000000")
    return (*strace, "-e", f"trace={RECORDED}", "-o", str(trace), *run)


def built(state: Mapping[str, bytes | None], root: Path, folder: Path) -> None:
    """Put the files of a disk into a folder of their own."""
    for path, content in sorted(state.items()):
        place = folder / Path(path).relative_to(root)
        if content is None:
            place.mkdir(parents=True, exist_ok=True)
        else:
            place.write_bytes(content)


def last_event(folder: Path) -> int:
    """The number of the last event, 0 where there is no journal; -1 where it is damaged, or a
    number is missing.
    """
    path = folder / DATABASE
    try:
        with closing(sqlite3.connect(path)) as base:
            if base.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
                return -1
            if not base.execute("SELECT 1 FROM sqlite_master WHERE name = 'events'").fetchone():
                return 0
            last, count = base.execute("SELECT max(seq), count(*) FROM events").fetchone()
            return int(last or 0) if (last or 0) == count else -1
    except sqlite3.DatabaseError:
        return -1


def bad_pictures(recording: Recording, cut: int, root: Path, folder: Path) -> bool:
    """Whether one is damaged, or one is missing that had been kept."""
    for path, kept_at, file in recording.pictures():
        place = folder / Path(path).relative_to(root)
        if place.exists():
            if place.read_bytes() != file.whole():
                return True
        elif kept_at < cut:
            return True
    return False


def starts(folder: Path, config: str) -> bool:
    """Whether a controller goes live on this disk, with the database that is there."""
    file, address = folder / "gatekeeper.toml", folder / "notify"
    file.write_text(config, encoding="utf-8")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(address))
        told.settimeout(LIVE_WITHIN_S)
        command = (sys.executable, "-m", "gatekeeper", "run", str(file), "--log-json")
        with subprocess.Popen(  # noqa: S603 - this very program
            command,
            env={**os.environ, "NOTIFY_SOCKET": str(address)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                live = told.recv(100).startswith(b"READY=1")
            except TimeoutError:
                live = False
            process.kill()
    return live and not (folder / f"{DATABASE}-unsound").exists()


def cut_often(
    recording: Recording, root: Path, times: int, chance: Random, config: str | None
) -> Figures:
    """So many cuts. The controller is started after each where its `config` is given."""
    figures = {"cuts": times, "lost": 0, "pictures_bad": 0, "unstartable": 0}
    for number in range(times):
        cut = chance.choice(recording.moments) + 1
        with tempfile.TemporaryDirectory(prefix="gatekeeper-cut-") as name:
            folder = Path(name)
            built(recording.state(cut, chance), root, folder)
            figures["pictures_bad"] += bad_pictures(recording, cut, root, folder)
            if config is not None:
                figures["unstartable"] += not starts(folder, config)
                print(f"cut {number + 1} of {times}", file=sys.stderr)
            figures["lost"] += last_event(folder) < recording.told_by(cut)
    return figures


def measured(times: int, cars: int, seed: int) -> Figures:
    """The recording, the cuts, and both controls."""
    with tempfile.TemporaryDirectory(prefix="gatekeeper-powercuts-") as name:
        root, trace = Path(name) / "site", Path(name) / "trace"
        root.mkdir()
        asyncio.run(record(root, trace, cars))
        config = (root / "gatekeeper.toml").read_text(encoding="utf-8")
        chance = Random(seed)
        figures = cut_often(Recording(trace, root), root, times, chance, config)
        controls = max(times, 100)
        normal = cut_often(Recording(trace, root, ["-wal"]), root, controls, chance, None)
        loose = cut_often(Recording(trace, root, [PICTURES]), root, controls, chance, None)
        return {
            **figures,
            "control_lost": normal["lost"],
            "control_pictures_bad": loose["pictures_bad"],
        }


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.powercuts", description=__doc__)
    parser.add_argument("--times", type=int, default=1000, help="how often the power is cut")
    parser.add_argument("--cars", type=int, default=CARS, help="that are recorded")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print the line of JSON only")
    chosen = parser.parse_args()
    if shutil.which("strace") is None:
        parser.error("strace is needed: apt install strace")
    figures = measured(chosen.times, chosen.cars, chosen.seed)
    if not chosen.json:
        for key, value in figures.items():
            print(f"{key:<20} {value}")
    print(json.dumps({"benchmark": "powercuts", **figures}))
    bad = figures["lost"] + figures["pictures_bad"] + figures["unstartable"]
    return 1 if bad or not (figures["control_lost"] and figures["control_pictures_bad"]) else 0


if __name__ == "__main__":
    raise SystemExit(main())
