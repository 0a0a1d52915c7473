"""What is being done to the relays of a board, one thing to each, in one session."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field

from gatekeeper.drivers.device import Device


@dataclass(slots=True, kw_only=True)
class _Work:
    """What is done to one relay: it pulses, and then is brought to rest."""

    task: asyncio.Task[None]
    resting: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A session in which relays may be switched, and what is being done to each."""

    device: Device
    tasks: asyncio.TaskGroup
    works: dict[int, _Work] = field(default_factory=dict)

    def begin(self, coil: int, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Do this to a relay from now on, and nothing else."""
        self.break_off(coil)
        task = self.tasks.create_task(work, name=f"coil {coil}")
        self.works[coil] = _Work(task=task)
        task.add_done_callback(lambda done: self._forget(coil, done))
        return task

    def pulses(self, coil: int) -> bool:
        """Whether a relay pulses."""
        return coil in self.works and not self.works[coil].resting

    def rests(self, coil: int) -> bool:
        """Whether a relay is being brought to rest."""
        return coil in self.works and self.works[coil].resting

    def rest(self, coil: int) -> None:
        """What is done to a relay brings it to rest from now on."""
        self.works[coil].resting = True

    def break_off(self, coil: int) -> None:
        """End what is done to a relay; a pulse is followed by off all the same."""
        if coil in self.works:
            self.works[coil].task.cancel()

    def _forget(self, coil: int, done: asyncio.Task[None]) -> None:
        if coil in self.works and self.works[coil].task is done:
            del self.works[coil]
