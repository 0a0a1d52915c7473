"""The training of the recogniser itself: batches in, a checkpoint every few minutes out (see
`training.course`).
"""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import IterableDataset

from training import real
from training.alphabet import BLANK, greedy
from training.config import Config, Schedule
from training.course import Course, made_beside
from training.labels import INSTANTS, UNKNOWN
from training.model import Reader
from training.real import Real
from training.render import camera
from training.render.flat import Picture
from training.samples import LONGEST, Sample, glyphs_of, stream
from training.split import Part

_RING = 4096
"""Hard samples kept; the oldest is replaced."""
_HARDEST = 0.08
"""Share of a batch that is kept as hard."""

Batch = tuple[Tensor, Tensor, Tensor, Tensor]
"""Pictures (N, 48, 160, 3) of bytes, classes (N, 8), lengths (N), instants (N, 40)."""


class Batches(IterableDataset[Batch]):
    """Samples put together; made in a process of its own."""

    def __init__(self, config: Config, data: Path, plates: list[Real], seed: int) -> None:
        self._config, self._data, self._plates, self._seed = config, data, plates, seed

    def __iter__(self) -> Iterator[Batch]:
        glyphs = glyphs_of(self._config, self._data)
        samples = stream(self._config, glyphs, self._plates, self._seed)
        while True:
            yield _batch([next(samples) for _ in range(self._config.schedule.batch)])


def _batch(samples: list[Sample]) -> Batch:
    classes = np.zeros((len(samples), LONGEST), np.int64)
    for row, sample in zip(classes, samples, strict=True):
        row[: len(sample.classes)] = sample.classes
    return (
        torch.from_numpy(np.stack([sample.picture for sample in samples])),
        torch.from_numpy(classes),
        torch.tensor([len(sample.classes) for sample in samples]),
        torch.from_numpy(np.stack([sample.instants for sample in samples])),
    )


class Trainer:
    """A reader in training."""

    def __init__(self, config: Config, work: Path) -> None:
        self._told = config.schedule
        self.course = Course(lambda: Reader(config.model.channels), self._told, config.seed, work)
        self._hard = _Ring()

    def learn(self, batch: Batch) -> tuple[float, float]:
        """One step; returns the mean loss of CTC, and of the frame-aligned cross-entropy."""
        progress, again = self.course.progress, self.course.run > 1
        batch = self._hard.mixed(batch, self._told.hard_share if progress > 0.25 else 0.0)
        pictures, classes, lengths, instants = batch
        given = scaled(pictures).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=self._told.bfloat16):
            told = self.course.network(given)
        logs = functional.log_softmax(told.float(), dim=2)
        spans = torch.full((len(lengths),), INSTANTS)
        each = functional.ctc_loss(
            logs.transpose(0, 1), classes, spans, lengths, BLANK, "none", zero_infinity=True
        )
        frames = functional.nll_loss(
            logs.transpose(1, 2), instants, ignore_index=UNKNOWN, reduction="mean"
        )
        share = aligned_share(progress, self._told, again=again)
        self.course.follow(each.mean() * (1 - 0.85 * share / 1.5) + frames * share)
        self._hard.keep(batch, each.detach())
        return float(each.detach().mean()), float(frames.detach())


class _Ring:
    """The samples that were read worst lately, to be shown again. Bounded: the oldest goes."""

    def __init__(self) -> None:
        self._kept: list[tuple[Tensor, ...]] = []
        self._next = 0
        self._dice = np.random.default_rng(0)

    def keep(self, batch: Batch, losses: Tensor) -> None:
        """The worst of a batch, but for the very worst one, which may be illegible."""
        for at in losses.topk(max(2, round(_HARDEST * len(losses)))).indices.tolist()[1:]:
            sample = tuple(part[at].clone() for part in batch)
            if len(self._kept) < _RING:
                self._kept.append(sample)
            else:
                self._kept[self._next % _RING] = sample
                self._next += 1

    def mixed(self, batch: Batch, share: float) -> Batch:
        """The batch, with a share of it replaced by hard samples."""
        count = round(share * len(batch[0]))
        if not count or len(self._kept) < _RING // 4:
            return batch
        chosen = [self._kept[at] for at in self._dice.integers(len(self._kept), size=count)]
        mixed = [
            torch.cat([torch.stack(hard), part[count:]])
            for hard, part in zip(zip(*chosen, strict=True), batch, strict=True)
        ]
        return mixed[0], mixed[1], mixed[2], mixed[3]


def aligned_share(progress: float, told: Schedule, *, again: bool) -> float:
    """Weight of the frame-aligned loss: 1.5 at first, falling to nothing."""
    if again or not told.aligned_until:
        return 0.0
    return 1.5 * max(0.0, 1 - progress / told.aligned_until)


def scaled(pictures: Tensor) -> Tensor:
    """Bytes (N, 48, 160, 3) as the network wants them: (N, 3, 48, 160), -1..1."""
    return (pictures.permute(0, 3, 1, 2).float() - 127.5) / 127.5


def read_all(reader: torch.nn.Module, pictures: list[Picture]) -> list[str]:
    """What the reader says, greedily."""
    reader.eval()
    texts = []
    with torch.no_grad():
        for at in range(0, len(pictures), 128):
            given = scaled(torch.from_numpy(np.stack(pictures[at : at + 128])))
            texts += [greedy(row) for row in reader(given).argmax(dim=2).tolist()]
    return texts


def train(config: Config, data: Path, work: Path) -> None:
    """Trains until the run's minutes are spent or the process is told to stop.

    In `work`: checkpoint.pt, log.jsonl (one object a line) and the corners the teacher found.
    """
    torch.set_num_threads(config.threads)
    cv2.setNumThreads(1)  # before the first use: its pool does not survive the fork below
    work.mkdir(parents=True, exist_ok=True)
    plates = real.load(config, data, work)
    used = real.trained_on(config, plates)
    check = [
        plate
        for plate in plates
        if plate.part is Part.CALIBRATION and not plate.doubtful and plate.corners is None
    ]
    trainer = Trainer(config, work)
    course = trainer.course
    batches = made_beside(Batches(config, data, used, config.seed + course.step))
    course.log(event="start", run=course.run, step=course.step, real=len(used), check=len(check))
    course.go(batches, trainer.learn, ("ctc", "frames"), lambda: _tell(course, check))


def _tell(course: Course, check: list[Real]) -> None:
    """How well the averaged weights read the real crops of the calibration part."""
    said = read_all(course.average, [camera.plain(plate.picture) for plate in check])
    right = sum(one == plate.text for one, plate in zip(said, check, strict=True))
    course.log(step=course.step, calibration_crops=f"{right} of {len(check)}")
