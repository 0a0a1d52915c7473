"""What a controller that is killed again and again loses: SIGKILL at random moments, while cars
come and go at all lanes of a simulated site with real programs.

After each kill it is started again on what is on the disk. `lost` counts events the centre has and
the database has not, numbers that are missing, and pulses without an intent; `second_pulses` those
beyond the first of an intent; `coils_left_on` relays that were on at a kill and still when the next
life said that it is online. `integrity_ok` is SQLite's own check at the end. The exit code is 1 if
any of these is wrong.
"""

import argparse
import asyncio
import hashlib
import json
import sqlite3
import sys
import tempfile
from bisect import bisect_right
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any, Final, TypeAlias

from simulators.site import Layout, Stage, staged
from simulators.site.program import ProgramError

Figures: TypeAlias = dict[str, Any]

LAYOUT: Final = Layout(lanes=4, speed=10.0, displays=False, capacity=400)
VISITORS: Final = tuple(f"闽C12F5{number}" for number in range(8))
LIVES_S: Final = 4.0
"""A controller is killed within so long after its start, or after the centre saw it online."""
SETTLES_S: Final = 1.0
"""From when the centre sees a controller until it has looked at all its relays."""
QUIET_S: Final = 20.0
"""How long the last life has to write and tell what is left."""

Relay: TypeAlias = tuple[int, int]
"""The unit of a board, and its coil."""


@dataclass(slots=True)
class Watch:
    """What the boards told: when each relay came on, and which were on at a kill."""

    stage: Stage
    mark: int = 0
    on: set[Relay] = field(default_factory=set)
    pulses: list[tuple[Relay, float]] = field(default_factory=list)
    left_on: int = 0

    def look(self) -> set[Relay]:
        """Take in what was told since; the relays that went off meanwhile."""
        news, self.mark = self.stage.board.since(self.mark), self.stage.board.mark
        went_off: set[Relay] = set()
        for said in news:
            if said["said"] != "coil":
                continue
            relay = (int(said["unit"]), int(said["coil"]))
            if said["on"]:
                self.pulses.append((relay, float(said["at"])))
                self.on.add(relay)
            else:
                self.on.discard(relay)
                went_off.add(relay)
        return went_off


async def drive(stage: Stage, lane: str, chance: Random) -> None:
    """Cars without end at one lane, each through as soon as the boom is up."""
    for plate in cycle(VISITORS):
        await asyncio.sleep(chance.uniform(0.1, 1.0))
        with suppress(ProgramError):
            await stage.arrives(lane, plate)
        try:
            await stage.crosses(lane)
        except ProgramError:
            with suppress(ProgramError):
                await stage.backs_out(lane)


async def live(stage: Stage) -> None:
    """Start the controller, and wait until the centre sees it online."""
    mark = stage.centre.mark
    await stage.start_controller()
    await stage.centre.said("status", mark, state="online")


async def killed(stage: Stage, watch: Watch, chance: Random) -> None:
    """One life and its end; every fifth may end before it is online."""
    watch.look()
    was_on = set(watch.on)
    starting = asyncio.create_task(live(stage))
    if chance.random() < 0.8:
        await starting
        await asyncio.sleep(SETTLES_S)
        watch.left_on += len(was_on - watch.look())
    await asyncio.sleep(chance.uniform(0.0, LIVES_S))
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    if stage.controller is not None:
        stage.controller.kill()
        await stage.controller.ended()


async def quiet(stage: Stage) -> Figures:
    """The last life, until the centre has all there is; what the centre has then."""
    await live(stage)
    async with asyncio.timeout(QUIET_S):
        while True:
            told = await stage.centre.tell("events")
            await asyncio.sleep(1.0)
            if (await stage.centre.tell("events"))["count"] == told["count"]:
                return told


def judged(path: Path, told: Figures, watch: Watch, layout: Layout) -> Figures:
    """Compare the journal with what the centre and the boards saw."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as base:
        events = base.execute("SELECT seq, id, kind, lane, boot_s FROM events ORDER BY seq")
        rows = events.fetchall()
        sound = base.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    at_centre = int(told["count"])
    same = told["digest"] == digest([row[1] for row in rows[:at_centre]])
    missing = rows[-1][0] - len(rows) if rows else 0
    unintended = second = 0
    for lane in layout.lanes_there:
        intents = [row[4] for row in rows if row[2] == "barrier.intended" and row[3] == lane.name]
        pulses = [at for relay, at in watch.pulses if relay == (lane.unit, lane.number)]
        of_intent = Counter(bisect_right(intents, at) for at in pulses)
        unintended += of_intent.pop(0, 0)
        second += sum(count - 1 for count in of_intent.values())
    return {
        "events": len(rows),
        "pulses": len(watch.pulses),
        "lost": missing + unintended + (0 if same else 1),
        "coils_left_on": watch.left_on,
        "second_pulses": second,
        "integrity_ok": sound and len(told["journals"]) == 1,
    }


def digest(names: list[str]) -> str:
    """As the centre tells it of its events."""
    return hashlib.sha256("".join(names).encode()).hexdigest()


async def measured(times: int, seed: int) -> Figures:
    """So many kills."""
    chance = Random(seed)
    with tempfile.TemporaryDirectory(prefix="gatekeeper-kills-") as folder:
        async with staged(LAYOUT, Path(folder)) as stage:
            watch = Watch(stage)
            for plate in VISITORS:
                await stage.centre.tell(f"bind {plate}")
            cars = [
                asyncio.create_task(drive(stage, lane, Random(f"{seed} {lane}")))
                for lane in stage.lanes
            ]
            for number in range(times):
                await killed(stage, watch, chance)
                print(f"killed {number + 1} of {times}", file=sys.stderr)
            for task in cars:
                task.cancel()
            await asyncio.gather(*cars, return_exceptions=True)
            told = await quiet(stage)
            watch.look()
            if stage.controller is not None:
                await stage.controller.stop()
            path = Path(folder) / "gatekeeper.db"
            return {"kills": times, **judged(path, told, watch, LAYOUT)}


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills", description=__doc__)
    parser.add_argument("--times", type=int, default=1000, help="how often it is killed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print the line of JSON only")
    chosen = parser.parse_args()
    figures = asyncio.run(measured(chosen.times, chosen.seed))
    if not chosen.json:
        for name, value in figures.items():
            print(f"{name:<16} {value}")
    print(json.dumps({"benchmark": "kills", **figures}))
    wrong = figures["lost"] + figures["coils_left_on"] + figures["second_pulses"]
    return 1 if wrong or not figures["integrity_ok"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
