"""Says which promises were broken, and finds the fewest faults that break the first of them."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from simulators.simulate.faults import Drawn
from simulators.simulate.gates import Gates
from simulators.simulate.ledger import Ledger
from simulators.simulate.promises import Broken
from simulators.world import World

if TYPE_CHECKING:
    from simulators.simulate.run import Task

LATELY_S = 3600.0
"""Faults that may have to do with it."""

TRIES = 12
"""So often the days are lived again to find out."""

DAY_S = 86_400.0


def told(
    task: "Task", broken: Sequence[Broken], log: Sequence[Drawn], victims: Sequence[str]
) -> list[str]:
    """A line for each broken promise; below the first what shows it."""
    where = f"seed {task.seed}, site {task.number}"
    lines = [f"{where}: {each.promise}: at {each.at:.3f} s {each.what}" for each in broken]
    if broken:
        faults = shortest(task, broken[0], [each for each in log if each.at <= broken[0].at])
        lines[0] += "".join(f"\n    {each.what}" for each in faults)
    return lines + [f"{where}: nobody_is_blacklisted_wrongly: {each}" for each in victims]


def shortest(task: "Task", broken: Broken, log: Sequence[Drawn]) -> list[Drawn]:
    """The fewest of the faults with which the same promise is broken by then, as far as a few tries
    tell: the late ones alone, then without one half or another.
    """
    late = [each for each in log if each.at > broken.at - LATELY_S]
    needed = late if _shows(task, broken, late) else list(log)
    pieces, tries = 2, 1
    while len(needed) > 1 and tries < TRIES and pieces <= len(needed):
        size = -(-len(needed) // pieces)
        for begin in range(0, len(needed), size):
            rest = needed[:begin] + needed[begin + size :]
            tries += 1
            if _shows(task, broken, rest):
                needed, pieces = rest, max(2, pieces - 1)
                break
            if tries >= TRIES:
                break
        else:
            pieces *= 2
    return needed


def _shows(task: "Task", broken: Broken, faults: Sequence[Drawn]) -> bool:
    with tempfile.TemporaryDirectory(prefix="gatekeeper-simulate-") as folder:
        only = {each.number for each in faults}
        world = World(task.plan, task.world_seed)
        gates = Gates(Path(folder), Ledger(), task.faults_seed, only)
        gates.start(world.lists())
        world.run(gates, (broken.at + 1.0) / DAY_S)
        found = [] if gates.promises is None else gates.promises.broken
        gates.close()
    return any(each.promise == broken.promise for each in found)
