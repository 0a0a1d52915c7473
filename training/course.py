"""What all training here has in common: weights and their average, a schedule by time spent, a
checkpoint every few minutes, stopped and resumed at will.

The schedule runs by the processor's time spent training, for the machine is shared and how many
steps an hour has is not known. Time while it is stopped or waits its turn does not count.
"""

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from training import checkpoint
from training.config import Pace

_SAVE_EVERY_S = 240
_TELL_EVERY = 50

Batch = TypeVar("Batch")


class Course:
    """A network in training, with all that a checkpoint holds. `make` makes the network, and is
    called twice.
    """

    def __init__(self, make: Callable[[], nn.Module], told: Pace, seed: int, work: Path) -> None:
        torch.manual_seed(seed)
        self.told, self.work = told, work
        self.network = make().to(memory_format=torch.channels_last)
        self.average = make()
        self.average.load_state_dict(self.network.state_dict())
        for weight in self.average.parameters():
            weight.requires_grad_(False)
        self._optimiser = torch.optim.AdamW(
            self.network.parameters(), told.rate, weight_decay=told.decay
        )
        self.step, self.spent_s, self.run = 0, 0.0, 1
        self._resumed()

    def _resumed(self) -> None:
        state = checkpoint.read(self.work)
        if state is None:
            return
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])
        self.step, self.spent_s, self.run = state["step"], state["spent_s"], state["run"]
        if self.progress >= 1:
            self.spent_s, self.run = 0.0, self.run + 1

    def save(self) -> None:
        """Writes the checkpoint."""
        checkpoint.write(
            self.work,
            {
                "network": self.network.state_dict(),
                "average": self.average.state_dict(),
                "optimiser": self._optimiser.state_dict(),
                "step": self.step,
                "spent_s": self.spent_s,
                "run": self.run,
            },
        )

    @property
    def progress(self) -> float:
        """0 to 1 of the present run."""
        return min(1.0, self.spent_s / (60 * self.told.minutes))

    def follow(self, loss: Tensor) -> None:
        """One step down from this loss, and the average after it."""
        for group in self._optimiser.param_groups:
            group["lr"] = rate_at(self.progress, self.told, again=self.run > 1)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 2.0)
        self._optimiser.step()
        self.step += 1
        self._averaged()

    def _averaged(self) -> None:
        keep = min(self.told.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for mean, now in zip(
                self.average.state_dict().values(), self.network.state_dict().values(), strict=True
            ):
                if mean.is_floating_point():
                    mean.lerp_(now, 1 - keep)
                else:
                    mean.copy_(now)

    def go(
        self,
        batches: Iterator[Batch],
        learn: Callable[[Batch], tuple[float, ...]],
        names: tuple[str, ...],
        tell: Callable[[], None],
    ) -> None:
        """Learns batch by batch until the run's minutes are spent or SIGTERM comes, and saves.
        `names` are those of the losses that `learn` returns; `tell` is called after each save.
        """
        stop = _Stop()
        before, saved = time.process_time(), time.perf_counter()
        losses: list[tuple[float, ...]] = []
        while self.progress < 1 and not stop.asked:
            losses.append(learn(next(batches)))
            now = time.process_time()
            self.spent_s += now - before
            before = now
            if self.step % _TELL_EVERY == 0:
                means = dict(zip(names, np.mean(losses, axis=0).round(4).tolist(), strict=True))
                self.log(step=self.step, **means, progress=round(self.progress, 4))
                losses = []
            if time.perf_counter() - saved > _SAVE_EVERY_S:
                saved = time.perf_counter()
                self.save()
                tell()
                before = time.process_time()
        self.save()
        self.log(event="stop", step=self.step, progress=round(self.progress, 4))

    def log(self, **told: object) -> None:
        """One line of `log.jsonl` in the work folder."""
        line = json.dumps(told, ensure_ascii=False)
        with (self.work / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def rate_at(progress: float, told: Pace, *, again: bool) -> float:
    """Learning rate: a warm-up, then half a cosine down to a hundredth."""
    top = told.rate * (told.again_rate if again else 1.0)
    if progress < told.warm_up:
        return top * max(0.02, progress / told.warm_up)
    done = (progress - told.warm_up) / (1 - told.warm_up)
    return float(top * (0.01 + 0.99 * (1 + np.cos(np.pi * done)) / 2))


class _Stop:
    """Told by SIGTERM or SIGINT that the next step is the last."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, _number: int, _frame: object) -> None:
        self.asked = True


def made_beside(samples: "IterableDataset[Any]") -> Iterator[Any]:
    """Batches, made by a process of their own while the network learns."""
    loader = DataLoader(
        samples, batch_size=None, num_workers=1, worker_init_fn=_deaf, prefetch_factor=8
    )
    return iter(loader)


def _deaf(_worker: int) -> None:
    """The maker of samples ends with the trainer, not with the signal that both are sent."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
