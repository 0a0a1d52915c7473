"""The training itself: batches in, a checkpoint every few minutes out, stopped and resumed at will.

The schedule runs by time spent training, for the machine is shared and how many steps an hour
has is not known. Time while it is stopped does not count.
"""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset

from training import checkpoint, real
from training.alphabet import BLANK, greedy
from training.config import Config, Schedule
from training.labels import INSTANTS, UNKNOWN
from training.model import Reader
from training.real import Real
from training.render import camera
from training.render.flat import Picture
from training.samples import LONGEST, Sample, glyphs_of, stream
from training.split import Part

_SAVE_EVERY_S = 240
_TELL_EVERY = 50
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
    """A reader in training, with all that a checkpoint holds."""

    def __init__(self, config: Config, work: Path) -> None:
        torch.manual_seed(config.seed)
        self._told, self._work = config.schedule, work
        self.reader = Reader(config.model.channels).to(memory_format=torch.channels_last)
        self.average = Reader(config.model.channels)
        self.average.load_state_dict(self.reader.state_dict())
        for weight in self.average.parameters():
            weight.requires_grad_(False)
        self._optimiser = torch.optim.AdamW(
            self.reader.parameters(), config.schedule.rate, weight_decay=config.schedule.decay
        )
        self.step, self.spent_s, self.run = 0, 0.0, 1
        self._hard = _Ring()
        self._resumed()

    def _resumed(self) -> None:
        state = checkpoint.read(self._work)
        if state is None:
            return
        self.reader.load_state_dict(state["reader"])
        self.average.load_state_dict(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])
        self.step, self.spent_s, self.run = state["step"], state["spent_s"], state["run"]
        if self.progress >= 1:
            self.spent_s, self.run = 0.0, self.run + 1

    def save(self) -> None:
        """Writes the checkpoint."""
        checkpoint.write(
            self._work,
            {
                "reader": self.reader.state_dict(),
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
        return min(1.0, self.spent_s / (60 * self._told.minutes))

    def learn(self, batch: Batch) -> tuple[float, float]:
        """One step; returns the mean loss of CTC, and of the frame-aligned cross-entropy."""
        batch = self._hard.mixed(batch, self._told.hard_share if self.progress > 0.25 else 0.0)
        pictures, classes, lengths, instants = batch
        for group in self._optimiser.param_groups:
            group["lr"] = rate_at(self.progress, self._told, again=self.run > 1)
        given = scaled(pictures).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=self._told.bfloat16):
            told = self.reader(given)
        logs = functional.log_softmax(told.float(), dim=2)
        spans = torch.full((len(lengths),), INSTANTS)
        each = functional.ctc_loss(
            logs.transpose(0, 1), classes, spans, lengths, BLANK, "none", zero_infinity=True
        )
        frames = functional.nll_loss(
            logs.transpose(1, 2), instants, ignore_index=UNKNOWN, reduction="mean"
        )
        share = aligned_share(self.progress, self._told, again=self.run > 1)
        loss = each.mean() * (1 - 0.85 * share / 1.5) + frames * share
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.reader.parameters(), 2.0)
        self._optimiser.step()
        self._hard.keep(batch, each.detach())
        self.step += 1
        self._averaged()
        return float(each.detach().mean()), float(frames.detach())

    def _averaged(self) -> None:
        keep = min(self._told.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for mean, now in zip(
                self.average.state_dict().values(), self.reader.state_dict().values(), strict=True
            ):
                if mean.is_floating_point():
                    mean.lerp_(now, 1 - keep)
                else:
                    mean.copy_(now)


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


def rate_at(progress: float, told: Schedule, *, again: bool) -> float:
    """Learning rate: a warm-up, then half a cosine down to a hundredth."""
    top = told.rate * (told.again_rate if again else 1.0)
    if progress < told.warm_up:
        return top * max(0.02, progress / told.warm_up)
    done = (progress - told.warm_up) / (1 - told.warm_up)
    return float(top * (0.01 + 0.99 * (1 + np.cos(np.pi * done)) / 2))


def aligned_share(progress: float, told: Schedule, *, again: bool) -> float:
    """Weight of the frame-aligned loss: 1.5 at first, falling to nothing."""
    if again or not told.aligned_until:
        return 0.0
    return 1.5 * max(0.0, 1 - progress / told.aligned_until)


def scaled(pictures: Tensor) -> Tensor:
    """Bytes (N, 48, 160, 3) as the network wants them: (N, 3, 48, 160), -1..1."""
    return (pictures.permute(0, 3, 1, 2).float() - 127.5) / 127.5


def read_all(reader: Reader, pictures: list[Picture]) -> list[str]:
    """What the reader says, greedily."""
    reader.eval()
    texts = []
    with torch.no_grad():
        for at in range(0, len(pictures), 128):
            given = scaled(torch.from_numpy(np.stack(pictures[at : at + 128])))
            texts += [greedy(row) for row in reader(given).argmax(dim=2).tolist()]
    return texts


class _Stop:
    """Told by SIGTERM or SIGINT that the next step is the last."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, _number: int, _frame: object) -> None:
        self.asked = True


def _deaf(_worker: int) -> None:
    """The maker of samples ends with the trainer, not with the signal that both are sent."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


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
    stop = _Stop()
    batches = DataLoader(
        Batches(config, data, used, config.seed + trainer.step),
        batch_size=None,
        num_workers=1,
        worker_init_fn=_deaf,
        prefetch_factor=8,
    )
    _log(work, event="start", run=trainer.run, step=trainer.step, real=len(used), check=len(check))
    _run(trainer, iter(batches), stop, work, check)
    trainer.save()
    _log(work, event="stop", step=trainer.step, progress=round(trainer.progress, 4))


def _run(
    trainer: Trainer, batches: Iterator[Batch], stop: _Stop, work: Path, check: list[Real]
) -> None:
    before = saved = time.perf_counter()
    losses: list[tuple[float, float]] = []
    while trainer.progress < 1 and not stop.asked:
        losses.append(trainer.learn(next(batches)))
        now = time.perf_counter()
        trainer.spent_s += now - before
        before = now
        if trainer.step % _TELL_EVERY == 0:
            ctc, frames = np.mean(losses, axis=0).round(4).tolist()
            _log(work, step=trainer.step, ctc=ctc, frames=frames, progress=trainer.progress)
            losses = []
        if now - saved > _SAVE_EVERY_S:
            saved = now
            trainer.save()
            _tell(trainer, work, check)
            before = time.perf_counter()


def _tell(trainer: Trainer, work: Path, check: list[Real]) -> None:
    """How well the averaged weights read the real crops of the calibration part."""
    said = read_all(trainer.average, [camera.plain(plate.picture) for plate in check])
    right = sum(one == plate.text for one, plate in zip(said, check, strict=True))
    _log(work, step=trainer.step, calibration_crops=f"{right} of {len(check)}")


def _log(work: Path, **told: object) -> None:
    line = json.dumps(told, ensure_ascii=False)
    with (work / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write(line + "\n")
