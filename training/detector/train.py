"""The training of the detector itself: samples in, a checkpoint every few minutes out (see
`training.course`).
"""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import IterableDataset

from training.config import DetectorConfig
from training.course import Course, made_beside
from training.detector import scenes
from training.detector.compose import SIDE, Composer
from training.detector.model import REACH, STEPS, Finder
from training.detector.scenes import Scene
from training.detector.targets import targets
from training.render.flat import Flat, flat
from training.render.glyphs import Glyphs
from training.render.texts import any_kind
from training.samples import glyphs_of

_FLATS = 1500
"""Plates drawn ahead; with each sample one in ten is replaced."""

_SURELY = 0.3
"""Targets of score from which corners and rows are learnt."""

_EXACT = 0.08
"""Deviation of a corner, by the plate's width, up to which the loss is a parabola."""

Batch = tuple[Tensor, Tensor]
"""Pictures (N, SIDE, SIDE, 3) of bytes, and targets (N, places, 12): score, judged, corners (8),
size, two rows.
"""


class Batches(IterableDataset[Batch]):
    """Samples put together; made in a process of its own."""

    def __init__(self, config: DetectorConfig, data: Path, used: list[Scene], seed: int) -> None:
        self._config, self._data, self._scenes, self._seed = config, data, used, seed

    def __iter__(self) -> Iterator[Batch]:
        cv2.setNumThreads(1)
        chance = Random(self._seed)
        glyphs = glyphs_of(self._config, self._data)
        flats = [_drawn(glyphs, chance) for _ in range(_FLATS)]
        composer = Composer(flats, self._seed)
        while True:
            batch = []
            for _ in range(self._config.schedule.batch):
                if chance.random() < 0.1:
                    flats[chance.randrange(_FLATS)] = _drawn(glyphs, chance)
                batch.append(composer.sample(chance.choice(self._scenes)))
            told = [targets(sample.places, SIDE, STEPS) for sample in batch]
            yield (
                torch.from_numpy(np.stack([sample.picture for sample in batch])),
                torch.from_numpy(
                    np.stack(
                        [
                            np.column_stack([t.score, t.judged, t.corners, t.size, t.two])
                            for t in told
                        ]
                    )
                ),
            )


def _drawn(glyphs: Glyphs, chance: Random) -> Flat:
    return flat(any_kind(chance), glyphs, chance)


def losses(levels: list[Tensor], wanted: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of scores, corners and rows; `wanted` as in `Batch`."""
    told = torch.cat([level.flatten(2).transpose(1, 2) for level in levels], dim=1).float()
    score, judged = wanted[..., 0], wanted[..., 1]
    said = told[..., 0]
    each = functional.binary_cross_entropy_with_logits(said, score, reduction="none")
    each = each * (score - said.sigmoid()).abs().square() * judged
    weight = score * judged * (score > _SURELY)
    total = weight.sum().clamp(min=1.0)
    places, reach = _places(levels)
    corners = told[..., 1:9] * reach[:, None] + places.repeat(1, 4)
    far = (corners - wanted[..., 2:10]).abs() / wanted[..., 10:11]
    missed = functional.smooth_l1_loss(far, torch.zeros_like(far), reduction="none", beta=_EXACT)
    rows = functional.cross_entropy(
        told[..., 9:].transpose(1, 2), wanted[..., 11].long(), reduction="none"
    )
    return (
        each.sum() / total,
        (missed.mean(dim=2) * weight).sum() / total,
        (rows * weight).sum() / total,
    )


def _places(levels: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Middle of each place (P, 2) and how far a corner moves for a prediction of 1 (P)."""
    centres, reach = [], []
    for level, step in zip(levels, STEPS, strict=True):
        tall, wide = level.shape[2:]
        y, x = torch.meshgrid(torch.arange(tall), torch.arange(wide), indexing="ij")
        centres.append((torch.stack([x, y], dim=-1).reshape(-1, 2) + 0.5) * step)
        reach.append(torch.full((tall * wide,), REACH * step))
    return torch.cat(centres), torch.cat(reach)


def scaled(pictures: Tensor) -> Tensor:
    """Bytes (N, H, W, 3), B G R, as the network wants them: (N, 3, H, W), R G B, 0..1."""
    return pictures.flip(3).permute(0, 3, 1, 2).float() / 255


def train(config: DetectorConfig, data: Path, work: Path) -> None:
    """Trains until the run's minutes are spent or the process is told to stop.

    In `work`: checkpoint.pt, log.jsonl (one object a line) and what the teachers saw.
    """
    torch.set_num_threads(config.threads)
    cv2.setNumThreads(1)  # before the first use: its pool does not survive the fork below
    work.mkdir(parents=True, exist_ok=True)
    used = scenes.trained_on(config, scenes.load(config, data, work))
    course = Course(lambda: Finder(config.model), config.schedule, config.seed, work)

    def learn(batch: Batch) -> tuple[float, ...]:
        given = scaled(batch[0]).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=config.schedule.bfloat16):
            told = course.network(given)
        score, corners, rows = losses(told, batch[1])
        course.follow(score + 20 * corners + 0.2 * rows)
        return tuple(float(one.detach()) for one in (score, corners, rows))

    batches = made_beside(Batches(config, data, used, config.seed + course.step))
    course.log(event="start", run=course.run, step=course.step, scenes=len(used))
    course.go(batches, learn, ("score", "corners", "rows"), lambda: None)
