"""A checkpoint in, a detector's file for onnxruntime out."""

from pathlib import Path

import torch

from training.config import DetectorConfig
from training.detector.compose import SIDE
from training.detector.model import Finder, Rows
from training.export import average, write

_CLOSE = 0.02
"""Largest difference between torch and onnxruntime; most of the output are pixels."""


def export(config: DetectorConfig, work: Path, target: Path, square: int | None) -> None:
    """Writes the averaged weights to `target`, for any height and width that are multiples of 32,
    or for a square of one side alone; raises `ValueError` without a checkpoint, or when onnxruntime
    does not say what torch says.
    """
    finder = Finder(config.model)
    finder.load_state_dict(average(work))
    side = square or SIDE
    given = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(1))
    free = {"input": {2: "height", 3: "width"}, "output": {1: "places"}}
    axes = {name: {} if square else each for name, each in free.items()}
    write(Rows(finder).eval(), given, target, axes, _CLOSE)
