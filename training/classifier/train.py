"""The training of the network for colour and kind (see `training.course`), and its file."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import IterableDataset

from gatekeeper.lpr.classify import SIDE
from training import real
from training.classifier.model import Shares, Sorter
from training.classifier.samples import known, stream
from training.config import ClassifierConfig
from training.course import Course, made_beside
from training.export import average, write
from training.real import Real
from training.samples import glyphs_of

_CLOSE = 1e-4

Batch = tuple[Tensor, Tensor]
"""Pictures (N, SIDE, SIDE, 3) of bytes, classes (N)."""


class Batches(IterableDataset[Batch]):
    """Samples put together; made in a process of its own."""

    def __init__(
        self, config: ClassifierConfig, data: Path, plates: list[tuple[Real, int]], seed: int
    ) -> None:
        self._config, self._data, self._plates, self._seed = config, data, plates, seed

    def __iter__(self) -> Iterator[Batch]:
        samples = stream(
            self._config, glyphs_of(self._config, self._data), self._plates, self._seed
        )
        while True:
            batch = [next(samples) for _ in range(self._config.schedule.batch)]
            yield (
                torch.from_numpy(np.stack([picture for picture, _ in batch])),
                torch.tensor([of for _, of in batch]),
            )


def train(config: ClassifierConfig, data: Path, work: Path) -> None:
    """Trains until the run's minutes are spent or the process is told to stop.

    In `work`: checkpoint.pt, log.jsonl (one object a line) and the corners the teacher found.
    """
    torch.set_num_threads(config.threads)
    cv2.setNumThreads(1)  # before the first use: its pool does not survive the fork below
    work.mkdir(parents=True, exist_ok=True)
    used = list(known(config, real.trained_on(config, real.load(config, data, work))))
    course = Course(lambda: Sorter(config.channels), config.schedule, config.seed, work)

    def learn(batch: Batch) -> tuple[float, ...]:
        given = batch[0].permute(0, 3, 1, 2).float().div(255)
        loss = functional.cross_entropy(course.network(given), batch[1])
        course.follow(loss)
        return (float(loss.detach()),)

    batches = made_beside(Batches(config, data, used, config.seed + course.step))
    course.log(event="start", run=course.run, step=course.step, real=len(used))
    course.go(batches, learn, ("loss",), lambda: None)


def export(config: ClassifierConfig, work: Path, target: Path) -> None:
    """Writes the averaged weights to `target`; raises `ValueError` without a checkpoint, or when
    onnxruntime does not say what torch says.
    """
    sorter = Sorter(config.channels)
    sorter.load_state_dict(average(work))
    given = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    axes = {"picture": {0: "n"}, "shares": {0: "n"}}
    write(Shares(sorter).eval(), given, target, axes, _CLOSE)
